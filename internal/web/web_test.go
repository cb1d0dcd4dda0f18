package web

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/language"

	"restock/internal/shop"
)

func TestLanguageIsTheFirstUnlessAnotherIsPreferred(t *testing.T) {
	languages := []Language{{Tag: "ko"}, {Tag: "en"}}
	for header, want := range map[string]string{
		"":                        "ko",
		"ko":                      "ko",
		"ko-KR,ko;q=0.9,en;q=0.8": "ko",
		"en":                      "en",
		"en-GB,en;q=0.8":          "en",
		"fr-FR,en;q=0.5":          "en",
		"fr":                      "ko",
		"*":                       "ko",
		";;;":                     "ko",
		"en;q=0.1,ko;q=0.9":       "ko",
	} {
		_, index := language.MatchStrings(newMatcher(languages), header)
		if got := languages[index].Tag; got != want {
			t.Errorf("Accept-Language %.40q: got %v, want %v", header, got, want)
		}
	}
}

func TestRouterNamesRoutesWithoutHandlersAndHandlersWithoutRoutes(t *testing.T) {
	ok := func(http.ResponseWriter, *http.Request) {}
	_, err := Router([]string{"GET /", "POST /checkout"}, map[string]http.HandlerFunc{"GET /": ok, "GET /checkout": ok})
	for _, want := range []string{
		`route "POST /checkout" is declared and has no handler`,
		`route "GET /checkout" has a handler and is not declared`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %s", err, want)
		}
	}
}

func TestRouteOfTheRootMatchesNoOtherPath(t *testing.T) {
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) }
	}
	router, err := Router([]string{"GET /", "GET /products/{sku}", "$default"}, map[string]http.HandlerFunc{
		"GET /": answer("root"), "GET /products/{sku}": answer("product"), "$default": answer("default"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/": "root", "/products/x": "product", "/elsewhere": "default", "/products/x/y": "default",
	} {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if got := w.Body.String(); got != want {
			t.Errorf("GET %s: got %q, want %q", path, got, want)
		}
	}
}

func TestRouterWithoutADefaultRouteAnswersInJSON(t *testing.T) {
	router, err := Router([]string{"GET /products"},
		map[string]http.HandlerFunc{"GET /products": func(http.ResponseWriter, *http.Request) {}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"//products", "/elsewhere"} {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != 404 || w.Body.String() != `{"error":"Not Found"}`+"\n" {
			t.Errorf("GET %s: got %d %s, want 404 in JSON", path, w.Code, w.Body)
		}
	}
}

func TestInternalErrorsStayInTheLog(t *testing.T) {
	var log strings.Builder
	w := httptest.NewRecorder()
	Fail(w, httptest.NewRequest(http.MethodGet, "/products", nil), slog.New(slog.NewTextHandler(&log, nil)),
		errors.New("table product has no column x"))
	body := w.Body.String()
	if w.Code != 500 || strings.Contains(body, "column") || !strings.Contains(body, `"code":"internal"`) {
		t.Errorf("got %d %s, want 500 without the cause", w.Code, body)
	}
	if !strings.Contains(log.String(), "table product has no column x") {
		t.Errorf("the log is %q, want the cause in it", log.String())
	}
}

func TestAnErrorHasTheCommandsThatItAdvises(t *testing.T) {
	w := httptest.NewRecorder()
	Fail(w, httptest.NewRequest(http.MethodPatch, "/merchant/products/CP-1", nil), slog.New(slog.DiscardHandler),
		fmt.Errorf("changing CP-1: %w", &shop.Error{Code: shop.CodeProductArchived, Detail: "CP-1 is archived",
			Commands: []string{"shop archive --undo CP-1"}}))
	const want = `"code":"product_archived","detail":"CP-1 is archived","commands":["shop archive --undo CP-1"]}`
	if body := w.Body.String(); w.Code != 409 || !strings.Contains(body, want) {
		t.Errorf("got %d %s, want 409 and %s", w.Code, body, want)
	}
}

func TestEveryLanguageHasEveryMessage(t *testing.T) {
	messages := []Message{Bought, Received, NotBought}
	for code, status := range statuses {
		messages = append(messages, Message(code))
		if status < 400 {
			t.Errorf("code %s has status %d", code, status)
		}
	}
	slices.Sort(messages)
	for _, l := range Languages() {
		if got := slices.Sorted(maps.Keys(l.Answers)); !slices.Equal(got, messages) {
			t.Errorf("language %s has the answers\n%v, want\n%v", l.Tag, got, messages)
		}
		for m, text := range l.Answers {
			if about := slices.Contains([]Message{Bought, Received, NotBought}, m); text == "" ||
				strings.Contains(text, "{stock}") != about {
				t.Errorf("language %s: message %s is %q, want {stock} in it: %v", l.Tag, m, text, about)
			}
		}
		for currency, text := range l.Currencies {
			if strings.Count(text, "{amount}") != 1 {
				t.Errorf("language %s writes %s as %q, want {amount} in it", l.Tag, currency, text)
			}
		}
		if _, err := language.Parse(l.Tag); err != nil || l.Name == "" || unicode.Scripts[l.Script] == nil {
			t.Errorf("language %q has the name %q and the script %q, %v; want a tag, a name and a Unicode script",
				l.Tag, l.Name, l.Script, err)
		}
	}
	source, err := os.ReadFile("../shop/errors.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, declared := range regexp.MustCompile(`Code\w+ +Code = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		if _, known := statuses[shop.Code(declared[1])]; !known {
			t.Errorf("there is no status for the code %s", declared[1])
		}
	}
}
