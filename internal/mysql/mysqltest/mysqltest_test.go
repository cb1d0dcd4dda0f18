package mysqltest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

// A recorder is a testing.TB that records the errors.
type recorder struct {
	testing.TB
	errors chan string
}

func (r recorder) Errorf(format string, args ...any) { r.errors <- fmt.Sprintf(format, args...) }

func TestATransactionThatIsLeftOpenFailsTheTest(t *testing.T) {
	d := New(t, 1)
	r := recorder{t, make(chan string, 1)}
	tx, err := d.DB.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), `UPDATE bin SET stock = stock + 1`); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 1)
	go func() {
		_, err := d.DB.ExecContext(t.Context(), `UPDATE bin SET stock = 0`) // waits for the only connection
		waits <- err
	}()
	end := d.watch(r, d.Admin, time.Second)
	if message := <-r.errors; !strings.Contains(message, "neither committed nor rolled back") {
		t.Errorf("got %q, want an error about a transaction that was left open", message)
	}
	if err := <-waits; err == nil {
		t.Error("the statement that waited for the connection succeeded")
	}
	end()
}
