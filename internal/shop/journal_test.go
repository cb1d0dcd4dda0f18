package shop_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// A diary is a journal of what buyers and the factory did.
type diary struct {
	shop.Journal
	told []string
}

func (d *diary) Sold(context.Context, shop.Sale)    { d.told = append(d.told, "sold") }
func (d *diary) Refused(context.Context, shop.Sale) { d.told = append(d.told, "refused") }
func (d *diary) Received(context.Context, shop.Delivery, shop.Receipt) {
	d.told = append(d.told, "received")
}

// receiving is a store that books whatever comes, and has enough of it.
type receiving struct{ store }

func (receiving) Receive(context.Context, shop.Delivery) (shop.Receipt, error) {
	return shop.Receipt{Stock: 100}, nil
}

func (receiving) Replenish(context.Context, shop.Replenishment) (shop.Decision, error) {
	return shop.Decision{}, nil
}

func TestTheJournalIsToldOfEverySaleRefusalAndReceipt(t *testing.T) {
	outcomes := []shop.Outcome{shop.Sold, shop.Refused}
	s := open(store{checkout: func(shop.Checkout) (shop.Decision, error) {
		next := outcomes[0]
		outcomes = outcomes[1:]
		return shop.Decision{Outcome: next}, nil
	}}, nil)
	d := &diary{Journal: shop.Discard}
	s.Journal = d
	for range 2 {
		s.Buy(t.Context(), shop.Purchase{SKU: "CP-502101", Quantity: 1}) // the refusal's error is another test's
	}
	s.Store = receiving{}
	if _, err := s.Receive(t.Context(), shop.Delivery{AttemptID: uuid.New(), SKU: "CP-502101", Quantity: 100, Signed: 100}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"sold", "refused", "received"}; !slices.Equal(d.told, want) {
		t.Errorf("the journal was told %v, want %v", d.told, want)
	}
}
