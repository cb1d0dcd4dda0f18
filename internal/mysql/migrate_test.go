package mysql_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gomysql "github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"restock/internal/mysql"
	"restock/internal/mysql/invariants"
	"restock/internal/mysql/migrate"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/test/await"
)

// lastBeforeBins is the last migration of the release before the stock lay in bins.
const lastBeforeBins = 8

// old returns a database of the release before bins with its products, opened as the functions of
// that release.
func old(t *testing.T, connections int) (*mysqltest.Database, *goose.Provider, *sql.DB) {
	t.Helper()
	d := mysqltest.Empty(t)
	// A postponed migration runs after later ones.
	provider, err := goose.NewProvider(goose.DialectMySQL, d.Admin, os.DirFS("migrate/migrations"),
		goose.WithAllowOutofOrder(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), lastBeforeBins); err != nil {
		t.Fatal(err)
	}
	seed, err := os.ReadFile("testdata/seed.sql")
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(string(seed)), ";\n") {
		d.Exec(t, statement)
	}
	const password = "of the release before"
	t.Cleanup(func() { d.DropUser(t) })
	d.Exec(t, "CREATE USER '"+d.User+"'@'%' IDENTIFIED BY '"+password+"'")
	d.Exec(t, "GRANT SELECT, INSERT, UPDATE ON `"+d.Name+"`.* TO '"+d.User+"'@'%'")
	for _, procedure := range []string{"checkout", "replenish", "adjust_stock"} {
		d.Exec(t, "GRANT EXECUTE ON PROCEDURE `"+d.Name+"`."+procedure+" TO '"+d.User+"'@'%'")
	}
	return d, provider, d.Open(t, d.User, password, connections)
}

// oldCheckout buys one piece as a function of the release before does, and returns the outcome. The
// shop may be unavailable for a moment.
func oldCheckout(ctx context.Context, db *sql.DB, sku, key string) (outcome string, err error) {
	id := uuid.Must(uuid.NewV7())
	rows, err := db.QueryContext(ctx, `CALL checkout(?, ?, 1, ?, ?, NULL)`, id[:], sku, key, time.Now().UTC())
	if mysqlErr, ok := err.(*gomysql.MySQLError); ok && mysqlErr.Number == 1290 {
		return "unavailable", nil
	}
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		return "", fmt.Errorf("no answer: %w", err)
	}
	ignored := make([]any, len(columns))
	for i := range ignored {
		ignored[i] = new(sql.RawBytes)
	}
	ignored[slices.Index(columns, "outcome")] = &outcome
	return outcome, rows.Scan(ignored...)
}

// A migration carries the books over in batches of 5,000 rows. Many sales are a whole batch and a
// part of a second one. They take a while, so the tests that need no second batch have few.
const fewSales, manySales = 100, 5_100

// oldStock is the stock of the doughnut after oldHistory.
func oldStock(sales int) int { return 15_040 - sales }

// oldHistory returns a history of the release before: sales of the doughnut and two adjustments; an
// order that was received, with a correction; an open order of which a part has come. The first
// half of the sales has lost its keys. A sale and an adjustment have the same key.
func oldHistory(sales int) []string {
	return []string{
		`SET @donut = (SELECT product_id FROM product WHERE sku = 'CP-502101')`,
		`SET @factory = (SELECT factory_id FROM product WHERE sku = 'CP-502101')`,
		`INSERT INTO production_order (production_order_id, product_id, factory_id, quantity, received, status,
	                               opened_at, asked_at, closed_at, correlation)
	 VALUES (UNHEX(REPEAT('A', 32)), @donut, @factory, 15000, 15000, 'received', '2026-01-01', '2026-01-01',
	         '2026-01-02', 'first'),
	        (UNHEX(REPEAT('B', 32)), @donut, @factory, 100, 40, 'open', '2026-01-03', '2026-01-03', NULL, 'second')`,
		`INSERT INTO goods_receipt (attempt_id, production_order_id, quantity, stock_left, received_at)
	 VALUES (UNHEX(REPEAT('1', 32)), UNHEX(REPEAT('A', 32)), 15000, 15003, '2026-01-02'),
	        (UNHEX(REPEAT('2', 32)), UNHEX(REPEAT('B', 32)), 40, 43, '2026-01-04')`,
		`INSERT INTO notice (kind, subject_id, attempt_id, production_order_id, quantity, raised_at, due_at, told_at)
	 VALUES ('receipt_corrected', UNHEX(REPEAT('9', 32)), UNHEX(REPEAT('1', 32)), UNHEX(REPEAT('A', 32)), 14999,
	         '2026-01-02', NULL, '2026-01-02')`,
		`INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
	 VALUES (@donut, 1, 'receipt', UNHEX(REPEAT('1', 32)), '2026-01-02'),
	        (@donut, 14999, 'receipt', UNHEX(REPEAT('1', 32)), '2026-01-02')`,
		fmt.Sprintf(`INSERT INTO sale (sale_id, product_id, quantity, unit_price, stock_left, idempotency_key, sold_at)
	 SELECT UNHEX(LPAD(HEX(seq), 32, '0')), @donut, 1, 19900, 15003 - seq, IF(seq <= %d, NULL, CONCAT('key-', seq)),
	        '2026-01-02 12:00:00' FROM seq_1_to_%d`, sales/2, sales),
		fmt.Sprintf(`INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
	 SELECT @donut, -1, 'sale', UNHEX(LPAD(HEX(seq), 32, '0')), '2026-01-02 12:00:00' FROM seq_1_to_%d`, sales),
		fmt.Sprintf(`
	 INSERT INTO adjustment (adjustment_id, product_id, quantity, reason, stock_left, idempotency_key, adjusted_at)
	 VALUES (UNHEX(REPEAT('C', 32)), @donut, -2, 'damaged', %d, 'key-%d', '2026-01-03'),
	        (UNHEX(REPEAT('D', 32)), @donut, -1, '창고', %d, 'stocktake', '2026-01-03')`,
			15_001-sales, sales, 15_000-sales),
		`INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
	 VALUES (@donut, -2, 'adjustment', UNHEX(REPEAT('C', 32)), '2026-01-03'),
	        (@donut, -1, 'adjustment', UNHEX(REPEAT('D', 32)), '2026-01-03'),
	        (@donut, 40, 'receipt', UNHEX(REPEAT('2', 32)), '2026-01-04')`,
		fmt.Sprintf(`UPDATE product SET stock = %d WHERE sku = 'CP-502101'`, oldStock(sales)),
	}
}

// oldBooks sums up the books of the release before: stock and ledger of each product, and all
// sales.
const oldBooks = `
	SELECT CONCAT((SELECT GROUP_CONCAT(CONCAT(p.sku, ' ', p.stock, ' ',
	                          (SELECT SUM(l.quantity) FROM stock_ledger l
	                            WHERE l.product_id = p.product_id)) ORDER BY p.sku)
	                 FROM product p), ', sales ',
	              (SELECT CONCAT(COUNT(*), ' of ', SUM(quantity), ' for ', SUM(quantity * unit_price)) FROM sale))`

// newBooks sums up the same of the ledger in bins.
const newBooks = `
	SELECT CONCAT((SELECT GROUP_CONCAT(CONCAT(p.sku, ' ', p.stock, ' ',
	                          (SELECT SUM(m.quantity) FROM movement m WHERE m.product_id = p.product_id)) ORDER BY sku)
	                 FROM product_stock p), ', sales ',
	              (SELECT CONCAT(COUNT(*), ' of ', SUM(-quantity), ' for ', SUM(-quantity * unit_price))
	                 FROM movement WHERE cause = 'sale'))`

func text(t *testing.T, d *mysqltest.Database, query string) (s string) {
	t.Helper()
	if err := d.Admin.QueryRowContext(t.Context(), query).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func newOldHistory(t *testing.T, d *mysqltest.Database, sales int) {
	t.Helper()
	conn, err := d.Admin.Conn(t.Context()) // the statements share variables
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range oldHistory(sales) {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestTheBooksOfTheReleaseBeforeAreCarriedOver(t *testing.T) {
	d, provider, _ := old(t, 1)
	newOldHistory(t, d, manySales)
	before := text(t, d, oldBooks)
	stock := oldStock(manySales)
	want := fmt.Sprintf("CP-502101 %d %[1]d,CP-502102 60 60,CP-502103 30 30, sales %d of %[2]d for %d",
		stock, manySales, manySales*19_900)
	if before != want {
		t.Fatalf("the books of before are %q, want %q", before, want)
	}
	for _, up := range []func() error{
		func() error { _, err := migrate.Up(t.Context(), d.Admin); return err },
		func() error { _, err := provider.Up(t.Context()); return err }, // also drops the old tables
	} {
		if err := up(); err != nil {
			t.Fatal(err)
		}
		if after := text(t, d, newBooks); after != before {
			t.Errorf("the books are\n%s, they were\n%s", after, before)
		}
		d.CheckBooks(t)
	}

	if err := migrate.User(t.Context(), d.Admin, d.User, "new"); err != nil {
		t.Fatal(err)
	}
	f := &fixture{Database: d}
	f.Database.Store = mysql.NewStore(d.Open(t, d.User, "new", 1))
	f.Shop = shop.Open(f.Database.Store, f, shop.Discard)
	const last = manySales - 1 // of the sales whose key no adjustment has
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[8:], last)
	sale, err := f.Buy(t.Context(), shop.Purchase{
		SKU: donut, Quantity: 1, IdempotencyKey: fmt.Sprintf("key-%d", last),
	})
	if err != nil || !sale.Repeated || sale.Stock != 15_003-last || sale.ID != id {
		t.Errorf("a purchase of before, repeated: got %+v, %v; want its sale", sale, err)
	}
	damaged := shop.Adjustment{SKU: donut, Quantity: -1, Reason: "창고", IdempotencyKey: "stocktake"}
	if p, err := f.Adjust(t.Context(), damaged); err != nil || p.Stock != stock {
		t.Errorf("an adjustment of before, repeated: got %+v, %v; want no change", p, err)
	}
	open := uuid.UUID{}
	for i := range open {
		open[i] = 0xBB
	}
	attempt := uuid.UUID{}
	for i := range attempt {
		attempt[i] = 0x22
	}
	for _, c := range []struct {
		name     string
		quantity int
		want     shop.Receipt
	}{
		{"a callback of before, repeated", 40, shop.Receipt{Stock: stock, Repeated: true}},
		{"its correction", 100, shop.Receipt{Stock: stock + 60, Correction: 60}},
	} {
		r, err := f.Receive(t.Context(), shop.Delivery{
			ProductionOrderID: open, AttemptID: attempt, SKU: donut, Quantity: c.quantity, Signed: 100,
		})
		if err != nil || r != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", c.name, r, err, c.want)
		}
	}
	if o, err := f.Shop.ProductionOrder(t.Context(), open); err != nil || o.Status != shop.OrderReceived {
		t.Errorf("the open order of before: got %+v, %v; want it received", o, err)
	}
	d.CheckBooks(t)
}

// TestTheShopSellsWhileItIsMigrated lets functions of the release before sell during the migration
// and after it, and book a delivery afterwards.
func TestTheShopSellsWhileItIsMigrated(t *testing.T) {
	const buyers = 4
	d, provider, oldDB := old(t, buyers)
	newOldHistory(t, d, manySales)
	var sold, unavailable atomic.Int64
	var over atomic.Bool
	var all sync.WaitGroup
	for i := range buyers {
		all.Go(func() {
			for n := 0; !over.Load(); n++ {
				outcome, err := oldCheckout(t.Context(), oldDB, donut, fmt.Sprintf("buyer %d, %d", i, n))
				switch {
				case err != nil:
					t.Errorf("a buyer: %v", err)
					return
				case outcome == "sold":
					sold.Add(1)
				case outcome == "unavailable":
					unavailable.Add(1)
				default:
					t.Errorf("a buyer got %q, want a sale: thousands are on hand", outcome)
					return
				}
			}
		})
	}
	await.Until(t, "the first are sold", func() bool { return sold.Load() >= buyers || t.Failed() })
	_, err := migrate.Up(t.Context(), d.Admin)
	before := sold.Load()
	await.Until(t, "they sell from the bins", func() bool { return sold.Load() >= before+buyers || t.Failed() })
	over.Store(true)
	all.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d were sold during the migration; the shop was unavailable to %d buyers", sold.Load(), unavailable.Load())
	stock := oldStock(manySales) - int(sold.Load())
	if got := d.Stock(t); got != stock ||
		d.Number(t, `SELECT COUNT(*) FROM movement WHERE cause = 'sale'`) != manySales+int(sold.Load()) {
		t.Errorf("%d are on hand after %d sales, want %d", got, sold.Load(), stock)
	}
	d.CheckBooks(t)

	// What a function of the release before receives now is in the old tables only.
	for _, statement := range []string{
		`INSERT INTO goods_receipt (attempt_id, production_order_id, quantity, stock_left, received_at)
		 VALUES (UNHEX(REPEAT('3', 32)), UNHEX(REPEAT('B', 32)), 7, 0, UTC_TIMESTAMP(6))`,
		`UPDATE production_order SET received = received + 7 WHERE status = 'open'`,
		`INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
		 SELECT product_id, 7, 'receipt', UNHEX(REPEAT('3', 32)), UTC_TIMESTAMP(6)
		   FROM product WHERE sku = 'CP-502101'`,
	} {
		if _, err := oldDB.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	d.Store = mysql.NewStore(d.Admin)
	d.SetBins(t, donut, 3)
	for range 2 {
		d.Exec(t, `CALL carry_over()`)
		if got := d.Stock(t); got != stock+7 {
			t.Errorf("%d are on hand after the delivery was carried over, want %d", got, stock+7)
		}
		d.CheckBooks(t)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	tables := d.Number(t, `
		SELECT COUNT(*) FROM information_schema.tables
		 WHERE table_schema = DATABASE() AND table_name IN ('stock_ledger', 'ledger_checkpoint', 'carried_over')`)
	if tables != 0 {
		t.Errorf("%d old tables are left", tables)
	}
	d.CheckBooks(t)
	if err := invariants.Check(t.Context(), d.Admin, invariants.AfterSweep); err != nil {
		t.Error(err)
	}
}
