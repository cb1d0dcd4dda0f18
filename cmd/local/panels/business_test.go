package panels

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"restock/internal/shop"
	"restock/lambdas/journal"
	"restock/local/view/console"
	"restock/local/view/events"
)

func TestMeaningsOfTheShopsLines(t *testing.T) {
	bread := func(sku string) Product { return Product{SKU: sku, Name: "bread " + sku, Automatic: sku == "A"} }
	ctx, delivery := context.Background(), shop.Delivery{Quantity: 100}
	for name, c := range map[string]struct {
		write func(journal.Journal)
		want  console.Meaning
	}{
		"an order": {func(j journal.Journal) { j.Opened(ctx, shop.ProductionOrder{Quantity: 100}) },
			console.Meaning{Notable: true, Text: "100 ordered"}},
		"the last sale": {func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 2, SKU: "A"}) },
			console.Meaning{Notable: true, Mark: "sold out A", Text: "2 × bread A sold, the last piece"}},
		"the last sale of a product that nobody orders": {
			func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 1, SKU: "B"}) },
			console.Meaning{Notable: true, Mark: "sold out B",
				Text: "1 × bread B sold, the last piece; nobody orders it: it is not automatic"},
		},
		"a count that finds nothing": {
			func(j journal.Journal) { j.Adjusted(ctx, shop.Adjustment{SKU: "A"}, shop.Adjusted{}) },
			console.Meaning{Notable: true, Mark: "sold out A", Text: "bread A adjusted to 0"},
		},
		"a sale that leaves a piece": {
			func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 2, SKU: "A", Stock: 1}) },
			console.Meaning{Text: "2 × bread A sold"},
		},
		"a refused sale": {func(j journal.Journal) { j.Refused(ctx, shop.Sale{Quantity: 2, SKU: "A"}) },
			console.Meaning{Text: "2 × bread A refused"}},
		"a delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{}) },
			console.Meaning{Notable: true, Text: "100 received"}},
		"a late delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Late: true}) },
			console.Meaning{Notable: true, Text: "100 received"}},
		"a surplus delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Surplus: 100}) },
			console.Meaning{Notable: true, Text: "100 received"}},
		"a correction": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Correction: 99}) },
			console.Meaning{Notable: true, Text: "99 received"}},
		"a repeated delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Repeated: true}) },
			console.Meaning{}},
	} {
		var out bytes.Buffer
		c.write(journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "restock/test"))
		line, ok := events.ReadLine(strings.Replace(out.String(), `"msg"`, `"message"`, 1))
		attrs := map[string]any{}
		for _, a := range line.Attrs {
			attrs[a.Key] = a.Value.Any()
		}
		if got := meaning(string(line.Kind), attrs, bread); !ok || got != c.want {
			t.Errorf("%s: got %+v of %s, want %+v", name, got, out.String(), c.want)
		}
	}
}
