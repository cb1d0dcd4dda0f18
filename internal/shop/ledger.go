package shop

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// An Adjustment corrects the stock after a stocktake.
type Adjustment struct {
	SKU      string
	Quantity int    // counted minus booked: negative if goods are missing
	Reason   string // free text, for example "damaged"
	// IdempotencyKey makes a repeated adjustment the same one, for 24 hours. Without a key, every
	// adjustment is a new one.
	IdempotencyKey string

	ID uuid.UUID // Adjust sets it
	At time.Time // Adjust sets it
}

// An Adjusted is the store's answer to an adjustment.
type Adjusted struct {
	Stock    int  // on hand after the adjustment, or after the refusal
	Refused  bool // the stock would be negative
	Repeated bool // an earlier request with this idempotency key made the adjustment
}

// maxReason is the longest reason, in characters.
const maxReason = 200

// Adjust changes a product's stock by hand. The ledger keeps the reason. If the product is short
// afterwards, a production order opens. Adjust returns the product as it is now, also for a
// repeated adjustment.
//
// Errors: CodeInvalidQuantity, CodeInvalidReason, CodeInvalidIdempotencyKey, CodeUnknownProduct,
// CodeIdempotencyKeyReused, CodeOutOfStock (the stock would be negative), CodeUnavailable (nothing
// was changed), CodeOutcomeUnknown.
func (s *Shop) Adjust(ctx context.Context, a Adjustment) (Product, error) {
	a.Reason = normal(a.Reason)
	switch {
	case a.Quantity == 0 || a.Quantity < -MaxQuantity || a.Quantity > MaxQuantity:
		return Product{}, refuse(CodeInvalidQuantity,
			fmt.Sprintf("the quantity is %d, it must be from %d to %d, and not 0",
				a.Quantity, -MaxQuantity, MaxQuantity))
	case !isText(a.Reason, maxReason):
		return Product{}, refuse(CodeInvalidReason,
			fmt.Sprintf("the reason is %.220q, it must be 1 to %d printable characters without spaces around them",
				a.Reason, maxReason))
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
		return Product{}, refuse(CodeOutOfStock,
			fmt.Sprintf("%d of %s are on hand, %d cannot be taken away", adjusted.Stock, a.SKU, -a.Quantity))
	}
	s.Journal.Adjusted(ctx, a, adjusted)
	if !adjusted.Repeated {
		s.check(ctx, a.SKU)
	}
	return s.changed(ctx, a.SKU, "adjusted")
}

// The causes of entries in the ledger.
const (
	CauseOpening    = "opening"    // the stock when the product was created
	CauseSale       = "sale"       // Reference is the sale's id
	CauseReceipt    = "receipt"    // Reference is the production order's id
	CauseAdjustment = "adjustment" // Reference is the adjustment's id
)

// A LedgerEntry is one change of a product's stock. The sum of all entries is the stock.
type LedgerEntry struct {
	Bin       int
	Number    int64     // within the bin
	Quantity  int       // negative if the stock fell
	Cause     string    // see CauseSale
	Reason    string    // of an adjustment
	Reference uuid.UUID // zero if the cause is CauseOpening
	At        time.Time
}

// A LedgerStore keeps the stock ledger.
type LedgerStore interface {
	// Adjust books an adjustment in one transaction. Errors: CodeUnknownProduct,
	// CodeIdempotencyKeyReused.
	Adjust(context.Context, Adjustment) (Adjusted, error)
	// Ledger lists the entries of a product's ledger, newest first. before[i] limits the entries of
	// bin i: only entries with a smaller number are listed. A bin without a limit is listed from
	// its newest entry.
	Ledger(ctx context.Context, product uuid.UUID, before []int64, limit int) ([]LedgerEntry, error)
	// Balances compares every product's stock with its ledger, sorted by SKU.
	Balances(context.Context) ([]Balance, error)
}

// Ledger lists a page of a product's stock ledger, newest first. next is where the next page
// begins, empty if there is none. The page begins at start, which is the next of the page before,
// or empty for the newest entry. A limit of 0 is DefaultPage.
//
// Errors: CodeInvalidRequest, CodeUnknownProduct.
func (s *Shop) Ledger(
	ctx context.Context, sku, start string, limit int,
) (entries []LedgerEntry, next string, err error) {
	place, err := parseLedgerPlace(start)
	if err != nil {
		return nil, "", err
	}
	p, err := s.Store.Product(ctx, sku)
	if err != nil {
		return nil, "", err
	}
	entries, more, err := paged(limit, func(limit int) ([]LedgerEntry, error) {
		return s.Store.Ledger(ctx, p.ID, place, limit)
	})
	if err != nil || !more {
		return entries, "", err
	}
	return entries, place.after(entries).String(), nil
}

// A ledgerPlace is a place in a product's ledger: for each bin, the number of the last entry that
// was listed. As text it is the numbers, separated by dots.
type ledgerPlace []int64

func parseLedgerPlace(text string) (p ledgerPlace, err error) {
	if text == "" {
		return nil, nil
	}
	for number := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || len(p) == MaxBins {
			return nil, refuse(CodeInvalidRequest,
				fmt.Sprintf("the parameter before is %.40q, it must be the value next of the previous page", text))
		}
		p = append(p, n)
	}
	return p, nil
}

func (p ledgerPlace) String() string {
	numbers := make([]string, len(p))
	for i, n := range p {
		numbers[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(numbers, ".")
}

// after returns the place after a page that began at p.
func (p ledgerPlace) after(page []LedgerEntry) ledgerPlace {
	p = slices.Clone(p)
	for _, e := range page {
		for len(p) <= e.Bin {
			p = append(p, math.MaxInt64)
		}
		p[e.Bin] = e.Number
	}
	return p
}
