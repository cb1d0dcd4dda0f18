// Package panels has the parts that the shop adds to the console: the stock, rushes of buyers, and
// the factory. The console of package local/view/console knows nothing of the shop. Each panel has
// a folder with the files that its part of the page needs.
package panels

import (
	"embed"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"restock/cmd/local/factory"
	"restock/local/view/console"
)

//go:embed stock rush factory
var files embed.FS

// New returns the shop's panels. They call theFactory when the stack runs: it returns the run's
// stand-in, or nil if the run has none.
func New(log *slog.Logger, theFactory func() *factory.Factory) []console.Panel {
	panels := []console.Panel{newStock(log).panel(), newRush(log).panel(), (&factoryPanel{find: theFactory}).panel()}
	for i, p := range panels {
		panels[i].Files, _ = fs.Sub(files, p.Name) // the names are valid paths
	}
	return panels
}

// productOf returns a product as the stock panel has read it. It returns the zero Product for one
// that the panel does not know yet.
func productOf(all []console.Panel, sku string) Product {
	panel := slices.IndexFunc(all, func(p console.Panel) bool { return p.Name == stockName })
	if panel < 0 {
		return Product{}
	}
	products := all[panel].State(false).(StockState).Products
	product := slices.IndexFunc(products, func(p Product) bool { return p.SKU == sku })
	if product < 0 {
		return Product{}
	}
	return products[product]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
