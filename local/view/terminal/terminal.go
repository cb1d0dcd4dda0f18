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
// terminal, its last line shows the running steps (see package progress).
func Log(f *os.File, level slog.Level, p Program) *slog.Logger {
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
	return slog.New(newCalm(s, level, usesColours(f), p))
}

// A Program is what the terminal knows of the lines of a program's functions. The zero Program
// knows nothing.
type Program struct {
	Quiet []events.Kind // kinds of lines that are not shown below warning, because other lines repeat them
	// Objects are the names of attributes that identify one object of many, such as "order". Lines
	// that differ only in them are counted together.
	Objects []string
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

func newCalm(s *screen, level slog.Level, coloured bool, p Program) calm {
	s.repeats.ids = slices.Concat(idKeys, p.Objects)
	return calm{screen: s, quiet: slices.Concat(quiet, p.Quiet), Handler: tint.NewTextHandler(&s.line, &tint.Options{
		Level: level, TimeFormat: time.TimeOnly, NoColor: !coloured, ReplaceAttr: printableAttr,
	})}
}

// usesColours reports whether a file is a terminal and the user has not disabled colours:
// https://no-color.org
func usesColours(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
