package shop

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// An OrderStatus says what has become of a production order.
type OrderStatus string

const (
	OrderOpen      OrderStatus = "open"
	OrderReceived  OrderStatus = "received"  // all of it came
	OrderShort     OrderStatus = "short"     // some of it came, and the rest was given up
	OrderFailed    OrderStatus = "failed"    // nothing came, and it was given up
	OrderCancelled OrderStatus = "cancelled" // by a person
)

// OrderStatuses are all.
var OrderStatuses = []OrderStatus{OrderOpen, OrderReceived, OrderShort, OrderFailed, OrderCancelled}

// A ProductionOrder asks a factory for a quantity of a product. At most one a product is open.
// It is its own outbox: stored with the sale that needs it, published after.
type ProductionOrder struct {
	ID       uuid.UUID
	SKU      string
	Quantity int
	Received int    // of it so far; after a surplus, more than Quantity
	Factory  string // the factory's identifier
	Status   OrderStatus
	// Asks is how often the factory was asked, or was about to be: each publication of the message is an ask.
	Asks        int
	OpenedAt    time.Time
	AskedAt     time.Time // the last time
	PublishedAt time.Time // the first time that the message was sent; zero: it was not yet
	ClosedAt    time.Time // zero while the order is open
	// LeadTime is what the product's policy says now.
	LeadTime time.Duration
	// Correlation is the id of the request that opened the order, empty where none is known. See [WithCorrelation].
	Correlation string
}

// maxAsks is how often the factory is asked for one production order before it is given up.
const maxAsks = 4

// PatienceEnds is when an order that was published has waited long enough since the factory was asked last: twice the lead time, and
// each time that it is asked again twice as long.
func (o ProductionOrder) PatienceEnds() time.Time {
	return o.AskedAt.Add(2 * o.LeadTime << max(o.Asks-1, 0))
}

// AskExpires is until when the factory may be asked with the message of the last ask: one lead time before PatienceEnds.
// A factory that is asked before then, and keeps its lead time, delivers before the sweep asks again or closes the order.
// So an order is made twice only if the factory is late. Example, with a lead time of one minute: the first ask is valid
// for 1 minute and the sweep asks again after 2; the second ask is valid for 3 minutes and the sweep asks again after 4.
//
// The sweep writes this time, and the function stock reads it on another machine. AWS keeps the clocks of both within
// milliseconds, and a lead time is a second or more.
func (o ProductionOrder) AskExpires() time.Time { return o.PatienceEnds().Add(-o.LeadTime) }

// Overdue reports whether an order that is open at a time should have been received: it opened more than two lead times before.
func (o ProductionOrder) Overdue(now time.Time) bool {
	return now.After(o.OpenedAt.Add(2 * o.LeadTime))
}

// An OrderStore keeps production orders. Several callers may claim the same order at once; one of them gets it.
type OrderStore interface {
	// Replenish opens a production order in one transaction, if one is due.
	Replenish(context.Context, Replenishment) (Decision, error)
	// ProductionOrders lists production orders, newest first.
	ProductionOrders(context.Context, OrderFilter) ([]ProductionOrder, error)
	// ProductionOrder finds one production order. Errors: CodeUnknownOrder.
	ProductionOrder(context.Context, uuid.UUID) (ProductionOrder, error)
	// OpenOrders lists the open production orders, oldest first.
	OpenOrders(context.Context) ([]ProductionOrder, error)
	// Short lists the SKUs of the automatic products whose stock is at the reorder point or below it, and that have no
	// open production order.
	Short(context.Context) ([]string, error)
	// ClaimAsk makes the caller the one that asks the factory again. It fails if the order is not open any more, or if
	// Asks or Received have changed since o was read. The first claim raises the notice that the order is overdue.
	ClaimAsk(ctx context.Context, o ProductionOrder, at time.Time) (bool, error)
	// CloseOrder closes an order, and raises a notice if the order failed or came short. It fails as ClaimAsk does.
	CloseOrder(ctx context.Context, o ProductionOrder, status OrderStatus, at time.Time) (bool, error)
}

// An Outbox records which production orders were published.
type Outbox interface {
	// ClaimPublication makes the caller the one that publishes an order. It fails if the order is not open any more, was
	// published, or if AskedAt has changed since o was read: another caller claimed it.
	ClaimPublication(ctx context.Context, o ProductionOrder, at time.Time) (bool, error)
	// MarkPublished records when a production order's message was sent. The first time stays.
	MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error
}

// A Publisher publishes that a product needs to be made.
type Publisher interface {
	Publish(context.Context, ProductionOrder) error
}

// An OrderFilter says which production orders to list.
type OrderFilter struct {
	SKU    string      // empty: of every product
	Status OrderStatus // empty: whatever became of them
	After  uuid.UUID   // the last one of the page before; zero: from the newest
	Limit  int         // 0: DefaultPage
}

// ProductionOrders lists a page of production orders, newest first, and reports whether more follow.
//
// Errors: CodeInvalidRequest, CodeUnknownProduct.
func (s *Shop) ProductionOrders(ctx context.Context, f OrderFilter) (orders []ProductionOrder, more bool, err error) {
	if f.Status != "" && !slices.Contains(OrderStatuses, f.Status) {
		return nil, false, refuse(CodeInvalidRequest, fmt.Sprintf("the status is %.40q, it must be one of %v", f.Status, OrderStatuses))
	}
	if f.SKU != "" {
		if _, err := s.Store.Product(ctx, f.SKU); err != nil {
			return nil, false, err
		}
	}
	return paged(f.Limit, func(limit int) ([]ProductionOrder, error) {
		f.Limit = limit
		return s.Store.ProductionOrders(ctx, f)
	})
}

// ProductionOrder finds one production order. Unknown: CodeUnknownOrder.
func (s *Shop) ProductionOrder(ctx context.Context, id uuid.UUID) (ProductionOrder, error) {
	return s.Store.ProductionOrder(ctx, id)
}

// OpenOrder opens a production order by hand, whatever the stock position, also of a product that is not automatic. Quantity 0 is what
// the policy suggests.
//
// Errors: CodeInvalidQuantity (also where nothing is suggested), CodeUnknownProduct, CodeOrderOpen.
func (s *Shop) OpenOrder(ctx context.Context, sku string, quantity int) (ProductionOrder, error) {
	if quantity != 0 {
		if err := validateQuantity(quantity, MaxQuantity); err != nil {
			return ProductionOrder{}, err
		}
	}
	d, err := s.replenish(ctx, Replenishment{SKU: sku, ByHand: true}, quantity)
	switch {
	case err != nil:
		return ProductionOrder{}, err
	case d.Outcome == AlreadyOnOrder:
		return ProductionOrder{}, refuse(CodeOrderOpen, fmt.Sprintf("a production order of %s is open: cancel it first, or wait for it", sku))
	case !d.Opened:
		return ProductionOrder{}, refuse(CodeInvalidQuantity, fmt.Sprintf("nothing of %s is short: say how many to order", sku))
	}
	o, err := s.Store.ProductionOrder(ctx, d.ProductionOrder.ID)
	if err != nil {
		return ProductionOrder{}, done(fmt.Sprintf("production order %s was opened", d.ProductionOrder.ID), err)
	}
	return o, nil
}

// CancelOrder closes an open production order. The factory is not told, it cannot be: what it delivers later is booked, and reported.
// If the product is automatic and short, the next check orders again.
//
// Errors: CodeUnknownOrder, CodeOrderNotOpen.
func (s *Shop) CancelOrder(ctx context.Context, id uuid.UUID) (ProductionOrder, error) {
	for range maxRounds {
		o, err := s.Store.ProductionOrder(ctx, id)
		if err != nil {
			return ProductionOrder{}, err
		}
		if o.Status != OrderOpen {
			return o, refuse(CodeOrderNotOpen, fmt.Sprintf("production order %s is not open, it is %s", id, o.Status))
		}
		at := s.now()
		closed, err := s.Store.CloseOrder(ctx, o, OrderCancelled, at)
		if err != nil {
			return ProductionOrder{}, err
		}
		if closed {
			o.Status, o.ClosedAt = OrderCancelled, at
			s.Journal.OrderCancelled(ctx, o)
			return o, nil
		}
		// It was received in part, or asked again, since it was read.
	}
	return ProductionOrder{}, fmt.Errorf("cancelling production order %s: it changed %d times meanwhile", id, maxRounds)
}
