package terminal

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"restock/local/view/events"
)

// JSON makes a logger that writes events of a level and above as JSON objects, one a line: "time"
// (UTC, RFC 3339), "level", "message", and the event's attributes, of which durations are in
// milliseconds, under their name and "_ms". "event" is the event's kind, where it has one. A line
// of JSON that a function logs is whole under "line", and its message and its kind are the event's.
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

// machine is a handler that opens a function's line of JSON.
type machine struct{ slog.Handler }

func (h machine) WithGroup(name string) slog.Handler { return machine{h.Handler.WithGroup(name)} }
func (h machine) WithAttrs(attrs []slog.Attr) slog.Handler {
	return machine{h.Handler.WithAttrs(attrs)}
}

func (h machine) Handle(ctx context.Context, record slog.Record) error {
	if line, ok := lineOf(record); ok {
		opened := slog.NewRecord(record.Time, record.Level, line.Message, record.PC)
		record.Attrs(func(a slog.Attr) bool {
			if a.Key != events.Key {
				opened.AddAttrs(a)
			}
			return true
		})
		if line.Kind != "" {
			opened.AddAttrs(line.Kind.Attr())
		}
		opened.AddAttrs(slog.Any("line", json.RawMessage(record.Message)))
		record = opened
	}
	return h.Handler.Handle(ctx, record)
}
