package programs

import (
	"restock/lambdas/journal"
	"restock/local/view/console"
	"restock/local/view/events"
)

// milestone says what a line of the shop's functions means to a buyer's journey.
func milestone(kind string, attrs map[string]any) (m console.Milestone) {
	switch journal.Kind(kind) {
	case journal.OrderOpened:
		m.Ordered = true
	case journal.GoodsReceived:
		units, corrects := attrs["correction"].(float64) // more than an earlier callback of the same lot said
		if !corrects {
			units, _ = attrs["quantity"].(float64)
		}
		m.Made = int(units)
	}
	return m
}

// Quiet are the kinds of functions' lines that a person at a terminal need not read: the end of a
// rotation says the same.
func Quiet() []events.Kind {
	return []events.Kind{events.Kind(journal.RotationStepTaken), events.Kind(journal.DatabaseUserReady)}
}
