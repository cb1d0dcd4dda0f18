// Package invariants has the rules that the shop's books must satisfy. Each rule is a query that
// finds violations. Tests that disturb the shop (unit tests, histories, chaos) check the rules
// afterwards.
package invariants

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// A Rule is broken if its query finds rows. The query returns one text column, found. Broken is the
// message about a violation.
type Rule struct{ Broken, Query string }

// OneOpenOrder is the rule that a product has at most one open production order. The query is cheap
// enough to run all the time, which finds a second order before it is closed.
var OneOpenOrder = Rule{"a product has two open production orders", `
	SELECT HEX(product_id) AS found FROM production_order
	 WHERE status = 'open' GROUP BY product_id HAVING COUNT(*) > 1`}

// Always are the rules that hold at any time. Sales, receipts and adjustments are movements and
// nothing else, so the rules compare the bins with their movements.
var Always = []Rule{
	{"a bin is not the sum of its movements, or their numbers have a gap", `
		SELECT CONCAT(p.sku, ' bin ', b.bin, ': stock ', b.stock, ', entries ', b.entries,
		              ', sum ', COALESCE(m.sum, 0), ' of ', COALESCE(m.count, 0)) AS found
		  FROM bin b
		  JOIN product p USING (product_id)
		  LEFT JOIN (SELECT product_id, bin, SUM(quantity) AS sum, COUNT(*) AS count, MIN(number) AS first,
		                    MAX(number) AS last
		               FROM movement GROUP BY product_id, bin) m USING (product_id, bin)
		 WHERE b.stock < 0
		    OR b.stock <> COALESCE(m.sum, 0)
		    OR b.entries <> COALESCE(m.count, 0)
		    OR b.entries <> COALESCE(m.last, 0)
		    OR m.first <> 1`},
	{"a movement is in no bin, or does not say what it is", `
		SELECT CONCAT(m.cause, ' ', m.number, ' in bin ', m.bin) AS found
		  FROM movement m LEFT JOIN bin b USING (product_id, bin)
		 WHERE b.bin IS NULL
		    OR NOT CASE m.cause
		           WHEN 'opening' THEN TRUE
		           WHEN 'spread' THEN m.quantity <> 0
		           WHEN 'sale' THEN m.quantity < 0 AND m.reference IS NOT NULL AND m.unit_price >= 0
		           WHEN 'receipt' THEN m.quantity > 0 AND m.reference IS NOT NULL AND m.idempotency_key IS NOT NULL
		           WHEN 'adjustment' THEN m.quantity <> 0 AND m.reference IS NOT NULL AND m.reason IS NOT NULL
		           ELSE FALSE END`},
	{"movements from bin to bin do not add up to nothing", `
		SELECT CONCAT(HEX(product_id), ': ', SUM(quantity)) AS found FROM movement
		 WHERE cause = 'spread' GROUP BY product_id HAVING SUM(quantity) <> 0`},
	{"a sale or an adjustment is in the ledger twice", `
		SELECT CONCAT(cause, ' ', HEX(reference)) AS found FROM movement
		 WHERE cause IN ('sale', 'adjustment') GROUP BY cause, reference HAVING COUNT(*) > 1`},
	{"an undo is not the opposite of its adjustment", `
		SELECT CONCAT(m.idempotency_key, ': ', m.quantity) AS found
		  FROM movement m LEFT JOIN movement a
		         ON a.cause = 'adjustment' AND a.product_id = m.product_id
		        AND a.reference = UNHEX(REPLACE(SUBSTR(m.idempotency_key, 6), '-', ''))
		 WHERE m.idempotency_key LIKE 'undo\t%' AND NOT m.quantity <=> -a.quantity`},
	{"a product has other bins than it should, or stock in a bin that it does not use", `
		SELECT CONCAT(sku, ': ', bins, ' bins, has ', has, ', and ', beyond, ' in others') AS found
		  FROM (SELECT p.sku, p.bins, COUNT(b.bin < p.bins OR NULL) AS has,
		               SUM(IF(b.bin < p.bins, 0, b.stock + b.floor)) AS beyond
		          FROM product p LEFT JOIN bin b USING (product_id) GROUP BY p.product_id) q
		 WHERE has <> bins OR beyond > 0`},
	{"the floors of a product let it fall short without an order", `
		SELECT CONCAT(p.sku, ': ', (SELECT SUM(b.floor) FROM bin b WHERE b.product_id = p.product_id)) AS found
		  FROM product p LEFT JOIN production_order o ON o.open_product_id = p.product_id
		 WHERE (SELECT SUM(b.floor) FROM bin b WHERE b.product_id = p.product_id)
		       <> IF(p.automatic AND o.production_order_id IS NULL, p.reorder_point + 1, 0)`},
	{"a bin is below its floor, although its product has enough", `
		SELECT CONCAT(p.sku, ' bin ', b.bin, ': ', b.stock, ' of ', b.floor) AS found
		  FROM bin b
		  JOIN product p USING (product_id)
		  JOIN (SELECT product_id, SUM(stock) AS stock, SUM(floor) AS floor FROM bin GROUP BY product_id) s
		       USING (product_id)
		 WHERE b.stock < b.floor AND s.stock >= s.floor`},
	{"the receipts of an attempt do not add up to what their keys say", `
		SELECT CONCAT(SUBSTR(idempotency_key, 9), ': ', SUM(quantity)) AS found FROM movement
		 WHERE cause = 'receipt' GROUP BY SUBSTR(idempotency_key, 9, 36)
		HAVING SUM(quantity) <> MAX(CAST(SUBSTR(idempotency_key, 46) AS INT))`},
	{"a corrected goods receipt has no notice", `
		SELECT r.attempt AS found
		  FROM (SELECT SUBSTR(idempotency_key, 9, 36) AS attempt, COUNT(*) - 1 AS corrections FROM movement
		         WHERE cause = 'receipt' GROUP BY SUBSTR(idempotency_key, 9, 36)) r
		 WHERE r.corrections <> (SELECT COUNT(*) FROM notice n
		                          WHERE n.kind = 'receipt_corrected'
		                            AND n.attempt_id = UNHEX(REPLACE(r.attempt, '-', '')))`},
	{"a receipt is of no production order, or of one of another product", `
		SELECT HEX(m.reference) AS found
		  FROM movement m LEFT JOIN production_order o ON o.production_order_id = m.reference
		 WHERE m.cause = 'receipt' AND NOT m.product_id <=> o.product_id`},
	OneOpenOrder,
	{"a buyer who waits was overtaken", `
		SELECT HEX(w.entry_id) AS found FROM waitlist w
		 WHERE w.answered_at IS NULL
		   AND EXISTS (SELECT 1 FROM waitlist o
		                WHERE o.product_id = w.product_id AND o.number > w.number AND o.answered_at < w.expires_at)`},
	{"more buyers were told that a product is back than pieces came", `
		SELECT CONCAT(HEX(a.product_id), ' at ', a.answered_at, ': ', a.told) AS found
		  FROM (SELECT product_id, answered_at, COUNT(*) AS told FROM waitlist
		         WHERE answered_at IS NOT NULL GROUP BY product_id, answered_at) a
		 WHERE a.told > (SELECT COALESCE(SUM(m.quantity), 0) FROM movement m
		                  WHERE m.product_id = a.product_id AND m.recorded_at = a.answered_at
		                    AND m.quantity > 0 AND m.cause <> 'spread')`},
	{"an archived product has stock or an open order, or is ordered automatically", `
		SELECT p.sku AS found FROM product p
		 WHERE p.archived_at IS NOT NULL
		   AND (p.automatic
		        OR (SELECT s.stock FROM product_stock s WHERE s.product_id = p.product_id) > 0
		        OR EXISTS (SELECT 1 FROM production_order o WHERE o.open_product_id = p.product_id))`},
	{"a production order contradicts its receipts", `
		SELECT CONCAT(HEX(o.production_order_id), ' ', o.status, ': ', o.received, ' of ', o.quantity, ', ',
		              o.asks, ' asks') AS found FROM production_order o
		  LEFT JOIN (SELECT reference, SUM(quantity) AS sum FROM movement WHERE cause = 'receipt' GROUP BY reference) r
		         ON r.reference = o.production_order_id
		 WHERE o.received <> COALESCE(r.sum, 0)
		    OR o.status = 'open' AND o.received >= o.quantity
		    OR o.status = 'received' AND o.received < o.quantity
		    OR o.status = 'short' AND o.received = 0
		    OR o.asks > 4`},
	{"a surplus has no notice", `
		SELECT HEX(o.production_order_id) AS found FROM production_order o
		 WHERE GREATEST(o.received - o.quantity, 0) <>
		       (SELECT COALESCE(SUM(n.quantity), 0) FROM notice n
		         WHERE n.production_order_id = o.production_order_id AND n.kind = 'surplus')`},
	{"an order that failed or came short has no notice", `
		SELECT HEX(o.production_order_id) AS found FROM production_order o
		 WHERE o.status IN ('failed', 'short')
		   AND NOT EXISTS (SELECT 1 FROM notice n
		                    WHERE n.subject_id = o.production_order_id AND n.kind = CONCAT('order_', o.status))`},
}

// AfterSweep are the rules that hold after one undisturbed sweep.
var AfterSweep = []Rule{
	{"a short product is not on order", `
		SELECT p.sku AS found FROM product p
		 WHERE p.automatic
		   AND (SELECT s.stock FROM product_stock s WHERE s.product_id = p.product_id) <= p.reorder_point
		   AND NOT EXISTS (SELECT 1 FROM production_order o WHERE o.product_id = p.product_id AND o.status = 'open')`},
}

// Eventually are the rules that hold some time after the last disturbance.
var Eventually = []Rule{
	{"an automatic product is not above its reorder point", `
		SELECT CONCAT(p.sku, ': stock ', s.stock) AS found FROM product p JOIN product_stock s USING (product_id)
		 WHERE p.automatic AND s.stock <= p.reorder_point`},
	{"a notice was not sent", `SELECT CONCAT(kind, ' ', HEX(subject_id)) AS found FROM notice WHERE told_at IS NULL`},
	{"a production order was not published", `
		SELECT HEX(production_order_id) AS found FROM production_order WHERE status = 'open' AND published_at IS NULL`},
}

// Check returns an error that names each broken rule and its violations. It runs one query, so it
// checks all rules at the same moment.
func Check(ctx context.Context, db *sql.DB, rules []Rule) error {
	var all []string
	for i, r := range rules {
		all = append(all, fmt.Sprintf("SELECT %d AS rule, q.found FROM (%s) q", i, r.Query))
	}
	rows, err := db.QueryContext(ctx, strings.Join(all, " UNION ALL "))
	if err != nil {
		return fmt.Errorf("checking the invariants: %w", err)
	}
	defer rows.Close()
	var errs []error
	for rows.Next() {
		var i int
		var found string
		if err := rows.Scan(&i, &found); err != nil {
			return fmt.Errorf("checking the invariants: %w", err)
		}
		errs = append(errs, fmt.Errorf("%s: %s", rules[i].Broken, found))
	}
	return errors.Join(append(errs, rows.Err())...)
}

// Closed remembers the status of each closed production order, and when each answered entry of a
// waitlist was answered. Neither ever changes, so nobody is answered twice.
type Closed map[string]string

// Check reads all production orders and entries. Its error names each whose status has changed
// since it was closed or answered.
func (c Closed) Check(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `
		SELECT HEX(production_order_id), CONCAT(status, COALESCE(CONCAT(' at ', closed_at), '')), status = 'open'
		  FROM production_order UNION ALL
		SELECT HEX(entry_id), COALESCE(CONCAT('answered at ', answered_at), 'waiting'), answered_at IS NULL
		  FROM waitlist`)
	if err != nil {
		return fmt.Errorf("checking what is closed: %w", err)
	}
	defer rows.Close()
	var errs []error
	for rows.Next() {
		var order, is string
		var open bool
		if err := rows.Scan(&order, &is, &open); err != nil {
			return fmt.Errorf("checking what is closed: %w", err)
		}
		if was, closed := c[order]; closed && was != is {
			errs = append(errs, fmt.Errorf("what was closed or answered has changed: %s was %s, and is %s",
				order, was, is))
		}
		if !open {
			c[order] = is
		}
	}
	return errors.Join(append(errs, rows.Err())...)
}
