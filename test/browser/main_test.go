// Package browser_test tests the storefront and the console of a local run in a real browser.
package browser_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // driver of database/sql

	"restock/cmd/local/programs"
	"restock/internal/web"
	"restock/lambdas"
	"restock/test/browser/browsertest"
)

const projectDir = "../.."

// shared is the run that the tests share. Each test sells its own product, so the tests do not
// disturb each other.
var shared struct {
	once sync.Once
	shop *shop
	err  error
}

func TestMain(m *testing.M) {
	browsertest.Main(m, func() error {
		if shared.shop == nil {
			return nil
		}
		return shared.shop.close()
	})
}

// A shop is a local run and a connection to its database.
type shop struct {
	*programs.Run
	db *sql.DB
}

// openShop returns the shared shop. The first caller starts it.
func openShop(tb testing.TB) *shop {
	tb.Helper()
	browsertest.Require(tb)
	shared.once.Do(func() { shared.shop, shared.err = startShop(context.Background(), config()) })
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.shop
}

// config configures a run on free ports. Its factory takes a second for an order.
func config() programs.Config {
	c := programs.DefaultConfig(projectDir)
	c.API, c.AWS, c.Factory, c.Console = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Settings = map[string]any{"catalogue": lambdas.TestCatalogue}
	c.FactoryStep = 250 * time.Millisecond
	c.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return c
}

func startShop(ctx context.Context, c programs.Config) (*shop, error) {
	r, err := programs.Start(ctx, c)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("mysql", r.Endpoints().DSN)
	if err != nil {
		return nil, err
	}
	// The database closes a connection that is idle for longer than its wait_timeout. On a busy
	// machine the tests take longer, and closing such a connection fails.
	db.SetMaxIdleConns(-1) // none
	return &shop{r, db}, nil
}

func (s *shop) close() error {
	if err := s.db.Close(); err != nil {
		return err
	}
	return s.Run.Close()
}

// The languages of the shop, in which the tests read its page. A fork may have others.
var (
	languages = web.Languages()
	first     = languages[0] // of Desktop and Phone
	last      = languages[len(languages)-1]
)

// text returns a text of the page. The values are places in it, like {n}, each before its value.
func text(l web.Language, key string, values ...string) string {
	return strings.NewReplacer(values...).Replace(l.Page[key])
}

// english returns the language that every shop has: the command line reads the API's answers in it.
func english() web.Language {
	return languages[slices.IndexFunc(languages, func(l web.Language) bool { return l.Tag == "en" })]
}

// stockText returns the page's text about a stock.
func stockText(l web.Language, stock int) string { return text(l, "stock", "{n}", strconv.Itoa(stock)) }

// A product describes a product that a test sells.
type product struct {
	stock      int
	maxPerSale int  // 0 means no limit
	automatic  bool // the shop orders 10 when it is sold out, and a second later the factory delivers
}

// leadTime is longer than the tests take on any machine, so that no order is overdue because a test
// is slow.
const leadTime = 24 * time.Hour

// sell creates a product for one test and returns its SKU.
// It does so in one transaction: a sweep in between would find a product without stock, and order.
func (s *shop) sell(tb testing.TB, p product) (sku string) {
	tb.Helper()
	sku = "T-" + rand.Text()
	tx, err := s.db.BeginTx(tb.Context(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer tx.Rollback() // does nothing after the commit
	execute(tb, tx, `
		INSERT INTO product (product_id, sku, name, price, factory_id,
			reorder_point, order_up_to, lot_size, lead_time, automatic, max_per_sale)
		SELECT UNHEX(REPLACE(UUID(), '-', '')), ?, ?, 1500, factory_id, 0, 10, 10, ?, ?, ?
		FROM factory WHERE identifier = 'FF-500293'`,
		sku, nameOf(sku), int(leadTime.Seconds()), p.automatic, p.maxPerSale)
	execute(tb, tx, `INSERT INTO bin (product_id, bin) SELECT product_id, 0 FROM product WHERE sku = ?`, sku)
	execute(tb, tx, `
		CALL move((SELECT product_id FROM product WHERE sku = ?), 0, ?, 'opening', NULL, NULL, NULL, NULL,
		          UTC_TIMESTAMP(6), '')`, sku, p.stock)
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	return sku
}

// nameOf returns the name of the product that sell creates with the SKU.
func nameOf(sku string) string { return "도너츠 " + sku }

// count sets a product's stock with an adjustment, as a stocktake does.
func (s *shop) count(tb testing.TB, sku string, stock int) {
	tb.Helper()
	s.execute(tb, `
		CALL move((SELECT product_id FROM product WHERE sku = ?), 0,
		          ? - (SELECT stock FROM product_stock WHERE sku = ?), 'adjustment',
		          UNHEX(REPLACE(UUID(), '-', '')), NULL, 'counted', NULL, UTC_TIMESTAMP(6), '')`, sku, stock, sku)
}

// order opens a production order that was sent to the factory some time ago and that nobody
// fulfils.
func (s *shop) order(tb testing.TB, sku string, asked time.Duration) {
	tb.Helper()
	s.execute(tb, `
		INSERT INTO production_order (production_order_id, product_id, factory_id, quantity,
			opened_at, asked_at, published_at)
		SELECT UNHEX(REPLACE(UUID(), '-', '')), product_id, factory_id, 10, at, at, at
		FROM product, (SELECT UTC_TIMESTAMP(6) - INTERVAL ? SECOND AS at) asked WHERE sku = ?`,
		asked.Seconds(), sku)
}

func (s *shop) execute(tb testing.TB, statement string, args ...any) {
	tb.Helper()
	execute(tb, s.db, statement, args...)
}

// An executor is a database or a transaction.
type executor interface {
	ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error)
}

func execute(tb testing.TB, on executor, statement string, args ...any) {
	tb.Helper()
	if _, err := on.ExecContext(tb.Context(), statement, args...); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// read reads one value from the database.
func (s *shop) read(tb testing.TB, into any, query string, args ...any) {
	tb.Helper()
	if err := s.db.QueryRowContext(tb.Context(), query, args...).Scan(into); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

// sales returns the number of sales of a product and the total quantity that they sold.
func (s *shop) sales(tb testing.TB, sku string) (sales, sold int) {
	tb.Helper()
	const from = ` FROM sale JOIN product USING (product_id) WHERE sku = ?`
	s.read(tb, &sales, `SELECT COUNT(*)`+from, sku)
	s.read(tb, &sold, `SELECT COALESCE(SUM(quantity), 0)`+from, sku)
	return sales, sold
}
