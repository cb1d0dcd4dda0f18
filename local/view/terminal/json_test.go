package terminal

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"restock/local/view/events"
)

func TestJSONWritesOneObjectPerEvent(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"an event", func(l *slog.Logger) {
			err, took := errors.New("a\nb"), 1500*time.Millisecond
			l.With("part", "build").Warn("does not build", "error", err, "took", took, "n", 3)
		}, `{"level":"WARN","message":"does not build","part":"build","error":"a\nb","took_ms":1500,"n":3}`},
		{"a function's line", func(l *slog.Logger) {
			l.With("function", "stock").Info(
				`{"level":"INFO","event":"asked","message":"factory asked","function":"other","quantity":100}`,
				events.FunctionLine.Attr(), "stream", "stdout", "request_id", "r")
		}, `{"level":"INFO","message":"factory asked","event":"asked","function":"stock",
		    "stream":"stdout","request_id":"r","line":{"level":"INFO","event":"asked","message":"factory asked",
		        "function":"other","quantity":100}}`},
		{"a line of broken JSON", func(l *slog.Logger) { l.Info(`{"message":"a"`, events.FunctionLine.Attr()) },
			`{"level":"INFO","event":"function_line","message":"{\"message\":\"a\""}`},
		{"an invocation's end", func(l *slog.Logger) {
			l.Info("invocation ended", events.InvocationEnded.Attr(), "log_stream", "s")
		},
			`{"level":"INFO","event":"invocation_ended","message":"invocation ended","log_stream":"s"}`},
		{"an event below the level", func(l *slog.Logger) { l.Debug("detail") }, ``},
		{"an attribute with the name of a field", func(l *slog.Logger) { l.WithGroup("g").Info("m", "message", "x") },
			`{"level":"INFO","message":"m","g":{"message":"x"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			c.log(JSON(&out, slog.LevelInfo))
			if c.want == "" {
				if out.Len() > 0 {
					t.Errorf("got %s, want nothing", out.String())
				}
				return
			}
			var got, want map[string]any
			err := errors.Join(json.Unmarshal([]byte(out.String()), &got), json.Unmarshal([]byte(c.want), &want))
			if err != nil {
				t.Fatalf("got %s: %v", out.String(), err)
			}
			logged := got["time"].(string)
			at, err := time.Parse(time.RFC3339Nano, logged)
			if err != nil || !strings.HasSuffix(logged, "Z") || time.Since(at) > time.Minute {
				t.Errorf("the time is %s, want now, in UTC", logged)
			}
			delete(got, "time")
			equal := maps.EqualFunc(got, want, func(a, b any) bool {
				x, _ := json.Marshal(a)
				y, _ := json.Marshal(b)
				return string(x) == string(y)
			})
			if !equal || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("got %s, want %s in one line", out.String(), c.want)
			}
		})
	}
}
