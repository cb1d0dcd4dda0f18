package lambda

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// runtimeConn is a connection of a function's process to the Runtime API. It notices whether the
// process read everything that was written to it. A write alone does not show that: the kernel
// accepts data for a process that has just ended, or that never reads it. But when a process ends
// with unread data, or data arrives after its end, the kernel resets the connection. A process that
// had read everything closes its connection without a reset.
type runtimeConn struct {
	*net.TCPConn
	ended chan struct{} // closed when the host closes the connection

	mu       sync.Mutex // guards the fields below
	closed   bool
	wasReset bool
}

// Read notes a reset that it meets.
func (c *runtimeConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		c.mu.Lock()
		c.wasReset = true
		c.mu.Unlock()
	}
	return n, err
}

// Close notes a reset that came after the last Read.
func (c *runtimeConn) Close() error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		c.wasReset = c.wasReset || c.pendingError()
		close(c.ended)
	}
	c.mu.Unlock()
	return c.TCPConn.Close()
}

func (c *runtimeConn) pendingError() (pending bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return false // closed
	}
	_ = raw.Control(func(fd uintptr) { // fails on a closed one only
		code, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
		pending = err == nil && code != 0
	})
	return pending
}

// unread waits for the end of the connection of a process that has ended, and returns whether the
// process left something unread. It gives up with ctx: a descendant may hold the connection open.
func (c *runtimeConn) unread(ctx context.Context) bool {
	if c == nil {
		return false
	}
	select {
	case <-c.ended:
	case <-ctx.Done():
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wasReset
}

// newRuntimeConn makes a TCP connection a runtimeConn.
func newRuntimeConn(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	return &runtimeConn{TCPConn: tcp, ended: make(chan struct{})}
}

type runtimeConnKey struct{}

// withRuntimeConn is the server's ConnContext: requests know their connection.
func withRuntimeConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, runtimeConnKey{}, conn)
}

// runtimeConnOf returns a request's connection, nil on a server without runtimeConns.
func runtimeConnOf(r *http.Request) *runtimeConn {
	conn, _ := r.Context().Value(runtimeConnKey{}).(*runtimeConn)
	return conn
}
