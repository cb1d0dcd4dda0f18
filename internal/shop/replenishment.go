package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Plan is the production order to open if, and only if, the stock position is still the one it was made for.
//
// The rule that says what to order lives here and not in the database, and yet no transaction waits for it: the store
// undoes what falls to the reorder point without a plan, tells the position, and is asked again.
type Plan struct {
	ProductionOrderID uuid.UUID
	AnyPosition       bool // a person has said how many: the position is of no concern
	Position          int
	Quantity          int // 0: order nothing
}

// A Replenishment checks a product: whether it is time to order, and how much.
type Replenishment struct {
	SKU    string
	ByHand bool // a person wants it, whatever the policy says of the moment
	At     time.Time
	Plan   *Plan // nil the first time
	// Correlation is kept with the production order that opens. See [WithCorrelation].
	Correlation string
}

// An Outcome is what became of a checkout, or of a replenishment.
type Outcome int

const (
	// Undecided means that nothing was done: a production order is due, and there is no plan for the position.
	Undecided Outcome = iota

	Sold    // of a checkout
	Refused // of a checkout: too little is on hand

	Settled        // of a replenishment: what was due is done, or nothing was
	AlreadyOnOrder // of a replenishment: an order is open
)

// A Decision is the store's answer to a checkout or a replenishment.
type Decision struct {
	Outcome Outcome
	Sale    Sale // of a checkout

	// Opened says that ProductionOrder was opened.
	Opened          bool
	ProductionOrder ProductionOrder

	// What a plan is made from, where none was at hand.
	Position int
	Policy   Policy
}

// maxRounds bounds how often the store is asked again because the world moved between a decision
// and the plan made for it. Two rounds are the rule; a third takes a delivery in the same millisecond.
const maxRounds = 10

// plan says what to order at the position that the store found.
func (s *Shop) plan(d Decision) (*Plan, error) {
	id, err := s.NewID()
	if err != nil {
		return nil, fmt.Errorf("making a production order id: %w", err)
	}
	return &Plan{ProductionOrderID: id, Position: d.Position, Quantity: d.Policy.OrderQuantity(d.Position)}, nil
}

// replenish opens a production order where one is due, and publishes it. By hand, a quantity other than 0 is ordered as it is.
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
	return Decision{}, fmt.Errorf("replenishing %s: the stock changed %d times while the production order was planned", r.SKU, maxRounds)
}

// check looks whether a product is short, after its stock or its policy changed. Failures are for the journal alone: what was done
// stands, and the next sweep checks every product.
func (s *Shop) check(ctx context.Context, sku string) {
	if _, err := s.replenish(ctx, Replenishment{SKU: sku}, 0); err != nil {
		s.Journal.NotReplenished(ctx, sku, err)
	}
}

// opened publishes a production order that was just opened. Failures are for the journal alone: the sale stands, and the production
// order, which is its own outbox, is published by a sweep.
func (s *Shop) opened(ctx context.Context, o ProductionOrder) {
	s.Journal.Opened(ctx, o)
	if err := s.publish(ctx, o); err != nil {
		s.Journal.NotPublished(ctx, o, err)
	}
}

// publishTimeout leaves time, of a request's, to mark what was published: what is not marked is published again.
const publishTimeout = 3 * time.Second

// publish sends a production order's message, and marks it sent.
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
