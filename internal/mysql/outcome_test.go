package mysql_test

import (
	"context"
	"database/sql"
	"runtime"
	"testing"

	"restock/internal/mysql"
	"restock/internal/shop"
)

// reach opens the fixture's shop through a wire, and connects.
func (f *fixture) reach(t *testing.T) (*shop.Shop, *wire) {
	t.Helper()
	w := newWire(t, f.Database, 0)
	s := shop.Open(mysql.NewStore(f.OpenAt(t, w.port(), 1)), f, shop.Discard)
	if _, err := s.Store.Products(t.Context()); err != nil { // opens the connection
		t.Fatal(err)
	}
	return s, w
}

// A write is a call that changes the database.
type write struct {
	name  string
	do    func(context.Context, *shop.Shop) error
	count string // the query that counts the stored rows
}

// writes returns the calls that a client may repeat with the same idempotency key.
func writes(f *fixture, t *testing.T) []write {
	f.SetStock(t, 10)
	return []write{
		{"a checkout", func(ctx context.Context, s *shop.Shop) error {
			_, err := s.Buy(ctx, shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: "key"})
			return err
		}, `SELECT COUNT(*) FROM sale`},
		{"an adjustment", func(ctx context.Context, s *shop.Shop) error {
			_, err := s.Adjust(ctx, shop.Adjustment{
				SKU: donut, Quantity: -1, Reason: "damaged", IdempotencyKey: "another key",
			})
			return err
		}, `SELECT COUNT(*) FROM adjustment`},
	}
}

func TestOutcomeIsUnknownIfTheAnswerIsLostAfterTheCommit(t *testing.T) {
	f := newFixture(t, 1)
	for _, c := range writes(f, t) {
		s, w := f.reach(t)
		lost := func() bool { return false }
		w.answered.Store(&lost)
		if err := c.do(t.Context(), s); shop.CodeOf(err) != shop.CodeOutcomeUnknown {
			t.Errorf("%s whose answer was lost: got %v, want %s", c.name, err, shop.CodeOutcomeUnknown)
		}
		if n := f.Number(t, c.count); n != 1 {
			t.Errorf("%s whose answer was lost: %d are stored, want 1", c.name, n)
		}
		w.answered.Store(nil)
		if err := c.do(t.Context(), s); err != nil {
			t.Errorf("%s, repeated with the same key: got %v, want the first answer", c.name, err)
		}
		if n := f.Number(t, c.count); n != 1 {
			t.Errorf("%s, repeated with the same key: %d are stored, want 1", c.name, n)
		}
	}
	f.CheckBooks(t)
}

func TestOutcomeIsUnknownIfTheContextEndsBeforeTheAnswer(t *testing.T) {
	f := newFixture(t, 1)
	for _, c := range writes(f, t) {
		s, w := f.reach(t)
		ctx, cancel := context.WithCancel(t.Context())
		ends := func() bool {
			cancel()
			return false
		}
		w.answered.Store(&ends)
		if err := c.do(ctx, s); shop.CodeOf(err) != shop.CodeOutcomeUnknown {
			t.Errorf("%s: got %v, want %s", c.name, err, shop.CodeOutcomeUnknown)
		}
		if n := f.Number(t, c.count); n != 1 {
			t.Errorf("%s: %d are stored, want 1", c.name, n)
		}
	}
}

func TestNothingIsStoredIfTheDatabaseIsUnavailable(t *testing.T) {
	f := newFixture(t, 1)
	for _, c := range writes(f, t) {
		unreachable, w := f.reach(t)
		w.cut()
		if err := c.do(t.Context(), unreachable); shop.CodeOf(err) != shop.CodeUnavailable {
			t.Errorf("%s on an unreachable database: got %v, want %s", c.name, err, shop.CodeUnavailable)
		}

		held, err := f.DB.Conn(t.Context()) // the only connection
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done, waited := make(chan error, 1), f.DB.Stats().WaitCount
		go func() { done <- c.do(ctx, f.Shop) }()
		for f.DB.Stats().WaitCount == waited {
			if t.Context().Err() != nil {
				t.Fatal("the call did not wait for a connection")
			}
			runtime.Gosched()
		}
		cancel()
		if err := <-done; shop.CodeOf(err) != shop.CodeUnavailable {
			t.Errorf("%s without a connection: got %v, want %s", c.name, err, shop.CodeUnavailable)
		}
		held.Close()
		if n := f.Number(t, c.count); n != 0 {
			t.Errorf("%s: %d are stored, want none", c.name, n)
		}
	}
}

func TestADeadIdleConnectionIsReplaced(t *testing.T) {
	f := newFixture(t, 4)
	f.SetStock(t, 10)
	for range 2 {
		var all []func() error
		for range 4 {
			conn, err := f.DB.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, conn.Close)
		}
		for _, giveBack := range all {
			giveBack()
		}
		rows, err := f.Admin.QueryContext(t.Context(), processesOfUser, f.User)
		if err != nil {
			t.Fatal(err)
		}
		var ids []int
		for rows.Next() {
			var id int
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if err := rows.Close(); err != nil || len(ids) != 4 {
			t.Fatalf("%d connections, %v; want 4", len(ids), err)
		}
		for _, id := range ids {
			f.Exec(t, `KILL ?`, id)
		}
		for f.Number(t, `SELECT COUNT(*) FROM information_schema.processlist WHERE user = ?`, f.User) > 0 {
		}
		if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil {
			t.Errorf("got %v, want a sale: nothing was sent on the dead connections", err)
		}
	}
}

// processesOfUser selects the server's connections of a user.
const processesOfUser = `SELECT id FROM information_schema.processlist WHERE user = ?`

// TestACallThatTheServerInterrupts makes the server interrupt a checkout before and after the
// commit.
func TestACallThatTheServerInterrupts(t *testing.T) {
	for _, c := range []struct {
		name string
		edit [2]string
		want shop.Code
		sold int
	}{
		{"before the commit", [2]string{
			"INSERT INTO movement", "SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1317; INSERT INTO movement",
		}, shop.CodeUnavailable, 0},
		{"after the commit", [2]string{
			"SELECT 'sold' AS outcome", "SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1317; SELECT 'sold' AS outcome",
		}, shop.CodeOutcomeUnknown, 1},
		{"the disk is full", [2]string{
			"INSERT INTO movement", "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114; INSERT INTO movement",
		}, shop.CodeUnavailable, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, 1)
			f.EditProcedure(t, "sell", c.edit[0], c.edit[1])
			purchase := shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: c.name}
			if _, err := f.Buy(t.Context(), purchase); shop.CodeOf(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if n := f.Number(t, `SELECT COUNT(*) FROM sale`); n != c.sold {
				t.Errorf("%d are sold, want %d", n, c.sold)
			}
			f.CheckBooks(t)
		})
	}
}

// TestAQueryThatIsKilledLeavesNoTransaction kills a checkout that holds a lock and waits for
// another one.
func TestAQueryThatIsKilledLeavesNoTransaction(t *testing.T) {
	f := newFixture(t, 1)
	holder, err := f.Admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	const lock = `UPDATE bin b JOIN product p USING (product_id) SET b.stock = b.stock WHERE p.sku = ?`
	if _, err := holder.ExecContext(t.Context(), lock, donut); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: "key"})
		done <- err
	}()
	if f.waitsForLock(t, done) == "" {
		t.Fatal("the checkout did not wait for the lock")
	}
	f.Exec(t, `KILL QUERY ?`, f.Number(t, processesOfUser, f.User))
	if err := <-done; shop.CodeOf(err) != shop.CodeUnavailable {
		t.Errorf("got %v, want %s: nothing is sold", err, shop.CodeUnavailable)
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil || sale.Stock != 2 {
		t.Errorf("the next checkout on the connection: got %+v, %v; want a sale that leaves 2", sale, err)
	}
	f.CheckBooks(t)
}

// TestATransactionThatEndsEarlyIsRolledBack ends a delivery that has locked the product and waits
// for the order.
func TestATransactionThatEndsEarlyIsRolledBack(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(f *fixture, cancel context.CancelFunc)
	}{
		{"the server ends the statement", func(f *fixture, _ context.CancelFunc) {
			f.Exec(t, `KILL QUERY ?`, f.Number(t, processesOfUser, f.User))
		}},
		{"the caller's context ends", func(_ *fixture, cancel context.CancelFunc) { cancel() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, 1)
			order := f.soldOut(t)
			holder, err := f.Admin.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Rollback()
			if _, err := holder.ExecContext(t.Context(), `UPDATE production_order SET asks = asks`); err != nil {
				t.Fatal(err)
			}
			delivery := shop.Delivery{
				ProductionOrderID: order.ID, AttemptID: newID(t), SKU: donut, Quantity: 100, Signed: 100,
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				_, err := f.Receive(ctx, delivery)
				done <- err
			}()
			if f.waitsForLock(t, done) == "" {
				t.Fatal("the delivery did not wait for the order")
			}
			c.end(f, cancel)
			if err := <-done; shop.CodeOf(err) != shop.CodeUnavailable {
				t.Errorf("got %v, want %s: nothing is booked", err, shop.CodeUnavailable)
			}
			if err := holder.Rollback(); err != nil {
				t.Fatal(err)
			}
			if r, err := f.Receive(t.Context(), delivery); err != nil || r.Stock != 100 || r.Repeated {
				t.Errorf("the next delivery on the connection: got %+v, %v; want a receipt that leaves 100", r, err)
			}
			f.CheckBooks(t)
		})
	}
}

// TestATransactionThatPanicsIsRolledBack uses the only connection again after a panic.
func TestATransactionThatPanicsIsRolledBack(t *testing.T) {
	f := newFixture(t, 1)
	store := mysql.NewStore(f.DB)
	func() {
		defer func() { _ = recover() }()
		_ = mysql.Transaction(store, t.Context(), "selling everything", func(conn *sql.Conn) error {
			if _, err := conn.ExecContext(t.Context(), `UPDATE bin SET stock = 0`); err != nil {
				t.Error(err)
			}
			panic("a mistake")
		})
	}()
	if sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil || sale.Stock != 2 {
		t.Errorf("the next checkout: got %+v, %v; want a sale that leaves 2", sale, err)
	}
	f.CheckBooks(t)
}
