package shop

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// An OrderStatus is the state of a production order.
type OrderStatus string

// The states of a production order. All but OrderOpen are final.
const (
	OrderOpen      OrderStatus = "open"
	OrderReceived  OrderStatus = "received"  // everything came
	OrderShort     OrderStatus = "short"     // a part came; the shop gave up on the rest
	OrderFailed    OrderStatus = "failed"    // nothing came; the shop gave up
	OrderCancelled OrderStatus = "cancelled" // a person cancelled it
)

// OrderStatuses lists all states.
var OrderStatuses = []OrderStatus{OrderOpen, OrderReceived, OrderShort, OrderFailed, OrderCancelled}

// A ProductionOrder asks a factory for a quantity of a product. A product has at most one open
// order. The order is its own outbox: the store keeps it in the same transaction as the sale that
// needs it, and the shop publishes it afterwards.
type ProductionOrder struct {
	ID       uuid.UUID
	SKU      string
	Quantity int
	Received int    // so far; may exceed Quantity
	Factory  string // the factory's identifier
	Status   OrderStatus
	// Asks counts the requests to the factory. Each publication of the message counts as one.
	Asks        int
	OpenedAt    time.Time
	AskedAt     time.Time // the time of the last request
	PublishedAt time.Time // when the message was first sent; zero: not yet
	ClosedAt    time.Time // zero while the order is open
	// LeadTime is the lead time in the product's policy now.
	LeadTime time.Duration
	// Correlation is the id of the request that opened the order, empty if it is not known. See
	// [WithCorrelation].
	Correlation string
}

// maxAsks is how often the shop asks the factory for an order before it gives up.
const maxAsks = 4

// PatienceEnds returns when the shop stops waiting for a published order, and asks again or gives
// up. After the first request it waits twice the lead time, and after each further request twice as
// long as before.
func (o ProductionOrder) PatienceEnds() time.Time {
	return o.AskedAt.Add(2 * o.LeadTime << max(o.Asks-1, 0))
}

// AskExpires returns when the message of the last request expires: one lead time before
// PatienceEnds. A factory that gets the message before then, and keeps its lead time, delivers
// before the sweep asks again or closes the order. So an order is made twice only if the factory is
// late.
//
// Example, with a lead time of one minute: the first message is valid for 1 minute, and the sweep
// asks again after 2; the second message is valid for 3 minutes, and the sweep asks again after 4.
//
// The sweep computes this time, and the function stock compares it with its own clock on another
// machine. AWS keeps the clocks of both within milliseconds, and a lead time is a second or more.
func (o ProductionOrder) AskExpires() time.Time { return o.PatienceEnds().Add(-o.LeadTime) }

// A Step is what a sweep does next with an open production order.
type Step int

// The steps of a sweep.
const (
	Wait     Step = iota // the function that opened the order, or the factory, still has time
	Publish              // nobody has recorded that the message was sent
	AskAgain             // the factory has delivered nothing in time
	GiveUp               // the factory was asked often enough, or a part of the order came
)

// Next returns what a sweep does now with an open order.
func (o ProductionOrder) Next(now time.Time) Step {
	switch {
	case o.PublishedAt.IsZero() && now.Before(o.AskedAt.Add(grace)):
		return Wait
	case o.PublishedAt.IsZero():
		return Publish
	case !now.After(o.PatienceEnds()):
		return Wait
	case o.Received == 0 && o.Asks < maxAsks:
		return AskAgain
	}
	return GiveUp
}

// GivenUp returns the status of an order on which the shop gives up.
func (o ProductionOrder) GivenUp() OrderStatus {
	if o.Received > 0 {
		return OrderShort
	}
	return OrderFailed
}

// Overdue reports whether an open order should have been received by now: it was opened more than
// two lead times ago.
func (o ProductionOrder) Overdue(now time.Time) bool {
	return now.After(o.OpenedAt.Add(2 * o.LeadTime))
}

// An OrderStore keeps production orders. Several callers may claim the same order at once; one of
// them gets it.
type OrderStore interface {
	// Replenish opens a production order in one transaction, if one is due.
	Replenish(context.Context, Replenishment) (Decision, error)
	// ProductionOrders lists production orders, newest first.
	ProductionOrders(context.Context, OrderFilter) ([]ProductionOrder, error)
	// ProductionOrder finds one production order. Errors: CodeUnknownOrder.
	ProductionOrder(context.Context, uuid.UUID) (ProductionOrder, error)
	// OpenOrders lists the open production orders, oldest first.
	OpenOrders(context.Context) ([]ProductionOrder, error)
	// Short lists the SKUs of the automatic products whose stock is at the reorder point or below
	// it, and that have no open production order.
	Short(context.Context) ([]string, error)
	// ClaimAsk makes the caller the one that asks the factory again. It fails if the order is not
	// open any more, or if Asks or Received have changed since o was read. The first claim raises
	// the notice that the order is overdue.
	ClaimAsk(ctx context.Context, o ProductionOrder, at time.Time) (bool, error)
	// CloseOrder closes an order, and raises a notice if the order failed or came short. It fails
	// as ClaimAsk does.
	CloseOrder(ctx context.Context, o ProductionOrder, status OrderStatus, at time.Time) (bool, error)
}

// An Outbox records which production orders were published.
type Outbox interface {
	// ClaimPublication makes the caller the one that publishes an order. It fails if the order is
	// not open any more, was published, or if AskedAt has changed since o was read: another caller
	// claimed it.
	ClaimPublication(ctx context.Context, o ProductionOrder, at time.Time) (bool, error)
	// MarkPublished records when a production order's message was sent. The first time stays.
	MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error
}

// A Publisher publishes that a product needs to be made.
type Publisher interface {
	Publish(context.Context, ProductionOrder) error
}

// An OrderFilter selects production orders, and a page of them.
type OrderFilter struct {
	SKU    string      // empty: all products
	Status OrderStatus // empty: all states
	After  uuid.UUID   // the last order of the previous page; zero: start with the newest
	Limit  int         // 0: DefaultPage
	// IDPrefix is the beginning of the orders' ids, as text with or without dashes; empty: any.
	IDPrefix string
}

// IDs returns the first and the last id that begin with the prefix. ok is false if no id can.
func (f OrderFilter) IDs() (first, last uuid.UUID, ok bool) {
	digits := strings.ReplaceAll(f.IDPrefix, "-", "")
	missing := 2*len(first) - len(digits)
	if missing < 0 || digits == "" && f.IDPrefix != "" {
		return first, last, false
	}
	first, errFirst := uuid.Parse(digits + strings.Repeat("0", missing))
	last, errLast := uuid.Parse(digits + strings.Repeat("f", missing))
	return first, last, errFirst == nil && errLast == nil
}

// ProductionOrders lists a page of production orders, newest first, and reports whether more
// follow.
//
// Errors: CodeInvalidRequest, CodeUnknownProduct.
func (s *Shop) ProductionOrders(ctx context.Context, f OrderFilter) (orders []ProductionOrder, more bool, err error) {
	if f.Status != "" && !slices.Contains(OrderStatuses, f.Status) {
		return nil, false, refuse(CodeInvalidRequest,
			fmt.Sprintf("the status is %.40q, it must be one of %v", f.Status, OrderStatuses))
	}
	if _, _, ok := f.IDs(); !ok {
		return nil, false, refuse(CodeInvalidRequest,
			fmt.Sprintf("%.40q is not the beginning of an id like 0188d6a8-f000-7000-8000-00000000cb01", f.IDPrefix))
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

// ProductionOrder finds one production order. Errors: CodeUnknownOrder.
func (s *Shop) ProductionOrder(ctx context.Context, id uuid.UUID) (ProductionOrder, error) {
	return s.Store.ProductionOrder(ctx, id)
}

// OpenOrder opens a production order by hand, whatever the stock position, also for a product that
// is not automatic. If quantity is 0, OpenOrder orders what the policy suggests.
//
// Errors: CodeInvalidQuantity (also if quantity is 0 and nothing is suggested), CodeUnknownProduct,
// CodeOrderOpen.
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
		return ProductionOrder{}, &Error{Code: CodeOrderOpen,
			Detail:   fmt.Sprintf("a production order of %s is open: cancel it first, or wait for it", sku),
			Commands: []string{"shop orders --sku " + sku + " --status open"}}
	case !d.Opened:
		return ProductionOrder{}, refuse(CodeInvalidQuantity,
			fmt.Sprintf("%s is not short: say how many to order", sku))
	}
	o, err := s.Store.ProductionOrder(ctx, d.ProductionOrder.ID)
	if err != nil {
		return ProductionOrder{}, done(fmt.Sprintf("production order %s was opened", d.ProductionOrder.ID), err)
	}
	return o, nil
}

// CancelOrder closes an open production order. The factory has no way to cancel: if it delivers
// later, the goods are booked and people are notified. If the product is automatic and short, the
// next check orders again.
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
		// After CancelOrder read the order, goods arrived for it, or the sweep asked again.
	}
	return ProductionOrder{}, fmt.Errorf("cancelling production order %s: the order changed %d times in between",
		id, maxRounds)
}
