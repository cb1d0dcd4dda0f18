package mysql_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"restock/internal/mysql"
	"restock/internal/mysql/migrate"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/test/await"
)

const donut = mysqltest.Donut

func TestMain(m *testing.M) { mysqltest.Main(m) }

// A fixture is a shop with its own database. It publishes to a list.
type fixture struct {
	*shop.Shop
	*mysqltest.Database

	mu        sync.Mutex // guards published
	published []shop.ProductionOrder
}

func (f *fixture) Publish(_ context.Context, o shop.ProductionOrder) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.published = append(f.published, o)
	return nil
}

func newFixture(tb testing.TB, connections int) *fixture {
	tb.Helper()
	f := &fixture{Database: mysqltest.New(tb, connections)}
	f.Shop = shop.Open(f.Database.Store, f, shop.Discard)
	return f
}

func (f *fixture) setPolicy(tb testing.TB, p shop.Policy) {
	tb.Helper()
	f.Exec(tb, `UPDATE product SET reorder_point = ?, order_up_to = ?, lot_size = ? WHERE sku = ?`,
		p.ReorderPoint, p.OrderUpTo, p.LotSize, donut)
	f.SetStock(tb, f.Stock(tb)) // sets the floors
}

func TestConcurrentBuyersGetExactlyWhatIsThere(t *testing.T) {
	const buyers, checkouts, stock = 64, 1000, 300
	f := newFixture(t, buyers)
	f.SetStock(t, stock)
	var mu sync.Mutex
	outcomes := map[shop.Code]int{}
	var group errgroup.Group
	group.SetLimit(buyers)
	for range checkouts {
		group.Go(func() error {
			_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				outcomes["sold"]++
				return nil
			}
			outcomes[shop.CodeOf(err)]++
			if shop.CodeOf(err) != shop.CodeOutOfStock {
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if outcomes["sold"] != stock || outcomes[shop.CodeOutOfStock] != checkouts-stock {
		t.Errorf("outcomes are %v, want %d sold and the others refused", outcomes, stock)
	}
	if got := f.Number(t, `SELECT COUNT(*) FROM sale`); got != stock {
		t.Errorf("%d sales are stored, want %d", got, stock)
	}
	if len(f.published) != 1 || f.published[0].Quantity != 100 {
		t.Errorf("published %+v, want one order of 100", f.published)
	}
	f.CheckBooks(t)

	f.DB.Close()
	await.Until(t, "all connections are closed", func() bool {
		return f.Number(t, `SELECT COUNT(*) FROM information_schema.processlist WHERE user = ?`, f.User) == 0
	})
}

func TestConcurrentBuyersAboveTheReorderPointOpenOneOrder(t *testing.T) {
	// Different quantities cross the reorder point at different positions, many at a time.
	f := newFixture(t, 16)
	f.setPolicy(t, shop.Policy{ReorderPoint: 40, OrderUpTo: 100, LotSize: 10})
	f.SetStock(t, 50)
	var group errgroup.Group
	for i := range 48 {
		group.Go(func() error {
			_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1 + i%3})
			if err != nil && shop.CodeOf(err) != shop.CodeOutOfStock {
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	f.CheckBooks(t)
	if len(f.published) != 1 {
		t.Fatalf("published %d orders, want 1", len(f.published))
	}
	if got := f.published[0].Quantity; got != 60 && got != 70 {
		t.Errorf("ordered %d, want the lots of 10 that raise a position of 38 to 40 to 100", got)
	}
}

func TestCheckoutTakesOneRoundTripAndTwoWhenItOrders(t *testing.T) {
	f := newFixture(t, 1)
	w := newWire(t, f.Database, 0)
	buyer := shop.Open(mysql.NewStore(f.OpenAt(t, w.port(), 1)), f, shop.Discard)
	if _, err := buyer.Store.Products(t.Context()); err != nil { // opens the connection
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		purchase shop.Purchase
		want     int64
	}{
		{"a sale", shop.Purchase{SKU: donut, Quantity: 1}, 1},
		{"a sale with a key", shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: "key"}, 1},
		{"a repeated sale", shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: "key"}, 1},
		{"a sale that opens an order, publishes it and marks it as published",
			shop.Purchase{SKU: donut, Quantity: 1}, 2 + 1},
		{"a refusal", shop.Purchase{SKU: donut, Quantity: 1}, 1},
	} {
		before := w.trips()
		if _, err := buyer.Buy(t.Context(), c.purchase); err != nil && shop.CodeOf(err) != shop.CodeOutOfStock {
			t.Fatal(err)
		}
		if got := w.trips() - before; got != c.want {
			t.Errorf("%s: %d round trips, want %d", c.name, got, c.want)
		}
	}
}

func TestRoundTripsOfAReceipt(t *testing.T) {
	f := newFixture(t, 1)
	w := newWire(t, f.Database, 0)
	store := mysql.NewStore(f.OpenAt(t, w.port(), 1))
	if _, err := store.Products(t.Context()); err != nil { // opens the connection
		t.Fatal(err)
	}
	order := f.soldOut(t)
	attempt := newID(t)
	// One read before the transaction; then START TRANSACTION, three reads, the changes and COMMIT.
	// The changes are the order and the movement, and a read of the waitlist follows the movement.
	const readsAndCommit = 1 + 1 + 3 + 1
	for _, c := range []struct {
		name     string
		quantity int
		want     int64
	}{
		{"the first callback, with a part of the quantity", 60, readsAndCommit + 3},
		{"the same again", 60, readsAndCommit},
		{"a correction that completes the order, with its notice", 100, readsAndCommit + 3 + 1 + 1},
	} {
		before := w.trips()
		_, err := store.Receive(t.Context(), shop.Delivery{
			ProductionOrderID: order.ID, AttemptID: attempt, SKU: donut, Quantity: c.quantity, Signed: 100,
			CorrectionID: newID(t), At: time.Now(),
		})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := w.trips() - before; got != c.want {
			t.Errorf("%s took %d round trips, want %d", c.name, got, c.want)
		}
	}
}

func TestPlanForAnotherPositionChangesNothing(t *testing.T) {
	f := newFixture(t, 1)
	policy := shop.Policy{ReorderPoint: 2, OrderUpTo: 10, LotSize: 1, LeadTime: time.Minute, Automatic: true}
	f.setPolicy(t, policy)
	for _, plan := range []*shop.Plan{nil, {ProductionOrderID: uuid.New(), Position: 1, Quantity: 9}} {
		got, err := f.Database.Store.Checkout(t.Context(), shop.Checkout{
			Purchase: shop.Purchase{SKU: donut, Quantity: 1}, SaleID: uuid.New(), At: time.Now(), Plan: plan,
		})
		if err != nil || got.Outcome != shop.Undecided || got.Position != 2 || got.Policy != policy {
			t.Errorf("plan %+v at position 2: got %+v, %v; want undecided, the position and the policy", plan, got, err)
		}
	}
	if sales, stock := f.Number(t, `SELECT COUNT(*) FROM sale`), f.Stock(t); sales != 0 || stock != 3 {
		t.Errorf("%d sales, stock %d after undecided checkouts, want 0 and 3", sales, stock)
	}
	f.CheckBooks(t)
}

func TestDatabaseRefusesASecondOpenOrder(t *testing.T) {
	f := newFixture(t, 1)
	f.soldOut(t)
	_, err := f.Admin.ExecContext(t.Context(), `
		INSERT INTO production_order (production_order_id, product_id, factory_id, quantity, opened_at, asked_at)
		SELECT UNHEX(REPLACE(UUID(), '-', '')), product_id, factory_id, 1, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)
		  FROM product WHERE sku = ?`, donut)
	if err == nil || !strings.Contains(err.Error(), "production_order_open") {
		t.Errorf("a second open order: got %v, want the unique key's error", err)
	}
}

// A mistake in a procedure or a function must not store what makes no sense.
func TestDatabaseRefusesImpossibleRows(t *testing.T) {
	f := newFixture(t, 1)
	f.soldOut(t)
	for constraint, statement := range map[string]string{
		"bin_stock_is_not_negative":             `UPDATE bin SET stock = -1`,
		"production_order_quantity_is_positive": `UPDATE production_order SET quantity = 0`,
		"production_order_is_open_or_closed":    `UPDATE production_order SET status = 'failed'`,
		"notice_is_due_or_told": `
			INSERT INTO notice (kind, subject_id, production_order_id, quantity, raised_at)
			SELECT 'surplus', production_order_id, production_order_id, 1, UTC_TIMESTAMP(6) FROM production_order`,
	} {
		_, err := f.Admin.ExecContext(t.Context(), statement)
		if err == nil || !strings.Contains(err.Error(), constraint) {
			t.Errorf("%s: got %v, want the error of %s", statement, err, constraint)
		}
	}
}

func TestAnOrderThatHasChangedIsNeitherAskedForNorClosed(t *testing.T) {
	f := newFixture(t, 1)
	before := f.soldOut(t)
	_, err := f.Receive(t.Context(), shop.Delivery{
		ProductionOrderID: before.ID, AttemptID: uuid.New(), SKU: donut, Quantity: 40, Signed: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	if claimed, err := f.ClaimAsk(t.Context(), before, time.Now()); claimed || err != nil {
		t.Errorf("asking again after a part came: got %v, %v; want no claim", claimed, err)
	}
	after, err := f.ProductionOrder(t.Context(), before.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		order  shop.ProductionOrder
		status shop.OrderStatus
		want   bool
	}{{before, shop.OrderFailed, false}, {after, shop.OrderCancelled, true}, {after, shop.OrderShort, false}} {
		closed, err := f.Database.Store.CloseOrder(t.Context(), c.order, c.status, time.Now())
		if closed != c.want || err != nil {
			t.Errorf("closing the order as %s: got %v, %v; want %v", c.status, closed, err, c.want)
		}
	}
	if o, err := f.ProductionOrder(t.Context(), before.ID); err != nil || o.Status != shop.OrderCancelled {
		t.Errorf("got %+v, %v; want the order cancelled", o, err)
	}
}

func TestAnOrderKnowsTheRequestThatOpenedIt(t *testing.T) {
	f := newFixture(t, 1)
	ctx := shop.WithCorrelation(t.Context(), "request-1")
	if _, err := f.Buy(ctx, shop.Purchase{SKU: donut, Quantity: 3}); err != nil {
		t.Fatal(err)
	}
	ids := column(t, f.Database, `SELECT correlation FROM production_order`)
	if want := []string{"request-1"}; !slices.Equal(ids, want) {
		t.Errorf("the orders have the correlation ids %q, want %q", ids, want)
	}
}

func TestRefusedBuyersOrderOnce(t *testing.T) {
	f := newFixture(t, 16)
	f.SetStock(t, 0) // sold out, and no order is open yet
	var group errgroup.Group
	for range 500 {
		group.Go(func() error {
			sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
			if shop.CodeOf(err) != shop.CodeOutOfStock || sale.Stock != 0 {
				return fmt.Errorf("got %+v, %v; want a refusal", sale, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if len(f.published) != 1 {
		t.Errorf("%d orders are published, want 1", len(f.published))
	}
	if got := f.Number(t, `SELECT COUNT(*) FROM production_order`); got != 1 {
		t.Errorf("%d production orders are stored, want 1", got)
	}
	f.CheckBooks(t)
}

func TestRefusalSaysTheStockAndOrdersNothingAboveTheReorderPoint(t *testing.T) {
	f := newFixture(t, 1)
	sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 5})
	if shop.CodeOf(err) != shop.CodeOutOfStock || sale.Stock != 3 {
		t.Errorf("buying 5 of 3: got %+v, %v; want a refusal that says 3", sale, err)
	}
	if len(f.published) != 0 {
		t.Errorf("published %+v, want nothing: 3 are still there", f.published)
	}
	f.CheckBooks(t)
}

func TestIdempotencyKeyMakesARepeatedPurchaseTheSameSale(t *testing.T) {
	f := newFixture(t, 16)
	f.SetStock(t, 10)
	purchase := shop.Purchase{SKU: donut, Quantity: 2, IdempotencyKey: "one click"}
	var group errgroup.Group
	var mu sync.Mutex
	sales, first := map[uuid.UUID]int{}, 0
	for range 16 {
		group.Go(func() error {
			sale, err := f.Buy(t.Context(), purchase)
			if err != nil || sale.Stock != 8 || sale.UnitPrice != 19900 {
				return fmt.Errorf("got %+v, %v; want a sale that leaves 8", sale, err)
			}
			mu.Lock()
			defer mu.Unlock()
			sales[sale.ID]++
			if !sale.Repeated {
				first++
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if len(sales) != 1 || first != 1 {
		t.Errorf("16 repeats made sales %v, of which %d say that they are the first; want one", sales, first)
	}
	f.SetStock(t, 0)
	if sale, err := f.Buy(t.Context(), purchase); err != nil || !sale.Repeated || sale.Stock != 8 {
		t.Errorf("a repetition after the product is sold out: got %+v, %v; want the first answer", sale, err)
	}
	other := shop.Purchase{SKU: donut, Quantity: 3, IdempotencyKey: purchase.IdempotencyKey}
	if _, err := f.Buy(t.Context(), other); shop.CodeOf(err) != shop.CodeIdempotencyKeyReused {
		t.Errorf("Buy(%+v) with a used key: got %v, want %s", other, err, shop.CodeIdempotencyKeyReused)
	}
	f.CheckBooks(t)
}

func TestRepeatedPurchaseGetsItsAnswerAfterTheProductChanged(t *testing.T) {
	for _, c := range []struct{ name, change string }{
		{"nothing changed", `UPDATE product SET name = name`},
		{"it has another price", `UPDATE product SET price = 1`},
		{"it has a lower limit per sale", `UPDATE product SET max_per_sale = 1`},
		{"it is below its reorder point", `UPDATE product SET reorder_point = 50`},
		{"it is sold out and automatic", `UPDATE bin SET stock = 0`},
		{"it is sold out and not automatic",
			`UPDATE bin b JOIN product p USING (product_id) SET b.stock = 0, p.automatic = FALSE`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, 1)
			f.SetStock(t, 10)
			purchase := shop.Purchase{SKU: donut, Quantity: 2, IdempotencyKey: "key"}
			first, err := f.Buy(t.Context(), purchase)
			if err != nil {
				t.Fatal(err)
			}
			f.Exec(t, c.change)
			stock := f.Stock(t)
			again, err := f.Buy(t.Context(), purchase)
			first.Repeated = true
			if err != nil || again != first {
				t.Errorf("got %+v, %v; want %+v", again, err, first)
			}
			if got := f.Stock(t); got != stock || f.Number(t, `SELECT COUNT(*) FROM sale`) != 1 ||
				len(f.published) != 0 {
				t.Errorf("the stock went from %d to %d, %d orders were opened; want one sale, and nothing else",
					stock, got, len(f.published))
			}
		})
	}
}

func TestIdempotencyKeyOfAnotherProductIsRefused(t *testing.T) {
	f := newFixture(t, 1)
	if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: "key"}); err != nil {
		t.Fatal(err)
	}
	sale, err := f.Buy(t.Context(), shop.Purchase{SKU: mysqltest.Twist, Quantity: 1, IdempotencyKey: "key"})
	if shop.CodeOf(err) != shop.CodeIdempotencyKeyReused {
		t.Errorf("the key with another product: got %+v, %v; want %s", sale, err, shop.CodeIdempotencyKeyReused)
	}
}

func TestCheckoutThatFailsInTheMiddleLeavesNothingAndNoTransaction(t *testing.T) {
	f := newFixture(t, 1) // the next checkout uses the same connection
	f.Exec(t, `ALTER TABLE movement ADD CONSTRAINT out_of_order CHECK (cause <> 'sale')`)
	if sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err == nil {
		t.Fatalf("got %+v, want an error", sale)
	}
	// The statement waits for transactions that have read the table.
	f.Exec(t, `ALTER TABLE movement WAIT 5 DROP CONSTRAINT out_of_order`)
	if sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil || sale.Stock != 2 {
		t.Errorf("the next checkout: got %+v, %v; want a sale that leaves 2", sale, err)
	}
	f.CheckBooks(t)
}

func TestLedgerNamesTheCauseOfEachEntry(t *testing.T) {
	f := newFixture(t, 1)
	order := f.soldOut(t)
	attempt := uuid.New()
	d := shop.Delivery{ProductionOrderID: order.ID, AttemptID: attempt, SKU: donut, Quantity: 100, Signed: 100}
	if _, err := f.Receive(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, query string }{
		{"the sale", `
			SELECT COUNT(*) FROM sale WHERE quantity = 3 AND unit_price = 19900 AND correlation = ''`},
		{"the receipt", `
			SELECT COUNT(*) FROM goods_receipt r JOIN production_order o USING (production_order_id)
			 WHERE r.quantity = 100 AND r.attempt_id = '` + attempt.String() + `'`},
	} {
		if got := f.Number(t, c.query); got != 1 {
			t.Errorf("%d entries of the ledger are of %s, want 1", got, c.what)
		}
	}
}

func TestUnknownProducts(t *testing.T) {
	f := newFixture(t, 1)
	for _, sku := range []string{
		"CP-000000", "cp-502101", "CP-502101 ", "", "부산도너츠", "' OR 1=1 -- ", fmt.Sprintf("%0100d", 1),
	} {
		_, err := f.Buy(t.Context(), shop.Purchase{SKU: sku, Quantity: 1})
		if shop.CodeOf(err) != shop.CodeUnknownProduct {
			t.Errorf("Buy of %q: got %v, want %s", sku, err, shop.CodeUnknownProduct)
		}
		if _, err := f.Database.Store.Product(t.Context(), sku); shop.CodeOf(err) != shop.CodeUnknownProduct {
			t.Errorf("Product(%q): got %v, want %s", sku, err, shop.CodeUnknownProduct)
		}
	}
}

func TestCatalogueIsStoredAsItIsWritten(t *testing.T) {
	f := newFixture(t, 1)
	products, err := f.Database.Store.Products(t.Context())
	if err != nil || len(products) != 3 {
		t.Fatalf("got %+v, %v; want three products", products, err)
	}
	for i, want := range []shop.Product{
		{SKU: donut, Name: "부산도너츠", Names: map[string]string{"en": "Busan doughnut"},
			Price: 19900, Stock: 3, Bins: 1,
			Policy: shop.Policy{ReorderPoint: 0, OrderUpTo: 100, LotSize: 100, Automatic: true}},
		{SKU: mysqltest.Twist, Name: "꽈배기", Names: map[string]string{"en": "Twisted doughnut"},
			Price: 2500, Stock: 60, Bins: 1, MaxPerSale: 20,
			Policy: shop.Policy{ReorderPoint: 20, OrderUpTo: 100, LotSize: 20, MinimumOrder: 40, Automatic: true}},
		{SKU: mysqltest.Mochi, Name: "찹쌀도너츠", Names: map[string]string{"en": "Sweet rice doughnut balls"},
			Price: 3200, Stock: 30, Bins: 1, MaxPerSale: 5,
			Policy: shop.Policy{ReorderPoint: 10, OrderUpTo: 60, LotSize: 10}},
	} {
		want.ID, want.Factory, want.Policy.LeadTime = products[i].ID, "FF-500293", time.Minute
		if !reflect.DeepEqual(products[i], want) || want.ID == uuid.Nil {
			t.Errorf("product %d of the catalogue is %+v, want %+v", i, products[i], want)
		}
	}
	f.CheckBooks(t)
}

func TestFunctionsUserHasNoFurtherRights(t *testing.T) {
	f := newFixture(t, 1)
	for _, statement := range []string{
		`DELETE FROM movement`, `UPDATE movement SET quantity = 0`, `UPDATE movement SET stock_left = 0`,
		`ALTER TABLE movement ADD COLUMN x INT`, `DROP TABLE movement`, `SELECT * FROM sale`,
		`DELETE FROM bin`, `UPDATE bin SET bin = 1`,
		`DELETE FROM product`, `UPDATE product SET sku = 'x'`,
		`DELETE FROM production_order`, `UPDATE production_order SET quantity = 1`,
		`UPDATE notice SET kind = 'x'`,
		`UPDATE factory SET api = ''`, `INSERT INTO factory SELECT * FROM factory`,
		`UPDATE advertisement SET manager_email = ''`, `CREATE TABLE t (id INT)`,
		`SELECT * FROM goose_db_version`, `DROP PROCEDURE sell`,
	} {
		if _, err := f.DB.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("the functions' user may run %s", statement)
		}
	}
}

func TestNoViewOrProcedureLendsRights(t *testing.T) {
	d := mysqltest.New(t, 1)
	lending := column(t, d, `
		SELECT table_name FROM information_schema.views
		 WHERE table_schema = DATABASE() AND security_type <> 'INVOKER'
		UNION ALL
		SELECT routine_name FROM information_schema.routines
		 WHERE routine_schema = DATABASE() AND security_type <> 'INVOKER'`)
	if len(lending) > 0 {
		t.Errorf("%q run with the rights of the administrator: add SQL SECURITY INVOKER", lending)
	}
}

func TestErrorsOfUsersShowNoPassword(t *testing.T) {
	d := mysqltest.Empty(t)
	const password = "a-password"
	err := migrate.User(t.Context(), d.Admin, strings.Repeat("n", 300), password) // the name is too long
	if err == nil || strings.Contains(err.Error(), password) {
		t.Errorf("got %v, want an error without the password", err)
	}
}

func TestTwoMigrationsAtOnceChangeNothing(t *testing.T) {
	f := newFixture(t, 1)
	f.SetStock(t, 42)
	var group errgroup.Group
	for range 2 {
		group.Go(func() error { _, err := migrate.Up(t.Context(), f.Admin); return err })
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if stock := f.Stock(t); stock != 42 {
		t.Errorf("stock is %d after migrating again, want 42", stock)
	}
	f.CheckBooks(t)
}
