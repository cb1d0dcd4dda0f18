// Package terminal shows a person what happens: a line for each event that matters, in colour where it is a terminal.
package terminal

import (
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

// Log makes a logger that shows events of a level and above on a file.
func Log(f *os.File, level slog.Level) *slog.Logger {
	return slog.New(calm{tint.NewTextHandler(f, &tint.Options{
		Level:      level,
		TimeFormat: time.TimeOnly,
		NoColor:    !Coloured(f),
	})})
}

// Coloured reports whether a file is a terminal whose person has not said that they want no colour: https://no-color.org
func Coloured(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
