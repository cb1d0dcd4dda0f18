package web_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda"

	"restock/internal/web"
	"restock/local/aws/apigateway"
)

// A function is a function behind the HTTP API whose handler runs in this process.
type function struct{ lambda.Handler }

func (f function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f.Handler.Invoke(ctx, payload)
}

// hopByHop headers belong to one connection, so a proxy removes them:
// https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// token matches the name of a header: https://www.rfc-editor.org/rfc/rfc9110#name-tokens
var token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// added are the headers that API Gateway sets or extends.
var added = []string{"Host", "Content-Length", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto",
	"X-Amzn-Trace-Id"}

// FuzzGateway checks that the handler behind the HTTP API reads the request that a client sent: the
// server, the API's stand-in and the function lose, add or split nothing, and never disagree about
// where a request ends.
func FuzzGateway(f *testing.F) {
	for _, raw := range []string{
		"POST /checkout?a=1&a=2 HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n" +
			"Content-Length: 17\r\nIdempotency-Key: a, b,c\r\n\r\n{\"sku\":\"CP-5021\"}",
		"GET /products/a%2Fb%0a%1b[31m?x=%zz&&#f HTTP/1.1\r\nHost: shop\r\n" +
			"Cookie: a=1; b=2\r\ncookie: c=3\r\nX-Many: 1\r\nx-many: 2\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
			"GET /hidden HTTP/1.1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n" +
			"3\r\nabc\r\n0\r\nX-After: y\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\nConnection: Idempotency-Key\r\n" +
			"Idempotency-Key: k\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n",
		"GET //a/../b HTTP/1.1\r\nHost: shop\r\nX-Amzn-Trace-Id: Root=1\r\n\r\n",
		"PUT http://elsewhere/x%00y HTTP/1.0\r\nHost: shop\r\nContent-Type: text/plain\r\n" +
			"Content-Length: 2\r\n\r\n\xff\xfe",
		"OPTIONS * HTTP/1.1\r\nHost: shop\r\n\r\n",
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		sent, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return // the server refuses it
		}
		body, err := io.ReadAll(sent.Body)
		if err != nil {
			return
		}
		headers := sent.Header.Clone()
		sent.Body, sent.RemoteAddr = io.NopCloser(bytes.NewReader(body)), "192.0.2.1:1234"
		for name, values := range headers {
			// The server refuses invalid headers. The event is JSON, which cannot contain a value
			// that is not UTF-8.
			value := strings.Join(values, ",")
			if !token.MatchString(name) || strings.ContainsFunc(value, isControl) || !utf8.ValidString(value) {
				return
			}
		}
		for _, text := range []string{sent.URL.Path, sent.URL.RawQuery, sent.Host, sent.Method} {
			if !utf8.ValidString(text) {
				return
			}
		}

		var got reader
		api, err := apigateway.New(apigateway.Config{
			APIID: "abc123", Stage: apigateway.DefaultStage, Region: "ap-northeast-2", AccountID: "123456789012",
			Routes: []apigateway.Route{{Key: "$default", Function: function{lambda.NewHandler(web.Lambda(&got))}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer api.Close()
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, sent)
		if answer.Code == http.StatusRequestHeaderFieldsTooLarge {
			return
		}
		if answer.Code != http.StatusOK || got.request == nil {
			t.Fatalf("%q: answered with %d %s", raw, answer.Code, answer.Body)
		}

		r := got.request
		if r.Method != sent.Method || r.URL.Path != sent.URL.Path || r.URL.RawQuery != sent.URL.RawQuery ||
			got.body != string(body) {
			t.Errorf("%q: the handler read %s %q ? %q, %q; the client sent %s %q ? %q, %q", raw, r.Method, r.URL.Path,
				r.URL.RawQuery, got.body, sent.Method, sent.URL.Path, sent.URL.RawQuery, body)
		}
		for name, values := range headers {
			want := strings.Join(values, ",")
			switch {
			case slices.Contains(added, name), name == "Cookie":
				continue
			case slices.Contains(hopByHop, name):
				want = ""
			}
			if is := strings.Join(r.Header.Values(name), "|"); is != want {
				t.Errorf("%q: the handler read the header %s: %q, want %q", raw, name, is, want)
			}
		}
		for name := range r.Header {
			if headers[name] == nil && !slices.Contains(added, name) {
				t.Errorf("%q: the handler read a header %s that the client did not send", raw, name)
			}
		}
		if from := r.Header.Get("X-Forwarded-For"); !strings.HasSuffix(from, "192.0.2.1") {
			t.Errorf("%q: X-Forwarded-For is %q, want the client's address at its end", raw, from)
		}
	})
}
