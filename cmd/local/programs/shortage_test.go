package programs_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"restock/cmd/local/factory"
	"restock/infra/graph"
	"restock/test/await"
)

// passTime moves the production orders an hour into the past, and then runs the schedules.
func (s *stack) passTime(tb testing.TB) {
	tb.Helper()
	if _, err := s.db.ExecContext(tb.Context(), `UPDATE production_order SET opened_at = opened_at - INTERVAL 1 HOUR, `+
		`asked_at = asked_at - INTERVAL 1 HOUR WHERE status = 'open'`); err != nil {
		tb.Fatal(err)
	}
	s.Run.PassTime(tb.Context())
}

const donutStock = `SELECT stock FROM product_stock WHERE sku = 'CP-502101'`

func TestEveryShortageEndsWithNewStock(t *testing.T) {
	t.Run("the factory loses all lots", func(t *testing.T) {
		t.Parallel()
		s := start(t, config(t))
		// The factory must not finish the lot before the test loses it.
		if err := s.Run.Factory.SetFault(factory.Fault{Hold: true}); err != nil {
			t.Fatal(err)
		}
		s.buy(t, 3, 1)
		await.Until(t, "the factory has the request", func() bool { return len(s.Run.Factory.Requests()) == 1 })
		if lost := s.Run.Factory.LoseJobs(); lost != 1 {
			t.Fatalf("the factory lost %d lots, want 1", lost)
		}
		if err := s.Run.Factory.SetFault(factory.Fault{}); err != nil {
			t.Fatal(err)
		}
		await.Until(t, "the order is marked as published", func() bool {
			return s.number(t, `SELECT COUNT(*) FROM production_order WHERE published_at IS NOT NULL`) == 1
		})
		s.passTime(t)
		await.Until(t, "the sweep has requested the lot again", func() bool { return s.number(t, donutStock) == 100 })
		if open := s.number(t, `SELECT COUNT(*) FROM production_order WHERE status = 'open'`); open != 0 {
			t.Errorf("%d production orders are open, want none", open)
		}
	})
	t.Run("sales-api cannot publish what it has committed", func(t *testing.T) {
		t.Parallel()
		logged := &textLog{}
		c := config(t)
		c.Unchecked = true
		both := io.MultiWriter(logged, t.Output())
		c.Log = slog.New(slog.NewTextHandler(both, &slog.HandlerOptions{Level: slog.LevelWarn}))
		c.Edit = func(g *graph.Graph) {
			mayNotPublish.make(g)
			setTimeouts(g)
		}
		s := start(t, c)
		if got := s.buy(t, 3, 1); got[200] != 3 {
			t.Fatalf("three buyers got %v, want sales: the message that cannot be sent does not undo them", got)
		}
		if requests := len(s.Run.Factory.Requests()); requests != 0 {
			t.Fatalf("the factory got %d requests, want none", requests)
		}
		await.Until(t, "the log says "+strings.Join(mayNotPublish.logs, " … "), func() bool {
			return logged.line(mayNotPublish.logs...) != ""
		})
		s.passTime(t)
		await.Until(t, "the order is published", func() bool { return s.number(t, donutStock) == 100 })
		if requests := len(s.Run.Factory.Requests()); requests != 1 {
			t.Errorf("the factory got %d requests, want 1", requests)
		}
	})
}
