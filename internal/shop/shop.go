// Package shop is the business: products, sales, production orders, the stock ledger and their rules.
// It imports nothing of the project, and knows neither SQL nor AWS.
package shop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Currency is the ISO 4217 code of all prices. The won has no minor unit: a price is a number of won.
const Currency = "KRW"

// MaxQuantity is the most that one sale or one delivery may count.
const MaxQuantity = 1<<31 - 1

// A Product is what the shop sells.
type Product struct {
	ID    uuid.UUID
	SKU   string
	Name  string
	Price int64 // in the minor unit of Currency
	Stock int   // on hand
}

// A Store keeps the shop's data. Each method is all there or not at all.
//
// Its errors are *Error where the business has a name for them, else what went wrong.
type Store interface {
	// Products lists all products, by SKU.
	Products(context.Context) ([]Product, error)
	// Product finds one product. Unknown: CodeUnknownProduct.
	Product(ctx context.Context, sku string) (Product, error)
	// Checkout decides a checkout in one transaction.
	Checkout(context.Context, Checkout) (Decision, error)
	// Receive books a delivery in one transaction, once per attempt.
	Receive(context.Context, Delivery) (Receipt, error)
	// Unpublished lists the open production orders whose message was not sent, and that were opened before a time.
	Unpublished(ctx context.Context, openedBefore time.Time) ([]ProductionOrder, error)
	// MarkPublished notes that a production order's message was sent.
	MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error
	// OpenedBefore lists the production orders that are open, and were opened before a time, oldest first.
	OpenedBefore(context.Context, time.Time) ([]ProductionOrder, error)
	// Balances holds every product's stock against its ledger, by SKU.
	Balances(context.Context) ([]Balance, error)
}

// A Publisher tells the world that a product needs to be made.
type Publisher interface {
	Publish(context.Context, ProductionOrder) error
}

// A Shop sells, and orders what runs short. All fields are needed, but the publisher where nothing is sold.
type Shop struct {
	Store     Store
	Publisher Publisher
	Now       func() time.Time
	NewID     func() (uuid.UUID, error) // UUIDv7: ids sort by time
	Journal   Journal
}

// Open makes a shop that runs on the real clock.
func Open(store Store, publisher Publisher, journal Journal) *Shop {
	return &Shop{Store: store, Publisher: publisher, Now: time.Now, NewID: uuid.NewV7, Journal: journal}
}

// maxCheckoutRounds bounds how often the store is asked again because the world moved between a decision
// and the plan made for it. Two rounds are the rule; a third takes a delivery in the same millisecond.
const maxCheckoutRounds = 10

// Buy sells a quantity of a product, or refuses. It opens a production order when the stock position falls to the
// reorder point, and publishes it; a message that could not be sent is left to [Shop.PublishPending].
//
// Errors: CodeInvalidQuantity, CodeInvalidIdempotencyKey, CodeUnknownProduct, CodeOutOfStock, CodeIdempotencyKeyReused.
// CodeOutOfStock comes with what is on hand, in the Sale.
func (s *Shop) Buy(ctx context.Context, order Order) (Sale, error) {
	if err := order.validate(); err != nil {
		return Sale{}, err
	}
	saleID, err := s.NewID()
	if err != nil {
		return Sale{}, fmt.Errorf("making a sale id: %w", err)
	}
	checkout := Checkout{SaleID: saleID, Order: order, At: s.Now(), Correlation: Correlation(ctx)}
	for range maxCheckoutRounds {
		decision, err := s.Store.Checkout(ctx, checkout)
		if err != nil {
			return Sale{}, err
		}
		if decision.Outcome == Undecided {
			if checkout.Plan, err = s.plan(decision); err != nil {
				return Sale{}, err
			}
			continue
		}
		if decision.Outcome == Refused {
			s.Journal.Refused(ctx, decision.Sale)
			err = &Error{Code: CodeOutOfStock, Detail: fmt.Sprintf("%d of %s are asked for, %d are on hand", order.Quantity, order.SKU, decision.Sale.Stock)}
		} else {
			s.Journal.Sold(ctx, decision.Sale)
		}
		if decision.Opened {
			s.opened(ctx, decision.ProductionOrder)
		}
		return decision.Sale, err
	}
	return Sale{}, fmt.Errorf("checking out %d of %s: the stock changed %d times while the production order was planned", order.Quantity, order.SKU, maxCheckoutRounds)
}

// plan says what to order at the position that the store found.
func (s *Shop) plan(d Decision) (*Plan, error) {
	id, err := s.NewID()
	if err != nil {
		return nil, fmt.Errorf("making a production order id: %w", err)
	}
	return &Plan{ProductionOrderID: id, Position: d.Position, Quantity: d.Policy.OrderQuantity(d.Position)}, nil
}

// opened publishes a production order that a checkout opened. Failures are for the journal alone: the sale stands, and the production
// order, which is its own outbox, is published by the next sweep.
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
	if err := s.Store.MarkPublished(ctx, o.ID, s.Now()); err != nil {
		return fmt.Errorf("production order %s was published, and will be again: %w", o.ID, err)
	}
	return nil
}

// publishGrace is how long a checkout may take to publish what it opened before the sweep takes over.
const publishGrace = 30 * time.Second

// PublishPending sends the messages of production orders that no checkout has sent, and says how many it sent.
// One that fails does not keep the others.
func (s *Shop) PublishPending(ctx context.Context) (sent int, err error) {
	orders, err := s.Store.Unpublished(ctx, s.Now().Add(-publishGrace))
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, o := range orders {
		if err := s.publish(WithCorrelation(ctx, o.Correlation), o); err != nil {
			errs = append(errs, err)
			continue
		}
		sent++
	}
	return sent, errors.Join(errs...)
}

// Receive books a delivery of the factory: its quantity becomes stock, once per attempt however often it is told.
//
// Errors: CodeInvalidQuantity, CodeUnknownOrder, CodeProductMismatch.
func (s *Shop) Receive(ctx context.Context, d Delivery) (Receipt, error) {
	if err := validateQuantity(d.Quantity); err != nil {
		return Receipt{}, err
	}
	d.At = s.Now()
	receipt, err := s.Store.Receive(ctx, d)
	if err != nil {
		return Receipt{}, err
	}
	s.Journal.Received(ctx, d, receipt)
	return receipt, nil
}
