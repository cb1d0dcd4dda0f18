package shop

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// An Order is what a buyer asks for.
type Order struct {
	SKU      string
	Quantity int
	// IdempotencyKey makes a repeated order the same sale. Empty: every order is a new one.
	IdempotencyKey string
}

// maxIdempotencyKey is in bytes, as long as the IETF's draft on the Idempotency-Key header asks servers to name a limit.
const maxIdempotencyKey = 255

func (o Order) validate() error {
	if err := validateQuantity(o.Quantity); err != nil {
		return err
	}
	if len(o.IdempotencyKey) > maxIdempotencyKey {
		return &Error{Code: CodeInvalidIdempotencyKey, Detail: fmt.Sprintf("the idempotency key has %d bytes, %d are allowed", len(o.IdempotencyKey), maxIdempotencyKey)}
	}
	for _, c := range []byte(o.IdempotencyKey) {
		if c < ' ' || c > '~' {
			return &Error{Code: CodeInvalidIdempotencyKey, Detail: "the idempotency key may hold printable ASCII only"}
		}
	}
	return nil
}

func validateQuantity(quantity int) error {
	if quantity < 1 || quantity > MaxQuantity {
		return &Error{Code: CodeInvalidQuantity, Detail: fmt.Sprintf("the quantity is %d, it must be from 1 to %d", quantity, MaxQuantity)}
	}
	return nil
}

// A Checkout is an order, ready to be decided by the store.
type Checkout struct {
	Order
	SaleID uuid.UUID
	At     time.Time
	Plan   *Plan // nil the first time
	// Correlation is kept with the production order that the checkout opens. See [WithCorrelation].
	Correlation string
}

// A Plan is the production order to open if, and only if, the stock position is still the one it was made for.
//
// The rule that says what to order lives here and not in the database, and yet no transaction waits for it: the store
// undoes a checkout that falls to the reorder point without a plan, tells the position, and is asked again.
type Plan struct {
	ProductionOrderID uuid.UUID
	Position          int
	Quantity          int // 0: order nothing
}

// An Outcome is what became of a checkout.
type Outcome int

const (
	Sold Outcome = iota
	// Refused means that too little is on hand.
	Refused
	// Undecided means that nothing was done: the position would fall to the reorder point, and the checkout
	// has no plan for that position.
	Undecided
)

// A Decision is the store's answer to a checkout.
type Decision struct {
	Outcome Outcome
	Sale    Sale

	// Opened says that the checkout opened ProductionOrder.
	Opened          bool
	ProductionOrder ProductionOrder

	// What a plan is made from, of an undecided checkout.
	Position int
	Policy   Policy
}

// A Sale is what a buyer got.
type Sale struct {
	ID        uuid.UUID
	SKU       string
	Quantity  int
	UnitPrice int64 // in the minor unit of Currency
	Stock     int   // on hand after the sale; of a refused one, what is on hand
	Repeated  bool  // the idempotency key had this sale already
}
