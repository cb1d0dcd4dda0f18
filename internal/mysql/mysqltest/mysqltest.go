// Package mysqltest opens the shop's database for tests, on a real server, as the functions do.
package mysqltest

import (
	"context"
	"database/sql"
	"net"
	"strconv"
	"testing"

	"restock/internal/mysql"
	"restock/internal/mysql/migrate"
	"restock/local/mariadb/mariadbtest"
)

// Main runs a package's tests, and stops the server that they started. Call it from TestMain.
func Main(m *testing.M) { mariadbtest.Main(m) }

// A Database is a database of a test's own, with the schema and the seed.
type Database struct {
	*mysql.Store

	Host string
	Port int
	Name string

	DB    *sql.DB // as the functions' user
	Admin *sql.DB // as the administrator

	User string // the functions' user
}

// password has what a literal must escape.
const password = `it's a \ secret`

// New makes a database, and opens it with a number of connections. It is dropped when the test ends.
func New(tb testing.TB, connections int) *Database {
	tb.Helper()
	d := Empty(tb)
	if _, err := migrate.Up(tb.Context(), d.Admin); err != nil {
		tb.Fatal(err)
	}
	if err := migrate.User(tb.Context(), d.Admin, d.User, password); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { d.DropUser(tb) })
	d.DB = d.Open(tb, d.User, password, connections)
	d.Store = mysql.NewStore(d.DB)
	return d
}

// Empty makes a database without a schema, and opens it as the administrator alone.
func Empty(tb testing.TB) *Database {
	tb.Helper()
	server := mariadbtest.New(tb)
	host, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		tb.Fatal(err)
	}
	d := &Database{Host: host, Name: server.DBName, User: server.DBName} // users are the server's: one a database
	if d.Port, err = strconv.Atoi(port); err != nil {
		tb.Fatal(err)
	}
	d.Admin = d.Open(tb, server.User, server.Passwd, 4)
	return d
}

// Open opens the database as a user.
func (d *Database) Open(tb testing.TB, user, password string, connections int) *sql.DB {
	tb.Helper()
	db, err := mysql.Open(mysql.Config{
		Host: d.Host, Port: d.Port, Name: d.Name, MaxConnections: connections,
		Credentials: func(context.Context, bool) (string, string, error) { return user, password, nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// DropUser drops the functions' user, and the one that takes turns with it.
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

// Number asks for a number as the administrator.
func (d *Database) Number(tb testing.TB, query string, args ...any) (n int) {
	tb.Helper()
	if err := d.Admin.QueryRowContext(tb.Context(), query, args...).Scan(&n); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return n
}

// Donut is the SKU of the seed's product.
const Donut = "CP-502101"

// SetStock puts the doughnut's stock at a level, and says so in the ledger.
func (d *Database) SetStock(tb testing.TB, stock int) {
	tb.Helper()
	d.Exec(tb, `INSERT INTO stock_ledger (product_id, quantity, cause, recorded_at) SELECT product_id, ? - stock, 'adjustment', UTC_TIMESTAMP(6) FROM product WHERE sku = ?`, stock, Donut)
	d.Exec(tb, `UPDATE product SET stock = ? WHERE sku = ?`, stock, Donut)
}

// CheckBooks checks what must hold whatever has happened.
func (d *Database) CheckBooks(tb testing.TB) {
	tb.Helper()
	stock := d.Number(tb, `SELECT stock FROM product WHERE sku = ?`, Donut)
	ledger := d.Number(tb, `SELECT SUM(quantity) FROM stock_ledger`)
	sales := d.Number(tb, `SELECT COALESCE(SUM(quantity), 0) FROM sale`)
	sold := d.Number(tb, `SELECT COALESCE(-SUM(quantity), 0) FROM stock_ledger WHERE cause = 'sale'`)
	if stock < 0 || stock != ledger || sales != sold {
		tb.Errorf("stock is %d, the ledger's sum is %d; %d are sold, the ledger says %d", stock, ledger, sales, sold)
	}
	if open := d.Number(tb, `SELECT COUNT(*) FROM production_order WHERE status = 'open'`); open > 1 {
		tb.Errorf("%d production orders are open, want one at most", open)
	}
}
