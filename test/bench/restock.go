package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"restock/test/load"
	"restock/test/rds"
)

const (
	shortages       = 200
	shortageTimeout = 20 * time.Second
	lookInterval    = 2 * time.Millisecond
)

// measureRestock sells out one product after the other. It measures the time from the recorded
// opening of the production order, which is before the commit, until the factory gets the request.
func (b *bench) measureRestock(ctx context.Context, s *shop) (section, error) {
	out := section{Title: "From sold out to ordered"}
	var took []float64
	for i := range shortages {
		sku := fmt.Sprintf("BENCH-SHORT-%03d", i)
		if err := s.stock(ctx, sku, 1, true); err != nil {
			return out, err
		}
		if err := s.buy(ctx, http.DefaultClient, sku, load.Sold); err != nil {
			return out, err
		}
		received, err := s.ordered(ctx, sku)
		if err != nil {
			return out, err
		}
		var opened time.Time
		row := s.db.QueryRowContext(ctx,
			`SELECT o.opened_at FROM production_order o JOIN product p USING (product_id) WHERE p.sku = ?`, sku)
		if err := row.Scan(&opened); err != nil {
			return out, fmt.Errorf("reading the production order of %s: %w", sku, err)
		}
		if i > 0 { // the first order is a cold start
			took = append(took, milliseconds(received.Sub(opened)))
		}
		if i%20 == 0 {
			b.step()
		}
	}
	out.Rows = []result{
		{What: "p50", Value: load.Percentile(took, 50), Unit: "ms",
			Note: fmt.Sprintf("%d shortages, one after the other", len(took))},
		{What: "p99", Value: load.Percentile(took, 99), Unit: "ms", Goal: atMost(150)},
	}
	return out, nil
}

// measureRestockMultiAZ measures the same on a database like RDS Multi-AZ.
func (b *bench) measureRestockMultiAZ(ctx context.Context) (out section, err error) {
	database, err := rds.Start(ctx, rds.MultiAZ)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, database.Stop()) }()
	s, err := b.open(ctx, database.DSN())
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if out, err = b.measureRestock(ctx, s); err != nil {
		return out, err
	}
	out.Title += ", with a standby"
	out.Database = rds.MultiAZ.Title() + "; a commit waits for the standby for " +
		shown(milliseconds(database.StandbyTime()), "ms")
	return out, database.Check(ctx)
}

// ordered waits until the factory gets a request for a product, and returns the time of the
// request.
func (s *shop) ordered(ctx context.Context, sku string) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, shortageTimeout,
		fmt.Errorf("the factory was not asked for %s in %v", sku, shortageTimeout))
	defer cancel()
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	seen := 0
	for {
		requests := s.Run.Factory.Requests()
		for _, r := range requests[seen:] {
			var asked struct {
				SKU string `json:"MessageAttributeProductId"`
			}
			if json.Unmarshal(r.Body, &asked) == nil && strings.EqualFold(asked.SKU, sku) {
				return r.Time, nil
			}
		}
		seen = len(requests)
		select {
		case <-look.C:
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		}
	}
}
