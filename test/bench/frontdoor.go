package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"restock/test/load"
)

const (
	buyers    = 16 // concurrent buyers
	rounds    = 6  // rounds of sales and refusals
	sliceTime = 2 * time.Second
	plenty    = 1 << 30 // a stock that is never sold out
)

// measureFrontDoor sends checkouts through the whole stack, with the functions as real processes,
// and compares the sales with the database afterwards. Slices of sales take turns with slices of
// refusals.
func (b *bench) measureFrontDoor(ctx context.Context, s *shop) (section, error) {
	const hot, soldOut = "BENCH-HOT", "BENCH-SOLD-OUT"
	out := section{Title: fmt.Sprintf("Through the front door: POST /checkout, %d buyers at once", buyers)}
	if err := s.stock(ctx, hot, plenty, false); err != nil {
		return out, err
	}
	if err := s.stock(ctx, soldOut, 0, false); err != nil {
		return out, err
	}
	if _, _, err := s.rush(ctx, hot, load.Sold, 0); err != nil { // cold starts
		return out, err
	}
	sold := buyers
	var sales, refusals []time.Duration
	var saleRates, refusalRates []float64
	for range rounds {
		latencies, took, err := s.rush(ctx, hot, load.Sold, sliceTime)
		if err != nil {
			return out, err
		}
		sold += len(latencies)
		sales, saleRates = append(sales, latencies...), append(saleRates, float64(len(latencies))/took.Seconds())
		b.step()
		if latencies, took, err = s.rush(ctx, soldOut, load.Refused, sliceTime); err != nil {
			return out, err
		}
		refusals = append(refusals, latencies...)
		refusalRates = append(refusalRates, float64(len(latencies))/took.Seconds())
		b.step()
	}
	if err := s.check(ctx, hot, plenty, sold); err != nil {
		return out, err
	}
	if err := s.check(ctx, soldOut, 0, 0); err != nil {
		return out, err
	}
	saleRate, refusalRate := median(saleRates), median(refusalRates)
	out.Rows = []result{
		{What: "sales", Value: saleRate, Unit: "/s",
			Note: fmt.Sprintf("%d sold, counted in the database: none lost, none oversold", sold)},
		{What: "sales, p50", Value: milliseconds(load.Percentile(sales, 50)), Unit: "ms"},
		{What: "sales, p99", Value: milliseconds(load.Percentile(sales, 99)), Unit: "ms"},
		{What: "refusals of a product that is sold out", Value: refusalRate, Unit: "/s"},
		{What: "refusals, p50", Value: milliseconds(load.Percentile(refusals, 50)), Unit: "ms"},
		{What: "refusals, p99", Value: milliseconds(load.Percentile(refusals, 99)), Unit: "ms"},
		{What: "refusals for each sale in the same time", Value: refusalRate / saleRate, Unit: "×", Goal: atLeast(1),
			Note: "a refusal must be cheaper than a sale"},
	}
	return out, nil
}

// rush runs concurrent buyers for a time. Each buyer sends one checkout after the other, at least
// one. All checkouts must have the wanted outcome.
func (s *shop) rush(
	ctx context.Context, sku string, want load.Outcome, duration time.Duration,
) (latencies []time.Duration, took time.Duration, err error) {
	client := load.NewClient(buyers)
	defer client.CloseIdleConnections()
	each := make([][]time.Duration, buyers)
	began := time.Now()
	err = load.Crowd(ctx, buyers, buyers, func(ctx context.Context, i int) error {
		for len(each[i]) == 0 || time.Since(began) < duration {
			asked := time.Now()
			if err := s.buy(ctx, client, sku, want); err != nil {
				return err
			}
			each[i] = append(each[i], time.Since(asked))
		}
		return nil
	})
	return slices.Concat(each...), time.Since(began), err
}

// buy sends a checkout, which must have the wanted outcome.
func (s *shop) buy(ctx context.Context, client *http.Client, sku string, want load.Outcome) error {
	answer, err := load.Shop{URL: s.api, Client: client}.Buy(ctx, load.Purchase{SKU: sku})
	if err == nil && answer.Outcome() != want {
		err = fmt.Errorf("a checkout of %s was answered with %d %s", sku, answer.Status, answer.Text)
	}
	return err
}
