package mysql_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql"
	"restock/internal/shop"
)

const (
	connections = 16
	// slice is how long the benchmark measures one kind of work before it turns to the next. It is
	// short, so that other load on the machine affects all kinds alike.
	slice = 100 * time.Millisecond
)

// BenchmarkCheckout compares three kinds of work: whole checkouts, each with an idempotency key;
// the bare UPDATE that every checkout needs; and refusals of a product that is sold out. All use
// the same number of connections to one server with innodb_flush_log_at_trx_commit=1. An iteration
// is a round with a slice of each kind. The metrics are medians of the rounds.
//
//	go test -run '^$' -bench Checkout -benchtime 30x ./internal/mysql
//
// The metrics: update/s, checkout/s, refusal/s; checkout/update, the ratio within a round, with its
// quartiles; and with a network, roundtrip-µs, the duration of a round trip on an idle network, and
// roundtrips/checkout.
func BenchmarkCheckout(b *testing.B) {
	for _, products := range []int{1, 100} {
		for _, network := range []time.Duration{0, 500 * time.Microsecond, time.Millisecond} {
			b.Run(fmt.Sprintf("products=%d/network=%v", products, network),
				func(b *testing.B) { benchmarkCheckout(b, products, network) })
		}
	}
}

func benchmarkCheckout(b *testing.B, products int, network time.Duration) {
	// The bare UPDATE writes no sales and no ledger, so it has its own database.
	const plenty, few = 1 << 30, 500
	bare, sales := newFixture(b, connections), newFixture(b, connections)
	skus := bare.stockUp(b, products, plenty)
	sales.stockUp(b, products, plenty)
	last := sales.create(b, "LAST", few)

	bareDB, salesDB := bare.DB, sales.DB
	var w *wire
	var ping time.Duration
	if network > 0 {
		w = newWire(b, sales.Database, network)
		bareDB = bare.OpenAt(b, newWire(b, bare.Database, network).port(), connections)
		salesDB = sales.OpenAt(b, w.port(), connections)
		ping = pingTime(b, salesDB)
	}
	counter := shop.Open(mysql.NewStore(salesDB), sales, shop.Discard)
	var updated, sold atomic.Int64
	buy := func(ctx context.Context, sku string) error {
		_, err := counter.Buy(ctx, shop.Purchase{SKU: sku, Quantity: 1, IdempotencyKey: uuid.NewString()})
		if err == nil {
			sold.Add(1)
		}
		return err
	}
	update := func(ctx context.Context) error {
		_, err := bareDB.ExecContext(ctx, `UPDATE product SET stock = stock - 1 WHERE sku = ? AND stock >= 1`,
			skus[rand.IntN(products)])
		updated.Add(1)
		return err
	}
	checkout := func(ctx context.Context) error { return buy(ctx, skus[rand.IntN(products)]) }
	refusal := func(ctx context.Context) error {
		if err := buy(ctx, last); shop.CodeOf(err) != shop.CodeOutOfStock {
			return fmt.Errorf("a checkout of a product that is sold out: got %w, want a refusal", err)
		}
		return nil
	}

	sellOut(b, few, func(ctx context.Context) error { return buy(ctx, last) })
	// On each connection, the first call parses the procedure.
	for _, each := range []func(context.Context) error{update, checkout, refusal} {
		perSecond(b, each)
	}
	var updates, checkouts, refusals, ratios, roundTrips []float64
	for b.Loop() {
		updates = append(updates, perSecond(b, update))
		soldBefore, tripsBefore := sold.Load(), w.trips()
		checkouts = append(checkouts, perSecond(b, checkout))
		roundTrips = append(roundTrips, float64(w.trips()-tripsBefore)/float64(sold.Load()-soldBefore))
		refusals = append(refusals, perSecond(b, refusal))
		ratios = append(ratios, checkouts[len(checkouts)-1]/updates[len(updates)-1])
	}

	b.ReportMetric(0, "ns/op") // the slices set the duration of an iteration
	b.ReportMetric(quantile(updates, 0.5), "update/s")
	b.ReportMetric(quantile(checkouts, 0.5), "checkout/s")
	b.ReportMetric(quantile(refusals, 0.5), "refusal/s")
	b.ReportMetric(quantile(ratios, 0.25), "checkout/update-p25")
	b.ReportMetric(quantile(ratios, 0.5), "checkout/update")
	b.ReportMetric(quantile(ratios, 0.75), "checkout/update-p75")
	if network > 0 {
		b.ReportMetric(float64(ping.Microseconds()), "roundtrip-µs")
		b.ReportMetric(quantile(roundTrips, 0.5), "roundtrips/checkout")
	}

	// No sale is lost, nothing is sold twice, and nothing is sold that was not in stock.
	inStock := `SELECT SUM(stock) FROM product WHERE sku LIKE 'HOT-%'`
	if got, want := bare.Number(b, inStock), products*plenty-int(updated.Load()); got != want {
		b.Errorf("after %d bare updates the stock is %d, want %d", updated.Load(), got, want)
	}
	if got, want := sales.Number(b, inStock), products*plenty-int(sold.Load())+few; got != want {
		b.Errorf("after %d checkouts the stock is %d, want %d", sold.Load(), got, want)
	}
	if got := sales.Number(b, `SELECT COUNT(*) FROM sale`); got != int(sold.Load()) {
		b.Errorf("%d sales are stored, want %d", got, sold.Load())
	}
	sales.CheckBooks(b)
}

// stockUp creates products, each with a stock.
func (f *fixture) stockUp(b *testing.B, products, stock int) (skus []string) {
	b.Helper()
	for i := range products {
		skus = append(skus, f.create(b, fmt.Sprintf("HOT-%03d", i), stock))
	}
	return skus
}

func (f *fixture) create(b *testing.B, sku string, stock int) string {
	b.Helper()
	err := f.Database.Store.CreateProduct(b.Context(), shop.Product{
		ID: uuid.Must(uuid.NewV7()), SKU: sku, Name: sku, Price: 19900, Stock: stock, Factory: "FF-500293",
		Policy: shop.Policy{OrderUpTo: 100, LotSize: 100, LeadTime: time.Minute, Automatic: true},
	}, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	return sku
}

// sellOut buys the whole stock, from all connections at once.
func sellOut(b *testing.B, stock int, buy func(context.Context) error) {
	b.Helper()
	var sold atomic.Int64
	var buyers sync.WaitGroup
	for range connections {
		buyers.Go(func() {
			for {
				switch err := buy(b.Context()); {
				case err == nil:
					sold.Add(1)
				case shop.CodeOf(err) == shop.CodeOutOfStock:
					return
				default:
					b.Error(err)
					return
				}
			}
		})
	}
	buyers.Wait()
	if got := int(sold.Load()); got != stock {
		b.Errorf("%d were sold of %d", got, stock)
	}
}

// perSecond calls a function from all connections for a slice of time, and returns how many calls
// it made a second.
func perSecond(b *testing.B, each func(context.Context) error) float64 {
	b.Helper()
	var done atomic.Int64
	var workers sync.WaitGroup
	start := time.Now()
	for range connections {
		workers.Go(func() {
			for time.Since(start) < slice {
				if err := each(b.Context()); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	workers.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}

// pingTime returns the median duration of a round trip on an idle connection.
func pingTime(b *testing.B, db *sql.DB) time.Duration {
	b.Helper()
	var took []time.Duration
	for range 100 {
		start := time.Now()
		if _, err := db.ExecContext(b.Context(), "DO 0"); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// quantile returns the q-quantile of numbers, by the nearest rank.
func quantile(of []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}
