package mysql_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"restock/internal/shop"
)

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
	if stock := f.Number(t, `SELECT stock FROM product`); stock != 100 {
		t.Errorf("stock is %d, want 100", stock)
	}
	f.CheckBooks(t)
}

func TestTwoAttemptsAreTwoLots(t *testing.T) {
	f := newFixture(t, 1)
	order := f.soldOut(t)
	for i, want := range []shop.Receipt{{Stock: 100}, {Stock: 200, Surplus: 100}} {
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
	if stock := f.Number(t, `SELECT stock FROM product`); stock != 0 {
		t.Errorf("stock is %d, want 0", stock)
	}
	f.CheckBooks(t)
}

func TestUnpublishedOrdersAreFoundUntilTheyAreMarked(t *testing.T) {
	f := newFixture(t, 1)
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	id := uuid.New()
	decision, err := f.Database.Store.Checkout(t.Context(), shop.Checkout{
		Order: shop.Order{SKU: donut, Quantity: 3}, SaleID: uuid.New(), At: noon,
		Plan: &shop.Plan{ProductionOrderID: id, Position: 0, Quantity: 100}, Correlation: "JKJaXmPLvHcESHA=",
	})
	order := shop.ProductionOrder{ID: id, SKU: donut, Quantity: 100, Factory: "FF-500293", OpenedAt: noon, Correlation: "JKJaXmPLvHcESHA="}
	if err != nil || !decision.Opened || decision.ProductionOrder != order {
		t.Fatalf("got %+v, %v; want order %+v opened", decision, err, order)
	}
	unpublished := func(before time.Time) int {
		t.Helper()
		orders, err := f.Database.Store.Unpublished(t.Context(), before)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range orders {
			if o != order {
				t.Errorf("got %+v, want %+v", o, order)
			}
		}
		return len(orders)
	}
	if got := unpublished(noon); got != 0 {
		t.Errorf("%d orders are older than they are", got)
	}
	if got := unpublished(noon.Add(time.Second)); got != 1 {
		t.Errorf("%d orders are unpublished, want 1", got)
	}
	if err := f.Database.Store.MarkPublished(t.Context(), id, noon); err != nil {
		t.Fatal(err)
	}
	if got := unpublished(noon.Add(time.Hour)); got != 0 {
		t.Errorf("%d orders are unpublished after the mark, want 0", got)
	}
	if err := f.MarkPublished(t.Context(), id, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if first := f.Number(t, `SELECT published_at = ? FROM production_order`, noon); first != 1 {
		t.Error("a second mark replaced the first")
	}
}
