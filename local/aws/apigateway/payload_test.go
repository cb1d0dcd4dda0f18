package apigateway_test

import (
	"maps"
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

func TestEventCarriesTheRequestInFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock starts at 2000-01-01 00:00:00 UTC
		api := mustNew(t, config(apigateway.Route{Key: "POST /products/{sku}", Function: echo}))
		r := httptest.NewRequest("POST", "/products/%EB%8F%84%EB%84%88%EC%B8%A0?tag=a&tag=b&q=x%20y&empty=",
			strings.NewReader(`{"n":1}`))
		r.Host = "127.0.0.1:8080"
		r.RemoteAddr = "192.0.2.7:51234"
		r.Header = http.Header{
			"Content-Type":    {"application/json; charset=utf-8"},
			"User-Agent":      {"agent/1.0"},
			"X-Many":          {"1", "2"},
			"Cookie":          {"a=1; b=2", "c=3"},
			"Connection":      {"keep-alive"},
			"X-Forwarded-For": {"198.51.100.1"},
			"X-Amzn-Trace-Id": {"Root=1-67891233-abcdef012345678912345678"},
		}
		w := serve(api, r)
		got := decodeEvent(t, w)

		requestID := w.Header().Get("Apigw-Requestid")
		if requestID == "" {
			t.Error("the answer has no apigw-requestid")
		}
		want := events.APIGatewayV2HTTPRequest{
			Version:        "2.0",
			RouteKey:       "POST /products/{sku}",
			RawPath:        "/products/도너츠",
			RawQueryString: "tag=a&tag=b&q=x%20y&empty=",
			Cookies:        []string{"a=1", "b=2", "c=3"},
			Headers: map[string]string{
				"content-length":    "7",
				"content-type":      "application/json; charset=utf-8",
				"host":              "127.0.0.1:8080",
				"user-agent":        "agent/1.0",
				"x-amzn-trace-id":   "Root=1-67891233-abcdef012345678912345678",
				"x-forwarded-for":   "198.51.100.1, 192.0.2.7",
				"x-forwarded-port":  "8080",
				"x-forwarded-proto": "http",
				"x-many":            "1,2",
			},
			QueryStringParameters: map[string]string{"tag": "a,b", "q": "x y", "empty": ""},
			PathParameters:        map[string]string{"sku": "도너츠"},
			RequestContext: events.APIGatewayV2HTTPRequestContext{
				RouteKey:     "POST /products/{sku}",
				AccountID:    "123456789012",
				Stage:        "$default",
				RequestID:    requestID,
				APIID:        "a1b2c3d4e5",
				DomainName:   "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com",
				DomainPrefix: "a1b2c3d4e5",
				Time:         "01/Jan/2000:00:00:00 +0000",
				TimeEpoch:    946684800000,
				HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
					Method: "POST", Path: "/products/도너츠", Protocol: "HTTP/1.1",
					SourceIP: "192.0.2.7", UserAgent: "agent/1.0",
				},
			},
			Body: `{"n":1}`,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("event:\n got %+v\nwant %+v", got, want)
		}
	})
}

func TestQueryParametersAreDecodedAndNoneIsLost(t *testing.T) {
	api := mustNew(t, config(apigateway.Route{Key: "GET /", Function: echo}))
	for query, want := range map[string]map[string]string{
		"a=1;b=2":           {"a": "1;b=2"},
		"a=%zz&b=1":         {"a": "%zz", "b": "1"},
		"a=%e2%82%ac%2&b=1": {"a": "€%2", "b": "1"},
		"a+b=c+d&%26=%3d":   {"a b": "c d", "&": "="},
		"a&&b=":             {"a": "", "b": ""},
		"":                  nil,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		event := decodeEvent(t, serve(api, r))
		if !maps.Equal(event.QueryStringParameters, want) || event.RawQueryString != query {
			t.Errorf("%q: got %q and the raw string %q, want %q", query, event.QueryStringParameters,
				event.RawQueryString, want)
		}
	}
}

// Only requests with mutual TLS have requestContext.authentication.
func TestRequestContextHasNoAuthenticationWithoutACertificate(t *testing.T) {
	api := mustNew(t, config(apigateway.Route{Key: "GET /", Function: echo}))
	body := serve(api, httptest.NewRequest("GET", "/", nil)).Body.String()
	if !strings.Contains(body, `"requestContext":{`) || strings.Contains(body, "authentication") {
		t.Errorf("the event has an authentication: %s", body)
	}
}

func TestBodyIsTextOrBase64ByItsType(t *testing.T) {
	for _, tc := range []struct {
		contentType, body string
		want              string
		isBase64          bool
	}{
		{"application/json", `{"sku":"도너츠"}`, `{"sku":"도너츠"}`, false},
		{"application/json; charset=utf-8", `{}`, `{}`, false},
		{"Application/JSON", `{}`, `{}`, false},
		{"text/plain", "hi", "hi", false},
		{"text/html; charset", "hi", "hi", false},
		{"application/xml", "<a/>", "<a/>", false},
		{"application/javascript", "f()", "f()", false},
		{"application/x-www-form-urlencoded", "a=1", "YT0x", true},
		{"application/octet-stream", "\x00\x01", "AAE=", true},
		{"image/png", "\x89PNG", "iVBORw==", true},
		{"", "hi", "aGk=", true},
		{"application/json", "\x1f\x8b", "H4s=", true}, // compressed
		{"", "", "", false},
	} {
		api := mustNew(t, config(apigateway.Route{Key: "POST /", Function: echo}))
		r := httptest.NewRequest("POST", "/", strings.NewReader(tc.body))
		if tc.contentType != "" {
			r.Header.Set("Content-Type", tc.contentType)
		}
		event := decodeEvent(t, serve(api, r))
		if event.Body != tc.want || event.IsBase64Encoded != tc.isBase64 {
			t.Errorf("%q of type %q: got %q, base64 %v, want %q, base64 %v",
				tc.body, tc.contentType, event.Body, event.IsBase64Encoded, tc.want, tc.isBase64)
		}
	}
}

func TestAnswerOfTheFunctionReachesTheClient(t *testing.T) {
	const text = "text/plain; charset=utf-8"
	for name, tc := range map[string]struct {
		output string
		status int
		header http.Header
		body   string
	}{
		"format 2.0": {
			`{"statusCode":409,"headers":{"content-type":"application/json","retry-after":"1"},"body":"{\"stock\":0}"}`,
			409, http.Header{"Content-Type": {"application/json"}, "Retry-After": {"1"}}, `{"stock":0}`,
		},
		"cookies": {
			`{"statusCode":200,"cookies":["a=1; HttpOnly","b=2"],"body":"x"}`,
			200, http.Header{"Content-Type": {text}, "Set-Cookie": {"a=1; HttpOnly", "b=2"}}, "x",
		},
		"base64": {
			`{"statusCode":200,"headers":{"Content-Type":"image/png"},"isBase64Encoded":true,"body":"iVBORw=="}`,
			200, http.Header{"Content-Type": {"image/png"}}, "\x89PNG",
		},
		"multiValueHeaders are ignored": {
			`{"statusCode":200,"headers":{"x-a":"1"},"multiValueHeaders":{"x-a":["2","3"],"x-b":["4"]},"body":"x"}`,
			200, http.Header{"Content-Type": {text}, "X-A": {"1"}}, "x",
		},
		"connection headers are not the function's": {
			`{"statusCode":200,"headers":{"content-length":"99","connection":"close","transfer-encoding":"chunked"},` +
				`"body":"x"}`,
			200, http.Header{"Content-Type": {text}}, "x",
		},
		"nothing but a status": {`{"statusCode":304}`, 304, http.Header{}, ""},
		"null fields, as Go writes": {`{"statusCode":204,"headers":null,"multiValueHeaders":null,"body":"","cookies":` +
			`null}`, 204, http.Header{}, ""},
		"names of fields are case-sensitive": {
			`{"statusCode":200,"BODY":"shout","Headers":{"x-a":"1"},"body":"x","Body":"X"}`,
			200, http.Header{"Content-Type": {text}}, "x",
		},
		"inferred from an object": {`{ "message": "hi" }`, 200, http.Header{"Content-Type": {"application/json"}},
			`{ "message": "hi" }`},
		"inferred from a string": {`"Hello from Lambda!"`, 200, http.Header{"Content-Type": {"application/json"}},
			`Hello from Lambda!`},
		"inferred from an array": {`[{"statusCode":500}]`, 200, http.Header{"Content-Type": {"application/json"}},
			`[{"statusCode":500}]`},
		"inferred from null": {`null`, 200, http.Header{"Content-Type": {"application/json"}}, `null`},
	} {
		t.Run(name, func(t *testing.T) {
			api := mustNew(t, config(apigateway.Route{Key: "GET /", Function: answer(tc.output)}))
			w := serve(api, httptest.NewRequest("GET", "/", nil))
			w.Header().Del("Apigw-Requestid")
			if w.Code != tc.status || w.Body.String() != tc.body ||
				!maps.EqualFunc(w.Header(), tc.header, slices.Equal) {
				t.Errorf("%s:\n got %d %v %q\nwant %d %v %q", tc.output, w.Code, w.Header(), w.Body, tc.status,
					tc.header, tc.body)
			}
		})
	}
}
