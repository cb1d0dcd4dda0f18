package events_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"restock/local/view/events"
)

// told returns what a stream holds.
func told(t *testing.T, s *events.Stream[events.Event]) []events.Event {
	t.Helper()
	sub := s.Subscribe(0)
	defer sub.Close()
	batch, err := sub.Read(1000)
	if err != nil {
		t.Fatal(err)
	}
	return batch.Values
}

func attrs(e events.Event) map[string]any {
	m := map[string]any{}
	for _, a := range e.Attrs {
		m[a.Key] = a.Value.Any()
	}
	return m
}

func TestHandlerIsOneOfSlogs(t *testing.T) {
	var s *events.Stream[events.Event]
	newHandler := func(*testing.T) slog.Handler {
		s = events.NewStream[events.Event](100)
		return events.NewHandler(s, slog.LevelDebug)
	}
	slogtest.Run(t, newHandler, func(t *testing.T) map[string]any {
		e := told(t, s)[0]
		m := map[string]any{slog.LevelKey: e.Level, slog.MessageKey: e.Message}
		if !e.Time.IsZero() {
			m[slog.TimeKey] = e.Time
		}
		for key, value := range attrs(e) {
			group := m
			path := strings.Split(key, ".")
			for _, name := range path[:len(path)-1] {
				if group[name] == nil {
					group[name] = map[string]any{}
				}
				group = group[name].(map[string]any)
			}
			group[path[len(path)-1]] = value
		}
		return m
	})
}

func TestEventsHoldWhatValuesAreAtThatMoment(t *testing.T) {
	s := events.NewStream[events.Event](10)
	list := []string{"a"}
	slog.New(events.NewHandler(s, slog.LevelInfo)).Info("x", "list", list, "error", errors.New("why"), "took", time.Second, "n", 7, "ok", true)
	list[0] = "b"
	want := map[string]any{"list": "[a]", "error": "why", "took": time.Second, "n": int64(7), "ok": true}
	if got := attrs(told(t, s)[0]); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEventsOfALevelAndAboveAreTold(t *testing.T) {
	s := events.NewStream[events.Event](10)
	log := slog.New(events.NewHandler(s, slog.LevelInfo))
	log.Debug("below")
	log.Info("at")
	log.Error("above")
	if got := told(t, s); len(got) != 2 || got[0].Message != "at" || got[1].Message != "above" {
		t.Errorf("got %v, want the two from info on", got)
	}
}

func TestLongTextIsCut(t *testing.T) {
	s := events.NewStream[events.Event](10)
	long := strings.Repeat("도", 1<<16)
	slog.New(events.NewHandler(s, slog.LevelInfo)).Info(long, "body", long)
	e := told(t, s)[0]
	for what, text := range map[string]string{"message": e.Message, "attribute": attrs(e)["body"].(string)} {
		if len(text) > 17<<10 || !strings.HasPrefix(long, strings.TrimSuffix(text, "…")) || !strings.HasSuffix(text, "…") {
			t.Errorf("the %s has %d bytes of %d, and ends in %q; want the beginning", what, len(text), len(long), text[len(text)-6:])
		}
	}
}

func TestAttributesOfTheContextAreToldAndDoNotMix(t *testing.T) {
	s := events.NewStream[events.Event](10)
	log := slog.New(events.NewHandler(s, slog.LevelInfo)).With("part", "api")
	cause := t.Context()
	for _, key := range []string{"request", "route", "caller"} {
		cause = events.WithAttrs(cause, slog.String(key, key[:1]))
	}
	first, second := events.WithAttrs(cause, slog.String("trace", "1")), events.WithAttrs(cause, slog.String("trace", "2"))
	for _, c := range []struct {
		ctx  context.Context
		want map[string]any
	}{
		{t.Context(), map[string]any{"part": "api", "n": int64(1)}},
		{cause, map[string]any{"part": "api", "request": "r", "route": "r", "caller": "c", "n": int64(1)}},
		{first, map[string]any{"part": "api", "request": "r", "route": "r", "caller": "c", "trace": "1", "n": int64(1)}},
		{second, map[string]any{"part": "api", "request": "r", "route": "r", "caller": "c", "trace": "2", "n": int64(1)}},
	} {
		log.InfoContext(c.ctx, "x", "n", 1)
		all := told(t, s)
		if got := attrs(all[len(all)-1]); !maps.Equal(got, c.want) {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}

// BenchmarkHandler is what an event of the run costs who logs it: that of an HTTP request.
func BenchmarkHandler(b *testing.B) {
	for _, c := range []struct {
		name    string
		handler slog.Handler
	}{
		{"nobody listens", slog.DiscardHandler},
		{"the stream listens", events.NewHandler(events.NewStream[events.Event](16384), slog.LevelDebug)},
	} {
		b.Run(c.name, func(b *testing.B) {
			log := slog.New(c.handler).With("part", "api")
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(b.Context(), slog.LevelInfo, "api request",
					slog.String("method", "POST"), slog.String("path", "/checkout"), slog.String("route", "POST /checkout"),
					slog.Int("status", 200), slog.Duration("duration", 2*time.Millisecond), slog.String("request_id", "JKJaXmPLvHcESHA="))
			}
		})
	}
}
