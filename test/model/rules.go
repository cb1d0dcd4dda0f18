package model

import (
	"errors"
	"fmt"
)

// allowed returns the rule that a step breaks: the rules of the histories, about the model's state.
func (m model) allowed(before state, name string, after state) error {
	sold, booked, ordered := 0, 0, 0
	for _, b := range after.buyers {
		sold += int(b.sold)
		if b.sold != 0 && b.sold != b.wants {
			return fmt.Errorf("a buyer gets what they want once: wanted %d, got %d", b.wants, b.sold)
		}
	}
	for _, l := range after.lots {
		booked += int(l.booked)
		switch {
		case l.booked > l.made:
			return fmt.Errorf("only what the factory reported is booked: %d of %d", l.booked, l.made)
		case l.booked < l.owed:
			return fmt.Errorf("a callback is booked before it leaves its queue: %d of %d", l.booked, l.owed)
		}
	}
	if want := m.Stock + booked - sold + int(after.used.adjustments)*m.Adjustment; int(after.stock()) != want {
		return fmt.Errorf("the stock is the sum of its movements: it is %d, not %d", after.stock(), want)
	}
	again := 0
	for i, o := range after.orders {
		if o.status == open {
			ordered++
		}
		if err := o.allowed(before.orders[i]); err != nil {
			return fmt.Errorf("order %d: %w", i+1, err)
		}
		again += max(int(o.lots)-1, 0)
	}
	switch {
	case ordered > 1:
		return errors.New("a product has one open order at most")
	case again > int(after.used.again):
		return fmt.Errorf("the factory makes an order once, unless a fault makes it do it again: "+
			"%d lots too many after %d such faults", again, after.used.again)
	case (name == buys || name == buysUnanswered) && after.stock() < before.stock() &&
		int(after.stock()) <= m.Policy.ReorderPoint && ordered == 0:
		return fmt.Errorf("a checkout leaves no product short without an order: %d left", after.stock())
	}
	return nil
}

// allowed returns the rule that an order breaks.
func (o order) allowed(before order) error {
	notices := o.notices | o.told
	switch {
	case before.status > open && o.status != before.status:
		return fmt.Errorf("a closed order keeps its status: %s became %s", statuses[before.status], statuses[o.status])
	case before.status != none && (o.quantity != before.quantity || o.received < before.received):
		return errors.New("an order keeps its quantity, and loses nothing of what was received")
	case o.status == open && o.received >= o.quantity, o.status == received && o.received < o.quantity:
		return fmt.Errorf("an order is received when everything came: %d of %d", o.received, o.quantity)
	case o.asks > before.asks && before.received > 0:
		return errors.New("an order of which a part came is not asked for again")
	case o.published && !o.sent:
		return errors.New("a published order has a message")
	case o.asks > 4:
		return fmt.Errorf("the factory is asked four times at most: %d", o.asks)
	case o.received > o.quantity && notices&noticeSurplus == 0:
		return errors.New("people get a notice of a surplus")
	case (o.status == failed || o.status == short) && notices&noticeGivenUp == 0:
		return errors.New("people get a notice of an order that failed or came short")
	case o.status == failed && before.status == open && before.received > 0:
		return errors.New("an order of which a part came does not fail")
	}
	return nil
}

// fair returns what happens next if nothing goes wrong any more. Time passes only when nothing else
// can happen.
func (m model) fair(s state) (name string, next state, done bool) {
	short := int(s.stock()) <= m.Policy.ReorderPoint
	if !short && s.openOrder() < 0 && s.sweep == (sweep{}) && quiet(s) {
		return "", s, true
	}
	n := s
	n.used = spent{}
	m.Orders, m.Lots = maxOrders, maxLots // a fair run needs room
	name = m.fairStep(&n)
	return name, m.canonical(n), false
}

// quiet reports whether nothing is on its way to people or to the factory.
func quiet(s state) bool {
	for _, o := range s.orders {
		if o.notices != 0 || o.sender != nobody {
			return false
		}
	}
	for _, x := range s.messages {
		if x.order != 0 && !x.dead {
			return false
		}
	}
	return true
}

func (m model) fairStep(n *state) string {
	for i := range n.orders {
		switch n.orders[i].sender {
		case claimed:
			if m.publish(n, i, 1) {
				return publishes
			}
		case unmarked:
			mark(n, i)
			return marks
		}
	}
	if n.sweep.order != 0 {
		m.act(n)
		return acts
	}
	for i := range n.lots {
		for j, c := range n.lots[i].reports {
			if c.quantity > 0 && !c.dead {
				m.receive(n, i, j)
				leave(n, i, j)
				return books
			}
		}
	}
	if m.without != theNotices && tell(n) {
		return notifies
	}
	if m.without != theCheck && m.check(n) {
		return checks
	}
	first := *n
	for _, part := range []func(state, tryStep) bool{m.messageSteps, m.factorySteps} {
		var took string
		part(first, func(name string, change func(*state) bool) bool {
			switch name {
			case drops, accepts, delivers:
				next := first
				if change(&next) {
					*n, took = next, name
				}
			}
			return took == ""
		})
		if took != "" {
			return took
		}
	}
	if m.read(n) {
		return reads
	}
	m.pass(n, 1)
	return passes
}
