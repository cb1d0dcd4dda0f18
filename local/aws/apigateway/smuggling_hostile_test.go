package apigateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"restock/local/aws/apigateway"
)

// A listener is a function that records its events.
type listener struct {
	mu     sync.Mutex // guards events
	events []events.APIGatewayV2HTTPRequest
}

func (l *listener) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, event)
	return []byte(`{"statusCode":200,"body":"ok"}`), nil
}

// heard returns the recorded requests, such as "POST /checkout body".
func (l *listener) heard() (requests []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		requests = append(requests, strings.TrimSpace(e.RequestContext.HTTP.Method+" "+e.RawPath+" "+e.Body))
	}
	return requests
}

// If two readers of a request disagree on its end, the request can hide another one from a proxy.
// There is no proxy here, but the function must get what a strict reader reads:
// https://www.rfc-editor.org/rfc/rfc9112#section-6.3
func TestNoRequestIsSmuggledInAnother(t *testing.T) {
	const host, hidden = "Host: shop\r\nContent-Type: text/plain\r\n", "GET /hidden HTTP/1.1\r\nHost: shop\r\n\r\n"
	for _, c := range []struct {
		name, sent string
		status     int
		heard      []string
	}{
		{"as it should be", "POST /checkout HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nab", 200,
			[]string{"POST /checkout ab"}},
		{"a length, and chunks",
			"POST /checkout HTTP/1.1\r\n" + host +
				"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 200,
			[]string{"POST /checkout ab"}},
		{"two lengths", "POST /checkout HTTP/1.1\r\n" + host + "Content-Length: 2\r\nContent-Length: 40\r\n\r\nab" +
			hidden, 400, nil},
		{"two lengths in one", "POST /checkout HTTP/1.1\r\n" + host + "Content-Length: 2, 40\r\n\r\nab" + hidden, 400,
			nil},
		{"a signed length", "POST /checkout HTTP/1.1\r\n" + host + "Content-Length: +2\r\n\r\nab" + hidden, 400, nil},
		{"a negative length", "POST /checkout HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n" + hidden, 400, nil},
		{"chunks by another name",
			"POST /checkout HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden, 501, nil},
		{"chunks, twice", "POST /checkout HTTP/1.1\r\n" + host +
			"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + hidden, 501, nil},
		{"chunks, and no chunks",
			"POST /checkout HTTP/1.1\r\n" + host +
				"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden, 501, nil},
		{"a space before the colon", "POST /checkout HTTP/1.1\r\n" + host + "Content-Length : 40\r\n\r\n" + hidden, 400,
			nil},
		{"a header that is folded", "POST /checkout HTTP/1.1\r\n" + host + "X-Note: a\r\n Content-Length: 40\r\n\r\n",
			200, []string{"POST /checkout"}},
		{"a header with a bare carriage return",
			"POST /checkout HTTP/1.1\r\n" + host + "X-Note: a\rContent-Length: 40\r\n\r\n" + hidden, 400, nil},
		{"a header with a zero", "POST /checkout HTTP/1.1\r\n" + host + "X-Note: a\x00b\r\n\r\n" + hidden, 400, nil},
		{"two hosts", "GET / HTTP/1.1\r\nHost: shop\r\nHost: elsewhere\r\n\r\n", 400, nil},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400, nil},
		{"a line end in the path", "GET /a\r\nb HTTP/1.1\r\n" + host + "\r\n", 400, nil},
		// text, like everything else
		{"a line end in the path, encoded", "GET /a%0d%0aX-Note:%20b HTTP/1.1\r\n" + host + "\r\n", 200,
			[]string{"GET /a\r\nX-Note: b"}},
		{"a chunk that is longer than it says",
			"POST /checkout HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400, nil},
		{"a chunk of a length beyond all",
			"POST /checkout HTTP/1.1\r\n" + host +
				"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nab\r\n0\r\n\r\n", 400, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var function listener
			api := mustNew(t, config(apigateway.Route{Key: "$default", Function: &function}))
			server := httptest.NewUnstartedServer(api)
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.Start()
			defer server.Close()
			connection, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			if _, err := io.WriteString(connection, c.sent); err != nil {
				t.Fatal(err)
			}
			if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			answers := bufio.NewReader(connection)
			first, err := http.ReadResponse(answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, first.Body); err != nil {
				t.Fatal(err)
			}
			if second, err := http.ReadResponse(answers, nil); err == nil {
				t.Errorf("%q is answered twice, also with %s", c.sent, second.Status)
			}
			if first.StatusCode != c.status || !slices.Equal(function.heard(), c.heard) {
				t.Errorf("%q: answered with %s, and the function heard %q; want %d and %q", c.sent, first.Status,
					function.heard(), c.status, c.heard)
			}
		})
	}
}

func TestAHeaderThatComesTwiceIsOneAndTheConnectionsOwnAreNone(t *testing.T) {
	var function listener
	api := mustNew(t, config(apigateway.Route{Key: "$default", Function: &function}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = http.Header{
		"Idempotency-Key": {"a", "b"}, "X-Forwarded-For": {"127.0.0.1"}, "Connection": {"Idempotency-Key"},
		"Upgrade": {"websocket"}, "Te": {"trailers"}, "Proxy-Connection": {"close"},
	}
	serve(api, r)
	got := function.events[0].Headers
	if got["idempotency-key"] != "a,b" || got["x-forwarded-for"] != "127.0.0.1, 192.0.2.1" {
		t.Errorf("the event has the headers %q, want both keys in one, and at the end who sent it", got)
	}
	for _, name := range []string{"connection", "upgrade", "te", "proxy-connection", "transfer-encoding"} {
		if value, there := got[name]; there {
			t.Errorf("the event has the header %s: %s, which is the connection's", name, value)
		}
	}
}

func TestAFunctionCannotAddAHeaderByItsValue(t *testing.T) {
	api := mustNew(t, config(
		apigateway.Route{Key: "GET /",
			Function: answer(`{"statusCode":200,"headers":{"x-note":"a\r\nset-cookie: b=1\r\n\r\n<html>","bad name":` +
				`"x"},` +
				`"body":"ok"}`)}))
	server := httptest.NewServer(api)
	defer server.Close()
	got, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got.Header.Get("Set-Cookie") != "" || string(body) != "ok" ||
		strings.ContainsAny(got.Header.Get("X-Note"), "\r\n") {
		t.Errorf("got %q with the headers %q, want ok, and no cookie", body, got.Header)
	}
}
