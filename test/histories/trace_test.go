package histories

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
	"restock/test/model"
)

// A tracer is a store that records what it did, as events of one trace for each product. Faults
// happen between the shop and the tracer, so the tracer knows what the shop may not.
type tracer struct {
	shop.Store
	now func() time.Time

	mu       sync.Mutex // guards the fields below
	clock    int64      // counts calls and answers
	traces   map[string]*model.Trace
	policies map[string]shop.Policy
	skus     map[uuid.UUID]string      // by order
	seen     map[uuid.UUID]model.Event // by order: what the last look at it found
}

func newTracer(store shop.Store, now func() time.Time) *tracer {
	return &tracer{Store: store, now: now, traces: map[string]*model.Trace{}, policies: map[string]shop.Policy{},
		skus: map[uuid.UUID]string{}, seen: map[uuid.UUID]model.Event{}}
}

// begin begins the trace of a product.
func (t *tracer) begin(ctx context.Context, sku string, stock int) error {
	t.traces[sku] = &model.Trace{Stock: stock}
	return t.readPolicy(ctx, sku)
}

func (t *tracer) readPolicy(ctx context.Context, sku string) error {
	p, err := t.Store.Product(ctx, sku)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.policies[sku] = p.Policy
	return err
}

// call returns the time at which a call starts.
func (t *tracer) call() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clock++
	return t.clock
}

// add adds an event that happens now.
func (t *tracer) add(sku string, e model.Event) { t.ended(sku, t.call(), e) }

// ended adds an event that happened after the start of a call.
func (t *tracer) ended(sku string, started int64, e model.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clock++
	trace := t.traces[cmp.Or(sku, t.skus[e.Order])]
	if trace == nil {
		return // a product of a crowd: there are no histories of it
	}
	if sku != "" && e.Order != uuid.Nil {
		t.skus[e.Order] = sku
	}
	e.Call, e.Return, e.At, e.Policy = started, t.clock, t.now(), t.policies[cmp.Or(sku, t.skus[e.Order])]
	trace.Events = append(trace.Events, e)
}

func (t *tracer) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	started := t.call()
	d, err := t.Store.Checkout(ctx, c)
	e := model.Event{Kind: model.Sold, Quantity: c.Quantity}
	if d.Opened {
		e.Order, e.Ordered = d.ProductionOrder.ID, d.ProductionOrder.Quantity
	}
	if d.Outcome == shop.Refused {
		e.Kind = model.Refused
	}
	if err == nil && d.Outcome != shop.Undecided && !d.Sale.Repeated {
		t.ended(c.SKU, started, e)
	}
	return d, err
}

func (t *tracer) Replenish(ctx context.Context, r shop.Replenishment) (shop.Decision, error) {
	started := t.call()
	d, err := t.Store.Replenish(ctx, r)
	kind := model.Opened
	if r.ByHand {
		kind = model.OpenedByHand
	}
	if err == nil && d.Opened {
		o := d.ProductionOrder
		t.ended(r.SKU, started, model.Event{Kind: kind, Order: o.ID, Ordered: o.Quantity})
	}
	return d, err
}

func (t *tracer) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	started := t.call()
	r, err := t.Store.Receive(ctx, d)
	e := model.Event{Kind: model.Booked, Order: d.ProductionOrderID, Attempt: d.AttemptID, Quantity: d.Quantity}
	if !r.Repeated {
		e.Booked = cmp.Or(r.Correction, d.Quantity)
	}
	if err == nil {
		t.ended(d.SKU, started, e)
	}
	return r, err
}

func (t *tracer) Adjust(ctx context.Context, a shop.Adjustment) (shop.Adjusted, error) {
	started := t.call()
	adjusted, err := t.Store.Adjust(ctx, a)
	if err == nil && !adjusted.Refused && !adjusted.Repeated {
		t.ended(a.SKU, started, model.Event{Kind: model.Adjusted, Quantity: a.Quantity})
	}
	return adjusted, err
}

func (t *tracer) ChangeProduct(ctx context.Context, sku string, c shop.ProductChange, at time.Time) error {
	err := t.Store.ChangeProduct(ctx, sku, c, at)
	if err == nil && c.Bins == nil {
		err = t.readPolicy(ctx, sku)
	}
	return err
}

// changed adds an event of an order if a call changed it.
func (t *tracer) changed(o shop.ProductionOrder, e model.Event, call func() (bool, error)) (bool, error) {
	started := t.call()
	changed, err := call()
	if e.Order = o.ID; changed && err == nil {
		t.ended(o.SKU, started, e)
	}
	return changed, err
}

func (t *tracer) ClaimPublication(ctx context.Context, o shop.ProductionOrder, at time.Time) (bool, error) {
	return t.changed(o, model.Event{Kind: model.Claimed}, func() (bool, error) {
		return t.Store.ClaimPublication(ctx, o, at)
	})
}

func (t *tracer) ClaimAsk(ctx context.Context, o shop.ProductionOrder, at time.Time) (bool, error) {
	return t.changed(o, model.Event{Kind: model.AskedAgain}, func() (bool, error) {
		return t.Store.ClaimAsk(ctx, o, at)
	})
}

func (t *tracer) CloseOrder(
	ctx context.Context, o shop.ProductionOrder, s shop.OrderStatus, at time.Time,
) (bool, error) {
	return t.changed(o, model.Event{Kind: model.Closed, Status: s}, func() (bool, error) {
		return t.Store.CloseOrder(ctx, o, s, at)
	})
}

func (t *tracer) MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := t.changed(shop.ProductionOrder{ID: id}, model.Event{Kind: model.Marked}, func() (bool, error) {
		return true, t.Store.MarkPublished(ctx, id, at)
	})
	return err
}

// observe records the stock of each product, and each order that has changed since the last look.
func (w *world) observe(ctx context.Context) error {
	rows, err := w.Admin.QueryContext(ctx, `
		SELECT sku, NULL, stock, '', 0, 0 FROM product_stock UNION ALL
		SELECT p.sku, o.production_order_id, o.received, o.status, o.asks, o.published_at IS NOT NULL
		  FROM production_order o JOIN product p USING (product_id)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var sku string
		var id uuid.NullUUID
		var e model.Event
		if err := rows.Scan(&sku, &id, &e.Received, &e.Status, &e.Asks, &e.Published); err != nil {
			return err
		}
		if e.Kind, e.Order = model.Seen, id.UUID; !id.Valid {
			w.tracer.add(sku, model.Event{Kind: model.Stocked, Quantity: e.Received})
		} else if w.tracer.seen[e.Order] != e {
			w.tracer.seen[e.Order] = e
			w.tracer.add(sku, e)
		}
	}
	return rows.Err()
}

// observeSettled records that nothing is left to do.
func (w *world) observeSettled(ctx context.Context) error {
	err := w.observe(ctx)
	for sku := range w.tracer.traces {
		w.tracer.add(sku, model.Event{Kind: model.Settled})
	}
	return err
}

// replay compares the history with the model, product by product.
func (w *world) replay() error {
	for _, sku := range slices.Sorted(maps.Keys(w.tracer.traces)) {
		switch err := w.tracer.traces[sku].Check(); {
		case errors.Is(err, model.ErrTooWide):
			w.tooWide++
		case err != nil:
			return fmt.Errorf("%s: %w", sku, err)
		default:
			w.replayed++
		}
	}
	return nil
}

// picture returns the file for a picture of calls that no order explains.
func (d *database) picture() string {
	return filepath.Join(cmp.Or(d.pictures, os.TempDir()), "restock-"+strings.ReplaceAll(d.name, "/", "-")+".html")
}
