// Package journal is the log of what happens in the business. A line that counts something is at once a measurement: it is a document of
// CloudWatch's embedded metric format, from which the metrics of package lambdas are made.
package journal

import (
	"context"
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

// New makes a journal whose measurements are in a namespace of CloudWatch.
func New(log *slog.Logger, namespace string) Journal { return Journal{log, namespace} }

// Sold tells of a sale. One that is repeated is told of, and not counted.
func (j Journal) Sold(ctx context.Context, s shop.Sale) {
	attributes := []any{"sale", s.ID, "sku", s.SKU, "quantity", s.Quantity, "unit_price", s.UnitPrice, "stock", s.Stock}
	if s.Repeated {
		j.tell(ctx, slog.LevelInfo, SaleRepeated, "sale repeated", attributes...)
		return
	}
	j.measure(ctx, slog.LevelInfo, SaleMade, "sold", counts{lambdas.MetricSales: 1, lambdas.MetricUnitsSold: s.Quantity}, attributes...)
}

// Refused tells of a buyer who went without.
func (j Journal) Refused(ctx context.Context, s shop.Sale) {
	j.measure(ctx, slog.LevelInfo, SaleRefused, "refused", counts{lambdas.MetricRefusals: 1},
		"sku", s.SKU, "quantity", s.Quantity, "stock", s.Stock)
}

// Adjusted tells of a stock that was set right. It is a warning, as the books were wrong.
func (j Journal) Adjusted(ctx context.Context, a shop.Adjustment, adjusted shop.Adjusted) {
	attributes := []any{"adjustment", a.ID, "sku", a.SKU, "quantity", a.Quantity, "reason", a.Reason, "stock", adjusted.Stock}
	if adjusted.Repeated {
		j.tell(ctx, slog.LevelInfo, AdjustmentRepeated, "stock adjustment repeated", attributes...)
		return
	}
	j.tell(ctx, slog.LevelWarn, StockAdjusted, "stock adjusted", attributes...)
}

// Opened tells of a new production order.
func (j Journal) Opened(ctx context.Context, o shop.ProductionOrder) {
	j.measure(ctx, slog.LevelInfo, OrderOpened, "production order opened", counts{lambdas.MetricProductionOrdersOpened: 1},
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity)
}

// Published tells that a production order is on its way to the factory.
func (j Journal) Published(ctx context.Context, o shop.ProductionOrder) {
	j.tell(ctx, slog.LevelInfo, OrderPublished, "production order published",
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity)
}

// NotPublished tells of a production order that the next sweep has to publish.
func (j Journal) NotPublished(ctx context.Context, o shop.ProductionOrder, err error) {
	j.tell(ctx, slog.LevelWarn, OrderNotPublished, "production order left to the sweep", "production_order", o.ID, "error", err)
}

// NotReplenished tells of a product that the next sweep has to check.
func (j Journal) NotReplenished(ctx context.Context, sku string, err error) {
	j.tell(ctx, slog.LevelWarn, ProductNotReplenished, "product left to the sweep", "sku", sku, "error", err)
}

// AskedAgain tells of a production order that is overdue, and for which the factory is asked once more.
func (j Journal) AskedAgain(ctx context.Context, o shop.ProductionOrder) {
	j.measure(ctx, slog.LevelWarn, OrderAskedAgain, "production order overdue, the factory is asked again",
		counts{lambdas.MetricProductionOrdersAskedAgain: 1},
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "asks", o.Asks)
}

// OrderShort tells of a production order that was closed with less than was ordered.
func (j Journal) OrderShort(ctx context.Context, o shop.ProductionOrder) {
	j.measure(ctx, slog.LevelWarn, OrderShort, "production order closed short", counts{lambdas.MetricProductionOrdersShort: 1},
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "received", o.Received)
}

// OrderFailed tells of a production order that was given up.
func (j Journal) OrderFailed(ctx context.Context, o shop.ProductionOrder) {
	j.measure(ctx, slog.LevelError, OrderFailed, "production order failed", counts{lambdas.MetricProductionOrdersFailed: 1},
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "asks", o.Asks)
}

// OrderCancelled tells of a production order that a person has closed.
func (j Journal) OrderCancelled(ctx context.Context, o shop.ProductionOrder) {
	j.tell(ctx, slog.LevelInfo, OrderCancelled, "production order cancelled",
		"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "received", o.Received)
}

// Notified tells that people were told of something.
func (j Journal) Notified(ctx context.Context, n shop.Notice) {
	j.tell(ctx, slog.LevelInfo, PeopleNotified, "people told",
		"notice", n.Kind, "production_order", n.Order.ID, "sku", n.Order.SKU, "subject", n.Subject)
}

// Requested tells that the factory has taken a production order, as a lot of a name of its own.
func (j Journal) Requested(ctx context.Context, m message.StockEmpty, attempt uuid.UUID, lot string) {
	j.measure(ctx, slog.LevelInfo, ProductionRequested, "factory asked", counts{lambdas.MetricProductionRequests: 1},
		"production_order", m.ProductionOrderID, "attempt", attempt, "sku", m.SKU, "quantity", m.Quantity, "lot", lot)
}

// RequestFailed tells of a message that did not become a request to the factory. It stays in the queue.
func (j Journal) RequestFailed(ctx context.Context, messageID, receiveCount string, err error) {
	j.measure(ctx, slog.LevelError, RequestFailed, "record failed", counts{lambdas.MetricProductionRequestsFailed: 1},
		"message_id", messageID, "receive_count", receiveCount, "error", err)
}

// RequestExpired reports a message that stock drops: a newer message asks for the same order, or the order is closed.
func (j Journal) RequestExpired(ctx context.Context, m message.StockEmpty, messageID, receiveCount string) {
	j.measure(ctx, slog.LevelWarn, RequestExpired, "request expired", counts{lambdas.MetricProductionRequestsExpired: 1},
		"production_order", m.ProductionOrderID, "sku", m.SKU, "quantity", m.Quantity, "expired_at", m.ValidUntil,
		"message_id", messageID, "receive_count", receiveCount)
}

// Received tells of a delivery. One that was booked before is told of, and not counted.
func (j Journal) Received(ctx context.Context, d shop.Delivery, r shop.Receipt) {
	attributes := []any{
		"production_order", d.ProductionOrderID, "attempt", d.AttemptID, "sku", d.SKU, "quantity", d.Quantity, "stock", r.Stock,
	}
	level, text, received := slog.LevelWarn, "goods received", counts{lambdas.MetricUnitsReceived: d.Quantity}
	switch {
	case r.Repeated:
		j.tell(ctx, slog.LevelInfo, GoodsReceivedAgain, "goods received again", attributes...)
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

// Inspected tells how things stand: a line for all, one for each product, and one for each thing that is not as it should be.
func (j Journal) Inspected(ctx context.Context, i shop.Inspection) {
	j.measure(ctx, slog.LevelInfo, Inspected, "inspected",
		counts{lambdas.MetricProductionOrdersOverdue: len(i.Overdue), lambdas.MetricLedgerDifference: i.Difference()})
	for _, b := range i.Balances {
		j.measureBy(ctx, slog.LevelInfo, StockMeasured, "stock", []slog.Attr{slog.String(lambdas.DimensionProduct, b.SKU)},
			counts{lambdas.MetricStock: b.Stock})
		if b.Difference() != 0 {
			j.tell(ctx, slog.LevelError, BooksDiffer, "the ledger is not the stock", "sku", b.SKU, "stock", b.Stock, "ledger", b.Ledger)
		}
	}
	for _, o := range i.Overdue {
		j.tell(shop.WithCorrelation(ctx, o.Correlation), slog.LevelWarn, OrderOverdue, "production order overdue",
			"production_order", o.ID, "sku", o.SKU, "quantity", o.Quantity, "opened_at", o.OpenedAt)
	}
}

// tell writes a line that counts nothing.
func (j Journal) tell(ctx context.Context, level slog.Level, kind Kind, text string, attributes ...any) {
	j.log.Log(ctx, level, text, append(attributes, kind.Attr())...)
}

// counts are metrics and how much was counted.
type counts map[string]int

func (j Journal) measure(ctx context.Context, level slog.Level, kind Kind, text string, c counts, attributes ...any) {
	j.measureBy(ctx, level, kind, text, nil, c, attributes...)
}

// measureBy writes a line that is a document of the embedded metric format: what was counted, by the names of the metrics, beside the
// line's attributes, and in _aws what of it is a metric.
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

// metadata is what CloudWatch reads of a line.
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
