package programs

import (
	"fmt"

	"restock/lambdas/journal"
	"restock/local/view/console"
	"restock/local/view/events"
)

// milestones returns a function that returns what a line of the shop's functions means for a
// buyer's journey. nameOf returns the name of a product by its SKU.
func milestones(nameOf func(sku string) string) func(kind string, attrs map[string]any) console.Milestone {
	return func(kind string, attrs map[string]any) (m console.Milestone) {
		sku, _ := attrs["sku"].(string)
		units, _ := attrs["quantity"].(float64)
		switch journal.Kind(kind) {
		case journal.SaleMade:
			m.Text = fmt.Sprintf("%v × %s sold", units, nameOf(sku))
			if left, known := attrs["stock"].(float64); known && left == 0 {
				m.Text += ", the last"
			}
		case journal.SaleRefused:
			m.Text = fmt.Sprintf("%v × %s refused", units, nameOf(sku))
		case journal.OrderOpened:
			m.Ordered, m.Text = true, fmt.Sprintf("%v ordered", units)
		case journal.GoodsReceived:
			// A correction has the units beyond those of an earlier callback of the same lot.
			if correction, corrects := attrs["correction"].(float64); corrects {
				units = correction
			}
			m.Made, m.Text = int(units), fmt.Sprintf("%v received", units)
		}
		return m
	}
}

// bySKU is the name of a product that no panel knows.
func bySKU(sku string) string { return sku }

// Quiet returns the kinds of functions' lines that the terminal does not show, because the end of a
// secret's rotation says the same.
func Quiet() []events.Kind {
	return []events.Kind{events.Kind(journal.RotationStepTaken), events.Kind(journal.DatabaseUserReady)}
}
