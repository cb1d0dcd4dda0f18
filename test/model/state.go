package model

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"restock/internal/shop"
)

// The largest bounds.
const (
	MaxBins   = 2
	MaxBuyers = 4
	// MaxOrders and MaxLots leave room for fair runs.
	MaxOrders = maxOrders - 2
	MaxLots   = maxLots - 2
)

// The sizes of a state's arrays. A step that finds no room is left out, so bounds below them
// matter, not they.
const (
	maxOrders   = 4
	maxMessages = 6
	maxLots     = 6
	maxReports  = 2
)

// A state is everything that is stored or on its way at one moment: the database's rows, the
// messages in the queues, the factory's lots, and the functions that are between two steps. Its
// times are relative to now, so that states which differ by the hour only are one state.
//
// All fields are small numbers without pointers, so that states can be compared and hashed. What no
// step reads any more is zero, and parts without an order of their own are sorted.
type state struct {
	bins     [MaxBins]pieces
	buyers   [MaxBuyers]buyer
	orders   [maxOrders]order
	messages [maxMessages]message
	lots     [maxLots]lot
	sweep    sweep
	used     spent
}

// pieces is a number of pieces of the product.
type pieces uint16

// A buyer wants a number of pieces, and sends one idempotency key with each request.
type buyer struct {
	wants pieces
	sold  pieces // what the ledger has under the buyer's key
	// answered says that the buyer has an answer, and sends no more requests.
	answered bool
}

// An order is a row of production_order. The zero value is none.
type order struct {
	quantity  pieces
	received  pieces
	asked     uint16 // ticks since asked_at
	name      uint16 // which order of a run it is: see trace.go; 0 in an exploration
	status    status
	asks      uint8
	published bool
	sent      bool // the topic has accepted a message
	sender    sender
	notices   uint8 // bits: raised and not yet sent
	told      uint8 // bits: sent
	lots      uint8 // that the factory has accepted and not lost
}

type status uint8

const (
	none status = iota
	open
	received
	short
	failed
	cancelled
)

var statuses = map[status]shop.OrderStatus{
	open: shop.OrderOpen, received: shop.OrderReceived, short: shop.OrderShort, failed: shop.OrderFailed,
	cancelled: shop.OrderCancelled,
}

// A sender is the function that publishes an order's message now.
type sender uint8

const (
	nobody   sender = iota
	claimed         // it has stored that it will
	unmarked        // it has sent the message, and not stored that it did
)

// The bits of notices.
const (
	noticeOverdue = 1 << iota
	noticeGivenUp
	noticeSurplus
	noticeLate
	noticeCorrected
)

// A message asks the factory for an order.
type message struct {
	valid uint16 // ticks until it expires
	order uint8  // its index, plus one
	dead  bool   // in the dead-letter queue
}

// A lot is an attempt of the factory. The zero value is none.
type lot struct {
	made   pieces // the largest quantity that was reported with the attempt's signature
	booked pieces
	owed   pieces // the largest quantity of a genuine callback that has left the queue
	name   uint16 // which attempt of a run it is, as in an order
	order  uint8  // its index, plus one
	making bool
	age    uint16 // ticks, while it is made
	// turns is how often the key was replaced since the attempt was signed, up to 2.
	turns   uint8
	reports [maxReports]callback
}

// A callback waits in the queue of deliveries. The zero value is none.
type callback struct {
	quantity pieces
	forged   bool // its signature is not ours
	dead     bool // in the dead-letter queue
	late     bool // it has waited for a tick
}

// A sweep has read an open order, and acts on what it has read.
type sweep struct {
	received pieces
	asked    uint16
	order    uint8 // its index, plus one
	step     uint8 // a shop.Step
	asks     uint8
}

// spent counts what happened of the events that are bounded.
type spent struct {
	faults, cancels, rotations, adjustments, byHand uint8
	// again counts the events after which the factory may make an order again.
	again uint8
}

// now is any time: only differences matter.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// step is the length of a tick. In an exploration it is half a lead time: a message that is
// accepted in the last tick of its life can so be made within the lead time, or be late, before the
// sweep asks again.
func (m model) step() time.Duration { return cmp.Or(m.tick, m.Policy.LeadTime/2) }

// ticks rounds down.
func (m model) ticks(d time.Duration) uint16 {
	return uint16(min(max(d/m.step(), 0), math.MaxUint16)) // #nosec G115 (it is no more than the largest)
}

// longest is the number of ticks after which nothing changes any more: the last patience is over.
func (m model) longest() uint16 {
	return m.ticks(shop.ProductionOrder{Asks: 4, LeadTime: m.Policy.LeadTime}.PatienceEnds().Sub(time.Time{})) + 1
}

// shopOrder returns an order as the shop's own code sees it.
func (m model) shopOrder(o order) shop.ProductionOrder {
	p := shop.ProductionOrder{
		Quantity: int(o.quantity), Received: int(o.received), Status: statuses[o.status], Asks: int(o.asks),
		AskedAt: now.Add(-time.Duration(o.asked) * m.step()), LeadTime: m.Policy.LeadTime,
	}
	if o.published {
		p.PublishedAt = p.AskedAt
	}
	return p
}

func (s *state) stock() (sum pieces) {
	for _, b := range s.bins {
		sum += b
	}
	return sum
}

// openOrder returns the index of the open order, or -1.
func (s *state) openOrder() int {
	return slices.IndexFunc(s.orders[:], func(o order) bool { return o.status == open })
}

// canonical returns the state in the form that all equal states have.
func (m model) canonical(s state) state {
	longest := m.longest()
	for i := range s.orders {
		o := &s.orders[i]
		if o.status == open || o.sender != nobody {
			o.asked = min(o.asked, longest)
			continue
		}
		o.asks, o.asked, o.published, o.sent = 0, 0, false, false
	}
	for i := range s.lots {
		slices.SortFunc(s.lots[i].reports[:], func(a, b callback) int {
			return compareCallbacks(b, a)
		})
	}
	slices.SortFunc(s.messages[:], func(a, b message) int {
		return cmp.Or(cmp.Compare(b.order, a.order), cmp.Compare(a.valid, b.valid), compareBool(a.dead, b.dead))
	})
	slices.SortFunc(s.lots[:], compareLots)
	slices.SortFunc(s.buyers[:], func(a, b buyer) int {
		return cmp.Or(cmp.Compare(b.wants, a.wants), cmp.Compare(a.sold, b.sold), compareBool(a.answered, b.answered))
	})
	return s
}

func compareLots(a, b lot) int {
	order := cmp.Or(cmp.Compare(b.order, a.order), compareBool(a.making, b.making), cmp.Compare(a.age, b.age),
		cmp.Compare(a.made, b.made), cmp.Compare(a.booked, b.booked), cmp.Compare(a.owed, b.owed),
		cmp.Compare(a.turns, b.turns))
	for i := range a.reports {
		order = cmp.Or(order, compareCallbacks(a.reports[i], b.reports[i]))
	}
	return order
}

func compareCallbacks(a, b callback) int {
	return cmp.Or(cmp.Compare(a.quantity, b.quantity), compareBool(a.dead, b.dead), compareBool(a.forged, b.forged),
		compareBool(a.late, b.late))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (s state) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "stock %v", s.bins)
	for i, o := range s.orders {
		if o.status != none {
			fmt.Fprintf(&b, "; order %d %s %d of %d, asked %d times, %d ticks ago, published %t, sender %d, notices %b",
				i+1, statuses[o.status], o.received, o.quantity, o.asks, o.asked, o.published, o.sender, o.notices)
		}
	}
	for _, m := range s.messages {
		if m.order != 0 {
			fmt.Fprintf(&b, "; message of order %d, valid for %d ticks, dead %t", m.order, m.valid, m.dead)
		}
	}
	for _, l := range s.lots {
		if l.order != 0 {
			fmt.Fprintf(&b, "; lot of order %d, being made %t, reported %d, booked %d, key replaced %d times",
				l.order, l.making, l.made, l.booked, l.turns)
		}
		for _, c := range l.reports {
			if c.quantity > 0 {
				fmt.Fprintf(&b, "; its callback of %d, forged %t, dead %t", c.quantity, c.forged, c.dead)
			}
		}
	}
	return b.String()
}
