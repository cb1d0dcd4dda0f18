package function

import (
	"context"
	"sync"
	"time"

	"restock/internal/shop"
	"restock/lambdas/journal"
)

const (
	// slowSale is how long a sale takes if its buyer waited for others. A sale alone takes a few
	// milliseconds, also if its commit waits for a second zone. So a sale as slow as this waited
	// for some ten others, or the database is slow.
	slowSale = 50 * time.Millisecond
	// lookInterval is how often an instance looks why sales of a product are slow.
	lookInterval = 10 * time.Second
	// reportInterval is how often all instances together report a product.
	reportInterval = time.Minute
)

// A waitRecorder records that a buyer waited. See [mysql.Store.RecordWait].
type waitRecorder interface {
	RecordWait(ctx context.Context, sku string, at time.Time, quiet time.Duration) (bins int, err error)
}

// waits is a store that reports products whose buyers wait for each other. After a slow sale, it
// looks whether all bins of the product are busy. After a sale that is slow for another reason, it
// finds a bin that is free.
type waits struct {
	shop.Store
	recorder waitRecorder
	journal  journal.Journal
	now      func() time.Time

	mu     sync.Mutex
	looked map[string]time.Time // when the instance last looked, by SKU
}

// Checkout implements shop.SaleStore.
func (w *waits) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	begin := w.now()
	d, err := w.Store.Checkout(ctx, c)
	end := w.now()
	took := end.Sub(begin)
	if err == nil && d.Outcome == shop.Sold && took >= slowSale && w.mayLook(c.SKU, end) {
		// The sale is made, whether this succeeds or not. A later slow sale tries again.
		if bins, err := w.recorder.RecordWait(ctx, c.SKU, end, reportInterval); err == nil && bins > 0 {
			w.journal.BuyersWaited(ctx, c.SKU, bins, took)
		}
	}
	return d, err
}

// mayLook reports whether the instance has not looked at a product for a while.
func (w *waits) mayLook(sku string, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last, ok := w.looked[sku]; ok && now.Sub(last) < lookInterval {
		return false
	}
	w.looked[sku] = now
	return true
}
