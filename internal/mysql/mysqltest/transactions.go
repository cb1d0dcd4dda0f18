package mysqltest

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// transactions are the open ones of one pool. A transaction that nobody ends keeps its connection and its
// locks: what comes after it waits for minutes, and says nothing of the cause. So a transaction is
// reported as soon as the function that began it has returned, and when the test ends.
type transactions struct {
	tb      testing.TB
	kill    func(connection int64) // ends a connection, and what it has open, on the server
	stopAll func()                 // makes everybody who waits for a connection of the pool fail

	mu   sync.Mutex // guards what follows
	open map[*transaction]bool
	late []*transaction // those that the end of the test's context has rolled back
	over bool
}

// lookAfter is how often a transaction is looked after. What is reported does not depend on it.
const lookAfter = time.Second

// A transaction is one of the driver, with where it began.
type transaction struct {
	driver.Tx
	of        *transactions
	on        int64  // connection
	goroutine string // that began it
	function  string // likewise
	line      string // likewise
	timer     *time.Timer
}

// begin watches a transaction that the caller's caller, beyond database/sql, has begun.
func (ts *transactions) begin(tx driver.Tx, on int64) driver.Tx {
	t := &transaction{Tx: tx, of: ts, on: on, goroutine: goroutine()}
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		if !strings.HasPrefix(frame.Function, "database/sql.") {
			t.function, t.line = frame.Function, fmt.Sprintf("%s:%d", frame.File, frame.Line)
			break
		}
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.open[t] = true
	t.timer = time.AfterFunc(lookAfter, t.look)
	return t
}

// look reports the transaction if the function that began it has returned.
func (t *transaction) look() {
	running := isRunning(t.goroutine, t.function)
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	switch {
	case !t.of.open[t] || t.of.over:
	case running:
		t.timer.Reset(lookAfter)
	default:
		t.of.report(t)
		t.of.stopAll()
	}
}

// report fails the test, and ends the transaction, so that nobody waits for its locks.
func (ts *transactions) report(t *transaction) {
	delete(ts.open, t)
	ts.tb.Errorf("a transaction was left open: %s began it at %s, and has neither committed it nor rolled it back (is a \"defer tx.Rollback()\" missing?)",
		t.function, t.line)
	ts.kill(t.on) // not Rollback: only the goroutine that has the connection may use it
}

// end reports what is open when the test ends. Its context has ended just before, and has rolled back, or
// rolls back now, what was begun with it.
func (ts *transactions) end() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.over = true
	for t := range ts.open {
		ts.late = append(ts.late, t)
	}
	for _, t := range ts.late {
		ts.report(t)
	}
}

func (t *transaction) Commit() error   { return t.done(t.Tx.Commit) }
func (t *transaction) Rollback() error { return t.done(t.Tx.Rollback) }

// done ends the transaction once.
func (t *transaction) done(how func() error) error {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	if !t.of.open[t] {
		return sql.ErrTxDone // it was reported
	}
	t.timer.Stop()
	delete(t.of.open, t)
	if t.of.tb.Context().Err() != nil && !t.of.over {
		t.of.late = append(t.of.late, t)
	}
	return how()
}

// goroutine is the name of the caller's goroutine, as the first line of a stack says it.
func goroutine() string {
	line := make([]byte, 64)
	name, _, _ := bytes.Cut(line[:runtime.Stack(line, false)], []byte(" ["))
	return string(name)
}

// isRunning reports whether a function that has begun a transaction is still on the stack of its goroutine.
// A function that begins a transaction there now is another call of it.
func isRunning(goroutine, function string) bool {
	stacks := make([]byte, 1<<16)
	n := runtime.Stack(stacks, true)
	for n == len(stacks) { // there is more
		stacks = make([]byte, 2*len(stacks))
		n = runtime.Stack(stacks, true)
	}
	for stack := range strings.SplitSeq(string(stacks[:n]), "\n\n") {
		if strings.HasPrefix(stack, goroutine+" [") {
			_, beginning, _ := strings.Cut(stack, "\ndatabase/sql.(*DB).BeginTx(")
			lines := strings.SplitN(beginning, "\n", 3) // the arguments, the file, the caller
			again := len(lines) == 3 && strings.HasPrefix(lines[2], function+"(")
			return strings.Contains(stack, "\n"+function+"(") && !again
		}
	}
	return false
}

// returnsWithin is how long a pool may take to get back what the end of the test's context has ended.
const returnsWithin = 30 * time.Second

// checkReturned fails the test if a connection never came back to the pool.
func checkReturned(tb testing.TB, db *sql.DB) {
	for deadline := time.Now().Add(returnsWithin); db.Stats().InUse > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Errorf("%d connections never came back to the pool: were all sql.Rows and sql.Conn closed?", db.Stats().InUse)
			return
		}
	}
}

// A watchedConnector makes connections whose transactions are watched.
type watchedConnector struct {
	driver.Connector
	transactions *transactions
}

func (c watchedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	watched := watchedConn{conn.(connection), 0, c.transactions}
	rows, err := watched.QueryContext(ctx, "SELECT CONNECTION_ID()", nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	id := make([]driver.Value, 1)
	if err := rows.Next(id); err != nil {
		return nil, err
	}
	watched.id, err = strconv.ParseInt(fmt.Sprint(id[0]), 10, 64)
	return watched, err
}

// kill ends a connection on the server, by a connection of its own. One that has ended already is none.
func (c watchedConnector) kill(id int64) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.(connection).ExecContext(ctx, fmt.Sprintf("KILL %d", id), nil)
}

// A connection is what the driver's connections are to database/sql.
type connection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type watchedConn struct {
	connection
	id           int64 // on the server
	transactions *transactions
}

func (c watchedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	tx, err := c.connection.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return c.transactions.begin(tx, c.id), nil
}
