package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Plan is a production order that the store opens only if the stock position is still the one
// that the plan was made for.
//
// [Policy] computes the quantity here, and the store opens the order in the database. No
// transaction stays open while the shop computes. If a checkout reaches the reorder point without a
// plan for the position, the store rolls the checkout back and returns the position. The shop makes
// a plan and asks the store again.
type Plan struct {
	ProductionOrderID uuid.UUID
	AnyPosition       bool // a person chose the quantity; the position does not matter
	Position          int
	Quantity          int // 0: open no order
}

// A Replenishment asks the store to open a production order for a product, if one is due.
type Replenishment struct {
	SKU    string
	ByHand bool // a person asks, so the store does not check whether an order is due
	At     time.Time
	Plan   *Plan // nil until the store asks for one: see Undecided
	// Correlation is stored with the production order that the store opens. See [WithCorrelation].
	Correlation string
}

// An Outcome is the result of a checkout or of a replenishment.
type Outcome int

// The outcomes.
const (
	// Undecided means that nothing changed: a production order is due, and the request has no plan
	// for the stock position. The caller makes a plan and asks the store again.
	Undecided Outcome = iota

	Sold    // checkout
	Refused // checkout: too little is on hand

	Settled        // replenishment: an order was opened, or none is due
	AlreadyOnOrder // replenishment: an order is open
)

// A Decision is the store's answer to a checkout or a replenishment.
type Decision struct {
	Outcome Outcome
	Sale    Sale // of a checkout

	// Opened says whether the call opened ProductionOrder.
	Opened          bool
	ProductionOrder ProductionOrder

	// For Undecided: what the shop needs to make a plan.
	Position int
	Policy   Policy
}

// maxRounds bounds how often the shop asks the store again because the stock changed after the plan
// was made. Two rounds are normal. A third one happens if goods arrive in the same millisecond.
const maxRounds = 10

// plan makes a plan for the position that the store found.
func (s *Shop) plan(d Decision) (*Plan, error) {
	id, err := s.NewID()
	if err != nil {
		return nil, fmt.Errorf("making a production order id: %w", err)
	}
	return &Plan{ProductionOrderID: id, Position: d.Position, Quantity: d.Policy.OrderQuantity(d.Position)}, nil
}

// replenish opens a production order and publishes it, unless one is open. If quantity is 0, the
// policy decides whether to order, and how much. Else replenish orders exactly quantity.
func (s *Shop) replenish(ctx context.Context, r Replenishment, quantity int) (Decision, error) {
	r.At, r.Correlation = s.now(), Correlation(ctx)
	if quantity > 0 {
		id, err := s.NewID()
		if err != nil {
			return Decision{}, fmt.Errorf("making a production order id: %w", err)
		}
		r.Plan = &Plan{ProductionOrderID: id, AnyPosition: true, Quantity: quantity}
	}
	for range maxRounds {
		d, err := s.Store.Replenish(ctx, r)
		if err != nil {
			return Decision{}, err
		}
		if d.Outcome != Undecided {
			if d.Opened {
				s.opened(ctx, d.ProductionOrder)
			}
			return d, nil
		}
		if r.Plan, err = s.plan(d); err != nil {
			return Decision{}, err
		}
	}
	return Decision{}, fmt.Errorf("replenishing %s: the stock changed %d times while the production order was planned",
		r.SKU, maxRounds)
}

// check opens a production order if a product is short, and returns it; zero if it opened none. The
// caller has changed the product's stock or policy. check reports a failure to the journal only,
// because the change is stored, and the next sweep checks every product.
func (s *Shop) check(ctx context.Context, sku string) ProductionOrder {
	d, err := s.replenish(ctx, Replenishment{SKU: sku}, 0)
	if err != nil {
		s.Journal.NotReplenished(ctx, sku, err)
	}
	return d.ProductionOrder
}

// opened publishes a production order that was just opened. It reports a failure to the journal
// only, because the sale and the order are stored, and a later sweep publishes the order.
func (s *Shop) opened(ctx context.Context, o ProductionOrder) {
	s.Journal.Opened(ctx, o)
	if err := s.publish(ctx, o); err != nil {
		s.Journal.NotPublished(ctx, o, err)
	}
}

// publishTimeout limits the publication of an order. It is much less than a function's timeout, so
// time is left to mark the order as published. A sweep would publish an unmarked order again.
const publishTimeout = 3 * time.Second

// publish sends the message of a production order, and marks the order as published.
func (s *Shop) publish(ctx context.Context, o ProductionOrder) error {
	publishing, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := s.Publisher.Publish(publishing, o); err != nil {
		return fmt.Errorf("publishing production order %s: %w", o.ID, err)
	}
	s.Journal.Published(ctx, o)
	if err := s.Store.MarkPublished(ctx, o.ID, s.now()); err != nil {
		return fmt.Errorf("production order %s was published, and may be again: %w", o.ID, err)
	}
	return nil
}
