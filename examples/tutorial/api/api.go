// Package api is how the exercises read the HTTP API's requests, and how they answer.
package api

import (
	"encoding/base64"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
)

// Body is a request's body. API Gateway hands over in base64 what the client does not call text or JSON, and curl -d calls nothing so:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func Body(r events.APIGatewayV2HTTPRequest) (string, error) {
	if !r.IsBase64Encoded {
		return r.Body, nil
	}
	body, err := base64.StdEncoding.DecodeString(r.Body)
	return string(body), err
}

// Answer is {"message": "…"}.
func Answer(status int, message string) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(map[string]string{"message": message})
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"content-type": "application/json; charset=utf-8"},
		Body:       string(body),
	}, err
}
