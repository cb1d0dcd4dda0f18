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
	// patience is how often a buyer repeats a request that the shop was too busy to serve. It is a
	// number and not a time: a slow machine must not change the story.
	patience = 10
	// comeBackPause is the time between two of these requests.
	comeBackPause = time.Second
)

// A visit is one buyer's requests until a final answer.
type visit struct {
	fate load.Outcome
	answer
	asked int
	err   error // why there was no answer; nil if there was one
}

// complaint returns the error of a visit that should have succeeded.
func (v visit) complaint() error {
	if v.err != nil {
		return fmt.Errorf("a buyer's POST /checkout got no answer: %w", v.err)
	}
	return fmt.Errorf("a buyer's POST /checkout got %d %s", v.Status, v.Text)
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
	case load.Sold:
		b.bought++
	case load.Refused:
		b.refused++
	case load.TurnedAway:
		b.turnedAway++
	case load.Failed:
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
	err := load.Crowd(ctx, buyers, atOnce, func(ctx context.Context, i int) (err error) {
		visits[i], err = s.visit(ctx)
		return err
	})
	return visits, err
}

// visit runs one buyer's visit. An error ends the story; the shop's answer, or the lack of one, is
// in the visit.
func (s *story) visit(ctx context.Context) (v visit, err error) {
	key := rand.Text() // the same for each request: an unanswered one may have bought already
	for {
		v.asked++
		v.answer, v.err = read(s.shop.Buy(ctx, load.Purchase{IdempotencyKey: key}))
		v.fate = v.Outcome()
		if v.err != nil {
			v.fate = load.Failed
		}
		switch {
		case ctx.Err() != nil:
			return v, context.Cause(ctx)
		case v.fate != load.TurnedAway || v.asked == patience:
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
		return read, fmt.Errorf("the shop answered with %d, and not with JSON: %s", a.Status, a.Text)
	}
	return read, nil
}
