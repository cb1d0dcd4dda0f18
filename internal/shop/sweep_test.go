package shop_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"restock/internal/shop"
)

// A brokenStore fails whatever a sweep asks, and knows what that was.
type brokenStore struct {
	shop.Store
	asked []string
}

func (s *brokenStore) fail(what string) error {
	s.asked = append(s.asked, what)
	return errors.New("no " + what)
}

func (s *brokenStore) OpenOrders(context.Context) ([]shop.ProductionOrder, error) {
	return nil, s.fail("orders")
}

func (s *brokenStore) DueNotices(context.Context, time.Time) ([]shop.Notice, error) {
	return nil, s.fail("notices")
}

func (s *brokenStore) Short(context.Context) ([]string, error) { return nil, s.fail("short products") }

func (s *brokenStore) ForgetKeys(context.Context, time.Time, int) (int, bool, error) {
	return 0, false, s.fail("keys")
}

func (s *brokenStore) ForgetWaitlist(context.Context, time.Time, int) (bool, error) {
	return false, s.fail("waitlists")
}

func TestAStepOfASweepThatFailsDoesNotStopTheOthers(t *testing.T) {
	s := &brokenStore{}
	_, err := shop.Open(s, nil, shop.Discard).Sweep(t.Context())
	// The inspection reads orders, too.
	want := []string{"orders", "notices", "short products", "orders", "keys", "waitlists"}
	if err == nil || !slices.Equal(s.asked, want) {
		t.Errorf("the sweep asked for %q: %v; want %q, and an error", s.asked, err, want)
	}
}
