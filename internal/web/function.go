package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"restock/internal/shop"
)

// answerMargin is how long before its deadline a function gives up what it waits for, so that the client is told.
const answerMargin = 500 * time.Millisecond

// Lambda makes a handler of the events of an HTTP API (payload format 2.0), for lambda.Start.
func Lambda(h http.Handler) any {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerMargin))
			defer cancel()
		}
		ctx = shop.WithCorrelation(ctx, event.RequestContext.RequestID) // which the API's access log has, too
		request, err := newRequest(ctx, event)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("reading the event of %s %q: %w", event.RequestContext.HTTP.Method, event.RawPath, err)
		}
		answer := core.NewProxyResponseWriterV2()
		h.ServeHTTP(answer, request)
		return answer.GetProxyResponse()
	}
}

// accessor turns events into requests. It keeps nothing between them.
var accessor core.RequestAccessorV2

// newRequest is the event's request, with what the library does not do: an HTTP API hands the path over decoded, and the
// library parses it as if it were not; and it cuts most headers at their commas.
func newRequest(ctx context.Context, event events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	event.RawPath = (&url.URL{Path: event.RawPath}).EscapedPath()
	request, err := accessor.EventToRequestWithContext(ctx, event)
	if err != nil {
		return nil, err
	}
	for name, value := range event.Headers {
		request.Header.Set(name, value)
	}
	return request, nil
}
