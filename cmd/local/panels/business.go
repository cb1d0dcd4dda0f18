package panels

import (
	"cmp"
	"fmt"

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
// product by its SKU. It returns the zero Product if the panel does not know the product yet.
func meaning(kind string, attrs map[string]any, of func(sku string) Product) (m console.Meaning) {
	sku, _ := attrs["sku"].(string)
	units, _ := attrs["quantity"].(float64)
	left, counted := attrs["stock"].(float64)
	product := of(sku)
	name := cmp.Or(product.Name, sku)
	switch journal.Kind(kind) {
	case journal.SaleMade:
		m.Text = fmt.Sprintf("%v × %s sold", units, name)
		if counted && left == 0 {
			m.Notable, m.Mark = true, soldOut(sku)
			m.Text += ", the last piece"
			if product.SKU != "" && !product.Automatic {
				m.Text += "; nobody orders it: it is not automatic"
			}
		}
	case journal.SaleRefused:
		m.Text = fmt.Sprintf("%v × %s refused", units, name)
	case journal.StockAdjusted:
		m.Text = fmt.Sprintf("%s adjusted to %v", name, left)
		if counted && left == 0 {
			m.Notable, m.Mark = true, soldOut(sku)
		}
	case journal.OrderOpened:
		m.Notable, m.Text = true, fmt.Sprintf("%v ordered", units)
	case journal.GoodsReceived:
		// A correction has the units beyond those of an earlier callback of the same lot.
		if correction, corrects := attrs["correction"].(float64); corrects {
			units = correction
		}
		m.Notable, m.Text = true, fmt.Sprintf("%v received", units)
	}
	return m
}
