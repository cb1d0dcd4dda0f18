package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/message"
	"restock/internal/shop"
	"restock/lambdas/journal"
)

// A line is a line of the log in the form in which CloudWatch reads it.
type line struct {
	text     string
	fields   map[string]any
	metadata struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
}

// lines returns the lines that a journal writes.
func lines(t *testing.T, write func(journal.Journal)) []line {
	t.Helper()
	var out bytes.Buffer
	write(journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "restock/test"))
	var all []line
	for text := range strings.Lines(out.String()) {
		l := line{text: text}
		err := errors.Join(json.Unmarshal([]byte(text), &l.fields), json.Unmarshal([]byte(text), &l.metadata))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, l)
	}
	return all
}

// measured returns the metrics that CloudWatch reads from a line, for example
// "Stock{Product=CP-502101}=3".
func (l line) measured(t *testing.T) (measured []string) {
	t.Helper()
	for _, d := range l.metadata.AWS.CloudWatchMetrics {
		if d.Namespace != "restock/test" || l.metadata.AWS.Timestamp == 0 || len(d.Dimensions) != 1 {
			t.Errorf("not a document of the embedded metric format: %s", l.text)
			continue
		}
		by := ""
		for _, name := range d.Dimensions[0] {
			by += fmt.Sprintf("{%s=%v}", name, l.fields[name])
		}
		for _, m := range d.Metrics {
			if m.Unit != "Count" {
				t.Errorf("the unit is %q: %s", m.Unit, l.text)
			}
			measured = append(measured, fmt.Sprintf("%s%s=%v", m.Name, by, l.fields[m.Name]))
		}
	}
	return measured
}

func TestEventsAreLoggedAndCounted(t *testing.T) {
	ctx, id := context.Background(), uuid.New()
	sale := shop.Sale{ID: id, SKU: "CP-502101", Quantity: 2, UnitPrice: 19900, Stock: 1}
	repeated := sale
	repeated.Repeated = true
	order := shop.ProductionOrder{
		ID: id, SKU: "CP-502101", Quantity: 100,
		AskedAt: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), LeadTime: time.Minute,
	}
	received := func(r shop.Receipt) func(journal.Journal) {
		delivery := shop.Delivery{
			ProductionOrderID: id, AttemptID: uuid.New(), SKU: "CP-502101", Quantity: 100, Signed: 100,
		}
		return func(j journal.Journal) { j.Received(ctx, delivery, r) }
	}
	for _, c := range []struct {
		name     string
		write    func(journal.Journal)
		says     []string // of each line
		measures []string
	}{
		{"a sale", func(j journal.Journal) { j.Sold(ctx, sale) },
			[]string{`"msg":"sold","sale":"` + id.String() +
				`","sku":"CP-502101","quantity":2,"unit_price":19900,"stock":1`}, []string{"Sales=1", "UnitsSold=2"}},
		{"a repeated sale", func(j journal.Journal) { j.Sold(ctx, repeated) }, []string{"sale repeated"}, nil},
		{"a refusal", func(j journal.Journal) { j.Refused(ctx, sale) }, []string{"refused"}, []string{"Refusals=1"}},
		{"an order", func(j journal.Journal) { j.Opened(ctx, order) }, []string{`"production_order":"` + id.String()},
			[]string{"ProductionOrdersOpened=1"}},
		{"a publication", func(j journal.Journal) { j.Published(ctx, order) },
			[]string{"production order published"}, nil},
		{"a failed publication", func(j journal.Journal) { j.NotPublished(ctx, order, errors.New("SNS is down")) },
			[]string{"SNS is down"}, nil},
		{"a request", func(j journal.Journal) { j.Requested(ctx, message.New(order), id, "lot-7") },
			[]string{`"lot":"lot-7"`}, []string{"ProductionRequests=1"}},
		{"a failed request",
			func(j journal.Journal) { j.RequestFailed(ctx, "m1", "3", errors.New("the factory answered 500")) },
			[]string{`"level":"ERROR","msg":"record failed","message_id":"m1","receive_count":"3",` +
				`"error":"the factory answered 500"`}, []string{"ProductionRequestsFailed=1"}},
		{"an expired request", func(j journal.Journal) { j.RequestExpired(ctx, message.New(order), "m1", "3") },
			[]string{`"level":"WARN","msg":"request expired","production_order":"` + id.String() +
				`","sku":"CP-502101","quantity":100,"expired_at":"2026-11-28T12:01:00Z","message_id":"m1",` +
				`"receive_count":"3"`},
			[]string{"ProductionRequestsExpired=1"}},
		{"a failed delivery",
			func(j journal.Journal) { j.DeliveryFailed(ctx, "m1", "3", errors.New("no database")) },
			[]string{`"level":"ERROR","msg":"delivery not booked","message_id":"m1","receive_count":"3",` +
				`"error":"no database","event":"delivery_failed"`}, []string{"DeliveriesFailed=1"}},
		{"forged deliveries", func(j journal.Journal) { j.DeliveriesForged(ctx, 7, 2) },
			[]string{`"level":"WARN","msg":"forged deliveries dropped","undecided":2,"event":"deliveries_forged"`},
			[]string{"DeliveriesForged=7"}},
		{"a delivery", received(shop.Receipt{Stock: 100}), []string{`"stock":100`}, []string{"UnitsReceived=100"}},
		{"a repeated delivery", received(shop.Receipt{Stock: 100, Repeated: true}),
			[]string{"goods received again"}, nil},
		{"a second lot", received(shop.Receipt{Stock: 200, Surplus: 100}),
			[]string{`"level":"WARN"`}, []string{"SurplusUnits=100", "UnitsReceived=100"}},
		{"a correction", received(shop.Receipt{Stock: 100, Correction: 99}),
			[]string{`"level":"WARN","msg":"goods received, more than the attempt's earlier callback said"`},
			[]string{"SurplusUnits=0", "UnitsReceived=99"}},
		{"a late delivery", received(shop.Receipt{Stock: 300, Late: true}),
			[]string{`after their order was closed`}, []string{"UnitsReceived=100"}},
		{"a second request", func(j journal.Journal) { j.AskedAgain(ctx, order) }, []string{`asked again`},
			[]string{"ProductionOrdersAskedAgain=1"}},
		{"an order that came short", func(j journal.Journal) { j.OrderShort(ctx, order) }, []string{`closed short`},
			[]string{"ProductionOrdersShort=1"}},
		{"an order that failed", func(j journal.Journal) { j.OrderFailed(ctx, order) }, []string{`"level":"ERROR"`},
			[]string{"ProductionOrdersFailed=1"}},
		{"an order that was cancelled", func(j journal.Journal) { j.OrderCancelled(ctx, order) },
			[]string{"production order cancelled"}, nil},
		{"a notice", func(j journal.Journal) {
			j.Notified(ctx, shop.Notice{Kind: shop.NoticeOrderFailed, Order: order, Subject: "failed"})
		}, []string{`"notice":"order_failed"`}, nil},
		{"a product that was not checked",
			func(j journal.Journal) { j.NotReplenished(ctx, "CP-502101", errors.New("no database")) },
			[]string{"no database"}, nil},
		{"buyers who wait", func(j journal.Journal) { j.BuyersWaited(ctx, "CP-1", 1, 83*time.Millisecond) },
			[]string{`"sku":"CP-1","bins":1,"waited_ms":83,"advice":"set the bins of CP-1 to 8",` +
				`"event":"buyers_waited"`},
			[]string{"BuyersWaited=1"}},
		{"an adjustment", func(j journal.Journal) {
			a := shop.Adjustment{SKU: "CP-502101", Quantity: -3, Reason: "damaged"}
			j.Adjusted(ctx, a, shop.Adjusted{Stock: 97})
		}, []string{`"level":"WARN","msg":"stock adjusted"`}, nil},
		{"a repeated adjustment",
			func(j journal.Journal) { j.Adjusted(ctx, shop.Adjustment{}, shop.Adjusted{Repeated: true}) },
			[]string{`"level":"INFO"`}, nil},
		{"an inspection", func(j journal.Journal) {
			j.Inspected(ctx, shop.Inspection{
				Balances: []shop.Balance{
					{SKU: "CP-502101", Stock: 3, Ledger: 3},
					{SKU: "CP-502102", Stock: 7, Ledger: 5},
					{SKU: "CP-502103", Stock: 1, Ledger: 2},
				},
				Overdue: []shop.ProductionOrder{order},
			})
		}, []string{
			`"products compared with their ledgers: 3, that differ: 2; production orders overdue: 1"`,
			`"3 on hand, 3 in the ledger","Product":"CP-502101"`, `"7 on hand, 5 in the ledger","Product":"CP-502102"`,
			`the ledger is not the stock","sku":"CP-502102","stock":7,"ledger":5`,
			`"1 on hand, 2 in the ledger","Product":"CP-502103"`,
			`"sku":"CP-502103"`, "production order overdue",
		}, []string{
			"LedgerDifference=3", "ProductionOrdersOverdue=1",
			"Stock{Product=CP-502101}=3", "Stock{Product=CP-502102}=7", "Stock{Product=CP-502103}=1",
		}},
	} {
		var measured []string
		got := lines(t, c.write)
		for i, l := range got {
			measured = append(measured, l.measured(t)...)
			if i < len(c.says) && !strings.Contains(l.text, c.says[i]) {
				t.Errorf("%s: line %d is %s, want %s in it", c.name, i, l.text, c.says[i])
			}
		}
		if len(got) != len(c.says) || !slices.Equal(measured, c.measures) {
			t.Errorf("%s: got %d lines that measure %v, want %d and %v",
				c.name, len(got), measured, len(c.says), c.measures)
		}
	}
}

func TestEveryLineHasItsKind(t *testing.T) {
	ctx := context.Background()
	for kind, write := range map[journal.Kind]func(journal.Journal){
		journal.SaleMade:         func(j journal.Journal) { j.Sold(ctx, shop.Sale{}) },
		journal.SaleRepeated:     func(j journal.Journal) { j.Sold(ctx, shop.Sale{Repeated: true}) },
		journal.OrderOpened:      func(j journal.Journal) { j.Opened(ctx, shop.ProductionOrder{}) },
		journal.RequestFailed:    func(j journal.Journal) { j.RequestFailed(ctx, "m1", "3", errors.New("no")) },
		journal.DeliveryFailed:   func(j journal.Journal) { j.DeliveryFailed(ctx, "m1", "3", errors.New("no")) },
		journal.DeliveriesForged: func(j journal.Journal) { j.DeliveriesForged(ctx, 1, 0) },
		journal.GoodsReceivedAgain: func(j journal.Journal) {
			j.Received(ctx, shop.Delivery{}, shop.Receipt{Repeated: true})
		},
	} {
		if got := lines(t, write); len(got) != 1 || got[0].fields["event"] != string(kind) {
			t.Errorf("got %v, want one line of kind %s", got, kind)
		}
	}
	for _, r := range []shop.Receipt{{}, {Late: true}, {Surplus: 1}, {Correction: 1, Surplus: 1}} {
		got := lines(t, func(j journal.Journal) { j.Received(ctx, shop.Delivery{Quantity: 3}, r) })
		_, corrects := got[0].fields["correction"]
		if got[0].fields["event"] != string(journal.GoodsReceived) || corrects != (r.Correction > 0) {
			t.Errorf("%+v: got %v, want the kind %s, and the correction if there is one",
				r, got[0].fields, journal.GoodsReceived)
		}
	}
}

func TestAnInspectionWithoutFindingsMeasuresZero(t *testing.T) {
	// Without a measurement, an alarm that was raised would never end.
	got := lines(t, func(j journal.Journal) { j.Inspected(context.Background(), shop.Inspection{}) })
	if len(got) != 1 || !slices.Equal(got[0].measured(t), []string{"LedgerDifference=0", "ProductionOrdersOverdue=0"}) {
		t.Errorf("got %v", slices.Collect(maps.Keys(got[0].fields)))
	}
}
