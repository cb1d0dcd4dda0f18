package mysql_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"restock/internal/mysql/migrate"
)

// TestAMigrationThatIsKilledCanBeRunAgain kills the migration at random moments and runs it again,
// while functions of the release before sell and book deliveries.
func TestAMigrationThatIsKilledCanBeRunAgain(t *testing.T) {
	const buyers, kills = 3, 16
	d, provider, oldDB := old(t, buyers+1)
	newOldHistory(t, d, manySales)
	for _, s := range []string{ // a second product with a ledger of three batches: one is in the middle
		`INSERT INTO stock_ledger (product_id, quantity, cause, recorded_at)
		 SELECT product_id, IF(seq MOD 2, 1, -1), 'opening', '2026-01-02'
		   FROM product, seq_1_to_10100 WHERE sku = 'CP-502102'`,
	} {
		d.Exec(t, s)
	}
	// In a procedure of a migration, the list of processes shows the user of its definer, not the
	// one of the connection.
	theirs := connectionIDs(t, oldDB, buyers+1)
	var sold, twist, unavailable, received atomic.Int64
	fiveMore := make(chan struct{}, 1) // five more are sold
	selling, stop := context.WithCancel(t.Context())
	defer stop()
	var all sync.WaitGroup
	for i := range buyers {
		all.Go(func() {
			for n := 0; selling.Err() == nil; n++ {
				sku, count := donut, &sold
				if n%100 == 99 {
					sku, count = "CP-502102", &twist
				}
				outcome, err := oldCheckout(t.Context(), oldDB, sku, fmt.Sprintf("buyer %d, %d", i, n))
				switch {
				case err != nil:
					t.Errorf("a buyer: %v", err)
					return
				case outcome == "sold":
					if count.Add(1)%5 == 0 {
						select {
						case fiveMore <- struct{}{}:
						default:
						}
					}
				case outcome == "unavailable":
					unavailable.Add(1)
				case sku == donut:
					t.Errorf("a buyer got %q, want a sale: thousands are on hand", outcome)
					return
				}
			}
		})
	}
	all.Go(func() {
		for i := 0; i < 50 && selling.Err() == nil; i++ {
			if err := oldReceive(t, oldDB, uuid.Must(uuid.NewV7())); err != nil {
				t.Errorf("a delivery: %v", err)
				return
			}
			received.Add(1)
			select {
			case <-fiveMore:
			case <-selling.Done():
			}
		}
	})

	// The first attempt waits for this transaction until it is killed. So one is killed on any
	// machine.
	holder, err := d.Admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.ExecContext(t.Context(), `UPDATE product SET name = name WHERE sku = 'CP-502103'`); err != nil {
		t.Fatal(err)
	}

	killed, finished := 0, false
	pool := d.OpenAdmin(2) // some attempts share a pool, as those of one instance do
	for attempt := 0; !finished; attempt++ {
		done := make(chan error, 1)
		go func() {
			_, err := migrate.Up(t.Context(), pool)
			done <- err
		}()
		// The statement at which to kill, as the list of processes shows it.
		at := []string{"INSERT INTO movement", "UPDATE bin", "FOR UPDATE", "SUM(", "UPDATE product", "CREATE", "COMMIT",
			""}[rand.IntN(8)]
		if killed == 0 {
			at = "ALTER TABLE product" // waits for the holder, so it still runs when KILL comes
		}
		var err error
		for running := true; running; {
			if killed == kills { // the last attempt
				err = <-done
				break
			}
			select {
			case err = <-done:
				running = false
				continue
			default:
			}
			var id int
			found := d.Admin.QueryRow(`SELECT id FROM information_schema.processlist
				WHERE NOT FIND_IN_SET(id, ?) AND db = ? AND command = 'Query' AND id <> CONNECTION_ID()
				  AND info NOT LIKE '%innodb_trx%' AND info LIKE CONCAT('%', ?, '%')
				  AND (? = 'CREATE' OR info NOT LIKE '%CREATE OR REPLACE%') LIMIT 1`, theirs, d.Name, at, at).Scan(&id)
			first := killed == 0
			if found == nil && (first || rand.IntN(2) == 0) {
				how := []string{"QUERY", "QUERY", "CONNECTION"}[rand.IntN(3)]
				_, killErr := d.Admin.Exec(fmt.Sprintf("KILL %s %d", how, id))
				if killErr == nil {
					killed++
					t.Logf("attempt %d: KILL %s at %q", attempt, how, at)
				} else if first {
					continue // the statement has ended: look again
				}
				holder.Rollback() // does nothing after the first kill
				err = <-done
				running = false
				if first && err == nil {
					t.Error("the first attempt was killed while it waited, and succeeded")
				}
			}
		}
		finished = err == nil
		if err != nil {
			t.Logf("attempt %d: %.150v", attempt, err)
		}
		if attempt%4 == 3 {
			pool = d.OpenAdmin(2)
		}
		if attempt > 60 {
			t.Fatal("it did not finish")
		}
	}
	stop()
	all.Wait()
	d.Exec(t, `CALL carry_over()`)
	t.Logf("%d kills; %d donuts and %d twists sold, %d received, %d unavailable", killed, sold.Load(), twist.Load(),
		received.Load(), unavailable.Load())
	if got, want := d.Stock(t), oldStock(manySales)+int(received.Load()-sold.Load()); got != want {
		t.Errorf("%d donuts are on hand, want %d", got, want)
	}
	if got, want := d.Number(t, `SELECT stock FROM product_stock WHERE sku = 'CP-502102'`), 60-int(
		twist.Load()); got != want {
		t.Errorf("%d twists are on hand, want %d", got, want)
	}
	d.CheckBooks(t)
	if _, err := provider.Up(t.Context()); err != nil {
		t.Error(err)
	}
	d.CheckBooks(t)
}

// connectionIDs opens all connections of a pool, keeps them open, and returns their ids.
func connectionIDs(t *testing.T, db *sql.DB, connections int) (list string) {
	t.Helper()
	db.SetConnMaxLifetime(0)
	var ids []string
	for range connections {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // returns it to the pool
		var id string
		if err := conn.QueryRowContext(t.Context(), `SELECT CONNECTION_ID()`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, ",")
}

// oldReceive books one piece of the open order as a function of the release before does.
func oldReceive(t *testing.T, db *sql.DB, attempt uuid.UUID) error {
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, s := range []struct {
		query string
		args  []any
	}{
		{`SELECT @s := stock FROM product WHERE sku = 'CP-502101' FOR UPDATE`, nil},
		{`INSERT INTO goods_receipt (attempt_id, production_order_id, quantity, stock_left, received_at)
		  VALUES (?, UNHEX(REPEAT('B', 32)), 1, @s + 1, UTC_TIMESTAMP(6))`, []any{attempt[:]}},
		{`UPDATE product SET stock = @s + 1 WHERE sku = 'CP-502101'`, nil},
		{`INSERT INTO stock_ledger (product_id, quantity, cause, reference, recorded_at)
		  SELECT product_id, 1, 'receipt', ?, UTC_TIMESTAMP(6)
		    FROM product WHERE sku = 'CP-502101'`, []any{attempt[:]}},
		{`UPDATE production_order SET received = received + 1 WHERE production_order_id = UNHEX(REPEAT('B', 32))`, nil},
	} {
		if _, err := tx.ExecContext(t.Context(), s.query, s.args...); err != nil {
			return fmt.Errorf("%.30s: %w", s.query, err)
		}
	}
	return tx.Commit()
}
