package shop

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// A Delivery is what the factory says it made, for one attempt to get a production order made.
type Delivery struct {
	ProductionOrderID uuid.UUID
	AttemptID         uuid.UUID
	SKU               string
	Quantity          int
	At                time.Time
}

// A Receipt is a delivery that was booked.
type Receipt struct {
	Stock    int  // on hand after the delivery
	Surplus  int  // how much of the delivery is more than was ordered, after all that came before it
	Late     bool // the production order was closed already
	Repeated bool // the attempt was booked before; nothing was done
}

// Receive books a delivery of the factory: its quantity becomes stock, once per attempt however often it is told, and whatever has
// become of the production order. What is unusual, a surplus or a late receipt, is noted to be reported by the next sweep. If the
// product is still short, the next production order opens.
//
// Errors: CodeInvalidQuantity, CodeUnknownOrder, CodeProductMismatch.
func (s *Shop) Receive(ctx context.Context, d Delivery) (Receipt, error) {
	if err := validateQuantity(d.Quantity, MaxQuantity); err != nil {
		return Receipt{}, err
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
