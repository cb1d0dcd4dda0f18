// Package events turns the records of a run's log into a stream of typed events. The stream's
// memory is bounded, and publishing never waits for a slow reader. The console, the terminal and
// tests read the events; the packages of the local run write them with log/slog.
package events

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// An Event is a record of a log, with the attributes of its logger. Groups are flattened: a key has
// the names of its groups before it, separated by dots. Values are strings, numbers, times,
// durations and booleans.
type Event struct {
	Time    time.Time
	Level   slog.Level
	Kind    Kind // "" if no reader needs to recognise the event; Attrs does not repeat it
	Message string
	Attrs   []slog.Attr
}

// maxText is how many bytes an event keeps of its message and of each attribute's value. The length
// of a line that a function logs has no limit.
const maxText = 16 << 10

// A Handler is a slog.Handler that publishes records as events of a stream. It never waits.
type Handler struct {
	stream *Stream[Event]
	level  slog.Level
	prefix string      // the names of the open groups, each with a dot after it
	attrs  []slog.Attr // of the logger; immutable
}

// NewHandler returns a handler for records of a level and above.
func NewHandler(stream *Stream[Event], level slog.Level) *Handler {
	return &Handler{stream: stream, level: level}
}

// Enabled reports whether records of a level become events.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle publishes a record with the attributes of its logger and of its context.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	e := Event{Time: r.Time, Level: r.Level, Message: shortened(r.Message), Attrs: h.attrs}
	if more := attrsOf(ctx); len(more)+r.NumAttrs() > 0 {
		e.Attrs = make([]slog.Attr, len(h.attrs), len(h.attrs)+len(more)+r.NumAttrs())
		copy(e.Attrs, h.attrs)
		for _, a := range more {
			e.Attrs = flatten(e.Attrs, "", a)
		}
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == Key && e.Kind == "" {
				e.Kind = Kind(a.Value.String())
				return true
			}
			e.Attrs = flatten(e.Attrs, h.prefix, a)
			return true
		})
	}
	h.stream.Publish(e)
	return nil
}

// WithAttrs returns a handler whose events have more attributes.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = make([]slog.Attr, len(h.attrs), len(h.attrs)+len(attrs))
	copy(with.attrs, h.attrs)
	for _, a := range attrs {
		with.attrs = flatten(with.attrs, h.prefix, a)
	}
	return &with
}

// WithGroup returns a handler that puts further attributes into a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.prefix += name + "."
	return &with
}

// flatten appends an attribute, or the attributes of a group. It formats values at once, because
// the object that a value refers to may change later.
func flatten(attrs []slog.Attr, prefix string, a slog.Attr) []slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range v.Group() {
			attrs = flatten(attrs, prefix, member)
		}
		return attrs
	case slog.KindString:
		v = slog.StringValue(shortened(v.String()))
	case slog.KindAny:
		v = slog.StringValue(shortened(fmt.Sprint(v.Any())))
	}
	if a.Key == "" {
		return attrs // slog requires that handlers ignore an empty key
	}
	return append(attrs, slog.Attr{Key: prefix + a.Key, Value: v})
}

// shortened returns at most maxText bytes of a text. It copies them, so that the event does not
// keep a long text in memory.
func shortened(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(strings.Clone(text[:maxText]), "") + "…"
}
