package apigateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/events"

	"restock/local/aws/apigateway"
)

// rest returns the configuration of a REST API.
func rest(routes ...apigateway.Route) apigateway.Config {
	c := config(routes...)
	c.REST, c.Stage = true, "prod"
	return c
}

func TestRESTEventCarriesTheRequest(t *testing.T) {
	api := mustNew(t, rest(apigateway.Route{Key: "ANY /files/{proxy+}", Function: echo}))
	r := httptest.NewRequest("PUT", "/prod/files/a/b?tag=x&tag=y", strings.NewReader("\x00text"))
	r.Header = http.Header{"X-Many": {"1", "2"}, "Cookie": {"a=1"}}
	w := serve(api, r)
	var got events.APIGatewayProxyRequest
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("the answer is %d %s: %v", w.Code, w.Body, err)
	}
	if got.Path != "/files/a/b" || got.Resource != "/files/{proxy+}" || got.HTTPMethod != "PUT" ||
		got.PathParameters["proxy"] != "a/b" || got.Body != "\x00text" || got.IsBase64Encoded {
		t.Errorf("got the event %+v", got)
	}
	if got.Headers["X-Many"] != "2" || !slices.Equal(got.MultiValueHeaders["X-Many"], []string{"1", "2"}) ||
		got.Headers["Cookie"] != "a=1" || got.Headers["Host"] != "example.com" {
		t.Errorf("got the headers %v and %v", got.Headers, got.MultiValueHeaders)
	}
	if got.QueryStringParameters["tag"] != "y" ||
		!slices.Equal(got.MultiValueQueryStringParameters["tag"], []string{"x", "y"}) {
		t.Errorf("got the query %v and %v", got.QueryStringParameters, got.MultiValueQueryStringParameters)
	}
	c := got.RequestContext
	if c.Path != "/prod/files/a/b" || c.Stage != "prod" || c.ResourcePath != "/files/{proxy+}" || c.RequestID == "" ||
		c.APIID != "a1b2c3d4e5" || c.Identity.SourceIP != "192.0.2.1" {
		t.Errorf("got the request context %+v", c)
	}
}

func TestRESTAnswers(t *testing.T) {
	const internal = `{"message":"Internal server error"}`
	failing := invokerFunc(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("broken") })
	for _, c := range []struct {
		name     string
		function apigateway.Invoker
		path     string
		status   int
		body     string
	}{
		{"complete", answer(`{"statusCode":201,"body":"aGk=","isBase64Encoded":true,` +
			`"multiValueHeaders":{"A":["1","2"]}}`), "/prod/", 201, "hi"},
		{"another stage", answer(`{"statusCode":200}`), "/", 403, `{"message":"Missing Authentication Token"}`},
		{"no status", answer(`{"body":"hi"}`), "/prod/", 502, internal},
		{"another field", answer(`{"statusCode":200,"cookies":[]}`), "/prod/", 502, internal},
		{"an error", failing, "/prod/", 502, internal},
	} {
		api := mustNew(t, rest(apigateway.Route{Key: "GET /", Function: c.function}))
		w := serve(api, httptest.NewRequest("GET", c.path, nil))
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s: got %d %s, want %d %s", c.name, w.Code, w.Body, c.status, c.body)
		}
		if got := w.Header()["A"]; c.status == 201 && !reflect.DeepEqual(got, []string{"1", "2"}) {
			t.Errorf("%s: got the headers %v", c.name, w.Header())
		}
	}
}

// refused is the refusal of a policy.
type refused struct{}

func (refused) Error() string      { return "User: anonymous may not" }
func (refused) AccessDenied() bool { return true }

func TestThePolicyOfARESTAPIRefusesRequests(t *testing.T) {
	c := rest(apigateway.Route{Key: "GET /", Function: answer(`{"statusCode":200}`)})
	c.AuthorizeAnybody = func(*http.Request) error { return refused{} }
	w := serve(mustNew(t, c), httptest.NewRequest("GET", "/prod/", nil))
	if want := `{"Message":"User: anonymous may not"}`; w.Code != http.StatusForbidden || w.Body.String() != want {
		t.Errorf("got %d %s, want 403 %s", w.Code, w.Body, want)
	}
}

func TestRESTTimeoutIs504(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := invokerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		api := mustNew(t, rest(apigateway.Route{Key: "GET /", Function: hangs, Timeout: apigateway.RESTTimeout}))
		if w := serve(api, httptest.NewRequest("GET", "/prod/", nil)); w.Code != http.StatusGatewayTimeout {
			t.Errorf("got the status %d, want 504", w.Code)
		}
		api.Close()
	})
}
