package programs_test

import (
	"strings"
	"testing"

	"restock/cmd/local/factory"
	"restock/infra/graph"
	"restock/test/await"
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
		s := start(t, config(t))
		if err := s.Run.Factory.SetFault(factory.Fault{Hold: true}); err != nil { // it must not be done before it loses the lot
			t.Fatal(err)
		}
		s.buy(t, 3, 1)
		await.Until(t, "the factory is asked", func() bool { return len(s.Run.Factory.Requests()) == 1 })
		if lost := s.Run.Factory.LoseJobs(); lost != 1 {
			t.Fatalf("the factory lost %d lots, want the one", lost)
		}
		if err := s.Run.Factory.SetFault(factory.Fault{}); err != nil {
			t.Fatal(err)
		}
		await.Until(t, "what was published is marked", func() bool {
			return s.number(t, `SELECT COUNT(*) FROM production_order WHERE published_at IS NOT NULL`) == 1
		})
		s.passTime(t)
		await.Until(t, "the lot is asked for again", func() bool { return s.number(t, donutStock) == 100 })
		if open := s.number(t, `SELECT COUNT(*) FROM production_order WHERE status = 'open'`); open != 0 {
			t.Errorf("%d production orders are open, want none", open)
		}
	})
	t.Run("sales-api cannot publish what it has committed", func(t *testing.T) {
		t.Parallel()
		c := config(t)
		c.Unchecked = true
		c.Edit = func(g *graph.Graph) {
			for _, r := range g.OfType(graph.RolePolicy) {
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
		await.Until(t, "the order is published", func() bool { return s.number(t, donutStock) == 100 })
		if asked := len(s.Run.Factory.Requests()); asked != 1 {
			t.Errorf("the factory was asked %d times, want once", asked)
		}
	})
}
