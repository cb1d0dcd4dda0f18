package web_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"restock/internal/web"
	"restock/test/fuzzing"
)

// A reader is a handler that records its last request.
type reader struct {
	request *http.Request
	body    string
}

func (r *reader) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		panic(err) // API Gateway has read the body already
	}
	r.request, r.body = request, string(body)
	web.Answer(w, http.StatusOK, map[string]string{"language": web.LanguageOf(request).Tag})
}

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzEvent checks that the handler gets the values of the event, and that no event that a client
// can cause fails the invocation: a failed invocation raises an alarm.
func FuzzEvent(f *testing.F) {
	f.Add("/products/CP-502101", "limit=5&before=a%20b", "accept-language", "ko-KR,ko;q=0.9,en;q=0.8",
		`{"sku":"CP-502101"}`)
	f.Add("/products/100%", "", "idempotency-key", "a, b,c", "")
	f.Add("//products/a?b#c", "a=%zz&a&&=", "Content-Length", "99999", "\x00")
	f.Add("/a\nb/\x1b[31m", "q=a b\n#c", "x-forwarded-for", "\r\nx: y", "도너츠")
	f.Add("/", "?", "cookie", "a=1", "")
	f.Add("/products", "\x7f", "host", "elsewhere", "")
	f.Fuzz(func(t *testing.T, path, query, name, value, body string) {
		for _, s := range []string{path, query, name, value, body} {
			if !utf8.ValidString(s) {
				return // API Gateway sends JSON, which is UTF-8
			}
		}
		if !strings.HasPrefix(path, "/") {
			return // no request has such a path
		}
		var event events.APIGatewayV2HTTPRequest
		event.RawPath, event.RawQueryString, event.Body = path, query, body
		event.Headers = map[string]string{name: value}
		event.RequestContext.HTTP.Method, event.RequestContext.HTTP.Path = http.MethodPost, path
		event.RequestContext.DomainName = "abc123.execute-api.ap-northeast-2.amazonaws.com"
		payload, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		var read reader
		out, err := lambda.NewHandler(web.Lambda(&read)).Invoke(context.Background(), payload)
		if err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
		var answer events.APIGatewayV2HTTPResponse
		if err := json.Unmarshal(out, &answer); err != nil || answer.StatusCode != http.StatusOK ||
			!json.Valid([]byte(answer.Body)) {
			t.Errorf("%s: the answer is %s, %v; want 200 with JSON in it", payload, out, err)
		}
		r := read.request
		if r.Method != http.MethodPost || r.URL.Path != path || r.URL.RawQuery != query || r.URL.Fragment != "" ||
			read.body != body {
			t.Errorf("%s: the handler read %s %q ? %q # %q, body %q",
				payload, r.Method, r.URL.Path, r.URL.RawQuery, r.URL.Fragment, read.body)
		}
		if values := r.Header.Values(name); len(values) != 1 || values[0] != value || len(r.Header) != 1 {
			t.Errorf("%s: the handler read the headers %q, want one header", payload, r.Header)
		}
	})
}
