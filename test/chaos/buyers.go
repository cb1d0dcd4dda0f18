package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
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
		status, err := b.checkout(ctx, p)
		p.asked++
		b.count(status, err)
		if status == http.StatusOK || status == http.StatusConflict {
			p.answered = status
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
	var all sync.WaitGroup
	for _, p := range b.undecided {
		all.Go(func() { b.insist(ctx, p) })
	}
	all.Wait()
}

func (b *buyers) checkout(ctx context.Context, p *purchase) (status int, err error) {
	body, err := json.Marshal(map[string]any{"sku": p.sku, "quantity": p.quantity})
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.api+"/checkout", strings.NewReader(string(body)))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Idempotency-Key", p.key)
	response, err := b.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func (b *buyers) count(status int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil || status != http.StatusOK && status != http.StatusConflict {
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
