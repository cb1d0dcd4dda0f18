package mysql_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"restock/internal/mysql/invariants"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// archive archives the doughnut, or puts it on sale again.
func (f *fixture) archive(tb testing.TB, archived bool) (shop.Product, error) {
	tb.Helper()
	return f.ChangeProduct(tb.Context(), donut, shop.ProductChange{Archived: &archived})
}

// emptyAndArchive books the doughnut's stock out, cancels its open order, and archives it.
func (f *fixture) emptyAndArchive(tb testing.TB) error {
	tb.Helper()
	_, err := f.Adjust(tb.Context(), shop.Adjustment{SKU: donut, To: ptr(0), Reason: "spoilt"})
	if err != nil {
		return err
	}
	open, _, err := f.ProductionOrders(tb.Context(), shop.OrderFilter{SKU: donut, Status: shop.OrderOpen, Limit: 1})
	if err != nil {
		return err
	}
	for _, o := range open {
		if _, err := f.CancelOrder(tb.Context(), o.ID); err != nil {
			return err
		}
	}
	_, err = f.archive(tb, true)
	return err
}

func TestAnArchivedProductIsNeitherSoldNorOrdered(t *testing.T) {
	f := newFixture(t, 1)
	_, err := f.archive(t, true)
	if shop.CodeOf(err) != shop.CodeProductInUse || !strings.Contains(err.Error(), "3 of CP-502101 are on hand") {
		t.Fatalf("with stock on hand: got %v, want %s", err, shop.CodeProductInUse)
	}
	checkCommands(t, err, "shop set CP-502101 --automatic=false", "shop adjust CP-502101 --to 0 --reason archived")
	order := f.soldOut(t)
	_, err = f.archive(t, true)
	if shop.CodeOf(err) != shop.CodeProductInUse ||
		!strings.Contains(err.Error(), order.ID.String()+" of CP-502101 is open: wait for its goods") {
		t.Fatalf("with an open order: got %v, want %s", err, shop.CodeProductInUse)
	}
	checkCommands(t, err, "shop set CP-502101 --automatic=false", "shop cancel "+order.ID.String())
	if _, err := f.CancelOrder(t.Context(), order.ID); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p, err := f.archive(t, true)
		if err != nil || p.ArchivedAt.IsZero() || p.Policy.Automatic || p.Suggestion() != 0 {
			t.Fatalf("got %+v, %v; want an archived product", p, err)
		}
	}

	published := len(f.published)
	_, err = f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
	if shop.CodeOf(err) != shop.CodeOutOfStock {
		t.Errorf("a purchase: got %v, want %s", err, shop.CodeOutOfStock)
	}
	for what, call := range map[string]func() error{
		"an order by hand": func() error { _, err := f.OpenOrder(t.Context(), donut, 5); return err },
		"a change": func() error {
			_, err := f.ChangeProduct(t.Context(), donut, shop.ProductChange{Automatic: ptr(true)})
			return err
		},
	} {
		err := call()
		if shop.CodeOf(err) != shop.CodeProductArchived {
			t.Errorf("%s: got %v, want %s", what, err, shop.CodeProductArchived)
		}
		checkCommands(t, err, "shop archive --undo CP-502101")
	}
	if len(f.published) != published {
		t.Errorf("published %+v for an archived product", f.published[published:])
	}
	f.CheckBooks(t)

	p, err := f.archive(t, false)
	if err != nil || !p.ArchivedAt.IsZero() || !p.Policy.Automatic || len(f.published) != published+1 {
		t.Errorf("on sale again: got %+v, %v and %d orders; want it automatic, and an order", p, err,
			len(f.published)-published)
	}
	f.CheckBooks(t)

	f.Exec(t, `UPDATE product SET archived_at = UTC_TIMESTAMP(6) WHERE sku = ?`, mysqltest.Twist)
	if err := invariants.Check(t.Context(), f.Admin, invariants.Always); err == nil ||
		!strings.Contains(err.Error(), "an archived product has stock or an open order") {
		t.Errorf("the books with an archived product that has stock: got %v, want it named", err)
	}
}

// checkCommands checks the commands that an error advises. Its detail has none of them, because
// only the reader knows with which flags to run them.
func checkCommands(t *testing.T, err error, want ...string) {
	t.Helper()
	var e *shop.Error
	if !errors.As(err, &e) || !slices.Equal(e.Commands, want) || strings.Contains(e.Detail, "shop set") ||
		strings.Contains(e.Detail, "shop archive") {
		t.Errorf("got %#v, want the commands %q, apart from the detail", err, want)
	}
}

func TestGoodsOfAnArchivedProductPutItOnSaleAgain(t *testing.T) {
	for name, come := range map[string]func(*fixture, shop.ProductionOrder) error{
		"a late delivery": func(f *fixture, o shop.ProductionOrder) error {
			_, err := f.Receive(t.Context(), shop.Delivery{
				ProductionOrderID: o.ID, AttemptID: uuid.New(), SKU: donut, Quantity: 5, Signed: 5,
			})
			return err
		},
		"a count": func(f *fixture, _ shop.ProductionOrder) error {
			_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, To: ptr(5), Reason: "found"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 1)
			order := f.soldOut(t)
			if _, err := f.CancelOrder(t.Context(), order.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := f.archive(t, true); err != nil {
				t.Fatal(err)
			}
			if err := come(f, order); err != nil {
				t.Fatal(err)
			}
			p, err := f.Database.Store.Product(t.Context(), donut)
			if err != nil || p.Stock != 5 || !p.ArchivedAt.IsZero() || p.Policy.Automatic {
				t.Errorf("got %+v, %v; want 5 on sale, and no automatic orders", p, err)
			}
			f.CheckBooks(t)

			// The undo returns the automatic orders, also after the product was archived twice.
			if p, err := f.archive(t, false); err != nil || !p.Policy.Automatic {
				t.Errorf("after the undo: got %+v, %v; want it automatic", p, err)
			}
			for range 2 {
				f.Exec(t, `UPDATE product SET archived_at = NULL WHERE sku = ?`, donut) // as the goods do
				if err := f.emptyAndArchive(t); err != nil {
					t.Fatal(err)
				}
			}
			if p, err := f.archive(t, false); err != nil || !p.Policy.Automatic {
				t.Errorf("after an undo of two: got %+v, %v; want it automatic", p, err)
			}
			f.CheckBooks(t)

			// The merchant's own choice is newer than what the undo returns.
			if err := f.emptyAndArchive(t); err != nil {
				t.Fatal(err)
			}
			f.Exec(t, `UPDATE product SET archived_at = NULL WHERE sku = ?`, donut)
			if _, err := f.ChangeProduct(t.Context(), donut, shop.ProductChange{Automatic: ptr(false)}); err != nil {
				t.Fatal(err)
			}
			if p, err := f.archive(t, false); err != nil || p.Policy.Automatic {
				t.Errorf("after the merchant's own choice: got %+v, %v; want no automatic orders", p, err)
			}
		})
	}
}

// Whatever comes first, an archived product has neither stock nor an open order. Chance decides
// when the product can be archived. So the test goes on until goods have put it on sale often
// enough.
func TestArchivingAgainstBuyersDeliveriesAndCounts(t *testing.T) {
	const enough, most = 20, 1000
	f := newFixture(t, 4)
	f.SetBins(t, donut, 3)
	order := f.soldOut(t)
	var group errgroup.Group
	var done atomic.Bool
	work := func(seed uint64, do func(*rand.Rand) error) {
		group.Go(func() error {
			r := rand.New(rand.NewPCG(seed, 0))
			for !done.Load() {
				switch err := do(r); shop.CodeOf(err) {
				case shop.CodeProductInUse, shop.CodeProductArchived, shop.CodeOutOfStock, shop.CodeOrderOpen,
					shop.CodeOrderNotOpen:
				default:
					if err != nil {
						done.Store(true)
						return err
					}
				}
			}
			return nil
		})
	}
	archived, calls, archives, returned := false, 0, 0, 0 // archived: by the latest call
	work(1, func(r *rand.Rand) error {
		calls++
		archive := r.IntN(10) > 0
		_, err := f.archive(t, archive)
		switch {
		case archived && shop.CodeOf(err) == shop.CodeProductInUse:
			returned++ // an archived product has no stock: goods have come
		case archive && err == nil:
			archives++
		}
		archived = archive && err == nil
		done.Store(returned == enough || calls == most)
		return err
	})
	work(2, func(r *rand.Rand) error {
		_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1 + r.IntN(3)})
		return err
	})
	work(3, func(r *rand.Rand) error {
		if r.IntN(2) == 0 {
			_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, To: ptr(r.IntN(2)), Reason: "counted"})
			return err
		}
		_, err := f.Receive(t.Context(), shop.Delivery{
			ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Quantity: 1, Signed: 1,
		})
		return err
	})
	work(4, func(*rand.Rand) error {
		open, _, err := f.ProductionOrders(t.Context(), shop.OrderFilter{SKU: donut, Status: shop.OrderOpen, Limit: 1})
		if err != nil || len(open) == 0 {
			return err
		}
		_, err = f.CancelOrder(t.Context(), open[0].ID)
		return err
	})
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if returned < enough {
		t.Errorf("in %d calls: archived %d times, and goods put it on sale again %d times, want %d",
			calls, archives, returned, enough)
	}
	f.CheckBooks(t)
}

func TestAProductHasNamesInOtherLanguages(t *testing.T) {
	f := newFixture(t, 1)
	name := func(language, name string) error {
		_, err := f.ChangeProduct(t.Context(), donut, shop.ProductChange{Language: &language, Name: &name})
		return err
	}
	check := func(want map[string]string) {
		t.Helper()
		p, err := f.Database.Store.Product(t.Context(), donut)
		if err != nil || p.Name != "부산도너츠" || fmt.Sprint(p.Names) != fmt.Sprint(want) {
			t.Errorf("got %q and the names %v, %v; want %v", p.Name, p.Names, err, want)
		}
	}
	check(map[string]string{"en": "Busan doughnut"}) // of the catalogue
	for _, n := range [][2]string{{"en", "Busan ring"}, {"zh-Hant", `甜甜圈 "釜山"`}, {"fr", "Beignet"}, {"fr", ""}} {
		if err := name(n[0], n[1]); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	check(map[string]string{"en": "Busan ring", "zh-Hant": `甜甜圈 "釜山"`})
	for _, n := range [][2]string{{"English", "x"}, {`e"`, "x"}, {"", "x"}, {"en", " x"}, {"en", "a\nb"}} {
		if err := name(n[0], n[1]); shop.CodeOf(err) != shop.CodeInvalidProduct {
			t.Errorf("the name %q: got %v, want %s", n, err, shop.CodeInvalidProduct)
		}
	}
	language := "en"
	_, err := f.ChangeProduct(t.Context(), donut, shop.ProductChange{Language: &language, Price: ptr(int64(1))})
	if shop.CodeOf(err) != shop.CodeInvalidProduct {
		t.Errorf("a language without a name: got %v, want %s", err, shop.CodeInvalidProduct)
	}
}
