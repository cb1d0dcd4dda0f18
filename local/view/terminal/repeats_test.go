package terminal

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"restock/local/aws/traceid"
	"restock/local/view/events"
)

func TestManyEventsOfOneKindAreShortenedToACount(t *testing.T) {
	for name, c := range map[string]struct {
		level slog.Level // of the handler
		log   func(*slog.Logger)
		want  string
	}{
		"throttled requests": {slog.LevelInfo, func(log *slog.Logger) {
			api := log.With("part", "api")
			for i := range 2477 {
				api.Warn("api request", "status", 503, "duration", time.Duration(i), "request_id", i, "throttled",
					"all instances of sales-api are busy")
				time.Sleep(4 * time.Millisecond)
			}
			time.Sleep(quietTime)
		}, `WRN api request part=api status=503 duration=0s throttled="all instances of sales-api are busy"
			WRN api request: 2476 more in 9.9s part=api status=503 throttled="all instances of sales-api are busy"`},
		"several kinds at a time": {slog.LevelInfo, func(log *slog.Logger) {
			for i, function := range []string{"stock", "ads", "stock", "ads", "stock"} {
				log.With("function", function).Warn("invocation ended", "error",
					"RequestId: 22a0cc0e-0f22-11ee-9253-0242ac110002 failed")
				log.Info("sold", "stock", i)
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Minute)
		}, `WRN invocation ended function=stock error="RequestId: 22a0cc0e-0f22-11ee-9253-0242ac110002 failed"
			INF sold stock=0
			WRN invocation ended function=ads error="RequestId: 22a0cc0e-0f22-11ee-9253-0242ac110002 failed"
			INF sold stock=1
			INF sold stock=2
			INF sold stock=3
			INF sold stock=4
			WRN invocation ended: 1 more in 2ms function=ads error="RequestId: … failed"
			WRN invocation ended: 2 more in 4ms function=stock error="RequestId: … failed"`},
		"another level, message or status": {slog.LevelInfo, func(log *slog.Logger) {
			log.Warn("a", "status", 500)
			log.Error("a", "status", 500)
			log.Warn("b", "status", 500)
			log.Warn("a", "status", 503)
			time.Sleep(time.Minute)
		}, `WRN a status=500
			ERR a status=500
			WRN b status=500
			WRN a status=503`},
		"a pause in between": {slog.LevelInfo, func(log *slog.Logger) {
			log.Warn("a")
			time.Sleep(quietTime + 1)
			log.Warn("a")
			time.Sleep(time.Minute)
		}, `WRN a
			WRN a`},
		"a warning that does not stop": {slog.LevelInfo, func(log *slog.Logger) {
			for range 60 {
				log.Warn("a")
				time.Sleep(900 * time.Millisecond)
			}
			time.Sleep(time.Minute)
		}, `WRN a
			WRN a: 34 more in 30.6s
			WRN a: 25 more in 22.3s`},
		"few events below warning": {slog.LevelInfo, func(log *slog.Logger) {
			for stock := range 3 {
				log.Info("sold", "stock", stock)
			}
			time.Sleep(time.Minute)
		}, `INF sold stock=0
			INF sold stock=1
			INF sold stock=2`},
		"many events below warning": {slog.LevelInfo, func(log *slog.Logger) {
			for i := range 500 {
				log.Info(`{"level":"INFO","message":"refused","sku":"CP-502101","quantity":1,"correlation_id":"R"}`,
					events.FunctionLine.Attr(), "request_id", i)
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Minute)
		}, strings.Repeat("INF refused sku=CP-502101 quantity=1 correlation_id=R\n", 5) +
			`INF refused: 495 more in 495ms sku=CP-502101`},
		"lines of an object each": {slog.LevelInfo, func(log *slog.Logger) {
			for i := range 500 {
				log.Info(fmt.Sprintf(`{"level":"INFO","message":"received","lot":"LOT-%d","sku":"A"}`, i),
					events.FunctionLine.Attr())
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Minute)
		}, `INF received lot=LOT-0 sku=A
			INF received lot=LOT-1 sku=A
			INF received lot=LOT-2 sku=A
			INF received lot=LOT-3 sku=A
			INF received lot=LOT-4 sku=A
			INF received: 495 more in 495ms sku=A`},
		"requests with a trace each": {slog.LevelInfo, func(log *slog.Logger) {
			for range 500 {
				span := traceid.New(time.Now())
				log.Info("api request", "route", "GET /ads", "trace_id", span.Header(), traceid.Attr(span),
					traceid.LinksKey, traceid.Attr(span.Child()).Value.String())
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Minute)
		}, strings.Repeat("INF api request route=\"GET /ads\"\n", infoShown) +
			`INF api request: 495 more in 495ms route="GET /ads"`},
		"level debug shows all": {slog.LevelDebug, func(log *slog.Logger) {
			log.Warn("a")
			log.Warn("a")
		}, `WRN a
			WRN a`},
		"the end of the program": {slog.LevelInfo, func(log *slog.Logger) {
			log.Warn("a")
			log.Warn("a")
			Flush(log)
			time.Sleep(time.Minute)
		}, `WRN a
			WRN a: 1 more in 0s`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out tape
				c.log(slog.New(newCalm(&screen{out: &out}, c.level, false, Program{Objects: []string{"lot"}})))
				synctest.Wait()
				var got []string
				for line := range strings.Lines(out.take()) {
					_, event, _ := strings.Cut(strings.TrimSpace(line), " ") // the time
					got = append(got, event)
				}
				if want := strings.ReplaceAll(c.want, "\t", ""); strings.Join(got, "\n") != want {
					t.Errorf("got\n%s, want\n%s", strings.Join(got, "\n"), want)
				}
			})
		})
	}
}

func TestJSONWritesEveryWarning(t *testing.T) {
	var out strings.Builder
	log := JSON(&out, slog.LevelInfo)
	for range 10 {
		log.Warn("a")
	}
	Flush(log)
	if got := strings.Count(out.String(), "\n"); got != 10 {
		t.Errorf("got %d lines, want 10", got)
	}
}
