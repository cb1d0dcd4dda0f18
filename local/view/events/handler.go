// Package events makes a stream of what a run logs: bounded in memory, for readers that may be slow, at no cost to those who log.
package events

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// An Event is a record of a log, with the attributes of its logger. Groups are flattened, their
// names before a dot; values are text, numbers, times, durations, and true or false.
type Event struct {
	Time    time.Time
	Level   slog.Level
	Kind    Kind // "" where no reader needs to recognise it; the attributes do not repeat it
	Message string
	Attrs   []slog.Attr
}

// maxText is how many bytes of a text an event keeps: a message, or the value of an attribute. A function may log a line as long as it likes.
const maxText = 16 << 10

// A Handler turns records into a stream's events. It never waits.
type Handler struct {
	stream *Stream[Event]
	level  slog.Level
	prefix string      // of the open groups
	attrs  []slog.Attr // of the logger; never changed
}

// NewHandler makes a handler of records of a level and above.
func NewHandler(stream *Stream[Event], level slog.Level) *Handler {
	return &Handler{stream: stream, level: level}
}

// Enabled reports whether records of a level become events.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle publishes a record, with the attributes of its context.
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

// WithGroup returns a handler whose further attributes are in a group.
func (h *Handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.prefix += name + "."
	return &with
}

// flatten appends an attribute, or those of a group, with what they are at this moment: what a value refers to may change later.
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
		return attrs // as slog's own handlers ignore it
	}
	return append(attrs, slog.Attr{Key: prefix + a.Key, Value: v})
}

// shortened is a text that is not longer than an event keeps, and does not hold on to a longer one.
func shortened(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(strings.Clone(text[:maxText]), "") + "…"
}
