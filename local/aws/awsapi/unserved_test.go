package awsapi

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheFirstCallThatNothingServesIsAWarning(t *testing.T) {
	handler, log := newTestHandler()
	for range 2 {
		handler.ServeHTTP(httptest.NewRecorder(), jsonRequest("DynamoDB_20120810.GetItem", `{}`))
		handler.ServeHTTP(httptest.NewRecorder(), jsonRequest("DynamoDB_20120810.PutItem", `{}`))
		handler.ServeHTTP(httptest.NewRecorder(), jsonRequest("plain.Dance", `{}`))
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("got %d lines, want one for DynamoDB and one for Dance:\n%s", len(lines), log)
	}
	for i, want := range [][]string{
		{"level=WARN", "service=dynamodb", "operation=GetItem", "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:"},
		{"level=WARN", "service=plain", "operation=Dance", `options="use one of Greet; or add`},
	} {
		for _, part := range want {
			if !strings.Contains(lines[i], part) {
				t.Errorf("got %s, want %s in it", lines[i], part)
			}
		}
	}
}

func TestAnUnknownServiceAnswersInItsOwnForm(t *testing.T) {
	handler, _ := newTestHandler()
	r := httptest.NewRequest("HEAD", "/bucket/key", nil)
	r.Header.Set("Authorization", strings.Replace(authorization, "/dynamodb/", "/s3/", 1))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	const want = `<Error><Code>NotImplemented</Code><Message>The local run does not serve HEAD /bucket/key: the ` +
		`request is for s3, and the services here are compatible, plain, query.</Message><RequestId>`
	if w.Code != 501 || !strings.HasPrefix(w.Body.String(), want) || w.Header().Get("Content-Type") != "text/xml" {
		t.Errorf("got %d %s\nwant 501 %s", w.Code, w.Body, want)
	}
}

func TestEndpointVariable(t *testing.T) {
	for service, want := range map[string]string{
		"dynamodb": "AWS_ENDPOINT_URL_DYNAMODB", "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
		"states": "AWS_ENDPOINT_URL_SFN", "sqs": "AWS_ENDPOINT_URL_SQS",
	} {
		if got := EndpointVariable(service); got != want {
			t.Errorf("%s: got %s, want %s", service, got, want)
		}
	}
}
