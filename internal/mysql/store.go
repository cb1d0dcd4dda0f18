// Package mysql keeps the shop's data in MySQL or MariaDB.
package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// A Store is a shop.Store. Its schema is made by package migrate.
type Store struct{ db *sql.DB }

var _ shop.Store = (*Store)(nil)

// NewStore keeps data in a database that [Open] opened.
func NewStore(db *sql.DB) *Store { return &Store{db} }

// Checkout decides a checkout: one round trip, at the end of which the sale, the decrement, the ledger's entry and the
// production order are all stored, or nothing is.
func (s *Store) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	if !mayBeSKU(c.SKU) {
		return shop.Decision{}, unknownProduct(c.SKU)
	}
	plan, err := encodePlan(c.Plan, c.Correlation)
	if err != nil {
		return shop.Decision{}, fmt.Errorf("checking out %d of %s: %w", c.Quantity, c.SKU, err)
	}
	var outcome, factory string
	var maxPerSale int
	var leadTime seconds
	var askedAt sql.NullTime
	d := shop.Decision{Sale: shop.Sale{ID: c.SaleID, SKU: c.SKU, Quantity: c.Quantity}}
	err = s.call(ctx, row{"sale", "sale_id", c.SaleID}, "CALL checkout(?, ?, ?, ?, ?, ?)",
		[]any{c.SaleID[:], c.SKU, c.Quantity, orNull(c.IdempotencyKey), c.At.UTC(), plan},
		&outcome, &d.Sale.UnitPrice, &d.Sale.Stock, &d.Sale.ID, &maxPerSale, &askedAt, &d.Opened, &factory,
		&d.Policy.ReorderPoint, &d.Policy.OrderUpTo, &d.Policy.LotSize, &d.Policy.MinimumOrder, &leadTime)
	if errors.Is(err, sql.ErrNoRows) {
		return d, unknownProduct(c.SKU)
	}
	if err != nil {
		return d, failed(fmt.Sprintf("checking out %d of %s", c.Quantity, c.SKU), err)
	}
	d.Policy.LeadTime = time.Duration(leadTime)
	if d.Opened {
		d.ProductionOrder = opened(c.Plan, c.SKU, factory, d.Policy, c.At, c.Correlation)
	}
	switch outcome {
	case "sold":
		d.Outcome = shop.Sold
	case "repeated":
		d.Outcome, d.Sale.Repeated = shop.Sold, true
	case "refused":
		d.Outcome = shop.Refused
		if askedAt.Valid {
			d.Sale.ExpectedAt = askedAt.Time.Add(d.Policy.LeadTime)
		}
	case "undecided":
		d.Outcome, d.Position, d.Policy.Automatic = shop.Undecided, d.Sale.Stock, true
	case "over_limit":
		return d, &shop.Error{Code: shop.CodeInvalidQuantity, Detail: fmt.Sprintf("the quantity is %d, of %s it must be from 1 to %d", c.Quantity, c.SKU, maxPerSale)}
	case "key_reused":
		return d, &shop.Error{Code: shop.CodeIdempotencyKeyReused, Detail: fmt.Sprintf("the idempotency key belongs to another purchase than %d of %s: all products and buyers share one set of keys, send a new UUID for each purchase", c.Quantity, c.SKU)}
	default:
		return d, fmt.Errorf("checking out %d of %s: the database answered %q", c.Quantity, c.SKU, outcome)
	}
	return d, nil
}

// Replenish opens a production order where one is due, in one round trip.
func (s *Store) Replenish(ctx context.Context, r shop.Replenishment) (d shop.Decision, err error) {
	if !mayBeSKU(r.SKU) {
		return d, unknownProduct(r.SKU)
	}
	orderID, position, quantity := planned(r.Plan)
	var outcome, factory string
	var leadTime seconds
	var opens row
	if r.Plan != nil {
		opens = row{"production_order", "production_order_id", r.Plan.ProductionOrderID}
	}
	err = s.call(ctx, opens, "CALL replenish(?, ?, ?, ?, ?, ?, ?)",
		[]any{r.SKU, r.ByHand, r.At.UTC(), orderID, position, quantity, r.Correlation},
		&outcome, &d.Position, &d.Opened, &factory, &d.Policy.Automatic,
		&d.Policy.ReorderPoint, &d.Policy.OrderUpTo, &d.Policy.LotSize, &d.Policy.MinimumOrder, &leadTime)
	if err != nil {
		return d, failed("replenishing "+r.SKU, err)
	}
	d.Policy.LeadTime = time.Duration(leadTime)
	if d.Opened {
		d.ProductionOrder = opened(r.Plan, r.SKU, factory, d.Policy, r.At, r.Correlation)
	}
	switch outcome {
	case "settled":
		d.Outcome = shop.Settled
	case "open":
		d.Outcome = shop.AlreadyOnOrder
	case "undecided":
		d.Outcome = shop.Undecided
	case "unknown":
		return d, unknownProduct(r.SKU)
	default:
		return d, fmt.Errorf("replenishing %s: the database answered %q", r.SKU, outcome)
	}
	return d, nil
}

// encodePlan is a plan as the procedure checkout takes it: JSON, or null.
func encodePlan(p *shop.Plan, correlation string) (any, error) {
	if p == nil {
		return nil, nil
	}
	plan, err := json.Marshal(struct {
		OrderID     string `json:"order_id"`
		Position    int    `json:"position"`
		Quantity    int    `json:"quantity"`
		Correlation string `json:"correlation"`
	}{hex.EncodeToString(p.ProductionOrderID[:]), p.Position, p.Quantity, correlation})
	return string(plan), err // not bytes: MySQL takes no binary string for JSON
}

// planned is a plan as the procedure replenish takes it.
func planned(p *shop.Plan) (orderID, position, quantity any) {
	switch {
	case p == nil:
		return nil, nil, nil
	case p.AnyPosition:
		return p.ProductionOrderID[:], nil, p.Quantity
	}
	return p.ProductionOrderID[:], p.Position, p.Quantity
}

// opened is the production order that a plan has become.
func opened(p *shop.Plan, sku, factory string, policy shop.Policy, at time.Time, correlation string) shop.ProductionOrder {
	return shop.ProductionOrder{
		ID: p.ProductionOrderID, SKU: sku, Quantity: p.Quantity, Factory: factory, Status: shop.OrderOpen, Asks: 1,
		OpenedAt: at, AskedAt: at, LeadTime: policy.LeadTime, Correlation: correlation,
	}
}

// Adjust books an adjustment, in one round trip.
func (s *Store) Adjust(ctx context.Context, a shop.Adjustment) (adjusted shop.Adjusted, err error) {
	if !mayBeSKU(a.SKU) {
		return adjusted, unknownProduct(a.SKU)
	}
	doing := fmt.Sprintf("adjusting %s by %d", a.SKU, a.Quantity)
	var outcome string
	err = s.call(ctx, row{"adjustment", "adjustment_id", a.ID}, "CALL adjust_stock(?, ?, ?, ?, ?, ?)",
		[]any{a.ID[:], a.SKU, a.Quantity, a.Reason, orNull(a.IdempotencyKey), a.At.UTC()},
		&outcome, &adjusted.Stock)
	if err != nil {
		return adjusted, failed(doing, err)
	}
	switch outcome {
	case "adjusted":
	case "repeated":
		adjusted.Repeated = true
	case "refused":
		adjusted.Refused = true
	case "unknown":
		return adjusted, unknownProduct(a.SKU)
	case "key_reused":
		return adjusted, &shop.Error{Code: shop.CodeIdempotencyKeyReused, Detail: fmt.Sprintf("the idempotency key belongs to another adjustment than %d of %s for this reason: all products share one set of keys, send a new UUID for each adjustment", a.Quantity, a.SKU)}
	default:
		return adjusted, fmt.Errorf("%s: the database answered %q", doing, outcome)
	}
	return adjusted, nil
}

// A row is what a call stores, if it does what it is asked to.
type row struct {
	table, key string
	id         uuid.UUID
}

// isStored asks whether a row is there.
func (r row) isStored(ctx context.Context, conn *sql.Conn) (stored bool, err error) {
	query := fmt.Sprintf(`SELECT COUNT(*) FROM %s WHERE %s = ?`, r.table, r.key) // #nosec G201 -- names from this package
	err = conn.QueryRowContext(ctx, query, r.id[:]).Scan(&stored)
	return stored, err
}

// call runs a stored procedure and scans the one row that it answers with, or returns sql.ErrNoRows. The
// procedure may return fewer columns than dest: the remaining values stay unchanged. Where the call failed
// and may be done all the same, the error is an unknownOutcome. What it would have stored decides that,
// where the server can be asked. The zero row: it stores nothing.
func (s *Store) call(ctx context.Context, stores row, query string, args []any, dest ...any) error {
	return retryDeadlocks(ctx, func() error {
		return s.onConnection(ctx, func(conn *sql.Conn) error {
			err := callOn(ctx, conn, query, args, dest)
			if !mayBeDone(err) || stores == (row{}) {
				return err
			}
			if serverError(err) != 0 { // the call has ended, so whether it is done is settled
				if stored, unasked := stores.isStored(ctx, conn); unasked == nil && !stored {
					return err
				}
			}
			return unknownOutcome{err}
		})
	})
}

func callOn(ctx context.Context, conn *sql.Conn, query string, args, dest []any) error {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	if err := rows.Scan(dest[:min(len(columns), len(dest))]...); err != nil {
		return err
	}
	return rows.Close() // the procedure's own end comes after its answer
}

// orNull is a text, or null where there is none.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// seconds is a duration as the database keeps it.
type seconds time.Duration

// Scan reads a number of seconds.
func (d *seconds) Scan(value any) error {
	var n sql.NullInt64
	if err := n.Scan(value); err != nil {
		return err
	}
	*d = seconds(time.Duration(n.Int64) * time.Second)
	return nil
}
