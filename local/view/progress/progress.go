// Package progress logs the beginning and the end of steps that take a while, such as a build.
// Readers of the log show which steps are running, and for how long.
package progress

import (
	"context"
	"log/slog"
	"time"

	"restock/local/view/events"
)

// Key is the attribute of a record that begins or ends a step. All records of one step have the
// same kind.
const Key = "progress"

// Values of the attribute. A record that ends a step has an attribute "took" too.
const (
	Begun = "begun"
	Done  = "done"
	Ended = "ended" // another record says how the step ended
)

// A Step is work that has begun. The caller ends it with exactly one of Done, Ended and End.
type Step struct {
	log   *slog.Logger
	kind  events.Kind
	what  string
	attrs []slog.Attr
	begun time.Time
}

// Begin logs the beginning of a step: what is a phrase such as "building the functions". At most
// one step of a kind may run at a time.
func Begin(log *slog.Logger, kind events.Kind, what string, attrs ...slog.Attr) *Step {
	s := &Step{log, kind, what, attrs, time.Now()}
	s.record(Begun)
	return s
}

// Done logs that the step has succeeded.
func (s *Step) Done() { s.record(Done, slog.Duration("took", s.Took())) }

// Ended logs that the step has ended. The caller logs how in a record of its own.
func (s *Step) Ended() { s.record(Ended, slog.Duration("took", s.Took())) }

// End calls Done, or Ended if there is an error: the caller logs the error.
func (s *Step) End(err error) {
	if err != nil {
		s.Ended()
		return
	}
	s.Done()
}

// Took returns how long the step has taken so far, rounded to the millisecond.
func (s *Step) Took() time.Duration { return time.Since(s.begun).Round(time.Millisecond) }

func (s *Step) record(value string, more ...slog.Attr) {
	attrs := append([]slog.Attr{s.kind.Attr(), slog.String(Key, value)}, s.attrs...)
	s.log.LogAttrs(context.Background(), slog.LevelInfo, s.what, append(attrs, more...)...)
}
