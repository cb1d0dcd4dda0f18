package model

import (
	"iter"
	"math"
	"time"

	wire "restock/internal/message"
	"restock/internal/shop"
)

// leadTime is the lead time of the explorations.
const leadTime = time.Minute

// policy is the policy of the explorations.
var policy = shop.Policy{ReorderPoint: 1, OrderUpTo: 3, LotSize: 2, LeadTime: leadTime, Automatic: true}

// Bounds limit an exploration. What no bound limits is explored in full: any order of the steps,
// any time between two steps, any number of repeated requests.
type Bounds struct {
	Bins      int
	Stock     int   // at the beginning
	Buyers    []int // how many pieces each wants
	Policy    shop.Policy
	Orders    int // production orders
	Lots      int // attempts of the factory
	Faults    int
	Cancels   int
	Rotations int
	// A person corrects the stock by a number of pieces, and orders pieces by hand.
	Adjustments, Adjustment int
	ByHand, HandQuantity    int

	part int           // what a callback of a part reports
	tick time.Duration // zero: half a lead time
}

// A protocol is what the code decides. The shop's own code decides wherever it is a pure function,
// so that the model cannot drift away from it. A mutant decides something else.
type protocol struct {
	next     func(shop.ProductionOrder, time.Time) shop.Step
	quantity func(p shop.Policy, position int) int
	book     func(d shop.Delivery, o shop.ProductionOrder, booked int) (add int, closes bool, r shop.Receipt)
	givenUp  func(shop.ProductionOrder) shop.OrderStatus
	expires  func(shop.ProductionOrder) time.Time
	expired  func(wire.StockEmpty, time.Time) bool

	// These are decided by SQL, or by a whole function.
	floors    func(reorderPoint int, onOrder bool) int      // procedure move
	due       func(stock, reorderPoint int, open bool) bool // procedure sell_from_all
	accepts   func(c callback, turns uint8) bool            // lambdas/stock-increase
	unchanged func(o order, read sweep) bool                // the conditions of claims in internal/mysql/orders.go
	without   mistake
}

// A mistake is a step that the code leaves out.
type mistake string

const (
	theKey       mistake = "the idempotency key of a sale"
	theFinality  mistake = "that a closed order keeps its status"
	thePatience  mistake = "that a callback stays in its queue until it is booked"
	theCheck     mistake = "orders for products that are short"
	theNotices   mistake = "notices"
	theSurplus   mistake = "the notice of a surplus"
	thePublisher mistake = "publishing before the mark"
	theCommit    mistake = "storing the order in the transaction of the sale"
)

// ours is the protocol of the shop.
func ours() protocol {
	return protocol{
		next:     shop.ProductionOrder.Next,
		quantity: shop.Policy.OrderQuantity,
		book:     shop.Delivery.Book,
		givenUp:  shop.ProductionOrder.GivenUp,
		expires:  func(o shop.ProductionOrder) time.Time { return wire.New(o).ValidUntil },
		expired:  wire.StockEmpty.Expired,
		floors: func(reorderPoint int, onOrder bool) int {
			if onOrder {
				return 0
			}
			return reorderPoint + 1
		},
		due:       func(stock, reorderPoint int, open bool) bool { return stock <= reorderPoint && !open },
		accepts:   func(c callback, turns uint8) bool { return !c.forged && turns < 2 },
		unchanged: func(o order, read sweep) bool { return o.asks == read.asks && o.received == read.received },
	}
}

// A model is the protocol within bounds.
type model struct {
	Bounds
	protocol
}

func (m model) system() system[state] {
	s := state{}
	m.spread(&s, m.Stock)
	for i, wants := range m.Buyers {
		s.buyers[i].wants = number(wants)
	}
	return system[state]{start: m.canonical(s), steps: m.steps, allowed: m.allowed, fair: m.fair}
}

// The names of the steps. A step that ends in "!" is a fault.
const (
	buys            = "a buyer buys"
	buysUnanswered  = "a buyer buys, and the answer is lost!"
	refuses         = "a buyer is refused, and an order opens"
	publishes       = "the order is published"
	publishesTwice  = "the topic delivers the message twice!"
	senderDies      = "the publisher fails before it publishes!"
	marks           = "the order is marked as published"
	markerDies      = "the publisher ends before it marks the order!"
	drops           = "stock drops an expired message"
	accepts         = "the factory accepts a request"
	acceptsSilently = "the factory accepts a request, and its answer is lost!"
	unavailable     = "the factory is away until the message is dead!"
	redrives        = "a person sends a dead message back"
	delivers        = "the factory delivers"
	deliversShort   = "the factory delivers a part!"
	loses           = "the factory loses a lot!"
	repeats         = "a callback comes again!"
	leaks           = "somebody who knows the URL reports one piece!"
	forges          = "somebody forges a callback!"
	books           = "a callback is booked"
	booksAgain      = "a callback is booked, and stays in its queue!"
	outage          = "a callback cannot be booked until it is dead!"
	redrivesReport  = "a person sends a dead callback back"
	checks          = "a short product is ordered"
	reads           = "a sweep reads the open order"
	acts            = "the sweep acts on what it has read"
	notifies        = "notices are sent"
	cancels         = "a person cancels the order"
	rotates         = "the callback key is replaced"
	adjusts         = "a person corrects the stock"
	ordersByHand    = "a person orders by hand"
	passes          = "time passes"
	passesLate      = "time passes, and something is late!"
)

// stepNames lists all steps.
var stepNames = []string{
	buys, buysUnanswered, refuses, publishes, publishesTwice, senderDies, marks, markerDies, drops, accepts,
	acceptsSilently, unavailable, redrives, delivers, deliversShort, loses, repeats, leaks, forges, books,
	booksAgain, outage, redrivesReport, checks, reads, acts, notifies, cancels, rotates, adjusts, ordersByHand,
	passes, passesLate,
}

// steps lists what may happen next.
func (m model) steps(s state) iter.Seq2[string, state] {
	return func(yield func(string, state) bool) {
		var next state // one for all steps: to allocate each takes a fifth of the time
		// try yields the state after a change, if the change is possible.
		try := func(name string, change func(*state) bool) bool {
			next = s
			if name[len(name)-1] == '!' {
				if int(s.used.faults) == m.Faults {
					return true
				}
				next.used.faults++
			}
			return !change(&next) || yield(name, m.canonical(next))
		}
		m.walk(s, try)
	}
}

// walk tries all steps in a state.
func (m model) walk(s state, try tryStep) {
	for _, part := range []func(state, tryStep) bool{
		m.buyerSteps, m.senderSteps, m.messageSteps, m.factorySteps, m.callbackSteps, m.sweepSteps, m.otherSteps,
	} {
		if !part(s, try) {
			return
		}
	}
}

// A tryStep takes a step, if its change is possible. It returns false if no further step is wanted.
type tryStep = func(name string, change func(*state) bool) bool

func (m model) buyerSteps(s state, try tryStep) bool {
	for i := range m.Buyers {
		if s.buyers[i].answered {
			continue
		}
		for bin := range m.Bins {
			for _, name := range []string{buys, buysUnanswered} {
				// A connection takes from its own bin, or from all if a bin may be at its floor.
				if !try(name, func(n *state) bool { return m.sellOne(n, i, bin) && answer(n, i, name == buys) }) {
					return false
				}
			}
		}
		for _, name := range []string{buys, buysUnanswered} {
			if !try(name, func(n *state) bool { return m.sellFromAll(n, i) && answer(n, i, name == buys) }) {
				return false
			}
		}
		if !try(refuses, func(n *state) bool { return m.refuse(n, i) }) {
			return false
		}
	}
	return true
}

// answer ends a request. A buyer without an answer sends it again.
func answer(n *state, i int, arrives bool) bool {
	n.buyers[i].answered = arrives
	return true
}

// repeated reports whether a buyer's sale is in the ledger already.
func (m model) repeated(b buyer) bool { return b.sold > 0 && m.without != theKey }

// sellOne is the procedure sell: a sale from one bin.
func (m model) sellOne(n *state, i, bin int) bool {
	b := &n.buyers[i]
	floors := m.floors(m.Policy.ReorderPoint, n.openOrder() >= 0)
	if m.repeated(*b) || int(n.bins[bin])-int(b.wants) < share(floors, bin, m.Bins) {
		return false
	}
	n.bins[bin] -= b.wants
	b.sold += b.wants
	return true
}

// sellFromAll is the procedure sell_from_all, if it sells or repeats an answer.
func (m model) sellFromAll(n *state, i int) bool {
	b := &n.buyers[i]
	if m.repeated(*b) {
		return true
	}
	if n.stock() < b.wants {
		return false
	}
	left := int(n.stock()) - int(b.wants)
	b.sold += b.wants
	if m.due(left, m.Policy.ReorderPoint, n.openOrder() >= 0) && m.without != theCommit && !m.open(n, left) {
		return false
	}
	m.spread(n, left)
	return true
}

// refuse is the procedure sell_from_all, if it refuses a buyer and opens an order.
func (m model) refuse(n *state, i int) bool {
	stock := int(n.stock())
	return !m.repeated(n.buyers[i]) && stock < int(n.buyers[i].wants) &&
		m.due(stock, m.Policy.ReorderPoint, n.openOrder() >= 0) && m.open(n, stock)
}

// open opens a production order as the policy wants it.
func (m model) open(n *state, position int) bool { return m.openOf(n, m.quantity(m.Policy, position)) }

// openOf opens a production order. It fails if the bounds allow no further order.
func (m model) openOf(n *state, quantity int) bool {
	for i := range m.Orders {
		if n.orders[i].status == none {
			n.orders[i] = order{status: open, quantity: number(quantity), asks: 1, sender: claimed}
			return true
		}
	}
	return false
}

// spread divides the stock evenly among the bins.
func (m model) spread(n *state, stock int) {
	for bin := range m.Bins {
		n.bins[bin] = number(share(stock, bin, m.Bins))
	}
}

// share is the part of a number that a bin gets.
func share(number, bin, bins int) int {
	part := number / bins
	if bin < number%bins {
		part++
	}
	return part
}

// small converts an index.
func small(n int) uint8 { return uint8(n) } // #nosec G115 (an index, or a step)

// number converts a number of pieces.
func number(n int) pieces { return pieces(n) } // #nosec G115 (runs have less than 65,536 pieces)

func (m model) senderSteps(s state, try tryStep) bool {
	for i := range s.orders {
		switch s.orders[i].sender {
		case claimed:
			if !try(publishes, func(n *state) bool { return m.publish(n, i, 1) }) ||
				!try(publishesTwice, func(n *state) bool { n.used.again++; return m.publish(n, i, 2) }) ||
				!try(senderDies, func(n *state) bool { n.orders[i].sender = nobody; return true }) {
				return false
			}
		case unmarked:
			if !try(marks, func(n *state) bool { return mark(n, i) }) ||
				!try(markerDies, func(n *state) bool {
					if o := &n.orders[i]; o.status == open && !o.published {
						n.used.again++ // the sweep cannot know that the message was sent
					}
					n.orders[i].sender = nobody
					return true
				}) {
				return false
			}
		}
	}
	return true
}

func mark(n *state, i int) bool {
	n.orders[i].published, n.orders[i].sender = true, nobody
	return true
}

func (m model) publish(n *state, i, times int) bool {
	o := &n.orders[i]
	valid := m.ticks(m.expires(m.shopOrder(*o)).Sub(now))
	for range times {
		j := free(n.messages[:], func(m message) bool { return m.order == 0 })
		if j < 0 {
			return false
		}
		n.messages[j] = message{order: small(i + 1), valid: valid}
	}
	o.sender, o.sent = unmarked, true
	return true
}

// free returns the index of the first part that is not used, or -1.
func free[T any](parts []T, unused func(T) bool) int {
	for i, p := range parts {
		if unused(p) {
			return i
		}
	}
	return -1
}

func (m model) messageSteps(s state, try tryStep) bool {
	for i, x := range s.messages {
		if x.order == 0 || i > 0 && x == s.messages[i-1] {
			continue
		}
		if x.dead {
			if !try(redrives, func(n *state) bool { n.messages[i].dead = false; return true }) {
				return false
			}
			continue
		}
		if m.expired(wire.StockEmpty{ValidUntil: now.Add(time.Duration(x.valid) * m.step())}, now) {
			if !try(drops, func(n *state) bool { n.messages[i] = message{}; return true }) {
				return false
			}
			continue
		}
		if !try(accepts, func(n *state) bool { return m.start(n, i, true) }) ||
			!try(acceptsSilently, func(n *state) bool { n.used.again++; return m.start(n, i, false) }) ||
			!try(unavailable, func(n *state) bool { n.messages[i].dead = true; return true }) {
			return false
		}
	}
	return true
}

// start makes the factory start a lot for a message. answered says whether stock learns of it.
func (m model) start(n *state, i int, answered bool) bool {
	j := free(n.lots[:m.Lots], func(l lot) bool { return l.order == 0 })
	if j < 0 {
		return false
	}
	n.lots[j] = lot{order: n.messages[i].order, making: true}
	n.orders[n.messages[i].order-1].lots++
	if answered {
		n.messages[i] = message{}
	}
	return true
}

func (m model) factorySteps(s state, try tryStep) bool {
	for i, l := range s.lots {
		if l.order == 0 || i > 0 && l == s.lots[i-1] {
			continue
		}
		quantity := s.orders[l.order-1].quantity
		report := func(quantity pieces, forged bool) func(*state) bool {
			return func(n *state) bool {
				l := &n.lots[i]
				j := free(l.reports[:], func(c callback) bool { return c.quantity == 0 })
				if j < 0 {
					return false
				}
				l.reports[j] = callback{quantity: quantity, forged: forged}
				if !forged {
					l.made = max(l.made, quantity)
				}
				return true
			}
		}
		part := number(max(m.part, 1))
		if !try(leaks, report(part, false)) || !try(forges, report(quantity, true)) {
			return false
		}
		if !l.making {
			if l.made > 0 && !try(repeats, report(l.made, false)) {
				return false
			}
			continue
		}
		ends := func(change func(*state) bool) func(*state) bool {
			return func(n *state) bool {
				n.lots[i].making, n.lots[i].age = false, 0
				return change(n)
			}
		}
		if !try(delivers, ends(report(quantity, false))) ||
			!try(deliversShort, ends(report(part, false))) ||
			!try(loses, ends(func(n *state) bool {
				n.orders[l.order-1].lots--
				return true
			})) {
			return false
		}
	}
	return true
}

func (m model) callbackSteps(s state, try tryStep) bool {
	for i, l := range s.lots {
		for j, c := range l.reports {
			if c.quantity == 0 || j > 0 && c == l.reports[j-1] {
				continue
			}
			if c.dead {
				if !try(redrivesReport, func(n *state) bool { n.lots[i].reports[j].dead = false; return true }) {
					return false
				}
				continue
			}
			if !try(books, func(n *state) bool { m.receive(n, i, j); leave(n, i, j); return true }) ||
				!try(booksAgain, func(n *state) bool { m.receive(n, i, j); return true }) ||
				!try(outage, func(n *state) bool {
					n.lots[i].reports[j].dead = true
					if m.without == thePatience {
						leave(n, i, j)
					}
					return true
				}) {
				return false
			}
		}
	}
	return true
}

// leave removes a callback from its queue.
func leave(n *state, i, j int) {
	l := &n.lots[i]
	c := l.reports[j]
	l.reports[j] = callback{}
	switch {
	case c.forged:
	case l.turns < 2:
		l.owed = max(l.owed, c.quantity)
	default:
		n.used.again++ // signed with a key that is gone: the sweep asks for the goods again
	}
}

// receive is stock-increase, with the transaction that books a callback.
func (m model) receive(n *state, i, j int) {
	l := &n.lots[i]
	c, o := l.reports[j], &n.orders[l.order-1]
	if !m.accepts(c, l.turns) {
		return
	}
	add, closes, r := m.book(shop.Delivery{Quantity: int(c.quantity), Signed: int(o.quantity)}, m.shopOrder(*o),
		int(l.booked))
	if r.Repeated {
		return
	}
	o.received += number(add)
	l.booked += number(add)
	if closes || m.without == theFinality && o.received >= o.quantity {
		o.status = received
	}
	if r.Correction > 0 {
		o.notices |= noticeCorrected
	}
	switch {
	case r.Surplus > 0 && m.without != theSurplus:
		o.notices |= noticeSurplus
	case r.Late:
		o.notices |= noticeLate
	}
	m.spread(n, int(n.stock())+add)
}

func (m model) sweepSteps(s state, try tryStep) bool {
	if m.without != theCheck && !try(checks, func(n *state) bool { return m.check(n) }) {
		return false
	}
	if m.without != theNotices && !try(notifies, func(n *state) bool { return tell(n) }) {
		return false
	}
	if s.sweep.order == 0 {
		return try(reads, func(n *state) bool { return m.read(n) })
	}
	return try(acts, func(n *state) bool { m.act(n); return true })
}

// check is what a delivery and each sweep do for a product that is short.
func (m model) check(n *state) bool {
	stock := int(n.stock())
	return stock <= m.Policy.ReorderPoint && n.openOrder() < 0 && m.open(n, stock)
}

func tell(n *state) (any bool) {
	for i := range n.orders {
		o := &n.orders[i]
		any = any || o.notices != 0
		o.told, o.notices = o.told|o.notices, 0
	}
	return any
}

// read is the first half of a sweep's step: it reads the open order.
func (m model) read(n *state) bool {
	i := n.openOrder()
	if i < 0 {
		return false
	}
	o := n.orders[i]
	step := m.next(m.shopOrder(o), now)
	if step == shop.Wait {
		return false
	}
	n.sweep = sweep{o.received, o.asked, small(i + 1), small(int(step)), o.asks}
	return true
}

// act is the second half of a sweep's step: it claims, if the order has not changed since.
func (m model) act(n *state) {
	r := n.sweep
	n.sweep = sweep{}
	o := &n.orders[r.order-1]
	step := shop.Step(r.step)
	switch {
	case o.status != open:
	case step == shop.Publish:
		if !o.published && o.asked == r.asked {
			o.asked, o.sender = 0, claimed
			if m.without == thePublisher {
				o.published = true
			}
		}
	case !m.unchanged(*o, r):
	case step == shop.AskAgain:
		if o.asks == 1 {
			o.notices |= noticeOverdue
		}
		o.asks, o.asked, o.sender = o.asks+1, 0, claimed
	case step == shop.GiveUp:
		o.status = failed
		if m.givenUp(shop.ProductionOrder{Received: int(r.received)}) == shop.OrderShort {
			o.status = short
		}
		o.notices |= noticeGivenUp
	}
}

func (m model) otherSteps(s state, try tryStep) bool {
	if int(s.used.cancels) < m.Cancels && !try(cancels, func(n *state) bool {
		i := n.openOrder()
		if i < 0 {
			return false
		}
		n.used.cancels++
		n.orders[i].status = cancelled
		return true
	}) {
		return false
	}
	if int(s.used.rotations) < m.Rotations && !try(rotates, func(n *state) (any bool) {
		n.used.rotations++
		for i := range n.lots {
			if l := &n.lots[i]; l.order != 0 {
				any = true
				l.turns = min(l.turns+1, 2)
			}
		}
		return any
	}) {
		return false
	}
	if int(s.used.adjustments) < m.Adjustments && !try(adjusts, func(n *state) bool {
		n.used.adjustments++
		stock := int(n.stock()) + m.Adjustment
		m.spread(n, max(stock, 0))
		return stock >= 0
	}) {
		return false
	}
	if int(s.used.byHand) < m.ByHand && !try(ordersByHand, func(n *state) bool {
		n.used.byHand++
		return n.openOrder() < 0 && m.openOf(n, m.HandQuantity)
	}) {
		return false
	}
	return try(passes, func(n *state) bool { return m.pass(n, 1) && n.used.again == s.used.again }) &&
		try(passesLate, func(n *state) bool { return m.pass(n, 1) && n.used.again != s.used.again })
}

// pass lets ticks pass. What waits longer than it should may make the factory make an order again:
// a lot that takes longer than the lead time, and a callback that is not booked at once.
//
// A publisher or a sweep ends within a tick: a function's timeout is shorter than the grace period,
// and the grace period shorter than any wait.
func (m model) pass(n *state, ticks uint16) bool {
	if n.sweep.order != 0 {
		return false
	}
	for i := range n.orders {
		if n.orders[i].sender != nobody {
			return false
		}
		if n.orders[i].status == open {
			n.orders[i].asked += min(ticks, math.MaxUint16-n.orders[i].asked)
		}
	}
	for i := range n.messages {
		x := &n.messages[i]
		x.valid -= min(ticks, x.valid)
	}
	inTime := m.ticks(m.Policy.LeadTime)
	for i := range n.lots {
		l := &n.lots[i]
		if l.making && l.age <= inTime {
			if l.age += min(ticks, inTime+1-l.age); l.age > inTime {
				n.used.again++
			}
		}
		for j := range l.reports {
			if c := &l.reports[j]; c.quantity > 0 && !c.forged && !c.late {
				c.late = true
				n.used.again++
			}
		}
	}
	return true
}
