// Package webtest calls a handler with the events that an HTTP API sends to its function, and
// checks that openapi.json describes the answers.
package webtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"restock/internal/web"
)

// A Request is a client's request.
type Request struct {
	Method, Path, Query string
	Header              map[string]string // Do sends the names in lower case, as API Gateway does
	Body                string
}

// An Answer is the client's answer.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
}

// Field returns a field of the answer's JSON body. Numbers are float64.
func (a Answer) Field(tb testing.TB, name string) any {
	tb.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
		tb.Fatalf("the answer's body is %q: %v", a.Body, err)
	}
	return body[name]
}

// Do sends the request as an event in payload format 2.0, with the values that API Gateway adds.
// The event passes through the same adapter as in Lambda:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func Do(tb testing.TB, handler http.Handler, r Request) Answer {
	tb.Helper()
	ctx := tb.Context()
	header := map[string]string{
		"host": "abc123.execute-api.ap-northeast-2.amazonaws.com", "x-forwarded-proto": "https", "user-agent": "test",
	}
	for name, value := range r.Header {
		header[strings.ToLower(name)] = value
	}
	event := map[string]any{
		"version": "2.0", "routeKey": r.Method + " " + r.Path, "rawPath": r.Path, "rawQueryString": r.Query,
		"headers": header,
		"requestContext": map[string]any{
			"accountId": "123456789012", "apiId": "abc123", "domainName": header["host"], "domainPrefix": "abc123",
			"http": map[string]any{"method": r.Method, "path": r.Path, "protocol": "HTTP/1.1",
				"sourceIp": "192.0.2.1", "userAgent": "test"},
			"requestId": "JKJaXmPLvHcESHA=", "stage": "$default", "time": "21/Nov/2026:12:00:00 +0000",
			"timeEpoch": 1795262400000,
		},
		"isBase64Encoded": false,
	}
	if r.Body != "" {
		event["body"] = r.Body
	}
	payload, err := json.Marshal(event)
	if err != nil {
		tb.Fatal(err)
	}
	out, err := lambda.NewHandler(web.Lambda(handler)).Invoke(ctx, payload)
	if err != nil {
		tb.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &answer); err != nil {
		tb.Fatal(err)
	}
	got := Answer{Status: answer.StatusCode, Header: answer.Headers, Body: answer.Body}
	checkDescribed(ctx, tb, r, got)
	return got
}
