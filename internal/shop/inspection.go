package shop

import "context"

// An Inspection is the state of the books and of the open orders at one time.
type Inspection struct {
	Balances []Balance         // of each product, by SKU
	Overdue  []ProductionOrder // open orders that should have been received, oldest first
}

// A Balance compares a product's stock with its ledger.
type Balance struct {
	SKU    string
	Stock  int // on hand
	Ledger int // the sum of its entries; equal to Stock if the books are right
}

// Difference returns how much the ledger exceeds the stock; it is negative if the ledger is less.
func (b Balance) Difference() int { return b.Ledger - b.Stock }

// Difference returns the sum of the differences of all products, each without its sign.
func (i Inspection) Difference() int {
	sum := 0
	for _, b := range i.Balances {
		sum += max(b.Difference(), -b.Difference())
	}
	return sum
}

// Differing returns how many products have another stock than their ledgers.
func (i Inspection) Differing() (n int) {
	for _, b := range i.Balances {
		if b.Difference() != 0 {
			n++
		}
	}
	return n
}

// Inspect compares all stock with the ledger, lists the overdue orders, and reports both to the
// journal.
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
