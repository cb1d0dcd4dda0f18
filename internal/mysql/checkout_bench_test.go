package mysql_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql"
	"restock/internal/shop"
	"restock/local/mariadb/mariadbtest"
	"restock/test/rds"
)

// BenchmarkCheckout measures whole checkouts on databases that commit like RDS's (see package rds):
//   - update: the bare UPDATE of one row, which every checkout of one product needs;
//   - bins=N: checkouts of one product whose stock lies in N bins;
//   - update-100 and products=100: the same over 100 products with one bin each;
//   - refusal: refusals of a product that is sold out.
//
// All use the same number of connections to one server. Each checkout has an idempotency key. An
// iteration is a round with a slice of each kind of work.
//
//	go test -run '^$' -bench Checkout -benchtime 30x ./internal/mysql
//
// For each kind of work, the metric NAME/s is the median of the rounds. NAME/update (or
// NAME/update-100 for 100 products) is its ratio to the bare UPDATE of the same round, a median
// with quartiles. bins=N/products=100 is the same for the most bins and 100 products. commit-µs is
// the median time of an UPDATE on an idle server, and standby-µs is how long it waits for the
// standby. With a network, roundtrip-µs is the time of a round trip on an idle network, and
// roundtrips/checkout counts them.
//
// The environment variable RESTOCK_BENCH_SERVER_ARGS has further arguments of the servers, for
// example --binlog-commit-wait-count=16.
func BenchmarkCheckout(b *testing.B) {
	for _, kind := range rds.Kinds {
		b.Run("database="+string(kind), func(b *testing.B) {
			database, err := rds.Start(b.Context(), kind, strings.Fields(os.Getenv(serverArgs))...)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() {
				if err := database.Stop(); err != nil {
					b.Error(err)
				}
			})
			b.Setenv(mariadbtest.DSNVariable, database.DSN())
			networks := []time.Duration{0}
			if kind == rds.SingleAZ {
				networks = append(networks, 500*time.Microsecond, time.Millisecond)
			}
			for _, network := range networks {
				b.Run(fmt.Sprintf("network=%v", network), func(b *testing.B) {
					benchmarkCheckout(b, kind, network)
					b.ReportMetric(float64(database.StandbyTime().Microseconds()), "standby-µs")
					if err := database.Check(b.Context()); err != nil {
						b.Error(err)
					}
				})
			}
		})
	}
}

// serverArgs is the environment variable with further arguments of the servers.
const serverArgs = "RESTOCK_BENCH_SERVER_ARGS"

// binCounts are the numbers of bins to measure.
var binCounts = []int{1, 8, 16, 32, 64}

const (
	manyProducts = 100
	plenty       = 1 << 30 // a stock that is never sold out
	few          = 100     // a stock that is sold out before the measurement
)

// concurrency returns the number of connections, and how long the benchmark measures one kind of
// work before it turns to the next. A slice is short, so that other load on the machine affects all
// kinds alike. But many buyers of one row wait for each other's commits, and a slice must be longer
// than that.
func concurrency(kind rds.Kind) (connections int, slice time.Duration) {
	switch kind {
	case rds.MultiAZ:
		return 64, 500 * time.Millisecond
	case rds.SingleAZ:
		return 64, 200 * time.Millisecond
	default:
		return 16, 100 * time.Millisecond
	}
}

// A job is a kind of work that the benchmark measures.
type job struct {
	name  string
	each  func(context.Context) error
	base  *job      // the rates are compared with the base's
	rates []float64 // of the rounds, a second
}

func benchmarkCheckout(b *testing.B, kind rds.Kind, network time.Duration) {
	connections, slice := concurrency(kind)
	// The bare UPDATE writes no sales and no ledger, so it has its own database.
	bare, sales := newFixture(b, connections), newFixture(b, connections)
	bareProducts, skus := bare.ids(b, bare.stockUp(b, manyProducts)), sales.stockUp(b, manyProducts)
	last := sales.create(b, "LAST", few, 1)

	bareDB, salesDB := bare.DB, sales.DB
	var w *wire
	if network > 0 {
		w = newWire(b, sales.Database, network)
		bareDB = bare.OpenAt(b, newWire(b, bare.Database, network).port(), connections)
		salesDB = sales.OpenAt(b, w.port(), connections)
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
	update := func(products int) func(context.Context) error {
		return func(ctx context.Context) error {
			updated.Add(1)
			return bareUpdate(ctx, bareDB, bareProducts[rand.IntN(products)])
		}
	}
	refuse := func(ctx context.Context) error {
		if err := buy(ctx, last); shop.CodeOf(err) != shop.CodeOutOfStock {
			return fmt.Errorf("a checkout of a product that is sold out: got %w, want a refusal", err)
		}
		return nil
	}
	ping := medianTime(b, func() error { _, err := salesDB.ExecContext(b.Context(), "DO 0"); return err })
	commit := medianTime(b, func() error { return update(1)(b.Context()) })
	sellOut(b, connections, func(ctx context.Context) error { return buy(ctx, last) })

	one, many := &job{name: "update", each: update(1)}, &job{name: "update-100", each: update(manyProducts)}
	jobs := []*job{one}
	var hot *job
	for _, bins := range binCounts {
		if network > 0 && bins > 1 {
			break // round trips do not depend on the bins
		}
		sku := sales.create(b, fmt.Sprintf("HOT-BINS-%d", bins), plenty, bins)
		hot = &job{
			name: fmt.Sprintf("bins=%d", bins), base: one,
			each: func(ctx context.Context) error { return buy(ctx, sku) },
		}
		jobs = append(jobs, hot)
	}
	hots := len(jobs) - 1
	spread := &job{
		name: "products=100", base: many,
		each: func(ctx context.Context) error { return buy(ctx, skus[rand.IntN(manyProducts)]) },
	}
	jobs = append(jobs, many, spread, &job{name: "refusal", each: refuse})

	for _, j := range jobs { // on each connection, the first call parses the procedure
		perSecond(b, connections, slice, j.each)
	}
	trips, soldBefore := w.trips(), sold.Load()
	var refused int64
	for b.Loop() {
		for _, j := range jobs {
			tripsBefore := w.trips()
			j.rates = append(j.rates, perSecond(b, connections, slice, j.each))
			if j.name == "refusal" {
				refused += w.trips() - tripsBefore
			}
		}
	}
	if network > 0 {
		trips = w.trips() - trips - refused
		b.ReportMetric(float64(ping.Microseconds()), "roundtrip-µs")
		b.ReportMetric(float64(trips)/float64(sold.Load()-soldBefore), "roundtrips/checkout")
	}
	b.ReportMetric(0, "ns/op") // the slices set the duration of an iteration
	b.ReportMetric(float64(commit.Microseconds()), "commit-µs")
	b.ReportMetric(float64(connections), "connections")
	for _, j := range jobs {
		b.ReportMetric(quantile(j.rates, 0.5), j.name+"/s")
		if j.base != nil {
			j.reportRatio(b, j.base)
		}
	}
	hot.reportRatio(b, spread)

	// No sale is lost, nothing is sold twice, and nothing is sold that was not in stock.
	if got, want := bare.totalStock(b), manyProducts*plenty-int(updated.Load()); got != want {
		b.Errorf("after %d bare updates the stock is %d, want %d", updated.Load(), got, want)
	}
	if got, want := sales.totalStock(b), (hots+manyProducts)*plenty+few-int(sold.Load()); got != want {
		b.Errorf("after %d checkouts the stock is %d, want %d", sold.Load(), got, want)
	}
	if got := sales.sales(b); got != int(sold.Load()) {
		b.Errorf("%d sales are stored, want %d", got, sold.Load())
	}
	sales.CheckBooks(b)
}

// reportRatio reports the median and the quartiles of the ratio of two rates in the same round.
func (j *job) reportRatio(b *testing.B, base *job) {
	var ratios []float64
	for i, rate := range j.rates {
		ratios = append(ratios, rate/base.rates[i])
	}
	unit := j.name + "/" + base.name
	b.ReportMetric(quantile(ratios, 0.25), unit+"-p25")
	b.ReportMetric(quantile(ratios, 0.5), unit)
	b.ReportMetric(quantile(ratios, 0.75), unit+"-p75")
}

// bareUpdate is the UPDATE of one row that every checkout needs.
func bareUpdate(ctx context.Context, db *sql.DB, product uuid.UUID) error {
	_, err := db.ExecContext(ctx, `UPDATE bin SET stock = stock - 1 WHERE product_id = ? AND bin = 0 AND stock >= 1`,
		product[:])
	return err
}

// ids returns the ids of products.
func (f *fixture) ids(b *testing.B, skus []string) (ids []uuid.UUID) {
	b.Helper()
	for _, sku := range skus {
		p, err := f.Database.Store.Product(b.Context(), sku)
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	return ids
}

// totalStock returns the stock of all products that the benchmark created.
func (f *fixture) totalStock(b *testing.B) int {
	b.Helper()
	return f.Number(b, `SELECT SUM(stock) FROM product_stock WHERE sku LIKE 'HOT-%' OR sku = 'LAST'`)
}

// sales returns the number of stored sales.
func (f *fixture) sales(b *testing.B) int {
	b.Helper()
	return f.Number(b, `SELECT COUNT(*) FROM sale`)
}

// stockUp creates products, each with one bin and plenty of stock.
func (f *fixture) stockUp(b *testing.B, products int) (skus []string) {
	b.Helper()
	for i := range products {
		skus = append(skus, f.create(b, fmt.Sprintf("HOT-%03d", i), plenty, 1))
	}
	return skus
}

// create creates a product.
func (f *fixture) create(b *testing.B, sku string, stock, bins int) string {
	b.Helper()
	err := f.Database.Store.CreateProduct(b.Context(), shop.Product{
		ID: uuid.Must(uuid.NewV7()), SKU: sku, Name: sku, Price: 19900, Stock: stock, Bins: bins, Factory: "FF-500293",
		Policy: shop.Policy{OrderUpTo: 100, LotSize: 100, LeadTime: time.Minute, Automatic: true},
	}, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	return sku
}

// sellOut buys the whole stock of few pieces, from all connections at once.
func sellOut(b *testing.B, connections int, buy func(context.Context) error) {
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
	if got := int(sold.Load()); got != few {
		b.Errorf("%d were sold of %d", got, few)
	}
}

// perSecond calls a function from all connections for a slice of time, and returns how many calls
// it made a second.
func perSecond(b *testing.B, connections int, slice time.Duration, each func(context.Context) error) float64 {
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

// medianTime returns the median duration of a call, one call after the other.
func medianTime(b *testing.B, call func() error) time.Duration {
	b.Helper()
	var took []time.Duration
	for range 100 {
		start := time.Now()
		if err := call(); err != nil {
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
