// Package journal writes the events of the business to the log of a Lambda function. A line that
// counts something is also a document of CloudWatch's embedded metric format: CloudWatch reads the
// metrics of package lambdas from it. Each line has a [Kind].
package journal

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"restock/internal/message"
	"restock/internal/shop"
	"restock/lambdas"
)

// A Journal is a shop.Journal that writes to a log in JSON.
type Journal struct {
	log       *slog.Logger
	namespace string
}

var _ shop.Journal = Journal{}

// New returns a journal whose metrics are in a namespace of CloudWatch.
func New(log *slog.Logger, namespace string) Journal { return Journal{log, namespace} }

// Sold records a sale. It does not count a repeated one.
func (j Journal) Sold(ctx context.Context, s shop.Sale) {
	attributes := []any{"sale", s.ID, "sku", s.SKU, "quantity", s.Quantity, "unit_price", s.UnitPrice, "stock", s.Stock}
	if s.Repeated {
		j.write(ctx, slog.LevelInfo, SaleRepeated, "sale repeated", attributes...)
		return
	}
	j.measure(ctx, slog.LevelInfo, SaleMade, "sold",
		counts{lambdas.MetricSales: 1, lambdas.MetricUnitsSold: s.Quantity}, attributes...)
}

// Refused records a checkout that was refused because the stock was too low.
func (j Journal) Refused(ctx context.Context, s shop.Sale) {
	j.measure(ctx, slog.LevelInfo, SaleRefused, "refused", counts{lambdas.MetricRefusals: 1},
		"sku", s.SKU, "quantity", s.Quantity, "stock", s.Stock)
}

// BuyersWaited records that buyers of a product wait for each other, because all of its bins are
// busy. took is how long the last sale took. The advice names no command, because a function does
// not know with which flags its reader names the shop.
func (j Journal) BuyersWaited(ctx context.Context, sku string, bins int, took time.Duration) {
	j.measure(ctx, slog.LevelWarn, BuyersWaited, "buyers wait for each other: more bins may help",
		counts{lambdas.MetricBuyersWaited: 1},
		"sku", sku, "bins", bins, "waited_ms", took.Milliseconds(),
		"advice", fmt.Sprintf("set the bins of %s to %d", sku, shop.MoreBins(bins)))
}

// Adjusted records an adjustment of the stock. It is a warning, because the books were wrong.
func (j Journal) Adjusted(ctx context.Context, a shop.Adjustment, adjusted shop.Adjusted) {
	attributes := []any{
		"adjustment", a.ID, "sku", a.SKU, "quantity", a.Quantity, "reason", a.Reason, "stock", adjusted.Stock,
	}
	if adjusted.Repeated {
		j.write(ctx, slog.LevelInfo, AdjustmentRepeated, "stock adjustment repeated", attributes...)
		return
	}
	j.write(ctx, slog.LevelWarn, StockAdjusted, "stock adjusted", attributes...)
}

// Opened records a new production order.
func (j Journal) Opened(ctx context.Context, o shop.ProductionOrder) {
	j.measure(ctx, slog.LevelInfo, OrderOpened, "production order opened",
		counts{lambdas.MetricProductionOrdersOpened: 1},
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity)
}

// Published records that the message of a production order was published.
func (j Journal) Published(ctx context.Context, o shop.ProductionOrder) {
	j.write(ctx, slog.LevelInfo, OrderPublished, "production order published",
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity)
}

// NotPublished records that the message of a production order could not be published. The next
// sweep publishes it.
func (j Journal) NotPublished(ctx context.Context, o shop.ProductionOrder, err error) {
	j.write(ctx, slog.LevelWarn, OrderNotPublished, "production order not published, the next sweep retries",
		"production_order", o.ID, "error", err)
}

// NotReplenished records that the shop could not check whether a product is short. The next sweep
// checks it.
func (j Journal) NotReplenished(ctx context.Context, sku string, err error) {
	j.write(ctx, slog.LevelWarn, ProductNotReplenished, "product not checked, the next sweep retries",
		"sku", sku, "error", err)
}

// AskedAgain records that the shop asks the factory again for an overdue production order.
func (j Journal) AskedAgain(ctx context.Context, o shop.ProductionOrder) {
	j.measure(ctx, slog.LevelWarn, OrderAskedAgain, "production order overdue, the factory is asked again",
		counts{lambdas.MetricProductionOrdersAskedAgain: 1},
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "asks", o.Asks)
}

// OrderShort records a production order that was closed with a part received.
func (j Journal) OrderShort(ctx context.Context, o shop.ProductionOrder) {
	j.measure(ctx, slog.LevelWarn, OrderShort, "production order closed short",
		counts{lambdas.MetricProductionOrdersShort: 1},
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "received", o.Received)
}

// OrderFailed records a production order that was closed with nothing received.
func (j Journal) OrderFailed(ctx context.Context, o shop.ProductionOrder) {
	j.measure(ctx, slog.LevelError, OrderFailed, "production order failed",
		counts{lambdas.MetricProductionOrdersFailed: 1},
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "asks", o.Asks)
}

// OrderCancelled records a production order that a person cancelled.
func (j Journal) OrderCancelled(ctx context.Context, o shop.ProductionOrder) {
	j.write(ctx, slog.LevelInfo, OrderCancelled, "production order cancelled",
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "received", o.Received)
}

// Notified records that a notice was sent to people.
func (j Journal) Notified(ctx context.Context, n shop.Notice) {
	j.write(ctx, slog.LevelInfo, PeopleNotified, "people notified",
		"notice", n.Kind, "production_order", n.Order.ID, "sku", n.Order.SKU, "subject", n.Subject)
}

// Requested records that the factory accepted a request. lot is the factory's id for the goods.
func (j Journal) Requested(ctx context.Context, m message.StockEmpty, attempt uuid.UUID, lot string) {
	j.measure(ctx, slog.LevelInfo, ProductionRequested, "factory asked", counts{lambdas.MetricProductionRequests: 1},
		"production_order", m.ProductionOrderID, "attempt", attempt, "sku", m.SKU, "quantity", m.Quantity, "lot", lot)
}

// RequestFailed records a message that did not become a request to the factory. The message stays
// in the queue.
func (j Journal) RequestFailed(ctx context.Context, messageID, receiveCount string, err error) {
	j.measure(ctx, slog.LevelError, RequestFailed, "record failed", counts{lambdas.MetricProductionRequestsFailed: 1},
		"message_id", messageID, "receive_count", receiveCount, "error", err)
}

// RequestExpired records a message that stock drops: a newer message asks for the same order, or
// the order is closed.
func (j Journal) RequestExpired(ctx context.Context, m message.StockEmpty, messageID, receiveCount string) {
	j.measure(ctx, slog.LevelWarn, RequestExpired, "request expired",
		counts{lambdas.MetricProductionRequestsExpired: 1},
		"production_order", m.ProductionOrderID, "sku", m.SKU, "quantity", m.Quantity, "expired_at", m.ValidUntil,
		"message_id", messageID, "receive_count", receiveCount)
}

// Received records a delivery. It does not count a repeated one.
func (j Journal) Received(ctx context.Context, d shop.Delivery, r shop.Receipt) {
	attributes := []any{
		"production_order", d.ProductionOrderID, "attempt", d.AttemptID, "sku", d.SKU, "quantity", d.Quantity,
		"stock", r.Stock,
	}
	level, text, received := slog.LevelWarn, "goods received", counts{lambdas.MetricUnitsReceived: d.Quantity}
	switch {
	case r.Repeated:
		j.write(ctx, slog.LevelInfo, GoodsReceivedAgain, "goods received again", attributes...)
		return
	case r.Correction > 0:
		text = "goods received, more than the attempt's earlier callback said"
		received = counts{lambdas.MetricUnitsReceived: r.Correction, lambdas.MetricSurplusUnits: r.Surplus}
		attributes = append(attributes, "correction", r.Correction)
	case r.Surplus > 0:
		text = "goods received, more than ordered"
		received[lambdas.MetricSurplusUnits] = r.Surplus
	case r.Late:
		text = "goods received, after their order was closed"
	default:
		level = slog.LevelInfo
	}
	j.measure(ctx, level, GoodsReceived, text, received, attributes...)
}

// DeliveryFailed records a delivery that could not be booked. The message stays in the queue.
func (j Journal) DeliveryFailed(ctx context.Context, messageID, receiveCount string, err error) {
	j.measure(ctx, slog.LevelError, DeliveryFailed, "delivery not booked", counts{lambdas.MetricDeliveriesFailed: 1},
		"message_id", messageID, "receive_count", receiveCount, "error", err)
}

// DeliveriesForged records callbacks whose URLs the shop did not sign: how many of a batch are
// dropped, and how many stay in the queue until newer keys confirm it.
func (j Journal) DeliveriesForged(ctx context.Context, dropped, undecided int) {
	j.measure(ctx, slog.LevelWarn, DeliveriesForged, "forged deliveries dropped",
		counts{lambdas.MetricDeliveriesForged: dropped}, "undecided", undecided)
}

// Inspected records an inspection: a summary, the stock of each product, each product whose ledger
// differs from its stock, and each overdue order. Each product has a line of its own, because the
// product is the dimension of its metric. The numbers for people are in the texts: attributes other
// than metrics would show these lines in the local run's terminal every minute.
func (j Journal) Inspected(ctx context.Context, i shop.Inspection) {
	j.measure(ctx, slog.LevelInfo, Inspected,
		fmt.Sprintf("products compared with their ledgers: %d, that differ: %d; production orders overdue: %d",
			len(i.Balances), i.Differing(), len(i.Overdue)),
		counts{lambdas.MetricProductionOrdersOverdue: len(i.Overdue), lambdas.MetricLedgerDifference: i.Difference()})
	for _, b := range i.Balances {
		j.measureBy(ctx, slog.LevelInfo, StockMeasured, fmt.Sprintf("%d on hand, %d in the ledger", b.Stock, b.Ledger),
			[]slog.Attr{slog.String(lambdas.DimensionProduct, b.SKU)}, counts{lambdas.MetricStock: b.Stock})
		if b.Difference() != 0 {
			j.write(ctx, slog.LevelError, BooksDiffer, "the ledger is not the stock",
				"sku", b.SKU, "stock", b.Stock, "ledger", b.Ledger)
		}
	}
	for _, o := range i.Overdue {
		j.write(shop.WithCorrelation(ctx, o.Correlation), slog.LevelWarn, OrderOverdue, "production order overdue",
			"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "opened_at", o.OpenedAt)
	}
}

// write writes a line without metrics.
func (j Journal) write(ctx context.Context, level slog.Level, kind Kind, text string, attributes ...any) {
	j.log.Log(ctx, level, text, append(attributes, kind.Attr())...)
}

// counts has the values of metrics, by name.
type counts map[string]int

func (j Journal) measure(ctx context.Context, level slog.Level, kind Kind, text string, c counts, attributes ...any) {
	j.measureBy(ctx, level, kind, text, nil, c, attributes...)
}

// measureBy writes a line that is a document of the embedded metric format. The field _aws says
// which of the line's fields are metrics and dimensions.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (j Journal) measureBy(
	ctx context.Context, level slog.Level, kind Kind, text string, dimensions []slog.Attr, c counts, attributes ...any,
) {
	d := directive{Namespace: j.namespace, Dimensions: [][]string{{}}, Metrics: []metric{}}
	line := append(slices.Clone(dimensions), kind.Attr())
	for _, dimension := range dimensions {
		d.Dimensions[0] = append(d.Dimensions[0], dimension.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		d.Metrics = append(d.Metrics, metric{name, "Count"})
		line = append(line, slog.Int(name, c[name]))
	}
	line = append(line, slog.Any("_aws", metadata{time.Now().UnixMilli(), []directive{d}}))
	j.log.With(attributes...).LogAttrs(ctx, level, text, line...)
}

// metadata is the field _aws of a line.
type metadata struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

type metric struct{ Name, Unit string }
