package shop

import (
	"fmt"
	"time"
)

// A Policy says when to order a product and how much: the (s, S) policy of inventory theory, in
// whole lots.
type Policy struct {
	ReorderPoint int // s: order if the stock position is at this level or below
	OrderUpTo    int // S: order enough to raise the position to this level
	LotSize      int // the factory makes whole lots of this size
	MinimumOrder int // the smallest order that the factory accepts; 0: no minimum
	// LeadTime is how long the factory takes from a request to the delivery, in whole seconds.
	LeadTime time.Duration
	// Automatic says whether production orders open by themselves. If not, the shop only suggests
	// them.
	Automatic bool
}

// OrderQuantity returns how much to order at a stock position (on hand + on order). Above the
// reorder point it is 0. Else it is the quantity that raises the position to the order-up-to level,
// at least the minimum order, rounded up to whole lots.
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
	// maxLevel is the largest number in a policy. So an order that is rounded up to whole lots
	// never exceeds MaxQuantity.
	maxLevel    = 1_000_000_000
	maxLeadTime = 30 * 24 * time.Hour
)

// validate returns an error with CodeInvalidProduct if a number is out of range, or if the
// order-up-to level is not above the reorder point.
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
			return refuse(CodeInvalidProduct,
				fmt.Sprintf("the %s is %d, it must be from %d to %d", n.name, n.value, n.min, maxLevel))
		}
	}
	switch {
	case p.OrderUpTo <= p.ReorderPoint:
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the order-up-to level is %d, it must be above the reorder point, %d",
				p.OrderUpTo, p.ReorderPoint))
	case p.LeadTime < time.Second || p.LeadTime > maxLeadTime || p.LeadTime%time.Second != 0:
		return refuse(CodeInvalidProduct,
			fmt.Sprintf("the lead time is %v, it must be whole seconds, from 1s to %v", p.LeadTime, maxLeadTime))
	}
	return nil
}
