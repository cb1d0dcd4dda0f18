package apigateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"restock/local/aws/apigateway"
)

func TestRequestsAboveTheRateAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		throttling *apigateway.Throttling
		// Requests that come at once, after a second without any, and how many of them pass.
		requests, first, second int
	}{
		"the burst, then the rate":    {&apigateway.Throttling{RatePerSecond: 2, Burst: 5}, 10, 5, 2},
		"no more than the burst":      {&apigateway.Throttling{RatePerSecond: 100, Burst: 5}, 10, 5, 5},
		"a rate of 0 lets none pass":  {&apigateway.Throttling{RatePerSecond: 0, Burst: 5}, 3, 0, 0},
		"a burst of 0 lets none pass": {&apigateway.Throttling{RatePerSecond: 5, Burst: 0}, 3, 0, 0},
		"the account's by default":    {nil, 5100, 5000, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := config(apigateway.Route{Key: "GET /", Function: answer(`{"statusCode":204}`)})
				cfg.Throttling = tc.throttling
				api := mustNew(t, cfg)
				for _, want := range []int{tc.first, tc.second} {
					passed := 0
					for range tc.requests {
						w := serve(api, httptest.NewRequest("GET", "/", nil))
						if w.Code == 204 {
							passed++
							continue
						}
						wantFailure(t, w, 429, "Too Many Requests")
					}
					if passed != want {
						t.Errorf("of %d requests passed %d, want %d", tc.requests, passed, want)
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}

// busy is the error of a function without a free instance.
type busy struct{ throttled }

func (busy) Reason() string { return "all 2 instances of shop are busy (setting concurrency.shop)" }

// The log has the reason and the setting of the limit. The client gets the same answer as from AWS.
func TestWhyARequestIsThrottledIsLoggedAndNotAnswered(t *testing.T) {
	full := invokerFunc(
		func(context.Context, []byte) ([]byte, error) { return nil, fmt.Errorf("invoking shop: %w", busy{}) })
	none := apigateway.Throttling{RatePerSecond: 1000, Burst: 0, Setting: "setting throttling.browsing"}
	for name, tc := range map[string]struct {
		throttling *apigateway.Throttling
		status     int
		message    string
		reason     string
		access     string
	}{
		"all instances are busy": {
			nil, 503, "Service Unavailable", busy{}.Reason(),
			`503 invoking the function of "GET /": invoking shop: Rate Exceeded.`,
		},
		"the stage throttles": {
			&none, 429, "Too Many Requests",
			"the stage $default lets 1000 requests a second pass, and 0 at once (setting throttling.browsing)",
			"429 -",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			answered, told := httptest.NewRecorder(), map[string]string{}
			cfg := config(apigateway.Route{Key: "GET /", Function: full})
			cfg.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			cfg.Throttling = tc.throttling
			cfg.AccessLogFormat = "$context.status $context.integrationErrorMessage"
			cfg.Throttled = func(id, reason string) {
				told[id] = reason
				if answered.Flushed || answered.Body.Len() > 0 {
					t.Error("it is told after the answer")
				}
			}
			mustNew(t, cfg).ServeHTTP(answered, httptest.NewRequest("GET", "/", nil))
			wantFailure(t, answered, tc.status, tc.message)
			if got := told[answered.Header().Get("Apigw-Requestid")]; got != tc.reason {
				t.Errorf("told %v, want of the request: %s", told, tc.reason)
			}
			if strings.Contains(answered.Body.String(), "setting") {
				t.Errorf("the answer is %s, which AWS does not say", answered.Body)
			}
			var request, access struct {
				Level, Line string
				Reason      string `json:"throttled"`
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			if len(lines) != 2 || json.Unmarshal([]byte(lines[0]), &request) != nil ||
				json.Unmarshal([]byte(lines[1]), &access) != nil {
				t.Fatalf("got the log %s, want a request and its access line", &log)
			}
			if request.Level != "WARN" || request.Reason != tc.reason {
				t.Errorf("logged %s, want a warning that it was throttled: %s", lines[0], tc.reason)
			}
			if access.Line != tc.access {
				t.Errorf("the access log says %s, want %s", access.Line, tc.access)
			}
		})
	}
}

func TestStageVariablesReachTheFunction(t *testing.T) {
	cfg := config(apigateway.Route{Key: "GET /", Function: echo})
	cfg.StageVariables = map[string]string{"colour": "blue"}
	event := decodeEvent(t, serve(mustNew(t, cfg), httptest.NewRequest("GET", "/", nil)))
	if event.StageVariables["colour"] != "blue" {
		t.Errorf("stage variables: got %v, want colour blue", event.StageVariables)
	}
}

func TestIAMRoutesAskWhoDecides(t *testing.T) {
	cfg := config(
		apigateway.Route{Key: "GET /private", Function: answer(`{"statusCode":204}`),
			Authorization: apigateway.AuthorizationIAM},
		apigateway.Route{Key: "GET /public", Function: answer(`{"statusCode":204}`),
			Authorization: apigateway.AuthorizationNone})
	cfg.Authorize = func(r *http.Request, body []byte, route apigateway.Route) error {
		if r.Header.Get("Authorization") == "" {
			return errors.New("it is not signed")
		}
		if string(body) != "{}" {
			t.Errorf("asked about a request with the body %q, want {}", body)
		}
		if route.Key != "GET /private" {
			t.Errorf("asked about %q, want GET /private", route.Key)
		}
		return nil
	}
	api := mustNew(t, cfg)
	wantFailure(t, serve(api, httptest.NewRequest("GET", "/private", nil)), 403, "Forbidden")

	signed := httptest.NewRequest("GET", "/private", strings.NewReader("{}"))
	signed.Header.Set("Authorization", "AWS4-HMAC-SHA256 …")
	for _, r := range []*http.Request{signed, httptest.NewRequest("GET", "/public", nil)} {
		if w := serve(api, r); w.Code != 204 {
			t.Errorf("%s: got %d, want 204", r.URL, w.Code)
		}
	}
}

func TestAccessLogFollowsItsFormat(t *testing.T) {
	routes := []apigateway.Route{
		{Key: "GET /products/{sku}", Function: answer(`{"statusCode":404,"body":"none"}`)},
		{Key: "GET /oops", Function: answer(`oops`)},
		{Key: "GET /private", Function: answer(`{}`), Authorization: apigateway.AuthorizationIAM},
	}
	for _, tc := range []struct{ format, path, want string }{
		{`$context.identity.sourceIp [$context.requestTime] "$context.httpMethod $context.routeKey ` +
			`$context.protocol" $context.status $context.responseLength`,
			"/products/1", `192.0.2.1 [01/Jan/2000:00:00:00 +0000] "GET GET /products/{sku} HTTP/1.1" 404 4`},
		{`{"ip":"$context.identity.sourceIp","path":"$context.path","n":$context.integration.status,"l":` +
			`"$context.integrationStatus"}`,
			"/products/1", `{"ip":"192.0.2.1","path":"/products/1","n":404,"l":"200"}`},
		{`$context.stage/$context.apiId/$context.accountId/$context.domainName/$context.domainPrefix/` +
			`$context.requestTimeEpoch`,
			"/oops", `$default/a1b2c3d4e5/123456789012/a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/` +
				`a1b2c3d4e5/946684800`},
		{`$context.routeKey $context.error.message $context.error.messageString $context.integration.status`,
			"/none", `- Not Found "Not Found" -`},
		{`$context.integrationErrorMessage`, "/oops", `the function's answer is not JSON: "oops"`},
		{`$context.status $context.authorizer.error $context.integrationErrorMessage`, "/private",
			`403 authorizing the request: it is not signed -`},
		{`$context.unknown $context.authorizer.claims.sub $context.awsEndpointRequestId. $contextual`, "/oops",
			`- - -. $contextual`},
	} {
		synctest.Test(t, func(t *testing.T) { // its clock starts at 2000-01-01 00:00:00 UTC
			var log bytes.Buffer
			cfg := config(routes...)
			cfg.AccessLogFormat = tc.format
			cfg.Authorize = func(*http.Request, []byte,
				apigateway.Route) error {
				return errors.New("it is not signed")
			}
			cfg.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			serve(mustNew(t, cfg), httptest.NewRequest("GET", tc.path, nil))
			var got string
			for line := range strings.Lines(log.String()) {
				var record struct{ Level, Msg, Line string }
				if err := json.Unmarshal([]byte(line), &record); err != nil {
					t.Fatal(err)
				}
				if record.Msg == "access" && record.Level == "DEBUG" {
					got = record.Line
				}
			}
			if got != tc.want {
				t.Errorf("format %s:\n got %s\nwant %s", tc.format, got, tc.want)
			}
		})
	}
}

func TestAccessLogNamesTheRequest(t *testing.T) {
	var log bytes.Buffer
	cfg := config(apigateway.Route{Key: "GET /", Function: answer(`{"statusCode":204}`)})
	cfg.AccessLogFormat = "$context.requestId $context.extendedRequestId"
	cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	id := serve(mustNew(t, cfg), httptest.NewRequest("GET", "/", nil)).Header().Get("Apigw-Requestid")
	if want := id + " " + id; !strings.Contains(log.String(), want) {
		t.Errorf("got %s, want a line with %s", &log, want)
	}
}

func TestInventedMethodsAreWarnedOfOnce(t *testing.T) {
	var log bytes.Buffer
	cfg := config(apigateway.Route{Key: "GET /products/{sku}", Function: answer(`{}`)})
	cfg.Log = slog.New(slog.NewJSONHandler(&log, nil))
	api := mustNew(t, cfg)
	for i := range 100 {
		wantFailure(t, serve(api, httptest.NewRequest(fmt.Sprintf("INVENTED%d", i), "/products/x",
			nil)), 404, "Not Found")
		wantFailure(t, serve(api, httptest.NewRequest("POST", "/products/x", nil)), 404, "Not Found")
	}
	if got := strings.Count(log.String(), "no route for the method"); got != 2 {
		t.Errorf("100 invented methods and 100 times POST: got %d warnings, want 2", got)
	}
}

func TestWhyNothingIsFoundIsLogged(t *testing.T) {
	for _, c := range []struct{ stage, path, want string }{
		{"$default", "/none", "the stage $default has no route for GET /none"},
		{"v1", "/ok", "the stage v1 serves paths below /v1 only"},
		{"v1", "/v1/none", "the stage v1 has no route for GET /none"},
		{"v1", "/v1/ok", ""},
	} {
		var log bytes.Buffer
		cfg := config(apigateway.Route{Key: "GET /ok", Function: answer(`{"statusCode":200}`)})
		cfg.Stage, cfg.DeclaredIn = c.stage, "api.go:7"
		cfg.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w := serve(mustNew(t, cfg), httptest.NewRequest("GET", c.path, nil))
		var record map[string]any
		if err := json.Unmarshal(log.Bytes(), &record); err != nil {
			t.Fatalf("log %q is not one record: %v", &log, err)
		}
		place, _ := record["declared_in"].(string)
		if got, _ := record["not_found"].(string); got != c.want || (place == "api.go:7") != (w.Code == 404) {
			t.Errorf("GET %s of stage %s: got status %d, reason %q and place %q, want %q", c.path, c.stage, w.Code, got,
				place, c.want)
		}
	}
}
