package programs_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/google/uuid"

	"restock/cmd/local/programs"
	"restock/internal/mysql"
	"restock/internal/shop"
	"restock/lambdas/journal"
	"restock/local/view/events"
	"restock/test/await"
	"restock/test/model"
)

// traced are the kinds of lines in the functions' logs that are events of the model.
var traced = map[journal.Kind]model.Kind{
	journal.OrderOpened: model.Opened, journal.OrderPublished: model.Published,
	journal.OrderAskedAgain: model.AskedAgain, journal.OrderShort: model.Closed, journal.OrderFailed: model.Closed,
	journal.OrderCancelled: model.Closed, journal.ProductionRequested: model.Requested,
	journal.GoodsReceived: model.Booked, journal.GoodsReceivedAgain: model.Booked,
	journal.RequestExpired: model.Dropped,
}

// closedAs are the statuses in which a line closes an order.
var closedAs = map[journal.Kind]shop.OrderStatus{
	journal.OrderShort: shop.OrderShort, journal.OrderFailed: shop.OrderFailed,
	journal.OrderCancelled: shop.OrderCancelled,
}

// listen makes a run write its events to a stream, too.
func listen(c *programs.Config) *events.Stream[events.Event] {
	stream := events.NewStream[events.Event](100_000)
	c.Log = slog.New(slog.NewMultiHandler(c.Log.Handler(), events.NewHandler(stream, slog.LevelDebug)))
	return stream
}

// trace returns the events of each production order in the log of a run. A function writes a line
// after the event, and lines of several functions may overtake each other. So an event took effect
// at any time before its line.
func trace(t *testing.T, stream *events.Stream[events.Event], p shop.Policy) map[uuid.UUID]*model.Trace {
	t.Helper()
	log := stream.Subscribe(0)
	defer log.Close()
	batch, err := log.Read(100_000)
	if err != nil {
		t.Fatal(err)
	}
	all := map[uuid.UUID]*model.Trace{}
	for i, event := range batch.Values {
		if event.Kind != events.FunctionLine {
			continue
		}
		line, _ := events.ReadLine(event.Message)
		field := func(key string) string {
			j := slices.IndexFunc(line.Attrs, func(a slog.Attr) bool { return a.Key == key })
			if j < 0 {
				return ""
			}
			return fmt.Sprint(line.Attrs[j].Value.Any())
		}
		of := journal.Kind(line.Kind)
		kind, is := traced[of]
		if !is {
			continue
		}
		order, err := uuid.Parse(field("production_order"))
		if err != nil {
			t.Fatalf("the line %v has no production order: %v", line, err)
		}
		e := model.Event{Kind: kind, Order: order, Policy: p, Status: closedAs[of], Return: int64(i + 1)}
		e.Attempt, _ = uuid.Parse(field("attempt"))
		quantity, _ := strconv.Atoi(field("quantity"))
		switch of {
		case journal.OrderOpened:
			e.Ordered = quantity
		case journal.GoodsReceived:
			e.Quantity, e.Booked = quantity, quantity
			if correction, err := strconv.Atoi(field("correction")); err == nil {
				e.Booked = correction
			}
		case journal.GoodsReceivedAgain:
			e.Quantity = quantity
		}
		if all[order] == nil {
			all[order] = &model.Trace{OneOrder: true}
		}
		all[order].Events = append(all[order].Events, e)
	}
	return all
}

// checkTraces checks that the model allows the events of each production order of a run, and not
// without one of them. The run has asked the factory for no other product.
func (s *stack) checkTraces(t *testing.T, stream *events.Stream[events.Event], sku string) {
	t.Helper()
	dsn, err := driver.ParseDSN(s.DSN)
	if err != nil {
		t.Fatal(err)
	}
	dsn.ParseTime = true // the store reads times
	connector, err := driver.NewConnector(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	store := mysql.NewStore(db)
	product, err := store.Product(t.Context(), sku)
	if err != nil {
		t.Fatal(err)
	}
	orders, err := store.ProductionOrders(t.Context(), shop.OrderFilter{SKU: sku, Limit: 100})
	if err != nil || len(orders) == 0 {
		t.Fatalf("there are no production orders of %s: %v", sku, err)
	}
	for _, o := range orders {
		var seen []model.Event
		await.Until(t, "the log has the order's requests and receipts", func() bool {
			if of := trace(t, stream, product.Policy)[o.ID]; of != nil {
				seen = of.Events
			}
			requested, received := 0, 0
			for _, e := range seen {
				if e.Kind == model.Requested {
					requested++
				}
				received += e.Booked
			}
			return received == o.Received && requested == len(s.Run.Factory.Requests())
		})
		now := model.Event{
			Kind: model.Seen, Order: o.ID, Policy: product.Policy, Status: o.Status, Received: o.Received, Asks: o.Asks,
			Published: !o.PublishedAt.IsZero(), Call: 1_000_000, Return: 1_000_001,
		}
		seen = append(seen, now)
		if err := (model.Trace{OneOrder: true, Events: seen}).Check(); err != nil {
			t.Errorf("production order %s: %v", o.ID, err)
		}
		for i, e := range seen {
			again := e.Kind == model.Booked && e.Booked == 0
			without := model.Trace{OneOrder: true, Events: slices.Delete(slices.Clone(seen), i, i+1)}
			if err := without.Check(); err == nil && !again && e.Kind != model.Seen {
				t.Errorf("the model allows the run without this event: %v", e)
			}
		}
		t.Logf("replayed %d events of production order %s in the model", len(seen), o.ID)
	}
}
