package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// An Adjustment sets the stock right after a stocktake.
type Adjustment struct {
	SKU      string
	Quantity int    // what there is more than the books say, or (negative) less
	Reason   string // for people: "damaged"
	// IdempotencyKey makes a repeated adjustment the same one, for 24 hours. Empty: every adjustment is a new one.
	IdempotencyKey string

	ID uuid.UUID // made by the shop
	At time.Time // likewise
}

// An Adjusted says what became of an adjustment.
type Adjusted struct {
	Stock    int  // on hand after it; of a refused one, what is on hand
	Refused  bool // less than nothing would be on hand
	Repeated bool // the idempotency key had this adjustment already
}

// maxReason is in characters.
const maxReason = 200

// Adjust changes a product's stock by hand, with a reason, which the ledger keeps. If the product is short then, a production order
// opens. The answer to a repeated adjustment is the product as it is now.
//
// Errors: CodeInvalidQuantity, CodeInvalidReason, CodeInvalidIdempotencyKey, CodeUnknownProduct, CodeIdempotencyKeyReused,
// CodeOutOfStock (less than nothing would be on hand), CodeUnavailable (nothing was done), CodeOutcomeUnknown.
func (s *Shop) Adjust(ctx context.Context, a Adjustment) (Product, error) {
	a.Reason = normal(a.Reason)
	switch {
	case a.Quantity == 0 || a.Quantity < -MaxQuantity || a.Quantity > MaxQuantity:
		return Product{}, refuse(CodeInvalidQuantity, fmt.Sprintf("the quantity is %d, it must be from %d to %d, and not 0", a.Quantity, -MaxQuantity, MaxQuantity))
	case !isText(a.Reason, maxReason):
		return Product{}, refuse(CodeInvalidReason, fmt.Sprintf("the reason is %.220q, it must be 1 to %d printable characters without spaces around them", a.Reason, maxReason))
	}
	if err := validateIdempotencyKey(a.IdempotencyKey); err != nil {
		return Product{}, err
	}
	var err error
	if a.ID, err = s.NewID(); err != nil {
		return Product{}, fmt.Errorf("making an adjustment id: %w", err)
	}
	a.At = s.now()
	adjusted, err := s.Store.Adjust(ctx, a)
	if err != nil {
		return Product{}, advised(err, "the stock may have been adjusted", a.IdempotencyKey)
	}
	if adjusted.Refused {
		return Product{}, refuse(CodeOutOfStock, fmt.Sprintf("%d of %s are on hand, %d cannot be taken away", adjusted.Stock, a.SKU, -a.Quantity))
	}
	s.Journal.Adjusted(ctx, a, adjusted)
	if !adjusted.Repeated {
		s.check(ctx, a.SKU)
	}
	return s.changed(ctx, a.SKU, "adjusted")
}

// The causes of entries in the ledger.
const (
	CauseOpening    = "opening"    // what was on hand when the product was created
	CauseSale       = "sale"       // the reference is the sale's id
	CauseReceipt    = "receipt"    // the reference is the attempt's id
	CauseAdjustment = "adjustment" // the reference is the adjustment's id
)

// A LedgerEntry is one change of a product's stock. All of them add up to the stock.
type LedgerEntry struct {
	ID        int64
	Quantity  int       // negative: the stock fell
	Cause     string    // see CauseSale
	Reason    string    // of an adjustment
	Reference uuid.UUID // zero: the entry has none
	At        time.Time
}

// A LedgerStore keeps the stock ledger.
type LedgerStore interface {
	// Adjust books an adjustment in one transaction. Errors: CodeUnknownProduct, CodeIdempotencyKeyReused.
	Adjust(context.Context, Adjustment) (Adjusted, error)
	// Ledger lists the entries of a product's ledger that are older than the entry after (0: all), newest first.
	Ledger(ctx context.Context, product uuid.UUID, after int64, limit int) ([]LedgerEntry, error)
	// Balances compares every product's stock with its ledger, sorted by SKU.
	Balances(context.Context) ([]Balance, error)
}

// Ledger lists a page of a product's stock ledger, newest first, and reports whether more follow. The page begins after
// (with the next older entry than) the entry with the id after, or with the newest entry if after is 0. A limit of 0 is
// DefaultPage.
//
// Errors: CodeInvalidRequest, CodeUnknownProduct.
func (s *Shop) Ledger(ctx context.Context, sku string, after int64, limit int) (entries []LedgerEntry, more bool, err error) {
	if after < 0 {
		return nil, false, refuse(CodeInvalidRequest, fmt.Sprintf("the entry to list after is %d, it must not be negative", after))
	}
	p, err := s.Store.Product(ctx, sku)
	if err != nil {
		return nil, false, err
	}
	return paged(limit, func(limit int) ([]LedgerEntry, error) {
		return s.Store.Ledger(ctx, p.ID, after, limit)
	})
}
