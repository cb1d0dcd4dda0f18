package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"restock/test/load"
)

const (
	// patience is the timeout of a request during the faults. The shop may still work on a request
	// when its buyer repeats it.
	patience   = 5 * time.Second
	thinking   = 20 * time.Millisecond // the average time between two purchases of a buyer
	retryPause = 50 * time.Millisecond
	// calmPatience is the timeout of a request after the faults. It is longer than the HTTP API
	// takes for any answer.
	calmPatience = 35 * time.Second
)

// A purchase is a buyer's request and its result.
type purchase struct {
	key      string // idempotency key; repeated requests have the same one
	sku      string
	quantity int

	asked    int // number of requests
	answered int // status of the final answer, 200 or 409; 0: there is none yet
}

// buyers send purchases. A buyer who gets no final answer repeats the request with the same key.
type buyers struct {
	api      string
	products []string
	seed     uint64
	client   *http.Client

	mu        sync.Mutex
	purchases []*purchase
	undecided []*purchase
	statuses  map[string]int
	failures  int // requests without a final answer
}

func newBuyers(api string, products []string, seed uint64) *buyers {
	return &buyers{
		api: api, products: products, seed: seed, client: &http.Client{Timeout: patience}, statuses: map[string]int{},
	}
}

// buy makes purchases until ctx ends.
func (b *buyers) buy(ctx context.Context, who int) {
	r := rand.New(rand.NewPCG(b.seed, 1000+uint64(who)))
	for n := 0; ctx.Err() == nil; n++ {
		key := fmt.Sprintf("chaos-%d-%d", who, n)
		b.purchase(ctx, &purchase{key: key, sku: pick(r, b.products), quantity: 1 + r.IntN(3)})
		pause(ctx, upTo(r, 2*thinking))
	}
}

// purchase sends a purchase until there is a final answer or ctx ends.
func (b *buyers) purchase(ctx context.Context, p *purchase) {
	b.mu.Lock()
	b.purchases = append(b.purchases, p)
	b.mu.Unlock()
	if !b.insist(ctx, p) {
		b.mu.Lock()
		b.undecided = append(b.undecided, p)
		b.mu.Unlock()
	}
}

// insist repeats a purchase until there is a final answer, and reports whether there is one.
func (b *buyers) insist(ctx context.Context, p *purchase) bool {
	for ctx.Err() == nil {
		shop := load.Shop{URL: b.api, Client: b.client}
		answer, err := shop.Buy(ctx, load.Purchase{SKU: p.sku, Quantity: p.quantity, IdempotencyKey: p.key})
		p.asked++
		decided := err == nil && (answer.Outcome() == load.Sold || answer.Outcome() == load.Refused)
		b.count(answer.Status, decided, err)
		if decided {
			p.answered = answer.Status
			return true
		}
		pause(ctx, retryPause)
	}
	return false
}

// settle repeats the purchases without a final answer. The limit ends the wait for an answer that
// never comes.
func (b *buyers) settle(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	b.client.Timeout = calmPatience
	_ = load.Crowd(ctx, len(b.undecided), len(b.undecided), func(ctx context.Context, i int) error {
		b.insist(ctx, b.undecided[i])
		return nil
	})
}

func (b *buyers) count(status int, decided bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !decided {
		b.failures++
	}
	if err != nil {
		b.statuses["no answer"]++
		return
	}
	b.statuses[fmt.Sprintf("%d %s", status, http.StatusText(status))]++
}

// failed returns how many requests had no final answer.
func (b *buyers) failed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures
}

func (b *buyers) answers() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.statuses
}
