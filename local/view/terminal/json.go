package terminal

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"restock/local/view/events"
)

// JSON returns a logger that writes events of a level and above as JSON objects, one a line. The
// fields are "time" (UTC, RFC 3339), "level", "message", "event" (the kind, if the event has one;
// package events lists the kinds) and the event's attributes. A duration is in milliseconds, and
// "_ms" follows its name. If a function logs a line of JSON, the field "line" holds that line, and
// the event has the line's message and kind.
func JSON(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(machine{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: forMachines})})
}

func forMachines(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) == 0 && a.Key == slog.MessageKey:
		a.Key = events.MessageKey
	case len(groups) == 0 && a.Key == slog.TimeKey:
		return slog.Time(a.Key, a.Value.Time().UTC())
	case a.Value.Kind() == slog.KindDuration:
		return slog.Float64(a.Key+"_ms", float64(a.Value.Duration())/float64(time.Millisecond))
	}
	return a
}

// machine is a handler that parses a function's line of JSON.
type machine struct{ slog.Handler }

func (h machine) WithGroup(name string) slog.Handler { return machine{h.Handler.WithGroup(name)} }
func (h machine) WithAttrs(attrs []slog.Attr) slog.Handler {
	return machine{h.Handler.WithAttrs(attrs)}
}

func (h machine) Handle(ctx context.Context, record slog.Record) error {
	if line, ok := lineOf(record); ok {
		parsed := slog.NewRecord(record.Time, record.Level, line.Message, record.PC)
		record.Attrs(func(a slog.Attr) bool {
			if a.Key != events.Key {
				parsed.AddAttrs(a)
			}
			return true
		})
		if line.Kind != "" {
			parsed.AddAttrs(line.Kind.Attr())
		}
		parsed.AddAttrs(slog.Any("line", json.RawMessage(record.Message)))
		record = parsed
	}
	return h.Handler.Handle(ctx, record)
}
