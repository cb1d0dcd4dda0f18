// Package shop is the business: products, sales, production orders, the stock ledger and their
// rules. It imports no other package of the project, and contains neither SQL nor AWS code.
package shop

import (
	"time"

	"github.com/google/uuid"
)

// Currency is the ISO 4217 code of all prices. A price is a number of the currency's minor units.
// The won has none, so a price of 19900 is ₩19,900. The dollar's are cents, so it would be $199.00.
// Existing prices stay the same numbers if the currency changes.
const Currency = "KRW"

// MaxQuantity is the largest quantity of one sale, one production order or one delivery.
const MaxQuantity = 1<<31 - 1

// A Store keeps the shop's data. Each method does all of its work or nothing. Times have
// microseconds.
//
// Methods return an *Error if the business has a code for what went wrong, else the error of the
// database.
type Store interface {
	ProductStore
	SaleStore
	WaitlistStore
	OrderStore
	Outbox
	ReceiptStore
	LedgerStore
	NoticeStore
	ReportStore
	KeyStore
}

// A Shop sells products, and orders products that run short from their factories. Every field must
// be set; Notifier only if Sweep is called.
type Shop struct {
	Store     Store
	Publisher Publisher
	Notifier  Notifier // for Sweep
	Now       func() time.Time
	NewID     func() (uuid.UUID, error) // UUIDv7: ids sort by time
	Journal   Journal
}

// Open returns a shop that runs on the real clock. To sweep, set its Notifier.
func Open(store Store, publisher Publisher, journal Journal) *Shop {
	return &Shop{Store: store, Publisher: publisher, Now: time.Now, NewID: uuid.NewV7, Journal: journal}
}

// now returns the time as exactly as the store keeps it.
func (s *Shop) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
