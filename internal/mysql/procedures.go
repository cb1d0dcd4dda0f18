package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	gomysql "github.com/go-sql-driver/mysql"
	"github.com/google/uuid"

	"restock/internal/shop"
)

// An answer is the row that the procedure sell returns. Common answers have few of the columns; the
// fields of the others keep their values.
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

// planAsJSON returns a plan as the procedure sell takes it: JSON, or null. It is one parameter
// because each parameter costs every sale a little, and few sales have a plan.
func planAsJSON(p *shop.Plan) (any, error) {
	if p == nil {
		return nil, nil
	}
	plan, err := json.Marshal(struct {
		OrderID  string `json:"order_id"`
		Position int    `json:"position"`
		Quantity int    `json:"quantity"`
	}{hex.EncodeToString(p.ProductionOrderID[:]), p.Position, p.Quantity})
	return string(plan), err // not bytes: MySQL refuses a binary string as JSON
}

// sell calls the procedure sell, and reads the row that it returns into a. It returns sql.ErrNoRows
// if there is none, and an unknownOutcome if the call failed and may have stored a sale all the
// same. If the sale has a key and the server still answers, sell asks it whether the sale is
// stored.
func (s *Store) sell(ctx context.Context, a *answer, key string, args ...any) error {
	return retryDeadlocks(ctx, func() error {
		return s.onConnection(ctx, func(conn *sql.Conn) error {
			err := callOn(ctx, conn, a, "CALL sell(?, ?, ?, ?, ?, ?, ?)", args)
			if serverError(err) != 0 {
				// If the server ends the call itself (KILL QUERY, max_statement_time), it skips the
				// procedure's handlers, and the transaction stays open. The next call on this
				// connection would commit it: a bin that has changed without its movement.
				rollBack(ctx, conn)
			}
			if serverError(err) == errDuplicate {
				// The procedure has a handler for this, so the call was killed before it.
				err = &gomysql.MySQLError{Number: errInterrupted, Message: "it was killed after: " + err.Error()}
			}
			if !mayBeDone(err) {
				return err
			}
			if serverError(err) != 0 && key != "" { // the call has ended, so the answer is final
				var stored bool
				row := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM movement WHERE idempotency_key = ?`, key)
				if readErr := row.Scan(&stored); readErr == nil && !stored {
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
