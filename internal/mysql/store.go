// Package mysql keeps the shop's data in MySQL or MariaDB.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"restock/internal/ads"
	"restock/internal/shop"
)

// A Store is a shop.Store and an ads.Store. Package migrate makes its schema.
type Store struct{ db *sql.DB }

var (
	_ shop.Store = (*Store)(nil)
	_ ads.Store  = (*Store)(nil)
)

// NewStore returns a store that keeps its data in a database that [Open] opened.
func NewStore(db *sql.DB) *Store { return &Store{db} }

// Checkout decides a checkout in one round trip. Afterwards either all of it is stored (the
// decrement, the movement and the production order, if one is due), or nothing.
func (s *Store) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	if !mayBeSKU(c.SKU) {
		return shop.Decision{}, unknownProduct(c.SKU)
	}
	doing := fmt.Sprintf("checking out %d of %s", c.Quantity, c.SKU)
	plan, err := planAsJSON(c.Plan)
	if err != nil {
		return shop.Decision{}, fmt.Errorf("%s: %w", doing, err)
	}
	a := answer{saleID: c.SaleID}
	err = s.sell(ctx, &a, c.IdempotencyKey,
		c.SaleID[:], c.SKU, c.Quantity, orNull(c.IdempotencyKey), c.At.UTC(), c.Correlation, plan)
	if errors.Is(err, sql.ErrNoRows) {
		return shop.Decision{}, unknownProduct(c.SKU)
	}
	if err != nil {
		return shop.Decision{}, failed(doing, err)
	}
	d := shop.Decision{
		Sale:   shop.Sale{ID: a.saleID, SKU: c.SKU, Quantity: c.Quantity, UnitPrice: a.unitPrice, Stock: a.stock},
		Opened: a.opened, Policy: a.policy,
	}
	if d.Opened {
		d.ProductionOrder = opened(c.Plan, c.SKU, a.factory, a.policy, c.At, c.Correlation)
	}
	switch a.outcome {
	case "sold":
		d.Outcome = shop.Sold
	case "repeated":
		d.Outcome, d.Sale.Repeated = shop.Sold, true
	case "refused":
		d.Outcome = shop.Refused
		if !a.askedAt.IsZero() {
			d.Sale.ExpectedAt = a.askedAt.Add(a.policy.LeadTime)
		}
	case "undecided":
		d.Outcome, d.Position, d.Policy.Automatic = shop.Undecided, a.stock, true
	case "over_limit":
		return d, &shop.Error{Code: shop.CodeInvalidQuantity, Detail: fmt.Sprintf(
			"the quantity is %d, of %s it must be from 1 to %d", c.Quantity, c.SKU, a.maxPerSale)}
	case "key_reused":
		return d, &shop.Error{Code: shop.CodeIdempotencyKeyReused, Detail: fmt.Sprintf(
			"the idempotency key belongs to another purchase than %d of %s: "+
				"all products and buyers share one set of keys, send a new UUID for each purchase", c.Quantity, c.SKU)}
	default:
		return d, fmt.Errorf("%s: the database answered %q", doing, a.outcome)
	}
	return d, nil
}

// Replenish opens a production order if one is due. Most calls find that none is, and lock nothing:
// whoever changes what they have read checks the product afterwards.
func (s *Store) Replenish(ctx context.Context, r shop.Replenishment) (d shop.Decision, err error) {
	p, err := s.Product(ctx, r.SKU)
	if err != nil {
		return d, err
	}
	if !p.ArchivedAt.IsZero() && r.ByHand {
		return d, productArchived(r.SKU)
	}
	if d = replenish(p, r); d.Outcome != shop.Undecided && !d.Opened {
		return d, nil
	}
	err = s.withStock(ctx, "replenishing "+r.SKU, p.ID, func(conn *sql.Conn, _ int) error {
		p, err := scanProduct(conn.QueryRowContext(ctx, selectProducts+` WHERE p.product_id = ?`, p.ID[:]).Scan)
		if err != nil {
			return err
		}
		if !p.ArchivedAt.IsZero() && r.ByHand {
			return productArchived(r.SKU)
		}
		if d = replenish(p, r); !d.Opened {
			return nil
		}
		// The order would lock the product's row shared, and move changes it.
		_, err = conn.ExecContext(ctx, `SELECT 1 FROM product WHERE product_id = ? FOR UPDATE`, p.ID[:])
		if err != nil {
			return err
		}
		o := d.ProductionOrder
		_, err = conn.ExecContext(ctx, `
			INSERT INTO production_order (production_order_id, product_id, factory_id, quantity,
			                              opened_at, asked_at, correlation)
			SELECT ?, ?, f.factory_id, ?, ?, ?, ? FROM factory f WHERE f.identifier = ?`,
			o.ID[:], p.ID[:], o.Quantity, o.OpenedAt.UTC(), o.AskedAt.UTC(), o.Correlation, o.Factory)
		if err != nil {
			return err
		}
		return move(ctx, conn, p.ID, movement{at: r.At, correlation: r.Correlation}) // the floors
	})
	return d, err
}

// replenish decides a replenishment of a product.
func replenish(p shop.Product, r shop.Replenishment) shop.Decision {
	d := shop.Decision{Position: p.Stock, Policy: p.Policy}
	short := p.Policy.Automatic && p.Stock <= p.Policy.ReorderPoint
	switch {
	case p.OnOrder > 0:
		d.Outcome = shop.AlreadyOnOrder
	case !short && !r.ByHand:
		d.Outcome = shop.Settled
	case r.Plan == nil || !r.Plan.AnyPosition && r.Plan.Position != p.Stock:
		d.Outcome = shop.Undecided
	default:
		d.Outcome = shop.Settled
		if d.Opened = r.Plan.Quantity > 0; d.Opened {
			d.ProductionOrder = opened(r.Plan, p.SKU, p.Factory, p.Policy, r.At, r.Correlation)
		}
	}
	return d
}

// opened returns the production order that a call opened by a plan.
func opened(
	p *shop.Plan, sku, factory string, policy shop.Policy, at time.Time, correlation string,
) shop.ProductionOrder {
	return shop.ProductionOrder{
		ID: p.ProductionOrderID, SKU: sku, Quantity: p.Quantity, Factory: factory, Status: shop.OrderOpen, Asks: 1,
		OpenedAt: at, AskedAt: at, LeadTime: policy.LeadTime, Correlation: correlation,
	}
}
