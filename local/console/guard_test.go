package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOtherSitesAreKeptOut(t *testing.T) {
	h := newHouse(t)
	const rush = `{"buyers":0,"seconds":0}` // refused, with 400, where it is let in
	for _, c := range []struct {
		name, method, path, host string
		header                   map[string]string
		body                     string
		status                   int
	}{
		{"the page", "GET", "/state", "127.0.0.1:8082", nil, "", 200},
		{"by name", "GET", "/state", "localhost:8082", nil, "", 200},
		{"by IPv6", "GET", "/state", "[::1]:8082", nil, "", 200},
		{"another loopback address without a port", "GET", "/state", "127.0.0.2", nil, "", 200},
		{"a name that leads here", "GET", "/state", "console.evil.example:8082", nil, "", 403},
		{"a name that looks like here", "GET", "/state", "127.0.0.1.evil.example", nil, "", 403},
		{"a name that begins like here", "GET", "/events", "localhost.evil.example", nil, "", 403},
		{"another machine's address", "GET", "/", "192.168.0.7:8082", nil, "", 403},
		{"no name", "GET", "/state", "", nil, "", 403},

		{"the page's control", "POST", "/rush", "127.0.0.1:8082", map[string]string{"Origin": "http://127.0.0.1:8082", "Sec-Fetch-Site": "same-origin"}, rush, 400},
		{"a program's control", "POST", "/rush", "127.0.0.1:8082", nil, rush, 400},
		{"another site's control", "POST", "/rush", "127.0.0.1:8082", map[string]string{"Origin": "https://evil.example"}, rush, 403},
		{"another site's control, as new browsers tell", "POST", "/rush", "127.0.0.1:8082", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, rush, 403},
		{"the shop's page", "POST", "/rush", "127.0.0.1:8082", map[string]string{"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-site"}, rush, 403},
		{"a page from a file", "POST", "/factory/faults", "127.0.0.1:8082", map[string]string{"Origin": "null"}, `{}`, 403},
		{"another site's end of a rush", "DELETE", "/rush", "127.0.0.1:8082", map[string]string{"Origin": "https://evil.example"}, "", 403},
		{"another site that asks whether it may", "OPTIONS", "/rush", "127.0.0.1:8082", map[string]string{"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}, "", 405},
		{"a form", "POST", "/rush", "127.0.0.1:8082", map[string]string{"Content-Type": "text/plain"}, rush, 415},
		{"no content type", "POST", "/redrive", "127.0.0.1:8082", map[string]string{"Content-Type": ""}, `{"queue":"dlq"}`, 415},
		{"a charset", "POST", "/rush", "127.0.0.1:8082", map[string]string{"Content-Type": "application/json; charset=utf-8"}, rush, 400},
		{"too much", "POST", "/redrive", "127.0.0.1:8082", nil, `{"queue":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		{"a control that is read", "GET", "/rush", "127.0.0.1:8082", nil, "", 404},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Host = c.host
		if c.method == "POST" {
			r.Header.Set("Content-Type", "application/json")
		}
		for name, value := range c.header {
			r.Header.Set(name, value)
		}
		ctx, leave := context.WithCancel(t.Context())
		leave() // a stream would not end
		r = r.WithContext(ctx)
		w := httptest.NewRecorder()
		h.Console.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %s %s at %q with %v got %d %s, want %d", c.name, c.method, c.path, c.host, c.header, w.Code, w.Body, c.status)
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: it lets %q read", c.name, got)
		}
	}
}

func TestThePageIsServedWithAStrictPolicy(t *testing.T) {
	h := newHouse(t)
	for path, kind := range map[string]string{"/": "text/html", "/console.js": "text/javascript", "/console.css": "text/css"} {
		response, err := http.Get(h.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || !strings.HasPrefix(got, kind) {
			t.Errorf("%s: got %s, %s; want %s", path, response.Status, got, kind)
		}
		policy := response.Header.Get("Content-Security-Policy")
		for _, directive := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(policy, directive) {
				t.Errorf("%s: the policy %q lacks %q", path, policy, directive)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %v", path, response.Header)
		}
	}
}
