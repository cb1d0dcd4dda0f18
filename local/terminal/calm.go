package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
)

// hidden are attributes that a person at a terminal does not look for. Other handlers of the same events may.
var hidden = []string{"log_stream", "stream", "request_id", "requestId", "timestamp", slog.LevelKey}

// messageKey is the message's in a line of a function's log, as Lambda's own JSON has it.
const messageKey = "message"

// quiet are events that say, where all went well, what another line says: a request, or what the function logs.
var quiet = []string{"invocation ended"}

// calm is a handler that shows a function's line of JSON as the event that it is, and leaves out what is hidden or quiet.
type calm struct{ slog.Handler }

func (h calm) WithGroup(name string) slog.Handler { return calm{h.Handler.WithGroup(name)} }

func (h calm) WithAttrs(attrs []slog.Attr) slog.Handler {
	return calm{h.Handler.WithAttrs(slices.DeleteFunc(slices.Clone(attrs), isHidden))}
}

func (h calm) Handle(ctx context.Context, record slog.Record) error {
	if record.Level == slog.LevelInfo && slices.Contains(quiet, record.Message) && !h.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	message, attrs := record.Message, []slog.Attr(nil)
	if line, ok := unfold(message); ok {
		message, attrs = line.message, line.attrs
	}
	shown := slog.NewRecord(record.Time, record.Level, message, record.PC)
	record.Attrs(func(a slog.Attr) bool {
		if !isHidden(a) {
			shown.AddAttrs(a)
		}
		return true
	})
	shown.AddAttrs(attrs...)
	return h.Handler.Handle(ctx, shown)
}

func isHidden(a slog.Attr) bool { return slices.Contains(hidden, a.Key) }

// A line is a line of structured log.
type line struct {
	message string
	attrs   []slog.Attr
}

// unfold reads a line of a function's log, its attributes in their order.
func unfold(text string) (l line, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return l, false
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return l, false
		}
		var value any
		if err := decoder.Decode(&value); err != nil {
			return l, false
		}
		if key == messageKey {
			l.message, ok = value.(string)
			continue
		}
		if a := slog.Any(key.(string), value); !isHidden(a) {
			l.attrs = append(l.attrs, a)
		}
	}
	return l, ok
}
