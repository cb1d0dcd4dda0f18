// Package shop is the business: products, sales, production orders, the stock ledger and their rules.
// It imports nothing of the project, and knows neither SQL nor AWS.
package shop

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Currency is the ISO 4217 code of all prices. The won has no minor unit: a price is a number of won.
const Currency = "KRW"

// MaxQuantity is the most that one sale, one order or one delivery may count.
const MaxQuantity = 1<<31 - 1

// A Store keeps the shop's data. Each method is all there or not at all. Times are kept in microseconds.
//
// Its errors are *Error where the business has a name for them, else what went wrong.
type Store interface {
	// Products lists all products, by SKU.
	Products(context.Context) ([]Product, error)
	// Product finds one product. Unknown: CodeUnknownProduct.
	Product(ctx context.Context, sku string) (Product, error)
	// CreateProduct stores a product, and opens its ledger. Errors: CodeProductExists, CodeUnknownFactory.
	CreateProduct(context.Context, Product, time.Time) error
	// ChangeProduct changes what is said of a product that is there. Errors: CodeProductExists, CodeUnknownFactory, CodeInvalidProduct
	// where it leaves no sense with another change at the same time.
	ChangeProduct(ctx context.Context, sku string, c ProductChange) error

	// Checkout decides a checkout in one transaction.
	Checkout(context.Context, Checkout) (Decision, error)
	// Replenish opens a production order in one transaction, where one is due.
	Replenish(context.Context, Replenishment) (Decision, error)
	// Receive books a delivery in one transaction: what of its quantity was not booked for the attempt before. The status of a closed
	// order stays. It raises a notice where the receipt is unusual.
	Receive(context.Context, Delivery) (Receipt, error)
	// Adjust books an adjustment in one transaction. Errors: CodeUnknownProduct, CodeIdempotencyKeyReused.
	Adjust(context.Context, Adjustment) (Adjusted, error)

	// ProductionOrders lists production orders, newest first.
	ProductionOrders(context.Context, OrderFilter) ([]ProductionOrder, error)
	// ProductionOrder finds one production order. Unknown: CodeUnknownOrder.
	ProductionOrder(context.Context, uuid.UUID) (ProductionOrder, error)
	// OpenOrders lists the production orders that are open, oldest first.
	OpenOrders(context.Context) ([]ProductionOrder, error)
	// Short lists the SKUs of the automatic products that are at their reorder point or below, and have no open production order.
	Short(context.Context) ([]string, error)

	// ClaimPublication makes the caller the one that publishes an order that is open and unpublished, and was last asked for when it
	// says, for some time from at. Of several callers one gets it.
	ClaimPublication(ctx context.Context, o ProductionOrder, at time.Time) (bool, error)
	// MarkPublished notes that a production order's message was sent. The first mark stays.
	MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error
	// ClaimAsk makes the caller the one that asks again for an order that is open, and was asked for as often and received as much as
	// it says. Of several callers one gets it. The first time, it raises the notice that the order is overdue.
	ClaimAsk(ctx context.Context, o ProductionOrder, at time.Time) (bool, error)
	// CloseOrder closes an order that is open, and was asked for as often and received as much as it says, and raises a notice of what
	// failed or came short. Of several callers one does it.
	CloseOrder(ctx context.Context, o ProductionOrder, status OrderStatus, at time.Time) (bool, error)

	// DueNotices lists the notices that people were not told of, and nobody has claimed beyond a time, oldest first.
	DueNotices(context.Context, time.Time) ([]Notice, error)
	// ClaimNotice makes the caller the one that tells people, from a time to another. Of several callers one gets it.
	ClaimNotice(ctx context.Context, n Notice, from, until time.Time) (bool, error)
	// MarkNotified notes that people were told.
	MarkNotified(ctx context.Context, n Notice, at time.Time) error

	// Ledger lists the entries of a product's ledger below the entry after (0: all), newest first.
	Ledger(ctx context.Context, product uuid.UUID, after int64, limit int) ([]LedgerEntry, error)
	// Balances holds every product's stock against its ledger, by SKU.
	Balances(context.Context) ([]Balance, error)
	// ForgetKeys forgets idempotency keys from before a time, of so many sales and adjustments at most, and says how many they were and
	// whether there may be more.
	ForgetKeys(ctx context.Context, before time.Time, limit int) (forgotten int, more bool, err error)
}

// A Publisher tells the world that a product needs to be made.
type Publisher interface {
	Publish(context.Context, ProductionOrder) error
}

// A Shop sells, and orders what runs short. All fields are needed, but the notifier where nothing is swept.
type Shop struct {
	Store     Store
	Publisher Publisher
	Notifier  Notifier // for Sweep
	Now       func() time.Time
	NewID     func() (uuid.UUID, error) // UUIDv7: ids sort by time
	Journal   Journal
}

// Open makes a shop that runs on the real clock. It has no notifier: who sweeps sets one.
func Open(store Store, publisher Publisher, journal Journal) *Shop {
	return &Shop{Store: store, Publisher: publisher, Now: time.Now, NewID: uuid.NewV7, Journal: journal}
}

// now is the time, as exact as the store keeps it.
func (s *Shop) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
