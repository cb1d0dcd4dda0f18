// Package loopback opens every HTTP listener of the local run, except that of the emulator kumo. It
// protects them from the pages of other web sites.
//
// A listener on loopback is not private. A page of any site that a user of this machine visits can
// send requests to it:
//
//   - By a name that resolves to this machine (DNS rebinding). For the browser, the page and the
//     listener then have the same origin, and the page can read the answers. The browser sends the
//     name in the Host header.
//   - From another origin (CSRF). The page cannot read the answers, but the requests arrive. The
//     browser sends the page's origin in the Origin header, or reports in Sec-Fetch-Site that the
//     request crosses origins.
//
// A Listener can be served only with Serve, which checks both.
package loopback

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"restock/local/system/openfiles"
)

const (
	// maxHeader limits a request's header in bytes. The largest headers are those of HTTP APIs,
	// with 10 KB.
	maxHeader = 64 << 10
	// idleTimeout limits the idle time of a connection. It is longer than the 90 s of Go's clients,
	// so that they close a connection first.
	idleTimeout = 3 * time.Minute
)

// A Listener listens on a loopback address.
type Listener struct {
	// Wrap, if not nil, wraps each connection before it is served. Set it before Serve.
	Wrap func(net.Conn) net.Conn

	listener net.Listener
	tls      *tls.Config // nil for plain HTTP; see Certify
	hint     string
}

// Listen opens a listener. Port 0 means any free port.
func Listen(address string) (*Listener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s is not an address: %w", address, err)
	}
	if !tcp.IP.IsLoopback() {
		return nil, fmt.Errorf(
			"%s is not on loopback: the run accepts connections from this machine only; use 127.0.0.1", address)
	}
	l, err := net.ListenTCP("tcp", tcp)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf(
			"%s is in use: stop the program that listens there, or choose another port (0 means any free one)", address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, openfiles.Explain(err))
	}
	return &Listener{listener: l}, nil
}

// Addr returns the listener's address.
func (l *Listener) Addr() *net.TCPAddr { return l.listener.Addr().(*net.TCPAddr) }

// URL returns the listener's URL.
func (l *Listener) URL() string {
	scheme := "http://"
	if l.tls != nil {
		scheme = "https://"
	}
	return scheme + l.listener.Addr().String()
}

// Close closes a listener that is not being served. A second Close is no error.
func (l *Listener) Close() error {
	if err := l.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Serve serves a server's handler until the server is shut down or closed. Then it returns
// http.ErrServerClosed. It refuses the requests of strangers (see refuseStrangers), and logs errors
// of connections at level debug. The server must not be serving yet.
func (l *Listener) Serve(server *http.Server, allowed func(origin string) bool, log *slog.Logger) error {
	server.Handler = refuseStrangers(server.Handler, allowed)
	server.MaxHeaderBytes = cmp.Or(server.MaxHeaderBytes, maxHeader)
	server.IdleTimeout = cmp.Or(server.IdleTimeout, idleTimeout)
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	wrap := l.Wrap
	if l.tls != nil {
		server.ErrorLog = slog.NewLogLogger(log.With("hint", l.hint).Handler(), slog.LevelWarn)
		wrap = func(conn net.Conn) net.Conn { return tls.Server(encrypted{conn, l.hint}, l.tls) }
	}
	return server.Serve(&accepting{Listener: l.listener, wrap: wrap, log: log})
}

// refuseStrangers returns a handler that refuses two kinds of requests: those whose host is not a
// name of this machine, and those of other origins with a method other than GET, HEAD and OPTIONS.
// Programs send no Origin, and are accepted. allowed, if not nil, reports whether another origin is
// accepted too.
func refuseStrangers(h http.Handler, allowed func(origin string) bool) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, fmt.Errorf(
			"the request is from another site, %q: only this address's own page and programs may send it",
			r.Header.Get("Origin")))
	}))
	sameOrigin := crossOrigin.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		switch {
		case !isLoopback(r.Host):
			refuse(w, fmt.Errorf("the host %q is not this machine: use 127.0.0.1 or localhost", r.Host))
		case origin != "" && allowed != nil && allowed(origin):
			h.ServeHTTP(w, r)
		default:
			sameOrigin.ServeHTTP(w, r)
		}
	})
}

// refuse answers in a format that people can read, and that the AWS CLI and the API's clients show.
func refuse(w http.ResponseWriter, why error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusForbidden)
	// an error means that the client has hung up
	_ = json.NewEncoder(w).Encode(map[string]string{"message": why.Error()})
}

// isLoopback reports whether a Host header is a name of this machine that no name server can
// change.
func isLoopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && address.IsLoopback()
}

// accepting is a listener that logs once that it cannot accept connections because too many files
// are open. http.Server retries, and would log each attempt at level debug.
type accepting struct {
	net.Listener
	wrap func(net.Conn) net.Conn // may be nil
	log  *slog.Logger
	full bool // only the server's goroutine uses it
}

func (a *accepting) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	full := errors.Is(err, syscall.EMFILE)
	if full && !a.full {
		a.log.Error("connections wait: too many files are open to accept them", "error", openfiles.Explain(err))
	}
	a.full = full
	if err == nil && a.wrap != nil {
		conn = a.wrap(conn)
	}
	return conn, err
}
