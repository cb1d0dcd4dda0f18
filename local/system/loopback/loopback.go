// Package loopback opens every HTTP listener of the local run, and keeps the pages of other web sites out of it.
//
// A listener on loopback is not private. A page of any site that a person of this machine visits can send requests to it:
//
//   - By a name that leads to this machine (DNS rebinding). For the browser the page and the listener then have the same
//     origin, and the page reads the answers. The browser sends that name in the Host header.
//   - From another origin (CSRF). The page does not read the answers, but the requests arrive. The browser sends the
//     page's origin in the Origin header, or says in Sec-Fetch-Site that the request crosses origins.
//
// A Listener can only be served with Serve, which checks both.
package loopback

import (
	"cmp"
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
	// maxHeader is the size in bytes of a request's header. HTTP APIs, which have the largest ones here, take 10 KB.
	maxHeader = 64 << 10
	// idleTimeout is how long a connection is kept that nobody uses. It is longer than the 90 s that clients written in
	// Go keep one, so that they close it first.
	idleTimeout = 3 * time.Minute
)

// A Listener listens on an address of loopback.
type Listener struct {
	// Wrap, where it is not nil, is applied to each connection before it is served. It is set before Serve.
	Wrap func(net.Conn) net.Conn

	listener net.Listener
}

// Listen opens a listener. Port 0 is any free port.
func Listen(address string) (*Listener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s is not an address: %w", address, err)
	}
	if !tcp.IP.IsLoopback() {
		return nil, fmt.Errorf("%s is not on loopback: the run is for this machine alone; use 127.0.0.1", address)
	}
	l, err := net.ListenTCP("tcp", tcp)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use: end what listens there, or choose another port (0 is any free one)", address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, openfiles.Explain(err))
	}
	return &Listener{listener: l}, nil
}

// Addr is where the listener listens.
func (l *Listener) Addr() *net.TCPAddr { return l.listener.Addr().(*net.TCPAddr) }

// URL is where the listener listens, for HTTP clients.
func (l *Listener) URL() string { return "http://" + l.listener.Addr().String() }

// Close ends a listener that is not served. A second Close is no error.
func (l *Listener) Close() error {
	if err := l.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Serve serves a server's handler, behind Guard, until the server is shut down or closed; then it returns
// http.ErrServerClosed. What is wrong with a connection is logged at level debug. The server may not be serving yet.
func (l *Listener) Serve(server *http.Server, allowed func(origin string) bool, log *slog.Logger) error {
	server.Handler = Guard(server.Handler, allowed)
	server.MaxHeaderBytes = cmp.Or(server.MaxHeaderBytes, maxHeader)
	server.IdleTimeout = cmp.Or(server.IdleTimeout, idleTimeout)
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	return server.Serve(&accepting{Listener: l.listener, wrap: l.Wrap, log: log})
}

// Guard refuses requests that are not sent to this machine by one of its own names, and requests of other origins that
// change something: all but GET, HEAD and OPTIONS. Programs send no Origin, and are let in. allowed, where it is not nil,
// says which other origins are let in too.
func Guard(h http.Handler, allowed func(origin string) bool) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, fmt.Errorf("the request is from another site, %q: requests of this address's own page, and of programs, are accepted", r.Header.Get("Origin")))
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

// refuse answers in a form that people read, and that the AWS CLI and the clients of the API show.
func refuse(w http.ResponseWriter, why error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusForbidden)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": why.Error()}) // the client may be gone
}

// isLoopback says whether a Host header is a name of this machine that no name server can change.
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

// accepting is a listener that says, once, when it can accept no connection for want of files. http.Server tries again,
// and would say it at level debug for each attempt.
type accepting struct {
	net.Listener
	wrap func(net.Conn) net.Conn // may be nil
	log  *slog.Logger
	full bool // only the server's goroutine reads and writes it
}

func (a *accepting) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	full := errors.Is(err, syscall.EMFILE)
	if full && !a.full {
		a.log.Error("connections wait: none can be accepted", "error", openfiles.Explain(err))
	}
	a.full = full
	if err == nil && a.wrap != nil {
		conn = a.wrap(conn)
	}
	return conn, err
}
