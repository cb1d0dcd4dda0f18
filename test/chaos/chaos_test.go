package main

import (
	"context"
	"flag"
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
	return config{Project: project, Seed: seed, Buyers: 4, Settle: 15 * time.Minute, Log: slog.New(slog.DiscardHandler)}
}

func TestAFailurePrintsACommandThatInjectsTheSameFaults(t *testing.T) {
	want := options{seed: 18446744073709551615, lasts: 90 * time.Second, buyers: 3}
	args, ok := strings.CutPrefix(want.again(), `make chaos ARGS="`)
	got, err := parse(strings.Fields(strings.TrimSuffix(args, `"`)), flag.ContinueOnError)
	if !ok || err != nil || got != want {
		t.Errorf("%s gives %+v, %v; want %+v", want.again(), got, err, want)
	}
}

func TestTheShopKeepsItsRulesUnderFaults(t *testing.T) {
	mariadbtest.Require(t)
	before := goleak.IgnoreCurrent()
	report, err := runChaos(t.Context(), calm())
	if err != nil {
		t.Fatal(err)
	}
	report.leftBehind(before)
	report.print(t.Output())
	for _, b := range report.Broken {
		t.Error(b)
	}
	if report.Traces == 0 || report.TracesTooWide > report.Traces/10 {
		t.Errorf("%d production orders were replayed in the model, and %d were too wide for it; want a tenth at most",
			report.Traces, report.TracesTooWide)
	}
	for _, f := range faults {
		if report.Faults[f.name] != 1 {
			t.Errorf("%q was injected %d times, want once", f.name, report.Faults[f.name])
		}
	}
}

func TestAFailedStartNamesTheReasonAndLeavesNothing(t *testing.T) {
	mariadbtest.Require(t)
	for name, c := range map[string]struct {
		project, tempDir string
		want             string // of the error
	}{
		"no program": {t.TempDir(), t.TempDir(), "Pulumi.yaml"},
		"no directory for the database": {project, filepath.Join(t.TempDir(), "missing"),
			"making a directory for the database: "},
		"no project": {filepath.Join(t.TempDir(), "missing"), t.TempDir(),
			"finding where functions are built: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", c.tempDir)
			before := goleak.IgnoreCurrent()
			config := calm()
			config.Project = c.project
			if _, err := runChaos(t.Context(), config); err == nil || !strings.Contains(err.Error(), c.want) {
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

// The test breaks each rule on purpose, with its own product. The judge must find every violation.
func TestTheJudgeFindsEveryViolation(t *testing.T) {
	mariadbtest.Require(t)
	const (
		brokenStock, brokenLedger           = "RULE-STOCK", "RULE-LEDGER"
		brokenNumber                        = "RULE-NUMBER"
		brokenOrders, brokenDelivery        = "RULE-ORDERS", "RULE-DELIVERY"
		lostMessage, lostDelivery, ordinary = "RULE-MESSAGE", "RULE-LOST", "RULE-ANY"
		wrongSum                            = "a bin is not the sum of its movements, or their numbers have a gap: "
	)
	c := calm()
	// Without the response type, Lambda deletes the messages that the function reports as failed.
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
	err = fixture.Put(t.Context(), w.db, plenty(brokenStock), plenty(brokenLedger), plenty(brokenNumber),
		plenty(ordinary), runsShort(brokenOrders, 3), runsShort(brokenDelivery, 0), runsShort(lostMessage, 0),
		runsShort(lostDelivery, 0))
	if err != nil {
		t.Fatal(err)
	}
	err = w.judge(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nothing was published") || len(w.report.Broken) > 0 {
		t.Fatalf("before any sale: got %v and %q, want the error that nothing was published", err, w.report.Broken)
	}

	w.edit(t, "sell", "(@restock_stock := stock - p_quantity)",
		"(@restock_stock := stock - IF(p_sku = '"+brokenStock+"', 1, p_quantity))")
	w.edit(t, "sell", "@restock_entry, -p_quantity,",
		"@restock_entry + (p_sku = '"+brokenNumber+"'), -p_quantity + (p_sku = '"+brokenLedger+"'),")
	// A product with an open order still stops at its floor, and then opens a second order.
	w.edit(t, "move", "o.production_order_id IS NULL", "(o.production_order_id IS NULL OR p.sku = '"+brokenOrders+"')")
	w.edit(t, "move", "p_product_id;\n    SELECT SUM", "p_product_id LIMIT 1;\n    SELECT SUM")
	w.edit(t, "sell_from_all", "v_stock <= v_reorder_point AND NOT v_open THEN",
		"v_stock <= v_reorder_point AND (NOT v_open OR p_product_id = UNHEX(MD5('"+brokenOrders+"'))) THEN")
	w.exec(t, `CREATE TRIGGER broken_delivery BEFORE INSERT ON movement FOR EACH ROW
		SET NEW.quantity = NEW.quantity
		    - (NEW.cause = 'receipt' AND NEW.product_id = UNHEX(MD5('`+brokenDelivery+`')))`)
	w.exec(t, `
		ALTER TABLE production_order DROP KEY production_order_open, ADD KEY production_order_open (open_product_id)`)

	w.buy(t, brokenStock, 2)
	w.buy(t, brokenLedger, 1)
	w.buy(t, brokenNumber, 1)

	w.setFault(t, factory.Fault{Hold: true}) // keeps the first order open until the second one opens
	w.buy(t, brokenOrders, 1)
	w.buy(t, brokenOrders, 1)
	w.checkTwoOrdersAreFound(t)
	w.setFault(t, factory.Fault{})

	w.buy(t, brokenDelivery, 1)
	w.buy(t, lostDelivery, 1)
	for _, sku := range []string{brokenDelivery, lostDelivery} {
		w.awaitRequest(t, sku, isAccepted)
		if !await(t.Context(), w.config.Settle, func() bool { return w.received(t, sku) > 0 }) {
			t.Fatalf("the delivery of %s was not booked", sku)
		}
	}
	w.awaitNothing(t) // a callback that came again would be booked again
	w.exec(t, `DELETE FROM movement WHERE cause = 'receipt' AND reference = UNHEX(?)`, w.order(t, lostDelivery))

	w.setFault(t, factory.Fault{Status: http.StatusServiceUnavailable})
	w.buy(t, lostMessage, 1)
	w.awaitRequest(t, lostMessage, func(r factory.Request) bool { return r.ID == "" })
	w.awaitNothing(t)

	lost, forgotten, wrong, both := w.buy(t, ordinary, 1), w.buy(t, ordinary, 1), w.buy(t, ordinary, 1),
		w.buy(t, ordinary, 1)
	lost.key, wrong.quantity, both.answered = "another", 7, http.StatusConflict
	w.buyers.purchases = slices.DeleteFunc(w.buyers.purchases, func(p *purchase) bool { return p == forgotten })

	w.report = newReport(seed)
	if err := w.judge(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(w.report.Broken, "\n")
	for _, want := range []string{
		wrongSum + brokenStock,
		wrongSum + brokenLedger,
		wrongSum + brokenNumber,
		"a delivery is wrong: the callback of attempt " + w.attempt(t, brokenDelivery),
		"a delivery is lost: the shop accepted the callback of attempt " + w.attempt(t, lostDelivery),
		"a message is lost: production order " + w.orderID(t, lostMessage),
		"production order " + w.orderID(t, brokenDelivery) + ": the model does not allow: ",
		"production order " + w.orderID(t, lostDelivery) + ": the model does not allow: ",
		"a sale is lost: another",
		"a sale has no buyer: " + forgotten.key,
		"a sale is wrong: " + wrong.key,
		"a refused purchase is stored as a sale: " + both.key,
	} {
		if !strings.Contains(found, want) {
			t.Errorf("the judge found\n%s\nwant %q", found, want)
		}
	}
}

// plenty returns a product that is not replenished.
func plenty(sku string) fixture.Product {
	return fixture.Product{SKU: sku, Stock: 10, OrderUpTo: 20, LotSize: 10, LeadTime: 24 * time.Hour}
}

// runsShort returns a product whose first sale opens a production order. Its long lead time
// prevents a second request to the factory.
func runsShort(sku string, reorderPoint int) fixture.Product {
	return fixture.Product{
		SKU: sku, Stock: reorderPoint + 1, ReorderPoint: reorderPoint, OrderUpTo: 20, LotSize: 10,
		Automatic: true, LeadTime: 24 * time.Hour,
	}
}

// buy makes a purchase, which must succeed.
func (w *world) buy(t *testing.T, sku string, quantity int) *purchase {
	t.Helper()
	p := &purchase{key: fmt.Sprintf("rule-%d", len(w.buyers.purchases)), sku: sku, quantity: quantity}
	w.buyers.purchase(t.Context(), p)
	if p.answered != http.StatusOK {
		t.Fatalf("a purchase of %d of %s is answered with %d, want 200", quantity, sku, p.answered)
	}
	p.asked = 1 // as if the first request had got this answer
	return p
}

// edit replaces a text of a procedure.
func (w *world) edit(t *testing.T, procedure, old, replacement string) {
	t.Helper()
	// By default, DROP PROCEDURE revokes the rights of all users. EditProcedure would grant them to
	// one user only, but a rotation of the secret may switch to the other user at any time.
	w.exec(t, `SET GLOBAL automatic_sp_privileges = OFF`)
	d := mysqltest.Database{Admin: w.db}
	row := w.db.QueryRowContext(t.Context(),
		`SELECT User FROM mysql.procs_priv WHERE Routine_name = ? LIMIT 1`, procedure)
	if err := row.Scan(&d.User); err != nil {
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

// order returns the id of a product's production order, in hexadecimal.
func (w *world) order(t *testing.T, sku string) (id string) {
	t.Helper()
	const query = `SELECT HEX(production_order_id) FROM production_order JOIN product USING (product_id) WHERE sku = ?`
	if err := w.db.QueryRowContext(t.Context(), query, sku).Scan(&id); err != nil {
		t.Fatalf("the production order of %s: %v", sku, err)
	}
	return id
}

// received counts the receipts of a product's production order.
func (w *world) received(t *testing.T, sku string) (n int) {
	t.Helper()
	const query = `SELECT COUNT(*) FROM movement WHERE cause = 'receipt' AND reference = UNHEX(?)`
	if err := w.db.QueryRowContext(t.Context(), query, w.order(t, sku)).Scan(&n); err != nil {
		t.Fatalf("the receipts of %s: %v", sku, err)
	}
	return n
}

// orderID returns the id of a product's production order in the form of a UUID.
func (w *world) orderID(t *testing.T, sku string) string {
	t.Helper()
	id, err := uuid.Parse(w.order(t, sku))
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}

// attempt returns the id of the attempt in the factory's request for a product.
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

func isAccepted(r factory.Request) bool {
	return slices.ContainsFunc(r.Deliveries, func(d factory.Delivery) bool { return d.Status == http.StatusOK })
}

// awaitRequest waits until the factory has a request for a product's order that satisfies a
// condition.
func (w *world) awaitRequest(t *testing.T, sku string, holds func(factory.Request) bool) (request factory.Request) {
	t.Helper()
	order := w.orderID(t, sku)
	if !await(t.Context(), w.config.Settle, func() bool {
		for _, request = range w.shop.Factory.Requests() {
			if asked, _ := attemptIn(request.Body); asked == order && holds(request) {
				return true
			}
		}
		return false
	}) {
		t.Fatalf("the factory has no such request for %s: %+v", sku, w.shop.Factory.Requests())
	}
	return request
}

// checkTwoOrdersAreFound checks that watchOrders finds two open orders of a product.
func (w *world) checkTwoOrdersAreFound(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), w.config.Settle)
	defer cancel()
	w.watchOrders(ctx) // returns when it has found two open orders
	if found := strings.Join(w.report.Broken, "\n"); !strings.Contains(found, invariants.OneOpenOrder.Broken) {
		t.Errorf("watchOrders found %q, want %q", found, invariants.OneOpenOrder.Broken)
	}
}

// awaitNothing waits until no work is under way.
func (w *world) awaitNothing(t *testing.T) {
	t.Helper()
	var work string
	var err error
	done := func() bool {
		work, err = w.underWay(t.Context())
		return err == nil && work == ""
	}
	if !await(t.Context(), w.config.Settle, done) {
		t.Fatalf("still under way: %s %v", work, err)
	}
}
