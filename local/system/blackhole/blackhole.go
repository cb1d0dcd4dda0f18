// Package blackhole listens on an address that never answers. It simulates a network without a
// route.
//
// A security group or a missing route drops a packet instead of refusing it. So the connection is
// not refused either: it hangs.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
package blackhole

import (
	"io"
	"net"
	"sync"
)

// A Hole accepts connections on loopback and never sends data.
type Hole struct {
	listener net.Listener
	done     sync.WaitGroup // the accepting goroutine, and one reader for each connection

	mu          sync.Mutex // guards the fields below
	connections map[net.Conn]bool
	closed      bool
}

// Listen opens a hole on any free port of loopback. It calls fallen for each connection.
func Listen(fallen func()) (*Hole, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &Hole{listener: l, connections: map[net.Conn]bool{}}
	h.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			h.done.Go(func() { h.swallow(conn) })
			fallen()
		}
	})
	return h, nil
}

// swallow reads from a connection until the peer closes it or the hole is closed.
func (h *Hole) swallow(conn net.Conn) {
	defer conn.Close() // an error matters to nobody
	if !h.keep(conn) {
		return
	}
	defer h.forget(conn)
	_, _ = io.Copy(io.Discard, conn) // any end of the connection is fine
}

// keep registers a connection that Close must end. It returns false if the hole is closed.
func (h *Hole) keep(conn net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.connections[conn] = true
	}
	return !h.closed
}

func (h *Hole) forget(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.connections, conn)
}

// Addr returns the address of the hole.
func (h *Hole) Addr() *net.TCPAddr { return h.listener.Addr().(*net.TCPAddr) }

// Close ends all connections and the hole.
func (h *Hole) Close() error {
	err := h.listener.Close()
	h.mu.Lock()
	h.closed = true
	for conn := range h.connections {
		_ = conn.Close() // its reader ends
	}
	h.mu.Unlock()
	h.done.Wait()
	return err
}
