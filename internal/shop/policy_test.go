package shop

import (
	"testing"
	"time"
)

func TestOrderQuantity(t *testing.T) {
	policy := func(reorderPoint, orderUpTo, lotSize, minimumOrder int) Policy {
		return Policy{ReorderPoint: reorderPoint, OrderUpTo: orderUpTo, LotSize: lotSize, MinimumOrder: minimumOrder}
	}
	for _, c := range []struct {
		name     string
		policy   Policy
		position int
		want     int
	}{
		{"above the reorder point", policy(5, 20, 1, 0), 6, 0},
		{"at the reorder point", policy(5, 20, 1, 0), 5, 15},
		{"below the reorder point", policy(5, 20, 1, 0), 2, 18},
		{"whole lots", policy(0, 100, 100, 0), 0, 100},
		{"rounded up to a lot", policy(5, 20, 10, 0), 4, 20},
		{"one lot is not enough", policy(5, 20, 7, 0), 4, 21},
		{"the order-up-to level is reached already", policy(5, 5, 10, 0), 5, 0},
		{"a lot size of 0", policy(0, 3, 0, 0), 0, 3},
		{"the minimum order", policy(5, 20, 1, 40), 5, 40},
		{"the minimum order, in whole lots", policy(5, 20, 7, 40), 5, 42},
		{"more than the minimum order", policy(5, 20, 1, 10), 5, 15},
		{"a minimum order above the reorder point", policy(5, 20, 1, 10), 6, 0},
	} {
		if got := c.policy.OrderQuantity(c.position); got != c.want {
			t.Errorf("%s: %+v at position %d: got %d, want %d", c.name, c.policy, c.position, got, c.want)
		}
	}
}

func TestTheLargestPolicyOrdersAtMostMaxQuantity(t *testing.T) {
	p := Policy{OrderUpTo: maxLevel, LotSize: maxLevel - 1, MinimumOrder: maxLevel, LeadTime: time.Second}
	if err := p.validate(); err != nil {
		t.Fatal(err)
	}
	if got := p.OrderQuantity(0); got < maxLevel || got > MaxQuantity {
		t.Errorf("%+v orders %d, want %d to %d", p, got, maxLevel, MaxQuantity)
	}
}

func TestInvalidPoliciesAreRefused(t *testing.T) {
	good := Policy{ReorderPoint: 5, OrderUpTo: 20, LotSize: 10, MinimumOrder: 10, LeadTime: time.Minute}
	if err := good.validate(); err != nil {
		t.Errorf("%+v: %v", good, err)
	}
	for name, edit := range map[string]func(*Policy){
		"a negative reorder point":      func(p *Policy) { p.ReorderPoint = -1 },
		"a level that equals the point": func(p *Policy) { p.OrderUpTo = 5 },
		"a level above the limit":       func(p *Policy) { p.OrderUpTo = maxLevel + 1 },
		"no lot":                        func(p *Policy) { p.LotSize = 0 },
		"a lot above the limit":         func(p *Policy) { p.LotSize = maxLevel + 1 },
		"a negative minimum":            func(p *Policy) { p.MinimumOrder = -1 },
		"no lead time":                  func(p *Policy) { p.LeadTime = 0 },
		"a fraction of a second":        func(p *Policy) { p.LeadTime = 1500 * time.Millisecond },
		"a lead time of years":          func(p *Policy) { p.LeadTime = 9000 * time.Hour },
	} {
		p := good
		edit(&p)
		if err := p.validate(); CodeOf(err) != CodeInvalidProduct {
			t.Errorf("%s: %+v: got %v, want %s", name, p, err, CodeInvalidProduct)
		}
	}
}

func TestPatienceDoublesWithEachAsk(t *testing.T) {
	asked := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for asks, want := range map[int]time.Duration{
		1: 2 * time.Minute, 2: 4 * time.Minute, 3: 8 * time.Minute, 4: 16 * time.Minute,
	} {
		o := ProductionOrder{Asks: asks, AskedAt: asked, LeadTime: time.Minute}
		if got := o.PatienceEnds().Sub(asked); got != want {
			t.Errorf("after ask %d, patience is %v, want %v", asks, got, want)
		}
		if got := o.AskExpires().Sub(asked); got != want-time.Minute {
			t.Errorf("ask %d is valid for %v, want %v: a lead time before patience ends", asks, got, want-time.Minute)
		}
	}
}

func TestSuggestionIsTheQuantityOfThePolicyIfNoOrderIsOpen(t *testing.T) {
	policy := Policy{ReorderPoint: 5, OrderUpTo: 20, LotSize: 10}
	for _, c := range []struct {
		product        Product
		position, want int
	}{
		{Product{Stock: 6, Policy: policy}, 6, 0},
		{Product{Stock: 5, Policy: policy}, 5, 20},
		{Product{Stock: 1, OnOrder: 2, Policy: policy}, 3, 0},
	} {
		if c.product.Suggestion() != c.want || c.product.Position() != c.position {
			t.Errorf("%+v: suggestion %d at position %d, want %d at %d",
				c.product, c.product.Suggestion(), c.product.Position(), c.want, c.position)
		}
	}
}
