package mysql_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// join puts buyers on the waitlist of the doughnut, and returns their entries in order.
func (f *fixture) join(t *testing.T, buyers int) (entries []uuid.UUID) {
	t.Helper()
	for range buyers {
		e, state, err := f.JoinWaitlist(t.Context(), donut, "")
		if err != nil || state != shop.Waiting {
			t.Fatalf("got %+v, %s, %v, want a place", e, state, err)
		}
		entries = append(entries, e.ID)
	}
	return entries
}

// places returns the places of entries: 0 if stock came for a buyer, -1 if the entry expired.
func (f *fixture) places(t *testing.T, entries []uuid.UUID) (places []int) {
	t.Helper()
	for _, id := range entries {
		e, state, err := f.WaitlistEntry(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, map[shop.WaitlistState]int{shop.Waiting: e.Place, shop.Expired: -1}[state])
	}
	return places
}

func (f *fixture) checkPlaces(t *testing.T, when string, entries []uuid.UUID, want ...int) {
	t.Helper()
	if got := f.places(t, entries); !slices.Equal(got, want) {
		t.Errorf("%s the places are %v, want %v (0: answered, -1: expired)", when, got, want)
	}
	f.CheckBooks(t)
}

// Stock can come in several ways. Each calls the oldest, one for each piece, once.
func TestStockThatComesAnswersTheWaitlistInOrder(t *testing.T) {
	for name, come := range map[string]func(*fixture, *testing.T) error{
		"a delivery": func(f *fixture, t *testing.T) error {
			open, err := f.Database.Store.OpenOrders(t.Context())
			if err != nil {
				return err
			}
			_, err = f.Receive(t.Context(), shop.Delivery{
				ProductionOrderID: open[0].ID, AttemptID: newID(t), SKU: donut, Quantity: 2, Signed: 2,
			})
			return err
		},
		"an adjustment": func(f *fixture, t *testing.T) error {
			_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: 2, Reason: "found"})
			return err
		},
		"a count": func(f *fixture, t *testing.T) error {
			two := 2
			_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, To: &two, Reason: "counted"})
			return err
		},
		"an undo": func(f *fixture, t *testing.T) error {
			number := f.Number(t, `SELECT MAX(number) FROM movement WHERE cause = 'adjustment'`)
			_, err := f.Undo(t.Context(), donut, int64(number))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 1)
			f.SetBins(t, donut, 4)
			f.soldOut(t)
			if name == "an undo" { // of two pieces that were taken away
				f.SetStock(t, 2)
				_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: -2, Reason: "lost"})
				if err != nil {
					t.Fatal(err)
				}
			}
			entries := f.join(t, 4)
			f.checkPlaces(t, "at first", entries, 1, 2, 3, 4)
			if err := come(f, t); err != nil {
				t.Fatal(err)
			}
			f.checkPlaces(t, "after two pieces have come,", entries, 0, 0, 1, 2)
			if _, _, err := f.JoinWaitlist(t.Context(), donut, ""); shop.CodeOf(err) != shop.CodeInStock {
				t.Errorf("a buyer waits for a product in stock: got %v, want %s", err, shop.CodeInStock)
			}
			if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil {
				t.Fatal(err)
			}
			f.checkPlaces(t, "after a sale", entries, 0, 0, 1, 2)
		})
	}
}

func TestAnAnswerToTheWaitlistIsGivenWithItsStockOrNotAtAll(t *testing.T) {
	f := newFixture(t, 1)
	f.soldOut(t)
	entries := f.join(t, 1)
	f.Exec(t, `ALTER TABLE waitlist ADD CONSTRAINT unanswerable CHECK (answered_at IS NULL)`)
	if _, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: 1, Reason: "found"}); err == nil {
		t.Error("stock came, and its buyer was not answered")
	}
	f.checkPlaces(t, "after an adjustment that failed,", entries, 1)
	if stock := f.Stock(t); stock != 0 {
		t.Errorf("the stock is %d, want 0", stock)
	}
}

func TestARepeatedRequestToWaitIsTheSamePlace(t *testing.T) {
	f := newFixture(t, 1)
	f.soldOut(t)
	f.join(t, 1)
	first, _, err := f.JoinWaitlist(t.Context(), donut, "key")
	if err != nil || first.Place != 2 {
		t.Fatalf("got %+v, %v, want the second place", first, err)
	}
	again, _, err := f.JoinWaitlist(t.Context(), donut, "key")
	if err != nil || again.ID != first.ID || again.Place != 2 {
		t.Errorf("the request again: got %+v, %v, want %+v", again, err, first)
	}
	if _, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: 2, Reason: "found"}); err != nil {
		t.Fatal(err)
	}
	again, state, err := f.JoinWaitlist(t.Context(), donut, "key")
	if err != nil || again.ID != first.ID || state != shop.BackAgain {
		t.Errorf("the request after stock came: got %+v, %s, %v, want the same entry, answered", again, state, err)
	}
	_, _, err = f.JoinWaitlist(t.Context(), mysqltest.Twist, "key")
	if shop.CodeOf(err) != shop.CodeIdempotencyKeyReused {
		t.Errorf("the key for another product: got %v, want %s", err, shop.CodeIdempotencyKeyReused)
	}
}

func TestWhoCannotWaitIsRefused(t *testing.T) {
	f := newFixture(t, 1)
	f.soldOut(t)
	check := func(what, sku string, want shop.Code) {
		t.Helper()
		before := f.Number(t, `SELECT COUNT(*) FROM waitlist`)
		if _, _, err := f.JoinWaitlist(t.Context(), sku, ""); err == nil || shop.CodeOf(err) != want {
			t.Errorf("%s: got %v, want %s", what, err, want)
		}
		if n := f.Number(t, `SELECT COUNT(*) FROM waitlist`); n != before {
			t.Errorf("%s: %d entries are stored, want %d", what, n, before)
		}
	}
	check("an unknown product", "CP-0", shop.CodeUnknownProduct)
	check("a product in stock", mysqltest.Twist, shop.CodeInStock)
	f.Exec(t, `INSERT INTO waitlist (entry_id, product_id, number, joined_at, expires_at)
		SELECT UNHEX(LPAD(HEX(seq), 32, '0')), product_id, seq, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 DAY
		  FROM seq_1_to_10000, product WHERE sku = ? AND seq <= ?`, donut, shop.MaxWaiting)
	check("a full waitlist", donut, shop.CodeWaitlistFull)
	f.Exec(t, `UPDATE waitlist SET expires_at = UTC_TIMESTAMP(6) WHERE number = 7`)
	f.join(t, 1)
	f.Exec(t, `UPDATE product SET archived_at = UTC_TIMESTAMP(6) WHERE sku = ?`, donut)
	check("an archived product", donut, shop.CodeUnknownProduct)
	if _, _, err := f.WaitlistEntry(t.Context(), uuid.Max); shop.CodeOf(err) != shop.CodeUnknownWaitlistEntry {
		t.Errorf("an unknown entry: got %v, want %s", err, shop.CodeUnknownWaitlistEntry)
	}
}

func TestAPlaceOnAWaitlistExpiresAndIsDeletedADayLater(t *testing.T) {
	f, _ := newSweptFixture(t)
	f.soldOut(t)
	clock := time.Now()
	f.Shop.Now = func() time.Time { return clock }
	old := f.join(t, 1)
	clock = clock.Add(7*24*time.Hour - time.Second)
	entries := append(old, f.join(t, 1)...)
	f.checkPlaces(t, "a second before the end", entries, 1, 2)
	clock = clock.Add(time.Second)
	f.checkPlaces(t, "at the end", entries, -1, 1)
	waiting, err := f.Waiting(t.Context())
	if err != nil || len(waiting) != 1 || !slices.Contains(slices.Collect(maps.Values(waiting)), 1) {
		t.Errorf("got %v, %v, want one product with one buyer", waiting, err)
	}
	if _, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: 1, Reason: "found"}); err != nil {
		t.Fatal(err)
	}
	f.checkPlaces(t, "after a piece has come", entries, -1, 0)
	clock = clock.Add(24*time.Hour + time.Second)
	for range 2 {
		if _, err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := f.WaitlistEntry(t.Context(), old[0]); shop.CodeOf(err) != shop.CodeUnknownWaitlistEntry {
		t.Errorf("a day after it expired: got %v, want %s", err, shop.CodeUnknownWaitlistEntry)
	}
	f.checkPlaces(t, "after the sweep", entries[1:], 0)
}

func TestBuyersWhoWaitDeliveriesAndSweepsDoNotDeadlock(t *testing.T) {
	f := newWaitingFixture(t)
	before := f.deadlocks(t)
	f.waitAndDeliver(t, func(sku string) string { return sku })
	f.checkDeadlocks(t, before)
}

// Requests with one key for several products can deadlock while the key's entry is deleted: each of
// them waits for the entry with a shared lock. The server ends one of them, and it runs again.
func TestBuyersOfSeveralProductsWithOneKeyGetAnswers(t *testing.T) {
	newWaitingFixture(t).waitAndDeliver(t, func(string) string { return "shared" })
}

const waitingBuyers = 8

func newWaitingFixture(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, waitingBuyers+len(waitedFor)+1)
	f.soldOut(t)
	f.Exec(t, `UPDATE product SET automatic = FALSE`)
	return f
}

var waitedFor = []string{donut, mysqltest.Twist, mysqltest.Mochi}

// waitAndDeliver lets buyers wait, half of them with the key of their product, while a sweep
// deletes entries. Each product has a delivery of its own, so that two of them answer buyers at the
// same time. It checks that each buyer gets a place, or hears that the product is in stock or that
// the key belongs to another product.
func (f *fixture) waitAndDeliver(t *testing.T, keyOf func(sku string) string) {
	t.Helper()
	const deliveries = 20
	over := make(chan struct{})
	var all, delivered errgroup.Group
	repeat := func(do func() error) {
		all.Go(func() error {
			for {
				select {
				case <-over:
					return nil
				default:
				}
				if err := do(); err != nil {
					return err
				}
			}
		})
	}
	for i := range waitingBuyers {
		sku := waitedFor[i%len(waitedFor)]
		key := []string{"", keyOf(sku)}[i%2]
		repeat(func() error {
			_, _, err := f.JoinWaitlist(t.Context(), sku, key)
			if code := shop.CodeOf(err); code == shop.CodeInStock || code == shop.CodeIdempotencyKeyReused {
				return nil
			}
			return err
		})
	}
	var deleted atomic.Bool
	repeat(func() error {
		some, err := f.Database.Store.ForgetWaitlist(t.Context(), time.Now().Add(8*24*time.Hour), 10)
		if some {
			deleted.Store(true)
		}
		return err
	})
	for _, sku := range waitedFor {
		delivered.Go(func() error {
			for i := 0; i < deliveries || !deleted.Load(); i++ {
				for _, stock := range []int{0, 3} {
					_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: sku, To: &stock, Reason: "counted"})
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	err := delivered.Wait()
	close(over)
	if err = errors.Join(err, all.Wait()); err != nil {
		t.Errorf("got %v, want every buyer to get a place or to hear that the product is in stock", err)
	}
	f.CheckBooks(t)
}

// How many buyers wait for two products. A server that expects to change many rows of a table, or
// finds the table short, reads all of it, and locks what it reads.
var (
	shortWaitlists = map[string]int{donut: 2, mysqltest.Twist: 2}
	longWaitlists  = map[string]int{donut: 400, mysqltest.Twist: 4000}
)

// fillWaitlists sells two products out and makes buyers wait for them.
func (f *fixture) fillWaitlists(t *testing.T, waiting map[string]int) {
	t.Helper()
	f.Exec(t, `DELETE FROM waitlist`)
	for _, sku := range []string{mysqltest.Twist, donut} {
		if err := f.count(t, sku, 0); err != nil {
			t.Fatal(err)
		}
		f.Exec(t, `
			INSERT INTO waitlist (entry_id, product_id, number, joined_at, expires_at)
			SELECT UNHEX(REPLACE(UUID(), '-', '')), product_id, seq,
			       UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 DAY
			  FROM seq_1_to_4000, product WHERE sku = ? AND seq <= ?`, sku, waiting[sku])
	}
	f.Exec(t, `ANALYZE TABLE waitlist`) // the server counts the rows
}

// count says that a stock was counted.
func (f *fixture) count(t *testing.T, sku string, stock int) error {
	_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: sku, To: &stock, Reason: "counted"})
	return err
}

// checkWaiting checks how many products have buyers who wait.
func (f *fixture) checkWaiting(t *testing.T, products int) {
	t.Helper()
	left, err := f.Waiting(t.Context())
	if err != nil || len(left) != products {
		t.Errorf("%d products have buyers who wait, %v; want %d: the others were told", len(left), err, products)
	}
}

// TestADeliveryLocksNoWaitlistOfAnotherProduct holds the locks of another product's entries, and
// checks that a delivery does not wait for them.
func TestADeliveryLocksNoWaitlistOfAnotherProduct(t *testing.T) {
	f := newFixture(t, 1)
	f.soldOut(t)
	f.Exec(t, `UPDATE product SET automatic = FALSE`)
	for _, waiting := range []map[string]int{shortWaitlists, longWaitlists} {
		for sku, other := range map[string]string{donut: mysqltest.Twist, mysqltest.Twist: donut} {
			t.Run(fmt.Sprintf("%d of %s, %d of %s", waiting[sku], sku, waiting[other], other), func(t *testing.T) {
				f.fillWaitlists(t, waiting)
				others, err := f.Admin.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer others.Rollback()
				last := waiting[other]
				for _, number := range []int{1, last / 2, last} {
					var id uuid.UUID
					if err := others.QueryRowContext(t.Context(), `
						SELECT w.entry_id FROM waitlist w JOIN product p ON p.product_id = w.product_id
						 WHERE p.sku = ? AND w.number = ?`, other, number).Scan(&id); err != nil {
						t.Fatal(err)
					}
					if err := others.QueryRowContext(t.Context(), `
						SELECT entry_id FROM waitlist WHERE entry_id = ? FOR UPDATE`, id[:]).Scan(&id); err != nil {
						t.Fatal(err)
					}
				}
				done := make(chan error, 1)
				go func() { done <- f.count(t, sku, waiting[sku]) }()
				if waits := f.waitsForLock(t, done); waits != "" {
					others.Rollback()
					<-done
					t.Fatalf("a delivery waits for the entries of another product: %s", waits)
				}
				f.checkWaiting(t, 1)
			})
		}
	}
}

func TestDeliveriesToLongWaitlistsDoNotDeadlock(t *testing.T) {
	f := newFixture(t, 2)
	f.soldOut(t)
	f.Exec(t, `UPDATE product SET automatic = FALSE`)
	f.fillWaitlists(t, longWaitlists)
	before := f.deadlocks(t)
	var deliveries errgroup.Group
	for sku, n := range longWaitlists {
		deliveries.Go(func() error { return f.count(t, sku, n) })
	}
	if err := deliveries.Wait(); err != nil {
		t.Fatal(err)
	}
	f.checkWaiting(t, 0)
	f.checkDeadlocks(t, before)
}
