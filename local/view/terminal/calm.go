package terminal

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"restock/local/view/events"
	"restock/local/view/progress"
)

// hidden are attributes that a person at a terminal does not look for. Other handlers of the same events may.
var hidden = []string{events.Key, "log_stream", "stream", "request_id"}

// quiet are events that say, where all went well, what another line says: a request, what the
// function logs, or the end of a secret's rotation. A program names more of them, its functions'
// own.
var quiet = []events.Kind{
	events.InvocationEnded, events.SecretValuePut, events.RotationStarted, events.RotationStepDone,
	events.SecretLabelMoved,
}

// calm is a handler that shows a function's line of JSON as the event that it is, and leaves out
// what is hidden or quiet. Values of several lines, such as a compiler's, follow below the event.
// What is being done is shown where it has its place. Warnings that come again and again are
// counted (see repeats).
type calm struct {
	slog.Handler // writes to the screen's line
	screen       *screen
	scope        string // of its events, for repeats
	quiet        []events.Kind
}

func (h calm) WithGroup(name string) slog.Handler {
	return calm{h.Handler.WithGroup(name), h.screen, h.scope + name + ".", h.quiet}
}

func (h calm) WithAttrs(attrs []slog.Attr) slog.Handler {
	attrs = slices.DeleteFunc(slices.Clone(attrs), isHidden)
	return calm{h.Handler.WithAttrs(attrs), h.screen, scope(h.scope, attrs), h.quiet}
}

func (h calm) Handle(ctx context.Context, record slog.Record) error {
	kind, message, lineAttrs, measures := events.KindOf(record), record.Message, []slog.Attr(nil), false
	if line, ok := lineOf(record); ok {
		kind, message = line.Kind, line.Message
		lineAttrs, measures = line.Unmeasured()
		lineAttrs = slices.DeleteFunc(lineAttrs, isHidden)
	}
	repeats := measures || slices.Contains(h.quiet, kind)
	if repeats && record.Level == slog.LevelInfo && !h.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	var attrs []slog.Attr
	var below []string
	step := ""
	record.Attrs(func(a slog.Attr) bool {
		switch text := a.Value.Resolve().String(); {
		case a.Key == progress.Key:
			step = text
		case isHidden(a):
		case strings.Contains(text, "\n"):
			below = append(below, strings.Split(strings.TrimRight(text, "\n"), "\n")...)
		case a.Value.Kind() == slog.KindDuration:
			attrs = append(attrs, slog.Duration(a.Key, rounded(a.Value.Duration())))
		default:
			attrs = append(attrs, a)
		}
		return true
	})

	h.screen.mu.Lock()
	defer h.screen.mu.Unlock()
	switch step {
	case progress.Begun:
		h.screen.begin(kind, message)
	case progress.Done, progress.Told:
		h.screen.end(kind)
		message += ": done"
	}
	if step == progress.Told || step == progress.Begun && h.screen.width != nil {
		return h.screen.flush() // how it ended is told by another line; that it is being done, by the last one
	}
	attrs = append(attrs, lineAttrs...)
	if step == "" && len(below) == 0 && !h.Enabled(ctx, slog.LevelDebug) && h.screen.repeated(h, record.Level, message, attrs) {
		return nil
	}
	shown := slog.NewRecord(record.Time, record.Level, message, record.PC)
	shown.AddAttrs(attrs...)
	if err := h.Handler.Handle(ctx, shown); err != nil {
		return err
	}
	for _, text := range below {
		h.screen.line.WriteString(indent + printable(strings.ReplaceAll(text, "\t", indent)) + "\n")
	}
	return h.screen.flush()
}

// indent is that of the lines below an event.
const indent = "    "

// rounded is a duration with no more digits than people read.
func rounded(d time.Duration) time.Duration {
	for unit := time.Second; unit > 1; unit /= 1000 {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d
}

// lineOf reads the line of structured log that a record is, if a function wrote it.
func lineOf(record slog.Record) (line events.Line, ok bool) {
	if events.KindOf(record) != events.FunctionLine {
		return line, false
	}
	return events.ReadLine(record.Message)
}

func isHidden(a slog.Attr) bool { return slices.Contains(hidden, a.Key) }
