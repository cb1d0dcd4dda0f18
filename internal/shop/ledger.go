package shop

import (
	"cmp"
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
	Quantity int    // counted minus booked: negative if goods are missing; 0 if To is set
	To       *int   // the counted stock, in place of Quantity: the store books the difference
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

	// The entry of the ledger, also if it is repeated. If the count agreed with the books, there is
	// none, and Number is 0.
	Number   int64 // within the first bin, where all adjustments are booked
	Quantity int
	Left     int // the stock after the entry
}

// A Corrected is a product after an adjustment, and the adjustment.
type Corrected struct {
	Product
	Adjusted Adjusted
	Opened   ProductionOrder // the order that the adjustment opened; zero: none
}

// maxReason is the longest reason, in characters.
const maxReason = 200

// Adjust changes a product's stock by hand. The ledger keeps the reason. If the product is short
// afterwards, a production order opens. Adjust returns the product as it is now, also for a
// repeated adjustment. A count that agrees with the books changes nothing.
//
// Errors: CodeInvalidQuantity, CodeInvalidReason, CodeInvalidIdempotencyKey, CodeUnknownProduct,
// CodeIdempotencyKeyReused, CodeOutOfStock (the stock would be negative), CodeUnavailable (nothing
// was changed), CodeOutcomeUnknown.
func (s *Shop) Adjust(ctx context.Context, a Adjustment) (Corrected, error) {
	a.Reason = normal(a.Reason)
	switch {
	case a.To != nil && a.Quantity != 0:
		return Corrected{}, refuse(CodeInvalidQuantity, "give either the quantity or the stock that was counted")
	case a.To != nil && (*a.To < 0 || *a.To > MaxQuantity):
		return Corrected{}, refuse(CodeInvalidQuantity,
			fmt.Sprintf("the counted stock is %d, it must be from 0 to %d", *a.To, MaxQuantity))
	case a.To == nil && a.Quantity == 0 || a.Quantity < -MaxQuantity || a.Quantity > MaxQuantity:
		return Corrected{}, refuse(CodeInvalidQuantity,
			fmt.Sprintf("the quantity is %d, it must be from %d to %d, and not 0",
				a.Quantity, -MaxQuantity, MaxQuantity))
	case !isText(a.Reason, maxReason):
		return Corrected{}, refuse(CodeInvalidReason,
			fmt.Sprintf("the reason is %.220q, it must be 1 to %d printable characters without spaces around them",
				a.Reason, maxReason))
	}
	if err := validateIdempotencyKey(a.IdempotencyKey); err != nil {
		return Corrected{}, err
	}
	return s.correct(ctx, a, func(ctx context.Context, a Adjustment) (Adjusted, error) {
		adjusted, err := s.Store.Adjust(ctx, a)
		return adjusted, advised(err, "the stock may have been adjusted", a.IdempotencyKey)
	})
}

// Undo books the opposite of an adjustment. number is the adjustment's number in the first bin. An
// adjustment is undone once: a repeated Undo changes nothing. An undo is an adjustment, too.
//
// Errors: CodeUnknownProduct, CodeUnknownAdjustment, CodeOutOfStock (the stock would be negative),
// CodeUnavailable, CodeOutcomeUnknown.
func (s *Shop) Undo(ctx context.Context, sku string, number int64) (Corrected, error) {
	a := Adjustment{SKU: sku, Reason: fmt.Sprintf("undo of entry %d", number)}
	return s.correct(ctx, a, func(ctx context.Context, a Adjustment) (Adjusted, error) {
		undone, err := s.Store.Undo(ctx, a, number)
		if CodeOf(err) == CodeOutcomeUnknown {
			err = &Error{Code: CodeOutcomeUnknown, Err: err,
				Detail: "the adjustment may have been undone, or not: repeat the request, and it is done once"}
		}
		return undone, err
	})
}

func (s *Shop) correct(
	ctx context.Context, a Adjustment, book func(context.Context, Adjustment) (Adjusted, error),
) (c Corrected, err error) {
	if a.ID, err = s.NewID(); err != nil {
		return c, fmt.Errorf("making an adjustment id: %w", err)
	}
	a.At = s.now()
	c.Adjusted, err = book(ctx, a)
	if err != nil {
		return c, err
	}
	a.Quantity = cmp.Or(a.Quantity, c.Adjusted.Quantity) // the store knows it if the caller does not
	if c.Adjusted.Refused {
		return c, refuse(CodeOutOfStock,
			fmt.Sprintf("%d of %s are on hand, %d cannot be taken away", c.Adjusted.Stock, a.SKU, -a.Quantity))
	}
	if a.Quantity != 0 {
		s.Journal.Adjusted(ctx, a, c.Adjusted)
		if !c.Adjusted.Repeated {
			c.Opened = s.check(ctx, a.SKU)
		}
	}
	c.Product, err = s.changed(ctx, a.SKU, "adjusted")
	return c, err
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
	Reference uuid.UUID // of CauseOpening: the content of the import, zero if there was none
	At        time.Time
}

// A LedgerStore keeps the stock ledger.
type LedgerStore interface {
	// Adjust books an adjustment in one transaction. Errors: CodeUnknownProduct,
	// CodeIdempotencyKeyReused.
	Adjust(context.Context, Adjustment) (Adjusted, error)
	// Undo books the opposite of an adjustment in one transaction, once. Errors:
	// CodeUnknownProduct, CodeUnknownAdjustment.
	Undo(ctx context.Context, a Adjustment, number int64) (Adjusted, error)
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
