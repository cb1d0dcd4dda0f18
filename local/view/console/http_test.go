package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestControlsAcceptOnlyJSON(t *testing.T) {
	h := newHarness(t)
	const unknown = `{"queue":"nowhere"}` // a control that reads it answers 404
	for _, c := range []struct {
		name, method, path, contentType, body string
		status                                int
	}{
		{"JSON", "POST", "/redrive", "application/json", unknown, 404},
		{"a charset", "POST", "/redrive", "application/json; charset=utf-8", unknown, 404},
		{"a form", "POST", "/redrive", "text/plain", unknown, 415},
		{"a message by a form", "POST", "/send", "text/plain", `{"node":"queue:q","body":"x"}`, 415},
		{"a deletion by a form", "POST", "/delete", "text/plain", `{"queue":"q","message":"1"}`, 415},
		{"a purge by a form", "POST", "/purge", "text/plain", `{"queue":"q"}`, 415},
		{"schedules by a form", "POST", "/pass-time", "text/plain", `{}`, 415},
		{"a GET of a purge", "GET", "/purge", "", "", 404},
		{"an invocation by a form", "POST", "/invocations", "text/plain", `{"function":"stock"}`, 415},
		{"no content type", "POST", "/redrive", "", `{"queue":"dlq"}`, 415},
		{"a large body", "POST", "/redrive", "application/json", `{"queue":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		{"a GET of a control", "GET", "/redrive", "", "", 404},
		{"a preflight request of another site", "OPTIONS", "/redrive", "", "", 405},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		r.Header.Set("Origin", "https://evil.example")
		w := httptest.NewRecorder()
		h.Console.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: %s %s got %d %s, want %d", c.name, c.method, c.path, w.Code, w.Body, c.status)
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: other sites may read the answer: %q", c.name, got)
		}
	}
}

func TestThePageIsServedWithAStrictPolicy(t *testing.T) {
	h := newHarness(t)
	for path, kind := range map[string]string{
		"/": "text/html", "/console.js": "text/javascript", "/console.css": "text/css",
	} {
		response, err := http.Get(h.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || !strings.HasPrefix(got, kind) {
			t.Errorf("%s: got %s, %s; want %s", path, response.Status, got, kind)
		}
		policy := response.Header.Get("Content-Security-Policy")
		for _, directive := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
			"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'",
		} {
			if !strings.Contains(policy, directive) {
				t.Errorf("%s: the policy %q lacks %q", path, policy, directive)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") ||
			response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %v", path, response.Header)
		}
	}
}
