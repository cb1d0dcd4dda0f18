package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Delivery is the factory's report of the goods that it made, for one attempt at a production
// order.
type Delivery struct {
	ProductionOrderID uuid.UUID
	AttemptID         uuid.UUID
	SKU               string
	Quantity          int
	Signed            int // the quantity that the attempt asked for; no more is booked for it

	At           time.Time // Receive sets it
	CorrectionID uuid.UUID // Receive sets it; for a delivery that corrects an earlier receipt
}

// A Receipt is the store's answer to a delivery.
type Receipt struct {
	Stock      int  // on hand after the delivery
	Correction int  // how much was booked now, if an earlier callback of the attempt said less
	Surplus    int  // how much was booked now beyond the ordered quantity
	Late       bool // the production order was closed already
	Repeated   bool // an earlier callback of the attempt said as much or more; nothing changed
}

// Book returns what a delivery for an order changes, if booked pieces of its attempt are in the
// books already: how much of it is new, and whether it closes the order. It sets all of the Receipt
// but Stock.
func (d Delivery) Book(o ProductionOrder, booked int) (add int, closes bool, r Receipt) {
	add = max(d.Quantity-booked, 0)
	if add == 0 {
		return 0, false, Receipt{Repeated: true}
	}
	r.Late = o.Status != OrderOpen
	r.Surplus = min(max(o.Received+add-o.Quantity, 0), add)
	if booked > 0 {
		r.Correction = add
	}
	return add, !r.Late && o.Received+add >= o.Quantity, r
}

// A ReceiptStore books deliveries.
type ReceiptStore interface {
	// Receive books a delivery in one transaction: the part of its quantity that was not booked for
	// the attempt before. A closed order keeps its status. An unusual receipt raises a notice.
	Receive(context.Context, Delivery) (Receipt, error)
}

// Receive books a delivery: its quantity becomes stock. It books each attempt once, however often
// the callback comes, and whatever the state of the order. A closed order keeps its status.
//
// Anyone who knows a callback URL can call it before the factory does, with a smaller quantity. So
// if a later callback of the same attempt brings more, Receive books the difference, up to what the
// attempt asked for.
//
// An unusual delivery (a correction, a surplus, a late receipt) raises a notice, which the next
// sweep sends. If the product is still short, the next production order opens.
//
// Errors: CodeInvalidQuantity (also for more than the attempt asked for), CodeUnknownOrder,
// CodeProductMismatch.
func (s *Shop) Receive(ctx context.Context, d Delivery) (Receipt, error) {
	if err := validateQuantity(d.Quantity, MaxQuantity); err != nil {
		return Receipt{}, err
	}
	if d.Quantity > d.Signed { // the factory makes no more than it was asked for: the callback is forged
		return Receipt{}, refuse(CodeInvalidQuantity,
			fmt.Sprintf("the callback reports %d, but the attempt asked for %d", d.Quantity, d.Signed))
	}
	var err error
	if d.CorrectionID, err = s.NewID(); err != nil {
		return Receipt{}, fmt.Errorf("making a correction id: %w", err)
	}
	d.At = s.now()
	receipt, err := s.Store.Receive(ctx, d)
	if err != nil {
		return Receipt{}, err
	}
	s.Journal.Received(ctx, d, receipt)
	if !receipt.Repeated {
		s.check(ctx, d.SKU)
	}
	return receipt, nil
}
