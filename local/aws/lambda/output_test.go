package lambda_test

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/local/aws/lambda"
	"restock/test/await"
)

// recorder is a slog.Handler that stores the records.
type recorder struct {
	mu      sync.Mutex
	records []map[string]any
}

func (r *recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) Handle(_ context.Context, rec slog.Record) error {
	return r.handle(rec, nil)
}
func (r *recorder) WithGroup(string) slog.Handler            { panic("not used") }
func (r *recorder) WithAttrs(attrs []slog.Attr) slog.Handler { return &withAttrs{r, attrs} }

func (r *recorder) handle(rec slog.Record, attrs []slog.Attr) error {
	m := map[string]any{"level": rec.Level, "msg": rec.Message}
	for _, a := range attrs {
		m[a.Key] = a.Value.Any()
	}
	rec.Attrs(func(a slog.Attr) bool { m[a.Key] = a.Value.Any(); return true })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, m)
	return nil
}

// count returns the number of records with the message msg.
func (r *recorder) count(msg string) int { return len(r.find(msg)) }

func (r *recorder) find(msg string) (found []map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.records {
		if m["msg"] == msg {
			found = append(found, m)
		}
	}
	return found
}

type withAttrs struct {
	*recorder
	attrs []slog.Attr
}

func (w *withAttrs) Handle(_ context.Context, rec slog.Record) error {
	return w.recorder.handle(rec, w.attrs)
}
func (w *withAttrs) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &withAttrs{w.recorder, slices.Concat(w.attrs, attrs)}
}

func TestOutputAndReportsAreLogged(t *testing.T) {
	var log recorder
	h := newHost(t, lambda.Config{Log: slog.New(&log)})
	d := add(t, h, nil)
	a := mustInvoke(t, d, `{"do":"log"}`)
	// The lines are read concurrently with the answer, and would belong to the next invocation.
	await.Until(t, "both lines have arrived", func() bool {
		return log.count("plain text") == 1 && log.count(`{"level":"ERROR","msg":"structured"}`) == 1
	})
	_, _ = d.Invoke(t.Context(), []byte(`{"do":"fail"}`))
	if err := h.Close(t.Context()); err != nil { // all output has arrived
		t.Fatal(err)
	}

	for _, want := range []map[string]any{
		{"msg": "plain text", "level": slog.LevelInfo, "stream": "stdout"},
		{"msg": `{"level":"ERROR","msg":"structured"}`, "level": slog.LevelError, "stream": "stderr"},
	} {
		got := log.find(want["msg"].(string))
		if len(got) != 1 {
			t.Errorf("%s: got %d records, want 1", want["msg"], len(got))
			continue
		}
		want["function"], want["request_id"] = "function", a.RequestID
		for k, v := range want {
			if got[0][k] != v {
				t.Errorf("%s: %s: got %v, want %v", want["msg"], k, got[0][k], v)
			}
		}
	}

	log.mu.Lock()
	for _, m := range log.records {
		if strings.Contains(m["msg"].(string), "failed to get the next invoke") {
			t.Errorf("an instance outlived the Runtime API: %v", m)
		}
	}
	log.mu.Unlock()

	reports := log.find("invocation ended")
	if len(reports) != 2 {
		t.Fatalf("got %d reports, want 2: %v", len(reports), reports)
	}
	first, second := reports[0], reports[1]
	if first["request_id"] != a.RequestID || first["level"] != slog.LevelInfo || first["memory_size_mb"] != int64(128) {
		t.Errorf("report of a success: got %v", first)
	}
	if first["init_duration"].(time.Duration) <= 0 || first["duration"].(time.Duration) <= 0 {
		t.Errorf("report of a cold start: got durations %v and %v, want positive ones", first["init_duration"],
			first["duration"])
	}
	if first["status"] != "success" || second["status"] != "error" {
		t.Errorf("statuses: got %v and %v, want success and error", first["status"], second["status"])
	}
	if billed, atLeast := first["billed_duration"].(time.Duration),
		first["duration"].(time.Duration)+first["init_duration"].(time.Duration); billed < atLeast ||
		billed%time.Millisecond != 0 {
		t.Errorf("report of a cold start: billed %v, want whole milliseconds and at least %v", billed, atLeast)
	}
	if peak, _ := first["max_memory_used_mb"].(int64); runtime.GOOS == "linux" && (peak < 1 || peak > 128) {
		t.Errorf("report: got a peak of %d MB, want one from 1 to 128", peak)
	}
	if second["level"] != slog.LevelWarn || second["init_duration"] != nil {
		t.Errorf("report of a failure, warm: got %v", second)
	}
}
