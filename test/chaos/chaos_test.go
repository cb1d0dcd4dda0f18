package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"restock/cmd/local/factory"
	"restock/infra/graph"
	"restock/internal/mysql/invariants"
	"restock/internal/mysql/mysqltest"
	"restock/local/mariadb/mariadbtest"
	"restock/test/fixture"
)

const project = "../.."

// seed makes a test inject the same faults in the same order everywhere.
const seed = 1

func calm() config {
	return config{Project: project, Seed: seed, Buyers: 4, Settle: 5 * time.Minute, Log: slog.New(slog.DiscardHandler)}
}

func TestTheShopKeepsItsPromisesInAStorm(t *testing.T) {
	mariadbtest.Require(t)
	before := goleak.IgnoreCurrent()
	report, err := storm(t.Context(), calm())
	if err != nil {
		t.Fatal(err)
	}
	report.leftBehind(before)
	report.print(t.Output())
	for _, b := range report.Broken {
		t.Error(b)
	}
	for _, f := range faults {
		if report.Faults[f.name] != 1 {
			t.Errorf("%q was injected %d times, want once", f.name, report.Faults[f.name])
		}
	}
}

// The reason is what a person can act on. What is left behind would be in the way of the next
// start.
func TestAStormThatCannotStartSaysWhyAndLeavesNothing(t *testing.T) {
	mariadbtest.Require(t)
	for name, c := range map[string]struct {
		project, tempDir string
		want             string // of the error
	}{
		"no program": {t.TempDir(), t.TempDir(), "Pulumi.yaml"},
		"no room for the database": {project, filepath.Join(t.TempDir(), "missing"),
			"making a directory for the database: "},
		"no project, so no folders": {filepath.Join(t.TempDir(), "missing"), t.TempDir(),
			"finding where functions are built: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", c.tempDir)
			before := goleak.IgnoreCurrent()
			config := calm()
			config.Project = c.project
			if _, err := storm(t.Context(), config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			report := newReport(seed)
			report.leftBehind(before)
			for _, b := range report.Broken {
				t.Error(b)
			}
			if left, _ := os.ReadDir(c.tempDir); len(left) > 0 {
				t.Errorf("left in the directory for temporary files: %v", left)
			}
		})
	}
}

// Each rule of the shop is broken on purpose, for a product of its own, and something is done that
// meets it. The judge must find it.
func TestTheJudgeFindsWhatIsBroken(t *testing.T) {
	mariadbtest.Require(t)
	const (
		brokenStock, brokenLedger, brokenOrders, brokenDelivery = "RULE-STOCK", "RULE-LEDGER", "RULE-ORDERS",
			"RULE-DELIVERY"
		lostMessage, lostDelivery, told = "RULE-MESSAGE", "RULE-LOST", "RULE-TOLD"
	)
	c := calm()
	// What the function reports as failed is deleted all the same.
	c.BreakProgram = func(g *graph.Graph) {
		for _, m := range g.OfType(graph.EventSourceMapping) {
			delete(m.Outputs, "functionResponseTypes")
		}
	}
	w, err := newWorld(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	if err := fixture.Put(t.Context(), w.db, plenty(brokenStock), plenty(brokenLedger), plenty(told),
		runsShort(brokenOrders, 3), runsShort(brokenDelivery, 0), runsShort(lostMessage, 0),
		runsShort(lostDelivery, 0)); err != nil {
		t.Fatal(err)
	}
	if err := w.judge(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing was published") ||
		len(w.report.Broken) > 0 {
		t.Fatalf("before anything is done: got %v and %q, want that it proves nothing", err, w.report.Broken)
	}

	w.edit(t, "checkout", "LAST_INSERT_ID(stock - p_quantity)",
		"LAST_INSERT_ID(stock - IF(p_sku = '"+brokenStock+"', 1, p_quantity))")
	w.edit(t, "checkout", "VALUES (v_product_id, -p_quantity, 'sale', p_sale_id, p_at)",
		"SELECT v_product_id, -p_quantity, 'sale', p_sale_id, p_at FROM DUAL WHERE p_sku <> '"+brokenLedger+"'")
	w.edit(t, "checkout", "SET v_short = NOT v_open", "SET v_short = NOT v_open OR p_sku = '"+brokenOrders+"'")
	w.exec(t, `CREATE TRIGGER broken_delivery BEFORE INSERT ON goods_receipt FOR EACH ROW
		SET NEW.quantity = NEW.quantity - (SELECT COUNT(*) FROM production_order o JOIN product p USING (product_id)
		                                    WHERE o.production_order_id = NEW.production_order_id AND p.sku = '`+brokenDelivery+`')`)
	w.exec(t, `ALTER TABLE production_order DROP KEY production_order_open, ADD KEY production_order_open `+
		`(open_product_id)`)

	w.buy(t, brokenStock, 2)
	w.buy(t, brokenLedger, 1)

	w.setFault(t, factory.Fault{Hold: true}) // else an order may be closed before the other is opened
	w.buy(t, brokenOrders, 1)
	w.buy(t, brokenOrders, 1)
	w.checkTwoOrdersAreFound(t)
	w.setFault(t, factory.Fault{})

	w.buy(t, brokenDelivery, 1)
	w.buy(t, lostDelivery, 1)
	w.awaitRequest(t, brokenDelivery, isBooked)
	w.awaitRequest(t, lostDelivery, isBooked)
	w.exec(t, `DELETE FROM goods_receipt WHERE production_order_id = UNHEX(?)`, w.order(t, lostDelivery))

	w.setFault(t, factory.Fault{Status: http.StatusServiceUnavailable})
	w.buy(t, lostMessage, 1)
	w.awaitRequest(t, lostMessage, func(r factory.Request) bool { return r.ID == "" })
	w.awaitNothing(t)

	lost, forgotten, wrong, both := w.buy(t, told, 1), w.buy(t, told, 1), w.buy(t, told, 1), w.buy(t, told, 1)
	lost.key, wrong.quantity, both.answered = "another", 7, http.StatusConflict
	w.buyers.purchases = slices.DeleteFunc(w.buyers.purchases, func(p *purchase) bool { return p == forgotten })

	w.report = newReport(seed)
	if err := w.judge(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(w.report.Broken, "\n")
	for _, want := range []string{
		"the stock is not opening + adjustments + receipts - sales: " + brokenStock,
		"the ledger's sum is not the stock: " + brokenLedger,
		"a delivery is wrong: for attempt " + w.attempt(t, brokenDelivery),
		"a delivery is lost: the factory was told that attempt " + w.attempt(t, lostDelivery),
		"a message is lost: production order " + w.orderID(t, lostMessage),
		"a sale is lost: another",
		"a sale to nobody is stored: " + forgotten.key,
		"a sale is wrong: " + wrong.key,
		"a buyer was refused and sold to: " + both.key,
	} {
		if !strings.Contains(found, want) {
			t.Errorf("the judge found\n%s\nwant %q", found, want)
		}
	}
}

// plenty is a product of which nothing is ordered.
func plenty(sku string) fixture.Product {
	return fixture.Product{SKU: sku, Stock: 10, OrderUpTo: 20, LotSize: 10, LeadTime: 24 * time.Hour}
}

// runsShort is a product of which more is ordered with the first sale, and not asked for again.
func runsShort(sku string, reorderPoint int) fixture.Product {
	return fixture.Product{SKU: sku, Stock: reorderPoint + 1, ReorderPoint: reorderPoint, OrderUpTo: 20, LotSize: 10,
		Automatic: true, LeadTime: 24 * time.Hour}
}

// buy buys, and returns when the shop has sold.
func (w *world) buy(t *testing.T, sku string, quantity int) *purchase {
	t.Helper()
	p := &purchase{key: fmt.Sprintf("rule-%d", len(w.buyers.purchases)), sku: sku, quantity: quantity}
	w.buyers.purchase(t.Context(), p)
	if p.answered != http.StatusOK {
		t.Fatalf("a purchase of %d of %s is answered with %d, want 200", quantity, sku, p.answered)
	}
	p.asked = 1 // as if the first request had had this answer
	return p
}

// edit replaces a text of a procedure, for all who call it.
func (w *world) edit(t *testing.T, procedure, old, replacement string) {
	t.Helper()
	// A procedure that is dropped takes with it who may call it. The secret may rotate at this
	// moment, and with it who that is: all keep it.
	w.exec(t, `SET GLOBAL automatic_sp_privileges = OFF`)
	d := mysqltest.Database{Admin: w.db}
	if err := w.db.QueryRowContext(t.Context(), `SELECT User FROM mysql.procs_priv WHERE Routine_name = ? LIMIT 1`,
		procedure).Scan(&d.User); err != nil {
		t.Fatal(err)
	}
	d.EditProcedure(t, procedure, old, replacement)
}

func (w *world) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := w.db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// order is a production order of a product, in hexadecimal.
func (w *world) order(t *testing.T, sku string) (id string) {
	t.Helper()
	const query = `SELECT HEX(production_order_id) FROM production_order JOIN product USING (product_id) WHERE sku = ?`
	if err := w.db.QueryRowContext(t.Context(), query, sku).Scan(&id); err != nil {
		t.Fatalf("the production order of %s: %v", sku, err)
	}
	return id
}

// orderID is the same as messages have it.
func (w *world) orderID(t *testing.T, sku string) string {
	t.Helper()
	id, err := uuid.Parse(w.order(t, sku))
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

// attempt is the attempt for which the factory was asked to make more of a product.
func (w *world) attempt(t *testing.T, sku string) string {
	t.Helper()
	_, attempt := attemptIn(w.awaitRequest(t, sku, func(factory.Request) bool { return true }).Body)
	return attempt
}

func (w *world) setFault(t *testing.T, f factory.Fault) {
	t.Helper()
	if err := w.shop.Factory.SetFault(f); err != nil {
		t.Fatal(err)
	}
}

func isBooked(r factory.Request) bool {
	return slices.ContainsFunc(r.Deliveries, func(d factory.Delivery) bool { return d.Status == http.StatusOK })
}

// awaitRequest waits until the factory has a request for a product's order that is as wanted.
func (w *world) awaitRequest(t *testing.T, sku string, is func(factory.Request) bool) (request factory.Request) {
	t.Helper()
	order := w.orderID(t, sku)
	if !await(t.Context(), w.config.Settle, func() bool {
		for _, request = range w.shop.Factory.Requests() {
			if asked, _ := attemptIn(request.Body); asked == order && is(request) {
				return true
			}
		}
		return false
	}) {
		t.Fatalf("the factory has no request for %s that is as wanted: %+v", sku, w.shop.Factory.Requests())
	}
	return request
}

// checkTwoOrdersAreFound checks that two open orders of a product are found while they are open.
func (w *world) checkTwoOrdersAreFound(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), w.config.Settle)
	defer cancel()
	w.watchOrders(ctx) // returns when it has found them
	if found := strings.Join(w.report.Broken, "\n"); !strings.Contains(found, invariants.OneOpenOrder.Broken) {
		t.Errorf("who watches the orders found %q, want %q", found, invariants.OneOpenOrder.Broken)
	}
}

// awaitNothing waits until nothing is under way.
func (w *world) awaitNothing(t *testing.T) {
	t.Helper()
	var moves string
	var err error
	if !await(t.Context(), w.config.Settle, func() bool {
		moves, err = w.underWay(t.Context())
		return err == nil &&
			moves == ""
	}) {
		t.Fatalf("still under way: %s %v", moves, err)
	}
}
