package panels

import (
	"cmp"
	"fmt"
	"strings"

	"restock/lambdas/journal"
	"restock/local/view/console"
)

// Business returns what the console knows of the shop's business. It reads the products from the
// stock panel, if the console has it.
func Business(all []console.Panel) console.Business {
	return console.Business{
		Objects: []string{"production_order", "lot"},
		Meaning: func(kind string, attrs map[string]any) console.Meaning {
			return meaning(kind, attrs, func(sku string) Product { return productOf(all, sku) })
		},
	}
}

// soldOut returns the mark of the event that has taken the last piece of a product.
func soldOut(sku string) string { return "sold out " + sku }

// meaning returns what a line of the shop's functions means for a buyer's journey. of returns a
// product by its SKU. It returns the zero Product if the panel does not know the product yet, so
// the texts call it each time.
func meaning(kind string, attrs map[string]any, of func(sku string) Product) (m console.Meaning) {
	sku, _ := attrs["sku"].(string)
	quantity, _ := attrs["quantity"].(float64)
	left, counted := attrs["stock"].(float64)
	units := int(quantity) // 1000000, not 1e+06
	name := func() string { return cmp.Or(of(sku).Name, sku) }
	amount := func(before string) string { // names the product, unless the name of the journey has done so
		if product := "× " + name(); sku != "" && !strings.Contains(before, product+" ") {
			return fmt.Sprintf("%d %s", units, product)
		}
		return fmt.Sprint(units)
	}
	last, mark := counted && left == 0, ""
	if last {
		mark = soldOut(sku)
	}
	switch journal.Kind(kind) {
	case journal.SaleMade:
		m.Notable, m.Mark = last, mark
		m.Text = func(string) string {
			text := fmt.Sprintf("%d × %s sold", units, name())
			if last {
				text += ", the last piece"
				if of(sku).unordered() {
					text += "; nobody orders it: it is not automatic"
				}
			}
			return text
		}
	case journal.SaleRefused:
		m.Text = func(string) string { return fmt.Sprintf("%d × %s refused", units, name()) }
	case journal.StockAdjusted:
		m.Notable, m.Mark = last, mark
		m.Text = func(string) string { return fmt.Sprintf("%s adjusted to %d", name(), int(left)) }
	case journal.OrderOpened:
		m.Notable, m.Text = true, func(before string) string { return amount(before) + " ordered" }
	case journal.GoodsReceived:
		// A correction has the units beyond those of an earlier callback of the same lot.
		if correction, corrects := attrs["correction"].(float64); corrects {
			units = int(correction)
		}
		m.Notable, m.Text = true, func(before string) string { return amount(before) + " received" }
	}
	return m
}
