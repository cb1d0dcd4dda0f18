package histories

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// workers play histories at once, each on a database of its own.
var workers = max(2, runtime.GOMAXPROCS(0))

// defaults are rapid's settings here, for those that the command line does not name.
var defaults = map[string]string{"rapid.checks": "1000", "rapid.steps": "15", "rapid.nofailfile": "true", "rapid.shrinktime": "20s"}

func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range defaults {
		if given[name] {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	// Each worker plays its part of them.
	checks := flag.Lookup("rapid.checks")
	if n, err := strconv.Atoi(checks.Value.String()); err == nil {
		_ = checks.Value.Set(strconv.Itoa((n + workers - 1) / workers))
	}
	mysqltest.Main(m)
}

func TestHistories(t *testing.T) {
	for worker := range workers {
		t.Run(strconv.Itoa(worker+1), func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			rapid.Check(t, func(rt *rapid.T) {
				if err := s.play(t.Context(), rt); err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}

// play plays one history, and says which rule it broke.
func (s *stage) play(ctx context.Context, rt *rapid.T) (broken error) {
	w, err := s.begin(ctx)
	if err != nil {
		return err
	}
	rt.Repeat(w.actions(ctx, &broken))
	if broken != nil {
		return broken
	}
	return w.end(ctx)
}

// skus are those that buyers ask for.
var skus = []string{mysqltest.Donut, mysqltest.Twist, mysqltest.Mochi}

// actions are what may happen. The first error of one ends the history.
func (w *world) actions(ctx context.Context, broken *error) map[string]func(*rapid.T) {
	// rapid prefers what sorts first.
	actions := map[string]func(context.Context, *rapid.T) error{
		"buyer buys":                w.buy,
		"buyer buys the rest":       w.buyTheRest,
		"factory loses":             w.lose,
		"factory makes":             w.factoryMakes,
		"factory tells":             w.factoryTells,
		"factory tells again":       w.factoryTellsAgain,
		"merchant adjusts":          w.adjust,
		"merchant cancels":          w.cancel,
		"merchant changes policy":   w.changePolicy,
		"merchant orders":           w.orderByHand,
		"patience ends":             w.patienceEnds,
		"sweep":                     w.troubledSweep,
		"sweeps at once":            w.twoSweeps,
		"time passes":               w.passTime,
		"wires fail and are mended": w.wires,
	}
	repeated := map[string]func(*rapid.T){}
	for _, name := range slices.Sorted(maps.Keys(actions)) {
		repeated[name] = func(rt *rapid.T) {
			if *broken == nil {
				*broken = actions[name](ctx, rt)
			}
			if *broken == nil {
				*broken = w.closed.Check(ctx, w.Admin)
			}
		}
	}
	return repeated
}

// trouble draws what strikes a process.
func trouble(rt *rapid.T) (steps int, kills bool) {
	if rapid.IntRange(0, 2).Draw(rt, "trouble") != 2 {
		return 0, false
	}
	return rapid.IntRange(1, 16).Draw(rt, "steps"), rapid.Bool().Draw(rt, "kills")
}

func drawSKU(rt *rapid.T) string { return rapid.SampledFrom(skus).Draw(rt, "sku") }

func (w *world) buy(ctx context.Context, rt *rapid.T) error {
	purchase := shop.Purchase{SKU: drawSKU(rt), Quantity: rapid.IntRange(1, 25).Draw(rt, "quantity")}
	if rapid.Bool().Draw(rt, "with a key") {
		purchase.IdempotencyKey = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key")
		if before, used := w.keys[purchase.IdempotencyKey]; used && rapid.IntRange(0, 3).Draw(rt, "another purchase") != 3 {
			purchase = before.purchase
		}
	}
	return w.buyOne(ctx, rt, purchase)
}

// buyTheRest sells what is there.
func (w *world) buyTheRest(ctx context.Context, rt *rapid.T) error {
	p, err := w.Store.Product(ctx, drawSKU(rt))
	if err != nil {
		return err
	}
	quantity := p.Stock
	if p.MaxPerSale > 0 {
		quantity = min(quantity, p.MaxPerSale)
	}
	if quantity == 0 {
		quantity = 1
	}
	return w.buyOne(ctx, rt, shop.Purchase{SKU: p.SKU, Quantity: quantity})
}

func (w *world) buyOne(ctx context.Context, rt *rapid.T, purchase shop.Purchase) error {
	steps, kills := trouble(rt)
	var sale shop.Sale
	err := w.process(ctx, steps, kills, func(ctx context.Context) (err error) {
		sale, err = w.shop.Buy(ctx, purchase)
		return err
	})
	before, used := w.keys[purchase.IdempotencyKey]
	fresh := used && w.now.Sub(before.at) <= 24*time.Hour
	switch {
	case errors.Is(err, errNotDone):
		return nil
	case errors.Is(err, errNoAnswer):
		w.unsure++
		if purchase.IdempotencyKey != "" && !fresh {
			w.keys[purchase.IdempotencyKey] = remembered{purchase, nil, w.now}
		}
		return nil
	case shop.CodeOf(err) == shop.CodeOutOfStock && err != nil:
		if sale.Stock >= purchase.Quantity {
			return fmt.Errorf("%+v was refused with %d on hand", purchase, sale.Stock)
		}
		return nil
	case shop.CodeOf(err) == shop.CodeInvalidQuantity && err != nil:
		return nil // above the limit
	case shop.CodeOf(err) == shop.CodeIdempotencyKeyReused && err != nil:
		if !used {
			return fmt.Errorf("the key %q is said to be used, and is not", purchase.IdempotencyKey)
		}
		return nil
	case err != nil:
		return fmt.Errorf("buying %+v: %w", purchase, err)
	}
	if sale.Repeated {
		if !used || before.sale != nil && (before.sale.ID != sale.ID || before.sale.Stock != sale.Stock || before.purchase != purchase) {
			return fmt.Errorf("%+v got the answer %+v, which is not the first one's, %+v", purchase, sale, before.sale)
		}
	} else if fresh && before.sale != nil {
		return fmt.Errorf("%+v was sold as %s and again as %s", purchase, before.sale.ID, sale.ID)
	}
	w.sales[sale.ID] = sale
	if purchase.IdempotencyKey != "" && !sale.Repeated {
		w.keys[purchase.IdempotencyKey] = remembered{purchase, &sale, w.now}
	} else if purchase.IdempotencyKey != "" {
		w.keys[purchase.IdempotencyKey] = remembered{purchase, &sale, before.at}
	}
	return nil
}

// factoryMakes takes a message, which may stay in the queue: a queue delivers at least once.
func (w *world) factoryMakes(_ context.Context, rt *rapid.T) error {
	if len(w.queue) == 0 {
		rt.Skip("the queue is empty")
	}
	message := rapid.IntRange(0, len(w.queue)-1).Draw(rt, "message")
	w.work(message)
	if rapid.IntRange(0, 4).Draw(rt, "delivered again") != 4 {
		w.queue = slices.Delete(w.queue, message, message+1)
	}
	return nil
}

func (w *world) factoryTells(ctx context.Context, rt *rapid.T) error {
	if len(w.lots) == 0 {
		if err := w.factoryMakes(ctx, rt); err != nil {
			return err
		}
	}
	i := rapid.IntRange(0, len(w.lots)-1).Draw(rt, "lot")
	l := w.lots[i]
	l.quantity = l.order.Quantity
	if rapid.IntRange(0, 2).Draw(rt, "in part") == 2 {
		l.quantity = rapid.IntRange(1, l.order.Quantity).Draw(rt, "made")
	}
	w.lots = slices.Delete(w.lots, i, i+1)
	w.finished = append(w.finished, l)
	steps, kills := trouble(rt)
	return w.deliver(ctx, steps, kills, l)
}

func (w *world) factoryTellsAgain(ctx context.Context, rt *rapid.T) error {
	if len(w.finished) == 0 {
		rt.Skip("nothing was delivered")
	}
	i := rapid.IntRange(0, len(w.finished)-1).Draw(rt, "lot")
	if rapid.Bool().Draw(rt, "another quantity") { // somebody who knew the callback URL has told before the factory did, or tells after it
		w.finished[i].quantity = rapid.IntRange(1, w.finished[i].order.Quantity).Draw(rt, "told")
	}
	steps, kills := trouble(rt)
	return w.deliver(ctx, steps, kills, w.finished[i])
}

// lose loses messages, or lots: the factory refuses until the queue gives up, or starts again and
// forgets.
func (w *world) lose(_ context.Context, rt *rapid.T) error {
	if len(w.queue)+len(w.lots) == 0 {
		rt.Skip("there is nothing to lose")
	}
	if rapid.Bool().Draw(rt, "messages") {
		w.queue = nil
	} else {
		w.lots = nil
	}
	return nil
}

func (w *world) troubledSweep(ctx context.Context, rt *rapid.T) error {
	steps, kills := trouble(rt)
	_ = w.process(ctx, steps, kills, w.sweep) // it may fail: a later one mends
	return nil
}

// twoSweeps sweep at once.
func (w *world) twoSweeps(ctx context.Context, rt *rapid.T) error {
	if w.topicDown || w.mailDown {
		rt.Skip("the sweeps would fail")
	}
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range errs {
		both.Go(func() { errs[i] = w.sweep(ctx) })
	}
	both.Wait()
	return errors.Join(errs...)
}

func (w *world) adjust(ctx context.Context, rt *rapid.T) error {
	a := shop.Adjustment{SKU: drawSKU(rt), Quantity: rapid.OneOf(rapid.IntRange(-40, -1), rapid.IntRange(1, 40)).Draw(rt, "quantity"), Reason: "재고 조사"}
	if rapid.Bool().Draw(rt, "with a key") {
		a.IdempotencyKey = rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "key")
		if before, used := w.adjusts[a.IdempotencyKey]; used && rapid.Bool().Draw(rt, "the same") {
			a.SKU, a.Quantity = before.sku, before.quantity
		}
	}
	steps, kills := trouble(rt)
	err := w.process(ctx, steps, kills, func(ctx context.Context) error {
		_, err := w.shop.Adjust(ctx, a)
		return err
	})
	before, used := w.adjusts[a.IdempotencyKey]
	fresh := used && w.now.Sub(before.at) <= 24*time.Hour
	switch code := shop.CodeOf(err); {
	case errors.Is(err, errNotDone):
		return nil
	case errors.Is(err, errNoAnswer):
		if fresh && before.done {
			return nil // the answer to a repeated one was lost
		}
		w.adjustsUnsure++
		if a.IdempotencyKey != "" && !fresh {
			w.adjusts[a.IdempotencyKey] = adjustment{a.SKU, a.Quantity, false, w.now}
		}
	case err == nil && fresh && before.done:
		if before.sku != a.SKU || before.quantity != a.Quantity {
			return fmt.Errorf("adjusting %+v: its key was of %+v", a, before)
		}
	case err == nil && used:
		// It may have been done before: then the key was kept longer than it has to be, or its
		// answer was lost.
		w.adjustsUnsure++
		w.adjusts[a.IdempotencyKey] = adjustment{a.SKU, a.Quantity, fresh, before.at}
		if !fresh {
			w.adjusts[a.IdempotencyKey] = adjustment{a.SKU, a.Quantity, false, w.now}
		}
	case err == nil:
		w.adjustsSure++
		if a.IdempotencyKey != "" {
			w.adjusts[a.IdempotencyKey] = adjustment{a.SKU, a.Quantity, true, w.now}
		}
	case code != shop.CodeOutOfStock && code != shop.CodeIdempotencyKeyReused:
		return fmt.Errorf("adjusting %+v: %w", a, err)
	}
	return nil
}

// leadTimes are drawn from; settle knows the longest.
var leadTimes = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}

func (w *world) changePolicy(ctx context.Context, rt *rapid.T) error {
	reorderPoint := rapid.IntRange(0, 30).Draw(rt, "reorder point")
	orderUpTo := reorderPoint + rapid.IntRange(1, 60).Draw(rt, "above")
	lot := rapid.SampledFrom([]int{1, 7, 20}).Draw(rt, "lot")
	minimum := rapid.SampledFrom([]int{0, 15, 40}).Draw(rt, "minimum")
	leadTime := rapid.SampledFrom(leadTimes).Draw(rt, "lead time")
	automatic := rapid.IntRange(0, 3).Draw(rt, "automatic") != 3
	steps, kills := trouble(rt)
	err := w.process(ctx, steps, kills, func(ctx context.Context) error {
		_, err := w.shop.ChangeProduct(ctx, drawSKU(rt), shop.ProductChange{
			ReorderPoint: &reorderPoint, OrderUpTo: &orderUpTo, LotSize: &lot, MinimumOrder: &minimum, LeadTime: &leadTime, Automatic: &automatic,
		})
		return err
	})
	if err != nil && !errors.Is(err, errNoAnswer) {
		return fmt.Errorf("changing the policy: %w", err)
	}
	return nil
}

func (w *world) orderByHand(ctx context.Context, rt *rapid.T) error {
	sku, quantity := drawSKU(rt), rapid.IntRange(0, 30).Draw(rt, "quantity")
	steps, kills := trouble(rt)
	err := w.process(ctx, steps, kills, func(ctx context.Context) error {
		_, err := w.shop.OpenOrder(ctx, sku, quantity)
		return err
	})
	switch code := shop.CodeOf(err); {
	case err == nil, errors.Is(err, errNoAnswer), code == shop.CodeOrderOpen, code == shop.CodeInvalidQuantity && quantity == 0:
		return nil
	}
	return fmt.Errorf("ordering %d of %s by hand: %w", quantity, sku, err)
}

func (w *world) cancel(ctx context.Context, rt *rapid.T) error {
	orders, err := w.Store.ProductionOrders(ctx, shop.OrderFilter{Limit: 3})
	if err != nil {
		return err
	}
	if len(orders) == 0 {
		rt.Skip("nothing was ordered")
	}
	o := orders[rapid.IntRange(0, len(orders)-1).Draw(rt, "order")]
	steps, kills := trouble(rt)
	err = w.process(ctx, steps, kills, func(ctx context.Context) error {
		_, err := w.shop.CancelOrder(ctx, o.ID)
		return err
	})
	switch {
	case err == nil, errors.Is(err, errNoAnswer), o.Status != shop.OrderOpen && shop.CodeOf(err) == shop.CodeOrderNotOpen:
		return nil
	}
	return fmt.Errorf("cancelling %+v: %w", o, err)
}

func (w *world) passTime(_ context.Context, rt *rapid.T) error {
	w.now = w.now.Add(rapid.SampledFrom([]time.Duration{
		time.Second, 31 * time.Second, 2 * time.Minute, 5 * time.Minute, 21 * time.Minute, 81 * time.Minute, 25 * time.Hour,
	}).Draw(rt, "time"))
	return nil
}

// patienceEnds lets time pass until an order has waited long enough, and sweeps.
func (w *world) patienceEnds(ctx context.Context, rt *rapid.T) error {
	open, err := w.Store.OpenOrders(ctx)
	if err != nil {
		return err
	}
	if len(open) == 0 {
		rt.Skip("no order is open")
	}
	if ends := rapid.SampledFrom(open).Draw(rt, "order").PatienceEnds(); ends.After(w.now) {
		w.now = ends.Add(time.Second)
	}
	return w.troubledSweep(ctx, rt)
}

// wires fail, and are mended.
func (w *world) wires(_ context.Context, rt *rapid.T) error {
	w.topicDown, w.mailDown = rapid.Bool().Draw(rt, "topic down"), rapid.Bool().Draw(rt, "mail down")
	return nil
}
