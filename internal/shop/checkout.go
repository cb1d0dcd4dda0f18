package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Purchase is what a buyer asks for.
type Purchase struct {
	SKU      string
	Quantity int
	// IdempotencyKey makes a repeated purchase the same sale, for 24 hours. Without a key, every purchase is a new sale.
	IdempotencyKey string
}

// maxIdempotencyKey is in bytes, as long as the IETF's draft on the Idempotency-Key header asks servers to name a limit.
const maxIdempotencyKey = 255

func (p Purchase) validate() error {
	if err := validateQuantity(p.Quantity, MaxQuantity); err != nil {
		return err
	}
	return validateIdempotencyKey(p.IdempotencyKey)
}

func validateIdempotencyKey(key string) error {
	if len(key) > maxIdempotencyKey {
		return refuse(CodeInvalidIdempotencyKey, fmt.Sprintf("the idempotency key has %d bytes, %d are allowed", len(key), maxIdempotencyKey))
	}
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return refuse(CodeInvalidIdempotencyKey, "the idempotency key may hold printable ASCII only")
		}
	}
	return nil
}

func validateQuantity(quantity, limit int) error {
	if quantity < 1 || quantity > limit {
		return refuse(CodeInvalidQuantity, fmt.Sprintf("the quantity is %d, it must be from 1 to %d", quantity, limit))
	}
	return nil
}

// A Checkout is a purchase that is ready to be decided by the store.
type Checkout struct {
	Purchase
	SaleID uuid.UUID
	At     time.Time
	Plan   *Plan // nil the first time
	// Correlation is kept with the production order that the checkout opens. See [WithCorrelation].
	Correlation string
}

// A Sale is what a buyer got.
type Sale struct {
	ID        uuid.UUID
	SKU       string
	Quantity  int
	UnitPrice int64 // in the minor unit of Currency
	Stock     int   // on hand after the sale; of a refused one, what is on hand
	Repeated  bool  // the idempotency key had this sale already
	// ExpectedAt, of a refused one, is when what is on order should come: past, if it is late; zero, if nothing is on order.
	ExpectedAt time.Time
}

// A SaleStore decides checkouts.
type SaleStore interface {
	// Checkout decides a checkout in one transaction.
	Checkout(context.Context, Checkout) (Decision, error)
}

// Buy sells a quantity of a product, or refuses. It opens a production order when the stock position falls to the
// reorder point, and publishes it; a message that could not be sent is left to [Shop.Sweep].
//
// Errors: CodeInvalidQuantity (also above the product's limit), CodeInvalidIdempotencyKey, CodeUnknownProduct, CodeOutOfStock,
// CodeIdempotencyKeyReused, CodeUnavailable (nothing was sold), CodeOutcomeUnknown. CodeOutOfStock comes with what is on hand and when more is expected, in the Sale. A refusal is not
// kept: the same key may buy when there is stock again.
func (s *Shop) Buy(ctx context.Context, p Purchase) (Sale, error) {
	if err := p.validate(); err != nil {
		return Sale{}, err
	}
	saleID, err := s.NewID()
	if err != nil {
		return Sale{}, fmt.Errorf("making a sale id: %w", err)
	}
	checkout := Checkout{SaleID: saleID, Purchase: p, At: s.now(), Correlation: Correlation(ctx)}
	for range maxRounds {
		decision, err := s.Store.Checkout(ctx, checkout)
		if err != nil {
			return Sale{}, advised(err, "the purchase may have been made", p.IdempotencyKey)
		}
		if decision.Outcome == Undecided {
			if checkout.Plan, err = s.plan(decision); err != nil {
				return Sale{}, err
			}
			continue
		}
		if decision.Outcome == Refused {
			s.Journal.Refused(ctx, decision.Sale)
			err = refuse(CodeOutOfStock, fmt.Sprintf("%d of %s are asked for, %d are on hand", p.Quantity, p.SKU, decision.Sale.Stock))
		} else {
			s.Journal.Sold(ctx, decision.Sale)
		}
		if decision.Opened {
			s.opened(ctx, decision.ProductionOrder)
		}
		return decision.Sale, err
	}
	return Sale{}, fmt.Errorf("checking out %d of %s: the stock changed %d times while the production order was planned", p.Quantity, p.SKU, maxRounds)
}
