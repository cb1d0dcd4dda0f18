// Package mariadbtest gives tests databases on a real MariaDB server.
//
// One server serves all tests of a test binary. It does not flush its commits to the disk
// ([mariadb.Relaxed]), so a test of durability needs a server of its own. The first test that needs
// the shared server starts it. Main stops it when the binary ends, so the package needs a TestMain:
//
//	func TestMain(m *testing.M) { mariadbtest.Main(m) }
//
//	func TestStore(t *testing.T) {
//		db, err := sql.Open("mysql", mariadbtest.New(t).FormatDSN())
package mariadbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"restock/local/mariadb"
)

// DSNVariable is the environment variable with the data source name of a server to use instead,
// as its administrator, for example root:password@tcp(127.0.0.1:3306)/. Benchmarks set it.
const DSNVariable = "RESTOCK_TEST_DSN"

// shared is the test binary's server.
var shared struct {
	mu      sync.Mutex
	running bool // true while Main runs
	server  *mariadb.Server
	err     error // of the only attempt to start
}

// Main runs the tests of a test binary and then stops the server. The exit status is that of the
// tests, or 1 if the server does not stop.
func Main(m *testing.M) {
	shared.mu.Lock()
	shared.running = true
	shared.mu.Unlock()

	code := m.Run()

	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.running = false
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the tests' MariaDB:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Require skips a test that needs a MariaDB server if tests run with -short.
func Require(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("-short: the tests that need MariaDB are skipped")
	}
}

// New creates an empty database and returns the administrator's connection settings. The database
// is dropped when the test ends. The test fails if no server can start.
func New(tb testing.TB) *mysql.Config {
	tb.Helper()
	Require(tb)
	admin, err := server(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	database := "test_" + strings.ToLower(rand.Text())
	execute(tb, admin, "CREATE DATABASE "+database+" CHARACTER SET utf8mb4")
	tb.Cleanup(func() { execute(tb, admin, "DROP DATABASE "+database) })

	admin = admin.Clone()
	admin.DBName = database
	return admin
}

// server returns the administrator's connection settings of the server to use.
func server(ctx context.Context) (*mysql.Config, error) {
	if dsn := os.Getenv(DSNVariable); dsn != "" {
		admin, err := mysql.ParseDSN(dsn)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", DSNVariable, err)
		}
		return admin, nil
	}
	s, err := start(ctx)
	if err != nil {
		return nil, err
	}
	return s.Admin(), nil
}

// start returns the shared server. The first caller starts it, and the others wait.
func start(ctx context.Context) (*mariadb.Server, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.running {
		return nil, fmt.Errorf(
			"mariadbtest.New needs the package to have `func TestMain(m *testing.M) { mariadbtest.Main(m) }`, which " +
				"stops the server")
	}
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = mariadb.Start(ctx, mariadb.Config{Args: mariadb.Relaxed})
	}
	return shared.server, shared.err
}

// execute runs a statement on its own connection. It does not use the test's context, because the
// cleanup calls it too.
func execute(tb testing.TB, admin *mysql.Config, statement string) {
	tb.Helper()
	connector, err := mysql.NewConnector(admin)
	if err != nil {
		tb.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if _, err := db.ExecContext(context.WithoutCancel(tb.Context()), statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}
