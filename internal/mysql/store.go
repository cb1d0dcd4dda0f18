// Package mysql keeps the shop's data in MySQL or MariaDB.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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

// Checkout decides a checkout in one round trip. Afterwards either all of it is stored (the sale,
// the decrement, the ledger entry and the production order, if one is due), or nothing.
func (s *Store) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	if !mayBeSKU(c.SKU) {
		return shop.Decision{}, unknownProduct(c.SKU)
	}
	doing := fmt.Sprintf("checking out %d of %s", c.Quantity, c.SKU)
	plan, err := planAsJSON(c.Plan, c.Correlation)
	if err != nil {
		return shop.Decision{}, fmt.Errorf("%s: %w", doing, err)
	}
	a := answer{saleID: c.SaleID}
	err = s.call(ctx, row{"sale", "sale_id", c.SaleID}, &a, "CALL checkout(?, ?, ?, ?, ?, ?)",
		c.SaleID[:], c.SKU, c.Quantity, orNull(c.IdempotencyKey), c.At.UTC(), plan)
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
		d.ProductionOrder = a.productionOrder(c.Plan, c.SKU, c.At, c.Correlation)
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

// Replenish opens a production order if one is due, in one round trip.
func (s *Store) Replenish(ctx context.Context, r shop.Replenishment) (shop.Decision, error) {
	if !mayBeSKU(r.SKU) {
		return shop.Decision{}, unknownProduct(r.SKU)
	}
	doing := "replenishing " + r.SKU
	orderID, position, quantity := planAsParameters(r.Plan)
	var opens row
	if r.Plan != nil {
		opens = row{"production_order", "production_order_id", r.Plan.ProductionOrderID}
	}
	var a answer
	err := s.call(ctx, opens, &a, "CALL replenish(?, ?, ?, ?, ?, ?, ?)",
		r.SKU, r.ByHand, r.At.UTC(), orderID, position, quantity, r.Correlation)
	if err != nil {
		return shop.Decision{}, failed(doing, err)
	}
	d := shop.Decision{Position: a.stock, Opened: a.opened, Policy: a.policy}
	if d.Opened {
		d.ProductionOrder = a.productionOrder(r.Plan, r.SKU, r.At, r.Correlation)
	}
	switch a.outcome {
	case "settled":
		d.Outcome = shop.Settled
	case "open":
		d.Outcome = shop.AlreadyOnOrder
	case "undecided":
		d.Outcome = shop.Undecided
	case "unknown":
		return d, unknownProduct(r.SKU)
	default:
		return d, fmt.Errorf("%s: the database answered %q", doing, a.outcome)
	}
	return d, nil
}

// Adjust books an adjustment in one round trip.
func (s *Store) Adjust(ctx context.Context, a shop.Adjustment) (shop.Adjusted, error) {
	if !mayBeSKU(a.SKU) {
		return shop.Adjusted{}, unknownProduct(a.SKU)
	}
	doing := fmt.Sprintf("adjusting %s by %d", a.SKU, a.Quantity)
	var answered answer
	err := s.call(ctx, row{"adjustment", "adjustment_id", a.ID}, &answered, "CALL adjust_stock(?, ?, ?, ?, ?, ?)",
		a.ID[:], a.SKU, a.Quantity, a.Reason, orNull(a.IdempotencyKey), a.At.UTC())
	if err != nil {
		return shop.Adjusted{}, failed(doing, err)
	}
	adjusted := shop.Adjusted{Stock: answered.stock}
	switch answered.outcome {
	case "adjusted":
	case "repeated":
		adjusted.Repeated = true
	case "refused":
		adjusted.Refused = true
	case "unknown":
		return adjusted, unknownProduct(a.SKU)
	case "key_reused":
		return adjusted, &shop.Error{Code: shop.CodeIdempotencyKeyReused, Detail: fmt.Sprintf(
			"the idempotency key belongs to another adjustment than %d of %s for this reason: "+
				"all products share one set of keys, send a new UUID for each adjustment", a.Quantity, a.SKU)}
	default:
		return adjusted, fmt.Errorf("%s: the database answered %q", doing, answered.outcome)
	}
	return adjusted, nil
}
