package mysql

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// withStock runs do in a transaction that has locked all bins of a product, in their order. Every
// transaction that changes a product, its stock or its open order begins so. stock is what is on
// hand.
//
// The lock must come first: the snapshot that the transaction's other reads see is taken by the
// first of them, and so includes everything that was committed before the bins were locked.
func (s *Store) withStock(
	ctx context.Context, doing string, product uuid.UUID, do func(conn *sql.Conn, stock int) error,
) error {
	return s.transaction(ctx, doing, func(conn *sql.Conn) error {
		stock, err := lockStock(ctx, conn, product)
		if err != nil {
			return err
		}
		return do(conn, stock)
	})
}

// lockStock locks all bins of a product, and returns what is on hand.
func lockStock(ctx context.Context, conn *sql.Conn, product uuid.UUID) (int, error) {
	var stock sql.NullInt64 // null: the product has no bins yet, see carry_over in migration 00010
	row := conn.QueryRowContext(ctx, `SELECT SUM(stock) FROM bin WHERE product_id = ? FOR UPDATE`, product[:])
	if err := row.Scan(&stock); err != nil {
		return 0, err
	}
	if !stock.Valid {
		return 0, &shop.Error{
			Code:   shop.CodeUnavailable,
			Detail: "a function of the version before created the product, and its stock is not in bins yet",
		}
	}
	return int(stock.Int64), nil
}

// A movement changes the stock of a product. The zero movement changes nothing.
type movement struct {
	quantity    int
	cause       string
	reference   uuid.UUID
	reason      string
	key         string // unique; empty: none
	at          time.Time
	correlation string
}

// move books a movement in the product's first bin, spreads the stock evenly over the bins, and
// sets their floors. A movement that brings stock answers the waitlist. The transaction has locked
// the bins, and has changed the product and its order. See the procedure move in migration 00009.
func move(ctx context.Context, conn *sql.Conn, product uuid.UUID, m movement) error {
	const call = `CALL move(?, 0, ?, ?, ?, NULL, ?, ?, ?, ?)`
	var reference any
	if m.reference != uuid.Nil {
		reference = m.reference[:]
	}
	_, err := conn.ExecContext(ctx, call, product[:], m.quantity, orNull(m.cause), reference, orNull(m.reason),
		orNull(m.key), m.at.UTC(), m.correlation)
	if err != nil || m.quantity <= 0 {
		return err
	}
	return answerWaitlist(ctx, conn, product, m.quantity, m.at)
}

// addBins makes a product have a number of bins at least. New bins are empty.
func addBins(ctx context.Context, conn *sql.Conn, product uuid.UUID, bins int) error {
	_, err := conn.ExecContext(ctx, `
		INSERT IGNORE INTO bin (product_id, bin)
		WITH RECURSIVE bins (bin) AS (SELECT 0 UNION ALL SELECT bin + 1 FROM bins WHERE bin + 1 < ?)
		SELECT ?, bin FROM bins`, bins, product[:])
	return err
}

// productID finds the id of a product.
func (s *Store) productID(ctx context.Context, doing, sku string) (id uuid.UUID, err error) {
	if !mayBeSKU(sku) {
		return id, unknownProduct(sku)
	}
	err = s.db.QueryRowContext(ctx, `SELECT product_id FROM product WHERE sku = ?`, sku).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return id, unknownProduct(sku)
	case err != nil:
		return id, failed(doing, err)
	}
	return id, nil
}
