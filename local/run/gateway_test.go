package run

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"restock/infra/graph"
	"restock/local/aws/iam"
	"restock/local/aws/lambda"
	"restock/local/system/loopback"
	"restock/local/view/console"
	"restock/local/view/events"
)

// throttledStack returns a run of a program with an HTTP API, a REST API and a function URL, whose
// function may not run. throttled gets the reason for each request.
func throttledStack(t *testing.T, log *slog.Logger, throttled func(id, reason string)) (*Run, *services) {
	t.Helper()
	resource := func(kind graph.Type, id string, outputs map[string]any) *graph.Resource {
		return &graph.Resource{
			Type: kind, URN: string(kind) + id, ID: id, Name: id, Source: id + ".go:1", Outputs: outputs,
		}
	}
	g, err := graph.New("eu-west-1", []*graph.Resource{
		resource(graph.Function, "called", map[string]any{"name": "called", "arn": calledARN, "invokeArn": "invoke"}),
		resource(graph.Permission, "called", map[string]any{
			"action": "lambda:InvokeFunction", "function": calledARN, "principal": "apigateway.amazonaws.com",
		}),

		resource(graph.API, "http", map[string]any{"executionArn": restARN}),
		resource(graph.APIStage, "http", map[string]any{"apiId": "http", "name": "$default", "autoDeploy": true}),
		resource(graph.APIRoute, "http", map[string]any{
			"apiId": "http", "routeKey": "GET /", "target": "integrations/http",
		}),
		resource(graph.APIIntegration, "http", map[string]any{
			"apiId": "http", "integrationType": "AWS_PROXY", "payloadFormatVersion": "2.0", "integrationUri": "invoke",
		}),

		resource(graph.RESTAPI, "rest", map[string]any{"rootResourceId": "root", "executionArn": restARN}),
		resource(graph.RESTStage, "rest", map[string]any{"restApi": "rest", "stageName": "prod"}),
		resource(graph.RESTMethod, "rest", map[string]any{
			"restApi": "rest", "resourceId": "root", "httpMethod": "GET", "authorization": "NONE",
		}),
		resource(graph.RESTIntegration, "rest", map[string]any{
			"restApi": "rest", "resourceId": "root", "httpMethod": "GET", "type": "AWS_PROXY", "uri": "invoke",
		}),

		resource(graph.FunctionURL, "url", map[string]any{"functionName": calledARN, "authorizationType": "NONE"}),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	host, err := lambda.NewHost(lambda.Config{Region: "eu-west-1", AccountID: graph.AccountID})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close(context.Background()) })
	executable, err := os.Executable() // never runs
	if err != nil {
		t.Fatal(err)
	}
	deployed, err := host.Add(lambda.Function{
		Name: "called", Executable: executable, Timeout: time.Second, ReservedConcurrency: new(int),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &services{log: log, program: &program{graph: g, onAWS: g}}
	if s.authority, err = iam.New(iam.Config{Graph: g, Log: log}); err != nil {
		t.Fatal(err)
	}
	s.functions.Store(&functions{calledARN: {Deployed: deployed}})

	r := &Run{
		config: Config{Log: log}, closing: make(chan struct{}),
		listen: listeners{apis: &apiListeners{byURN: map[string]*loopback.Listener{}}},
	}
	r.console = console.New(console.Config{
		Records: events.NewStream[events.Event](1), Log: log,
		Panels: []console.Panel{{Name: "counts", Throttled: throttled}},
	})
	r.onClose("console", func(context.Context) error { return r.console.Close() })
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, s
}

func TestEveryKindOfAPINamesItsAddressAndCountsThrottledRequests(t *testing.T) {
	var log bytes.Buffer
	var reasons []string
	r, s := throttledStack(t, slog.New(slog.NewTextHandler(&log, nil)), func(_, reason string) {
		reasons = append(reasons, reason)
	})
	g := s.program.graph
	for kind, api := range map[string]struct {
		urn, path string
		serve     func() error
	}{
		"HTTP API":     {g.OfType(graph.API)[0].URN, "/", func() error { return r.serveAPI(s) }},
		"REST API":     {g.OfType(graph.RESTStage)[0].URN, "/prod", func() error { return r.serveREST(g, s) }},
		"function URL": {g.OfType(graph.FunctionURL)[0].URN, "/", func() error { return r.serveFunctionURLs(g, s) }},
	} {
		log.Reset()
		reasons = nil
		if err := api.serve(); err != nil {
			t.Fatal(err)
		}
		listener, err := r.listen.forAPI(api.urn)
		if err != nil {
			t.Fatal(err)
		}
		if got := log.String(); !strings.Contains(got, `api="`+kind+`"`) ||
			!strings.Contains(got, "url="+listener.URL()) {
			t.Errorf("the log of the %s at %s is %q", kind, listener.URL(), got)
		}
		answer, err := http.Get(listener.URL() + api.path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if kind == "function URL" && answer.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the function URL answers %s, want 429", answer.Status)
		}
		if !strings.Contains(log.String(), "throttled_by=function") {
			t.Errorf("the log of the %s does not say that the function was throttled: %s", kind, &log)
		}
		if len(reasons) != 1 {
			t.Errorf("%s: the console got the reasons %q of a request with the status %s; the log is %s",
				kind, reasons, answer.Status, &log)
		}
	}
}

// A distribution is before the API that is its origin, and before no other one.
func TestACDNIsBeforeItsOriginOnly(t *testing.T) {
	g, err := graph.New("eu-west-1", []*graph.Resource{
		{URN: "1", Type: graph.API, Name: "http", Outputs: map[string]any{"apiEndpoint": "https://a.example.com"}},
		{URN: "2", Type: graph.RESTStage, Name: "stage", Outputs: map[string]any{
			"invokeUrl": "https://b.example.com/prod",
		}},
		{URN: "3", Type: graph.FunctionURL, Name: "url", Outputs: map[string]any{
			"functionUrl": "https://c.example.com/",
		}},
		{URN: "4", Type: graph.FunctionURL, Name: "without an address"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	api := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct{ origin, before string }{
		{"a.example.com", "http"},
		{"b.example.com", "stage"},
		{"c.example.com", "url"},
		{"", "none"}, // the host of a bucket is not known
	} {
		distribution := &graph.Resource{Type: graph.Distribution, Outputs: map[string]any{
			"origins":              []any{map[string]any{"domainName": c.origin}},
			"defaultCacheBehavior": map[string]any{"cachePolicyId": "unknown"},
		}}
		withCDN := *g
		withCDN.Resources = append(slices.Clip(g.Resources), distribution)
		for _, kind := range []graph.Type{graph.API, graph.RESTStage, graph.FunctionURL} {
			for _, declared := range g.OfType(kind) {
				_, err := behindCDN(&withCDN, declared, api)
				if isBehind := err != nil; isBehind != (declared.Name == c.before) {
					t.Errorf("is %s %s behind the CDN with the origin %q? got %v", kind, declared.Name, c.origin, err)
				}
			}
		}
	}
}

func TestAProgramWithoutAnAPIHasNoAddressOfOne(t *testing.T) {
	api, err := loopback.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Run{
		config: Config{Log: slog.New(slog.DiscardHandler)}, closing: make(chan struct{}),
		listen: listeners{api: api, apis: &apiListeners{byURN: map[string]*loopback.Listener{}}},
	}
	defer r.Close()
	r.answerWithoutAPI()
	if got := r.Endpoints().API; got != "" {
		t.Errorf("the endpoints have %s", got)
	}
	answer, err := http.Get(api.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusNotFound ||
		!strings.Contains(string(text), "declares no HTTP API") {
		t.Errorf("got %s %q, %v", answer.Status, text, err)
	}
}
