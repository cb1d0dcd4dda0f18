package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql"
	"restock/internal/shop"
	"restock/test/model"
)

// A traces collects the events of each production order. The run's time is the clock of all events:
// the faults move the times of open orders in the database.
type traces map[uuid.UUID]*model.Trace

// add adds an event of an order that took effect between two times.
func (t traces) add(order uuid.UUID, from, until time.Time, e model.Event) {
	if trace := t[order]; trace != nil {
		e.Order, e.Policy = order, trace.Events[0].Policy
		e.Call, e.Return = from.UnixNano(), until.UnixNano()
		trace.Events = append(trace.Events, e)
	}
}

// forget removes the traces of orders that opened before a time: the factory may have forgotten
// their requests. It returns how many it has removed.
func (t traces) forget(before time.Time) (forgotten int) {
	for order := range t {
		// The id has the time in milliseconds.
		if opened := time.Unix(order.Time().UnixTime()); opened.Before(before) {
			delete(t, order)
			forgotten++
		}
	}
	return forgotten
}

// longestCall is longer than any function runs: what it stores with a time takes effect by then.
const longestCall = time.Minute

// judgeTraces checks that the model allows what happened to each production order.
func (w *world) judgeTraces(ctx context.Context) error {
	all := traces{}
	for _, collect := range []func(context.Context, traces) error{
		w.traceOrders, w.traceReceipts, w.traceNotices, w.traceRequests,
	} {
		if err := collect(ctx, all); err != nil {
			return err
		}
	}
	w.report.TracesTooWide = all.forget(w.shop.Factory.RemembersSince())
	for order, t := range all {
		switch err := t.Check(); {
		case errors.Is(err, model.ErrTooWide):
			w.report.TracesTooWide++
		case err != nil:
			w.report.broken("production order %s: %v", order, err)
		default:
			w.report.Traces++
		}
	}
	return nil
}

// traceOrders begins a trace for each order, with what the database says of it now.
func (w *world) traceOrders(ctx context.Context, all traces) error {
	store := mysql.NewStore(w.db)
	products, err := store.Products(ctx)
	if err != nil {
		return err
	}
	policies := map[string]shop.Policy{}
	for _, p := range products {
		policies[p.SKU] = p.Policy
	}
	began := time.Now()
	const every = 1_000_000
	orders, err := store.ProductionOrders(ctx, shop.OrderFilter{Limit: every})
	if err != nil {
		return err
	}
	for _, o := range orders {
		opened := model.Event{Kind: model.Opened, Policy: policies[o.SKU], Order: o.ID, Ordered: o.Quantity}
		opened.Return = 1 // it is the first event of all
		all[o.ID] = &model.Trace{OneOrder: true, Events: []model.Event{opened}}
		all.add(o.ID, began, time.Now(), model.Event{
			Kind: model.Seen, Status: o.Status, Received: o.Received, Asks: o.Asks, Published: !o.PublishedAt.IsZero(),
		})
		if o.Status == shop.OrderFailed || o.Status == shop.OrderShort {
			all.add(o.ID, o.ClosedAt, o.ClosedAt.Add(longestCall), model.Event{Kind: model.Closed, Status: o.Status})
		}
	}
	return nil
}

// traceReceipts adds the receipts in the ledger. A receipt's key is the attempt and the quantity of
// the callback.
func (w *world) traceReceipts(ctx context.Context, all traces) error {
	rows, err := w.db.QueryContext(ctx, `
		SELECT reference, idempotency_key, quantity, recorded_at FROM movement WHERE cause = 'receipt'`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var order uuid.UUID
		var key string
		var at time.Time
		e := model.Event{Kind: model.Booked}
		if err := rows.Scan(&order, &key, &e.Booked, &at); err != nil {
			return err
		}
		attempt, quantity, _ := strings.Cut(strings.TrimPrefix(key, "receipt\t"), "/")
		e.Attempt, err = uuid.Parse(attempt)
		e.Quantity, _ = strconv.Atoi(quantity)
		if err != nil || e.Quantity == 0 {
			return fmt.Errorf("the key of a receipt is %q: %w", key, err)
		}
		all.add(order, at, at.Add(longestCall), e)
	}
	return rows.Err()
}

// traceNotices adds the notices that people got.
func (w *world) traceNotices(ctx context.Context, all traces) error {
	rows, err := w.db.QueryContext(ctx,
		`SELECT production_order_id, kind, raised_at, told_at FROM notice WHERE told_at IS NOT NULL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var order uuid.UUID
		var raised, told time.Time
		e := model.Event{Kind: model.Notified}
		if err := rows.Scan(&order, &e.Notice, &raised, &told); err != nil {
			return err
		}
		all.add(order, raised, told.Add(longestCall), e)
	}
	return rows.Err()
}

// traceRequests adds the messages that the topic accepted, and the requests that the factory
// accepted.
func (w *world) traceRequests(_ context.Context, all traces) error {
	for order, messages := range w.endpoint.messages() {
		id, err := uuid.Parse(order)
		if err != nil {
			return fmt.Errorf("the order of a message: %w", err)
		}
		for _, m := range messages {
			all.add(id, m.sent, m.accepted, model.Event{Kind: model.Published})
		}
	}
	for _, request := range w.shop.Factory.Requests() {
		order, attempt := attemptIn(request.Body)
		if request.ID == "" {
			continue // the factory refused it
		}
		orderID, err := uuid.Parse(order)
		attemptID, err2 := uuid.Parse(attempt)
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("a request of the factory: %w", err)
		}
		accepted := request.Time.Add(longestCall)
		if len(request.Deliveries) > 0 && request.Deliveries[0].Time.Before(accepted) {
			accepted = request.Deliveries[0].Time
		}
		all.add(orderID, request.Time, accepted, model.Event{Kind: model.Requested, Attempt: attemptID})
	}
	return nil
}
