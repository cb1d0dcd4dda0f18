package model

import (
	"strings"
	"testing"
	"time"

	wire "restock/internal/message"
	"restock/internal/shop"
)

// A mutant is a protocol with a mistake.
type mutant struct {
	name   string
	macro  string // selects the mutant in protocol.pml
	rule   string // a part of the rule that it breaks
	change func(*protocol)
	bounds Bounds // zero: usual
}

var usual = Bounds{
	Bins: 2, Stock: 2, Buyers: []int{1}, Policy: policy, Orders: 1, Lots: 2, Faults: 1,
}

var mutants = []mutant{
	{name: "a message never expires", macro: "NEVER_EXPIRES",
		rule:   "the factory makes an order once",
		change: func(p *protocol) { p.expired = func(wire.StockEmpty, time.Time) bool { return false } }},
	{name: "a message expires when the sweep asks again", macro: "EXPIRES_LATE",
		rule:   "the factory makes an order once",
		change: func(p *protocol) { p.expires = shop.ProductionOrder.PatienceEnds }},
	{name: "a sweep does not wait for the publisher", macro: "SWEEP_IS_IMPATIENT",
		rule: "the factory makes an order once",
		change: func(p *protocol) {
			p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
				if o.PublishedAt.IsZero() {
					return shop.Publish
				}
				return o.Next(now)
			}
		}},
	{name: "a sweep publishes nothing", macro: "SWEEP_PUBLISHES_NOTHING",
		rule: "a shortage ends in stock",
		change: func(p *protocol) {
			p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
				if o.PublishedAt.IsZero() {
					return shop.Wait
				}
				return o.Next(now)
			}
		}},
	{name: "a sweep asks after one lead time", macro: "SWEEP_ASKS_EARLY",
		rule: "the factory makes an order once",
		change: func(p *protocol) {
			p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
				return o.Next(now.Add(o.LeadTime))
			}
		}},
	{name: "a sweep asks without an end", macro: "ASKS_WITHOUT_END",
		rule:   "the factory is asked four times at most",
		bounds: Bounds{Bins: 1, Stock: 1, Buyers: []int{1}, Policy: policy, Orders: 1, Lots: 1, Faults: 1},
		change: func(p *protocol) {
			p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
				step := o.Next(now)
				if step == shop.GiveUp && o.Received == 0 {
					return shop.AskAgain
				}
				return step
			}
		}},
	{name: "a sweep never gives up", macro: "NEVER_GIVES_UP",
		rule: "a shortage ends in stock",
		change: func(p *protocol) {
			p.next = func(o shop.ProductionOrder, now time.Time) shop.Step {
				if step := o.Next(now); step != shop.GiveUp {
					return step
				}
				return shop.Wait
			}
		}},
	{name: "an order of which a part came fails", macro: "PART_FAILS",
		rule: "an order of which a part came does not fail",
		change: func(p *protocol) {
			p.givenUp = func(shop.ProductionOrder) shop.OrderStatus { return shop.OrderFailed }
		}},
	{name: "a callback that comes again is booked again", macro: "BOOKED_TWICE",
		rule: "only what the factory reported is booked",
		change: func(p *protocol) {
			p.book = func(d shop.Delivery, o shop.ProductionOrder, _ int) (int, bool, shop.Receipt) {
				return d.Book(o, 0)
			}
		}},
	{name: "a callback that brings more is not booked", macro: "MORE_IS_IGNORED",
		rule: "a callback is booked before it leaves",
		change: func(p *protocol) {
			p.book = func(d shop.Delivery, o shop.ProductionOrder, booked int) (int, bool, shop.Receipt) {
				if booked > 0 {
					return 0, false, shop.Receipt{Repeated: true}
				}
				return d.Book(o, booked)
			}
		}},
	{name: "a first part closes the order", macro: "PART_CLOSES",
		rule: "an order is received when everything came",
		change: func(p *protocol) {
			p.book = func(d shop.Delivery, o shop.ProductionOrder, booked int) (int, bool, shop.Receipt) {
				add, _, r := d.Book(o, booked)
				return add, add > 0 && o.Status == shop.OrderOpen, r
			}
		}},
	{name: "a delivery closes nothing", macro: "CLOSES_NOTHING",
		rule: "an order is received when everything came",
		change: func(p *protocol) {
			p.book = func(d shop.Delivery, o shop.ProductionOrder, booked int) (int, bool, shop.Receipt) {
				add, _, r := d.Book(o, booked)
				return add, false, r
			}
		}},
	{name: "an order is of nothing", macro: "ORDER_OF_NOTHING",
		rule:   "an order is received when everything came",
		change: func(p *protocol) { p.quantity = func(shop.Policy, int) int { return 0 } }},
	{name: "bins have no floors", macro: "FLOORS_OF_ZERO",
		rule:   "a checkout leaves no product short",
		change: func(p *protocol) { p.floors = func(int, bool) int { return 0 } }},
	{name: "the floors are one piece too low", macro: "FLOORS_TOO_LOW",
		rule: "a checkout leaves no product short",
		change: func(p *protocol) {
			floors := p.floors
			p.floors = func(reorderPoint int, onOrder bool) int { return max(floors(reorderPoint, onOrder)-1, 0) }
		}},
	{name: "a second order opens", macro: "SECOND_ORDER",
		rule:   "a product has one open order at most",
		bounds: Bounds{Bins: 1, Stock: 2, Buyers: []int{1, 1}, Policy: policy, Orders: 2},
		change: func(p *protocol) {
			p.due = func(stock, reorderPoint int, _ bool) bool { return stock <= reorderPoint }
		}},
	{name: "an order opens only when nothing is left", macro: "DUE_AT_NOTHING",
		rule: "a checkout leaves no product short",
		change: func(p *protocol) {
			p.due = func(stock, _ int, open bool) bool { return stock <= 0 && !open }
		}},
	{name: "forged callbacks are booked", macro: "FORGED_IS_BOOKED",
		rule:   "only what the factory reported is booked",
		change: func(p *protocol) { p.accepts = func(_ callback, turns uint8) bool { return turns < 2 } }},
	{name: "the previous key is not accepted", macro: "PREVIOUS_KEY_IS_REFUSED",
		bounds: Bounds{Bins: 1, Stock: 1, Buyers: []int{1}, Policy: policy, Orders: 1, Lots: 1, Rotations: 1},
		rule:   "a callback is booked before it leaves",
		change: func(p *protocol) {
			p.accepts = func(c callback, turns uint8) bool { return !c.forged && turns < 1 }
		}},
	{name: "a claim does not see what was received", macro: "CLAIM_IS_BLIND",
		bounds: Bounds{Bins: 1, Stock: 1, Buyers: []int{1}, Policy: policy, Orders: 1, Lots: 1, Faults: 2},
		rule:   "an order of which a part came is not asked for again",
		change: func(p *protocol) { p.unchanged = func(o order, r sweep) bool { return o.asks == r.asks } }},
	{name: "a sale has no key", macro: "NO_KEY",
		rule:   "a buyer gets what they want once",
		change: func(p *protocol) { p.without = theKey }},
	{name: "a late delivery closes the order again", macro: "CLOSED_AGAIN",
		bounds: Bounds{Bins: 1, Stock: 1, Buyers: []int{1}, Policy: policy, Orders: 1, Lots: 1, Cancels: 1},
		rule:   "a closed order keeps its status",
		change: func(p *protocol) { p.without = theFinality }},
	{name: "a callback that cannot be booked is forgotten", macro: "FORGETS",
		rule:   "a callback is booked before it leaves",
		change: func(p *protocol) { p.without = thePatience }},
	{name: "nobody looks for short products", macro: "NEVER_CHECKS",
		rule:   "a shortage ends in stock",
		change: func(p *protocol) { p.without = theCheck }},
	{name: "notices are not sent", macro: "SILENT",
		rule:   "a shortage ends in stock",
		change: func(p *protocol) { p.without = theNotices }},
	{name: "a surplus has no notice", macro: "SILENT_SURPLUS",
		rule:   "people get a notice of a surplus",
		change: func(p *protocol) { p.without = theSurplus }},
	{name: "an order is marked before it is published", macro: "MARKS_FIRST",
		rule:   "a published order has a message",
		change: func(p *protocol) { p.without = thePublisher }},
	{name: "a sale opens no order", macro: "SALE_OPENS_NOTHING",
		rule:   "a checkout leaves no product short",
		change: func(p *protocol) { p.without = theCommit }},
}

// model returns the model with the mutant's protocol.
func (x mutant) model() model {
	m := model{x.bounds, ours()}
	if m.Bins == 0 {
		m.Bounds = usual
	}
	x.change(&m.protocol)
	return m
}

// TestMutantsBreakRules tests the rules: each mutant breaks the one that is named.
func TestMutantsBreakRules(t *testing.T) {
	for _, x := range mutants {
		t.Run(x.name, func(t *testing.T) {
			r, err := explore(x.model().system(), 400_000, nil)
			switch {
			case r.Broken == nil:
				t.Errorf("no rule is broken in %d states of a depth of %d: %v", r.States, r.Depth, err)
			case !strings.Contains(r.Broken.Error(), x.rule):
				t.Errorf("got the rule %q, want %q", r.Broken, x.rule)
			}
			t.Logf("%d states: %v\n%s", r.States, r.Broken, strings.Join(r.Trace, "\n"))
		})
	}
}
