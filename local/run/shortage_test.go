package run_test

import (
	"strings"
	"testing"
	"time"

	"restock/infra/graph"
)

// passTime lets an hour go by for the production orders, and then the minute of the schedules.
func (s *stack) passTime(tb testing.TB) {
	tb.Helper()
	if _, err := s.db.ExecContext(tb.Context(), `UPDATE production_order SET opened_at = opened_at - INTERVAL 1 HOUR, asked_at = asked_at - INTERVAL 1 HOUR WHERE status = 'open'`); err != nil {
		tb.Fatal(err)
	}
	s.Run.PassTime(tb.Context())
}

const donutStock = `SELECT stock FROM product WHERE sku = 'CP-502101'`

func TestEveryShortageEndsInStockWithoutAPersonsHand(t *testing.T) {
	t.Run("the factory loses every lot that it has", func(t *testing.T) {
		t.Parallel()
		c := config(t)
		c.FactoryStep = 200 * time.Millisecond
		s := start(t, c)
		s.buy(t, 3, 1)
		await(t, "the factory is not asked", func() bool { return len(s.Run.Factory.Requests()) == 1 })
		if lost := s.Run.Factory.LoseJobs(); lost != 1 {
			t.Fatalf("the factory lost %d lots, want the one", lost)
		}
		await(t, "nobody marks what was published", func() bool {
			return s.number(t, `SELECT COUNT(*) FROM production_order WHERE published_at IS NOT NULL`) == 1
		})
		s.passTime(t)
		await(t, "the lot is not asked for again", func() bool { return s.number(t, donutStock) == 100 })
		if open := s.number(t, `SELECT COUNT(*) FROM production_order WHERE status = 'open'`); open != 0 {
			t.Errorf("%d production orders are open, want none", open)
		}
	})
	t.Run("sales-api cannot publish what it has committed", func(t *testing.T) {
		t.Parallel()
		c := config(t)
		c.Unchecked = true
		c.Edit = func(g *graph.Graph) {
			for _, r := range g.OfType("aws:iam/rolePolicy:RolePolicy") {
				if r.Name == "sales-api" {
					r.Outputs["policy"] = strings.ReplaceAll(r.String("policy"), "sns:Publish", "sns:GetTopicAttributes")
				}
			}
		}
		s := start(t, c)
		if got := s.buy(t, 3, 1); got[200] != 3 {
			t.Fatalf("three buyers got %v: the sale stands though its message could not be sent", got)
		}
		if asked := len(s.Run.Factory.Requests()); asked != 0 {
			t.Fatalf("the factory was asked %d times", asked)
		}
		s.passTime(t)
		await(t, "nobody publishes the order", func() bool { return s.number(t, donutStock) == 100 })
		if asked := len(s.Run.Factory.Requests()); asked != 1 {
			t.Errorf("the factory was asked %d times, want once", asked)
		}
	})
}
