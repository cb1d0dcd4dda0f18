package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// atOnce is the number of concurrent buyers in the crowd.
	atOnce = 16
	// patience is how often a buyer repeats a request that the shop was too busy to serve. It is a
	// number and not a time: a slow machine must not change the story.
	patience = 10
	// comeBackPause is the time between two of these requests.
	comeBackPause = time.Second
)

// A fate is the final result of a buyer's visit.
type fate int

const (
	bought     fate = iota
	refused         // the stock was not enough
	turnedAway      // the shop was too busy, or unreachable, at each request
	failed          // any other answer, or none
)

// A visit is one buyer's requests until a final answer.
type visit struct {
	fate fate
	answer
	asked int
	err   error // why there was no answer; nil if there was one
}

// complaint returns the error of a visit that should have succeeded.
func (v visit) complaint() error {
	if v.err != nil {
		return fmt.Errorf("a buyer's POST /checkout got no answer: %w", v.err)
	}
	return fmt.Errorf("a buyer's POST /checkout got %d %s", v.status, v.text)
}

// books count the buyers by fate.
type books struct {
	bought, refused, turnedAway, failed int

	comebacks int   // how often buyers were turned away and came back
	complaint error // of the first buyer who failed
}

func (b *books) add(v visit) {
	b.comebacks += v.asked - 1
	switch v.fate {
	case bought:
		b.bought++
	case refused:
		b.refused++
	case turnedAway:
		b.turnedAway++
	case failed:
		b.failed++
		if b.complaint == nil {
			b.complaint = v.complaint()
		}
	}
}

func (b books) buyers() int { return b.bought + b.refused + b.turnedAway + b.failed }

func (b books) String() string {
	text := fmt.Sprintf("of %d buyers %d bought, %d were refused, %d were turned away, %d failed", b.buyers(), b.bought,
		b.refused, b.turnedAway, b.failed)
	if b.comebacks > 0 {
		text += fmt.Sprintf(" (they were turned away %d times, and asked again)", b.comebacks)
	}
	return text
}

// check returns an error if the books are wrong for this number of buyers.
func (b books) check(buyers int) error {
	if b.buyers() != buyers {
		return fmt.Errorf("the books do not agree: %d buyers came, and %s", buyers, b)
	}
	if b.failed > 0 {
		return fmt.Errorf("%d buyers failed, the first because %w", b.failed, b.complaint)
	}
	return nil
}

// checkSales checks that the shop has stored as many sales as it confirmed to buyers.
func (b books) checkSales(stored int) error {
	// A buyer who was turned away until the end may have bought without knowing it.
	if stored < b.bought || stored > b.bought+b.turnedAway {
		return fmt.Errorf("the books do not agree: %s, and the shop has stored %d sales", b, stored)
	}
	return nil
}

// crowd runs the visits of a number of buyers, atOnce at a time.
func (s *story) crowd(ctx context.Context, buyers int) ([]visit, error) {
	visits := make([]visit, buyers)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range visits {
		group.Go(func() (err error) {
			visits[i], err = s.visit(ctx)
			return err
		})
	}
	return visits, group.Wait()
}

// visit runs one buyer's visit. An error ends the story; the shop's answer, or the lack of one, is
// in the visit.
func (s *story) visit(ctx context.Context) (v visit, err error) {
	key := rand.Text() // the same for each request: an unanswered one may have bought already
	for {
		v.asked++
		v.answer, v.err = s.request(ctx, http.MethodPost, "/checkout", key)
		v.fate = fateOf(v.answer, v.err)
		switch {
		case ctx.Err() != nil:
			return v, context.Cause(ctx)
		case v.fate != turnedAway || v.asked == patience:
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, context.Cause(ctx)
		case <-time.After(s.pause):
		}
	}
}

func fateOf(a answer, err error) fate {
	switch {
	case err != nil:
		return failed
	case a.status == http.StatusOK:
		return bought
	case a.status == http.StatusConflict:
		return refused
	case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
		return turnedAway
	default:
		return failed
	}
}

// An answer is the shop's response to a buyer.
type answer struct {
	status  int
	Message string `json:"message"`
	Stock   int    `json:"stock"`
	text    string // unparsed
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
}

// request sends a request to the shop, with an idempotency key unless it is empty.
func (s *story) request(ctx context.Context, method, path, key string) (a answer, err error) {
	request, err := http.NewRequestWithContext(ctx, method, s.api+path, bytes.NewReader(nil))
	if err != nil {
		return a, err
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return a, fmt.Errorf("%s %s: %w", method, path, err)
	}
	a.status, a.text = response.StatusCode, string(text)
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("%s %s was answered with %s: %s", method, path, response.Status, text)
	}
	return a, nil
}
