package histories

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// TestAKeyThatTheShopKeptLongerIsNoContradiction repeats requests after more than 24 hours, before
// a sweep forgets their keys. The shop repeats its first answers. After the sweep, the keys are
// free, although they were used a moment ago.
func TestAKeyThatTheShopKeptLongerIsNoContradiction(t *testing.T) {
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	w := &world{
		now: start, keys: map[string]purchase{}, sales: map[uuid.UUID]shop.Sale{}, adjustments: map[string]adjustment{},
	}
	p := shop.Purchase{SKU: "CP-1", Quantity: 1, IdempotencyKey: "a"}
	a := shop.Adjustment{SKU: "CP-1", Quantity: -18, IdempotencyKey: "y"}
	other := shop.Adjustment{SKU: "CP-2", Quantity: 2, IdempotencyKey: "y"}
	first, second := shop.Sale{ID: uuid.New()}, shop.Sale{ID: uuid.New()}
	repeated := first
	repeated.Repeated = true
	for i, step := range []struct {
		after time.Duration
		check func() error
	}{
		{0, func() error { return w.checkPurchase(p, first, nil) }},
		{0, func() error { return w.checkAdjustment(a, nil) }},
		{25 * time.Hour, func() error { return w.checkPurchase(p, shop.Sale{}, errNoAnswer) }},
		{25 * time.Hour, func() error { return w.checkPurchase(p, repeated, nil) }},
		{25 * time.Hour, func() error { return w.checkAdjustment(a, nil) }},
		{25 * time.Hour, func() error { return w.checkAdjustment(a, nil) }},
		// A sweep forgets the keys.
		{25 * time.Hour, func() error { return w.checkPurchase(p, second, nil) }},
		{25 * time.Hour, func() error { return w.checkAdjustment(other, nil) }},
	} {
		w.now = start.Add(step.after)
		if err := step.check(); err != nil {
			t.Errorf("step %d: %v", i+1, err)
		}
	}
}
