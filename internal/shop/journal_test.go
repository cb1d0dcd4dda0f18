package shop_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// A recorder is a journal that records sales, refusals and receipts by name.
type recorder struct {
	shop.Journal
	events []string
}

func (r *recorder) Sold(context.Context, shop.Sale)    { r.events = append(r.events, "sold") }
func (r *recorder) Refused(context.Context, shop.Sale) { r.events = append(r.events, "refused") }
func (r *recorder) Received(context.Context, shop.Delivery, shop.Receipt) {
	r.events = append(r.events, "received")
}

// receiving is a store that books every delivery. Its product is never short.
type receiving struct{ store }

func (receiving) Receive(context.Context, shop.Delivery) (shop.Receipt, error) {
	return shop.Receipt{Stock: 100}, nil
}

func (receiving) Replenish(context.Context, shop.Replenishment) (shop.Decision, error) {
	return shop.Decision{}, nil
}

func TestTheJournalRecordsEverySaleRefusalAndReceipt(t *testing.T) {
	outcomes := []shop.Outcome{shop.Sold, shop.Refused}
	s := open(store{checkout: func(shop.Checkout) (shop.Decision, error) {
		next := outcomes[0]
		outcomes = outcomes[1:]
		return shop.Decision{Outcome: next}, nil
	}}, nil)
	r := &recorder{Journal: shop.Discard}
	s.Journal = r
	for range 2 {
		s.Buy(t.Context(), shop.Purchase{SKU: "CP-502101", Quantity: 1}) // another test checks the refusal's error
	}
	s.Store = receiving{}
	delivery := shop.Delivery{AttemptID: uuid.New(), SKU: "CP-502101", Quantity: 100, Signed: 100}
	if _, err := s.Receive(t.Context(), delivery); err != nil {
		t.Fatal(err)
	}
	if want := []string{"sold", "refused", "received"}; !slices.Equal(r.events, want) {
		t.Errorf("the journal recorded %v, want %v", r.events, want)
	}
}
