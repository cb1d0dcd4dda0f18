// Package mysql keeps the shop's data in MySQL or MariaDB.
package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// A Store is a shop.Store. Its schema is made by package migrate.
type Store struct{ db *sql.DB }

// NewStore keeps data in a database that [Open] opened.
func NewStore(db *sql.DB) *Store { return &Store{db} }

const selectProducts = `SELECT product_id, sku, name, price, stock FROM product`

// Products lists all products, by SKU.
func (s *Store) Products(ctx context.Context) (products []shop.Product, err error) {
	rows, err := s.db.QueryContext(ctx, selectProducts+` ORDER BY sku`)
	if err != nil {
		return nil, failed("listing the products", err)
	}
	defer rows.Close()
	for rows.Next() {
		var p shop.Product
		if err := rows.Scan(&p.ID, &p.SKU, &p.Name, &p.Price, &p.Stock); err != nil {
			return nil, failed("listing the products", err)
		}
		products = append(products, p)
	}
	if err := rows.Err(); err != nil {
		return nil, failed("listing the products", err)
	}
	return products, nil
}

// Product finds one product.
func (s *Store) Product(ctx context.Context, sku string) (shop.Product, error) {
	var p shop.Product
	if !mayBeSKU(sku) {
		return p, unknownProduct(sku)
	}
	err := s.db.QueryRowContext(ctx, selectProducts+` WHERE sku = ?`, sku).Scan(&p.ID, &p.SKU, &p.Name, &p.Price, &p.Stock)
	switch {
	case err == sql.ErrNoRows:
		return p, unknownProduct(sku)
	case err != nil:
		return p, failed("reading product "+sku, err)
	}
	return p, nil
}

// maxSKU is the width of the column, in bytes of ASCII.
const maxSKU = 64

// mayBeSKU reports whether the database can be asked for a text as a SKU: what the column cannot hold it does not compare.
func mayBeSKU(s string) bool {
	// The column's collation pads: to it, a SKU with spaces behind it would be the same SKU.
	return len(s) <= maxSKU && !strings.HasSuffix(s, " ") && strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

func unknownProduct(sku string) error {
	return &shop.Error{Code: shop.CodeUnknownProduct, Detail: fmt.Sprintf("there is no product %.64q", sku)}
}

// Checkout decides a checkout: one round trip, at the end of which the sale, the decrement, the ledger's entry and the
// production order are all stored, or nothing is.
func (s *Store) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	if !mayBeSKU(c.SKU) {
		return shop.Decision{}, unknownProduct(c.SKU)
	}
	var key, orderID, orderPosition, orderQuantity any
	if c.IdempotencyKey != "" {
		key = c.IdempotencyKey
	}
	if c.Plan != nil {
		orderID, orderPosition, orderQuantity = c.Plan.ProductionOrderID[:], c.Plan.Position, c.Plan.Quantity
	}
	var outcome, factory string
	d := shop.Decision{Sale: shop.Sale{SKU: c.SKU, Quantity: c.Quantity}}
	err := s.call(ctx, "CALL checkout(?, ?, ?, ?, ?, ?, ?, ?, ?)",
		[]any{c.SaleID[:], c.SKU, c.Quantity, key, c.At.UTC(), orderID, orderPosition, orderQuantity, c.Correlation},
		&outcome, &d.Sale.ID, &d.Sale.UnitPrice, &d.Sale.Stock, &d.Opened,
		&factory, &d.Policy.ReorderPoint, &d.Policy.OrderUpTo, &d.Policy.LotSize)
	if err != nil {
		return d, failed(fmt.Sprintf("checking out %d of %s", c.Quantity, c.SKU), err)
	}
	if d.Opened {
		d.ProductionOrder = shop.ProductionOrder{
			ID: c.Plan.ProductionOrderID, SKU: c.SKU, Quantity: c.Plan.Quantity, Factory: factory, OpenedAt: c.At, Correlation: c.Correlation,
		}
	}
	switch outcome {
	case "sold":
		d.Outcome = shop.Sold
	case "repeated":
		d.Outcome, d.Sale.Repeated = shop.Sold, true
	case "refused":
		d.Outcome = shop.Refused
	case "undecided":
		d.Outcome, d.Position = shop.Undecided, d.Sale.Stock
	case "unknown":
		return d, unknownProduct(c.SKU)
	case "key_reused":
		return d, &shop.Error{Code: shop.CodeIdempotencyKeyReused, Detail: fmt.Sprintf("the idempotency key belongs to another order than %d of %s", c.Quantity, c.SKU)}
	default:
		return d, fmt.Errorf("checking out %d of %s: the database answered %q", c.Quantity, c.SKU, outcome)
	}
	return d, nil
}

// Receive books a delivery, in one round trip.
func (s *Store) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	var outcome string
	var r shop.Receipt
	doing := fmt.Sprintf("booking %d of %s for production order %s, attempt %s", d.Quantity, d.SKU, d.ProductionOrderID, d.AttemptID)
	mismatch := &shop.Error{Code: shop.CodeProductMismatch, Detail: fmt.Sprintf("production order %s is not for product %.64q", d.ProductionOrderID, d.SKU)}
	if !mayBeSKU(d.SKU) {
		return r, mismatch
	}
	err := s.call(ctx, "CALL receive_goods(?, ?, ?, ?, ?)",
		[]any{d.AttemptID[:], d.ProductionOrderID[:], d.SKU, d.Quantity, d.At.UTC()},
		&outcome, &r.Stock, &r.Surplus)
	if err != nil {
		return r, failed(doing, err)
	}
	switch outcome {
	case "received":
	case "repeated":
		r.Repeated = true
	case "unknown":
		return r, &shop.Error{Code: shop.CodeUnknownOrder, Detail: fmt.Sprintf("there is no production order %s", d.ProductionOrderID)}
	case "mismatch":
		return r, mismatch
	default:
		return r, fmt.Errorf("%s: the database answered %q", doing, outcome)
	}
	return r, nil
}

// Unpublished lists the open production orders whose message was not sent, oldest first.
func (s *Store) Unpublished(ctx context.Context, openedBefore time.Time) ([]shop.ProductionOrder, error) {
	return s.orders(ctx, "listing the unpublished production orders", `o.published_at IS NULL AND o.status = 'open' AND o.opened_at < ?`, openedBefore.UTC())
}

// OpenedBefore lists the production orders that are open, and were opened before a time, oldest first.
func (s *Store) OpenedBefore(ctx context.Context, before time.Time) ([]shop.ProductionOrder, error) {
	return s.orders(ctx, "listing the open production orders", `o.open_product_id IS NOT NULL AND o.opened_at < ?`, before.UTC())
}

func (s *Store) orders(ctx context.Context, doing, condition string, args ...any) (orders []shop.ProductionOrder, err error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT o.production_order_id, p.sku, o.quantity, f.identifier, o.opened_at, o.correlation
		  FROM production_order o
		  JOIN product p ON p.product_id = o.product_id
		  JOIN factory f ON f.factory_id = p.factory_id
		 WHERE `+condition+`
		 ORDER BY o.opened_at`, args...)
	if err != nil {
		return nil, failed(doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		var o shop.ProductionOrder
		if err := rows.Scan(&o.ID, &o.SKU, &o.Quantity, &o.Factory, &o.OpenedAt, &o.Correlation); err != nil {
			return nil, failed(doing, err)
		}
		orders = append(orders, o)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(doing, err)
	}
	return orders, nil
}

// MarkPublished notes that a production order's message was sent. The first mark stays.
func (s *Store) MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error {
	err := retryDeadlocks(ctx, func() error {
		_, err := s.db.ExecContext(ctx, `UPDATE production_order SET published_at = ? WHERE production_order_id = ? AND published_at IS NULL`, at.UTC(), id[:])
		return err
	})
	if err != nil {
		return failed(fmt.Sprintf("marking production order %s as published", id), err)
	}
	return nil
}

// call runs a stored procedure and scans the one row that it answers with.
func (s *Store) call(ctx context.Context, query string, args []any, dest ...any) error {
	return retryDeadlocks(ctx, func() error {
		return s.db.QueryRowContext(ctx, query, args...).Scan(dest...)
	})
}
