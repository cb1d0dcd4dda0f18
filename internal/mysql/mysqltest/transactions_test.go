package mysqltest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

// A witness is a test that hears of errors, and goes on.
type witness struct {
	testing.TB
	heard chan string
}

func (w witness) Errorf(format string, args ...any) { w.heard <- fmt.Sprintf(format, args...) }

func newWitness(tb testing.TB) witness { return witness{tb, make(chan string, 10)} }

// forget begins a transaction, and returns without an end.
func forget(tb testing.TB, db *sql.DB) error {
	tx, err := db.BeginTx(tb.Context(), nil)
	if err == nil {
		_, err = tx.Exec("SELECT * FROM factory FOR UPDATE")
	}
	return err
}

func TestATransactionThatNobodyEndsIsReportedAndDoesNotHang(t *testing.T) {
	d, w := New(t, 1), newWitness(t)
	db := d.Open(w, d.User, password, 1)
	if err := forget(t, db); err != nil {
		t.Fatal(err)
	}
	for name, wait := range map[string]func() error{ // there is one connection, which the transaction has
		"another statement":            func() error { return db.PingContext(t.Context()) },
		"the same function once again": func() error { return forget(t, db) },
	} {
		if err := wait(); err == nil {
			t.Errorf("%s: the pool still gives connections", name)
		}
	}
	if said := <-w.heard; !strings.Contains(said, "mysqltest.forget began it at ") || !strings.Contains(said, "transactions_test.go:") {
		t.Errorf("the test says %q, want who began the transaction, and where", said)
	}
	d.Exec(t, "UPDATE factory SET name = name") // its locks are gone
}

func TestATransactionThatIsOpenWhenTheTestEndsIsReported(t *testing.T) {
	d, w := New(t, 1), newWitness(t)
	t.Run("a test", func(t *testing.T) {
		db := d.Open(witness{t, w.heard}, d.User, password, 1)
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("SELECT * FROM factory FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
	})
	if said := <-w.heard; !strings.Contains(said, "a transaction was left open: ") {
		t.Errorf("the test says %q, want that a transaction was left open", said)
	}
	d.Exec(t, "UPDATE factory SET name = name")
}

func TestATransactionThatEndsIsNotReported(t *testing.T) {
	d, w := New(t, 1), newWitness(t)
	t.Run("a test", func(t *testing.T) {
		db := d.Open(witness{t, w.heard}, d.User, password, 1)
		for _, end := range []func(*sql.Tx) error{(*sql.Tx).Commit, (*sql.Tx).Rollback} {
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := end(tx); err != nil {
				t.Error(err)
			}
		}
	})
	select {
	case said := <-w.heard:
		t.Errorf("the test says %q, want nothing", said)
	default:
	}
}

func TestAFunctionRunsUntilItReturns(t *testing.T) {
	name := goroutine()
	const function = "restock/internal/mysql/mysqltest.TestAFunctionRunsUntilItReturns"
	if !isRunning(name, function) {
		t.Error("a function that runs is said to have returned")
	}
	if isRunning(name, function+".func9") || isRunning("goroutine 0", function) {
		t.Error("a function that does not run is said to run")
	}
}
