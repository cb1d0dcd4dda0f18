package main

import (
	"strings"
	"testing"
	"time"

	wire "restock/internal/message"
	"restock/internal/shop"
)

// TestMutantsBreakRules tests the rules: each mutant of the protocol breaks the one that is named.
func TestMutantsBreakRules(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		change     func(*protocol)
		bounds     bounds // zero: usual
	}{
		{name: "a message never expires", rule: "the factory makes an order once",
			change: func(p *protocol) { p.expired = func(wire.StockEmpty, time.Time) bool { return false } }},
		{name: "a message expires when the sweep asks again", rule: "the factory makes an order once",
			change: func(p *protocol) { p.expires = shop.ProductionOrder.PatienceEnds }},
		{name: "a sweep does not wait for the publisher", rule: "the factory makes an order once",
			change: func(p *protocol) {
				p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
					if o.PublishedAt.IsZero() {
						return shop.Publish
					}
					return o.Next(now)
				}
			}},
		{name: "a sweep publishes nothing", rule: "a shortage ends in stock",
			change: func(p *protocol) {
				p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
					if o.PublishedAt.IsZero() {
						return shop.Wait
					}
					return o.Next(now)
				}
			}},
		{name: "a sweep asks after one lead time", rule: "the factory makes an order once",
			change: func(p *protocol) {
				p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
					return o.Next(now.Add(o.LeadTime))
				}
			}},
		{name: "a sweep asks without an end", rule: "the factory is asked four times at most",
			bounds: bounds{bins: 1, stock: 1, buyers: []int{1}, policy: policy, orders: 1, lots: 1, faults: 1},
			change: func(p *protocol) {
				p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
					step := o.Next(now)
					if step == shop.GiveUp && o.Received == 0 {
						return shop.AskAgain
					}
					return step
				}
			}},
		{name: "a sweep never gives up", rule: "a shortage ends in stock",
			change: func(p *protocol) {
				p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
					if step := o.Next(now); step != shop.GiveUp {
						return step
					}
					return shop.Wait
				}
			}},
		{name: "an order of which a part came fails", rule: "an order of which a part came does not fail",
			change: func(p *protocol) {
				p.givenUp = func(shop.ProductionOrder) shop.OrderStatus { return shop.OrderFailed }
			}},
		{name: "a callback that comes again is booked again", rule: "only what the factory reported is booked",
			change: func(p *protocol) {
				p.book = func(d shop.Delivery, o shop.ProductionOrder, _ int) (int, bool, shop.Receipt) {
					return d.Book(o, 0)
				}
			}},
		{name: "a callback that brings more is not booked", rule: "a callback is booked before it leaves",
			change: func(p *protocol) {
				p.book = func(d shop.Delivery, o shop.ProductionOrder, booked int) (int, bool, shop.Receipt) {
					if booked > 0 {
						return 0, false, shop.Receipt{Repeated: true}
					}
					return d.Book(o, booked)
				}
			}},
		{name: "a first part closes the order", rule: "an order is received when everything came",
			change: func(p *protocol) {
				p.book = func(d shop.Delivery, o shop.ProductionOrder, booked int) (int, bool, shop.Receipt) {
					add, _, r := d.Book(o, booked)
					return add, add > 0 && o.Status == shop.OrderOpen, r
				}
			}},
		{name: "a delivery closes nothing", rule: "an order is received when everything came",
			change: func(p *protocol) {
				p.book = func(d shop.Delivery, o shop.ProductionOrder, booked int) (int, bool, shop.Receipt) {
					add, _, r := d.Book(o, booked)
					return add, false, r
				}
			}},
		{name: "an order is of nothing", rule: "an order is received when everything came",
			change: func(p *protocol) { p.quantity = func(shop.Policy, int) int { return 0 } }},
		{name: "bins have no floors", rule: "a checkout leaves no product short",
			change: func(p *protocol) { p.floors = func(int, bool) int { return 0 } }},
		{name: "the floors are one piece too low", rule: "a checkout leaves no product short",
			change: func(p *protocol) {
				floors := p.floors
				p.floors = func(reorderPoint int, onOrder bool) int { return max(floors(reorderPoint, onOrder)-1, 0) }
			}},
		{name: "a second order opens", rule: "a product has one open order at most",
			bounds: bounds{bins: 1, stock: 2, buyers: []int{1, 1}, policy: policy, orders: 2},
			change: func(p *protocol) {
				p.due = func(stock, reorderPoint int, _ bool) bool { return stock <= reorderPoint }
			}},
		{name: "an order opens only when nothing is left", rule: "a checkout leaves no product short",
			change: func(p *protocol) {
				p.due = func(stock, _ int, open bool) bool { return stock <= 0 && !open }
			}},
		{name: "forged callbacks are booked", rule: "only what the factory reported is booked",
			change: func(p *protocol) { p.accepts = func(_ callback, turns uint8) bool { return turns < 2 } }},
		{name: "the previous key is not accepted", rule: "a callback is booked before it leaves",
			change: func(p *protocol) {
				p.accepts = func(c callback, turns uint8) bool { return !c.forged && turns < 1 }
			}},
		{name: "a claim does not see what was received", rule: "an order of which a part came is not asked for again",
			change: func(p *protocol) { p.unchanged = func(o order, r sweep) bool { return o.asks == r.asks } }},
		{name: "a sale has no key", rule: "a buyer gets what they want once",
			change: func(p *protocol) { p.without = theKey }},
		{name: "a late delivery closes the order again", rule: "a closed order keeps its status",
			change: func(p *protocol) { p.without = theFinality }},
		{name: "a callback that cannot be booked is forgotten", rule: "a callback is booked before it leaves",
			change: func(p *protocol) { p.without = thePatience }},
		{name: "nobody looks for short products", rule: "a shortage ends in stock",
			change: func(p *protocol) { p.without = theCheck }},
		{name: "notices are not sent", rule: "a shortage ends in stock",
			change: func(p *protocol) { p.without = theNotices }},
		{name: "a surplus has no notice", rule: "people get a notice of a surplus",
			change: func(p *protocol) { p.without = theSurplus }},
		{name: "an order is marked before it is published", rule: "a published order has a message",
			change: func(p *protocol) { p.without = thePublisher }},
		{name: "a sale opens no order", rule: "a checkout leaves no product short",
			change: func(p *protocol) { p.without = theCommit }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := model{c.bounds, ours()}
			if m.bins == 0 {
				m.bounds = usual
			}
			c.change(&m.protocol)
			r, err := explore(m.system(), 400_000, nil)
			switch {
			case r.Broken == nil:
				t.Errorf("no rule is broken in %d states of a depth of %d: %v", r.States, r.Depth, err)
			case !strings.Contains(r.Broken.Error(), c.rule):
				t.Errorf("got the rule %q, want %q", r.Broken, c.rule)
			}
			t.Logf("%d states: %v\n%s", r.States, r.Broken, strings.Join(r.Trace, "\n"))
		})
	}
}

var usual = bounds{
	bins: 2, stock: 2, buyers: []int{1}, policy: policy, orders: 1, lots: 2, faults: 2, cancels: 1, rotations: 1,
}
