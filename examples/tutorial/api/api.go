// Package api reads requests of the HTTP API and writes its answers, for the functions of the
// exercises.
package api

import (
	"encoding/base64"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
)

// Body returns the body of a request. API Gateway encodes a body in base64 unless its content type
// is text or JSON. curl -d sends another content type.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func Body(r events.APIGatewayV2HTTPRequest) (string, error) {
	if !r.IsBase64Encoded {
		return r.Body, nil
	}
	body, err := base64.StdEncoding.DecodeString(r.Body)
	return string(body), err
}

// Answer returns a response with the body {"message": "…"}.
func Answer(status int, message string) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(map[string]string{"message": message})
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"content-type": "application/json; charset=utf-8"},
		Body:       string(body),
	}, err
}
