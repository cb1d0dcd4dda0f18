// Package buyers has the buyers of the demo. Package main would link the whole stack into the test
// of their counting.
package buyers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"restock/test/load"
)

const (
	// AtOnce is the number of concurrent buyers in the crowd.
	AtOnce = 16
	// maxRequests is how often a buyer sends a request that the shop is too busy to serve. It is a
	// number and not a time: a slow machine must not change the story.
	maxRequests = 10
	// RetryPause is the time between two of these requests.
	RetryPause = time.Second
)

// A Shop is a shop with the time before a buyer repeats a request that found it busy.
type Shop struct {
	load.Shop
	Pause time.Duration
}

// A Visit is one buyer's requests until a final answer.
type Visit struct {
	Outcome load.Outcome
	Answer
	Requests int
	Err      error // why there was no answer; nil if there was one
}

// Failure returns an error that describes a visit that should have succeeded.
func (v Visit) Failure() error {
	if v.Err != nil {
		return fmt.Errorf("a buyer's POST /checkout got no answer: %w", v.Err)
	}
	return fmt.Errorf("a buyer's POST /checkout got %d %s", v.Answer.Status, v.Answer.Text)
}

// A Tally counts buyers by the outcome of their visits.
type Tally struct {
	Bought, Refused, Busy, Failed int

	retries int   // requests that buyers repeated because the shop was too busy
	failure error // the failure of the first buyer who failed
}

// Add counts a visit.
func (t *Tally) Add(v Visit) {
	t.retries += v.Requests - 1
	switch v.Outcome {
	case load.Sold:
		t.Bought++
	case load.Refused:
		t.Refused++
	case load.Busy:
		t.Busy++
	case load.Failed:
		t.Failed++
		if t.failure == nil {
			t.failure = v.Failure()
		}
	}
}

func (t Tally) buyers() int { return t.Bought + t.Refused + t.Busy + t.Failed }

func (t Tally) String() string {
	text := fmt.Sprintf("of %d buyers %d bought, %d were refused, %d found the shop busy, %d failed",
		t.buyers(), t.Bought, t.Refused, t.Busy, t.Failed)
	if t.retries > 0 {
		text += fmt.Sprintf(" (they repeated %d requests)", t.retries)
	}
	return text
}

// Check returns an error if the tally has another number of buyers, or if a buyer failed.
func (t Tally) Check(buyers int) error {
	if t.buyers() != buyers {
		return fmt.Errorf("%d buyers came, but the tally is: %s", buyers, t)
	}
	if t.Failed > 0 {
		return fmt.Errorf("%d buyers failed, the first with: %w", t.Failed, t.failure)
	}
	return nil
}

// CheckSales checks that the shop has stored as many sales as it confirmed to buyers.
func (t Tally) CheckSales(stored int) error {
	// A buyer who found the shop busy until the end may have bought without knowing it.
	if stored < t.Bought || stored > t.Bought+t.Busy {
		return fmt.Errorf("the shop has stored %d sales, but the tally is: %s", stored, t)
	}
	return nil
}

// Crowd runs the visits of many buyers, AtOnce of them at a time.
func (s Shop) Crowd(ctx context.Context, buyers int) ([]Visit, error) {
	visits := make([]Visit, buyers)
	err := load.Crowd(ctx, buyers, AtOnce, func(ctx context.Context, i int) (err error) {
		visits[i], err = s.Visit(ctx)
		return err
	})
	return visits, err
}

// Visit runs one buyer's visit. An error ends the story; the shop's answer, or the lack of one, is
// in the visit.
func (s Shop) Visit(ctx context.Context) (v Visit, err error) {
	// Each request has the same key: a request without an answer may have bought already.
	key := rand.Text()
	for {
		v.Requests++
		v.Answer, v.Err = Read(s.Buy(ctx, load.Purchase{IdempotencyKey: key}))
		v.Outcome = v.Answer.Outcome()
		if v.Err != nil {
			v.Outcome = load.Failed
		}
		switch {
		case ctx.Err() != nil:
			return v, context.Cause(ctx)
		case v.Outcome != load.Busy || v.Requests == maxRequests:
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, context.Cause(ctx)
		case <-time.After(s.Pause):
		}
	}
}

// An Answer is the shop's answer to a buyer.
type Answer struct {
	load.Answer
	Message string `json:"message"`
	Stock   int    `json:"stock"`
}

// Read reads the JSON of an answer.
func Read(a load.Answer, err error) (Answer, error) {
	read := Answer{Answer: a}
	if err != nil {
		return read, err
	}
	if err := json.Unmarshal(a.Text, &read); err != nil {
		return read, fmt.Errorf("the shop answered with %d, but not with JSON: %s", a.Status, a.Text)
	}
	return read, nil
}
