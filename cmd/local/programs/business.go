package programs

import (
	"restock/lambdas/journal"
	"restock/local/view/console"
	"restock/local/view/events"
)

// milestone returns what a line of the shop's functions means for a buyer's journey.
func milestone(kind string, attrs map[string]any) (m console.Milestone) {
	switch journal.Kind(kind) {
	case journal.OrderOpened:
		m.Ordered = true
	case journal.GoodsReceived:
		units, corrects := attrs["correction"].(float64) // units beyond those of an earlier callback of the same lot
		if !corrects {
			units, _ = attrs["quantity"].(float64)
		}
		m.Made = int(units)
	}
	return m
}

// Quiet returns the kinds of functions' lines that the terminal does not show, because the end of a
// secret's rotation says the same.
func Quiet() []events.Kind {
	return []events.Kind{events.Kind(journal.RotationStepTaken), events.Kind(journal.DatabaseUserReady)}
}
