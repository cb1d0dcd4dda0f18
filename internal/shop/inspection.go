package shop

import (
	"context"
	"time"
)

// An Inspection is how things stand.
type Inspection struct {
	Balances []Balance         // of each product, by SKU
	Overdue  []ProductionOrder // open, and not received in time, oldest first
}

// A Balance holds a product's stock against its ledger.
type Balance struct {
	SKU    string
	Stock  int // on hand
	Ledger int // the sum of the ledger's entries, which is the stock if the books are right
}

// Difference is how much more the books say than there is, or less.
func (b Balance) Difference() int { return b.Ledger - b.Stock }

// Difference is how far the books of all products are off, together.
func (i Inspection) Difference() int {
	sum := 0
	for _, b := range i.Balances {
		sum += max(b.Difference(), -b.Difference())
	}
	return sum
}

// Inspect looks at how things stand, and tells the journal. A production order is overdue when it has not been received in the factory's
// lead time and as much again.
func (s *Shop) Inspect(ctx context.Context, leadTime time.Duration) (Inspection, error) {
	balances, err := s.Store.Balances(ctx)
	if err != nil {
		return Inspection{}, err
	}
	overdue, err := s.Store.OpenedBefore(ctx, s.Now().Add(-2*leadTime))
	if err != nil {
		return Inspection{}, err
	}
	i := Inspection{Balances: balances, Overdue: overdue}
	s.Journal.Inspected(ctx, i)
	return i, nil
}
