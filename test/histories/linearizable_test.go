package histories

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql/invariants"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// TestSalesAreLinearizable runs callers of one product in parallel. One order of their calls must
// explain all answers: nobody is refused while enough is on hand, and nobody gets what is not
// there.
func TestSalesAreLinearizable(t *testing.T) {
	n, err := histories()
	if err != nil {
		t.Fatal(err)
	}
	crowds := 1 + n/50 // of each kind: 3 in make test, 21 in make verify
	d := newDatabase(t)
	var supplies []supply
	for _, sku := range skus {
		supplies = append(supplies, supply{sku: sku, bins: 1, stock: 1, orderUpTo: 1})
	}
	// Once: a call without an answer may still run when the next crowd comes.
	w, err := d.begin(t.Context(), supplies...)
	if err != nil {
		t.Fatal(err)
	}
	for _, bins := range []int{1, 2, 7, 32} {
		for _, changes := range []bool{false, true} {
			t.Run(fmt.Sprintf("bins=%d,change=%t", bins, changes), func(t *testing.T) {
				for range crowds {
					c := crowd{bins: bins, changesBins: changes, seed: rand.Uint64()}
					if err := c.run(t.Context(), w); err != nil {
						t.Fatalf("%+v: %v", c, err)
					}
				}
				// Each crowd had a product of its own, and the rules read them all.
				if err := w.checkRules(t.Context(), invariants.Always); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// A crowd is callers of one product that run in parallel. The seed decides what they call.
type crowd struct {
	bins        int
	changesBins bool // callers also change the number of bins
	seed        uint64
}

const (
	crowdCallers = 8
	crowdCalls   = 10 // of each caller
	// maxLost bounds the calls that lose their answers. Each doubles the number of possible orders.
	maxLost = 4
)

// run runs the calls on a new product.
func (c crowd) run(ctx context.Context, w *world) error {
	w.record = newRecorder(w.record.Store)
	w.record.picture = w.picture()
	w.shop.Store = w.record
	donut, err := w.Store.Product(ctx, mysqltest.Donut)
	if err != nil {
		return err
	}
	sku := fmt.Sprintf("CROWD-%x", c.seed)
	_, err = w.shop.CreateProduct(ctx, shop.NewProduct{
		SKU: sku, Name: sku, Stock: 40, Bins: c.bins, Factory: donut.Factory,
		Policy: shop.Policy{ReorderPoint: 8, OrderUpTo: 40, LotSize: 4, LeadTime: time.Minute, Automatic: true},
	})
	if err != nil {
		return fmt.Errorf("creating the product: %w", err)
	}
	answers := make([][]error, crowdCallers)
	var callers sync.WaitGroup
	for i := range answers {
		random := rand.New(rand.NewPCG(c.seed, uint64(i))) // #nosec G404 -- it draws calls, and guards nothing
		callers.Go(func() {
			for n := range crowdCalls {
				lost := i < maxLost && n == crowdCalls/2
				answers[i] = append(answers[i], c.call(ctx, w, sku, random, lost))
			}
		})
	}
	callers.Wait()
	if err := errors.Join(slices.Concat(answers...)...); err != nil {
		return err
	}
	if _, err := w.shop.Product(ctx, sku); err != nil {
		return err
	}
	return w.record.check()
}

// call makes one call. If its answer is to be lost, the caller hangs up right after the start.
func (c crowd) call(ctx context.Context, w *world, sku string, random *rand.Rand, lost bool) error {
	if lost {
		var hangUp context.CancelFunc
		ctx, hangUp = context.WithCancel(ctx)
		go hangUp()
	}
	var err error
	switch kind := random.IntN(20); {
	case kind < 13:
		_, err = w.shop.Buy(ctx, shop.Purchase{SKU: sku, Quantity: 1 + random.IntN(5)})
	case kind < 16:
		quantity := random.IntN(20) - 7
		if quantity >= 0 {
			quantity++ // 0 is not allowed
		}
		_, err = w.shop.Adjust(ctx, shop.Adjustment{SKU: sku, Quantity: quantity, Reason: "stocktake"})
	case kind < 19:
		if l, ok := w.takeLot(sku); ok {
			_, err = w.shop.Receive(ctx, shop.Delivery{ProductionOrderID: l.order.ID, AttemptID: l.attempt,
				SKU: sku, Quantity: l.order.Quantity, Signed: l.order.Quantity})
		}
	case c.changesBins:
		bins := 1 + random.IntN(32)
		_, err = w.shop.ChangeProduct(ctx, sku, shop.ProductChange{Bins: &bins})
	}
	switch code := shop.CodeOf(err); {
	case err == nil, code == shop.CodeOutOfStock,
		lost && (code == shop.CodeOutcomeUnknown || code == shop.CodeUnavailable):
		return nil
	}
	return err
}

// takeLot takes a product's message from the factory's queue and makes a lot of it.
func (w *world) takeLot(sku string) (lot, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.queue, func(o shop.ProductionOrder) bool { return o.SKU == sku })
	if i < 0 {
		return lot{}, false
	}
	o := w.queue[i]
	w.queue = slices.Delete(w.queue, i, i+1)
	return lot{attempt: uuid.New(), order: o}, true
}
