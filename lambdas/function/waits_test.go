package function

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"restock/internal/shop"
	"restock/lambdas"
	"restock/lambdas/journal"
)

// slowStore is a store whose checkouts take a while on the test's clock.
type slowStore struct {
	shop.Store
	clock    *time.Time
	takes    time.Duration
	decision shop.Decision
	err      error

	bins   int // the answer of RecordWait
	failed error
	looks  []string
}

func (s *slowStore) Checkout(context.Context, shop.Checkout) (shop.Decision, error) {
	*s.clock = s.clock.Add(s.takes)
	return s.decision, s.err
}

func (s *slowStore) RecordWait(_ context.Context, sku string, at time.Time, quiet time.Duration) (int, error) {
	s.looks = append(s.looks, fmt.Sprint(sku, " ", at.Equal(*s.clock), " ", quiet))
	return s.bins, s.failed
}

func TestASlowSaleIsReportedIfAllBinsAreBusy(t *testing.T) {
	sold, refused := shop.Decision{Outcome: shop.Sold}, shop.Decision{Outcome: shop.Refused}
	for name, c := range map[string]struct {
		store slowStore
		looks bool
		says  string
	}{
		"a fast sale":     {slowStore{takes: slowSale - 1, decision: sold, bins: 1}, false, ""},
		"a slow refusal":  {slowStore{takes: time.Second, decision: refused, bins: 1}, false, ""},
		"a failed sale":   {slowStore{takes: time.Second, err: errors.New("no database"), bins: 1}, false, ""},
		"a bin is free":   {slowStore{takes: slowSale, decision: sold}, true, ""},
		"it cannot look":  {slowStore{takes: slowSale, decision: sold, failed: errors.New("no database")}, true, ""},
		"all are busy":    {slowStore{takes: 80 * time.Millisecond, decision: sold, bins: 2}, true, `"waited_ms":80`},
		"the most advice": {slowStore{takes: slowSale, decision: sold, bins: 32}, true, "bins of CP-1 to 64"},
	} {
		var out bytes.Buffer
		clock, s := time.Now(), c.store
		s.clock = &clock
		w := &waits{
			Store: &s, recorder: &s, now: func() time.Time { return clock }, looked: map[string]time.Time{},
			journal: journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "restock/test"),
		}
		d, err := w.Checkout(t.Context(), shop.Checkout{Purchase: shop.Purchase{SKU: "CP-1"}})
		if d != s.decision || !errors.Is(err, s.err) {
			t.Errorf("%s: got %+v, %v; want what the store answered", name, d, err)
		}
		if (len(s.looks) == 1) != c.looks || c.looks && s.looks[0] != "CP-1 true 1m0s" {
			t.Errorf("%s: it looked for %q, want a look: %t", name, s.looks, c.looks)
		}
		if (out.Len() > 0) != (c.says != "") || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: the log has %q, want %q", name, out.String(), c.says)
		}
	}
}

func TestAnInstanceLooksAtAProductOnceInAWhile(t *testing.T) {
	clock := time.Now()
	s := &slowStore{clock: &clock, takes: slowSale, decision: shop.Decision{Outcome: shop.Sold}}
	w := &waits{Store: s, recorder: s, now: func() time.Time { return clock }, looked: map[string]time.Time{}}
	for _, c := range []struct {
		sku   string
		after time.Duration
		looks int
	}{
		{"CP-1", 0, 1}, {"CP-1", 0, 1}, {"CP-2", 0, 2}, {"CP-1", lookInterval - 4*slowSale, 2},
		{"CP-1", lookInterval, 3},
	} {
		clock = clock.Add(c.after)
		if _, err := w.Checkout(t.Context(), shop.Checkout{Purchase: shop.Purchase{SKU: c.sku}}); err != nil {
			t.Fatal(err)
		}
		if len(s.looks) != c.looks {
			t.Errorf("after a sale of %s %v later: %d looks, want %d", c.sku, c.after, len(s.looks), c.looks)
		}
	}
}

func TestTheShopOfAFunctionReportsWaits(t *testing.T) {
	p := Process[struct{}]{Log: slog.New(slog.DiscardHandler), warm: &warmUp{}}
	s, err := p.Shop(lambdas.Shop{Database: lambdas.Database{Host: "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if w, ok := s.Store.(*waits); !ok || w.recorder == nil || w.now == nil || w.looked == nil {
		t.Errorf("the store is %+v, want one that reports waits", s.Store)
	}
}
