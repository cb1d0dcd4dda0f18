package panels

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"restock/internal/shop"
	"restock/lambdas/journal"
	"restock/local/view/console"
	"restock/local/view/events"
)

func TestMeaningsOfTheShopsLines(t *testing.T) {
	ctx, delivery := context.Background(), shop.Delivery{SKU: "A", Quantity: 100}
	for name, c := range map[string]struct {
		write   func(journal.Journal)
		text    string
		notable bool
		mark    string
	}{
		"an order": {func(j journal.Journal) { j.Opened(ctx, shop.ProductionOrder{SKU: "A", Quantity: 1_000_000}) },
			"1000000 × bread A ordered", true, ""},
		"the last sale": {func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 2, SKU: "A"}) },
			"2 × bread A sold, the last piece", true, "sold out A"},
		"the last sale of a product that nobody orders": {
			func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 1, SKU: "B"}) },
			"1 × bread B sold, the last piece; nobody orders it: it is not automatic", true, "sold out B",
		},
		"the last sale of a product that a person has ordered": {
			func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 1, SKU: "C"}) },
			"1 × bread C sold, the last piece", true, "sold out C",
		},
		"the last sale of a product that the panel does not know": {
			func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 1, SKU: "N"}) },
			"1 × N sold, the last piece", true, "sold out N",
		},
		"a count that finds nothing": {
			func(j journal.Journal) { j.Adjusted(ctx, shop.Adjustment{SKU: "A"}, shop.Adjusted{}) },
			"bread A adjusted to 0", true, "sold out A",
		},
		"a sale that leaves a piece": {
			func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 2, SKU: "B", Stock: 1}) },
			"2 × bread B sold", false, "",
		},
		"a refused sale": {func(j journal.Journal) { j.Refused(ctx, shop.Sale{Quantity: 2, SKU: "A"}) },
			"2 × bread A refused", false, ""},
		"a delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{}) },
			"100 × bread A received", true, ""},
		"a late delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Late: true}) },
			"100 × bread A received", true, ""},
		"a surplus delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Surplus: 100}) },
			"100 × bread A received", true, ""},
		"a correction": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Correction: 99}) },
			"99 × bread A received", true, ""},
		"a repeated delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Repeated: true}) },
			"", false, ""},
	} {
		var out bytes.Buffer
		c.write(journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "restock/test"))
		line, ok := events.ReadLine(strings.Replace(out.String(), `"msg"`, `"message"`, 1))
		attrs := map[string]any{}
		for _, a := range line.Attrs {
			attrs[a.Key] = a.Value.Any()
		}
		p := newStock(slog.New(slog.DiscardHandler))
		business := Business([]console.Panel{p.panel(), {Name: "other", State: func(bool) any {
			t.Errorf("%s: the state of another panel was read", name)
			return nil
		}}})
		got := business.Meaning(string(line.Kind), attrs)
		p.now = []Product{ // the panel has read them after the line
			{SKU: "A", Name: "bread A", Automatic: true, Status: statusSoldOut},
			{SKU: "B", Name: "bread B", Status: statusSoldOut},
			{SKU: "C", Name: "bread C", Status: statusOnOrder, OnOrder: 100},
		}
		text := ""
		if got.Text != nil {
			text = got.Text("")
			// The name of the journey has the product already.
			short := regexp.MustCompile(`^(1000000|100|99) × bread A`).ReplaceAllString(text, "$1")
			if again := got.Text("2 × bread A sold"); again != short {
				t.Errorf("%s: got %q after a sale of the product, want %q", name, again, short)
			}
		}
		if !ok || text != c.text || got.Notable != c.notable || got.Mark != c.mark {
			t.Errorf("%s: got %q, %+v of %s, want %+v", name, text, got, out.String(), c)
		}
	}
}
