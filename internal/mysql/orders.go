package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

const (
	orderColumns = `o.production_order_id, p.sku, o.quantity, o.received, f.identifier, o.status, o.asks,
	       o.opened_at, o.asked_at, o.published_at, o.closed_at, p.lead_time, o.correlation`
	orderTables = `production_order o
	  JOIN product p ON p.product_id = o.product_id
	  JOIN factory f ON f.factory_id = o.factory_id`
	selectOrders = `SELECT ` + orderColumns + ` FROM ` + orderTables
)

func scanOrder(scan func(...any) error) (o shop.ProductionOrder, err error) {
	err = scan(orderFields(&o)...)
	return o, err
}

// orderFields returns the fields of an order in the order of orderColumns, to scan into.
func orderFields(o *shop.ProductionOrder) []any {
	return []any{&o.ID, &o.SKU, &o.Quantity, &o.Received, &o.Factory, &o.Status, &o.Asks,
		&o.OpenedAt, &o.AskedAt, (*timeOrZero)(&o.PublishedAt), (*timeOrZero)(&o.ClosedAt),
		(*seconds)(&o.LeadTime), &o.Correlation}
}

// ProductionOrders lists production orders, newest first. Their ids sort by time.
func (s *Store) ProductionOrders(ctx context.Context, f shop.OrderFilter) ([]shop.ProductionOrder, error) {
	conditions := []string{"TRUE"}
	var args []any
	if f.SKU != "" {
		if !mayBeSKU(f.SKU) {
			return nil, unknownProduct(f.SKU)
		}
		conditions, args = append(conditions, "p.sku = ?"), append(args, f.SKU)
	}
	if f.Status != "" {
		conditions, args = append(conditions, "o.status = ?"), append(args, string(f.Status))
	}
	if f.After != uuid.Nil {
		conditions, args = append(conditions, "o.production_order_id < ?"), append(args, f.After[:])
	}
	if f.IDPrefix != "" {
		first, last, _ := f.IDs()
		conditions = append(conditions, "o.production_order_id BETWEEN ? AND ?")
		args = append(args, first[:], last[:])
	}
	return list(ctx, s.db, "listing the production orders", scanOrder,
		selectOrders+` WHERE `+strings.Join(conditions, " AND ")+` ORDER BY o.production_order_id DESC LIMIT ?`,
		append(args, f.Limit)...)
}

// ProductionOrder finds one production order.
func (s *Store) ProductionOrder(ctx context.Context, id uuid.UUID) (shop.ProductionOrder, error) {
	o, err := scanOrder(s.db.QueryRowContext(ctx, selectOrders+` WHERE o.production_order_id = ?`, id[:]).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return o, unknownOrder(id)
	case err != nil:
		return o, failed(fmt.Sprintf("reading production order %s", id), err)
	}
	return o, nil
}

func unknownOrder(id uuid.UUID) error {
	return &shop.Error{Code: shop.CodeUnknownOrder, Detail: fmt.Sprintf("there is no production order %s", id),
		Commands: []string{"shop orders"}}
}

// OpenOrders lists the production orders that are open, oldest first.
func (s *Store) OpenOrders(ctx context.Context) ([]shop.ProductionOrder, error) {
	return list(ctx, s.db, "listing the open production orders", scanOrder,
		selectOrders+` WHERE o.open_product_id IS NOT NULL ORDER BY o.opened_at, o.production_order_id`)
}

// Short lists the SKUs of the automatic products that are short and have no open production order.
func (s *Store) Short(ctx context.Context) ([]string, error) {
	return list(ctx, s.db, "listing the products that are short",
		func(scan func(...any) error) (sku string, err error) {
			return sku, scan(&sku)
		}, `
		SELECT p.sku
		  FROM product p
		 WHERE p.automatic
		   AND (SELECT SUM(b.stock) FROM bin b WHERE b.product_id = p.product_id) <= p.reorder_point
		   AND NOT EXISTS (SELECT 1 FROM production_order o WHERE o.open_product_id = p.product_id)
		 ORDER BY p.sku`)
}

// ClaimPublication makes the caller the one that publishes an order. Callers race for asked_at.
func (s *Store) ClaimPublication(ctx context.Context, o shop.ProductionOrder, at time.Time) (bool, error) {
	return s.changes(ctx, fmt.Sprintf("claiming to publish production order %s", o.ID), `
		UPDATE production_order SET asked_at = ?
		 WHERE production_order_id = ? AND status = 'open' AND published_at IS NULL AND asked_at = ?`,
		at.UTC(), o.ID[:], o.AskedAt.UTC())
}

// MarkPublished records when a production order's message was sent. The first time stays.
func (s *Store) MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := s.changes(ctx, fmt.Sprintf("marking production order %s as published", id),
		`UPDATE production_order SET published_at = ? WHERE production_order_id = ? AND published_at IS NULL`,
		at.UTC(), id[:])
	return err
}

// ifUnchanged is the condition that an order is open and unchanged since it was read. Its arguments
// are the id, asks and received.
const ifUnchanged = ` WHERE production_order_id = ? AND status = 'open' AND asks = ? AND received = ?`

// ClaimAsk makes the caller the one that asks the factory again. Callers race for asks.
func (s *Store) ClaimAsk(ctx context.Context, o shop.ProductionOrder, at time.Time) (claimed bool, err error) {
	doing := fmt.Sprintf("claiming to ask again for production order %s", o.ID)
	err = s.transaction(ctx, doing, func(conn *sql.Conn) error {
		claimed, err = changes(conn.ExecContext(ctx,
			`UPDATE production_order SET asks = asks + 1, asked_at = ?`+ifUnchanged,
			at.UTC(), o.ID[:], o.Asks, o.Received))
		if err != nil || !claimed || o.Asks > 1 { // the first repetition raises the notice
			return err
		}
		return raise(ctx, conn, shop.NoticeOrderOverdue, o, at)
	})
	return claimed && err == nil, err
}

// CloseOrder closes an order, and raises a notice if the order failed or came short.
func (s *Store) CloseOrder(
	ctx context.Context, o shop.ProductionOrder, status shop.OrderStatus, at time.Time,
) (closed bool, err error) {
	doing := fmt.Sprintf("closing production order %s as %s", o.ID, status)
	product, err := s.productID(ctx, doing, o.SKU)
	if err != nil {
		return false, err
	}
	err = s.withStock(ctx, doing, product, func(conn *sql.Conn, _ int) error {
		closed, err = changes(conn.ExecContext(ctx, `UPDATE production_order SET status = ?, closed_at = ?`+ifUnchanged,
			string(status), at.UTC(), o.ID[:], o.Asks, o.Received))
		if err != nil || !closed {
			return err
		}
		switch status {
		case shop.OrderFailed:
			err = raise(ctx, conn, shop.NoticeOrderFailed, o, at)
		case shop.OrderShort:
			err = raise(ctx, conn, shop.NoticeOrderShort, o, at)
		}
		if err != nil {
			return err
		}
		return move(ctx, conn, product, movement{at: at, correlation: o.Correlation}) // the floors
	})
	return closed && err == nil, err
}

// raise stores a notice about an order.
func raise(ctx context.Context, conn *sql.Conn, kind shop.NoticeKind, o shop.ProductionOrder, at time.Time) error {
	_, err := conn.ExecContext(ctx, `
		INSERT INTO notice (kind, subject_id, production_order_id, quantity, raised_at, due_at)
		VALUES (?, ?, ?, 0, ?, ?)`,
		string(kind), o.ID[:], o.ID[:], at.UTC(), at.UTC())
	return err
}
