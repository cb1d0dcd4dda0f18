// Package terminal shows the events of a run. For a person, it writes one line for each event that
// matters, in colour on a terminal. For a program, it writes every event as a JSON object.
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

// Log returns a logger that writes events of a level and above to a file. If the file is a
// terminal, its last line shows the running steps (see package progress). The logger drops
// functions' lines of the quiet kinds below warning, because other lines repeat them.
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
	return slog.New(newCalm(s, level, usesColours(f), quiet...))
}

// Flush shows the counts of repeated events that a logger of Log still holds. A program calls it
// before it exits.
func Flush(log *slog.Logger) {
	if h, ok := log.Handler().(calm); ok {
		h.screen.flushRepeats()
	}
}

// defaultWidth is the width of a terminal that does not report one.
const defaultWidth = 80

func newCalm(s *screen, level slog.Level, coloured bool, more ...events.Kind) calm {
	return calm{screen: s, quiet: slices.Concat(quiet, more), Handler: tint.NewTextHandler(&s.line, &tint.Options{
		Level: level, TimeFormat: time.TimeOnly, NoColor: !coloured, ReplaceAttr: printableAttr,
	})}
}

// usesColours reports whether a file is a terminal and the user has not disabled colours:
// https://no-color.org
func usesColours(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
