package storefront

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/internal/web"
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

func TestEveryLanguageHasEveryTextOfThePage(t *testing.T) {
	uses := map[string]bool{"languages": true, "noscript": true}
	for _, m := range regexp.MustCompile(`data-(?:text|label)="(\w+)"`).FindAllStringSubmatch(template, -1) {
		uses[m[1]] = true
	}
	// The first argument of say is a class. A literal after === is compared with.
	chosen := regexp.MustCompile(`(?:\b(?:word|show|showConnection)\(|\bsay\([^,]*, |` +
		`(?:\b(?:placeWords|words|why|trouble)|\.dataset\.text) = )(.*)`)
	key := regexp.MustCompile(`(?:^|[?(,]| :|[^=]=) ?"(\w+)"`)
	for _, code := range chosen.FindAllStringSubmatch(template, -1) {
		for _, m := range key.FindAllStringSubmatch(code[1], -1) {
			uses[m[1]] = true
		}
	}
	want := slices.Sorted(maps.Keys(uses))
	value := regexp.MustCompile(`\{\w+\}`)
	first := web.Languages()[0].Page
	for _, l := range web.Languages() {
		if got := slices.Sorted(maps.Keys(l.Page)); !slices.Equal(got, want) {
			t.Errorf("language %s has the texts\n%v, the page uses\n%v", l.Tag, got, want)
		}
		for name, text := range l.Page {
			got, want := value.FindAllString(text, -1), value.FindAllString(first[name], -1)
			slices.Sort(got)
			slices.Sort(want)
			if text == "" || !slices.Equal(got, want) {
				t.Errorf("language %s: %s is %q, want a text with the values %v", l.Tag, name, text, want)
			}
		}
	}
}

func TestPageHasAButtonForEachOfSeveralLanguages(t *testing.T) {
	en := web.Language{Tag: "en", Name: "English", Script: "Latin", Page: map[string]string{"shop": "Bread & <Butter>"}}
	fr := web.Language{Tag: "fr", Name: "Français", Script: "Latin", Page: map[string]string{"shop": "</script>"}}
	one, two := fill(template, []web.Language{en}), fill(template, []web.Language{fr, en})
	if strings.Contains(one, "data-language=\"") ||
		!strings.Contains(one, "<title>Bread &amp; &lt;Butter&gt;</title>") ||
		!strings.Contains(one, `<html lang="en">`) {
		t.Errorf("with one language, the page has a choice of languages, or not its texts")
	}
	for _, want := range []string{
		`<html lang="fr">`, `<button type="button" lang="fr" data-language="fr" aria-pressed="true">Français</button>`,
		`<button type="button" lang="en" data-language="en" aria-pressed="false">English</button>`,
		`"fr": {"name":"Français","script":"Latin","page":{"shop":"\u003c/script\u003e"},"answers":null},`,
	} {
		if !strings.Contains(two, want) {
			t.Errorf("with two languages, the page has no %s", want)
		}
	}
}

func TestPageHasNoPlaceholderLeft(t *testing.T) {
	if left := regexp.MustCompile(`\{\{\w+\}\}`).FindString(page); left != "" {
		t.Errorf("the page has %s: no language has the text", left)
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
