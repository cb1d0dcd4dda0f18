package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// A Purchase is a buyer's request to buy a quantity of a product.
type Purchase struct {
	SKU      string
	Quantity int
	// IdempotencyKey is the buyer's name for this purchase. If the buyer repeats the purchase with
	// the same key within 24 hours, the shop returns the first sale and sells nothing. Without a
	// key, every purchase is a new sale.
	IdempotencyKey string
}

// maxIdempotencyKey is the longest key, in bytes. The IETF draft on the Idempotency-Key header asks
// servers to publish a limit.
const maxIdempotencyKey = 255

func (p Purchase) validate() error {
	if err := validateQuantity(p.Quantity, MaxQuantity); err != nil {
		return err
	}
	return validateIdempotencyKey(p.IdempotencyKey)
}

func validateIdempotencyKey(key string) error {
	if len(key) > maxIdempotencyKey {
		return refuse(CodeInvalidIdempotencyKey,
			fmt.Sprintf("the idempotency key has %d bytes, %d are allowed", len(key), maxIdempotencyKey))
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

// A Checkout is a purchase with everything that the store, which is the database, needs to decide
// it.
type Checkout struct {
	Purchase
	SaleID uuid.UUID
	At     time.Time
	Plan   *Plan // nil until the store asks for one: see Undecided
	// Correlation is stored with the production order that the checkout opens. See
	// [WithCorrelation].
	Correlation string
}

// A Sale says what a buyer bought. If the store refused the checkout, the Sale only says what is in
// stock and when more should arrive.
type Sale struct {
	ID        uuid.UUID
	SKU       string
	Quantity  int
	UnitPrice int64 // in the minor unit of Currency
	Stock     int   // on hand after the sale, or after the refusal
	Repeated  bool  // an earlier purchase with this idempotency key made the sale
	// ExpectedAt is set if the store refused the checkout and stock is on order: the time when it
	// should arrive. It is in the past if the order is late.
	ExpectedAt time.Time
}

// A PastSale is a sale as its buyer reads it later.
type PastSale struct {
	ID        uuid.UUID
	SKU       string
	Name      string            // the product's name today
	Names     map[string]string // in other languages, by the tag of the language
	Quantity  int
	UnitPrice int64 // in the minor unit of Currency
	At        time.Time
}

// A SaleStore decides checkouts, and finds sales.
type SaleStore interface {
	// Checkout decides a checkout in one transaction.
	Checkout(context.Context, Checkout) (Decision, error)
	// Sale finds a sale. Errors: CodeUnknownSale.
	Sale(context.Context, uuid.UUID) (PastSale, error)
}

// Sale finds a sale. Errors: CodeUnknownSale.
//
// The id is all that a reader needs. A sale has no data of a person, and nobody can guess its id: a
// UUIDv7 has at least 62 random bits beside its time.
//
//	https://www.rfc-editor.org/rfc/rfc9562.html#section-5.7
func (s *Shop) Sale(ctx context.Context, id uuid.UUID) (PastSale, error) {
	return s.Store.Sale(ctx, id)
}

// Buy sells a quantity of a product, or refuses to. When the stock position falls to the reorder
// point, Buy opens a production order and publishes it. If the publication fails, [Shop.Sweep]
// publishes the order later.
//
// Errors: CodeInvalidQuantity (also if the product's MaxPerSale is less),
// CodeInvalidIdempotencyKey, CodeUnknownProduct, CodeOutOfStock, CodeIdempotencyKeyReused,
// CodeUnavailable (nothing was sold), CodeOutcomeUnknown. With CodeOutOfStock, the Sale says what
// is on hand and when more is expected. The shop does not remember a refusal: the same key may buy
// later, when there is stock again.
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
			err = refuse(CodeOutOfStock,
				fmt.Sprintf("the purchase is of %d of %s, but %d are on hand", p.Quantity, p.SKU, decision.Sale.Stock))
		} else {
			s.Journal.Sold(ctx, decision.Sale)
		}
		if decision.Opened {
			s.opened(ctx, decision.ProductionOrder)
		}
		return decision.Sale, err
	}
	return Sale{}, fmt.Errorf(
		"checking out %d of %s: the stock changed %d times while the production order was planned",
		p.Quantity, p.SKU, maxRounds)
}
