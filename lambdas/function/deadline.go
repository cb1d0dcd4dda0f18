package function

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// reportMargin is the time that a function reserves for its answer. A function stops waiting this
// long before its deadline: Lambda ends a function at the deadline, and then neither the caller nor
// the log learns what failed.
const reportMargin = 500 * time.Millisecond

// InTime returns a context that ends reportMargin before the invocation's deadline.
func InTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-reportMargin))
}

// inTime calls a handler with the context of InTime.
type inTime struct{ lambda.Handler }

func (h inTime) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := InTime(ctx)
	defer cancel()
	return h.Handler.Invoke(ctx, payload)
}
