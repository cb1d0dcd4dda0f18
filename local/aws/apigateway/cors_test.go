package apigateway_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"restock/local/aws/apigateway"
)

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
func TestCORSHeadersAreTheAPIs(t *testing.T) {
	shop := &apigateway.CORS{
		AllowOrigins: []string{"https://shop.example", "https://www.shop.example"},
		AllowMethods: []string{"GET", "POST"},
		AllowHeaders: []string{"content-type", "idempotency-key"}, ExposeHeaders: []string{"date", "x-api-id"},
		AllowCredentials: true, MaxAge: 300,
	}
	anyone := &apigateway.CORS{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}}
	overTLS := &apigateway.CORS{AllowOrigins: []string{"https://*"}}
	origin := func(o string) http.Header { return http.Header{"Origin": {o}} }
	preflight := func(o string) http.Header {
		return http.Header{"Origin": {o}, "Access-Control-Request-Method": {"POST"}}
	}
	fromFunction := http.Header{"Access-Control-Allow-Origin": {"https://functions.own"}, "X-Own": {"1"}}

	for name, tc := range map[string]struct {
		cors   *apigateway.CORS
		method string
		header http.Header
		status int
		want   http.Header
	}{
		"preflight": {shop, "OPTIONS", preflight("https://shop.example"), 204, http.Header{
			"Access-Control-Allow-Origin": {"https://shop.example"}, "Access-Control-Allow-Methods": {"GET,POST"},
			"Access-Control-Allow-Headers":     {"content-type,idempotency-key"},
			"Access-Control-Expose-Headers":    {"date,x-api-id"},
			"Access-Control-Allow-Credentials": {"true"}, "Access-Control-Max-Age": {"300"},
		}},
		"preflight of another origin": {shop, "OPTIONS", preflight("https://shop.example.evil"), 204, http.Header{}},
		"preflight for anyone": {anyone, "OPTIONS", preflight("null"), 204, http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"*"},
		}},
		"OPTIONS that is no preflight": {shop, "OPTIONS", origin("https://shop.example"), 404,
			http.Header{"Content-Type": {"application/json"}}},
		"request": {shop, "POST", origin("https://www.shop.example"), 201, http.Header{
			"Access-Control-Allow-Origin":      {"https://www.shop.example"},
			"Access-Control-Expose-Headers":    {"date,x-api-id"},
			"Access-Control-Allow-Credentials": {"true"}, "X-Own": {"1"},
		}},
		"request of another origin": {shop, "POST", origin("http://shop.example"), 201, http.Header{"X-Own": {"1"}}},
		"request of no origin":      {shop, "POST", http.Header{}, 201, http.Header{"X-Own": {"1"}}},
		"request of a scheme": {overTLS, "POST", origin("https://any.example"), 201, http.Header{
			"Access-Control-Allow-Origin": {"https://any.example"}, "X-Own": {"1"},
		}},
		"request of another scheme": {overTLS, "POST", origin("http://any.example"), 201,
			http.Header{"X-Own": {"1"}}},
		"not configured, the function's own": {nil, "POST", origin("https://shop.example"), 201, fromFunction},
		"not configured, preflight is a route": {nil, "OPTIONS", preflight("https://shop.example"), 404,
			http.Header{"Content-Type": {"application/json"}}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(apigateway.Route{Key: "POST /checkout", Function: answer(
				`{"statusCode":201,"headers":{"access-control-allow-origin":"https://functions.own","x-own":"1"}}`)})
			cfg.CORS = tc.cors
			r := httptest.NewRequest(tc.method, "/checkout", nil)
			r.Header = tc.header
			w := serve(mustNew(t, cfg), r)
			w.Header().Del("Apigw-Requestid")
			if w.Code != tc.status || !maps.EqualFunc(w.Header(), tc.want, slices.Equal) {
				t.Errorf("%s with %v:\n got %d %v\nwant %d %v",
					tc.method, tc.header, w.Code, w.Header(), tc.status, tc.want)
			}
		})
	}
}

func TestPreflightDoesNotReachAFunction(t *testing.T) {
	cfg := config(apigateway.Route{Key: "$default", Function: answer(`{"statusCode":500}`)})
	cfg.CORS = &apigateway.CORS{AllowOrigins: []string{"*"}}
	r := httptest.NewRequest("OPTIONS", "/", nil)
	r.Header = http.Header{"Origin": {"https://shop.example"}, "Access-Control-Request-Method": {"POST"}}
	if w := serve(mustNew(t, cfg), r); w.Code != 204 {
		t.Errorf("got %d %s, want 204", w.Code, w.Body)
	}
}
