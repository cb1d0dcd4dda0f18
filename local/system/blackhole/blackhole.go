// Package blackhole is an address from which nothing comes back: what a function finds where a network has no way.
//
// A packet that a security group or a missing route swallows is not refused, and so the connection is not either: it waits.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
package blackhole

import (
	"io"
	"net"
	"sync"
)

// A Hole takes connections on loopback, and never says a word.
type Hole struct {
	listener net.Listener
	done     sync.WaitGroup // what accepts, and what reads of each connection

	mu          sync.Mutex // guards what follows
	connections map[net.Conn]bool
	closed      bool
}

// Listen opens a hole on any free port of loopback. fallen is called for each connection.
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

// swallow reads what comes until the peer gives up, or the hole is closed.
func (h *Hole) swallow(conn net.Conn) {
	defer conn.Close() // there is nobody to be told that it failed
	if !h.keep(conn) {
		return
	}
	defer h.forget(conn)
	_, _ = io.Copy(io.Discard, conn) // however it ends
}

// keep has Close end a connection; false is that of a hole that is closed.
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

// Addr is where the hole listens.
func (h *Hole) Addr() *net.TCPAddr { return h.listener.Addr().(*net.TCPAddr) }

// Close ends all connections, and the hole.
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
