package mysql_test

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"restock/internal/mysql/mysqltest"
)

// A wire is a network between the shop and its database: a TCP proxy that holds back what it carries, and counts the round trips.
type wire struct {
	listener   net.Listener
	server     string
	delay      time.Duration // one way
	roundTrips atomic.Int64
	running    sync.WaitGroup
	mu         sync.Mutex // guards conns
	conns      []net.Conn
}

// newWire puts a wire before a database, with this much time for a round trip more than loopback takes.
func newWire(tb testing.TB, d *mysqltest.Database, roundTrip time.Duration) *wire {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	w := &wire{listener: listener, server: net.JoinHostPort(d.Host, strconv.Itoa(d.Port)), delay: roundTrip / 2}
	w.running.Go(w.accept)
	tb.Cleanup(func() {
		listener.Close()
		w.mu.Lock()
		for _, c := range w.conns {
			c.Close()
		}
		w.mu.Unlock()
		w.running.Wait()
	})
	return w
}

func (w *wire) port() int { return w.listener.Addr().(*net.TCPAddr).Port }

// trips is how many round trips there were: none where there is no wire.
func (w *wire) trips() int64 {
	if w == nil {
		return 0
	}
	return w.roundTrips.Load()
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", w.server)
		if err != nil {
			client.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, client, server)
		w.mu.Unlock()
		// The protocol takes turns: a round trip begins when the client speaks, for the first time or after the server has.
		var clientSpoke atomic.Bool
		w.carry(server, client, func() {
			if !clientSpoke.Swap(true) {
				w.roundTrips.Add(1)
			}
		})
		w.carry(client, server, func() { clientSpoke.Store(false) })
	}
}

// A parcel is what was read at once, and when it is due at the other end.
type parcel struct {
	data []byte
	due  time.Time
}

// carry carries one direction. Reading does not wait for writing, so that a long answer is late once and not once a packet.
func (w *wire) carry(to, from net.Conn, spoke func()) {
	parcels := make(chan parcel, 64)
	w.running.Go(func() {
		defer close(parcels)
		for {
			data := make([]byte, 4096)
			n, err := from.Read(data)
			if n > 0 {
				spoke()
				parcels <- parcel{data[:n], time.Now().Add(w.delay)}
			}
			if err != nil {
				return
			}
		}
	})
	w.running.Go(func() {
		defer to.Close()
		for p := range parcels {
			if wait := time.Until(p.due); wait > 0 {
				sleep(wait)
			}
			if _, err := to.Write(p.data); err != nil {
				from.Close()
				for range parcels { // until the reader has noticed
				}
				return
			}
		}
	})
}

func TestWireDelaysAndCounts(t *testing.T) {
	f := newFixture(t, 1)
	const roundTrip = 20 * time.Millisecond
	w := newWire(t, f.Database, roundTrip)
	db := f.OpenAt(t, w.port(), 1)
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	const pings = 3
	before, start := w.trips(), time.Now()
	for range pings {
		if _, err := db.ExecContext(t.Context(), "DO 0"); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < pings*roundTrip {
		t.Errorf("%d round trips of %v took %v", pings, roundTrip, took)
	}
	if got := w.trips() - before; got != pings {
		t.Errorf("%d statements are %d round trips, want as many", pings, got)
	}
}
