// Package panels has the shop's parts of the console: its stock, rushes of buyers, and the factory.
package panels

import (
	"embed"
	"io/fs"
	"log/slog"
	"time"

	"restock/cmd/local/factory"
	"restock/local/view/console"
)

//go:embed stock rush factory
var files embed.FS

// New returns the shop's panels. theFactory returns the stand-in of the run, or nil if it has none. It
// is called when the stack runs.
func New(log *slog.Logger, theFactory func() *factory.Factory) []console.Panel {
	panels := []console.Panel{newStock(log).panel(), newRush(log).panel(), (&factoryPanel{find: theFactory}).panel()}
	for i, p := range panels {
		panels[i].Files, _ = fs.Sub(files, p.Name) // the names are valid paths
	}
	return panels
}

// nodeOf returns the id of the first node of a kind in the picture; empty if there is none.
func nodeOf(kind string, g console.Graph) string {
	for _, n := range g.Nodes {
		if n.Kind == kind {
			return n.ID
		}
	}
	return ""
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
