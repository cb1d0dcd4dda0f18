package rds

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql"
	"restock/internal/mysql/invariants"
	"restock/internal/mysql/migrate"
	"restock/internal/shop"
	"restock/local/mariadb"
	"restock/local/mariadb/mariadbtest"
)

// TestAcknowledgedSalesSurviveACrash kills the server in a rush on 16 bins, several times, and
// starts it again with the same data.
func TestAcknowledgedSalesSurviveACrash(t *testing.T) {
	mariadbtest.Require(t)
	const buyers, rounds, sales = 16, 3, 150
	dir := t.TempDir()
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	for round := range rounds + 1 {
		server, err := mariadb.Start(t.Context(), mariadb.Config{Dir: dir, Args: []string{connections}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Stop() })
		execute(t, opened(t, server), "CREATE DATABASE IF NOT EXISTS "+database+" CHARACTER SET utf8mb4")
		db := openShop(t, server, buyers)
		if _, err := migrate.Up(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		store := mysql.NewStore(db)
		s := shop.Open(store, silent{}, shop.Discard)
		for key := range acknowledged {
			var n int
			if err := db.QueryRow("SELECT COUNT(*) FROM movement WHERE idempotency_key = ?", key).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n != 1 {
				t.Errorf("round %d: an acknowledged sale is stored %d times", round, n)
			}
		}
		if err := invariants.Check(t.Context(), db, invariants.Always); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if round == rounds {
			t.Logf("%d sales were acknowledged, %d are stored", len(acknowledged),
				number(t, db, "SELECT COUNT(*) FROM movement WHERE cause = 'sale'"))
			return
		}
		bins := 16
		if err := store.ChangeProduct(t.Context(), donut, shop.ProductChange{Bins: &bins}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: 500, Reason: "more"}); err != nil {
			t.Fatal(err)
		}
		var sold atomic.Int64
		var all sync.WaitGroup
		for range buyers {
			all.Go(func() {
				for {
					key := uuid.Must(uuid.NewV7()).String()
					_, err := s.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: key})
					switch shop.CodeOf(err) {
					case shop.CodeUnavailable, shop.CodeOutcomeUnknown:
						return // the server is gone
					}
					if err != nil && shop.CodeOf(err) != shop.CodeOutOfStock {
						t.Errorf("a buyer: %v", err)
						return
					}
					if err == nil {
						mu.Lock()
						acknowledged[key] = true
						mu.Unlock()
					}
					if sold.Add(1) == sales {
						server.Kill()
					}
				}
			})
		}
		all.Wait()
		_ = server.Stop()
	}
}

// openShop opens the shop's database as the functions do.
func openShop(t *testing.T, server *mariadb.Server, connections int) *sql.DB {
	t.Helper()
	admin := server.Admin()
	host, port, err := net.SplitHostPort(admin.Addr)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	db, err := mysql.Open(mysql.Config{
		Host: host, Port: number, Name: database, MaxConnections: connections,
		Credentials: func(context.Context, bool) (string, string, error) { return admin.User, admin.Passwd, nil },
	})
	if err != nil {
		t.Fatal(fmt.Errorf("opening the shop: %w", err))
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
