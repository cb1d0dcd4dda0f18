package mysql_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"restock/internal/mysql/invariants"
	"restock/internal/shop"
)

// soldOut sells the doughnut's whole stock, and returns the production order that this opens.
func (f *fixture) soldOut(tb testing.TB) shop.ProductionOrder {
	tb.Helper()
	if _, err := f.Buy(tb.Context(), shop.Purchase{SKU: donut, Quantity: 3}); err != nil {
		tb.Fatal(err)
	}
	if len(f.published) != 1 {
		tb.Fatalf("published %+v, want one order", f.published)
	}
	return f.published[0]
}

func TestTenEqualCallbacksAtOnceAreBookedOnce(t *testing.T) {
	f := newFixture(t, 10)
	order := f.soldOut(t)
	delivery := shop.Delivery{
		ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Quantity: 100, Signed: 100,
	}
	var group errgroup.Group
	var mu sync.Mutex
	first := 0
	for range 10 {
		group.Go(func() error {
			r, err := f.Receive(t.Context(), delivery)
			if err != nil || r.Stock != 100 {
				return fmt.Errorf("got %+v, %v; want a receipt that leaves 100", r, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if !r.Repeated {
				first++
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if first != 1 {
		t.Errorf("%d receipts say that they are the first, want 1", first)
	}
	if stock := f.Stock(t); stock != 100 {
		t.Errorf("stock is %d, want 100", stock)
	}
	f.CheckBooks(t)
}

func TestTwoAttemptsAreTwoLots(t *testing.T) {
	f := newFixture(t, 1)
	order := f.soldOut(t)
	for i, want := range []shop.Receipt{{Stock: 100}, {Stock: 200, Surplus: 100, Late: true}} {
		got, err := f.Receive(t.Context(), shop.Delivery{
			ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Quantity: 100, Signed: 100,
		})
		if err != nil || got != want {
			t.Errorf("attempt %d: got %+v, %v; want %+v", i+1, got, err, want)
		}
	}
	f.CheckBooks(t)
}

func TestOrderStaysOpenUntilItIsDeliveredInFull(t *testing.T) {
	f := newFixture(t, 1)
	order := f.soldOut(t)
	deliver := func(quantity int) {
		t.Helper()
		d := shop.Delivery{ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Quantity: quantity,
			Signed: 100}
		if _, err := f.Receive(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	deliver(40)
	if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 40}); err != nil {
		t.Fatal(err)
	}
	if len(f.published) != 1 {
		t.Errorf("%d orders after a partial delivery, want 1: 60 are still to come", len(f.published))
	}
	deliver(60)
	if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 60}); err != nil {
		t.Fatal(err)
	}
	if len(f.published) != 2 {
		t.Errorf("%d orders after the next shortage, want 2", len(f.published))
	}
	f.CheckBooks(t)
}

func TestDeliveriesThatCannotBeBooked(t *testing.T) {
	f := newFixture(t, 1)
	order := f.soldOut(t)
	for _, c := range []struct {
		name             string
		order            uuid.UUID
		sku              string
		quantity, signed int
		want             shop.Code
	}{
		{"an unknown order", uuid.New(), donut, 1, 1, shop.CodeUnknownOrder},
		{"another product", order.ID, "CP-000000", 1, 1, shop.CodeProductMismatch},
		{"no quantity", order.ID, donut, 0, 0, shop.CodeInvalidQuantity},
		{"more than was signed", order.ID, donut, 101, 100, shop.CodeInvalidQuantity},
		{"nothing was signed", order.ID, donut, 1, 0, shop.CodeInvalidQuantity},
		{"a negative quantity", order.ID, donut, -5, 0, shop.CodeInvalidQuantity},
	} {
		d := shop.Delivery{
			ProductionOrderID: c.order, AttemptID: uuid.New(), SKU: c.sku, Quantity: c.quantity, Signed: c.signed,
		}
		if _, err := f.Receive(t.Context(), d); shop.CodeOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if stock := f.Stock(t); stock != 0 {
		t.Errorf("stock is %d, want 0", stock)
	}
	f.CheckBooks(t)
}

func TestALaterCallbackWithMoreBooksTheDifference(t *testing.T) {
	f, mail := newSweptFixture(t)
	order := f.soldOut(t)
	d := shop.Delivery{ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Signed: 100}
	for i, c := range []struct {
		says int
		want shop.Receipt
	}{
		{1, shop.Receipt{Stock: 1}},                     // another sender, who knows the URL
		{80, shop.Receipt{Stock: 80, Correction: 79}},   // the factory
		{80, shop.Receipt{Stock: 80, Repeated: true}},   // a repetition
		{2, shop.Receipt{Stock: 80, Repeated: true}},    // a smaller quantity
		{90, shop.Receipt{Stock: 90, Correction: 10}},   // a second correction
		{100, shop.Receipt{Stock: 100, Correction: 10}}, // the whole quantity
		{100, shop.Receipt{Stock: 100, Repeated: true}}, // a repetition of the whole quantity
	} {
		d.Quantity = c.says
		if got, err := f.Receive(t.Context(), d); err != nil || got != c.want {
			t.Errorf("callback %d, of %d: got %+v, %v; want %+v", i+1, c.says, got, err, c.want)
		}
		f.CheckBooks(t)
	}
	d.Quantity = 101
	if _, err := f.Receive(t.Context(), d); shop.CodeOf(err) != shop.CodeInvalidQuantity {
		t.Errorf("more than was signed: got %v, want %s", err, shop.CodeInvalidQuantity)
	}
	o, err := f.ProductionOrder(t.Context(), order.ID)
	if err != nil || o.Status != shop.OrderReceived || o.Received != 100 {
		t.Errorf("the order is %+v, %v; want all of it received", o, err)
	}
	f.checkInvariants(t)
	if _, err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := mail.kinds(); len(got) != 1 || got[shop.NoticeReceiptCorrected] != 3 {
		t.Errorf("the notices are %v, want three corrections", got)
	}
}

func TestCorrectionsOfOneAttemptAtOnceAreBookedOnce(t *testing.T) {
	f := newFixture(t, 16)
	order := f.soldOut(t)
	d := shop.Delivery{ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Signed: 100}
	var group errgroup.Group
	for i := range 40 {
		group.Go(func() error {
			d := d
			d.Quantity = []int{1, 50, 100}[i%3]
			_, err := f.Receive(t.Context(), d)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if stock := f.Stock(t); stock != 100 {
		t.Errorf("stock is %d, want the 100 that were signed", stock)
	}
	f.CheckBooks(t)
	f.checkInvariants(t)
}

func TestAClosedOrderKeepsItsStatusAfterDeliveries(t *testing.T) {
	for _, c := range []struct {
		status shop.OrderStatus
		before int // the quantity that arrived before the order was closed
		close  func(*fixture, *testing.T, shop.ProductionOrder)
	}{
		{shop.OrderCancelled, 0, func(f *fixture, t *testing.T, o shop.ProductionOrder) {
			if _, err := f.CancelOrder(t.Context(), o.ID); err != nil {
				t.Fatal(err)
			}
		}},
		{shop.OrderFailed, 0, closeAs(shop.OrderFailed)},
		{shop.OrderShort, 40, closeAs(shop.OrderShort)},
		{shop.OrderReceived, 100, func(*fixture, *testing.T, shop.ProductionOrder) {}},
	} {
		t.Run(string(c.status), func(t *testing.T) {
			f := newFixture(t, 1)
			order, attempt := f.soldOut(t), uuid.New()
			d := shop.Delivery{
				ProductionOrderID: order.ID, AttemptID: attempt, SKU: donut, Quantity: c.before, Signed: 100,
			}
			if c.before > 0 {
				if _, err := f.Receive(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			read := func() shop.ProductionOrder {
				t.Helper()
				o, err := f.ProductionOrder(t.Context(), order.ID)
				if err != nil {
					t.Fatal(err)
				}
				return o
			}
			o := read()
			c.close(f, t, o)
			closed := read()
			// The first attempt delivers the rest; two other attempts deliver 100 each.
			for i, id := range []uuid.UUID{attempt, uuid.New(), uuid.New()} {
				d.AttemptID, d.Quantity = id, 100
				r, err := f.Receive(t.Context(), d)
				if err != nil || !r.Late && !r.Repeated {
					t.Errorf("delivery %d: got %+v, %v; want it booked, and late", i+1, r, err)
				}
				got := read()
				if got.Status != c.status || !got.ClosedAt.Equal(closed.ClosedAt) {
					t.Errorf("after delivery %d the order is %s, closed at %v; want %s, closed at %v",
						i+1, got.Status, got.ClosedAt, c.status, closed.ClosedAt)
				}
			}
			if _, err := f.CancelOrder(t.Context(), order.ID); shop.CodeOf(err) != shop.CodeOrderNotOpen {
				t.Errorf("cancelling the closed order: got %v, want %s", err, shop.CodeOrderNotOpen)
			}
			if got := read().Received; got != 300 || f.Stock(t) != 300 {
				t.Errorf("%d are received, %d on hand; want all 300", got, f.Stock(t))
			}
			f.CheckBooks(t)
			f.checkInvariants(t)
		})
	}
}

func closeAs(status shop.OrderStatus) func(*fixture, *testing.T, shop.ProductionOrder) {
	return func(f *fixture, t *testing.T, o shop.ProductionOrder) {
		if closed, err := f.Database.Store.CloseOrder(t.Context(), o, status, time.Now()); err != nil || !closed {
			t.Fatalf("closing the order as %s: got %v, %v", status, closed, err)
		}
	}
}

func (f *fixture) checkInvariants(t *testing.T) {
	t.Helper()
	if err := invariants.Check(t.Context(), f.Admin, invariants.Always); err != nil {
		t.Error(err)
	}
}
