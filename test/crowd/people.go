package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"restock/local/view/events"
	"restock/test/load"
)

const product = "CROWD-1"

// counts counts what happens in a run. It is a handler of the run's log.
type counts struct {
	reads, came, bought atomic.Int64
	statements          int64

	mu      sync.Mutex // guards the fields below
	counted bool       // false until start
	seen    map[string]int64
	invoked map[string]int64 // the part of seen that was not throttled
}

func newCounts() *counts { return &counts{seen: map[string]int64{}, invoked: map[string]int64{}} }

func (c *counts) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counted = true
}

// api returns how many requests for a method and a path have reached the API.
func (c *counts) api(request string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[request]
}

// function returns how many of them have reached a function.
func (c *counts) function(request string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.invoked[request]
}

func (c *counts) Enabled(context.Context, slog.Level) bool { return true }
func (c *counts) WithGroup(string) slog.Handler            { return c }
func (c *counts) WithAttrs([]slog.Attr) slog.Handler       { return c }

func (c *counts) Handle(_ context.Context, r slog.Record) error {
	if events.KindOf(r) != events.APIRequest {
		return nil
	}
	var method, path string // a request that the stage throttles has no route
	throttled := false
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "method":
			method = a.Value.String()
		case "path":
			path = a.Value.String()
		case "throttled":
			throttled = true
		}
		return true
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.counted {
		return nil
	}
	c.seen[method+" "+path]++
	if !throttled {
		c.invoked[method+" "+path]++
	}
	return nil
}

// send opens the pages, and lets buyers come until the rush is over. Pages and buyers ask and wait
// like the storefront's page.
func (r rush) send(ctx context.Context, url string, c *counts) error {
	shop := load.Shop{URL: url, Client: load.NewClient((r.pages + r.buyers) / r.share)}
	over, end := context.WithTimeout(ctx, r.takes)
	defer end()
	var people sync.WaitGroup
	failed := make(chan error, 1)
	do := func(what func() error) {
		people.Go(func() {
			if err := what(); err != nil && over.Err() == nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	for range r.pages / r.share {
		do(func() error { return watch(over, shop, c) })
	}
	every := time.NewTicker(time.Second * time.Duration(r.share) / time.Duration(r.buyers))
	defer every.Stop()
	for over.Err() == nil {
		select {
		case <-every.C:
			c.came.Add(1)
			do(func() error { return buy(ctx, shop, c) })
		case <-over.Done():
		}
	}
	people.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// watch is an open page: see nextInterval and poll in the storefront.
func watch(ctx context.Context, shop load.Shop, c *counts) error {
	interval, last := 2*time.Second, ""
	pause(ctx, time.Duration(rand.Float64()*float64(interval))) // the pages were not opened together
	for ctx.Err() == nil {
		c.reads.Add(1)
		answer, err := shop.Get(ctx, "/products")
		if err != nil {
			return err
		}
		switch text := string(answer.Text); {
		case answer.Outcome() == load.Busy:
			interval = min(2*interval, 30*time.Second)
		case answer.Status != http.StatusOK:
			return fmt.Errorf("GET /products: got %d %s", answer.Status, text)
		case text == last:
			interval = min(interval*3/2, 10*time.Second)
		default:
			interval, last = 2*time.Second, text
		}
		pause(ctx, time.Duration((0.75+rand.Float64()/2)*float64(interval)))
	}
	return nil
}

// buy is one buyer's purchase: see Card.buy and retryDelay in the storefront.
func buy(ctx context.Context, shop load.Shop, c *counts) error {
	purchase := load.Purchase{SKU: product, Quantity: 1, IdempotencyKey: uuid.NewString()}
	const most = 8
	for sent := 1; sent <= most; sent++ {
		answer, err := shop.Buy(ctx, purchase)
		switch {
		case err != nil:
			return err
		case answer.Outcome() == load.Sold:
			c.bought.Add(1)
			return nil
		case answer.Outcome() != load.Busy:
			return fmt.Errorf("a checkout got %d %s", answer.Status, answer.Text)
		case sent < most:
			longest := min(time.Second<<sent, 16*time.Second)
			pause(ctx, time.Duration(rand.Float64()*float64(longest)))
		}
	}
	return nil // the page says that many people are buying, and to press again
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
