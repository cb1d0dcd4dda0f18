// Package terminal shows what happens: to a person, a line for each event that matters, in colour where it is a terminal; to a machine, a JSON
// object for each.
package terminal

import (
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"restock/local/view/events"
)

// Log makes a logger that shows events of a level and above on a file. Where that is a terminal,
// its last line says what is being done (see package progress). Quiet are kinds of functions' lines
// that another line repeats: below warnings, they are not shown.
func Log(f *os.File, level slog.Level, quiet ...events.Kind) *slog.Logger {
	s := &screen{out: f}
	if term.IsTerminal(int(f.Fd())) {
		s.width = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil || width <= 0 {
				return defaultWidth
			}
			return width
		}
	}
	return slog.New(newCalm(s, level, Coloured(f), quiet...))
}

// Flush shows what a logger that Log has made has counted and not told yet: a program calls it at its end.
func Flush(log *slog.Logger) {
	if h, ok := log.Handler().(calm); ok {
		h.screen.flushRepeats()
	}
}

// defaultWidth is that of a terminal that does not tell.
const defaultWidth = 80

func newCalm(s *screen, level slog.Level, coloured bool, more ...events.Kind) calm {
	return calm{screen: s, quiet: slices.Concat(quiet, more), Handler: tint.NewTextHandler(&s.line, &tint.Options{
		Level: level, TimeFormat: time.TimeOnly, NoColor: !coloured, ReplaceAttr: printableAttr,
	})}
}

// Coloured reports whether a file is a terminal whose person has not said that they want no colour: https://no-color.org
func Coloured(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
