// Package blackhole is an address from which nothing comes back: what a function finds where a network has no way.
//
// A packet that a security group or a missing route swallows is not refused, and so the connection is not either: it waits.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
package blackhole

import (
	"errors"
	"net"
	"sync"
)

// A Hole takes connections on loopback, and never says a word.
type Hole struct {
	listener net.Listener
	done     sync.WaitGroup

	mu          sync.Mutex // guards what follows
	connections []net.Conn
	closed      bool
}

// Listen opens a hole on any free port of loopback. fallen is called for each connection.
func Listen(fallen func()) (*Hole, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &Hole{listener: l}
	h.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			h.keep(conn)
			fallen()
		}
	})
	return h, nil
}

// keep holds a connection open until the hole is closed, so that whoever waits goes on waiting.
func (h *Hole) keep(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		conn.Close() // nobody is left to be told that it failed
		return
	}
	h.connections = append(h.connections, conn)
}

// Addr is where the hole listens.
func (h *Hole) Addr() *net.TCPAddr { return h.listener.Addr().(*net.TCPAddr) }

// Close ends all connections, and the hole.
func (h *Hole) Close() error {
	err := h.listener.Close()
	h.done.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, conn := range h.connections {
		if closeErr := conn.Close(); closeErr != nil && !errors.Is(closeErr, net.ErrClosed) {
			err = errors.Join(err, closeErr)
		}
	}
	h.connections = nil
	return err
}
