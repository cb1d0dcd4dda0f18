package apigateway

import (
	"context"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"restock/test/fuzzing"
)

type nothing struct{}

func (nothing) Invoke(context.Context, []byte) ([]byte, error) { return []byte("{}"), nil }

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzRoutes checks that the route matches the request, that its key with the variables' values is
// the request's path again, and that the order of declaration does not matter.
func FuzzRoutes(f *testing.F) {
	f.Add("GET /pets/{proxy+}", "GET /pets/dog/{id}", "ANY /{proxy+}", "GET", "/pets/dog/1")
	f.Add("GET /a/{x}/c", "GET /a/b/{y}", "$default", "GET", "/a/b/c")
	f.Add("ANY /a/{x}", "GET /{y}/b", "GET /a/b/", "GET", "/a/b")
	f.Add("GET /a%2Fb", "GET /{x}", "GET /{x+}", "GET", "/a%2Fb%zz/../%00")
	f.Add("GET /{x}/{y}", "POST /{x}/{x}", "GET //", "GET", "//")
	f.Fuzz(func(t *testing.T, first, second, third, method, path string) {
		if !strings.HasPrefix(path, "/") || !utf8.ValidString(path) {
			return // not a valid request
		}
		declared := []Route{{Key: first, Function: nothing{}}, {Key: second, Function: nothing{}},
			{Key: third, Function: nothing{}}}
		routes, err := parseRoutes(declared)
		slices.Reverse(declared)
		reversed, err2 := parseRoutes(declared)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q, %q, %q: got %v, and in the other order %v", first, second, third, err, err2)
		}
		if err != nil {
			return
		}
		r, params, ok := match(routes, method, path)
		other, otherParams, otherOK := match(reversed, method, path)
		if ok != otherOK || r.Key != other.Key || !reflect.DeepEqual(params, otherParams) {
			t.Errorf("%s %q: got %q %q, and declared in the other order %q %q",
				method, path, r.Key, params, other.Key, otherParams)
		}
		if !ok || r.catchAll {
			return
		}
		if r.method != "" && r.method != method {
			t.Errorf("%s %q: got %q, of another method", method, path, r.Key)
		}
		var made strings.Builder
		for _, s := range r.path {
			text := s.text
			if s.kind != literal {
				if text = params[s.text]; text == "" {
					t.Errorf("%s %q: got %q with %q: a variable has no value", method, path, r.Key, params)
				}
			}
			made.WriteString("/" + text)
		}
		if want := unescaped(path); made.String() != want {
			t.Errorf("%s %q: got %q with %q, which make %q, want %q", method, path, r.Key, params, made.String(), want)
		}
	})
}

// unescaped decodes each segment of a path if possible.
func unescaped(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if decoded, err := url.PathUnescape(s); err == nil {
			segments[i] = decoded
		}
	}
	return strings.Join(segments, "/")
}

// FuzzFunctionAnswer checks that for every answer of a function the client gets a valid status or
// the API's own failure.
func FuzzFunctionAnswer(f *testing.F) {
	for _, output := range []string{
		`{"statusCode":409,"headers":{"content-type":"application/json","x":"a\r\nSet-Cookie: b"},"body":"{}",` +
			`"cookies":["a=1"]}`, `{"statusCode":200,"isBase64Encoded":true,"body":"iVBORw=="}`, `{"statusCode":1e2}`,
		`{"statusCode":99}`,
		`{"statusCode":null}`, `{"StatusCode":200,"statuscode":500}`, `"text"`, `[{"statusCode":200}]`, `null`, ` 5 `,
		`{"statusCode":200,"body":"\ud800"}`, `{`, ``, `"`,
	} {
		f.Add([]byte(output))
	}
	f.Fuzz(func(t *testing.T, output []byte) {
		res, err := parseResponse(output)
		if err != nil {
			return
		}
		if res.status < 200 || res.status > 599 || res.header == nil || res.own {
			t.Errorf("%q: got %+v", output, res)
		}
	})
}
