// Package mariadbtest gives tests databases on a real MariaDB server.
//
// One server serves all tests of a test binary. It is started by the first test that
// needs it and stopped when the binary ends, which takes a TestMain:
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

// shared is the test binary's server.
var shared struct {
	mu      sync.Mutex
	running bool // between the beginning and the end of Main
	server  *mariadb.Server
	err     error // of the start, which is tried once
}

// Main runs the tests of a test binary and stops the server after them. The exit
// status is the one of the tests, or 1 if the server does not stop.
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

// Require skips a test that needs a MariaDB server where tests run with -short.
func Require(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("-short: the tests that need MariaDB are skipped")
	}
}

// New creates an empty database and returns the configuration to connect to it as the
// administrator. The database is dropped when the test ends. If there is no server to be had,
// the test fails.
func New(tb testing.TB) *mysql.Config {
	tb.Helper()
	Require(tb)
	server, err := start(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	admin := server.Admin()
	database := "test_" + strings.ToLower(rand.Text())
	execute(tb, admin, "CREATE DATABASE "+database+" CHARACTER SET utf8mb4")
	tb.Cleanup(func() { execute(tb, admin, "DROP DATABASE "+database) })

	admin = admin.Clone()
	admin.DBName = database
	return admin
}

// start returns the shared server. The first caller starts it, the others wait.
func start(ctx context.Context) (*mariadb.Server, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.running {
		return nil, fmt.Errorf("mariadbtest.New needs the package to have `func TestMain(m *testing.M) { mariadbtest.Main(m) }`, which stops the server")
	}
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = mariadb.Start(ctx, mariadb.Config{})
	}
	return shared.server, shared.err
}

// execute runs a statement on a connection of its own, outside of the test's context: it also
// serves the cleanup.
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
