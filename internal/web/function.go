package web

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

// answerMargin is how long before its deadline a function gives up what it waits for, so that the client is told.
const answerMargin = 500 * time.Millisecond

// Lambda makes a handler of the events of an HTTP API (payload format 2.0), for lambda.Start.
func Lambda(h http.Handler) any {
	adapter := httpadapter.NewV2(h)
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerMargin))
			defer cancel()
		}
		return adapter.ProxyWithContext(ctx, event)
	}
}
