package shop

import "context"

// A Journal records what happens in the shop: as log lines, and as the metrics that people watch.
type Journal interface {
	Sold(context.Context, Sale)
	Refused(context.Context, Sale) // the stock was too low; the sale says what is on hand
	Adjusted(context.Context, Adjustment, Adjusted)

	Opened(context.Context, ProductionOrder)
	Published(context.Context, ProductionOrder)
	// NotPublished records that an order was not published, or not marked as published. The next
	// sweep publishes it.
	NotPublished(context.Context, ProductionOrder, error)
	// NotReplenished records that the shop could not check whether a product is short. The next
	// sweep checks it.
	NotReplenished(ctx context.Context, sku string, err error)

	AskedAgain(context.Context, ProductionOrder)
	Received(context.Context, Delivery, Receipt)
	OrderShort(context.Context, ProductionOrder)
	OrderFailed(context.Context, ProductionOrder)
	OrderCancelled(context.Context, ProductionOrder)

	Notified(context.Context, Notice)
	Inspected(context.Context, Inspection)
}

// Discard is a Journal that records nothing.
var Discard Journal = discard{}

type discard struct{}

func (discard) Sold(context.Context, Sale)                           {}
func (discard) Refused(context.Context, Sale)                        {}
func (discard) Adjusted(context.Context, Adjustment, Adjusted)       {}
func (discard) Opened(context.Context, ProductionOrder)              {}
func (discard) Published(context.Context, ProductionOrder)           {}
func (discard) NotPublished(context.Context, ProductionOrder, error) {}
func (discard) NotReplenished(context.Context, string, error)        {}
func (discard) AskedAgain(context.Context, ProductionOrder)          {}
func (discard) Received(context.Context, Delivery, Receipt)          {}
func (discard) OrderShort(context.Context, ProductionOrder)          {}
func (discard) OrderFailed(context.Context, ProductionOrder)         {}
func (discard) OrderCancelled(context.Context, ProductionOrder)      {}
func (discard) Notified(context.Context, Notice)                     {}
func (discard) Inspected(context.Context, Inspection)                {}
