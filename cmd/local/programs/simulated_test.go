package programs_test

import (
	"testing"

	declared "restock/infra/stack"
	"restock/test/await"
)

// TestSimulatedFactoryMakesNewStock runs the shop with the function that plays the factory on AWS.
// Its lot takes 40 seconds, as on AWS.
func TestSimulatedFactoryMakesNewStock(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Factory = declared.SimulatedFactory
	s := start(t, c)
	if s.Run.Factory != nil || s.Endpoints.Factory != "" {
		t.Errorf("the run has the stand-in %q too, want the function only", s.Endpoints.Factory)
	}
	if got := s.buy(t, 3, 1); got[200] != 3 {
		t.Fatalf("three buyers got %v, want sales", got)
	}
	await.Until(t, "the factory's lot is in stock", func() bool { return s.number(t, donutStock) > 0 })
	if stock := s.number(t, donutStock); stock != 100 {
		t.Errorf("the stock is %d, want the 100 of one lot", stock)
	}
	if open := s.number(t, `SELECT COUNT(*) FROM production_order WHERE status = 'open'`); open != 0 {
		t.Errorf("%d production orders are open, want none", open)
	}
}
