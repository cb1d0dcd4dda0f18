// Command hello answers a request that contains a number with the next number.
package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"restock/examples/tutorial/api"
	"restock/examples/tutorial/input"
)

func main() { lambda.Start(handle) }

func handle(_ context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	body, err := api.Body(r)
	if err != nil {
		return api.Answer(http.StatusBadRequest, err.Error())
	}
	message, err := input.Answer(body)
	if err != nil {
		return api.Answer(http.StatusBadRequest, err.Error())
	}
	return api.Answer(http.StatusOK, message)
}
