package shop

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Factory makes products.
type Factory struct {
	Identifier   string
	Name         string
	ManagerEmail string
	Products     int // how many products it makes
}

// ProductSales are the sales of a product in a range of time.
type ProductSales struct {
	SKU     string
	Name    string
	Sales   int
	Units   int
	Revenue int64 // in the minor unit of Currency
}

// A ReportStore answers the merchant's questions, and what an import needs.
type ReportStore interface {
	// Factories lists all factories, sorted by identifier.
	Factories(context.Context) ([]Factory, error)
	// Sales adds up the sales from a time until before another, of each product that had any,
	// sorted by SKU.
	Sales(ctx context.Context, from, to time.Time) ([]ProductSales, error)
	// Notices lists notices, newest first. It begins after a notice, of which it reads RaisedAt,
	// Kind and SubjectID; with the zero notice it begins with the newest.
	Notices(ctx context.Context, after Notice, limit int) ([]Notice, error)
	// Import makes a batch in one transaction. Errors: CodeProductExists, CodeUnknownFactory,
	// CodeInvalidProduct, CodeIdempotencyKeyReused.
	Import(context.Context, Batch, time.Time) error
	// IsImported reports whether an import with this key and content put stock on sale. Errors:
	// CodeIdempotencyKeyReused if an import of another content has the key.
	IsImported(ctx context.Context, key string, content uuid.UUID) (bool, error)
	// NameKeys returns a key for each name. Two names have the same key if the store holds them to
	// be equal: a second product of the name gets CodeProductExists.
	NameKeys(ctx context.Context, names []string) (map[string]string, error)
}

// Factories lists all factories, sorted by identifier.
func (s *Shop) Factories(ctx context.Context) ([]Factory, error) { return s.Store.Factories(ctx) }

// maxRange is the longest time of which Sales adds up the sales.
const maxRange = 366 * 24 * time.Hour

// Sales adds up the sales from a time until before another, of each product that had any. Errors:
// CodeInvalidRequest.
func (s *Shop) Sales(ctx context.Context, from, to time.Time) ([]ProductSales, error) {
	// The database's times have years of four digits.
	if d := to.Sub(from); d <= 0 || d > maxRange || from.Year() < 1000 || to.Year() > 9000 {
		return nil, refuse(CodeInvalidRequest,
			fmt.Sprintf("the time from %s to %s must be more than nothing, %d days at most, and "+
				"between the years 1000 and 9000",
				from.Format(time.RFC3339), to.Format(time.RFC3339), maxRange/24/time.Hour))
	}
	return s.Store.Sales(ctx, from, to)
}

// Notices lists a page of the notices, newest first. next is where the next page begins, empty if
// there is none. The page begins at start, which is the next of the page before, or empty for the
// newest notice. Errors: CodeInvalidRequest.
func (s *Shop) Notices(ctx context.Context, start string, limit int) (notices []Notice, next string, err error) {
	after, err := parseNoticePlace(start)
	if err != nil {
		return nil, "", err
	}
	notices, more, err := paged(limit, func(limit int) ([]Notice, error) { return s.Store.Notices(ctx, after, limit) })
	for i := range notices {
		notices[i] = notices[i].written()
	}
	if err != nil || !more {
		return notices, "", err
	}
	last := notices[len(notices)-1]
	return notices, strings.Join(
		[]string{last.RaisedAt.UTC().Format(time.RFC3339Nano), string(last.Kind), last.SubjectID.String()}, "_"), nil
}

// parseNoticePlace reads the place after a notice: its time, its kind and its subject.
func parseNoticePlace(text string) (n Notice, err error) {
	if text == "" {
		return n, nil
	}
	at, rest, _ := strings.Cut(text, "_")
	cut := max(strings.LastIndex(rest, "_"), 0)
	var badTime, badID error
	n.RaisedAt, badTime = time.Parse(time.RFC3339Nano, at)
	n.SubjectID, badID = uuid.Parse(strings.TrimPrefix(rest[cut:], "_"))
	n.Kind = NoticeKind(rest[:cut])
	if badTime != nil || badID != nil || n.RaisedAt.Year() > 9999 || len(n.Kind) > 32 || !isASCII(string(n.Kind)) {
		return n, refuse(CodeInvalidRequest,
			fmt.Sprintf("the parameter before is %.80q, it must be the value next of the previous page", text))
	}
	return n, nil
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > '~' }) < 0
}
