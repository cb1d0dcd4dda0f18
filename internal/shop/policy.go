package shop

import (
	"fmt"
	"time"
)

// A Policy says when a product is made and how much of it: the (s, S) policy of inventory theory, in lots.
type Policy struct {
	ReorderPoint int // s: at this stock position or below, order
	OrderUpTo    int // S: order what lifts the position to this level
	LotSize      int // the factory makes whole lots
	MinimumOrder int // the factory makes no less; 0: none
	// LeadTime is what the factory takes from a request to the delivery, in whole seconds.
	LeadTime time.Duration
	// Automatic says that production orders open by themselves; else they are only suggested.
	Automatic bool
}

// OrderQuantity is what to order at a stock position (on hand + on order): nothing above the reorder point, else what
// lifts the position to the order-up-to level, the minimum order at least, rounded up to whole lots.
func (p Policy) OrderQuantity(position int) int {
	if position > p.ReorderPoint || position >= p.OrderUpTo {
		return 0
	}
	quantity := max(p.OrderUpTo-position, p.MinimumOrder)
	lot := max(p.LotSize, 1)
	lots := (quantity + lot - 1) / lot
	return lots * lot
}

const (
	// maxLevel bounds the numbers of a policy, so that no order, rounded up to a lot, is beyond MaxQuantity.
	maxLevel    = 1_000_000_000
	maxLeadTime = 30 * 24 * time.Hour
)

// validate refuses a policy that says nothing sensible, with CodeInvalidProduct.
func (p Policy) validate() error {
	for _, n := range []struct {
		name       string
		value, min int
	}{
		{"reorder point", p.ReorderPoint, 0},
		{"order-up-to level", p.OrderUpTo, 1},
		{"lot size", p.LotSize, 1},
		{"minimum order", p.MinimumOrder, 0},
	} {
		if n.value < n.min || n.value > maxLevel {
			return refuse(CodeInvalidProduct, fmt.Sprintf("the %s is %d, it must be from %d to %d", n.name, n.value, n.min, maxLevel))
		}
	}
	switch {
	case p.OrderUpTo <= p.ReorderPoint:
		return refuse(CodeInvalidProduct, fmt.Sprintf("the order-up-to level is %d, it must be above the reorder point, %d", p.OrderUpTo, p.ReorderPoint))
	case p.LeadTime < time.Second || p.LeadTime > maxLeadTime || p.LeadTime%time.Second != 0:
		return refuse(CodeInvalidProduct, fmt.Sprintf("the lead time is %v, it must be whole seconds, from 1s to %v", p.LeadTime, maxLeadTime))
	}
	return nil
}
