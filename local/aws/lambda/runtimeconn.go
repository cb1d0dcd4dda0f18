package lambda

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// runtimeConn is a connection of a function's process to the Runtime API. It detects whether the
// process read all data. A successful write does not show this: the kernel accepts data for a
// process that has just ended, or that never reads. But if a process ends with unread data, or if
// data arrives after its end, the kernel resets the connection. A process that has read all data
// closes its connection without a reset.
type runtimeConn struct {
	*net.TCPConn
	ended chan struct{} // closed when the host closes the connection

	mu       sync.Mutex // guards the fields below
	closed   bool
	wasReset bool
}

// Read records a reset.
func (c *runtimeConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		c.mu.Lock()
		c.wasReset = true
		c.mu.Unlock()
	}
	return n, err
}

// Close records a reset that came after the last Read.
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
		return false // the connection is closed
	}
	_ = raw.Control(func(fd uintptr) { // it fails only on a closed connection
		code, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
		pending = err == nil && code != 0
	})
	return pending
}

// unread waits for the end of the connection of a process that has ended, and reports whether the
// process left data unread. It gives up when ctx ends, because a descendant may keep the connection
// open.
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

// newRuntimeConn makes a runtimeConn of a TCP connection.
func newRuntimeConn(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	return &runtimeConn{TCPConn: tcp, ended: make(chan struct{})}
}

type runtimeConnKey struct{}

// withRuntimeConn is the server's ConnContext. It makes a request's connection available.
func withRuntimeConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, runtimeConnKey{}, conn)
}

// runtimeConnOf returns a request's connection, or nil if it is not a runtimeConn.
func runtimeConnOf(r *http.Request) *runtimeConn {
	conn, _ := r.Context().Value(runtimeConnKey{}).(*runtimeConn)
	return conn
}
