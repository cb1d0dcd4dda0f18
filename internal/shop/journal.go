package shop

import "context"

// A Journal is told what happens in the shop. It makes of it the log, and the numbers that people watch.
type Journal interface {
	Sold(context.Context, Sale)
	Refused(context.Context, Sale) // for want of stock; the sale says what is on hand
	Opened(context.Context, ProductionOrder)
	Published(context.Context, ProductionOrder)
	// NotPublished tells of a production order that was not published, or not marked so: the next sweep publishes it.
	NotPublished(context.Context, ProductionOrder, error)
	Received(context.Context, Delivery, Receipt)
	Inspected(context.Context, Inspection)
}

// Discard is a Journal that keeps nothing.
var Discard Journal = discard{}

type discard struct{}

func (discard) Sold(context.Context, Sale)                           {}
func (discard) Refused(context.Context, Sale)                        {}
func (discard) Opened(context.Context, ProductionOrder)              {}
func (discard) Published(context.Context, ProductionOrder)           {}
func (discard) NotPublished(context.Context, ProductionOrder, error) {}
func (discard) Received(context.Context, Delivery, Receipt)          {}
func (discard) Inspected(context.Context, Inspection)                {}
