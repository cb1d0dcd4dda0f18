package histories

import (
	"context"
	"database/sql"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"restock/internal/shop"
)

// traced are the broken shops that the traces of histories catch alone.
var traced = []string{
	"a sale does not decrement the stock",
	"a sale decrements by one",
	"a buyer is refused while another bin has enough",
	"a buyer is refused while all bins together have enough",
	"a sale ignores the floor of its bin",
	"a sale opens no order",
	"a second order opens",
	"an attempt is booked twice",
	"a delivery does not count for the order",
	"a delivery that could not be booked is forgotten",
	"a late delivery is lost",
	"a late delivery closes the order again",
	"a correction is lost",
	"a correction is not notified",
	"a sale is answered as unavailable",
	"an order is marked as published too early",
}

// TestBrokenShopsAreCaught tests the histories themselves: they must find each of these bugs.
func TestBrokenShopsAreCaught(t *testing.T) {
	const (
		wrongSum = "a bin is not the sum of its movements, or their numbers have a gap"
		noOrder  = "no order of the calls explains the answers"
		spread   = "movements from bin to bin do not add up to nothing"
		short    = "a checkout left a product short"
		floor    = "a bin is below its floor, although its product has enough"
		floors   = "the floors of a product let it fall short"
		// Without a lock, it depends on the moment which rule is broken.
		anyOfBins = wrongSum + "|" + noOrder + "|" + spread + "|" + short + "|" + floor + "|" + floors +
			"|a product has other bins than it should"
	)
	for _, c := range []struct {
		name  string
		rule  string      // a regular expression that the message about the broken rule matches
		edits [][3]string // changes of stored procedures: name, text, replacement
		admin []string    // SQL statements that the administrator runs
		store func(shop.Store) shop.Store

		unlocked  bool // changes of bins do not lock them
		forgetful bool // a delivery that could not be booked leaves its queue
		only      []string
	}{
		{name: "a sale does not decrement the stock", rule: wrongSum, edits: [][3]string{{"sell",
			"(@restock_stock := stock - p_quantity)", "(@restock_stock := stock)"}}},
		{name: "a sale decrements by one", rule: wrongSum, edits: [][3]string{{"sell",
			"(@restock_stock := stock - p_quantity)", "(@restock_stock := stock - 1)"}}},
		{name: "a sale has no ledger entry", rule: wrongSum + "|was sold as", edits: [][3]string{{"sell",
			`VALUES (v_product_id, v_bin, @restock_entry, -p_quantity, 'sale', p_sale_id, v_price, @restock_stock,
                    p_idempotency_key, p_at, p_correlation);`,
			`SELECT v_product_id, v_bin, @restock_entry, -p_quantity, 'sale', p_sale_id, v_price, @restock_stock,
                    p_idempotency_key, p_at, p_correlation FROM DUAL WHERE p_quantity > 5;`}}},
		{name: "a sale from all bins has no ledger entry", rule: wrongSum + "|was sold as", edits: [][3]string{{"move",
			"IF v_quantity <> 0 THEN", "IF v_quantity <> 0 AND NOT (p_cause = 'sale' AND v_quantity > -6) THEN"}}},
		{name: "a sale skips a number", rule: wrongSum, edits: [][3]string{{"sell",
			"(@restock_entry := entries + 1)", "(@restock_entry := entries + 1 + (p_quantity = 3))"}}},
		{name: "a sale from all bins skips a number", rule: wrongSum, edits: [][3]string{{"move",
			"SET b.entries = b.entries", "SET b.entries = b.entries + (p_cause <=> 'sale' AND p_quantity = -3)"}}},
		{name: "a sale from two bins does not lock them", rule: anyOfBins,
			edits: [][3]string{{"sell_from_all", "p_product_id FOR UPDATE;", "p_product_id; DO SLEEP(0.01);"}}},
		{name: "spreading loses the stock of a bin", rule: spread,
			edits: [][3]string{{"move", "INTO v_stock FROM bin b WHERE b.product_id = p_product_id",
				"INTO v_stock FROM bin b WHERE b.product_id = p_product_id AND b.bin < v_bins"}}},
		{name: "a buyer is refused while another bin has enough", rule: "was refused with", edits: [][3]string{{
			"sell_from_all", "-- Most refusals end here.",
			`IF (SELECT b.stock FROM bin b JOIN product p ON p.product_id = b.product_id
			      WHERE b.product_id = p_product_id AND b.bin = CONNECTION_ID() MOD p.bins) < p_quantity THEN
			     SET v_outcome = 'refused';
			 END IF; --`}}},
		{name: "a buyer is refused while all bins together have enough", rule: noOrder, edits: [][3]string{{
			"sell_from_all", "SELECT SUM(b.stock) INTO v_stock FROM bin b WHERE b.product_id = p_product_id;",
			"SELECT MAX(b.stock) INTO v_stock FROM bin b WHERE b.product_id = p_product_id;"}}},
		{name: "a sale ignores the floor of its bin", rule: short + "|" + floor, edits: [][3]string{{"sell",
			"AND stock - p_quantity >= floor", "AND stock >= p_quantity"}}},
		{name: "a change of bins does not lock them", rule: anyOfBins, unlocked: true},
		{name: "only two bins have floors", rule: floors, edits: [][3]string{{
			"move", "b.floor = IF(b.bin < v_bins", "b.floor = IF(b.bin < LEAST(v_bins, 2)"}}},
		{name: "checkout ignores the idempotency key", rule: "was sold as", edits: [][3]string{
			{"sell", "p_idempotency_key, p_at, p_correlation);\n        END",
				"NULL, p_at, p_correlation);\n        END"},
			{"sell_from_all", "v_price, NULL, p_idempotency_key", "v_price, NULL, NULL"}}},
		{name: "a sale opens no order", rule: short, edits: [][3]string{{"sell_from_all",
			"IF v_stock <= v_reorder_point AND NOT v_open THEN", "IF FALSE THEN"}}},
		{name: "a second order opens", rule: "a product has two open production orders",
			admin: []string{`ALTER TABLE production_order
			DROP KEY production_order_open, ADD KEY production_order_open (open_product_id)`},
			edits: [][3]string{
				{"sell_from_all", "IF v_stock <= v_reorder_point AND NOT v_open", "IF v_stock <= v_reorder_point"},
				{"sell_from_all", "ON o.open_product_id = p.product_id\n         WHERE p.product_id = p_product_id",
					"ON o.open_product_id = p.product_id\n         WHERE p.product_id = p_product_id LIMIT 1"},
				{"move", "ON o.open_product_id = p.product_id\n     WHERE p.product_id = p_product_id",
					"ON o.open_product_id = p.product_id\n     WHERE p.product_id = p_product_id LIMIT 1"}}},
		{name: "an attempt is booked twice", rule: "was booked twice|" + noOrder,
			store: func(s shop.Store) shop.Store { return booksTwice{s} }},
		{name: "a delivery does not count for the order",
			admin: []string{`CREATE TRIGGER broken BEFORE UPDATE ON production_order FOR EACH ROW
			SET NEW.received = OLD.received`}},
		{name: "a delivery that could not be booked is forgotten", rule: "were acknowledged", forgetful: true,
			only: delivering},
		{name: "a late delivery is lost", store: func(s shop.Store) shop.Store { return losesLate{s} }},
		{name: "a late delivery closes the order again", rule: "what was closed or answered has changed",
			only: late, admin: []string{`CREATE TRIGGER broken BEFORE UPDATE ON production_order FOR EACH ROW
			SET NEW.status = IF(OLD.status <> 'open' AND NEW.received >= NEW.quantity, 'received', NEW.status)`}},
		{name: "a surplus has no notice", admin: []string{`CREATE TRIGGER broken BEFORE INSERT ON notice FOR EACH ROW
			SET NEW.quantity = IF(NEW.kind = 'surplus', 0, NEW.quantity)`}},
		{name: "a correction is lost", only: delivering, store: func(s shop.Store) shop.Store {
			return correctsNothing{s, map[uuid.UUID]bool{}}
		}},
		{name: "a correction is not in the ledger", only: delivering,
			admin: []string{`CREATE TRIGGER broken BEFORE INSERT ON movement FOR EACH ROW
			SET NEW.quantity = IF(
				EXISTS (SELECT 1 FROM movement m WHERE m.cause = 'receipt'
				           AND SUBSTR(m.idempotency_key, 1, 45) = SUBSTR(NEW.idempotency_key, 1, 45)),
				0, NEW.quantity)`}},
		{name: "a correction is not notified", only: delivering,
			admin: []string{`CREATE TRIGGER broken BEFORE INSERT ON notice FOR EACH ROW
			SET NEW.told_at = IF(NEW.kind = 'receipt_corrected', NEW.due_at, NULL),
			    NEW.due_at = IF(NEW.kind = 'receipt_corrected', NULL, NEW.due_at)`}},
		{name: "an adjustment is made twice for its key", rule: "adjustments are stored|which has the same key",
			only: adjusting, store: func(s shop.Store) shop.Store { return adjustsTwice{s} }},
		{name: "a sale is answered as unavailable", only: buying,
			store: func(s shop.Store) shop.Store { return deniesSales{s} }},
		{name: "orders are never published", store: func(s shop.Store) shop.Store { return neverPublishes{s} }},
		{name: "an order is marked as published too early", only: publishing,
			store: func(s shop.Store) shop.Store { return marksEarly{s} }},
		{name: "overdue orders are never asked for again",
			store: func(s shop.Store) shop.Store { return neverAsksAgain{s} }},
		{name: "overdue orders are never given up", only: givingUp,
			store: func(s shop.Store) shop.Store { return neverCloses{s} }},
		{name: "a sweep opens no orders", store: func(s shop.Store) shop.Store { return neverShort{s} }},
		{name: "notices are never sent", store: func(s shop.Store) shop.Store { return neverNotifies{s} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t)
			d.breakage = c.store
			d.forgetful, d.only = c.forgetful, c.only
			d.pictures = t.TempDir()
			if c.unlocked {
				d.breakage = func(s shop.Store) shop.Store { return changesUnlocked{s, d.Admin} }
			}
			for _, statement := range c.admin {
				d.Exec(t, statement)
			}
			for _, e := range c.edits {
				d.EditProcedure(t, e[0], e[1], e[2])
			}
			if slices.Contains(traced, c.name) {
				d.goesOn = true
			} else {
				d.rulesOnly = true // else it depends on the histories whether a trace or a rule is broken first
			}
			broken, refused := d.search(t)
			switch {
			case broken.err == nil:
				t.Errorf("%d histories have not found the bug", searchLimit)
			case !regexp.MustCompile(c.rule).MatchString(broken.err.Error()):
				t.Errorf("want the rule %s", c.rule)
			}
			t.Logf("history %d: %v", broken.history, broken.err)
			if d.rulesOnly {
				return
			}
			if refused.err == nil || !strings.Contains(refused.err.Error(), "the model does not allow") {
				t.Errorf("traces of %d histories: got %v, want that the model does not allow a step", searchLimit,
					refused.err)
			}
			t.Logf("trace %d: %v", refused.history, refused.err)
		})
	}
}

// The actions that lead to a rare bug. A search that drew the others, too, would take dozens of
// histories.
var (
	adjusting  = []string{"merchant adjusts"}
	buying     = []string{"buyer buys", "buyer buys the rest", "buyers rush"}
	delivering = []string{
		"buyer buys the rest", "delivery is handled", "factory makes", "factory reports", "factory reports again",
		"sweep",
	}
	// givingUp leads to orders that the factory never makes.
	givingUp = []string{"buyer buys the rest", "factory loses", "production order is overdue", "sweep"}
	// late leads to deliveries for closed orders.
	late = []string{"buyer buys the rest", "factory makes", "factory reports", "merchant cancels"}
	// publishing opens an order while the topic is down, and lets a sweep publish it then.
	publishing = []string{
		"buyer buys the rest", "production order is overdue", "sweep", "topic and mail fail or recover",
	}
)

func TestTheListsNameActions(t *testing.T) {
	all := (&world{database: &database{}}).actions(t.Context(), new(error))
	for _, name := range slices.Concat(adjusting, buying, delivering, givingUp, late, publishing) {
		if all[name] == nil {
			t.Errorf("there is no action %q", name)
		}
	}
}

// searchLimit is the largest number of histories of a search. All bugs are found in far fewer.
const searchLimit = 1000

// A finding is the first error of its kind in a search, and the number of its history.
type finding struct {
	history int
	err     error
}

// search runs histories until one breaks a rule, and one has a trace that the model does not allow,
// if the database judges traces.
func (d *database) search(t *testing.T) (broken, refused finding) {
	t.Helper()
	histories := 0
	found := func() bool { return broken.err != nil && (d.rulesOnly || refused.err != nil) }
	for histories < searchLimit && !found() {
		done := make(chan struct{})
		go func() { // rapid ends the goroutine of a test that fails
			defer close(done)
			rapid.Check(quiet{t}, func(rt *rapid.T) {
				if found() {
					return // do not shrink the history
				}
				histories++
				b, r := d.run(t.Context(), rt)
				if broken.err == nil {
					broken = finding{histories, b}
				}
				if refused.err == nil {
					refused = finding{histories, r}
				}
				if found() {
					rt.Fatal(b, r)
				}
			})
		}()
		<-done
	}
	return broken, refused
}

// quiet is a test whose failure is expected: it does not report it. rapid refuses a test that has
// failed, and a first failure must not keep the test from the second kind of check.
type quiet struct{ *testing.T }

func (quiet) Failed() bool { return false }

func (quiet) Error(...any)          {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fail()                 {}
func (quiet) Fatal(...any)          { runtime.Goexit() }
func (quiet) Fatalf(string, ...any) { runtime.Goexit() }
func (quiet) FailNow()              { runtime.Goexit() }
func (quiet) Log(...any)            {}
func (quiet) Logf(string, ...any)   {}

// deniesSales answers some checkouts that have succeeded with an error that says that they have
// not.
type deniesSales struct{ shop.Store }

func (s deniesSales) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	d, err := s.Store.Checkout(ctx, c)
	if err == nil && d.Outcome == shop.Sold && !d.Sale.Repeated && c.Quantity%7 == 0 {
		return shop.Decision{}, errNotSent
	}
	return d, err
}

// changesUnlocked changes the number of bins without a lock: the transaction's snapshot may be
// older than the stock that it spreads.
type changesUnlocked struct {
	shop.Store
	db *sql.DB
}

func (s changesUnlocked) ChangeProduct(ctx context.Context, sku string, c shop.ProductChange, at time.Time) error {
	if c.Bins == nil {
		return s.Store.ChangeProduct(ctx, sku, c, at)
	}
	if err := s.changeBins(ctx, sku, *c.Bins); err != nil {
		return errNotSent // for example a deadlock
	}
	return nil
}

func (s changesUnlocked) changeBins(ctx context.Context, sku string, bins int) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after the commit
	var product []byte
	var stock int // unused: reading it takes the snapshot
	row := tx.QueryRowContext(ctx, `SELECT product_id, stock FROM product_stock WHERE sku = ?`, sku)
	if err := row.Scan(&product, &stock); err != nil {
		return err
	}
	time.Sleep(10 * time.Millisecond) // so that others sell meanwhile, on every machine
	for _, statement := range []string{
		`UPDATE product SET bins = ? WHERE product_id = ?`,
		`INSERT IGNORE INTO bin (product_id, bin)
			WITH RECURSIVE n (bin, bins) AS (SELECT 0, ? UNION ALL SELECT bin + 1, bins FROM n WHERE bin + 1 < bins)
			SELECT ?, bin FROM n`,
		`CALL move(IF(?, ?, NULL), 0, NULL, NULL, NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6), '')`,
	} {
		if _, err := tx.ExecContext(ctx, statement, bins, product); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// adjustsTwice ignores the idempotency keys of adjustments.
type adjustsTwice struct{ shop.Store }

func (s adjustsTwice) Adjust(ctx context.Context, a shop.Adjustment) (shop.Adjusted, error) {
	a.IdempotencyKey = ""
	return s.Store.Adjust(ctx, a)
}

// booksTwice books a repeated callback as the callback of another attempt.
type booksTwice struct{ shop.Store }

func (s booksTwice) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	r, err := s.Store.Receive(ctx, d)
	if err == nil && r.Repeated {
		d.AttemptID = uuid.New()
		return s.Store.Receive(ctx, d)
	}
	return r, err
}

// losesLate acknowledges deliveries for closed orders and does not book them.
type losesLate struct{ shop.Store }

func (s losesLate) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	if o, err := s.ProductionOrder(ctx, d.ProductionOrderID); err == nil && o.Status != shop.OrderOpen {
		return shop.Receipt{Late: true}, nil
	}
	return s.Store.Receive(ctx, d)
}

// correctsNothing answers every callback after the first as repeated, although it may correct the
// quantity.
type correctsNothing struct {
	shop.Store
	booked map[uuid.UUID]bool
}

func (s correctsNothing) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	if s.booked[d.AttemptID] {
		return shop.Receipt{Repeated: true}, nil
	}
	r, err := s.Store.Receive(ctx, d)
	s.booked[d.AttemptID] = err == nil
	return r, err
}

type neverPublishes struct{ shop.Store }

func (neverPublishes) ClaimPublication(context.Context, shop.ProductionOrder, time.Time) (bool, error) {
	return false, nil
}

type marksEarly struct{ shop.Store }

func (s marksEarly) ClaimPublication(ctx context.Context, o shop.ProductionOrder, until time.Time) (bool, error) {
	claimed, err := s.Store.ClaimPublication(ctx, o, until)
	if claimed && err == nil {
		err = s.MarkPublished(ctx, o.ID, until)
	}
	return claimed, err
}

type neverAsksAgain struct{ shop.Store }

func (neverAsksAgain) ClaimAsk(context.Context, shop.ProductionOrder, time.Time) (bool, error) {
	return false, nil
}

type neverCloses struct{ shop.Store }

func (s neverCloses) CloseOrder(ctx context.Context, o shop.ProductionOrder, status shop.OrderStatus,
	at time.Time) (bool, error) {
	if status != shop.OrderCancelled {
		return false, nil
	}
	return s.Store.CloseOrder(ctx, o, status, at)
}

type neverShort struct{ shop.Store }

func (neverShort) Short(context.Context) ([]string, error) { return nil, nil }

type neverNotifies struct{ shop.Store }

func (neverNotifies) ClaimNotice(context.Context, shop.Notice, time.Time, time.Time) (bool, error) {
	return false, nil
}
