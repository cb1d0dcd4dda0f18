// Package mysqltest gives tests the shop's database on a real MariaDB server. It opens the database
// in the same way as the functions do.
package mysqltest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/internal/mysql"
	"restock/internal/mysql/invariants"
	"restock/internal/mysql/migrate"
	"restock/internal/shop"
	"restock/local/mariadb/mariadbtest"
	"restock/test/fixture"
)

// Main runs a package's tests, and stops the server that they started. TestMain calls it.
func Main(m *testing.M) { mariadbtest.Main(m) }

// A Database is a test's own database, with the schema and the products of the test catalogue.
type Database struct {
	*mysql.Store

	Host string
	Port int
	Name string

	DB    *sql.DB // as the functions' user
	Admin *sql.DB // as the administrator

	// OpenAdmin opens the database as the administrator again.
	OpenAdmin func(connections int) *sql.DB

	User string // the functions' user

	mu    sync.Mutex // guards pools
	pools []*sql.DB  // the results of Open
}

// password has characters that a SQL literal must escape.
const password = `it's a \ secret`

// New creates a database and opens it with a number of connections. The end of the test drops the
// database.
func New(tb testing.TB, connections int) *Database {
	tb.Helper()
	d := Empty(tb)
	d.migrateUp(tb)
	d.Fill(tb)
	if err := migrate.User(tb.Context(), d.Admin, d.User, password); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { d.DropUser(tb) })
	d.DB = d.Open(tb, d.User, password, connections)
	d.Store = mysql.NewStore(d.DB)
	return d
}

// Migrated creates a database with the schema, and returns the administrator's DSN. The end of the
// test drops the database.
func Migrated(tb testing.TB) (dsn string) {
	tb.Helper()
	d, dsn := create(tb)
	d.Admin = d.OpenAdmin(2) // one holds the lock of the migrations
	defer d.Admin.Close()
	d.migrateUp(tb)
	return dsn
}

// Empty creates a database without a schema, and opens it as the administrator only.
func Empty(tb testing.TB) *Database {
	tb.Helper()
	d, _ := create(tb)
	d.Admin = d.OpenAdmin(4)
	tb.Cleanup(d.watch(tb, d.OpenAdmin(1), maxIdle))
	return d
}

// create creates a database without a schema, and returns it with the administrator's DSN.
func create(tb testing.TB) (d *Database, dsn string) {
	tb.Helper()
	server := mariadbtest.New(tb)
	host, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		tb.Fatal(err)
	}
	d = &Database{Host: host, Name: server.DBName, User: server.DBName} // all databases share the server's users
	if d.Port, err = strconv.Atoi(port); err != nil {
		tb.Fatal(err)
	}
	d.OpenAdmin = func(connections int) *sql.DB { return d.Open(tb, server.User, server.Passwd, connections) }
	return d, server.FormatDSN()
}

// Fill stores the test catalogue.
func (d *Database) Fill(tb testing.TB) {
	tb.Helper()
	if err := fixture.Fill(tb.Context(), d.Admin); err != nil {
		tb.Fatal(err)
	}
}

// maxIdle is how long a transaction may be idle before the test fails. It is less than the 50 s
// after which the server stops waiting for a lock.
const maxIdle = 40 * time.Second

// watch fails the test if a transaction of its database is idle for too long, and ends the
// transaction. Without this, a test that forgets to end a transaction makes other statements wait
// for its locks or its connection for minutes, and their errors do not name the cause. The caller
// must call end.
func (d *Database) watch(tb testing.TB, server *sql.DB, idle time.Duration) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(idle / 2)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			var connection int
			err := server.QueryRowContext(ctx, `
				SELECT p.id
				  FROM information_schema.innodb_trx t
				  JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
				 WHERE p.db = ? AND p.command = 'Sleep' AND p.time >= ?
				 LIMIT 1`, d.Name, idle/time.Second).Scan(&connection)
			if err != nil {
				continue // there is no such transaction, or the test has ended
			}
			tb.Errorf("a transaction has been idle for %v on connection %d: it was neither committed nor rolled back "+
				"(is \"defer tx.Rollback()\" missing?)", idle, connection)
			_, _ = server.ExecContext(ctx, fmt.Sprintf("KILL %d", connection)) // it fails if the connection has ended
			d.stop()
			return
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}

// stop closes the pools, so that callers who wait for a connection fail. The administrator's pool
// stays open: the cleanup of the test needs it.
func (d *Database) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, pool := range d.pools {
		if pool != d.Admin {
			_ = pool.Close()
		}
	}
}

// Open opens the database as a user.
func (d *Database) Open(tb testing.TB, user, password string, connections int) *sql.DB {
	tb.Helper()
	return d.open(tb, d.Port, user, password, connections)
}

// OpenAt opens the database as the functions do, through a proxy at another port.
func (d *Database) OpenAt(tb testing.TB, port, connections int) *sql.DB {
	tb.Helper()
	return d.open(tb, port, d.User, password, connections)
}

func (d *Database) open(tb testing.TB, port int, user, password string, connections int) *sql.DB {
	tb.Helper()
	db, err := mysql.Open(mysql.Config{
		Host: d.Host, Port: port, Name: d.Name, MaxConnections: connections,
		Credentials: func(context.Context, int) (string, string, error) { return user, password, nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pools = append(d.pools, db)
	return db
}

// DropUser drops the functions' user, and the second user that rotation makes.
func (d *Database) DropUser(tb testing.TB) {
	tb.Helper()
	if _, err := d.Admin.Exec("DROP USER IF EXISTS '" + d.User + "'@'%', '" + d.User + "_2'@'%'"); err != nil {
		tb.Error(err)
	}
}

// Exec runs a statement as the administrator.
func (d *Database) Exec(tb testing.TB, query string, args ...any) {
	tb.Helper()
	if _, err := d.Admin.ExecContext(tb.Context(), query, args...); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

// Number runs a query that returns one number, as the administrator.
func (d *Database) Number(tb testing.TB, query string, args ...any) (n int) {
	tb.Helper()
	if err := d.Admin.QueryRowContext(tb.Context(), query, args...).Scan(&n); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return n
}

// EditProcedure replaces a text in a stored procedure. The text must occur once. Tests use it to
// break a procedure and to check that other code notices.
func (d *Database) EditProcedure(tb testing.TB, name, old, replacement string) {
	tb.Helper()
	var definition string
	var ignored sql.NullString
	err := d.Admin.QueryRowContext(tb.Context(), "SHOW CREATE PROCEDURE "+name).
		Scan(&ignored, &ignored, &definition, &ignored, &ignored, &ignored)
	if err != nil {
		tb.Fatalf("reading procedure %s: %v", name, err)
	}
	if n := strings.Count(definition, old); n != 1 {
		tb.Fatalf("procedure %s has %q %d times, want once", name, old, n)
	}
	d.Exec(tb, "DROP PROCEDURE "+name)
	d.Exec(tb, strings.Replace(definition, old, replacement, 1))
	d.Exec(tb, "GRANT EXECUTE ON PROCEDURE "+name+" TO '"+d.User+"'@'%'") // the DROP removed the grant, too
}

// The SKUs of the test catalogue's products.
const (
	Donut = "CP-502101" // 3 on hand; reorder point 0, order-up-to level 100
	Twist = "CP-502102" // 60 on hand; reorder point 20, order-up-to level 100; at most 20 a sale
	Mochi = "CP-502103" // 30 on hand; not automatic; at most 5 a sale
)

// Stock returns the doughnut's stock.
func (d *Database) Stock(tb testing.TB) int {
	tb.Helper()
	return d.Number(tb, `SELECT stock FROM product_stock WHERE sku = ?`, Donut)
}

// SetStock sets the doughnut's stock. The difference is an opening entry in the ledger, so the
// books stay right.
func (d *Database) SetStock(tb testing.TB, stock int) {
	tb.Helper()
	d.Exec(tb, `
		CALL move((SELECT product_id FROM product WHERE sku = ?), 0,
		          ? - (SELECT stock FROM product_stock WHERE sku = ?),
		          'opening', NULL, NULL, NULL, NULL, UTC_TIMESTAMP(6), '')`, Donut, stock, Donut)
}

// SetBins sets the number of bins of a product, and spreads its stock.
func (d *Database) SetBins(tb testing.TB, sku string, bins int) {
	tb.Helper()
	if err := d.ChangeProduct(tb.Context(), sku, shop.ProductChange{Bins: &bins}, time.Now()); err != nil {
		tb.Fatal(err)
	}
}

// CheckBooks checks the rules that always hold. See [invariants.Always].
func (d *Database) CheckBooks(tb testing.TB) {
	tb.Helper()
	if err := invariants.Check(tb.Context(), d.Admin, invariants.Always); err != nil {
		tb.Error(err)
	}
}
