package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// An answer is the row that a stored procedure returns. A procedure returns some of the columns;
// the fields of the others keep their values.
type answer struct {
	outcome    string
	stock      int
	unitPrice  int64
	saleID     uuid.UUID
	maxPerSale int
	askedAt    time.Time // of the open production order; zero: none is open
	opened     bool      // whether the call opened a production order
	factory    string
	policy     shop.Policy
}

// field returns a pointer to the field of a column, nil for an unknown column.
func (a *answer) field(column string) any {
	switch column {
	case "outcome":
		return &a.outcome
	case "stock":
		return &a.stock
	case "unit_price":
		return &a.unitPrice
	case "sale_id":
		return &a.saleID
	case "max_per_sale":
		return &a.maxPerSale
	case "asked_at":
		return (*timeOrZero)(&a.askedAt)
	case "opened":
		return &a.opened
	case "factory":
		return &a.factory
	case "automatic":
		return &a.policy.Automatic
	case "reorder_point":
		return &a.policy.ReorderPoint
	case "order_up_to":
		return &a.policy.OrderUpTo
	case "lot_size":
		return &a.policy.LotSize
	case "minimum_order":
		return &a.policy.MinimumOrder
	case "lead_time":
		return (*seconds)(&a.policy.LeadTime)
	}
	return nil
}

// productionOrder returns the production order that a call opened by a plan.
func (a *answer) productionOrder(p *shop.Plan, sku string, at time.Time, correlation string) shop.ProductionOrder {
	return shop.ProductionOrder{
		ID: p.ProductionOrderID, SKU: sku, Quantity: p.Quantity, Factory: a.factory, Status: shop.OrderOpen, Asks: 1,
		OpenedAt: at, AskedAt: at, LeadTime: a.policy.LeadTime, Correlation: correlation,
	}
}

// planAsJSON returns a plan as the procedure checkout takes it: JSON, or null. It is one parameter
// because each parameter costs every sale a little, and few sales have a plan.
func planAsJSON(p *shop.Plan, correlation string) (any, error) {
	if p == nil {
		return nil, nil
	}
	plan, err := json.Marshal(struct {
		OrderID     string `json:"order_id"`
		Position    int    `json:"position"`
		Quantity    int    `json:"quantity"`
		Correlation string `json:"correlation"`
	}{hex.EncodeToString(p.ProductionOrderID[:]), p.Position, p.Quantity, correlation})
	return string(plan), err // not bytes: MySQL refuses a binary string as JSON
}

// planAsParameters returns a plan as the procedure replenish takes it. Unlike a checkout's, it may
// be for any position.
func planAsParameters(p *shop.Plan) (orderID, position, quantity any) {
	switch {
	case p == nil:
		return nil, nil, nil
	case p.AnyPosition:
		return p.ProductionOrderID[:], nil, p.Quantity
	}
	return p.ProductionOrderID[:], p.Position, p.Quantity
}

// A row identifies the row that a call stores if it succeeds. The zero row means that the call
// stores none.
type row struct {
	table, key string
	id         uuid.UUID
}

// isStored reports whether the database has the row.
func (r row) isStored(ctx context.Context, conn *sql.Conn) (stored bool, err error) {
	// The names of the table and the column come from this package.
	query := fmt.Sprintf(`SELECT COUNT(*) FROM %s WHERE %s = ?`, r.table, r.key) // #nosec G201
	err = conn.QueryRowContext(ctx, query, r.id[:]).Scan(&stored)
	return stored, err
}

// call runs a stored procedure and reads the one row that it returns into a. It returns
// sql.ErrNoRows if there is none, and an unknownOutcome if the call failed and may have stored its
// row all the same. If the server still answers, call asks it whether the row is stored.
func (s *Store) call(ctx context.Context, stores row, a *answer, query string, args ...any) error {
	return retryDeadlocks(ctx, func() error {
		return s.onConnection(ctx, func(conn *sql.Conn) error {
			err := callOn(ctx, conn, a, query, args)
			if !mayBeDone(err) || stores == (row{}) {
				return err
			}
			if serverError(err) != 0 { // the call has ended, so the answer of isStored is final
				if stored, readErr := stores.isStored(ctx, conn); readErr == nil && !stored {
					return err
				}
			}
			return unknownOutcome{err}
		})
	})
}

func callOn(ctx context.Context, conn *sql.Conn, a *answer, query string, args []any) error {
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
	fields := make([]any, len(columns))
	for i, column := range columns {
		if fields[i] = a.field(column); fields[i] == nil {
			return fmt.Errorf("%s returned the unknown column %s", query, column)
		}
	}
	if err := rows.Scan(fields...); err != nil {
		return err
	}
	return rows.Close() // it also reads the result of the CALL itself, which follows the row
}
