package mysql_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"restock/internal/mysql"
	"restock/internal/mysql/migrate"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// migrated returns a database of the release before that was migrated, and its new shop.
func migrated(t *testing.T, connections int) (*fixture, *goose.Provider) {
	t.Helper()
	d, provider, _ := old(t, 1)
	newOldHistory(t, d, fewSales)
	return newShop(t, d, connections), provider
}

func newShop(t *testing.T, d *mysqltest.Database, connections int) *fixture {
	t.Helper()
	if _, err := migrate.Up(t.Context(), d.Admin); err != nil {
		t.Fatal(err)
	}
	if err := migrate.User(t.Context(), d.Admin, d.User, "new"); err != nil {
		t.Fatal(err)
	}
	f := &fixture{Database: d}
	f.Database.DB = d.Open(t, d.User, "new", connections)
	f.Database.Store = mysql.NewStore(f.Database.DB)
	f.Shop = shop.Open(f.Database.Store, f, shop.Discard)
	return f
}

func filled(b byte) (id uuid.UUID) {
	for i := range id {
		id[i] = b
	}
	return id
}

// TestAProductThatAnOldFunctionCreated is created between the migration and the deployment.
func TestAProductThatAnOldFunctionCreated(t *testing.T) {
	f, _ := migrated(t, 1)
	f.Exec(t, `
		INSERT INTO product (product_id, sku, name, price, stock, max_per_sale, factory_id,
		                     reorder_point, order_up_to, lot_size, minimum_order, lead_time, automatic)
		SELECT UNHEX(REPEAT('E', 32)), 'NEW-1', 'new', 100, 5, 0, factory_id, 1, 10, 1, 0, 60, TRUE
		  FROM product WHERE sku = 'CP-502101'`)
	f.Exec(t, `INSERT INTO stock_ledger (product_id, quantity, cause, recorded_at)
		VALUES (UNHEX(REPEAT('E', 32)), 5, 'opening', UTC_TIMESTAMP(6))`)
	if _, err := f.Database.Store.Products(t.Context()); err != nil {
		t.Errorf("the list of all products: %v", err)
	}
	_, err := f.Buy(t.Context(), shop.Purchase{SKU: "NEW-1", Quantity: 1})
	if shop.CodeOf(err) != shop.CodeUnavailable {
		t.Errorf("a checkout of the product: got %v, want %s", err, shop.CodeUnavailable)
	}
	if err := f.Database.Store.ChangeProduct(t.Context(), "NEW-1", shop.ProductChange{Bins: new(int)},
		time.Now()); shop.CodeOf(err) != shop.CodeUnavailable {
		t.Errorf("a change of the product: got %v, want %s", err, shop.CodeUnavailable)
	}
	f.Exec(t, `CALL carry_over()`)
	if s, err := f.Buy(t.Context(), shop.Purchase{SKU: "NEW-1", Quantity: 1}); err != nil || s.Stock != 4 {
		t.Errorf("a checkout after carry_over: %+v, %v", s, err)
	}
	f.CheckBooks(t)
}

// The release before may have sold for years: a call carries over as many batches as there are.
func TestOneCallCarriesOverAllBatches(t *testing.T) {
	f, _ := migrated(t, 1)
	const entries = `SELECT b.entries FROM bin b JOIN product p USING (product_id) WHERE p.sku = 'CP-502102'`
	before := f.Number(t, entries)
	f.Exec(t, `
		INSERT INTO stock_ledger (product_id, quantity, cause, recorded_at)
		SELECT product_id, IF(seq MOD 2, 1, -1), 'opening', UTC_TIMESTAMP(6)
		  FROM product, seq_1_to_10100 WHERE sku = 'CP-502102'`)
	f.Exec(t, `CALL carry_over()`)
	if got, want := f.Number(t, entries), before+10_100; got != want {
		t.Errorf("the ledger in bins has %d entries, want %d", got, want)
	}
	f.CheckBooks(t)
}

// oldReceipt books a part of the open order as a function of the release before does.
func oldReceipt(t *testing.T, f *fixture, attempt string, quantity int) {
	t.Helper()
	f.Exec(t, `INSERT INTO goods_receipt (attempt_id, production_order_id, quantity, stock_left, received_at)
		 VALUES (UNHEX(REPEAT(?, 32)), UNHEX(REPEAT('B', 32)), ?, 0, UTC_TIMESTAMP(6))`, attempt, quantity)
	f.Exec(t, `UPDATE production_order SET received = received + ? WHERE status = 'open'`, quantity)
	f.Exec(t, `INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
		 SELECT product_id, ?, 'receipt', UNHEX(REPEAT(?, 32)), UTC_TIMESTAMP(6)
		   FROM product WHERE sku = 'CP-502101'`, quantity, attempt)
	f.Exec(t, `UPDATE product SET stock = stock + ? WHERE sku = 'CP-502101'`, quantity)
}

// TestACallbackThatOldAndNewFunctionsGet: the factory repeats a callback, once with a larger
// quantity. An old function has booked it in the old tables, and a new function gets the
// repetition.
func TestACallbackThatOldAndNewFunctionsGet(t *testing.T) {
	f, _ := migrated(t, 1)
	want := f.Stock(t)
	for attempt, quantities := range map[byte][2]int{3: {7, 7}, 4: {7, 10}} {
		oldReceipt(t, f, string('0'+rune(attempt)), quantities[0])
		if _, err := f.Receive(t.Context(), shop.Delivery{
			ProductionOrderID: filled(0xBB), AttemptID: filled(attempt<<4 | attempt), SKU: donut,
			Quantity: quantities[1], Signed: 100,
		}); err != nil {
			t.Error(err)
		}
		want += quantities[1]
	}
	if _, err := f.Admin.ExecContext(t.Context(), `CALL carry_over()`); err != nil {
		t.Errorf("carry_over: %v", err)
	}
	if got := f.Stock(t); got != want {
		t.Errorf("%d are on hand, want %d: each attempt was delivered once", got, want)
	}
	f.CheckBooks(t)
}

// TestTheNextDeploymentCarriesOver: an old function books a delivery after the migration. Nobody
// calls carry_over by hand.
func TestTheNextDeploymentCarriesOver(t *testing.T) {
	f, _ := migrated(t, 1)
	stock := f.Stock(t)
	oldReceipt(t, f, "3", 7)
	if _, err := migrate.Up(t.Context(), f.Admin); err != nil {
		t.Fatal(err)
	}
	if got := f.Stock(t); got != stock+7 {
		t.Errorf("%d are on hand, want %d: 7 were delivered", got, stock+7)
	}
	f.CheckBooks(t)
}

// TestASaleWithTheKeyOfAnAdjustmentThatWasCarriedOver: the adjustment is in the first batch, the
// sale comes before the second.
func TestASaleWithTheKeyOfAnAdjustmentThatWasCarriedOver(t *testing.T) {
	d, provider, oldDB := old(t, 1)
	newOldHistory(t, d, manySales)
	// The old shop sells between the two calls of carry_over. The test runs the statements of the
	// migration in this order by running carry_over of a migrated copy first.
	if _, err := provider.UpTo(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	carry := carryOver(t)
	for _, s := range carry {
		d.Exec(t, s)
	}
	d.Exec(t, `CALL carry_over()`)
	if outcome, err := oldCheckout(t.Context(), oldDB, donut, "stocktake"); err != nil || outcome != "sold" {
		t.Fatalf("an old sale with the key of an adjustment: %s, %v; want it sold", outcome, err)
	}
	if _, err := migrate.Up(t.Context(), d.Admin); err != nil {
		t.Error(err)
	}
	if got, want := d.Stock(t), oldStock(manySales)-1; got != want {
		t.Errorf("%d are on hand, want %d", got, want)
	}
	d.CheckBooks(t)
}

// TestCarryOverInARush calls carry_over while the new shop sells.
func TestCarryOverInARush(t *testing.T) {
	for _, scarce := range []bool{false, true} {
		t.Run(fmt.Sprintf("scarce %t", scarce), func(t *testing.T) { carryOverInARush(t, scarce) })
	}
}

func carryOverInARush(t *testing.T, scarce bool) {
	const buyers, calls = 8, 100
	f, _ := migrated(t, buyers)
	f.SetBins(t, donut, 4)
	before := f.deadlocks(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	var sold atomic.Int64
	for range buyers {
		all.Go(func() {
			for ctx.Err() == nil {
				_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
				if refused(err) != nil {
					t.Errorf("a buyer: %v", err)
					return
				}
				if err == nil {
					sold.Add(1)
				}
			}
		})
	}
	all.Go(func() { // every sale locks all bins
		for scarce && ctx.Err() == nil {
			_, _ = f.Admin.ExecContext(ctx, `UPDATE product SET scarce = TRUE WHERE sku = ?`, donut)
		}
	})
	failed := 0
	for i := range calls {
		if i%(calls/5) == 0 {
			oldReceipt(t, f, fmt.Sprintf("%X", 3+i/(calls/5)), 1)
		}
		if _, err := f.Admin.ExecContext(t.Context(), `CALL carry_over()`); err != nil {
			if failed++; failed <= 3 {
				t.Errorf("carry_over: %v", err)
			}
		}
	}
	cancel()
	all.Wait()
	t.Logf("%d sold, carry_over failed %d times of %d, %d deadlocks", sold.Load(), failed, calls, f.deadlocks(t)-before)
	f.Exec(t, `CALL carry_over()`)
	if got, want := f.Stock(t), oldStock(fewSales)+5-int(sold.Load()); got != want {
		t.Errorf("%d are on hand, want %d", got, want)
	}
	f.CheckBooks(t)
}

// TestBooksThatWereWrongBefore: the old ledger does not add up to the stock.
func TestBooksThatWereWrongBefore(t *testing.T) {
	for _, wrong := range []int{-1, 1} {
		d, _, _ := old(t, 1)
		newOldHistory(t, d, fewSales)
		d.Exec(t, `UPDATE product SET stock = stock + ? WHERE sku = 'CP-502101'`, wrong)
		_, err := migrate.Up(t.Context(), d.Admin)
		if err == nil {
			t.Errorf("with %d more than in the ledger: migrated without an error, %d are on hand", wrong, d.Stock(t))
		}
	}
}

// TestTwoCarryOversAtOnce runs them on two connections.
func TestTwoCarryOversAtOnce(t *testing.T) {
	d, provider, _ := old(t, 1)
	newOldHistory(t, d, manySales)
	if _, err := provider.UpTo(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	for _, s := range carryOver(t) {
		d.Exec(t, s)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if _, err := d.Admin.ExecContext(t.Context(), `CALL carry_over()`); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, want := d.Stock(t), oldStock(manySales); got != want {
		t.Errorf("%d are on hand, want %d", got, want)
	}
	if _, err := provider.Up(t.Context()); err != nil { // the rules read columns of later migrations
		t.Fatal(err)
	}
	d.CheckBooks(t)
}

// carryOver returns the statements of migration 00010 up to its first call of carry_over.
func carryOver(t *testing.T) []string {
	t.Helper()
	file, err := os.ReadFile("migrate/migrations/00010_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	up, _, found := strings.Cut(string(file), "\nCALL carry_over();")
	if !found {
		t.Fatal("00010_ledger.sql does not call carry_over")
	}
	var statements []string
	up = up[strings.Index(up, "SET SESSION"):]
	begin := strings.Index(up, "CREATE OR REPLACE PROCEDURE carry_over")
	for _, s := range strings.Split(up[:begin], ";") {
		if i := strings.LastIndex(s, "\n\n"); i >= 0 {
			s = s[i:] // without the comments before
		}
		if strings.Contains(s, "CREATE TABLE") || strings.Contains(s, "ALTER TABLE") {
			statements = append(statements, s)
		}
	}
	procedure := up[begin:]
	return append(statements, procedure[:strings.Index(procedure, "\n-- +goose StatementEnd")])
}
