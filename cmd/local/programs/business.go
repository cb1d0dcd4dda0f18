package programs

import (
	"restock/cmd/local/panels"
	"restock/lambdas/journal"
	"restock/local/view/events"
	"restock/local/view/terminal"
)

// Terminal returns what the terminal knows of the lines of the shop's functions. The end of a
// secret's rotation says the same as the quiet lines.
func Terminal() terminal.Program {
	return terminal.Program{
		Quiet:   []events.Kind{events.Kind(journal.RotationStepTaken), events.Kind(journal.DatabaseUserReady)},
		Objects: panels.Business(nil).Objects,
	}
}
