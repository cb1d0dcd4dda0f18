package mysql_test

import (
	"bytes"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"restock/internal/mysql/mysqltest"
	"restock/test/rds"
)

// A wire is a network between the shop and its database: a TCP proxy that delays round trips and
// counts them.
//
// In the protocol, client and server take turns. A round trip begins when the client sends
// something after an answer of the server. The wire delays only this direction: an answer may be
// several packets.
type wire struct {
	listener   net.Listener
	server     string
	roundTrip  time.Duration
	roundTrips atomic.Int64
	running    sync.WaitGroup
	mu         sync.Mutex // guards conns
	conns      []net.Conn

	// The wire calls answered before it passes on the server's answer to a change: a checkout, or
	// the commit of a transaction. If answered returns false, the wire closes the connection
	// instead. Nil: the wire passes all answers on.
	answered atomic.Pointer[func() bool]
}

// newWire puts a wire in front of a database. roundTrip is the added delay.
func newWire(tb testing.TB, d *mysqltest.Database, roundTrip time.Duration) *wire {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	w := &wire{listener: listener, server: net.JoinHostPort(d.Host, strconv.Itoa(d.Port)), roundTrip: roundTrip}
	w.running.Go(w.accept)
	tb.Cleanup(w.cut)
	return w
}

func (w *wire) port() int { return w.listener.Addr().(*net.TCPAddr).Port }

// trips returns the number of round trips so far. It is 0 for a nil wire.
func (w *wire) trips() int64 {
	if w == nil {
		return 0
	}
	return w.roundTrips.Load()
}

func (w *wire) cut() {
	w.listener.Close()
	w.mu.Lock()
	for _, c := range w.conns {
		c.Close()
	}
	w.mu.Unlock()
	w.running.Wait()
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return // cut closed the listener
		}
		server, err := net.Dial("tcp", w.server)
		if err != nil {
			client.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, client, server)
		w.mu.Unlock()
		var clientsTurn, changes atomic.Bool
		w.running.Go(func() {
			carry(server, client, func(request []byte) bool {
				changes.Store(bytes.Contains(request, []byte("CALL sell")) || bytes.Contains(request, []byte("COMMIT")))
				if clientsTurn.Swap(false) {
					w.roundTrips.Add(1)
					rds.Sleep(w.roundTrip)
				}
				return true
			})
		})
		w.running.Go(func() {
			carry(client, server, func([]byte) bool {
				clientsTurn.Store(true)
				answered := w.answered.Load()
				return answered == nil || !changes.Load() || (*answered)()
			})
		})
	}
}

// carry copies one direction until a connection is closed or before returns false. Then it closes
// both connections.
func carry(to, from net.Conn, before func([]byte) bool) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if !before(buffer[:n]) {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func TestWireDelaysAndCountsRoundTrips(t *testing.T) {
	f := newFixture(t, 1)
	const roundTrip, statements = 20 * time.Millisecond, 3
	w := newWire(t, f.Database, roundTrip)
	db := f.OpenAt(t, w.port(), 1)
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, start := w.trips(), time.Now()
	for range statements {
		if _, err := db.ExecContext(t.Context(), "DO 0"); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < statements*roundTrip {
		t.Errorf("%d statements took %v, want at least %v each", statements, took, roundTrip)
	}
	if got := w.trips() - before; got != statements {
		t.Errorf("%d statements took %d round trips, want one each", statements, got)
	}
}
