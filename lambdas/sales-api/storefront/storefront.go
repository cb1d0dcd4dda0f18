// Package storefront serves the shop's page and its HTTP headers. The page is one file, needs no
// build step, and loads nothing from other origins.
package storefront

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"restock/internal/web"
)

//go:embed index.html
var page string

// Both are computed when the program starts.
var (
	// contentSecurityPolicy allows the page's own style and script, by their hashes, requests to
	// its own origin, and nothing else.
	contentSecurityPolicy = policyFor(page)
	etag                  = web.ETag(page)
)

// Handler serves the page to every GET and HEAD request, whatever the path.
func Handler() http.Handler { return http.HandlerFunc(serve) }

func serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", contentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	web.AnswerShared(w, r, "text/html; charset=utf-8", page, etag)
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

// inline returns the content of the page's only inline element of a name. It panics if there is
// none; a test makes sure that the embedded page has it.
func inline(page, element string) string {
	_, rest, opened := strings.Cut(page, "<"+element+">")
	content, _, closed := strings.Cut(rest, "</"+element+">")
	if !opened || !closed {
		panic(fmt.Sprintf("storefront: index.html has no <%s>", element))
	}
	return content
}

// hashOf returns the source expression that allows an inline block.
//
//	https://www.w3.org/TR/CSP3/#grammardef-hash-source
func hashOf(block string) string {
	sum := sha256.Sum256([]byte(block))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
