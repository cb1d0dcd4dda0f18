package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

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
	err = s.withStock(ctx, doing, product, func(conn *sql.Conn, stock int) error {
		r, err = receive(ctx, conn, product, stock, d)
		return err
	})
	return r, err
}

// receive runs under the lock of the product's bins (see withStock), so other callbacks of the
// attempt wait. ClaimAsk and MarkPublished change the order's row without that lock: FOR UPDATE
// makes them wait too, from the read of the row to its update.
func receive(
	ctx context.Context, conn *sql.Conn, product uuid.UUID, stock int, d shop.Delivery,
) (r shop.Receipt, err error) {
	var o shop.ProductionOrder
	err = conn.QueryRowContext(ctx, `
		SELECT status, quantity, received, correlation FROM production_order WHERE production_order_id = ? FOR UPDATE`,
		d.ProductionOrderID[:]).Scan(&o.Status, &o.Quantity, &o.Received, &o.Correlation)
	if err != nil {
		return r, err
	}
	key := receiptKey + d.AttemptID.String() + "/" // what was booked by then follows
	var booked int
	err = conn.QueryRowContext(ctx, `SELECT COALESCE(SUM(quantity), 0) FROM movement WHERE idempotency_key LIKE ?`,
		key+"%").Scan(&booked)
	if err != nil {
		return r, err
	}
	add, closes, r := d.Book(o, booked)
	r.Stock = stock + add
	if r.Repeated {
		return r, nil
	}
	// Goods of an archived product put it on sale again. The shop does not order it: see archive.
	changes := []change{{`
		UPDATE production_order o JOIN product p ON p.product_id = o.product_id
		   SET o.received = ?, p.archived_at = NULL
		 WHERE o.production_order_id = ?`,
		[]any{o.Received + add, d.ProductionOrderID[:]}}}
	if closes { // an order that is closed already keeps its status
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
	return r, move(ctx, conn, product, movement{
		quantity: add, cause: shop.CauseReceipt, reference: d.ProductionOrderID, key: key + strconv.Itoa(d.Quantity),
		at: d.At, correlation: o.Correlation,
	})
}

// receiptKey begins the keys of receipts. A client's key has no tab, so it is never the key of a
// receipt.
const receiptKey = "receipt\t"

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
