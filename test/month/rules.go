package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql/invariants"
)

// run runs a month, and then time without faults until every shortage has ended. If a rule is
// broken, it returns the report so far and an error that names the time. The report is nil if the
// month could not begin.
func run(ctx context.Context, c config) (r *report, err error) {
	w, err := newWorld(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	end := begin.Add(time.Duration(c.Days) * 24 * time.Hour)
	err = w.pass(ctx, end)
	r, failed := w.newReport(ctx, end)
	if err == nil && failed == nil {
		err = w.settle(ctx)
	}
	if failed != nil {
		return nil, errors.Join(err, failed)
	}
	if err != nil {
		r.Broken = err.Error()
	}
	return r, err
}

// aDay checks the rules every day. If the database is away, it checks them a little later.
func (w *world) aDay(ctx context.Context) error {
	if w.databaseDown {
		w.after(time.Minute, w.aDay)
		return nil
	}
	w.after(24*time.Hour, w.aDay)
	return w.check(ctx)
}

// check checks the rules that hold at any time, and those that hold after a sweep.
func (w *world) check(ctx context.Context) error {
	err := errors.Join(invariants.Check(ctx, w.admin, invariants.Always), w.closed.Check(ctx, w.admin),
		w.checkSales(ctx), w.checkReceipts(ctx), w.checkPublished(ctx), w.checkNotices(ctx), w.checkLots())
	if err != nil {
		return broken("%w", err)
	}
	w.sweep(ctx)
	err = errors.Join(invariants.Check(ctx, w.admin, invariants.AfterSweep), w.checkWaiting(ctx))
	if err != nil {
		return broken("after a sweep: %w", err)
	}
	return nil
}

// settle lets time pass without new buyers and faults until no order is open and everybody knows
// what they must know. Then all that buyers and the factory were told must be in the books.
func (w *world) settle(ctx context.Context) (err error) {
	w.calm = true
	for _, p := range w.products {
		p.Hourly = 0
	}
	// The shop asks for an order 4 times, and waits 30 lead times in all. The order that follows is
	// then made at once. A dead message waits for a day at most.
	var longest int
	for _, p := range w.products {
		longest = max(longest, p.LeadTimeSeconds)
	}
	until := w.now.Add(40*time.Duration(longest)*time.Second + 48*time.Hour)
	for w.now.Before(until) {
		if err := w.pass(ctx, w.now.Add(time.Hour)); err != nil {
			return err
		}
		err = errors.Join(invariants.Check(ctx, w.admin, invariants.Eventually), w.checkReceipts(ctx))
		if waits := w.stock.inside + w.deliveries.inside + w.pending; err == nil && waits == 0 {
			return w.check(ctx)
		} else if err == nil {
			err = fmt.Errorf("%d messages and %d purchases still wait", w.stock.inside+w.deliveries.inside, w.pending)
		}
	}
	return fmt.Errorf("%s: %w", local(w.now), broken("some time after the last fault: %w", err))
}

// checkSales checks that the books have the sales that buyers know of, and no others.
func (w *world) checkSales(ctx context.Context) error {
	stored := map[uuid.UUID]int{}
	if err := w.each(ctx, `SELECT sale_id, quantity FROM sale`, func(scan func(...any) error) error {
		var id uuid.UUID
		var quantity int
		err := scan(&id, &quantity)
		stored[id] = quantity
		return err
	}); err != nil {
		return err
	}
	var errs []error
	for id, quantity := range w.sales {
		if stored[id] != quantity {
			errs = append(errs, fmt.Errorf("sale %s: the buyer got %d, and %d are stored", id, quantity, stored[id]))
		}
	}
	if unknown := len(stored) - len(w.sales); unknown < 0 || unknown > w.pending {
		errs = append(errs, fmt.Errorf("%d sales are stored; buyers know of %d, and %d buyers wait for an answer",
			len(stored), len(w.sales), w.pending))
	}
	return inOrder(errs)
}

// checkReceipts checks that the books have no more goods than the factory reported, and all of them
// if no delivery waits.
func (w *world) checkReceipts(ctx context.Context) error {
	stored := map[string]int{}
	err := w.each(ctx, `SELECT attempt_id, SUM(quantity) FROM goods_receipt GROUP BY attempt_id`,
		func(scan func(...any) error) error {
			var attempt string
			var quantity int
			err := scan(&attempt, &quantity)
			stored[attempt] = quantity
			return err
		})
	if err != nil {
		return err
	}
	var errs []error
	for attempt, quantity := range stored {
		if quantity > w.reported[attempt] {
			errs = append(errs, fmt.Errorf("attempt %s: the factory reported %d, and %d are booked", attempt,
				w.reported[attempt], quantity))
		}
	}
	for attempt, quantity := range w.reported {
		if w.deliveries.inside == 0 && stored[attempt] < quantity {
			errs = append(errs, fmt.Errorf("attempt %s: the factory reported %d, and only %d are booked", attempt,
				quantity, stored[attempt]))
		}
	}
	return inOrder(errs)
}

// checkLots checks that the factory makes an order once, unless a fault makes it do so again.
func (w *world) checkLots() error {
	var errs []error
	for order, m := range w.makings {
		if m.lots > 1+m.excuses {
			errs = append(errs, fmt.Errorf("production order %s was made %d times, after %d faults", order, m.lots,
				m.excuses))
		}
	}
	return inOrder(errs)
}

// checkPublished checks that the topic has accepted the message of every order that is marked as
// published.
func (w *world) checkPublished(ctx context.Context) error {
	return w.each(ctx, `SELECT production_order_id FROM production_order WHERE published_at IS NOT NULL`,
		func(scan func(...any) error) error {
			var id uuid.UUID
			if err := scan(&id); err != nil {
				return err
			}
			if !w.accepted[id.String()] {
				return fmt.Errorf("production order %s is marked as published, without a message", id)
			}
			return nil
		})
}

// checkNotices checks that people have every notice of the day before yesterday. The mail is away
// for half a day at most.
func (w *world) checkNotices(ctx context.Context) error {
	return w.each(ctx, `SELECT kind, raised_at FROM notice WHERE told_at IS NULL ORDER BY raised_at, kind, subject_id`,
		func(scan func(...any) error) error {
			var kind string
			var raised time.Time
			if err := scan(&kind, &raised); err != nil || w.now.Sub(raised) < 36*time.Hour {
				return err
			}
			return fmt.Errorf("a notice was not sent: %s of %s", kind, local(raised))
		})
}

// local returns a time as the simulation prints it.
func local(t time.Time) string { return t.In(begin.Location()).Format(timeFormat) }

// checkWaiting checks that no open order is overdue after a sweep.
func (w *world) checkWaiting(ctx context.Context) error {
	open, err := w.shop.Store.OpenOrders(ctx)
	if err != nil {
		return err
	}
	for _, o := range open {
		until := o.PatienceEnds()
		if o.PublishedAt.IsZero() {
			until = o.AskedAt.Add(30 * time.Second) // the time of the process that opened the order
		}
		if w.now.After(until) {
			return fmt.Errorf("production order %s of %s was asked for %d times, and is overdue since %s", o.ID, o.SKU,
				o.Asks, local(until))
		}
	}
	return nil
}

// each runs a query, and reads each row.
func (w *world) each(ctx context.Context, query string, read func(scan func(...any) error) error) error {
	rows, err := w.admin.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// maxErrors is how many violations of a rule are printed.
const maxErrors = 5

// inOrder joins errors in the order of their texts, because those of a map have no order.
func inOrder(errs []error) error {
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if more := len(errs) - maxErrors; more > 0 {
		errs = append(errs[:maxErrors], fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}
