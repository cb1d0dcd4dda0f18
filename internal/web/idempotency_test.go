package web_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"restock/internal/web"
	"restock/internal/web/webtest"
	"restock/local/aws/apigateway"
)

// keyEcho answers with the request's idempotency key.
var keyEcho = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	key, err := web.IdempotencyKey(r)
	if err != nil {
		web.Fail(w, r, slog.New(slog.DiscardHandler), err)
		return
	}
	web.Answer(w, http.StatusOK, map[string]string{"key": key})
})

func TestIdempotencyKeyIsOneKeyOrNone(t *testing.T) {
	const uuid = "0188d6a8-f000-7000-8000-00000000cb01"
	gateway, err := apigateway.New(apigateway.Config{
		APIID: "abc123", Stage: apigateway.DefaultStage, Region: "ap-northeast-2", AccountID: "123456789012",
		Routes: []apigateway.Route{{Key: "$default", Function: function{lambda.NewHandler(web.Lambda(keyEcho))}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Close()

	for _, c := range []struct {
		name string
		sent []string // one value for each header
		key  string
		says string // in the error's detail; empty: no error
	}{
		{"no header", nil, "", ""},
		{"a UUID", []string{uuid}, uuid, ""},
		{"a text", []string{"one click"}, "one click", ""},
		{"blanks around it, which are not part of the value", []string{"\t one click "}, "one click", ""},

		{"empty", []string{""}, "", "the header is blank"},
		{"blank", []string{" \t "}, "", "the header is blank"},
		{"the same key twice", []string{"Z1", "Z1"}, "", `"Z1,Z1" is more than one key`},
		{"two keys", []string{"Z1", "Z2"}, "", `"Z1,Z2" is more than one key`},
		{"a key and a blank", []string{"Z1", ""}, "", `"Z1," is more than one key`},
		{"two blanks", []string{"", ""}, "", `"," is more than one key`},
		{"joined by a proxy", []string{"Z1,Z1"}, "", `"Z1,Z1" is more than one key`},
		{"joined with a blank", []string{"Z1, Z1"}, "", `"Z1, Z1" is more than one key`},
		{"a comma at its end", []string{"Z1,"}, "", `"Z1," is more than one key`},
	} {
		check := func(way string, status int, body string) {
			t.Helper()
			var got struct{ Key, Code, Detail string }
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("%s, %s: the answer is %q: %v", c.name, way, body, err)
			}
			if c.says == "" {
				if status != http.StatusOK || got.Key != c.key {
					t.Errorf("%s %q, %s: got %d %s, want the key %q", c.name, c.sent, way, status, body, c.key)
				}
				return
			}
			if status != http.StatusBadRequest || got.Code != "invalid_idempotency_key" ||
				!strings.Contains(got.Detail, c.says) || !strings.Contains(got.Detail, "a new UUID") {
				t.Errorf("%s %q, %s: got %d %s, want 400 invalid_idempotency_key with %q and an advice",
					c.name, c.sent, way, status, body, c.says)
			}
		}

		// API Gateway joins repeated headers with commas:
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
		header := map[string]string{}
		if c.sent != nil {
			header["idempotency-key"] = strings.Join(c.sent, ",")
		}
		event := webtest.Do(t, keyEcho, webtest.Request{Method: "POST", Path: "/key", Header: header})
		check("in an event", event.Status, event.Body)

		request := httptest.NewRequest(http.MethodPost, "/key", nil)
		for _, value := range c.sent {
			request.Header.Add("Idempotency-Key", value)
		}
		direct, behindGateway := httptest.NewRecorder(), httptest.NewRecorder()
		keyEcho.ServeHTTP(direct, request)
		check("in a request", direct.Code, direct.Body.String())
		gateway.ServeHTTP(behindGateway, request)
		check("through the local API gateway", behindGateway.Code, behindGateway.Body.String())
	}
}

// API Gateway sends lower-case names only, but another sender's event may have both spellings. The
// handler must not take the first one that it finds: the order of a map is random.
func TestHeadersThatDifferInCaseAreTwoKeys(t *testing.T) {
	var event events.APIGatewayV2HTTPRequest
	event.RawPath, event.RequestContext.HTTP.Method = "/checkout", http.MethodPost
	event.Headers = map[string]string{"idempotency-key": "Z1", "Idempotency-Key": "Z1"}
	payload, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	out, err := lambda.NewHandler(web.Lambda(keyEcho)).Invoke(context.Background(), payload)
	if err != nil || !strings.Contains(string(out), "invalid_idempotency_key") {
		t.Errorf("got %s, %v; want invalid_idempotency_key", out, err)
	}
}
