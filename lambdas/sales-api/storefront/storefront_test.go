package storefront

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func get(t *testing.T, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = header
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestPolicyAllowsOnlyTheInlineBlocks(t *testing.T) {
	var hashes []string
	for _, element := range []string{"style", "script"} {
		block := regexp.MustCompile(`(?s)<`+element+`\b([^>]*)>(.*?)</`+element+`>`).FindAllStringSubmatch(page, -1)
		if len(block) != 1 || block[0][1] != "" {
			t.Fatalf("the page has %d <%s>, want one without attributes", len(block), element)
		}
		sum := sha256.Sum256([]byte(block[0][2]))
		hashes = append(hashes, element+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	want := "default-src 'none'; " + strings.Join(hashes, "; ") +
		"; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := contentSecurityPolicy; got != want {
		t.Errorf("policy:\n got %s\nwant %s", got, want)
	}
	// Browsers convert line ends to LF before they compute a hash.
	if strings.Contains(page, "\r") {
		t.Error("index.html has CR line ends: the hashes would not match in a browser")
	}
}

func TestPageHasNothingThatThePolicyBlocks(t *testing.T) {
	// The namespace of SVG is a name; the browser loads nothing from it.
	page := strings.ReplaceAll(page, "http://www.w3.org/2000/svg", "")
	for what, pattern := range map[string]string{
		"inline event handler":     `(?i)<[^>]*\son[a-z]+\s*=`,
		"inline style attribute":   `(?i)<[a-z][^>]*\sstyle\s*=`,
		"javascript: URL":          `(?i)javascript:`,
		"URL of another origin":    `(?i)\b(https?|wss?):|["'(=]\s*//`,
		"resource":                 `(?i)\ssrc\s*=|\burl\(|@import`,
		"code made from text":      `\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write`,
		"style set as text by JS":  `setAttribute\(\s*["']style`,
		"request to another place": `fetch\("(?:[^/]|//)`,
	} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page has a %s: %q", what, found)
		}
	}
	for _, m := range regexp.MustCompile(`(?i)\bhref\s*=\s*(\S+)`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], `"#`) && !strings.HasPrefix(m[1], `"data:image/`) {
			t.Errorf("the page links to %s, want only to itself and to data", m[1])
		}
	}
}

func TestEveryTextIsInBothLanguages(t *testing.T) {
	words := func(language string) []string {
		_, rest, _ := strings.Cut(page, "\n  "+language+": {\n")
		block, _, found := strings.Cut(rest, "\n  },\n")
		if !found {
			t.Fatalf("the page has no words in %q", language)
		}
		var keys []string
		for _, m := range regexp.MustCompile(`(?m)^ {4}(\w+): `).FindAllStringSubmatch(block, -1) {
			keys = append(keys, m[1])
		}
		slices.Sort(keys)
		return keys
	}
	ko, en := words("ko"), words("en")
	if len(ko) == 0 || !slices.Equal(ko, en) {
		t.Errorf("words differ:\nko %v\nen %v", ko, en)
	}
	uses := regexp.MustCompile(`data-(?:text|label)="(\w+)"|word\("(\w+)"\)`)
	for _, m := range uses.FindAllStringSubmatch(page, -1) {
		if key := m[1] + m[2]; !slices.Contains(ko, key) {
			t.Errorf("the page uses the text %q, which no language has", key)
		}
	}
}

func TestPageIsServedWithItsHeaders(t *testing.T) {
	w := get(t, nil)
	if w.Code != 200 || w.Body.String() != page {
		t.Errorf("got status %d and %d bytes, want 200 and the page", w.Code, w.Body.Len())
	}
	for name, want := range map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": contentSecurityPolicy,
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
		"Cache-Control":           "public, max-age=1, stale-if-error=30",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestUnchangedPageIsNotSentAgain(t *testing.T) {
	etag := get(t, nil).Header().Get("ETag")
	if !regexp.MustCompile(`^"[0-9a-f]{32}"$`).MatchString(etag) {
		t.Fatalf("ETag: got %q, want a strong one", etag)
	}
	for match, want := range map[string]int{etag: 304, `W/` + etag: 304, `"other", ` + etag: 304, `"other"`: 200} {
		w := get(t, http.Header{"If-None-Match": {match}})
		if w.Code != want || (want == 304) != (w.Body.Len() == 0) {
			t.Errorf("If-None-Match %s: got %d with %d bytes, want %d", match, w.Code, w.Body.Len(), want)
		}
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", method, w.Code, want)
		}
	}
}
