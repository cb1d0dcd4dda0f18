package shop_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// A store is a shop.Store made of functions. A test sets the ones that it expects to be called.
type store struct {
	shop.Store
	checkout      func(shop.Checkout) (shop.Decision, error)
	replenish     func(shop.Replenishment) (shop.Decision, error)
	receive       func(shop.Delivery) (shop.Receipt, error)
	openOrders    func() ([]shop.ProductionOrder, error)
	markPublished func(uuid.UUID) error
	balances      func() ([]shop.Balance, error)
	undo          func() (shop.Adjusted, error)
}

func (s store) Checkout(_ context.Context, c shop.Checkout) (shop.Decision, error) {
	return s.checkout(c)
}
func (s store) Replenish(_ context.Context, r shop.Replenishment) (shop.Decision, error) {
	return s.replenish(r)
}
func (s store) Receive(_ context.Context, d shop.Delivery) (shop.Receipt, error) { return s.receive(d) }
func (s store) MarkPublished(_ context.Context, id uuid.UUID, _ time.Time) error {
	return s.markPublished(id)
}
func (s store) OpenOrders(context.Context) ([]shop.ProductionOrder, error) { return s.openOrders() }
func (s store) Balances(context.Context) ([]shop.Balance, error)           { return s.balances() }
func (s store) Undo(context.Context, shop.Adjustment, int64) (shop.Adjusted, error) {
	return s.undo()
}

type publisher func(shop.ProductionOrder) error

func (p publisher) Publish(_ context.Context, o shop.ProductionOrder) error { return p(o) }

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func open(s store, p publisher) *shop.Shop {
	opened := shop.Open(s, p, shop.Discard)
	opened.Now = func() time.Time { return noon }
	return opened
}

func TestBuyPlansForThePositionThatTheStoreFinds(t *testing.T) {
	policy := shop.Policy{ReorderPoint: 5, OrderUpTo: 20, LotSize: 10}
	positions := []int{5, 3} // a second buyer came in between
	var plans []*shop.Plan
	var published []shop.ProductionOrder
	var marked []uuid.UUID
	s := open(store{
		checkout: func(c shop.Checkout) (shop.Decision, error) {
			plans = append(plans, c.Plan)
			if round := len(plans) - 1; round < len(positions) {
				return shop.Decision{Outcome: shop.Undecided, Position: positions[round], Policy: policy}, nil
			}
			return shop.Decision{Outcome: shop.Sold, Opened: true,
				ProductionOrder: shop.ProductionOrder{ID: c.Plan.ProductionOrderID, Quantity: c.Plan.Quantity}}, nil
		},
		markPublished: func(id uuid.UUID) error { marked = append(marked, id); return nil },
	}, func(o shop.ProductionOrder) error { published = append(published, o); return nil })

	if _, err := s.Buy(t.Context(), shop.Purchase{SKU: "CP-502101", Quantity: 1}); err != nil {
		t.Fatal(err)
	}
	if len(plans) != 3 || plans[0] != nil || plans[1].Position != 5 || plans[1].Quantity != 20 ||
		plans[2].Position != 3 || plans[2].Quantity != 20 {
		t.Errorf("plans are %+v, want none, then 20 at position 5, then 20 at position 3", plans)
	}
	if len(published) != 1 || published[0].ID != plans[2].ProductionOrderID {
		t.Errorf("published %+v, want the order of the last plan, once", published)
	}
	if len(marked) != 1 || marked[0] != published[0].ID {
		t.Errorf("marked %v as published, want %v", marked, published[0].ID)
	}
}

func TestBuyGivesUpIfThePositionAlwaysChanges(t *testing.T) {
	rounds := 0
	s := open(store{checkout: func(shop.Checkout) (shop.Decision, error) {
		rounds++
		return shop.Decision{Outcome: shop.Undecided, Position: rounds}, nil
	}}, nil)
	_, err := s.Buy(t.Context(), shop.Purchase{SKU: "CP-502101", Quantity: 1})
	if shop.CodeOf(err) != shop.CodeInternal {
		t.Errorf("got error %v, want an internal one", err)
	}
	if rounds != 10 {
		t.Errorf("the store was asked %d times, want 10", rounds)
	}
}

func TestSaleSucceedsIfItsMessageCannotBeSent(t *testing.T) {
	s := open(store{
		checkout: func(shop.Checkout) (shop.Decision, error) {
			return shop.Decision{Outcome: shop.Sold, Opened: true, Sale: shop.Sale{Stock: 7}}, nil
		},
		markPublished: func(uuid.UUID) error { t.Error("a message that was not sent is marked as sent"); return nil },
	}, func(shop.ProductionOrder) error { return errors.New("SNS is down") })
	sale, err := s.Buy(t.Context(), shop.Purchase{SKU: "CP-502101", Quantity: 1})
	if err != nil || sale.Stock != 7 {
		t.Errorf("got %+v, %v; want the sale", sale, err)
	}
}

// A clockedPublisher stores how long a publication may take.
type clockedPublisher struct{ limit time.Duration }

func (p *clockedPublisher) Publish(ctx context.Context, _ shop.ProductionOrder) error {
	if deadline, ok := ctx.Deadline(); ok {
		p.limit = time.Until(deadline)
	}
	return nil
}

// If a publication took longer, two callers would publish the same order.
func TestAPublicationEndsBeforeAnotherMayBegin(t *testing.T) {
	var p clockedPublisher
	s := shop.Open(store{
		checkout: func(shop.Checkout) (shop.Decision, error) {
			return shop.Decision{Outcome: shop.Sold, Opened: true}, nil
		},
		markPublished: func(uuid.UUID) error { return nil },
	}, &p, shop.Discard)
	if _, err := s.Buy(t.Context(), shop.Purchase{SKU: "CP-502101", Quantity: 1}); err != nil {
		t.Fatal(err)
	}
	if p.limit == 0 {
		t.Fatal("the publication has no time limit")
	}
	o := shop.ProductionOrder{AskedAt: noon, LeadTime: time.Minute}
	if step := o.Next(noon.Add(p.limit)); step != shop.Wait {
		t.Errorf("a publication may take %v: the step of a sweep is %d by then, want %d", p.limit, step, shop.Wait)
	}
}

func TestADeliveryIsFollowedByACheck(t *testing.T) {
	for _, repeated := range []bool{false, true} {
		var checked []string
		s := open(store{
			receive: func(shop.Delivery) (shop.Receipt, error) { return shop.Receipt{Repeated: repeated}, nil },
			replenish: func(r shop.Replenishment) (shop.Decision, error) {
				checked = append(checked, r.SKU)
				return shop.Decision{Outcome: shop.Settled}, nil
			},
		}, nil)
		if _, err := s.Receive(t.Context(), shop.Delivery{SKU: "CP-502101", Quantity: 1, Signed: 1}); err != nil {
			t.Fatal(err)
		}
		if len(checked) == 0 != repeated {
			t.Errorf("a delivery (repeated: %v) was followed by checks of %q", repeated, checked)
		}
	}
}

func TestInvalidPurchasesDoNotReachTheStore(t *testing.T) {
	s := open(store{checkout: func(c shop.Checkout) (shop.Decision, error) {
		t.Errorf("the store got %+v", c.Purchase)
		return shop.Decision{}, nil
	}}, nil)
	for _, c := range []struct {
		purchase shop.Purchase
		want     shop.Code
	}{
		{shop.Purchase{Quantity: 0}, shop.CodeInvalidQuantity},
		{shop.Purchase{Quantity: -1}, shop.CodeInvalidQuantity},
		{shop.Purchase{Quantity: shop.MaxQuantity + 1}, shop.CodeInvalidQuantity},
		{shop.Purchase{Quantity: 1, IdempotencyKey: strings.Repeat("k", 256)}, shop.CodeInvalidIdempotencyKey},
		{shop.Purchase{Quantity: 1, IdempotencyKey: "열쇠"}, shop.CodeInvalidIdempotencyKey},
		{shop.Purchase{Quantity: 1, IdempotencyKey: "a\nb"}, shop.CodeInvalidIdempotencyKey},
	} {
		if _, err := s.Buy(t.Context(), c.purchase); shop.CodeOf(err) != c.want {
			t.Errorf("Buy(%+v): got %v (%s), want %s", c.purchase, err, shop.CodeOf(err), c.want)
		}
	}
}

// lost is the error of a store whose database did not answer.
var lost = &shop.Error{Code: shop.CodeOutcomeUnknown, Detail: "no answer"}

func TestErrorOfAnUnknownOutcomeSaysWhetherARetryIsSafe(t *testing.T) {
	s := open(store{checkout: func(shop.Checkout) (shop.Decision, error) { return shop.Decision{}, lost }}, nil)
	for key, says := range map[string]string{
		"key": "the purchase may have been made, or not: repeat the request with the same Idempotency-Key",
		"":    "the purchase may have been made, or not: the request had no Idempotency-Key",
	} {
		_, err := s.Buy(t.Context(), shop.Purchase{SKU: "CP-502101", Quantity: 1, IdempotencyKey: key})
		if shop.CodeOf(err) != shop.CodeOutcomeUnknown || !strings.HasPrefix(err.Error(), says) ||
			!errors.Is(err, lost) {
			t.Errorf("with the key %q: got %v, want %s with %q", key, err, shop.CodeOutcomeUnknown, says)
		}
	}
}

func TestErrorOfAnUnknownUndoSaysThatItIsDoneOnce(t *testing.T) {
	s := open(store{undo: func() (shop.Adjusted, error) { return shop.Adjusted{}, lost }}, nil)
	_, err := s.Undo(t.Context(), "CP-502101", 7)
	const says = "the adjustment may have been undone, or not: repeat the request, and it is done once"
	if shop.CodeOf(err) != shop.CodeOutcomeUnknown || !strings.HasPrefix(err.Error(), says) || !errors.Is(err, lost) {
		t.Errorf("got %v, want %s with %q", err, shop.CodeOutcomeUnknown, says)
	}
}

// unreadable is a store whose writes succeed and whose reads fail.
type unreadable struct{ shop.Store }

var errRead = &shop.Error{Code: shop.CodeUnavailable, Detail: "the database is not available now"}

func (unreadable) CreateProduct(context.Context, shop.Product, time.Time) error { return nil }
func (unreadable) Adjust(context.Context, shop.Adjustment) (shop.Adjusted, error) {
	return shop.Adjusted{Stock: 3}, nil
}
func (unreadable) Replenish(_ context.Context, r shop.Replenishment) (shop.Decision, error) {
	return shop.Decision{Outcome: shop.Settled, Opened: r.ByHand}, nil
}
func (unreadable) MarkPublished(context.Context, uuid.UUID, time.Time) error { return nil }
func (unreadable) Product(context.Context, string) (shop.Product, error) {
	return shop.Product{}, errRead
}
func (unreadable) ProductionOrder(context.Context, uuid.UUID) (shop.ProductionOrder, error) {
	return shop.ProductionOrder{}, errRead
}

func TestAFailedReadAfterAWriteDoesNotSayThatNothingWasChanged(t *testing.T) {
	s := shop.Open(unreadable{}, publisher(func(shop.ProductionOrder) error { return nil }), shop.Discard)
	for name, do := range map[string]func() error{
		"creating a product": func() error {
			_, err := s.CreateProduct(t.Context(), shop.NewProduct{
				SKU: "CP-1", Name: "도너츠", Bins: 1, Policy: shop.Policy{OrderUpTo: 1, LotSize: 1, LeadTime: time.Minute},
			})
			return err
		},
		"adjusting the stock": func() error {
			_, err := s.Adjust(t.Context(), shop.Adjustment{SKU: "CP-1", Quantity: 1, Reason: "found"})
			return err
		},
		"ordering by hand": func() error {
			_, err := s.OpenOrder(t.Context(), "CP-1", 5)
			return err
		},
	} {
		if err := do(); shop.CodeOf(err) != shop.CodeOutcomeUnknown || !errors.Is(err, errRead) {
			t.Errorf("%s, and the read after it fails: got %v (%s), want %s",
				name, err, shop.CodeOf(err), shop.CodeOutcomeUnknown)
		}
	}
}
