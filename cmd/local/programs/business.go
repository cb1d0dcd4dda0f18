package programs

import (
	"restock/lambdas/journal"
	"restock/local/view/events"
)

// Quiet returns the kinds of functions' lines that the terminal does not show, because the end of a
// secret's rotation says the same.
func Quiet() []events.Kind {
	return []events.Kind{events.Kind(journal.RotationStepTaken), events.Kind(journal.DatabaseUserReady)}
}
