// Package progress tells, in a log, of work that takes a while: that it begins, and how it ends. Whoever reads the log can show what is being
// done, and for how long.
package progress

import (
	"context"
	"log/slog"
	"time"

	"restock/local/view/events"
)

// Key is the attribute of a record that begins or ends a step. Records of one step have the same
// kind.
const Key = "progress"

// Values of the attribute. A record that ends a step has an attribute "took".
const (
	Begun = "begun"
	Done  = "done"
	Told  = "told" // it has ended, and another record tells how
)

// A Step is one that has begun, and must end in one of these ways.
type Step struct {
	log   *slog.Logger
	kind  events.Kind
	what  string
	attrs []slog.Attr
	begun time.Time
}

// Begin tells that a step of a kind begins: "building the functions". No two of the same kind may
// be under way.
func Begin(log *slog.Logger, kind events.Kind, what string, attrs ...slog.Attr) *Step {
	s := &Step{log, kind, what, attrs, time.Now()}
	s.tell(Begun)
	return s
}

// Done tells that the step is done.
func (s *Step) Done() { s.tell(Done, slog.Duration("took", s.Took())) }

// Told ends the step, which another record tells of.
func (s *Step) Told() { s.tell(Told, slog.Duration("took", s.Took())) }

// End ends the step, of which another record tells if there is an error.
func (s *Step) End(err error) {
	if err != nil {
		s.Told()
		return
	}
	s.Done()
}

// Took is how long the step has taken so far, to the millisecond.
func (s *Step) Took() time.Duration { return time.Since(s.begun).Round(time.Millisecond) }

func (s *Step) tell(value string, more ...slog.Attr) {
	attrs := append([]slog.Attr{s.kind.Attr(), slog.String(Key, value)}, s.attrs...)
	s.log.LogAttrs(context.Background(), slog.LevelInfo, s.what, append(attrs, more...)...)
}
