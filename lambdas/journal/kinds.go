package journal

import "log/slog"

// A Kind says what happened in the business: the field "event" of a log line. Readers of the log compare kinds and never the text
// of a message, which may be reworded at any time.
type Kind string

// Attr is the attribute of a line of the kind.
func (k Kind) Attr() slog.Attr { return slog.String("event", string(k)) }

// Buyers.
const (
	// SaleMade is a sale.
	SaleMade Kind = "sale_made"
	// SaleRepeated is a buyer's request that repeats a sale, and changes nothing.
	SaleRepeated Kind = "sale_repeated"
	// SaleRefused is a buyer for whom not enough is on hand.
	SaleRefused Kind = "sale_refused"
)

// The stock.
const (
	// StockAdjusted is a correction of the stock by a person.
	StockAdjusted Kind = "stock_adjusted"
	// AdjustmentRepeated is a request that repeats an adjustment, and changes nothing.
	AdjustmentRepeated Kind = "adjustment_repeated"
	// GoodsReceived is a delivery that was booked. It may be late, more than ordered, or correct an earlier callback.
	GoodsReceived Kind = "goods_received"
	// GoodsReceivedAgain is a delivery that was booked before, and changes nothing.
	GoodsReceivedAgain Kind = "goods_received_again"
	// StockMeasured is the stock of a product, for its metric.
	StockMeasured Kind = "stock_measured"
	// BooksDiffer is a product whose ledger is not its stock.
	BooksDiffer Kind = "books_differ"
	// Inspected is the sum of an inspection by sweep.
	Inspected Kind = "inspected"
)

// Production orders.
const (
	// OrderOpened is a new production order.
	OrderOpened Kind = "production_order_opened"
	// OrderPublished is a production order whose message was published.
	OrderPublished Kind = "production_order_published"
	// OrderNotPublished is a production order that the next sweep publishes.
	OrderNotPublished Kind = "production_order_not_published"
	// ProductNotReplenished is a product that the next sweep checks.
	ProductNotReplenished Kind = "product_not_replenished"
	// OrderOverdue is an order that has not come in time.
	OrderOverdue Kind = "production_order_overdue"
	// OrderAskedAgain is an overdue order that sweep has published once more.
	OrderAskedAgain Kind = "production_order_asked_again"
	// OrderShort is an order that was closed with less than was ordered.
	OrderShort Kind = "production_order_short"
	// OrderFailed is an order that was given up.
	OrderFailed Kind = "production_order_failed"
	// OrderCancelled is an order that a person has closed.
	OrderCancelled Kind = "production_order_cancelled"
	// PeopleNotified is a message to the managers.
	PeopleNotified Kind = "people_notified"
)

// Requests to the factory.
const (
	// ProductionRequested is a request that the factory has accepted.
	ProductionRequested Kind = "production_requested"
	// RequestFailed is a message that did not become a request.
	RequestFailed Kind = "production_request_failed"
	// RequestExpired is a message that the function drops, because its time is over.
	RequestExpired Kind = "production_request_expired"
)

// The function setup.
const (
	// RotationStepTaken is a step of the rotation of the functions' password.
	RotationStepTaken Kind = "rotation_step_taken"
	// DatabaseUserReady says that the functions' database user has its password.
	DatabaseUserReady Kind = "database_user_ready"
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{
		SaleMade, SaleRepeated, SaleRefused,
		StockAdjusted, AdjustmentRepeated, GoodsReceived, GoodsReceivedAgain, StockMeasured, BooksDiffer, Inspected,
		OrderOpened, OrderPublished, OrderNotPublished, ProductNotReplenished, OrderOverdue, OrderAskedAgain, OrderShort, OrderFailed,
		OrderCancelled, PeopleNotified, ProductionRequested, RequestFailed, RequestExpired, RotationStepTaken, DatabaseUserReady,
	}
}
