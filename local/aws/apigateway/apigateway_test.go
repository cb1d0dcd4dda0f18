package apigateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"restock/local/aws/apigateway"
)

// invokerFunc is a function that a test writes inline.
type invokerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f invokerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// answer returns a function with a fixed answer.
func answer(output string) apigateway.Invoker {
	return invokerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(output), nil })
}

// echo is a function that answers with its event.
var echo = invokerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
	return json.Marshal(map[string]any{"statusCode": 200, "body": string(payload)})
})

func config(routes ...apigateway.Route) apigateway.Config {
	return apigateway.Config{
		APIID: "a1b2c3d4e5", Stage: apigateway.DefaultStage, Region: "ap-northeast-2", AccountID: "123456789012",
		Routes: routes,
	}
}

func mustNew(t *testing.T, cfg apigateway.Config) *apigateway.API {
	t.Helper()
	api, err := apigateway.New(cfg)
	if err != nil {
		t.Fatalf("New(%+v): %v", cfg, err)
	}
	t.Cleanup(api.Close)
	return api
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// decodeEvent decodes the event that echo returned.
func decodeEvent(t *testing.T, w *httptest.ResponseRecorder) events.APIGatewayV2HTTPRequest {
	t.Helper()
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(w.Body.Bytes(), &event); err != nil {
		t.Fatalf("status %d, body %q is not an event: %v", w.Code, w.Body, err)
	}
	return event
}

func wantFailure(t *testing.T, w *httptest.ResponseRecorder, status int, message string) {
	t.Helper()
	want := fmt.Sprintf(`{"message":%q}`, message)
	if w.Code != status || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answer: got %d %s %s, want %d application/json %s",
			w.Code, w.Header().Get("Content-Type"), w.Body, status, want)
	}
}

type throttled struct{}

func (throttled) Error() string   { return "Rate Exceeded." }
func (throttled) Throttled() bool { return true }

func TestFunctionFailureIsToldWithoutDetails(t *testing.T) {
	failing := func(err error) apigateway.Invoker {
		return invokerFunc(func(context.Context, []byte) ([]byte, error) { return nil, err })
	}
	for name, tc := range map[string]struct {
		function apigateway.Invoker
		status   int
		message  string
	}{
		"error":             {failing(errors.New("secret detail")), 500, "Internal Server Error"},
		"throttled":         {failing(fmt.Errorf("invoking sales-api: %w", throttled{})), 503, "Service Unavailable"},
		"not JSON":          {answer(`oops`), 500, "Internal Server Error"},
		"nothing":           {answer(``), 500, "Internal Server Error"},
		"status 0":          {answer(`{"statusCode":0}`), 500, "Internal Server Error"},
		"status 600":        {answer(`{"statusCode":600}`), 500, "Internal Server Error"},
		"status is text":    {answer(`{"statusCode":"fine"}`), 500, "Internal Server Error"},
		"body is an object": {answer(`{"statusCode":200,"body":{}}`), 500, "Internal Server Error"},
		"body is not base64": {answer(`{"statusCode":200,"isBase64Encoded":true,"body":"%"}`), 500,
			"Internal Server Error"},
	} {
		t.Run(name, func(t *testing.T) {
			api := mustNew(t, config(apigateway.Route{Key: "GET /", Function: tc.function}))
			wantFailure(t, serve(api, httptest.NewRequest("GET", "/", nil)), tc.status, tc.message)
		})
	}
}

func TestBodyAboveThePayloadLimitIsRefused(t *testing.T) {
	var got int
	api := mustNew(t, config(apigateway.Route{Key: "POST /", Function: invokerFunc(
		func(_ context.Context, payload []byte) ([]byte, error) {
			var event events.APIGatewayV2HTTPRequest
			if err := json.Unmarshal(payload, &event); err != nil {
				return nil, err
			}
			got = len(event.Body)
			return []byte(`{"statusCode":204}`), nil
		})}))
	post := func(size int) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(bytes.Repeat([]byte("x"), size)))
		r.Header.Set("Content-Type", "text/plain")
		return serve(api, r)
	}

	for _, size := range []int{apigateway.MaxPayload + 1, apigateway.MaxPayload, apigateway.MaxEvent} {
		wantFailure(t, post(size), 413, "Request Entity Too Large")
	}
	if got != 0 {
		t.Errorf("the function was invoked for a body above the limit")
	}
	const fits = apigateway.MaxEvent - 4<<10 // the rest of the event is smaller
	if w := post(fits); w.Code != 204 || got != fits {
		t.Errorf("body of %d bytes: got status %d, %d bytes in the event, want 204 and all of them", fits, w.Code, got)
	}
}

func TestHeadersAboveTheLimitAreRefused(t *testing.T) {
	api := mustNew(t, config(apigateway.Route{Key: "GET /{path+}", Function: answer(`{"statusCode":204}`)}))
	const line = len("GET /a HTTP/1.1")
	for _, tc := range []struct {
		path   string
		values []int // lengths of the headers' values
		status int
	}{
		{"/a", []int{apigateway.MaxHeader - line - len("example.com")}, 204},
		{"/a", []int{apigateway.MaxHeader - line - len("example.com") + 1}, 431},
		{"/a", []int{6000, 6000}, 431},
		{"/" + strings.Repeat("a", 10_300), nil, 431},
	} {
		r := httptest.NewRequest("GET", tc.path, nil)
		for _, length := range tc.values {
			r.Header.Add("X-Long", strings.Repeat("x", length))
		}
		w := serve(api, r)
		if tc.status == 431 {
			wantFailure(t, w, 431, "Request Header Fields Too Large")
		} else if w.Code != tc.status {
			t.Errorf("path of %d bytes with headers of %v: got %d, want %d", len(tc.path), tc.values, w.Code, tc.status)
		}
	}
}

func TestTimeoutAnswers503AndTheFunctionRunsOn(t *testing.T) {
	for _, tc := range []struct{ declared, want time.Duration }{
		{0, 30 * time.Second},
		{5 * time.Second, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var ended error
			finished := false
			api := mustNew(t, config(apigateway.Route{Key: "GET /", Timeout: tc.declared, Function: invokerFunc(
				func(ctx context.Context, _ []byte) ([]byte, error) {
					time.Sleep(time.Minute)
					ended, finished = ctx.Err(), true
					return []byte(`{}`), nil
				})}))

			start := time.Now()
			w := serve(api, httptest.NewRequest("GET", "/", nil))
			wantFailure(t, w, 503, "Service Unavailable")
			if took := time.Since(start); took != tc.want {
				t.Errorf("timeout %v: answered after %v, want %v", tc.declared, took, tc.want)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if !finished || ended != nil {
				t.Errorf("after the timeout: function finished %v with context error %v, want true and none",
					finished, ended)
			}
		})
	}
}

func TestClientThatGoesAwayDoesNotEndTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		api := mustNew(t, config(apigateway.Route{Key: "POST /", Function: invokerFunc(
			func(ctx context.Context, _ []byte) ([]byte, error) {
				time.Sleep(10 * time.Second)
				ended = ctx.Err()
				return []byte(`{"statusCode":201}`), nil
			})}))

		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		w := serve(api, httptest.NewRequestWithContext(ctx, "POST", "/", nil))
		if w.Code != 201 || ended != nil {
			t.Errorf("client gone: got status %d, function's context %v, want 201 and alive", w.Code, ended)
		}
	})
}

func TestCloseEndsInvocationsAndRefusesMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		api := mustNew(t, config(apigateway.Route{Key: "GET /", Timeout: time.Second, Function: invokerFunc(
			func(ctx context.Context, _ []byte) ([]byte, error) {
				running.Add(1)
				defer running.Add(-1)
				<-ctx.Done()
				return nil, ctx.Err()
			})}))
		serve(api, httptest.NewRequest("GET", "/", nil)) // it times out, and the function continues
		if got := running.Load(); got != 1 {
			t.Fatalf("before Close: %d invocations in flight, want 1", got)
		}
		api.Close()
		if got := running.Load(); got != 0 {
			t.Errorf("after Close: %d invocations in flight, want 0", got)
		}
		wantFailure(t, serve(api, httptest.NewRequest("GET", "/", nil)), 503, "Service Unavailable")
	})
}

func TestOneLogRecordPerRequest(t *testing.T) {
	routes := []apigateway.Route{
		{Key: "GET /ok", Function: answer(`{"statusCode":200}`)},
		{Key: "POST /ok", Function: answer(`{"statusCode":200}`)},
		{Key: "GET /oops", Function: answer(`oops`)},
		{Key: "GET /v1", Function: answer(`{"statusCode":200,"multiValueHeaders":{"Vary":["a","b"]}}`)},
	}
	for _, tc := range []struct {
		method, path, level, route, err string
		status                          float64
	}{
		{"GET", "/ok", "DEBUG", "GET /ok", "", 200},
		{"POST", "/ok", "INFO", "POST /ok", "", 200},
		{"GET", "/none", "INFO", "", "", 404},
		{"GET", "/oops", "WARN", "GET /oops", "not JSON", 500},
		{"GET", "/v1", "WARN", "GET /v1", "multiValueHeaders", 200},
	} {
		t.Run(tc.method+tc.path, func(t *testing.T) {
			var log bytes.Buffer
			cfg := config(routes...)
			cfg.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			w := serve(mustNew(t, cfg), httptest.NewRequest(tc.method, tc.path, nil))

			var record map[string]any
			if err := json.Unmarshal(log.Bytes(), &record); err != nil {
				t.Fatalf("log %q is not one record: %v", &log, err)
			}
			for name, want := range map[string]any{
				"msg": "api request", "level": tc.level, "method": tc.method, "path": tc.path,
				"route": tc.route, "status": tc.status, "request_id": w.Header().Get("Apigw-Requestid"),
			} {
				if record[name] != want {
					t.Errorf("%s: got %v, want %v", name, record[name], want)
				}
			}
			if _, ok := record["duration"]; !ok {
				t.Error("the record has no duration")
			}
			got, _ := record["error"].(string)
			if (got == "") != (tc.err == "") || !strings.Contains(got, tc.err) {
				t.Errorf("error: got %q, want one that mentions %q", got, tc.err)
			}
		})
	}
}

func TestServesOverHTTP(t *testing.T) {
	srv := httptest.NewServer(mustNew(t, config(apigateway.Route{Key: "POST /checkout", Function: echo})))
	defer srv.Close()

	res, err := http.Post(srv.URL+"/checkout", "application/json", strings.NewReader(`{"sku":"CP-502101"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(body, &event); err != nil {
		t.Fatalf("answer %q: %v", body, err)
	}
	if event.Body != `{"sku":"CP-502101"}` || event.RequestContext.HTTP.SourceIP != "127.0.0.1" ||
		"http://"+event.Headers["host"] != srv.URL {
		t.Errorf("event: got body %q from %q to host %q", event.Body, event.RequestContext.HTTP.SourceIP,
			event.Headers["host"])
	}
}
