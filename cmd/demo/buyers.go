package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"restock/test/load"
)

const (
	// atOnce is the number of concurrent buyers in the crowd.
	atOnce = 16
	// maxRequests is how often a buyer sends a request that the shop is too busy to serve. It is a
	// number and not a time: a slow machine must not change the story.
	maxRequests = 10
	// retryPause is the time between two of these requests.
	retryPause = time.Second
)

// A visit is one buyer's requests until a final answer.
type visit struct {
	outcome load.Outcome
	answer
	requests int
	err      error // why there was no answer; nil if there was one
}

// failure returns an error that describes a visit that should have succeeded.
func (v visit) failure() error {
	if v.err != nil {
		return fmt.Errorf("a buyer's POST /checkout got no answer: %w", v.err)
	}
	return fmt.Errorf("a buyer's POST /checkout got %d %s", v.Status, v.Text)
}

// A tally counts buyers by the outcome of their visits.
type tally struct {
	bought, refused, busy, failed int

	retries int   // requests that buyers repeated because the shop was too busy
	failure error // the failure of the first buyer who failed
}

func (t *tally) add(v visit) {
	t.retries += v.requests - 1
	switch v.outcome {
	case load.Sold:
		t.bought++
	case load.Refused:
		t.refused++
	case load.Busy:
		t.busy++
	case load.Failed:
		t.failed++
		if t.failure == nil {
			t.failure = v.failure()
		}
	}
}

func (t tally) buyers() int { return t.bought + t.refused + t.busy + t.failed }

func (t tally) String() string {
	text := fmt.Sprintf("of %d buyers %d bought, %d were refused, %d found the shop busy, %d failed",
		t.buyers(), t.bought, t.refused, t.busy, t.failed)
	if t.retries > 0 {
		text += fmt.Sprintf(" (they repeated %d requests)", t.retries)
	}
	return text
}

// check returns an error if the tally has another number of buyers, or if a buyer failed.
func (t tally) check(buyers int) error {
	if t.buyers() != buyers {
		return fmt.Errorf("%d buyers came, but the tally is: %s", buyers, t)
	}
	if t.failed > 0 {
		return fmt.Errorf("%d buyers failed, the first with: %w", t.failed, t.failure)
	}
	return nil
}

// checkSales checks that the shop has stored as many sales as it confirmed to buyers.
func (t tally) checkSales(stored int) error {
	// A buyer who found the shop busy until the end may have bought without knowing it.
	if stored < t.bought || stored > t.bought+t.busy {
		return fmt.Errorf("the shop has stored %d sales, but the tally is: %s", stored, t)
	}
	return nil
}

// crowd runs the visits of many buyers, atOnce of them at a time.
func (s *story) crowd(ctx context.Context, buyers int) ([]visit, error) {
	visits := make([]visit, buyers)
	err := load.Crowd(ctx, buyers, atOnce, func(ctx context.Context, i int) (err error) {
		visits[i], err = s.visit(ctx)
		return err
	})
	return visits, err
}

// visit runs one buyer's visit. An error ends the story; the shop's answer, or the lack of one, is
// in the visit.
func (s *story) visit(ctx context.Context) (v visit, err error) {
	// Each request has the same key: a request without an answer may have bought already.
	key := rand.Text()
	for {
		v.requests++
		v.answer, v.err = read(s.shop.Buy(ctx, load.Purchase{IdempotencyKey: key}))
		v.outcome = v.Outcome()
		if v.err != nil {
			v.outcome = load.Failed
		}
		switch {
		case ctx.Err() != nil:
			return v, context.Cause(ctx)
		case v.outcome != load.Busy || v.requests == maxRequests:
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, context.Cause(ctx)
		case <-time.After(s.pause):
		}
	}
}

// An answer is the shop's answer to a buyer.
type answer struct {
	load.Answer
	Message string `json:"message"`
	Stock   int    `json:"stock"`
}

// read reads the JSON of an answer.
func read(a load.Answer, err error) (answer, error) {
	read := answer{Answer: a}
	if err != nil {
		return read, err
	}
	if err := json.Unmarshal(a.Text, &read); err != nil {
		return read, fmt.Errorf("the shop answered with %d, but not with JSON: %s", a.Status, a.Text)
	}
	return read, nil
}
