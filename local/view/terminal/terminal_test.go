package terminal

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"restock/local/view/events"
)

func TestCalmLeavesOutQuietEvents(t *testing.T) {
	for _, c := range []struct {
		handler, event slog.Level
		shown          bool
	}{
		{slog.LevelInfo, slog.LevelInfo, false},
		{slog.LevelInfo, slog.LevelWarn, true}, // it failed
		{slog.LevelDebug, slog.LevelInfo, true},
	} {
		var out strings.Builder
		slog.New(newCalm(&screen{out: &out}, c.handler, false, Program{})).Log(t.Context(), c.event, "reworded",
			events.InvocationEnded.Attr())
		if shown := out.String() != ""; shown != c.shown {
			t.Errorf("an invocation's end at %v, handler of %v: shown %v, want %v", c.event, c.handler, shown, c.shown)
		}
	}
}

func TestCalmShowsAFunctionsLineAsAnEvent(t *testing.T) {
	line := events.FunctionLine.Attr()
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"a line of JSON", func(l *slog.Logger) {
			l = l.With("function", "stock", "log_stream", "2026/11/21/[$LATEST]7")
			l.Info(`{"timestamp":"2026-11-21T21:17:41Z","level":"INFO","message":"factory asked",`+
				`"sku":"CP-502101","quantity":100,"requestId":"r"}`, line, "stream", "stdout", "request_id", "r")
		}, `INF factory asked function=stock sku=CP-502101 quantity=100`},
		{"a line with metrics", func(l *slog.Logger) {
			l.Info(`{"message":"sold","stock":2,"Sales":1,"_aws":{"CloudWatchMetrics":[{"Dimensions":[[]],`+
				`"Metrics":[{"Name":"Sales","Unit":"Count"}],"Namespace":"n"}],"Timestamp":1}}`, line)
		}, `INF sold stock=2`},
		{"a line of metrics only", func(l *slog.Logger) {
			l.Info(`{"message":"stock","Product":"CP-502101","Stock":3,`+
				`"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Product"]],"Metrics":[{"Name":"Stock","Unit":"Count"}],`+
				`"Namespace":"n"}],"Timestamp":1}}`, line)
		}, ``},
		{"a step of a rotation, whose end another line shows", func(l *slog.Logger) {
			l.Info(`{"level":"INFO","event":"rotated","message":"the function has rotated","step":"createSecret"}`,
				line)
			l.Info("secret rotation step done", events.RotationStepDone.Attr(), "step", "createSecret")
		}, ``},
		{"a duration", func(l *slog.Logger) {
			l.Info("api request", "duration", 20011627*time.Nanosecond, "took", 1234*time.Millisecond)
		}, `INF api request duration=20.01ms took=1.23s`},
		{"a plain line", func(l *slog.Logger) { l.Info("hello", line, "stream", "stderr") }, `INF hello`},
		{"JSON of another kind", func(l *slog.Logger) { l.Info(`{"a":1}`, line) }, `INF {"a":1}`},
		{"broken JSON", func(l *slog.Logger) { l.Warn(`{"message":"a","b`, line) }, `WRN {"message":"a","b`},
		{"JSON that no function wrote", func(l *slog.Logger) { l.Info(`{"message":"a"}`) }, `INF {"message":"a"}`},
		{"a compiler's lines", func(l *slog.Logger) {
			err := errors.New("# stock\nmain.go:1: no\n")
			l.With("part", "build").Error("does not build", "error", err, "function", "stock")
		}, "ERR does not build part=build function=stock\n    # stock\n    main.go:1: no"},
		{"an event of the run", func(l *slog.Logger) { l.Error("failed", "error", "why") }, `ERR failed error=why`},
	} {
		var out strings.Builder
		c.log(slog.New(newCalm(&screen{out: &out}, slog.LevelInfo, false, Program{Quiet: []events.Kind{"rotated"}})))
		_, got, _ := strings.Cut(strings.TrimSpace(out.String()), " ") // the time
		if got != c.want {
			t.Errorf("%s: got\n%s, want\n%s", c.name, got, c.want)
		}
	}
}
