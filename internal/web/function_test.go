package web_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"restock/internal/web"
)

func TestTheHarmlessEventReachesNoRoute(t *testing.T) {
	routes, handlers := []string{"GET /", "GET /{a}", "GET /{a}/{b}", "POST /"}, map[string]http.HandlerFunc{}
	for _, route := range routes {
		handlers[route] = func(http.ResponseWriter, *http.Request) { t.Errorf("the event reached %s", route) }
	}
	router, err := web.Router(routes, handlers)
	if err != nil {
		t.Fatal(err)
	}
	function := web.Lambda(router)
	out, err := lambda.NewHandler(function).Invoke(t.Context(), function.HarmlessEvent())
	if err != nil {
		t.Fatal(err)
	}
	var answer events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(out, &answer); err != nil || answer.StatusCode != http.StatusNotFound {
		t.Errorf("the answer is %s, %v; want status 404", out, err)
	}
}
