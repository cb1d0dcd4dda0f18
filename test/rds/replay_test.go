package rds

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql"
	"restock/internal/mysql/migrate"
	"restock/internal/shop"
	"restock/local/mariadb"
	"restock/local/mariadb/mariadbtest"
	"restock/test/fixture"
)

const (
	donut    = "CP-502101"
	database = "shop"
)

// TestTheBinaryLogRepeatsTheShop lets a second server execute the binary log of a shop that did
// everything at once. RDS restores a database to a point in time in this way. All tables must be
// equal afterwards, and the server must not have logged a statement that it calls unsafe.
func TestTheBinaryLogRepeatsTheShop(t *testing.T) {
	unsafe, different := replay(t, 25, func(*sql.DB) {})
	for _, u := range unsafe {
		t.Errorf("the server warns: %s", u)
	}
	for _, d := range different {
		t.Errorf("a table is different on the server that executed the log: %s", d)
	}
}

// TestTheTestNoticesALogThatDoesNotRepeat logs statements only, and makes a procedure write an
// unpredictable value.
func TestTheTestNoticesALogThatDoesNotRepeat(t *testing.T) {
	unsafe, different := replay(t, 4, func(admin *sql.DB) {
		execute(t, admin, "SET GLOBAL binlog_format = 'STATEMENT'")
		var definition string
		var ignored sql.NullString
		if err := admin.QueryRowContext(t.Context(), "SHOW CREATE PROCEDURE "+database+".move").
			Scan(&ignored, &ignored, &definition, &ignored, &ignored, &ignored); err != nil {
			t.Fatal(err)
		}
		const old = "SET p.scarce ="
		if !strings.Contains(definition, old) {
			t.Fatalf("the procedure move has no %q", old)
		}
		definition = strings.Replace(definition, old, "SET p.price = 1 + UUID_SHORT() MOD 1000000, p.scarce =", 1)
		execute(t, admin, "USE "+database)
		execute(t, admin, "SET SESSION binlog_format = 'STATEMENT'")
		execute(t, admin, "DROP PROCEDURE move")
		execute(t, admin, definition)
	})
	if len(unsafe) == 0 || len(different) == 0 {
		t.Errorf("unsafe statements %q, different tables %q; want some of both", unsafe, different)
	}
}

// replay runs rounds of a shop whose schema edit has changed, and executes its binary log on a
// second server. It returns the server's warnings about unsafe statements, and the tables that are
// different afterwards.
func replay(t *testing.T, rounds int, edit func(admin *sql.DB)) (unsafe, different []string) {
	mariadbtest.Require(t)
	log := filepath.Join(t.TempDir(), "error.log")
	d, primary := start(t, SingleAZ, "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0",
		"--binlog-expire-logs-seconds=0", "--log-error="+log, "--log-warnings=2")
	copied, err := mariadb.Start(t.Context(), mariadb.Config{Args: append([]string{
		"--server-id=2", "--skip-log-bin", "--relay-log=relay"}, mariadb.Relaxed...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := copied.Stop(); err != nil {
			t.Error(err)
		}
	})
	replica := opened(t, copied)
	var position string
	if err := primary.QueryRowContext(t.Context(), "SELECT @@gtid_binlog_pos").Scan(&position); err != nil {
		t.Fatal(err)
	}
	execute(t, primary, "CREATE DATABASE "+database+" CHARACTER SET utf8mb4")

	admin := d.Admin()
	host, port, err := net.SplitHostPort(admin.Addr)
	if err != nil {
		t.Fatal(err)
	}
	db := openShop(t, d.Server, 12)
	if _, err := migrate.Up(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := fixture.Fill(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	one := opened(t, d.Server)
	one.SetMaxOpenConns(1)
	edit(one)
	everything(t, mysql.NewStore(db), rounds)

	for _, s := range []string{
		fmt.Sprintf("SET GLOBAL gtid_slave_pos = '%s'", position),
		fmt.Sprintf(`CHANGE MASTER TO master_host='%s', master_port=%s, master_user='%s', master_password='%s',
			master_use_gtid=slave_pos`, host, port, admin.User, admin.Passwd),
		"START SLAVE",
	} {
		execute(t, replica, s)
	}
	if err := primary.QueryRowContext(t.Context(), "SELECT @@gtid_binlog_pos").Scan(&position); err != nil {
		t.Fatal(err)
	}
	if n := number(t, replica, "SELECT MASTER_GTID_WAIT('"+position+"', 60)"); n != 0 {
		t.Fatalf("the second server did not execute the log up to %s: %s", position, slaveError(t, replica))
	}
	for _, table := range tables(t, primary) {
		a, b := checksum(t, primary, table), checksum(t, replica, table)
		if a != b {
			different = append(different, fmt.Sprintf("%s: %s and %s", table, a, b))
		}
	}
	file, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.Contains(strings.ToLower(lines.Text()), "unsafe") {
			unsafe = append(unsafe, lines.Text())
		}
	}
	return unsafe, different
}

func slaveError(t *testing.T, db *sql.DB) string {
	rows, err := db.QueryContext(t.Context(), "SHOW SLAVE STATUS")
	if err != nil {
		return err.Error()
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		return "it is no replica"
	}
	values, fields := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		fields[i] = &values[i]
	}
	if err := rows.Scan(fields...); err != nil {
		return err.Error()
	}
	var said []string
	for i, c := range columns {
		if strings.HasSuffix(c, "_Error") && values[i].String != "" {
			said = append(said, values[i].String)
		}
	}
	return strings.Join(said, "; ")
}

func tables(t *testing.T, db *sql.DB) (names []string) {
	rows, err := db.QueryContext(t.Context(), `
		SELECT table_name FROM information_schema.tables
		 WHERE table_schema = ? AND table_type = 'BASE TABLE'`, database)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if len(names) < 8 {
		t.Fatalf("there are only the tables %q", names)
	}
	return names
}

func checksum(t *testing.T, db *sql.DB, table string) (sum string) {
	var name string
	if err := db.QueryRowContext(t.Context(), "CHECKSUM TABLE "+database+"."+table).Scan(&name, &sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

// everything does everything that changes a shop in each round, several at once, with texts that a
// log must quote.
func everything(t *testing.T, store *mysql.Store, rounds int) {
	s := shop.Open(store, silent{}, shop.Discard)
	ctx := t.Context()
	newID := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	bins, point := 4, 20
	if err := store.ChangeProduct(ctx, donut, shop.ProductChange{Bins: &bins, ReorderPoint: &point},
		time.Now()); err != nil {
		t.Fatal(err)
	}
	check := func(what string, err error) {
		if err != nil && shop.CodeOf(err) != shop.CodeOutOfStock {
			t.Errorf("%s: %v", what, err)
		}
	}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range rounds {
				key := newID().String()
				for range 1 + i%2 {
					_, err := s.Buy(ctx, shop.Purchase{SKU: donut, Quantity: 1 + i%3, IdempotencyKey: key})
					check("a checkout", err)
				}
				if n > 1 {
					continue
				}
				orders, err := store.OpenOrders(ctx)
				check("the orders", err)
				for _, o := range orders {
					if o.Asks > 3 {
						continue
					}
					if _, err := store.ClaimAsk(ctx, o, time.Now()); err != nil {
						t.Error(err)
					}
					for _, quantity := range []int{o.Quantity / 2, o.Quantity} {
						_, err := s.Receive(ctx, shop.Delivery{
							ProductionOrderID: o.ID, AttemptID: o.ID, SKU: o.SKU, Quantity: quantity,
							Signed: o.Quantity,
						})
						check("a delivery", err)
					}
				}
				_, err = s.Adjust(ctx, shop.Adjustment{
					SKU: donut, Quantity: 3, Reason: `창고 '\" 🍩`, IdempotencyKey: newID().String(),
				})
				check("an adjustment", err)
				bins := []int{1, 64, 5, 16}[rand.IntN(4)]
				check("bins", store.ChangeProduct(ctx, donut, shop.ProductChange{Bins: &bins}, time.Now()))
				_, err = store.RecordWait(ctx, donut, time.Now(), time.Microsecond)
				check("a wait", err)
				_, _, err = store.ForgetKeys(ctx, time.Now().Add(-50*time.Millisecond), 10)
				check("forgetting", err)
				_, err = store.Balances(ctx)
				check("balances", err)
				if i%10 == 0 {
					sku := fmt.Sprintf("NEW-%d-%d", n, i)
					check("a product", store.CreateProduct(ctx, shop.Product{
						ID: newID(), SKU: sku, Name: sku + " 🍩", Price: 1, Stock: 7, Bins: bins,
						Factory: factory(t, store),
						Policy: shop.Policy{ReorderPoint: 9, OrderUpTo: 10, LotSize: 1, LeadTime: time.Minute,
							Automatic: true},
					}, time.Now()))
					_, err := store.Replenish(ctx, shop.Replenishment{SKU: sku, At: time.Now()})
					check("a replenishment", err)
				}
			}
		})
	}
	all.Wait()
}

func factory(t *testing.T, store *mysql.Store) string {
	p, err := store.Product(t.Context(), donut)
	if err != nil {
		t.Error(err)
	}
	return p.Factory
}

type silent struct{}

func (silent) Publish(context.Context, shop.ProductionOrder) error { return nil }

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
		Credentials: func(context.Context, int) (string, string, error) { return admin.User, admin.Passwd, nil },
	})
	if err != nil {
		t.Fatal(fmt.Errorf("opening the shop: %w", err))
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
