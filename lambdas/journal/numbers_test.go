package journal_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"restock/internal/message"
	"restock/internal/shop"
	"restock/lambdas/journal"
)

func TestNumbersOfTheJournalAreExact(t *testing.T) {
	const large, price = 1<<53 + 1, 1 << 53
	const quantity, stock = `"quantity":9007199254740993`, `"stock":9007199254740993`
	ctx := context.Background()
	o := shop.ProductionOrder{Quantity: large, Received: large}
	for name, c := range map[string]struct {
		write func(journal.Journal)
		says  []string
	}{
		"sold": {func(j journal.Journal) { j.Sold(ctx, shop.Sale{Quantity: large, UnitPrice: price, Stock: large}) },
			[]string{quantity, `"unit_price":9007199254740992`, stock, `"UnitsSold":9007199254740993`}},
		"refused": {func(j journal.Journal) { j.Refused(ctx, shop.Sale{Quantity: large, Stock: large}) },
			[]string{quantity, stock}},
		"adjusted": {func(j journal.Journal) {
			j.Adjusted(ctx, shop.Adjustment{Quantity: -large}, shop.Adjusted{Stock: large})
		}, []string{`"quantity":-9007199254740993`, stock}},
		"opened": {func(j journal.Journal) { j.Opened(ctx, o) }, []string{quantity}},
		"short": {func(j journal.Journal) { j.OrderShort(ctx, o) },
			[]string{quantity, `"received":9007199254740993`}},
		"requested": {func(j journal.Journal) { j.Requested(ctx, message.StockEmpty{Quantity: large}, o.ID, "") },
			[]string{quantity}},
		"received": {func(j journal.Journal) {
			j.Received(ctx, shop.Delivery{Quantity: large}, shop.Receipt{Stock: large, Surplus: large})
		}, []string{quantity, stock, `"UnitsReceived":9007199254740993`, `"SurplusUnits":9007199254740993`}},
		"inspected": {func(j journal.Journal) {
			j.Inspected(ctx, shop.Inspection{Balances: []shop.Balance{{Stock: large, Ledger: -1}}})
		}, []string{`"Stock":9007199254740993`, `"LedgerDifference":9007199254740994`, `"ledger":-1`}},
	} {
		var out bytes.Buffer
		c.write(journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "restock/test"))
		for _, want := range c.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: got %s, want %s in it", name, out.String(), want)
			}
		}
	}
}
