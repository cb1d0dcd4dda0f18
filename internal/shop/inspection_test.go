package shop_test

import (
	"context"
	"testing"
	"time"

	"restock/internal/shop"
)

// inspections is a journal that records inspections only.
type inspections struct {
	shop.Journal
	seen []shop.Inspection
}

func (i *inspections) Inspected(_ context.Context, inspection shop.Inspection) {
	i.seen = append(i.seen, inspection)
}

func TestAnOrderIsOverdueAfterTwiceTheLeadTime(t *testing.T) {
	order := func(sku string, age time.Duration) shop.ProductionOrder {
		return shop.ProductionOrder{SKU: sku, OpenedAt: noon.Add(-age), AskedAt: noon, Asks: 2, LeadTime: time.Minute}
	}
	journal := &inspections{}
	s := open(store{
		balances: func() ([]shop.Balance, error) {
			return []shop.Balance{{SKU: "CP-502101", Stock: 3, Ledger: 1}}, nil
		},
		openOrders: func() ([]shop.ProductionOrder, error) {
			return []shop.ProductionOrder{order("late", 2*time.Minute+1), order("on time", 2*time.Minute)}, nil
		},
	}, nil)
	s.Journal = journal
	got, err := s.Inspect(t.Context())
	if err != nil || len(got.Overdue) != 1 || got.Overdue[0].SKU != "late" || got.Difference() != 2 {
		t.Errorf("got %+v, %v; want the late order overdue, and a difference of 2", got, err)
	}
	if len(journal.seen) != 1 {
		t.Errorf("the journal got %d inspections, want 1", len(journal.seen))
	}
}

func TestDifferencesDoNotCancelOut(t *testing.T) {
	i := shop.Inspection{Balances: []shop.Balance{{Stock: 3, Ledger: 5}, {Stock: 5, Ledger: 3}}}
	if got := i.Difference(); got != 4 {
		t.Errorf("two products with differences of 2 and -2: got %d, want 4", got)
	}
}

func TestInvalidCorrelationsAreIgnored(t *testing.T) {
	ctx := shop.WithCorrelation(t.Context(), "JKJaXmPLvHcESHA=")
	long := string(make([]byte, 65))
	for _, id := range []string{"", "two\nlines", "두", "a b", long} {
		if got := shop.Correlation(shop.WithCorrelation(ctx, id)); got != "JKJaXmPLvHcESHA=" {
			t.Errorf("after %q the correlation is %q, want the one before", id, got)
		}
	}
	if got := shop.Correlation(shop.WithCorrelation(ctx, "other")); got != "other" {
		t.Errorf("the correlation is %q, want the inner one", got)
	}
}
