package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Delivery is what the factory says it made, for one attempt to get a production order made.
type Delivery struct {
	ProductionOrderID uuid.UUID
	AttemptID         uuid.UUID
	SKU               string
	Quantity          int
	Signed            int // what the attempt asked for: no more is booked for it

	At           time.Time // made by the shop
	CorrectionID uuid.UUID // likewise; used if the delivery corrects an earlier receipt of the attempt
}

// A Receipt is a delivery that was booked.
type Receipt struct {
	Stock      int  // on hand after the delivery
	Correction int  // how much was booked now, where an earlier callback of the attempt said less; else 0
	Surplus    int  // how much of what was booked now is more than was ordered, after all that came before it
	Late       bool // the production order was closed already
	Repeated   bool // as much was booked for the attempt before; nothing was done
}

// A ReceiptStore books deliveries.
type ReceiptStore interface {
	// Receive books a delivery in one transaction: the part of its quantity that was not booked for the attempt before.
	// A closed order keeps its status. An unusual receipt raises a notice.
	Receive(context.Context, Delivery) (Receipt, error)
}

// Receive books a delivery of the factory: its quantity becomes stock, once per attempt however often the callback comes, and whatever
// has become of the production order. A closed order keeps its status. Whoever knows a callback URL can call it before the factory does,
// with less: so where a callback brings more than an earlier one of the same attempt, the difference is booked, up to what the attempt
// asked for. Receive raises a notice of what is unusual (a correction, a surplus, a late receipt), which the next sweep sends. If the
// product is still short, the next production order opens.
//
// Errors: CodeInvalidQuantity (also above what was signed), CodeUnknownOrder, CodeProductMismatch.
func (s *Shop) Receive(ctx context.Context, d Delivery) (Receipt, error) {
	if err := validateQuantity(d.Quantity, MaxQuantity); err != nil {
		return Receipt{}, err
	}
	if d.Quantity > d.Signed { // only somebody else than the factory can have written that
		return Receipt{}, refuse(CodeInvalidQuantity, fmt.Sprintf("the callback says %d, asked for were %d", d.Quantity, d.Signed))
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
