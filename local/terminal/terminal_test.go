package terminal

import (
	"log/slog"
	"strings"
	"testing"
)

func TestCalmLeavesOutWhatAnotherLineSays(t *testing.T) {
	for _, c := range []struct {
		handler, event slog.Level
		shown          bool
	}{
		{slog.LevelInfo, slog.LevelInfo, false},
		{slog.LevelInfo, slog.LevelWarn, true}, // it failed
		{slog.LevelDebug, slog.LevelInfo, true},
	} {
		var out strings.Builder
		slog.New(calm{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: c.handler})}).Log(t.Context(), c.event, "invocation ended")
		if shown := out.String() != ""; shown != c.shown {
			t.Errorf("an invocation's end at %v, shown from %v on: %v, want %v", c.event, c.handler, shown, c.shown)
		}
	}
}

func TestCalmShowsAFunctionsLineAsAnEvent(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"a line of JSON", func(l *slog.Logger) {
			l.With("function", "stock", "log_stream", "2026/11/21/[$LATEST]7").Info(`{"timestamp":"2026-11-21T21:17:41Z","level":"INFO","message":"factory asked","sku":"CP-502101","quantity":100,"requestId":"r"}`, "stream", "stdout", "request_id", "r")
		}, `level=INFO msg="factory asked" function=stock sku=CP-502101 quantity=100`},
		{"a plain line", func(l *slog.Logger) { l.Info("hello", "stream", "stderr") }, `level=INFO msg=hello`},
		{"JSON of another kind", func(l *slog.Logger) { l.Info(`{"a":1}`) }, `level=INFO msg="{\"a\":1}"`},
		{"JSON that breaks off", func(l *slog.Logger) { l.Warn(`{"message":"a","b`) }, `level=WARN msg="{\"message\":\"a\",\"b"`},
		{"an event of the run", func(l *slog.Logger) { l.Error("failed", "error", "why") }, `level=ERROR msg=failed error=why`},
	} {
		var out strings.Builder
		c.log(slog.New(calm{slog.NewTextHandler(&out, nil)}))
		_, got, _ := strings.Cut(strings.TrimSpace(out.String()), " ") // the time
		if got != c.want {
			t.Errorf("%s: got\n%s, want\n%s", c.name, got, c.want)
		}
	}
}
