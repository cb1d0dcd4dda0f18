package shop

import "testing"

func TestOrderQuantity(t *testing.T) {
	for _, c := range []struct {
		name     string
		policy   Policy
		position int
		want     int
	}{
		{"above the reorder point", Policy{ReorderPoint: 5, OrderUpTo: 20, LotSize: 1}, 6, 0},
		{"at the reorder point", Policy{ReorderPoint: 5, OrderUpTo: 20, LotSize: 1}, 5, 15},
		{"below the reorder point", Policy{ReorderPoint: 5, OrderUpTo: 20, LotSize: 1}, 2, 18},
		{"whole lots", Policy{ReorderPoint: 0, OrderUpTo: 100, LotSize: 100}, 0, 100},
		{"rounded up to a lot", Policy{ReorderPoint: 5, OrderUpTo: 20, LotSize: 10}, 4, 20},
		{"one lot is not enough", Policy{ReorderPoint: 5, OrderUpTo: 20, LotSize: 7}, 4, 21},
		{"an order-up-to level that is reached already", Policy{ReorderPoint: 5, OrderUpTo: 5, LotSize: 10}, 5, 0},
		{"a lot size of nothing", Policy{ReorderPoint: 0, OrderUpTo: 3, LotSize: 0}, 0, 3},
	} {
		if got := c.policy.OrderQuantity(c.position); got != c.want {
			t.Errorf("%s: %+v at position %d: got %d, want %d", c.name, c.policy, c.position, got, c.want)
		}
	}
}
