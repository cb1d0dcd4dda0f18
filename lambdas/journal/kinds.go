package journal

import "log/slog"

// A Kind identifies an event of the business. It is the field "event" of a log line. Readers of the
// log compare kinds and not the texts of messages, because a text may change at any time.
type Kind string

// Attr returns the attribute of a log line of the kind.
func (k Kind) Attr() slog.Attr { return slog.String("event", string(k)) }

// The kinds of events of buyers.
const (
	// SaleMade is a sale.
	SaleMade Kind = "sale_made"
	// SaleRepeated is a buyer's request that repeats a sale, and changes nothing.
	SaleRepeated Kind = "sale_repeated"
	// SaleRefused is a checkout that was refused because the stock was too low.
	SaleRefused Kind = "sale_refused"
	// BuyersWaited is a product whose buyers wait for each other. More bins may help.
	BuyersWaited Kind = "buyers_waited"
)

// The kinds of events of the stock.
const (
	// StockAdjusted is a correction of the stock by a person.
	StockAdjusted Kind = "stock_adjusted"
	// AdjustmentRepeated is a request that repeats an adjustment, and changes nothing.
	AdjustmentRepeated Kind = "adjustment_repeated"
	// GoodsReceived is a delivery that was booked. It may be late, more than ordered, or correct an
	// earlier callback.
	GoodsReceived Kind = "goods_received"
	// GoodsReceivedAgain is a delivery that was booked before, and changes nothing.
	GoodsReceivedAgain Kind = "goods_received_again"
	// DeliveryFailed is a delivery that could not be booked now. It stays in the queue.
	DeliveryFailed Kind = "delivery_failed"
	// DeliveriesForged are callbacks without a signature of ours, which are dropped.
	DeliveriesForged Kind = "deliveries_forged"
	// StockMeasured is the stock of a product, for its metric.
	StockMeasured Kind = "stock_measured"
	// BooksDiffer is a product whose ledger differs from its stock.
	BooksDiffer Kind = "books_differ"
	// Inspected is the summary of an inspection.
	Inspected Kind = "inspected"
)

// The kinds of events of production orders.
const (
	// OrderOpened is a new production order.
	OrderOpened Kind = "production_order_opened"
	// OrderPublished is a production order whose message was published.
	OrderPublished Kind = "production_order_published"
	// OrderNotPublished is a production order that could not be published. The next sweep retries.
	OrderNotPublished Kind = "production_order_not_published"
	// ProductNotReplenished is a product that the shop could not check. The next sweep retries.
	ProductNotReplenished Kind = "product_not_replenished"
	// OrderOverdue is an open order that did not arrive in time.
	OrderOverdue Kind = "production_order_overdue"
	// OrderAskedAgain is an overdue order for which the sweep asks the factory again.
	OrderAskedAgain Kind = "production_order_asked_again"
	// OrderShort is an order that was closed with a part received.
	OrderShort Kind = "production_order_short"
	// OrderFailed is an order that was closed with nothing received.
	OrderFailed Kind = "production_order_failed"
	// OrderCancelled is an order that a person cancelled.
	OrderCancelled Kind = "production_order_cancelled"
	// PeopleNotified is a notice that was sent to people.
	PeopleNotified Kind = "people_notified"
)

// The kinds of events of requests to the factory.
const (
	// ProductionRequested is a request that the factory accepted.
	ProductionRequested Kind = "production_requested"
	// RequestFailed is a message that did not become a request.
	RequestFailed Kind = "production_request_failed"
	// RequestExpired is a message that the function drops because it has expired.
	RequestExpired Kind = "production_request_expired"
)

// The kinds of events of the function setup.
const (
	// RotationStepTaken is a completed step of the rotation of the functions' password.
	RotationStepTaken Kind = "rotation_step_taken"
	// DatabaseUserReady means that the functions' database user has its password.
	DatabaseUserReady Kind = "database_user_ready"
)

// The kinds of events of all functions.
const (
	// WarmUpFailed means that an instance could not read a secret or connect to the database before
	// its first invocation, which tries again.
	WarmUpFailed Kind = "warm_up_failed"
)
