// Package storefront is the shop's page: one file, without a build step and
// without anything from elsewhere, and the headers that it is served with.
package storefront

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

//go:embed index.html
var page string

// Both are computed from the page once, when the program starts.
var (
	// contentSecurityPolicy is what the page works under: its own style and script, named by their hashes,
	// requests to its own origin, and nothing else.
	contentSecurityPolicy = policyFor(page)
	etag                  = etagFor(page)
)

// Handler serves the page to every GET and HEAD, whatever the path.
func Handler() http.Handler { return http.HandlerFunc(serve) }

func serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	// Kept, but asked about each time: a new version is seen at once, an old
	// one costs a 304.
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(page))
}

func policyFor(page string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"style-src " + hashOf(inline(page, "style")),
		"script-src " + hashOf(inline(page, "script")),
		"img-src data:", // the icon
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

// inline returns what stands between the tags of the page's one inline element
// of that name. The page is part of the program: that there is one is held by
// a test, and a program without it does not start.
func inline(page, element string) string {
	_, rest, opened := strings.Cut(page, "<"+element+">")
	content, _, closed := strings.Cut(rest, "</"+element+">")
	if !opened || !closed {
		panic(fmt.Sprintf("storefront: index.html has no <%s>", element))
	}
	return content
}

// hashOf returns the source expression that allows an inline block.
// https://www.w3.org/TR/CSP3/#grammardef-hash-source
func hashOf(block string) string {
	sum := sha256.Sum256([]byte(block))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func etagFor(page string) string {
	sum := sha256.Sum256([]byte(page))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}
