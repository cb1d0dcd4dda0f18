package mysql_test

import (
	"testing"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// BenchmarkHotProduct compares whole checkouts on one product with the bare UPDATE that none of them can do without, from as many
// connections, on one server with innodb_flush_log_at_trx_commit=1. Compare what one run says: machines differ, and so do their days.
func BenchmarkHotProduct(b *testing.B) {
	const connections = 16
	parallel := func(b *testing.B, each func(*fixture) error) {
		f := newFixture(b, connections)
		f.SetStock(b, 1<<30)
		b.SetParallelism(connections) // times GOMAXPROCS: the pool bounds it
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := each(f); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	}
	b.Run("bare update", func(b *testing.B) {
		parallel(b, func(f *fixture) error {
			_, err := f.DB.ExecContext(b.Context(), `UPDATE product SET stock = stock - 1 WHERE sku = ? AND stock >= 1`, donut)
			return err
		})
	})
	b.Run("checkout", func(b *testing.B) {
		parallel(b, func(f *fixture) error {
			_, err := f.Buy(b.Context(), shop.Order{SKU: donut, Quantity: 1})
			return err
		})
	})
	b.Run("checkout with a key", func(b *testing.B) {
		parallel(b, func(f *fixture) error {
			_, err := f.Buy(b.Context(), shop.Order{SKU: donut, Quantity: 1, IdempotencyKey: uuid.NewString()})
			return err
		})
	})
	b.Run("refusal", func(b *testing.B) {
		parallel(b, func(f *fixture) error {
			_, err := f.Buy(b.Context(), shop.Order{SKU: donut, Quantity: 1<<31 - 1})
			if shop.CodeOf(err) == shop.CodeOutOfStock {
				return nil
			}
			return err
		})
	})
}
