package mysql_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"restock/internal/shop"
)

// soldOut sells what is there of the doughnut, and returns the production order that this opens.
func (f *fixture) soldOut(tb testing.TB) shop.ProductionOrder {
	tb.Helper()
	if _, err := f.Buy(tb.Context(), shop.Order{SKU: donut, Quantity: 3}); err != nil {
		tb.Fatal(err)
	}
	if len(f.published) != 1 {
		tb.Fatalf("published %+v, want one order", f.published)
	}
	return f.published[0]
}

func TestDeliveryToldTenTimesAtOnceIsBookedOnce(t *testing.T) {
	f := newFixture(t, 10)
	order := f.soldOut(t)
	delivery := shop.Delivery{ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Quantity: 100}
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
		got, err := f.Receive(t.Context(), shop.Delivery{ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Quantity: 100})
		if err != nil || got != want {
			t.Errorf("attempt %d: got %+v, %v; want %+v", i+1, got, err, want)
		}
	}
	f.CheckBooks(t)
}

func TestOrderStaysOpenUntilAllIsDeliveredAndTheNextShortageOrdersAgain(t *testing.T) {
	f := newFixture(t, 1)
	order := f.soldOut(t)
	deliver := func(quantity int) {
		t.Helper()
		if _, err := f.Receive(t.Context(), shop.Delivery{ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Quantity: quantity}); err != nil {
			t.Fatal(err)
		}
	}
	deliver(40)
	if _, err := f.Buy(t.Context(), shop.Order{SKU: donut, Quantity: 40}); err != nil {
		t.Fatal(err)
	}
	if len(f.published) != 1 {
		t.Errorf("%d orders after a partial delivery, want 1: 60 are still to come", len(f.published))
	}
	deliver(60)
	if _, err := f.Buy(t.Context(), shop.Order{SKU: donut, Quantity: 60}); err != nil {
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
		name     string
		delivery shop.Delivery
		want     shop.Code
	}{
		{"an unknown order", shop.Delivery{ProductionOrderID: uuid.New(), SKU: donut, Quantity: 1}, shop.CodeUnknownOrder},
		{"another product", shop.Delivery{ProductionOrderID: order.ID, SKU: "CP-000000", Quantity: 1}, shop.CodeProductMismatch},
		{"no quantity", shop.Delivery{ProductionOrderID: order.ID, SKU: donut}, shop.CodeInvalidQuantity},
		{"a negative quantity", shop.Delivery{ProductionOrderID: order.ID, SKU: donut, Quantity: -5}, shop.CodeInvalidQuantity},
	} {
		c.delivery.AttemptID = uuid.New()
		if _, err := f.Receive(t.Context(), c.delivery); shop.CodeOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if stock := f.Stock(t); stock != 0 {
		t.Errorf("stock is %d, want 0", stock)
	}
	f.CheckBooks(t)
}
