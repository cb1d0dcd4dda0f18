// Package storefront serves the shop's page and its HTTP headers. The page is one file, into which
// the program puts the texts of the shop's languages when it starts. It needs no build step, and
// loads nothing from other origins.
package storefront

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"

	"restock/internal/web"
)

//go:embed index.html
var template string

// All are computed when the program starts.
var (
	page = fill(template, web.Languages())
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

// fill puts the texts of languages into the page. {{name}} is replaced by the text of that name in
// the first language, for readers without JavaScript.
func fill(page string, languages []web.Language) string {
	type script struct {
		Name       string                 `json:"name"`
		Script     string                 `json:"script"`
		Page       map[string]string      `json:"page"`
		Answers    map[web.Message]string `json:"answers"`
		Currencies map[string]string      `json:"currencies,omitempty"`
	}
	var scripts, buttons, labels, noscript []string
	for i, l := range languages {
		// json.Marshal escapes <, so a text cannot end the script.
		text, err := json.Marshal(script{l.Name, l.Script, l.Page, l.Answers, l.Currencies})
		if err != nil {
			panic(err)
		}
		scripts = append(scripts, strconv.Quote(l.Tag)+": "+string(text))
		name := html.EscapeString(l.Name)
		buttons = append(buttons, fmt.Sprintf(
			`    <button type="button" lang=%q data-language=%q aria-pressed="%t">%s</button>`,
			l.Tag, l.Tag, i == 0, name))
		labels = append(labels, html.EscapeString(l.Page["languages"]))
		withoutScript := html.EscapeString(l.Page["noscript"])
		noscript = append(noscript, fmt.Sprintf("<span lang=%q>%s</span>", l.Tag, withoutScript))
	}
	choice := ""
	if len(languages) > 1 {
		choice = fmt.Sprintf("  <div class=\"languages\" role=\"group\" aria-label=%q>\n%s\n  </div>\n",
			strings.Join(labels, " / "), strings.Join(buttons, "\n"))
	}
	replaced := []string{
		"{{language}}", languages[0].Tag, "{{languages}}", choice, "{{noscript}}", strings.Join(noscript, " "),
		"{{script}}", "{\n  " + strings.Join(scripts, ",\n  ") + ",\n}",
	}
	for name, text := range languages[0].Page {
		replaced = append(replaced, "{{"+name+"}}", html.EscapeString(text))
	}
	return strings.NewReplacer(replaced...).Replace(page)
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
