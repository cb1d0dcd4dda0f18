package histories

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A rule is broken where its query finds anything.
type rule struct{ broken, query string }

// rules are what must hold of the database whatever has happened.
var rules = []rule{
	{"stock is not what came less what went", `
		SELECT CONCAT(p.sku, ': stock ', p.stock) AS found FROM product p
		 WHERE p.stock < 0
		    OR p.stock <> (SELECT COALESCE(SUM(l.quantity), 0) FROM stock_ledger l WHERE l.product_id = p.product_id AND l.cause = 'opening')
		                + (SELECT COALESCE(SUM(a.quantity), 0) FROM adjustment a WHERE a.product_id = p.product_id)
		                + (SELECT COALESCE(SUM(r.quantity), 0) FROM goods_receipt r JOIN production_order o USING (production_order_id) WHERE o.product_id = p.product_id)
		                - (SELECT COALESCE(SUM(s.quantity), 0) FROM sale s WHERE s.product_id = p.product_id)`},
	{"the ledger's sum is not the stock", `
		SELECT CONCAT(p.sku, ': stock ', p.stock) AS found FROM product p
		 WHERE p.stock <> (SELECT COALESCE(SUM(l.quantity), 0) FROM stock_ledger l WHERE l.product_id = p.product_id)`},
	{"something is not in the ledger once, as it is", `
		SELECT CONCAT(e.cause, ' ', HEX(e.id)) AS found FROM (
		          SELECT 'sale' AS cause, sale_id AS id, product_id, -quantity AS quantity FROM sale
		UNION ALL SELECT 'adjustment', adjustment_id, product_id, quantity FROM adjustment
		UNION ALL SELECT 'receipt', r.attempt_id, o.product_id, r.quantity FROM goods_receipt r JOIN production_order o USING (production_order_id)) e
		 WHERE (SELECT COUNT(*) FROM stock_ledger l
		         WHERE l.reference = e.id AND l.cause = e.cause AND l.product_id = e.product_id AND l.quantity = e.quantity) <> 1`},
	{"the ledger knows of something that was not", `
		SELECT CONCAT(l.cause, ' ', HEX(l.reference)) AS found FROM stock_ledger l
		 WHERE l.cause <> 'opening'
		   AND NOT EXISTS (SELECT 1 FROM sale s WHERE l.cause = 'sale' AND s.sale_id = l.reference)
		   AND NOT EXISTS (SELECT 1 FROM adjustment a WHERE l.cause = 'adjustment' AND a.adjustment_id = l.reference)
		   AND NOT EXISTS (SELECT 1 FROM goods_receipt r WHERE l.cause = 'receipt' AND r.attempt_id = l.reference)`},
	{"a product has two open production orders", `
		SELECT HEX(product_id) AS found FROM production_order WHERE status = 'open' GROUP BY product_id HAVING COUNT(*) > 1`},
	{"a production order is not what came for it", `
		SELECT CONCAT(HEX(o.production_order_id), ' ', o.status, ': ', o.received, ' of ', o.quantity, ', ', o.asks, ' asks') AS found FROM production_order o
		 WHERE o.received <> (SELECT COALESCE(SUM(r.quantity), 0) FROM goods_receipt r WHERE r.production_order_id = o.production_order_id)
		    OR o.status = 'open' AND o.received >= o.quantity
		    OR o.status = 'received' AND o.received < o.quantity
		    OR o.status = 'short' AND o.received = 0
		    OR o.asks > 4`},
	{"a surplus is not noted", `
		SELECT HEX(o.production_order_id) AS found FROM production_order o
		 WHERE GREATEST(o.received - o.quantity, 0) <>
		       (SELECT COALESCE(SUM(n.quantity), 0) FROM notice n WHERE n.production_order_id = o.production_order_id AND n.kind = 'surplus')`},
	{"what was given up is not noted", `
		SELECT HEX(o.production_order_id) AS found FROM production_order o
		 WHERE o.status IN ('failed', 'short')
		   AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.subject_id = o.production_order_id AND n.kind = CONCAT('order_', o.status))`},
}

// mended is what must hold after one sweep that nothing disturbed.
var mended = []rule{
	{"what is short is not on order", `
		SELECT p.sku AS found FROM product p
		 WHERE p.automatic AND p.stock <= p.reorder_point
		   AND NOT EXISTS (SELECT 1 FROM production_order o WHERE o.product_id = p.product_id AND o.status = 'open')`},
}

// settled is what must hold when nothing goes wrong any more and time has passed.
var settled = []rule{
	{"an automatic product is not above its reorder point", `SELECT CONCAT(sku, ': stock ', stock) AS found FROM product WHERE automatic AND stock <= reorder_point`},
	{"people were not told", `SELECT CONCAT(kind, ' ', HEX(subject_id)) AS found FROM notice WHERE told_at IS NULL`},
	{"a production order was not published", `SELECT HEX(production_order_id) AS found FROM production_order WHERE status = 'open' AND published_at IS NULL`},
}

// hold checks rules, in one query.
func (w *world) hold(rules []rule) error {
	var all []string
	for i, r := range rules {
		all = append(all, fmt.Sprintf("SELECT %d AS rule, q.found FROM (%s) q", i, r.query))
	}
	rows, err := w.Admin.QueryContext(w.ctx, strings.Join(all, " UNION ALL "))
	if err != nil {
		return fmt.Errorf("checking the rules: %w", err)
	}
	defer rows.Close()
	var errs []error
	for rows.Next() {
		var i int
		var found string
		if err := rows.Scan(&i, &found); err != nil {
			return fmt.Errorf("checking the rules: %w", err)
		}
		errs = append(errs, fmt.Errorf("%s: %s", rules[i].broken, found))
	}
	return errors.Join(append(errs, rows.Err())...)
}

// agree checks that what everybody was answered is what is stored.
func (w *world) agree() error {
	rows, err := w.Admin.QueryContext(w.ctx, `
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
	errs := []error{rows.Err()}
	for id, sale := range w.sales {
		if got := stored["sale"][id]; got != sale.Quantity {
			errs = append(errs, fmt.Errorf("a buyer was sold %d as %s; %d are stored", sale.Quantity, id, got))
		}
	}
	if n := len(stored["sale"]); n > len(w.sales)+w.unsure {
		errs = append(errs, fmt.Errorf("%d sales are stored; %d buyers were told, and %d may have bought", n, len(w.sales), w.unsure))
	}
	for attempt, quantity := range w.booked {
		if got := stored["receipt"][attempt]; got != quantity {
			errs = append(errs, fmt.Errorf("the factory was told that %d of attempt %s are booked; %d are", quantity, attempt, got))
		}
	}
	if n := len(stored["adjustment"]); n < w.adjustsSure || n > w.adjustsSure+w.adjustsUnsure {
		errs = append(errs, fmt.Errorf("%d adjustments are stored; %d were answered, and %d may be stored", n, w.adjustsSure, w.adjustsUnsure))
	}
	return errors.Join(errs...)
}

// end ends a history: it checks what holds always, then what holds after a sweep, then what holds when faults have stopped and time has
// passed.
func (w *world) end() error {
	if err := errors.Join(w.hold(rules), w.agree()); err != nil {
		return err
	}
	w.topicDown, w.mailDown = false, false
	if err := w.sweep(); err != nil {
		return fmt.Errorf("sweeping, with nothing wrong: %w", err)
	}
	if err := errors.Join(w.hold(mended), w.pursued()); err != nil {
		return fmt.Errorf("after a sweep: %w", err)
	}
	if err := w.settle(); err != nil {
		return err
	}
	if err := errors.Join(w.hold(rules), w.agree()); err != nil {
		return fmt.Errorf("in the end: %w", err)
	}
	for attempt, kind := range w.strange {
		if w.told[noticeKey(kind, attempt)] == 0 {
			return fmt.Errorf("in the end: nobody was told of the %s of attempt %s", kind, attempt)
		}
	}
	return nil
}

// pursued checks that no order waits for what does not come.
func (w *world) pursued() error {
	open, err := w.Store.OpenOrders(w.ctx)
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

// settle lets time pass, in which the factory makes all that it is asked for and sweeps sweep, until all is as it should be. The longest
// wait is for an order that was asked for four times, whose last message was lost: sixteen lead times.
func (w *world) settle() (err error) {
	longest := slices.Max(leadTimes)
	for i, pass := range []time.Duration{0, time.Minute, time.Minute, 2 * longest, 4 * longest, 8 * longest, 16 * longest, 16 * longest, 16 * longest} {
		w.now = w.now.Add(pass + time.Second)
		for message := range w.queue {
			w.work(message)
		}
		w.queue = nil
		for _, l := range w.lots {
			l.quantity = l.order.Quantity
			if err := w.deliver(0, false, l); err != nil {
				return err
			}
		}
		w.lots = nil
		if i > 0 { // a sweep was just before
			if err := w.sweep(); err != nil {
				return fmt.Errorf("sweeping, with nothing wrong: %w", err)
			}
		}
		if err = errors.Join(w.hold(settled), w.pursued()); err == nil {
			return nil
		}
	}
	return fmt.Errorf("in the end: %w", err)
}
