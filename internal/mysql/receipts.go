package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// Receive books a delivery, or the part of it that an earlier callback of the attempt did not
// bring.
func (s *Store) Receive(ctx context.Context, d shop.Delivery) (r shop.Receipt, err error) {
	doing := fmt.Sprintf("booking %d of %s for production order %s, attempt %s",
		d.Quantity, d.SKU, d.ProductionOrderID, d.AttemptID)
	// The product of an order never changes, so it is read before the transaction.
	var product uuid.UUID
	var sku string
	err = s.db.QueryRowContext(ctx, `
		SELECT p.product_id, p.sku FROM production_order o JOIN product p ON p.product_id = o.product_id
		 WHERE o.production_order_id = ?`, d.ProductionOrderID[:]).Scan(&product, &sku)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, unknownOrder(d.ProductionOrderID)
	case err != nil:
		return r, failed(doing, err)
	case sku != d.SKU:
		return r, &shop.Error{
			Code:   shop.CodeProductMismatch,
			Detail: fmt.Sprintf("production order %s is not for product %.64q", d.ProductionOrderID, d.SKU),
		}
	}
	err = s.transaction(ctx, doing, func(conn *sql.Conn) error {
		r, err = receive(ctx, conn, product, d)
		return err
	})
	return r, err
}

// receive locks the product's row first, as every transaction that changes the stock does, and then
// the order's row. The lock on the order makes other callbacks of the same attempt wait. receive
// takes it before it inserts the receipt, because the receipt's foreign key takes a shared lock on
// the order, and two transactions that hold the shared lock cannot both update the order.
func receive(ctx context.Context, conn *sql.Conn, product uuid.UUID, d shop.Delivery) (r shop.Receipt, err error) {
	err = conn.QueryRowContext(ctx, `
		SELECT stock FROM product WHERE product_id = ? FOR UPDATE`, product[:]).Scan(&r.Stock)
	if err != nil {
		return r, err
	}
	var status shop.OrderStatus
	var ordered, received int
	err = conn.QueryRowContext(ctx, `
		SELECT status, quantity, received FROM production_order WHERE production_order_id = ? FOR UPDATE`,
		d.ProductionOrderID[:]).Scan(&status, &ordered, &received)
	if err != nil {
		return r, err
	}
	// This is the first read without a lock. Its snapshot includes everything that was committed
	// before the locks were taken.
	var booked, stockThen int
	err = conn.QueryRowContext(ctx, `
		SELECT quantity, stock_left FROM goods_receipt WHERE attempt_id = ?`, d.AttemptID[:]).Scan(&booked, &stockThen)
	first := errors.Is(err, sql.ErrNoRows)
	switch {
	case err != nil && !first:
		return r, err
	case d.Quantity <= booked:
		return shop.Receipt{Stock: stockThen, Repeated: true}, nil
	}

	add := d.Quantity - booked
	r.Stock += add
	r.Late = status != shop.OrderOpen
	r.Surplus = min(max(received+add-ordered, 0), add)
	var changes []change
	if first {
		changes = append(changes, change{`
			INSERT INTO goods_receipt (attempt_id, production_order_id, quantity, stock_left, received_at)
			VALUES (?, ?, ?, ?, ?)`,
			[]any{d.AttemptID[:], d.ProductionOrderID[:], d.Quantity, r.Stock, d.At.UTC()}})
	} else {
		r.Correction = add
		changes = append(changes, change{`
			UPDATE goods_receipt SET quantity = ?, stock_left = ? WHERE attempt_id = ?`,
			[]any{d.Quantity, r.Stock, d.AttemptID[:]}})
	}
	changes = append(changes,
		change{`UPDATE product SET stock = ? WHERE product_id = ?`, []any{r.Stock, product[:]}},
		change{`INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at) VALUES (?, ?, ?, ?, ?)`,
			[]any{product[:], add, shop.CauseReceipt, d.AttemptID[:], d.At.UTC()}},
		change{`UPDATE production_order SET received = ? WHERE production_order_id = ?`,
			[]any{received + add, d.ProductionOrderID[:]}})
	if !r.Late && received+add >= ordered {
		// An order that is closed already keeps its status.
		changes = append(changes, change{`
			UPDATE production_order SET status = ?, closed_at = ? WHERE production_order_id = ? AND status = 'open'`,
			[]any{string(shop.OrderReceived), d.At.UTC(), d.ProductionOrderID[:]}})
	}
	changes = append(changes, receiptNotices(d, r, add)...)
	for _, c := range changes {
		if _, err := conn.ExecContext(ctx, c.statement, c.args...); err != nil {
			return r, err
		}
	}
	return r, nil
}

// A change is a statement with its arguments.
type change struct {
	statement string
	args      []any
}

// receiptNotices returns the statements that raise the notices of an unusual receipt.
func receiptNotices(d shop.Delivery, r shop.Receipt, booked int) (changes []change) {
	subject := d.AttemptID
	raise := func(kind shop.NoticeKind, quantity int) {
		changes = append(changes, change{`
			INSERT INTO notice (kind, subject_id, attempt_id, production_order_id, quantity, raised_at, due_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`,
			[]any{string(kind), subject[:], d.AttemptID[:], d.ProductionOrderID[:], quantity, d.At.UTC(), d.At.UTC()}})
	}
	if r.Correction > 0 {
		subject = d.CorrectionID // the attempt's first receipt may have raised a notice with the attempt's id
		raise(shop.NoticeReceiptCorrected, booked)
	}
	switch {
	case r.Surplus > 0:
		raise(shop.NoticeSurplus, r.Surplus)
	case r.Late:
		raise(shop.NoticeLateReceipt, booked)
	}
	return changes
}
