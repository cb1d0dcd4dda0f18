package mariadbtest_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/go-sql-driver/mysql"

	"restock/local/mariadb"
	"restock/local/mariadb/mariadbtest"
)

func TestMain(m *testing.M) { mariadbtest.Main(m) }

func open(t *testing.T, c *mysql.Config) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestDatabasesAreEmptyAndApart(t *testing.T) {
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, mariadbtest.New(t))
			if _, err := db.ExecContext(t.Context(), "CREATE TABLE product (id INT)"); err != nil {
				t.Fatalf("a table of the same name as the other tests': %v", err)
			}
		})
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	mariadbtest.Require(t) // a skipped subtest would leave no database to look for
	var c *mysql.Config
	t.Run("owner", func(t *testing.T) { c = mariadbtest.New(t) })

	err := open(t, c).PingContext(t.Context())
	const unknownDatabase = 1049
	if got := (*mysql.MySQLError)(nil); !errors.As(err, &got) || got.Number != unknownDatabase {
		t.Errorf("connecting to the database of a test that ended: got %v, want error %d", err, unknownDatabase)
	}
}

func TestServerIsShared(t *testing.T) {
	if a, b := mariadbtest.New(t), mariadbtest.New(t); a.Addr != b.Addr || a.DBName == b.DBName {
		t.Errorf("got %s/%s and %s/%s, want one server and two databases", a.Addr, a.DBName, b.Addr, b.DBName)
	}
}

func TestAnotherServerIsUsedIfTheEnvironmentNamesIt(t *testing.T) {
	mariadbtest.Require(t)
	other, err := mariadb.Start(t.Context(), mariadb.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Stop() })
	t.Setenv(mariadbtest.DSNVariable, other.Admin().FormatDSN())
	c := mariadbtest.New(t)
	if c.Addr != other.Admin().Addr {
		t.Errorf("got a database at %s, want one at %s", c.Addr, other.Admin().Addr)
	}
	if err := open(t, c).PingContext(t.Context()); err != nil {
		t.Error(err)
	}
}
