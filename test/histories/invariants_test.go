package histories

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql/invariants"
)

// checkRules checks rules on the database.
func (w *world) checkRules(ctx context.Context, rules []invariants.Rule) error {
	return invariants.Check(ctx, w.Admin, rules)
}

// checkAnswers checks that the stored data matches the answers that buyers, the factory and
// merchants got.
func (w *world) checkAnswers(ctx context.Context) error {
	rows, err := w.Admin.QueryContext(ctx, `
		SELECT 'sale', sale_id, quantity FROM sale UNION ALL
		SELECT 'receipt', UNHEX(REPLACE(attempt_id, '-', '')), SUM(quantity) FROM goods_receipt
		 GROUP BY attempt_id UNION ALL
		SELECT 'adjustment', adjustment_id, quantity FROM adjustment`)
	if err != nil {
		return err
	}
	defer rows.Close()
	stored := map[string]map[uuid.UUID]int{"sale": {}, "receipt": {}, "adjustment": {}}
	for rows.Next() {
		var kind string
		var id uuid.UUID
		var quantity int
		if err := rows.Scan(&kind, &id, &quantity); err != nil {
			return err
		}
		stored[kind][id] = quantity
	}
	errs := []error{rows.Err(), w.checkPublished(ctx), w.closed.Check(ctx, w.Admin)}
	for id, sale := range w.sales {
		if got := stored["sale"][id]; got != sale.Quantity {
			errs = append(errs, fmt.Errorf("sale %s: the buyer got %d, and %d are stored", id, sale.Quantity, got))
		}
	}
	if n := len(stored["sale"]); n > len(w.sales)+w.uncertainSales {
		errs = append(errs, fmt.Errorf("%d sales are stored; %d buyers got a sale, and %d got no answer", n,
			len(w.sales), w.uncertainSales))
	}
	for attempt, reported := range w.reported {
		got, acknowledged := stored["receipt"][attempt], w.acknowledged[attempt]
		if got < acknowledged || got > reported {
			errs = append(errs, fmt.Errorf("attempt %s: %d are stored, at most %d were reported, %d were acknowledged",
				attempt, got, reported, acknowledged))
		}
	}
	if n := len(stored["adjustment"]); n < w.certainAdjustments || n > w.certainAdjustments+w.uncertainAdjustments {
		errs = append(errs, fmt.Errorf("%d adjustments are stored; %d were acknowledged, and %d may be stored", n,
			w.certainAdjustments, w.uncertainAdjustments))
	}
	return errors.Join(errs...)
}

// checkWaitlists checks that nobody who waited was forgotten when pieces came just now.
func (w *world) checkWaitlists(ctx context.Context) error {
	var forgotten int
	err := w.Admin.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM waitlist w
		 WHERE w.joined_at < ? AND w.answered_at IS NULL AND w.expires_at > ?
		   AND (SELECT COUNT(*) FROM waitlist o WHERE o.product_id = w.product_id AND o.answered_at = ?) <
		       (SELECT COALESCE(SUM(m.quantity), 0) FROM movement m
		         WHERE m.product_id = w.product_id AND m.recorded_at = ? AND m.quantity > 0 AND m.cause <> 'spread')`,
		w.now, w.now, w.now, w.now).Scan(&forgotten)
	if err == nil && forgotten > 0 {
		err = fmt.Errorf("%d buyers still wait, although more pieces came than others were told of", forgotten)
	}
	return err
}

// checkPublished checks that the topic has accepted the message of every order that is marked as
// published. No sweep would publish such an order again.
func (w *world) checkPublished(ctx context.Context) error {
	rows, err := w.Admin.QueryContext(ctx,
		`SELECT production_order_id FROM production_order WHERE published_at IS NOT NULL`)
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
		if !w.accepted[id] {
			errs = append(errs, fmt.Errorf("production order %s is marked as published, without a message", id))
		}
	}
	return errors.Join(append(errs, rows.Err())...)
}

// end ends a history. It checks the rules that hold always, after a sweep without faults, and after
// time has passed without faults.
func (w *world) end(ctx context.Context) error {
	err := errors.Join(w.checkRules(ctx, invariants.Always), w.checkAnswers(ctx), w.checkStock(ctx))
	if err != nil {
		return err
	}
	w.topicDown, w.mailDown = false, false
	if err := w.sweep(ctx); err != nil {
		return fmt.Errorf("sweeping without faults: %w", err)
	}
	if err := errors.Join(w.checkRules(ctx, invariants.AfterSweep), w.checkWaiting(ctx)); err != nil {
		return fmt.Errorf("after a sweep: %w", err)
	}
	if err := w.settle(ctx); err != nil {
		return err
	}
	if err := w.observeSettled(ctx); err != nil {
		return err
	}
	maps.Copy(w.acknowledged, w.reported) // no delivery waits, so all are booked
	err = errors.Join(w.checkRules(ctx, invariants.Always), w.checkAnswers(ctx), w.checkStock(ctx))
	if err != nil {
		return fmt.Errorf("in the end: %w", err)
	}
	for notice := range w.expected {
		if w.notified[notice] == 0 {
			return fmt.Errorf("in the end: nobody was notified of the %s", notice)
		}
	}
	return nil
}

// checkStock reads the stock of all products, and checks that one order of all calls explains their
// answers.
func (w *world) checkStock(ctx context.Context) error {
	for _, sku := range skus {
		if _, err := w.shop.Product(ctx, sku); err != nil {
			return err
		}
	}
	return w.record.check()
}

// checkWaiting checks that no open order is overdue: each is published or asked for again in time.
func (w *world) checkWaiting(ctx context.Context) error {
	open, err := w.Store.OpenOrders(ctx)
	if err != nil {
		return err
	}
	for _, o := range open {
		until := o.PatienceEnds()
		if o.PublishedAt.IsZero() {
			until = o.AskedAt.Add(30 * time.Second) // the time for the process that opened the order to publish it
		}
		if w.now.After(until) {
			return fmt.Errorf("at %v an order is overdue since %v: %+v", w.now, until, o)
		}
	}
	return nil
}

// settle lets time pass until the rules of a settled shop hold. The factory makes everything that
// it is asked for, and sweeps run. The longest wait is 16 lead times, for an order that was asked
// for 4 times and whose last message was lost.
func (w *world) settle(ctx context.Context) (err error) {
	longest := slices.Max(leadTimes)
	for i, pass := range []time.Duration{0, time.Minute, time.Minute, 2 * longest, 4 * longest, 8 * longest,
		16 * longest, 16 * longest, 16 * longest} {
		w.now = w.now.Add(pass + time.Second)
		for message := range w.queue {
			w.startLot(message)
		}
		w.queue = nil
		for _, l := range w.lots {
			l.quantity = l.order.Quantity
			w.report(l)
		}
		w.lots = nil
		for len(w.deliveries) > 0 {
			if err := w.run(ctx, fault{}, w.delivery(w.deliveries[0])); err != nil {
				return err
			}
		}
		if i > 0 { // end has just swept
			if err := w.sweep(ctx); err != nil {
				return fmt.Errorf("sweeping without faults: %w", err)
			}
		}
		if err = errors.Join(w.checkRules(ctx, invariants.Eventually), w.checkWaiting(ctx)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("in the end: %w", err)
}
