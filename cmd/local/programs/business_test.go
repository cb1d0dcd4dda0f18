package programs

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

func TestMilestonesOfTheShopsLines(t *testing.T) {
	bread := func(sku string) string { return "bread " + sku }
	ctx, delivery := context.Background(), shop.Delivery{Quantity: 100}
	for name, c := range map[string]struct {
		write func(journal.Journal)
		want  console.Milestone
	}{
		"an order": {func(j journal.Journal) { j.Opened(ctx, shop.ProductionOrder{Quantity: 100}) },
			console.Milestone{Ordered: true, Text: "100 ordered"}},
		"a sale": {func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 2, SKU: "A"}) },
			console.Milestone{Text: "2 × bread A sold, the last"}},
		"a sale that leaves a piece": {
			func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: 2, SKU: "A", Stock: 1}) },
			console.Milestone{Text: "2 × bread A sold"},
		},
		"a refused sale": {func(j journal.Journal) { j.Refused(ctx, shop.Sale{Quantity: 2, SKU: "A"}) },
			console.Milestone{Text: "2 × bread A refused"}},
		"a delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{}) },
			console.Milestone{Made: 100, Text: "100 received"}},
		"a late delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Late: true}) },
			console.Milestone{Made: 100, Text: "100 received"}},
		"a surplus delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Surplus: 100}) },
			console.Milestone{Made: 100, Text: "100 received"}},
		"a correction": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Correction: 99}) },
			console.Milestone{Made: 99, Text: "99 received"}},
		"a repeated delivery": {func(j journal.Journal) { j.Received(ctx, delivery, shop.Receipt{Repeated: true}) },
			console.Milestone{}},
	} {
		var out bytes.Buffer
		c.write(journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "restock/test"))
		line, ok := events.ReadLine(strings.Replace(out.String(), `"msg"`, `"message"`, 1))
		attrs := map[string]any{}
		for _, a := range line.Attrs {
			attrs[a.Key] = a.Value.Any()
		}
		if got := milestones(bread)(string(line.Kind), attrs); !ok || got != c.want {
			t.Errorf("%s: got %+v of %s, want %+v", name, got, out.String(), c.want)
		}
	}
}
