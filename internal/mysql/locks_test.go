package mysql_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"restock/internal/shop"
)

// TestRefusalTakesNoLock holds the locks of a delivery, and checks that a refused buyer does not
// wait for them.
func TestRefusalTakesNoLock(t *testing.T) {
	f := newFixture(t, 1)
	order := f.soldOut(t)
	delivery, err := f.Admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer delivery.Rollback()
	for _, statement := range []struct {
		query string
		args  []any
	}{
		{`UPDATE bin SET stock = stock + 100 WHERE product_id = (SELECT product_id FROM product WHERE sku = ?)`,
			[]any{donut}},
		{`UPDATE production_order SET received = 100, status = 'received', closed_at = opened_at
		   WHERE production_order_id = ?`, []any{order.ID[:]}}, // also locks the order's entry in production_order_open
	} {
		if _, err := delivery.ExecContext(t.Context(), statement.query, statement.args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		ask  func() error
	}{
		{"a refused checkout", func() error {
			_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
			return refused(err)
		}},
		{"a replenishment that has nothing to order", func() error {
			_, err := f.Database.Store.Replenish(t.Context(), shop.Replenishment{SKU: donut, At: time.Now()})
			return err
		}},
	} {
		done := make(chan error, 1)
		go func() { done <- c.ask() }()
		if waits := f.waitsForLock(t, done); waits != "" {
			delivery.Rollback()
			<-done
			t.Fatalf("%s waits for the delivery's lock: %s", c.name, waits)
		}
	}
}

// refused returns nil if an error is a refusal for lack of stock. It returns any other error as it
// is.
func refused(err error) error {
	if err != nil && shop.CodeOf(err) == shop.CodeOutOfStock {
		return nil
	}
	return err
}

// waitsForLock waits until done receives a result, or until the server reports that a transaction
// of the functions' user waits for a lock. It returns the statement that waits.
//
// InnoDB answers from a copy of its list of transactions, and renews the copy only if nobody has
// read it for 0.1 s. So a caller that asks more often always gets the first answer.
func (f *fixture) waitsForLock(t *testing.T, done chan error) (statement string) {
	t.Helper()
	renewed := time.NewTicker(200 * time.Millisecond)
	defer renewed.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return ""
		case <-renewed.C:
		}
		err := f.Admin.QueryRowContext(t.Context(), `
			SELECT COALESCE(t.trx_query, '') FROM information_schema.innodb_trx t
			  JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
			 WHERE t.trx_state = 'LOCK WAIT' AND p.user = ?`, f.User).Scan(&statement)
		if err == nil {
			return statement
		}
		if err != sql.ErrNoRows {
			t.Fatal(err)
		}
	}
}

// TestRefusedBuyersAndDeliveriesDoNotDeadlock books deliveries while the shop refuses buyers on 8
// connections, and reads the server's own count of deadlocks.
func TestRefusedBuyersAndDeliveriesDoNotDeadlock(t *testing.T) {
	const buyers, deliveries = 8, 40
	f := newFixture(t, buyers+1)
	f.SetStock(t, 0)
	before := f.deadlocks(t)
	over := make(chan struct{})
	var all errgroup.Group
	for range buyers {
		all.Go(func() error {
			for {
				select {
				case <-over:
					return nil
				default:
				}
				// The quantity is more than a delivery brings, so the shop always refuses the
				// buyer, and orders if the product is short.
				if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1_000_000}); refused(err) != nil {
					return err
				}
			}
		})
	}
	var deliver sync.WaitGroup
	deliver.Go(func() {
		defer close(over)
		for range deliveries {
			if err := f.deliverAndSell(t); err != nil {
				t.Error(err)
				return
			}
		}
	})
	deliver.Wait()
	if err := all.Wait(); err != nil {
		t.Errorf("a buyer got %v, want refusals only", err)
	}
	f.checkDeadlocks(t, before)
	f.CheckBooks(t)
}

// deliverAndSell sells the stock, and books a delivery for the open production order.
func (f *fixture) deliverAndSell(t *testing.T) error {
	p, err := f.Database.Store.Product(t.Context(), donut)
	if err != nil {
		return err
	}
	if p.Stock > 0 {
		if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: p.Stock}); err != nil {
			return err
		}
	}
	open, err := f.Database.Store.OpenOrders(t.Context())
	if err != nil || len(open) == 0 {
		return err
	}
	_, err = f.Receive(t.Context(), shop.Delivery{
		ProductionOrderID: open[0].ID, AttemptID: newID(t), SKU: donut, Quantity: open[0].Quantity,
		Signed: open[0].Quantity,
	})
	return err
}

// deadlocks returns how many deadlocks the server has ended since it started. Only the tests of
// this package use the server.
func (f *fixture) deadlocks(t *testing.T) (n int) {
	t.Helper()
	var name string
	row := f.Admin.QueryRowContext(t.Context(), `SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'`)
	if err := row.Scan(&name, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// checkDeadlocks checks that the server has ended no deadlock since it counted before. The failure
// shows the latest one.
func (f *fixture) checkDeadlocks(t *testing.T, before int) {
	t.Helper()
	deadlocks := f.deadlocks(t) - before
	if deadlocks == 0 {
		return
	}
	var kind, name, status string
	row := f.Admin.QueryRowContext(t.Context(), `SHOW ENGINE INNODB STATUS`)
	if err := row.Scan(&kind, &name, &status); err != nil {
		t.Fatal(err)
	}
	_, status, _ = strings.Cut(status, "LATEST DETECTED DEADLOCK")
	status, _, _ = strings.Cut(status, "\nTRANSACTIONS\n")
	t.Errorf("the server counted %d deadlocks, want none. The latest:%s", deadlocks, status)
}
