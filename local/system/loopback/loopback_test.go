package loopback

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOtherSitesAreKeptOut(t *testing.T) {
	const partner = "https://partner.example"
	guard := refuseStrangers(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		func(origin string) bool { return origin == partner })
	type header = map[string]string
	for _, c := range []struct {
		name, method, host string
		header             header
		refusal            string // "" for none
	}{
		{"by address", "GET", "127.0.0.1:8082", nil, ""},
		{"by name", "GET", "localhost:8082", nil, ""},
		{"by name, in capitals", "GET", "LOCALHOST:8082", nil, ""},
		{"by IPv6", "GET", "[::1]:8082", nil, ""},
		{"by IPv6, without a port", "GET", "[::1]", nil, ""},
		{"another loopback address without a port", "GET", "127.0.0.2", nil, ""},
		{"a name that leads here", "GET", "evil.example:8082", nil,
			`the host "evil.example:8082" is not this machine: use 127.0.0.1 or localhost`},
		{"a name that begins like the address", "GET", "127.0.0.1.evil.example", nil, "is not this machine"},
		{"a name that begins like the name", "GET", "localhost.evil.example", nil, "is not this machine"},
		{"a name that leads here, its own page", "POST", "evil.example",
			header{"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, "is not this machine"},
		{"a name that leads here, an allowed page", "POST", "evil.example", header{"Origin": partner},
			"is not this machine"},
		{"another machine's address", "GET", "192.168.0.7:8082", nil, "is not this machine"},
		{"any address", "GET", "0.0.0.0:8082", nil, "is not this machine"},
		{"no name", "GET", "", nil, "is not this machine"},

		{"the own page", "POST", "127.0.0.1:8082",
			header{"Origin": "http://127.0.0.1:8082", "Sec-Fetch-Site": "same-origin"}, ""},
		{"the own page, in an old browser", "POST", "127.0.0.1:8082", header{"Origin": "http://127.0.0.1:8082"}, ""},
		{"a program", "POST", "127.0.0.1:8082", nil, ""},
		{"another site", "POST", "127.0.0.1:8082", header{"Origin": "https://evil.example"},
			`the request is from another site, "https://evil.example"`},
		{"another site, as new browsers tell", "POST", "127.0.0.1:8082",
			header{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, "from another site"},
		{"another site without an origin", "POST", "127.0.0.1:8082", header{"Sec-Fetch-Site": "cross-site"},
			"from another site"},
		{"another listener's page", "POST", "127.0.0.1:8082",
			header{"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-site"}, "from another site"},
		{"a page from a file", "POST", "127.0.0.1:8082", header{"Origin": "null"}, "from another site"},
		{"another site's deletion", "DELETE", "127.0.0.1:8082", header{"Origin": "https://evil.example"},
			"from another site"},
		{"another site, an invented method", "BREW", "127.0.0.1:8082", header{"Origin": "https://evil.example"},
			"from another site"},
		{"an allowed site", "POST", "127.0.0.1:8082", header{"Origin": partner, "Sec-Fetch-Site": "cross-site"}, ""},
		// The page cannot read the answer unless the handler allows it.
		{"another site that reads", "GET", "127.0.0.1:8082",
			header{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, ""},
		{"another site that asks whether it may", "OPTIONS", "127.0.0.1:8082", header{"Origin": "https://evil.example"},
			""},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Host = c.host
		for name, value := range c.header {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		guard.ServeHTTP(w, r)
		body := strings.ReplaceAll(w.Body.String(), `\"`, `"`)
		if c.refusal == "" && w.Code != http.StatusNoContent ||
			c.refusal != "" && (w.Code != http.StatusForbidden || !strings.Contains(body, c.refusal)) {
			t.Errorf("%s: %s at %q with %v got %d %s, want the refusal %q",
				c.name, c.method, c.host, c.header, w.Code, body, c.refusal)
		}
	}
}

func TestWithoutAllowedOriginsOnlyTheOwnPageIsLetIn(t *testing.T) {
	for origin, status := range map[string]int{"http://127.0.0.1:80": 204, "https://partner.example": 403} {
		r := httptest.NewRequest("POST", "http://127.0.0.1:80/", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		noContent := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
		refuseStrangers(noContent, nil).ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("origin %s: got %d, want %d", origin, w.Code, status)
		}
	}
}

func TestWhatIsServedIsGuarded(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler()}
	served := make(chan error, 1)
	go func() { served <- l.Serve(server, nil, slog.New(slog.DiscardHandler)) }()
	for host, status := range map[string]int{"": 404, "evil.example": 403} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", l.URL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("host %q: got %s, want %d", host, response.Status, status)
		}
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("got %v, want that the server was closed", err)
	}
}

// full is a listener that fails a few times because too many files are open, and then ends.
type full struct {
	net.Listener
	left int
}

func (f *full) Accept() (net.Conn, error) {
	if f.left--; f.left < 0 {
		return nil, net.ErrClosed
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}

func TestAProcessWithoutFreeFilesSaysSoOnce(t *testing.T) {
	var log bytes.Buffer
	a := &accepting{Listener: &full{left: 3}, log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 3 {
		// http.Server retries only after this kind of error.
		_, err := a.Accept()
		if temporary, ok := err.(interface{ Temporary() bool }); !ok || !temporary.Temporary() {
			t.Fatalf("got %v, want a temporary error", err)
		}
	}
	if got := log.String(); strings.Count(got, "level=ERROR") != 1 || !strings.Contains(got, "ulimit -n") {
		t.Errorf("got the log\n%s\nwant one error that names the limit", got)
	}
}

// unguarded are the files that may open their own listener, with the reason.
var unguarded = map[string]string{
	"local/system/blackhole/blackhole.go":           "it answers nothing",
	"local/system/loopback/loopback.go":             "it is where the others are opened",
	"local/mariadb/server.go":                       "it looks for a free port, and serves nothing",
	"local/view/console/consoletest/consoletest.go": "only tests run it",
	"local/view/otlp/otlptest/otlptest.go":          "only tests run it",
}

// A listener that another package opens would have no guard.
func TestEveryListenerIsOpenedHere(t *testing.T) {
	opens := map[string]bool{
		"net.Listen": true, "net.ListenTCP": true, "net.ListenUnix": true, "net.ListenConfig": true,
		"net.FileListener": true, "tls.Listen": true,
		"http.ListenAndServe": true, "http.ListenAndServeTLS": true, "http.Serve": true, "http.ServeTLS": true,
		"httptest.NewServer": true, "httptest.NewTLSServer": true, "httptest.NewUnstartedServer": true,
		"syscall.Listen": true,
	}
	root, found := os.DirFS("../../.."), map[string]bool{}
	files := token.NewFileSet()
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			in, ok := selector.X.(*ast.Ident)
			if ok && opens[in.Name+"."+selector.Sel.Name] {
				found[filepath.ToSlash(path)] = true
				if unguarded[path] == "" {
					t.Errorf("%s: %s.%s opens a listener that pages of other sites reach: use loopback.Listen",
						files.Position(selector.Pos()), in.Name, selector.Sel.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range unguarded {
		if !found[path] {
			t.Errorf("%s opens no listener any more: remove it from the exceptions", path)
		}
	}
}
