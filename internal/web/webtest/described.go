package webtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/uuid"

	"restock/internal/openapi"
)

// document reads openapi.json, and makes its check stricter than clients should be: an answer has
// no field that the document does not name.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	openapi3.DefineStringFormatValidator("uuid", openapi3.NewCallbackValidator(func(text string) error {
		id, err := uuid.Parse(text)
		// A request may have upper-case digits: RFC 9562, section 4.
		if err == nil && !strings.EqualFold(id.String(), text) {
			err = fmt.Errorf("the id %q is not in its usual form", text)
		}
		return err
	}))
	d, err := openapi3.NewLoader().LoadFromData([]byte(openapi.Document))
	if err != nil {
		return nil, err
	}
	for _, s := range d.Components.Schemas {
		s.Value.WithoutAdditionalProperties()
	}
	return d, nil
})

// operation returns the operation of openapi.json that a request is for, and the parameters in the
// request's path. It is nil if there is none.
func operation(d *openapi3.T, r *http.Request) (*routers.Route, map[string]string) {
	if path.Clean(r.URL.Path) != r.URL.Path { // web.Router knows no such path
		return nil, nil
	}
	var found *routers.Route
	var parameters map[string]string
	mux := http.NewServeMux()
	for template, item := range d.Paths.Map() {
		described := item.GetOperation(r.Method)
		if described == nil {
			continue
		}
		pattern := template
		if strings.HasSuffix(template, "/") {
			pattern += "{$}"
		}
		mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
			found = &routers.Route{Spec: d, Path: template, PathItem: item, Method: r.Method, Operation: described}
			parameters = map[string]string{}
			for _, p := range described.Parameters {
				if p.Value.In == openapi3.ParameterInPath {
					parameters[p.Value.Name] = r.PathValue(p.Value.Name)
				}
			}
		})
	}
	mux.ServeHTTP(discard{}, r)
	return found, parameters
}

// A discard is an answer that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// checkDescribed reports an answer that openapi.json does not describe, and a successful request
// that it forbids. It ignores requests for other routes than those of the document, whose
// completeness internal/openapi tests.
func checkDescribed(ctx context.Context, tb testing.TB, r Request, a Answer) {
	tb.Helper()
	d, err := document()
	if err != nil {
		tb.Fatalf("reading openapi.json: %v", err)
	}
	request := &http.Request{
		Method: r.Method, URL: &url.URL{Path: r.Path, RawQuery: r.Query}, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(strings.TrimSpace(r.Body))),
	}
	for name, value := range r.Header {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/json") // the handlers do not need it
	route, parameters := operation(d, request)
	if route == nil {
		return
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
	}
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: parameters, Route: route, Options: options,
	}
	// ValidateResponse accepts any body of an answer without a description of its content.
	described := route.Operation.Responses.Status(a.Status)
	if described != nil && len(described.Value.Content) == 0 && a.Body != "" {
		tb.Errorf("%s %s: openapi.json describes the answer %d without a body, and it is %.200s",
			r.Method, r.Path, a.Status, a.Body)
	}
	header := http.Header{}
	for name, value := range a.Header {
		header.Set(name, value)
	}
	if err := openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: a.Status, Header: header,
		Body: io.NopCloser(strings.NewReader(a.Body)), Options: options,
	}); err != nil {
		tb.Errorf("%s %s: openapi.json does not describe the answer %d %.200s: %v",
			r.Method, r.Path, a.Status, a.Body, err)
	}
	if a.Status < http.StatusMultipleChoices {
		if err := openapi3filter.ValidateRequest(ctx, input); err != nil {
			tb.Errorf("%s %s %.200s succeeds, and openapi.json forbids it: %v", r.Method, r.Path, r.Body, err)
		}
	}
}
