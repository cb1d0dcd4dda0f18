package model

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

var (
	orderA, orderB     = uuid.MustParse("00000000-0000-7000-8000-00000000000a"), uuid.New()
	attemptA, attemptB = uuid.New(), uuid.New()
)

// story is a run: sold out, refused, ordered, asked again, delivered twice, sold again.
func story() Trace {
	begin := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	p := shop.Policy{ReorderPoint: 1, OrderUpTo: 5, LotSize: 4, LeadTime: time.Minute, Automatic: true}
	t := Trace{Stock: 3}
	add := func(after time.Duration, all ...Event) {
		for _, e := range all {
			e.At, e.Policy = begin.Add(after), p
			t.Events = append(t.Events, e)
		}
	}
	add(0,
		Event{Kind: Sold, Quantity: 1},
		Event{Kind: Sold, Quantity: 1, Order: orderA, Ordered: 4},
		Event{Kind: Published, Order: orderA},
		Event{Kind: Marked, Order: orderA},
		Event{Kind: Sold, Quantity: 1},
		Event{Kind: Refused, Quantity: 1},
		Event{Kind: Requested, Order: orderA, Attempt: attemptA})
	add(3*time.Minute,
		Event{Kind: AskedAgain, Order: orderA},
		Event{Kind: Published, Order: orderA},
		Event{Kind: Seen, Order: orderA, Status: shop.OrderOpen, Asks: 2, Published: true},
		Event{Kind: Requested, Order: orderA, Attempt: attemptB},
		Event{Kind: Reported, Order: orderA, Attempt: attemptB, Quantity: 4},
		Event{Kind: Booked, Order: orderA, Attempt: attemptB, Quantity: 4, Booked: 4},
		Event{Kind: Reported, Order: orderA, Attempt: attemptA, Quantity: 3},
		Event{Kind: Booked, Order: orderA, Attempt: attemptA, Quantity: 3, Booked: 3},
		Event{Kind: Booked, Order: orderA, Attempt: attemptA, Quantity: 3},
		Event{Kind: Stocked, Quantity: 7},
		Event{Kind: Seen, Order: orderA, Status: shop.OrderReceived, Received: 7, Asks: 2, Published: true},
		Event{Kind: Notified, Order: orderA, Notice: shop.NoticeOrderOverdue},
		Event{Kind: Notified, Order: orderA, Notice: shop.NoticeSurplus},
		Event{Kind: Sold, Quantity: 1},
		Event{Kind: Settled})
	return t
}

// TestATraceIsAllowedOnlyIfItIsWhole edits a run: the model must refuse each edit at the event that
// it makes impossible.
func TestATraceIsAllowedOnlyIfItIsWhole(t *testing.T) {
	if err := story().Check(); err != nil {
		t.Fatal(err)
	}
	find := func(events []Event, kind Kind, nth int) int {
		for i, e := range events {
			if e.Kind == kind {
				if nth--; nth == 0 {
					return i
				}
			}
		}
		t.Fatalf("the run has no such event: %s", kind)
		return 0
	}
	remove := func(kind Kind, nth int) func([]Event) []Event {
		return func(events []Event) []Event { i := find(events, kind, nth); return slices.Delete(events, i, i+1) }
	}
	change := func(kind Kind, nth int, change func(*Event)) func([]Event) []Event {
		return func(events []Event) []Event { change(&events[find(events, kind, nth)]); return events }
	}
	for _, c := range []struct {
		name string
		edit func([]Event) []Event
		want Kind // that the model does not allow
	}{
		{"a sale opens no order", change(Sold, 2, func(e *Event) { e.Order, e.Ordered = uuid.Nil, 0 }), Sold},
		{"a sale opens an order too early", change(Sold, 1, func(e *Event) { e.Order, e.Ordered = orderB, 4 }), Sold},
		{"an order is of another quantity", change(Sold, 2, func(e *Event) { e.Ordered = 8 }), Sold},
		{"a sale is missing", remove(Sold, 3), Refused},
		{"a buyer is refused too early", change(Refused, 1, func(e *Event) { e.Kind = Sold }), Sold},
		{"a refusal opens a second order",
			change(Refused, 1, func(e *Event) { e.Order, e.Ordered = orderB, 8 }), Refused},
		{"a message is not published", remove(Published, 1), Marked},
		{"a message is published twice", change(Marked, 1, func(e *Event) { e.Kind = Published }), Published},
		{"a sweep asks too early", change(AskedAgain, 1, func(e *Event) { e.At = e.At.Add(-time.Minute) }), AskedAgain},
		{"a sweep does not ask", remove(AskedAgain, 1), Published},
		{"a sweep gives up too early",
			change(AskedAgain, 1, func(e *Event) { e.Kind, e.Status = Closed, shop.OrderFailed }), Closed},
		{"asks are not counted", change(Seen, 1, func(e *Event) { e.Asks = 1 }), Seen},
		{"an order is not marked", remove(Marked, 1), AskedAgain},
		{"the factory was not asked", remove(Requested, 2), Reported},
		{"the factory reported less", change(Reported, 1, func(e *Event) { e.Quantity = 3 }), Booked},
		{"the factory reports more than it was asked for",
			change(Reported, 2, func(e *Event) { e.Quantity = 5 }), Reported},
		{"less is booked", change(Booked, 1, func(e *Event) { e.Booked = 3 }), Booked},
		{"a callback is booked twice", change(Booked, 3, func(e *Event) { e.Booked = 3 }), Booked},
		{"a callback is not booked", remove(Booked, 1), Stocked},
		{"the stock is another one", change(Stocked, 1, func(e *Event) { e.Quantity = 4 }), Stocked},
		{"a closed order opens again", change(Seen, 2, func(e *Event) { e.Status = shop.OrderOpen }), Seen},
		{"people are told what did not happen",
			change(Notified, 2, func(e *Event) { e.Notice = shop.NoticeOrderFailed }), Notified},
		{"people are not told of a surplus", remove(Notified, 2), Settled},
		{"an order is adjusted away", change(Sold, 4, func(e *Event) { e.Kind, e.Quantity = Adjusted, -8 }), Adjusted},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := story()
			run.Events = c.edit(run.Events)
			err := run.Check()
			if err == nil || !strings.HasPrefix(err.Error(), "the model does not allow: "+string(c.want)) {
				t.Errorf("got %v, want that the model does not allow: %s", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), "possible states are:\n  stock [") {
				t.Errorf("the error has no state of the model: %v", err)
			}
		})
	}
}

// TestATraceMayHaveEventsInAnyPossibleOrder has a sale and a receipt at the same time: the sale
// needs what the receipt brings.
func TestATraceMayHaveEventsInAnyPossibleOrder(t *testing.T) {
	run := story()
	for i := range run.Events {
		run.Events[i].Call, run.Events[i].Return = int64(2*i), int64(2*i+1)
	}
	i := slices.IndexFunc(run.Events, func(e Event) bool { return e.Kind == Booked })
	sale := run.Events[i]
	sale.Kind, sale.Quantity, sale.Order, sale.Attempt, sale.Booked = Sold, 2, uuid.Nil, uuid.Nil, 0
	sale.Return = run.Events[i].Return
	run.Events = slices.Insert(run.Events, i, sale)
	run.Events[slices.IndexFunc(run.Events, func(e Event) bool { return e.Kind == Stocked })].Quantity = 5
	if err := run.Check(); err != nil {
		t.Error(err)
	}
	run.Events[i].Return = run.Events[i].Call
	run.Events[i+1].Call = run.Events[i].Return + 1
	if err := run.Check(); err == nil {
		t.Error("the sale came before the receipt, and the model allows it")
	}
}

// TestATraceOfOneOrderMayMissSteps leaves out what a run of one order does not show.
func TestATraceOfOneOrderMayMissSteps(t *testing.T) {
	only := func(kinds ...Kind) Trace {
		run := story()
		run.OneOrder = true
		run.Events[1].Kind = Opened
		run.Events = slices.DeleteFunc(run.Events, func(e Event) bool { return !slices.Contains(kinds, e.Kind) })
		return run
	}
	if err := only(Opened, Published, Requested, Booked, Seen).Check(); err != nil {
		t.Error(err)
	}
	if err := only(Opened, Published, Booked, Seen).Check(); err == nil {
		t.Error("goods are booked that nobody asked for, and the model allows it")
	}
	if err := only(Opened, Requested, Booked, Seen).Check(); err == nil {
		t.Error("the factory was asked without a message, and the model allows it")
	}
	run := only(Opened, Published, Requested, Booked, Seen)
	run.Events[0].Ordered = 3
	if err := run.Check(); err == nil {
		t.Error("no policy orders 3 in lots of 4, and the model allows it")
	}
}

// TestATraceThatIsTooWideIsNotJudged opens more lots at once than a state has room for.
func TestATraceThatIsTooWideIsNotJudged(t *testing.T) {
	run := story()
	request := run.Events[6]
	var lots []Event
	for range maxLots + 1 {
		request.Attempt = uuid.New()
		lots = append(lots, request)
	}
	run.Events = slices.Insert(run.Events, 7, append(slices.Clone(lots), lots...)...)
	for i := range lots {
		run.Events[7+len(lots)+i].Kind, run.Events[7+len(lots)+i].Quantity = Reported, 1
	}
	if err := run.Check(); !errors.Is(err, ErrTooWide) {
		t.Errorf("got %v, want ErrTooWide", err)
	}
}

// TestOnlyAnOrderWithoutRoomIsTooWide keeps as many orders as a state has room for. A violation is
// still found, and only one more order is too many.
func TestOnlyAnOrderWithoutRoomIsTooWide(t *testing.T) {
	first := story().Events[0]
	run := Trace{Stock: 3}
	add := func(kind Kind, order uuid.UUID) {
		e := Event{Kind: kind, Order: order, At: first.At, Policy: first.Policy, Status: shop.OrderCancelled}
		switch kind {
		case OpenedByHand:
			e.Ordered = 4
		case Seen:
			e.Asks = 1
		}
		run.Events = append(run.Events, e)
	}
	var orders []uuid.UUID
	open := func() {
		orders = append(orders, uuid.New())
		add(OpenedByHand, orders[len(orders)-1])
		add(Closed, orders[len(orders)-1])
	}
	for range maxOrders {
		open()
	}
	few := slices.Clone(run.Events)
	for _, order := range orders {
		add(Seen, order) // the state keeps each order until here
	}
	if err := run.Check(); err != nil {
		t.Fatal(err)
	}
	wrong := Event{Kind: Stocked, At: first.At, Policy: first.Policy, Quantity: 2}
	run.Events = slices.Insert(run.Events, len(few), wrong)
	if err := run.Check(); err == nil || errors.Is(err, ErrTooWide) {
		t.Errorf("the stock is wrong: got %v, want an error that says so", err)
	}
	run.Events, orders = few, orders[:maxOrders]
	open()
	for _, order := range orders {
		add(Seen, order)
	}
	if err := run.Check(); !errors.Is(err, ErrTooWide) {
		t.Errorf("one order more: got %v, want ErrTooWide", err)
	}
}

// TestARepeatedCallbackMayOvertakeTheFirst has events without a certain order: the line of a
// callback that came again stands before the line of the first one.
func TestARepeatedCallbackMayOvertakeTheFirst(t *testing.T) {
	run := story()
	run.OneOrder = true
	run.Events[1].Kind = Opened
	shown := []Kind{Opened, Published, Requested, Booked, Seen}
	run.Events = slices.DeleteFunc(run.Events[:18], func(e Event) bool {
		return !slices.Contains(shown, e.Kind) || e.Kind == Seen && e.Status == shop.OrderOpen
	})
	n := len(run.Events)
	run.Events[n-3], run.Events[n-2] = run.Events[n-2], run.Events[n-3]
	for i := range run.Events {
		run.Events[i].At = run.Events[0].At
		run.Events[i].Return = int64(i + 1)
	}
	run.Events[n-1].Call, run.Events[n-1].Return = 1000, 1001
	if err := run.Check(); err != nil {
		t.Error(err)
	}
}
