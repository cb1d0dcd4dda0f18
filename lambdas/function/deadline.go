package function

import (
	"context"
	"time"
)

// reportMargin is how long before its deadline a function gives up what it waits for: to say what has failed, and not to be ended in the
// middle of it.
const reportMargin = 500 * time.Millisecond

// InTime is a context that ends a little before the invocation's deadline.
func InTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-reportMargin))
}
