package shop

import "context"

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

// Inspect looks at how things stand, and tells the journal.
func (s *Shop) Inspect(ctx context.Context) (Inspection, error) {
	var i Inspection
	open, err := s.Store.OpenOrders(ctx)
	if err != nil {
		return i, err
	}
	now := s.now()
	for _, o := range open {
		if o.Overdue(now) {
			i.Overdue = append(i.Overdue, o)
		}
	}
	if i.Balances, err = s.Store.Balances(ctx); err != nil {
		return i, err
	}
	s.Journal.Inspected(ctx, i)
	return i, nil
}
