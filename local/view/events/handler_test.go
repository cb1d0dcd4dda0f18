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

// published returns the events that a stream holds.
func published(t *testing.T, s *events.Stream[events.Event]) []events.Event {
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

func TestHandlerPassesTheTestsOfSlog(t *testing.T) {
	var s *events.Stream[events.Event]
	newHandler := func(*testing.T) slog.Handler {
		s = events.NewStream[events.Event](100)
		return events.NewHandler(s, slog.LevelDebug)
	}
	slogtest.Run(t, newHandler, func(t *testing.T) map[string]any {
		e := published(t, s)[0]
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

func TestEventsHoldTheValuesOfTheMoment(t *testing.T) {
	s := events.NewStream[events.Event](10)
	list := []string{"a"}
	log := slog.New(events.NewHandler(s, slog.LevelInfo))
	log.Info("x", "list", list, "error", errors.New("why"), "took", time.Second, "n", 7, "ok", true)
	list[0] = "b"
	want := map[string]any{"list": "[a]", "error": "why", "took": time.Second, "n": int64(7), "ok": true}
	if got := attrs(published(t, s)[0]); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEventsOfALevelAndAboveArePublished(t *testing.T) {
	s := events.NewStream[events.Event](10)
	log := slog.New(events.NewHandler(s, slog.LevelInfo))
	log.Debug("below")
	log.Info("at")
	log.Error("above")
	if got := published(t, s); len(got) != 2 || got[0].Message != "at" || got[1].Message != "above" {
		t.Errorf("got %v, want the events of info and above", got)
	}
}

func TestLongTextIsCut(t *testing.T) {
	s := events.NewStream[events.Event](10)
	long := strings.Repeat("도", 1<<16)
	slog.New(events.NewHandler(s, slog.LevelInfo)).Info(long, "body", long)
	e := published(t, s)[0]
	for what, text := range map[string]string{"message": e.Message, "attribute": attrs(e)["body"].(string)} {
		kept, cut := strings.CutSuffix(text, "…")
		if len(text) > 17<<10 || !strings.HasPrefix(long, kept) || !cut {
			t.Errorf("the %s has %d bytes of %d, and ends in %q; want the beginning and an ellipsis",
				what, len(text), len(long), text[len(text)-6:])
		}
	}
}

func TestAttributesOfTheContextArePublishedAndDoNotMix(t *testing.T) {
	s := events.NewStream[events.Event](10)
	log := slog.New(events.NewHandler(s, slog.LevelInfo)).With("part", "api")
	cause := t.Context()
	for _, key := range []string{"request", "route", "caller"} {
		cause = events.WithAttrs(cause, slog.String(key, key[:1]))
	}
	first := events.WithAttrs(cause, slog.String("trace", "1"))
	second := events.WithAttrs(cause, slog.String("trace", "2"))
	with := func(trace string) map[string]any {
		return map[string]any{
			"part": "api", "request": "r", "route": "r", "caller": "c", "trace": trace, "n": int64(1),
		}
	}
	for _, c := range []struct {
		ctx  context.Context
		want map[string]any
	}{
		{t.Context(), map[string]any{"part": "api", "n": int64(1)}},
		{cause, map[string]any{"part": "api", "request": "r", "route": "r", "caller": "c", "n": int64(1)}},
		{first, with("1")},
		{second, with("2")},
	} {
		log.InfoContext(c.ctx, "x", "n", 1)
		all := published(t, s)
		if got := attrs(all[len(all)-1]); !maps.Equal(got, c.want) {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}

// BenchmarkHandler measures the cost of logging an event of an HTTP request.
func BenchmarkHandler(b *testing.B) {
	for _, c := range []struct {
		name    string
		handler slog.Handler
	}{
		{"discarded", slog.DiscardHandler},
		{"published", events.NewHandler(events.NewStream[events.Event](16384), slog.LevelDebug)},
	} {
		b.Run(c.name, func(b *testing.B) {
			log := slog.New(c.handler).With("part", "api")
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(b.Context(), slog.LevelInfo, "api request",
					slog.String("method", "POST"), slog.String("path", "/checkout"),
					slog.String("route", "POST /checkout"), slog.Int("status", 200),
					slog.Duration("duration", 2*time.Millisecond), slog.String("request_id", "JKJaXmPLvHcESHA="))
			}
		})
	}
}
