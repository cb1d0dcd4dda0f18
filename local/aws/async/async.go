// Package async invokes functions asynchronously, as Lambda does for services that do not wait for
// an answer, such as EventBridge and SNS.
package async

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"restock/local/aws/awsapi"
	"restock/local/aws/lambda"
	"restock/local/view/events"
)

// How Lambda retries an asynchronous invocation without further configuration. After an error of
// the function it retries twice, after one minute and after two more. After a throttle it retries
// until the event is too old, first after a second, then after longer and longer waits. Then it
// drops the event, because the function has no destination and no dead-letter queue.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	maxRetryAttempts  = 2
	maxEventAge       = 6 * time.Hour
	firstThrottleWait = time.Second
	maxThrottleWait   = 5 * time.Minute
)

// An Invoker invokes a function once. If its error has a method Throttled() bool that returns true,
// there was no capacity. If it has a method AccessDenied() bool that returns true, a permission is
// missing.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// An Invocation is an asynchronous invocation of a function.
type Invocation struct {
	What         string // for the log, such as "scheduled invocation"
	Function     Invoker
	Event        []byte
	Done, Failed events.Kind // of the log's records
	Log          *slog.Logger
}

// isRefused reports a missing permission. A retry would fail too, so the services drop such an
// event at once.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func isRefused(err error) bool {
	var r interface{ AccessDenied() bool }
	return errors.As(err, &r) && r.AccessDenied()
}

// Run invokes the function until it succeeds, the event is dropped, or ctx ends.
func (i Invocation) Run(ctx context.Context) {
	accepted, failures, throttleWait := time.Now(), 0, firstThrottleWait
	ctx = lambda.WithRequestID(ctx, uuid.NewString())
	for {
		_, err := i.Function.Invoke(ctx, i.Event)
		if err == nil {
			i.Log.Debug(i.What+" done", i.Done.Attr())
			return
		}
		if ctx.Err() != nil {
			return
		}
		if isRefused(err) {
			i.Log.Warn(i.What+" is not allowed, its event is dropped", i.Failed.Attr(), "error", err)
			return
		}
		var wait time.Duration
		if _, throttled := awsapi.Throttled(err); throttled {
			wait, throttleWait = throttleWait, min(2*throttleWait, maxThrottleWait)
		} else {
			failures++
			wait = time.Duration(failures) * time.Minute
		}
		if failures > maxRetryAttempts || time.Since(accepted)+wait > maxEventAge {
			i.Log.Warn(i.What+" failed, its event is dropped", i.Failed.Attr(), "error", err)
			return
		}
		i.Log.Warn(i.What+" failed", i.Failed.Attr(), "error", err, "again_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}
