package histories

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql/invariants"
)

// hold checks rules.
func (w *world) hold(ctx context.Context, rules []invariants.Rule) error {
	return invariants.Check(ctx, w.Admin, rules)
}

// agree checks that what everybody was answered is what is stored.
func (w *world) agree(ctx context.Context) error {
	rows, err := w.Admin.QueryContext(ctx, `
		SELECT 'sale', sale_id, quantity FROM sale UNION ALL
		SELECT 'receipt', attempt_id, quantity FROM goods_receipt UNION ALL
		SELECT 'adjustment', adjustment_id, quantity FROM adjustment`)
	if err != nil {
		return err
	}
	defer rows.Close()
	stored := map[string]map[uuid.UUID]int{"sale": {}, "receipt": {}, "adjustment": {}}
	for rows.Next() {
		var what string
		var id uuid.UUID
		var quantity int
		if err := rows.Scan(&what, &id, &quantity); err != nil {
			return err
		}
		stored[what][id] = quantity
	}
	errs := []error{rows.Err(), w.published(ctx), w.closed.Check(ctx, w.Admin)}
	for id, sale := range w.sales {
		if got := stored["sale"][id]; got != sale.Quantity {
			errs = append(errs, fmt.Errorf("a buyer was sold %d as %s; %d are stored", sale.Quantity, id, got))
		}
	}
	if n := len(stored["sale"]); n > len(w.sales)+w.unsure {
		errs = append(errs, fmt.Errorf("%d sales are stored; %d buyers were told, and %d may have bought", n, len(w.sales), w.unsure))
	}
	for attempt, said := range w.said {
		if got, booked := stored["receipt"][attempt], w.booked[attempt]; got < booked || got > said {
			errs = append(errs, fmt.Errorf("the factory said at most %d of attempt %s, and was told that %d are booked; %d are", said, attempt, booked, got))
		}
	}
	if n := len(stored["adjustment"]); n < w.adjustsSure || n > w.adjustsSure+w.adjustsUnsure {
		errs = append(errs, fmt.Errorf("%d adjustments are stored; %d were answered, and %d may be stored", n, w.adjustsSure, w.adjustsUnsure))
	}
	return errors.Join(errs...)
}

// published checks that no order is marked as published whose message the topic never took: nobody
// would publish it.
func (w *world) published(ctx context.Context) error {
	rows, err := w.Admin.QueryContext(ctx, `SELECT production_order_id FROM production_order WHERE published_at IS NOT NULL`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var errs []error
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if !w.taken[id] {
			errs = append(errs, fmt.Errorf("production order %s is marked as published, and the topic never took its message", id))
		}
	}
	return errors.Join(append(errs, rows.Err())...)
}

// end ends a history: it checks what holds always, then what holds after a sweep, then what holds
// when faults have stopped and time has passed.
func (w *world) end(ctx context.Context) error {
	if err := errors.Join(w.hold(ctx, invariants.Always), w.agree(ctx)); err != nil {
		return err
	}
	w.topicDown, w.mailDown = false, false
	if err := w.sweep(ctx); err != nil {
		return fmt.Errorf("sweeping, with nothing wrong: %w", err)
	}
	if err := errors.Join(w.hold(ctx, invariants.Mended), w.pursued(ctx)); err != nil {
		return fmt.Errorf("after a sweep: %w", err)
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	if err := errors.Join(w.hold(ctx, invariants.Always), w.agree(ctx)); err != nil {
		return fmt.Errorf("in the end: %w", err)
	}
	for notice := range w.strange {
		if w.told[notice] == 0 {
			return fmt.Errorf("in the end: nobody was told of the %s", notice)
		}
	}
	return nil
}

// pursued checks that no order waits for what does not come.
func (w *world) pursued(ctx context.Context) error {
	open, err := w.Store.OpenOrders(ctx)
	if err != nil {
		return err
	}
	for _, o := range open {
		waits := o.PatienceEnds()
		if o.PublishedAt.IsZero() {
			waits = o.AskedAt.Add(30 * time.Second) // for who has opened it, to publish it
		}
		if w.now.After(waits) {
			return fmt.Errorf("an order waits longer than it should: %+v, at %v", o, w.now)
		}
	}
	return nil
}

// settle lets time pass, in which the factory makes all that it is asked for and sweeps sweep,
// until all is as it should be. The longest wait is for an order that was asked for four times,
// whose last message was lost: sixteen lead times.
func (w *world) settle(ctx context.Context) (err error) {
	longest := slices.Max(leadTimes)
	for i, pass := range []time.Duration{0, time.Minute, time.Minute, 2 * longest, 4 * longest, 8 * longest, 16 * longest, 16 * longest, 16 * longest} {
		w.now = w.now.Add(pass + time.Second)
		for message := range w.queue {
			w.work(message)
		}
		w.queue = nil
		for _, l := range w.lots {
			l.quantity = l.order.Quantity
			if err := w.deliver(ctx, 0, false, l); err != nil {
				return err
			}
		}
		w.lots = nil
		if i > 0 { // a sweep was just before
			if err := w.sweep(ctx); err != nil {
				return fmt.Errorf("sweeping, with nothing wrong: %w", err)
			}
		}
		if err = errors.Join(w.hold(ctx, invariants.Settled), w.pursued(ctx)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("in the end: %w", err)
}
