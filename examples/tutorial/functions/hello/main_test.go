package main

import (
	"encoding/base64"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestHelloAnswersWithTheNextNumber(t *testing.T) {
	const (
		answer  = `{"message":"메시지를 받았습니다. 입력값: 1, 결과: 2"}`
		refusal = `{"message":"input 값이 정수가 아닙니다. 이렇게 보내세요: {\"input\": 1}"}`
	)
	encoded := base64.StdEncoding.EncodeToString([]byte(`{"input": 1}`))
	for _, c := range []struct {
		name    string
		request events.APIGatewayV2HTTPRequest
		status  int
		body    string
	}{
		{"a number", events.APIGatewayV2HTTPRequest{Body: `{"input": 1}`}, 200, answer},
		{"a number in base64", events.APIGatewayV2HTTPRequest{Body: encoded, IsBase64Encoded: true}, 200, answer},
		{"a text", events.APIGatewayV2HTTPRequest{Body: `{"input": "one"}`}, 400, refusal},
		{"an empty body", events.APIGatewayV2HTTPRequest{}, 400, refusal},
		{"invalid base64", events.APIGatewayV2HTTPRequest{Body: "?", IsBase64Encoded: true}, 400,
			`{"message":"illegal base64 data at input byte 0"}`},
	} {
		got, err := handle(t.Context(), c.request)
		if err != nil || got.StatusCode != c.status || got.Body != c.body {
			t.Errorf("%s: got %d %s, %v; want %d %s", c.name, got.StatusCode, got.Body, err, c.status, c.body)
		}
	}
}
