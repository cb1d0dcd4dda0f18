package terminal

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"restock/local/aws/traceid"
	"restock/local/view/events"
	"restock/local/view/progress"
)

// hidden are attributes that do not help a person at a terminal. Other handlers show them.
var hidden = []string{
	events.Key, "log_stream", "stream", "request_id", "trace_id", traceid.Key, traceid.LinksKey,
}

// quiet are events that, if all went well, repeat another line: a request, a line of the function,
// or the end of a secret's rotation. A program adds kinds of its functions' lines: see Log.
var quiet = []events.Kind{
	events.InvocationEnded, events.SecretValuePut, events.RotationStarted, events.RotationStepDone,
	events.SecretLabelMoved,
}

// calm is a handler for people. It shows a function's line of JSON like any other event, and leaves
// out hidden attributes and quiet events. A value of several lines, such as a compiler's output,
// follows below the event. A terminal's last line shows the running steps. calm counts repeated
// warnings instead of showing all of them: see repeats.
type calm struct {
	slog.Handler // writes to screen.line
	screen       *screen
	scope        string // identifies the logger for repeats: its attributes and groups
	quiet        []events.Kind
}

func (h calm) WithGroup(name string) slog.Handler {
	return calm{h.Handler.WithGroup(name), h.screen, h.scope + name + ".", h.quiet}
}

func (h calm) WithAttrs(attrs []slog.Attr) slog.Handler {
	attrs = slices.DeleteFunc(slices.Clone(attrs), isHidden)
	return calm{h.Handler.WithAttrs(attrs), h.screen, h.screen.repeats.scope(h.scope, attrs), h.quiet}
}

func (h calm) Handle(ctx context.Context, record slog.Record) error {
	kind, message, lineAttrs, measures := events.KindOf(record), record.Message, []slog.Attr(nil), false
	if line, ok := lineOf(record); ok {
		kind, message = line.Kind, line.Message
		lineAttrs, measures = line.Unmeasured()
		lineAttrs = slices.DeleteFunc(lineAttrs, isHidden)
	}
	redundant := measures || slices.Contains(h.quiet, kind)
	if redundant && record.Level == slog.LevelInfo && !h.Enabled(ctx, slog.LevelDebug) {
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
	case progress.Done, progress.Ended:
		h.screen.end(kind)
		message += ": done"
	}
	if step == progress.Ended || step == progress.Begun && h.screen.width != nil {
		// Another line says how the step ended; the terminal's last line says that it is running.
		return h.screen.flush()
	}
	attrs = append(attrs, lineAttrs...)
	mayRepeat := step == "" && len(below) == 0 && !h.Enabled(ctx, slog.LevelDebug)
	if mayRepeat && h.screen.repeated(h, record.Level, message, attrs) {
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

// indent is the indentation of the lines below an event.
const indent = "    "

// rounded rounds a duration to two decimals of its unit.
func rounded(d time.Duration) time.Duration {
	for unit := time.Second; unit > 1; unit /= 1000 {
		if d >= unit {
			return d.Round(unit / 100)
		}
	}
	return d
}

// lineOf parses the line of structured log in a record. ok is false for other records.
func lineOf(record slog.Record) (line events.Line, ok bool) {
	if events.KindOf(record) != events.FunctionLine {
		return line, false
	}
	return events.ReadLine(record.Message)
}

func isHidden(a slog.Attr) bool { return slices.Contains(hidden, a.Key) }
