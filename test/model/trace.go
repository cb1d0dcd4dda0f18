package model

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"

	wire "restock/internal/message"
	"restock/internal/shop"
)

// A Kind is the kind of an event of a run.
type Kind string

// The kinds of events. Most are steps of the model; the last four say what somebody has seen.
const (
	Sold         Kind = "a sale"
	Refused      Kind = "a refusal"
	Adjusted     Kind = "an adjustment"
	Opened       Kind = "an order opens"
	OpenedByHand Kind = "a person orders by hand"
	Published    Kind = "the topic accepts a message"
	Marked       Kind = "an order is marked as published"
	Claimed      Kind = "a sweep claims a publication"
	AskedAgain   Kind = "a sweep asks again"
	Closed       Kind = "an order is closed"
	Requested    Kind = "the factory accepts a request"
	Reported     Kind = "the factory reports a lot"
	Booked       Kind = "a callback is booked"
	Dropped      Kind = "a message is dropped"

	Seen     Kind = "an order is read"
	Stocked  Kind = "the stock is read"
	Notified Kind = "people are notified"
	Settled  Kind = "there is stock again, callbacks are booked, and notices are sent"
)

// An Event is what somebody saw of one product in a run. Each kind uses some of the fields.
type Event struct {
	Kind    Kind
	At      time.Time
	Policy  shop.Policy // of the product at this time
	Order   uuid.UUID   // of a sale or a refusal: the order that it opened, or zero
	Attempt uuid.UUID

	Quantity  int // of a sale, an adjustment or a callback; of Stocked, what is on hand
	Ordered   int // the quantity of an order that opens
	Booked    int // what a callback adds
	Received  int
	Asks      int
	Published bool
	Status    shop.OrderStatus // of Closed and Seen
	Notice    shop.NoticeKind

	// The event took effect between these two times of any clock. If both are zero in all events,
	// their order is certain.
	Call, Return int64
}

func (e Event) String() string {
	text := string(e.Kind)
	if e.Order != uuid.Nil {
		text += fmt.Sprintf(" (order %s)", e.Order)
	}
	if e.Attempt != uuid.Nil {
		text += fmt.Sprintf(" (attempt %s)", e.Attempt)
	}
	switch e.Kind {
	case Booked:
		text += fmt.Sprintf(": the callback says %d, booked are %d", e.Quantity, e.Booked)
	case Closed:
		text += fmt.Sprintf(": %s", e.Status)
	case Seen:
		text += fmt.Sprintf(": the run says %s, %d received, asked %d times, published %t",
			e.Status, e.Received, e.Asks, e.Published)
	case Stocked:
		text += fmt.Sprintf(": the run says %d", e.Quantity)
	case Notified:
		text += fmt.Sprintf(": %s", e.Notice)
	case Sold, Refused, Adjusted, Reported:
		text += fmt.Sprintf(" of %d", e.Quantity)
	}
	if e.Ordered > 0 {
		text += fmt.Sprintf(", %d are ordered", e.Ordered)
	}
	return text
}

// A Trace is what somebody saw of one product, or of one production order of it.
type Trace struct {
	Stock  int // at the beginning
	Events []Event
	// OneOrder means that the run shows one order, and neither the stock, nor the claims and marks
	// of publications, nor which callbacks came. All this may then happen between two events, and
	// any time may pass.
	OneOrder bool
}

// ErrTooWide means that the run does more at once than the model has room for.
var ErrTooWide = errors.New("the model has no room for all that goes on at once")

// Check returns an error if the model cannot take the steps of a run. It holds the set of states
// that are possible so far; between two events the model may take steps that nobody saw. Where it
// is not certain which event came first, it tries each order.
func (t Trace) Check() error {
	o := &observer{Trace: t, names: map[uuid.UUID]uint16{}}
	states := porcupine.NondeterministicModel{
		Init: func() []any { return []any{instant{state: o.start()}} },
		Step: func(s, e, _ any) (next []any) {
			for _, n := range o.next(s.(instant), e.(numbered)) {
				next = append(next, n)
			}
			return next
		},
		Hash: func(s any) uint64 { return maphash.Comparable(seed, s.(instant)) },
	}
	sets := states.ToModel()
	calls := o.calls()
	if porcupine.CheckOperations(sets, calls) {
		return nil
	}
	if o.tooWide {
		return ErrTooWide
	}
	o.visited = 0
	_, info := porcupine.CheckOperationsVerbose(sets, calls, 0)
	var longest []int
	for _, order := range info.PartialLinearizations()[0] {
		if len(order) > len(longest) {
			longest = order
		}
	}
	return explain(sets, calls, longest)
}

// maxShown is the largest number of states in an error.
const maxShown = 4

// maxVisited ends a check that visits too many states, because too many events overlap in time. It
// is a number and no time, so that a slow machine gives the same verdict.
const maxVisited = 500_000

var seed = maphash.MakeSeed()

// explain describes the first event that the model cannot take, after the longest possible part of
// a run.
func explain(sets porcupine.Model, calls []porcupine.Operation, longest []int) error {
	set := sets.Init()
	var before, after, next []string
	for _, i := range longest {
		_, set = sets.Step(set, calls[i].Input, nil)
		before = append(before, "  "+calls[i].Input.(numbered).String())
	}
	for i, s := range set.([]any) {
		if i == maxShown {
			after = append(after, fmt.Sprintf("  and %d more", len(set.([]any))-i))
			break
		}
		after = append(after, "  "+s.(instant).String())
	}
	firstReturn := int64(math.MaxInt64)
	for i, c := range calls {
		if !slices.Contains(longest, i) {
			firstReturn = min(firstReturn, c.Return)
		}
	}
	for i, c := range calls {
		if !slices.Contains(longest, i) && c.Call <= firstReturn {
			next = append(next, c.Input.(numbered).String())
		}
	}
	return fmt.Errorf("the model does not allow: %s\nIts possible states are:\n%s\nAfter the events:\n%s",
		strings.Join(next, "; nor: "), strings.Join(after, "\n"), strings.Join(before, "\n"))
}

// An instant is a state of the model at a time of a run.
type instant struct {
	state
	at int64 // seconds since the first event
}

// A numbered event says whether later events name the same order or attempt.
type numbered struct {
	Event
	lastOfOrder, lastOfAttempt bool
}

// An observer follows a trace. Its model has no limits but the sizes of a state's arrays: it
// forgets what no later event names.
type observer struct {
	Trace
	names   map[uuid.UUID]uint16 // of orders and attempts, from 1
	tooWide bool
	visited int // states before an event
}

func (o *observer) calls() (calls []porcupine.Operation) {
	last := map[uuid.UUID]int{}
	for i, e := range o.Events {
		for _, id := range []uuid.UUID{e.Order, e.Attempt} {
			if j, named := last[id]; !named || e.Call >= o.Events[j].Call {
				last[id] = i
			}
			if _, named := o.names[id]; !named && id != uuid.Nil {
				o.names[id] = uint16(len(o.names) + 1) // #nosec G115 (no run has 65,536 of them)
			}
		}
	}
	certain := !slices.ContainsFunc(o.Events, func(e Event) bool { return e.Return != 0 })
	for i, e := range o.Events {
		if certain {
			e.Call, e.Return = int64(2*i), int64(2*i+1)
		}
		calls = append(calls, porcupine.Operation{
			Input: numbered{e, last[e.Order] == i, last[e.Attempt] == i && !o.overlaps(i)},
			Call:  e.Call, Return: e.Return,
		})
	}
	return calls
}

// overlaps reports whether another event of the same attempt may come after an event, although the
// other one began earlier.
func (o *observer) overlaps(i int) bool {
	e := o.Events[i]
	for j, other := range o.Events {
		if j != i && other.Attempt == e.Attempt && other.Return > 0 && other.Return >= e.Call {
			return true
		}
	}
	return false
}

func (o *observer) start() (s state) {
	s.bins[0] = number(o.Stock)
	return s
}

// model returns the model at the time of an event.
func (o *observer) model(e Event) model {
	m := model{Bounds{
		Bins: 1, Buyers: []int{e.Quantity}, Policy: e.Policy, Orders: maxOrders, Lots: maxLots, Cancels: 1,
		Adjustments: 1, Adjustment: e.Quantity, ByHand: 1, HandQuantity: e.Ordered, part: e.Quantity, tick: time.Second,
	}, ours()}
	if !e.Policy.Automatic {
		m.Policy.ReorderPoint = -1 // no stock is as low
	}
	// A run does not say how long a message waited.
	m.expired = func(wire.StockEmpty, time.Time) bool { return e.Kind == Dropped }
	return m
}

// next returns the states after an event.
func (o *observer) next(from instant, e numbered) (all []instant) {
	if o.visited++; o.visited > maxVisited {
		o.tooWide = true
		return nil
	}
	m := o.model(e.Event)
	before := m.elapse(from, int64(e.At.Sub(o.Events[0].At)/m.tick))
	states := []state{before.state}
	if o.OneOrder {
		states = m.unseen(before.state)
	}
	for _, s := range states {
		for _, n := range o.event(m, s, e.Event) {
			if n = o.forget(n, e); !slices.Contains(all, instant{n, before.at}) {
				all = append(all, instant{n, before.at})
			}
		}
	}
	return all
}

// always is the condition that every state satisfies.
func always(state) bool { return true }

// take returns the states after one step with one of the names that satisfy a condition.
func (m model) take(s state, holds func(state) bool, names ...string) (all []state) {
	m.walk(s, func(name string, change func(*state) bool) bool {
		n := s
		if slices.Contains(names, name) && change(&n) && holds(n) {
			all = append(all, n)
		}
		return true
	})
	return all
}

// sweep returns the states after a sweep has read an order, and acted, that satisfy a condition.
func (m model) sweep(s state, holds func(state) bool) (all []state) {
	for _, read := range m.take(s, always, reads) {
		all = append(all, m.take(read, holds, acts)...)
	}
	return all
}

// elapse lets time pass until a second. No publisher lives on.
func (m model) elapse(i instant, until int64) instant {
	if until <= i.at {
		return i
	}
	for slices.ContainsFunc(i.orders[:], func(o order) bool { return o.sender != nobody }) {
		i.state = m.take(i.state, always, senderDies, markerDies)[0]
	}
	m.pass(&i.state, uint16(min(until-i.at, math.MaxUint16))) // #nosec G115 (it is not larger)
	i.at = until
	return i
}

// unseen returns the states that may follow without an event that a run of one order shows.
func (m model) unseen(s state) []state {
	all := []state{s}
	for done := 0; done < len(all); done++ {
		s := all[done]
		late := s
		if i := late.openOrder(); i >= 0 {
			late.orders[i].asked = math.MaxUint16
		}
		next := append(m.take(s, always, marks, senderDies, markerDies), late)
		next = append(next, m.sweep(s, func(n state) bool {
			return n.openOrder() == s.openOrder()
		})...)
		for _, n := range next {
			if n.used = (spent{}); !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all
}

// event returns the states of the model after an event.
func (o *observer) event(m model, s state, e Event) []state {
	i := slices.IndexFunc(s.orders[:], func(x order) bool { return x.name != 0 && x.name == o.names[e.Order] })
	k := slices.IndexFunc(s.lots[:], func(x lot) bool { return x.name != 0 && x.name == o.names[e.Attempt] })
	opens := o.opens(s, e)
	switch e.Kind {
	case Sold, Refused, Opened, OpenedByHand:
		isFree := func(x order) bool { return x.status == none }
		if e.Order != uuid.Nil && !slices.ContainsFunc(s.orders[:], isFree) {
			o.tooWide = true
			return nil
		}
	case Adjusted, Stocked, Settled:
	default:
		if i < 0 {
			return nil // the order does not exist
		}
	}
	switch e.Kind {
	case Sold:
		s.buyers[0].wants = number(e.Quantity)
		return named(m.take(s, opens, buys), o.names[e.Order])
	case Refused:
		s.buyers[0].wants = number(e.Quantity)
		ordered := m.take(s, always, refuses)
		switch {
		case len(m.take(s, always, buys)) > 0, e.Order == uuid.Nil && len(ordered) > 0:
			return nil
		case e.Order == uuid.Nil:
			return []state{s}
		}
		return named(m.take(s, opens, refuses), o.names[e.Order])
	case Adjusted:
		return m.take(s, always, adjusts)
	case Opened:
		if !o.OneOrder {
			return named(m.take(s, opens, checks), o.names[e.Order])
		}
		var all []state
		for stock := range max(e.Policy.ReorderPoint+1, 0) { // nobody saw how many pieces were left
			s.bins[0] = number(stock)
			all = append(all, named(m.take(s, opens, checks), o.names[e.Order])...)
		}
		return all
	case OpenedByHand:
		return named(m.take(s, opens, ordersByHand), o.names[e.Order])
	case Published:
		if o.OneOrder && s.orders[i].sent {
			return []state{s} // the publisher did not get the topic's answer, and repeated its request
		}
		return m.take(s, func(n state) bool { return n.orders[i].sender == unmarked && s.orders[i].sender == claimed },
			publishes)
	case Marked:
		return m.take(s, func(n state) bool { return s.orders[i].sender == unmarked && n.orders[i].published }, marks)
	case Claimed, AskedAgain:
		asks := s.orders[i].asks
		if e.Kind == AskedAgain {
			asks++
		}
		return m.sweep(s, func(n state) bool { return n.orders[i].sender == claimed && n.orders[i].asks == asks })
	case Closed:
		closes := func(n state) bool { return statuses[n.orders[i].status] == e.Status }
		if e.Status == shop.OrderCancelled {
			return m.take(s, closes, cancels)
		}
		return m.sweep(s, closes)
	case Requested:
		j := free(s.lots[:], func(l lot) bool { return l.order == 0 })
		if o.tooWide = o.tooWide || j < 0; j < 0 {
			return nil
		}
		// The queue may deliver the message again at any time, so it stays.
		all := m.take(s, func(n state) bool { return int(n.lots[j].order) == i+1 }, acceptsSilently)
		for x := range all {
			all[x].lots[j].name = o.names[e.Attempt]
		}
		return all
	case Dropped:
		if len(m.take(s, always, drops)) == 0 {
			return nil
		}
		return []state{s} // a message may come several times
	case Reported, Booked:
		if k < 0 || int(s.lots[k].order) != i+1 {
			return nil // the factory was not asked
		}
		if e.Kind == Booked {
			return o.booked(m, s, e, k)
		}
		return o.reported(m, s, e, k)
	}
	if !o.seen(m, s, e, i) {
		return nil
	}
	if e.Kind == Notified { // the model sends all notices in one step
		s.orders[i].told |= noticeBits[e.Notice]
		s.orders[i].notices &^= noticeBits[e.Notice]
	}
	return []state{s}
}

// opens returns the condition that a step opens the order of an event, or none.
func (o *observer) opens(s state, e Event) func(state) bool {
	return func(n state) bool {
		i := n.openOrder()
		if isNew := i >= 0 && n.orders[i].name == 0; !isNew {
			return e.Order == uuid.Nil
		}
		return e.Order != uuid.Nil && int(n.orders[i].quantity) == e.Ordered
	}
}

// named names the new order of states.
func named(all []state, name uint16) []state {
	for x := range all {
		if i := all[x].openOrder(); i >= 0 && all[x].orders[i].name == 0 {
			all[x].orders[i].name = name
		}
	}
	return all
}

// reported returns the states after the factory has reported a lot. Equal callbacks are one: a
// callback in a queue may come several times.
func (o *observer) reported(m model, s state, e Event, k int) []state {
	if e.Quantity > int(s.orders[s.lots[k].order-1].quantity) {
		return nil
	}
	is := func(c callback) bool { return int(c.quantity) == e.Quantity }
	if slices.ContainsFunc(s.lots[k].reports[:], is) {
		return []state{s}
	}
	if free(s.lots[k].reports[:], func(c callback) bool { return c.quantity == 0 }) < 0 {
		o.tooWide = true
		return nil
	}
	all := m.take(s, func(n state) bool { return slices.ContainsFunc(n.lots[k].reports[:], is) },
		delivers, deliversShort, repeats, leaks)
	for x := range all {
		all[x].lots[k].making = true // somebody who knows the URL may always report more
	}
	return all
}

// booked returns the states after a callback of a lot was booked.
func (o *observer) booked(m model, s state, e Event, k int) (all []state) {
	if o.OneOrder {
		if e.Quantity > int(s.orders[s.lots[k].order-1].quantity) {
			return nil
		}
		s.lots[k].made = max(s.lots[k].made, number(e.Quantity))
	}
	if e.Quantity > int(s.lots[k].made) {
		return nil // nobody has reported so much
	}
	waiting := s.lots
	for x := range s.lots {
		s.lots[x].reports = [maxReports]callback{}
	}
	s.lots[k].reports[0].quantity = number(e.Quantity)
	for _, n := range m.take(s, func(n state) bool {
		return int(n.lots[k].booked)-int(s.lots[k].booked) == e.Booked
	}, booksAgain) {
		for x := range n.lots {
			n.lots[x].reports = waiting[x].reports
		}
		for j, c := range n.lots[k].reports {
			if c.quantity <= n.lots[k].booked {
				n.lots[k].reports[j] = callback{}
			}
		}
		all = append(all, n)
	}
	return all
}

var noticeBits = map[shop.NoticeKind]uint8{
	shop.NoticeOrderOverdue: noticeOverdue, shop.NoticeOrderFailed: noticeGivenUp, shop.NoticeOrderShort: noticeGivenUp,
	shop.NoticeSurplus: noticeSurplus, shop.NoticeLateReceipt: noticeLate, shop.NoticeReceiptCorrected: noticeCorrected,
}

// seen reports whether a state is what somebody saw.
func (o *observer) seen(m model, s state, e Event, i int) bool {
	switch e.Kind {
	case Seen:
		x := s.orders[i]
		return statuses[x.status] == e.Status && int(x.received) == e.Received && int(x.asks) == e.Asks &&
			x.published == e.Published
	case Stocked:
		return int(s.bins[0]) == e.Quantity
	case Notified:
		return (s.orders[i].notices|s.orders[i].told)&noticeBits[e.Notice] != 0
	case Settled:
		return (o.OneOrder || int(s.bins[0]) > m.Policy.ReorderPoint) &&
			!slices.ContainsFunc(s.lots[:], func(l lot) bool { return l.booked < l.made }) &&
			!slices.ContainsFunc(s.orders[:], func(x order) bool {
				return x.notices != 0 || x.status == open && !x.published
			})
	}
	return false
}

// forget removes what no later event names.
func (o *observer) forget(s state, e numbered) state {
	s.used, s.buyers, s.sweep = spent{}, [MaxBuyers]buyer{}, sweep{}
	for j := range s.messages { // one message of each order is enough, because it stays
		s.messages[j].valid = 0
		if slices.Contains(s.messages[:j], s.messages[j]) {
			s.messages[j] = message{}
		}
	}
	for k, l := range s.lots {
		if e.lastOfAttempt && l.name != 0 && l.name == o.names[e.Attempt] && l.booked >= l.made {
			s.lots[k] = lot{}
		}
	}
	if o.OneOrder {
		s.bins = [MaxBins]pieces{}
		return s
	}
	for i, x := range s.orders {
		if !e.lastOfOrder || x.name == 0 || x.name != o.names[e.Order] || x.status <= open || x.notices != 0 ||
			slices.ContainsFunc(s.lots[:], func(l lot) bool { return int(l.order) == i+1 }) {
			continue
		}
		s.orders[i] = order{}
		for j := range s.messages {
			if int(s.messages[j].order) == i+1 {
				s.messages[j] = message{}
			}
		}
	}
	return s
}
