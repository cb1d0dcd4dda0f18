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
	patience   = 5 * time.Second       // of a buyer with one request, in the storm: the next one may come while it is under way
	thinking   = 20 * time.Millisecond // on average, between two purchases
	retryPause = 50 * time.Millisecond
	// calmPatience is longer than the HTTP API takes for any answer. Buyers have it when nothing goes wrong any more.
	calmPatience = 35 * time.Second
)

// A purchase is what a buyer wants, and what became of it.
type purchase struct {
	key      string // idempotency key: the same, however often it is asked
	sku      string
	quantity int

	asked    int // requests
	answered int // the last status of an answer that decides: 200 or 409
}

// buyers come one after the other, many at a time. Who gets no answer that decides asks again with the same key.
type buyers struct {
	api      string
	products []string
	seed     uint64
	client   *http.Client

	mu        sync.Mutex
	purchases []*purchase
	undecided []*purchase
	statuses  map[string]int
	failures  int // requests without an answer that decides
}

func newBuyers(api string, products []string, seed uint64) *buyers {
	return &buyers{api: api, products: products, seed: seed, client: &http.Client{Timeout: patience}, statuses: map[string]int{}}
}

// buy buys until ctx ends.
func (b *buyers) buy(ctx context.Context, who int) {
	r := rand.New(rand.NewPCG(b.seed, 1000+uint64(who)))
	for n := 0; ctx.Err() == nil; n++ {
		b.purchase(ctx, &purchase{key: fmt.Sprintf("chaos-%d-%d", who, n), sku: pick(r, b.products), quantity: 1 + r.IntN(3)})
		last(ctx, upTo(r, 2*thinking))
	}
}

// purchase is what one buyer does, until there is an answer that decides or ctx ends.
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

// insist asks until there is an answer that decides.
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
		last(ctx, retryPause)
	}
	return false
}

// settle asks what became of the checkouts that were never answered. The limit ends the wait for an answer that never comes.
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

// failed is how many requests had no answer that decides.
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
