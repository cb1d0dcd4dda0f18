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

// Always are the rules that hold at any time.
var Always = []Rule{
	{"the stock is not opening + adjustments + receipts - sales", `
		SELECT CONCAT(p.sku, ': stock ', p.stock) AS found FROM product p
		 WHERE p.stock < 0
		    OR p.stock <> (SELECT COALESCE(SUM(l.quantity), 0) FROM stock_ledger l
		                    WHERE l.product_id = p.product_id AND l.cause = 'opening')
		                + (SELECT COALESCE(SUM(a.quantity), 0) FROM adjustment a WHERE a.product_id = p.product_id)
		                + (SELECT COALESCE(SUM(r.quantity), 0)
		                     FROM goods_receipt r JOIN production_order o USING (production_order_id)
		                    WHERE o.product_id = p.product_id)
		                - (SELECT COALESCE(SUM(s.quantity), 0) FROM sale s WHERE s.product_id = p.product_id)`},
	{"the ledger's sum is not the stock", `
		SELECT CONCAT(p.sku, ': stock ', p.stock) AS found FROM product p
		 WHERE p.stock <> (SELECT COALESCE(SUM(l.quantity), 0) FROM stock_ledger l WHERE l.product_id = p.product_id)`},
	// The query reads sales, adjustments and ledger once, and groups them. A subquery for each sale
	// would read the product's whole ledger each time.
	{"a sale or an adjustment does not have exactly one matching ledger entry", `
		SELECT CONCAT(e.cause, ' ', HEX(e.id)) AS found FROM (
		          SELECT cause, reference AS id, product_id, quantity, 0 AS stored
		            FROM stock_ledger WHERE cause IN ('sale', 'adjustment')
		UNION ALL SELECT 'sale', sale_id, product_id, -quantity, 1 FROM sale
		UNION ALL SELECT 'adjustment', adjustment_id, product_id, quantity, 1 FROM adjustment) e
		 GROUP BY e.cause, e.id
		HAVING SUM(e.stored) = 1
		   AND NOT (COUNT(*) = 2 AND MIN(e.product_id) = MAX(e.product_id) AND MIN(e.quantity) = MAX(e.quantity))`},
	{"the ledger entries of a goods receipt do not add up to it", `
		SELECT CONCAT(HEX(r.attempt_id), ': ', r.quantity) AS found
		  FROM goods_receipt r JOIN production_order o USING (production_order_id)
		 WHERE r.quantity <> (SELECT COALESCE(SUM(l.quantity), 0) FROM stock_ledger l
		                       WHERE l.reference = r.attempt_id AND l.cause = 'receipt'
		                         AND l.product_id = o.product_id AND l.quantity > 0)`},
	{"a corrected goods receipt has no notice", `
		SELECT HEX(r.attempt_id) AS found FROM goods_receipt r
		 WHERE (SELECT COUNT(*) FROM stock_ledger l WHERE l.reference = r.attempt_id AND l.cause = 'receipt') - 1 <>
		       (SELECT COUNT(*) FROM notice n WHERE n.attempt_id = r.attempt_id AND n.kind = 'receipt_corrected')`},
	{"a ledger entry refers to nothing that exists", `
		SELECT CONCAT(l.cause, ' ', HEX(l.reference)) AS found FROM stock_ledger l
		 WHERE l.cause <> 'opening'
		   AND NOT EXISTS (SELECT 1 FROM sale s WHERE l.cause = 'sale' AND s.sale_id = l.reference)
		   AND NOT EXISTS (SELECT 1 FROM adjustment a WHERE l.cause = 'adjustment' AND a.adjustment_id = l.reference)
		   AND NOT EXISTS (SELECT 1 FROM goods_receipt r WHERE l.cause = 'receipt' AND r.attempt_id = l.reference)`},
	OneOpenOrder,
	{"a production order contradicts its receipts", `
		SELECT CONCAT(HEX(o.production_order_id), ' ', o.status, ': ', o.received, ' of ', o.quantity, ', ',
		              o.asks, ' asks') AS found FROM production_order o
		 WHERE o.received <> (SELECT COALESCE(SUM(r.quantity), 0) FROM goods_receipt r
		                       WHERE r.production_order_id = o.production_order_id)
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
		 WHERE p.automatic AND p.stock <= p.reorder_point
		   AND NOT EXISTS (SELECT 1 FROM production_order o WHERE o.product_id = p.product_id AND o.status = 'open')`},
}

// Settled are the rules that hold some time after the last disturbance.
var Settled = []Rule{
	{"an automatic product is not above its reorder point",
		`SELECT CONCAT(sku, ': stock ', stock) AS found FROM product WHERE automatic AND stock <= reorder_point`},
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

// ClosedOrders remembers the status of each closed production order. The status of a closed order
// never changes.
type ClosedOrders map[string]string

// Check reads all production orders. Its error names each order whose status has changed since it
// was closed.
func (c ClosedOrders) Check(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `
		SELECT HEX(production_order_id), CONCAT(status, COALESCE(CONCAT(' at ', closed_at), '')), status = 'open'
		  FROM production_order`)
	if err != nil {
		return fmt.Errorf("checking the closed production orders: %w", err)
	}
	defer rows.Close()
	var errs []error
	for rows.Next() {
		var order, is string
		var open bool
		if err := rows.Scan(&order, &is, &open); err != nil {
			return fmt.Errorf("checking the closed production orders: %w", err)
		}
		if was, closed := c[order]; closed && was != is {
			errs = append(errs, fmt.Errorf("the status of a closed production order has changed: %s was %s, and is %s",
				order, was, is))
		}
		if !open {
			c[order] = is
		}
	}
	return errors.Join(append(errs, rows.Err())...)
}
