package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"restock/local/aws/lambda"
	"restock/local/view/events"
)

// How Lambda retries an asynchronous invocation without further configuration. After an error of
// the function it retries twice, after one minute and after two more. After a throttle it retries
// until the event is too old, first after a second, then after longer and longer waits. Then it
// drops the event, because the rule's target has no dead-letter queue and the function has no
// destination.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const (
	maxRetryAttempts  = 2
	maxEventAge       = 6 * time.Hour
	firstThrottleWait = time.Second
	maxThrottleWait   = 5 * time.Minute
)

// isRefused reports a missing permission. A retry would fail too, so EventBridge drops such an
// event at once.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func isRefused(err error) bool {
	var r interface{ AccessDenied() bool }
	return errors.As(err, &r) && r.AccessDenied()
}

// deliver invokes the function with the event of a time until it succeeds or the event is dropped.
func (r Rule) deliver(ctx context.Context, at time.Time, log *slog.Logger) {
	failed := events.ScheduledInvocationFailed.Attr()
	event, err := r.Event(at)
	if err != nil {
		log.Error("scheduled event could not be written", failed, "error", err)
		return
	}
	accepted, failures, throttleWait := time.Now(), 0, firstThrottleWait
	ctx = lambda.WithRequestID(ctx, uuid.NewString())
	for {
		_, err := r.Function.Invoke(ctx, event)
		if err == nil {
			log.Debug("scheduled invocation done", events.ScheduledInvocationDone.Attr())
			return
		}
		if ctx.Err() != nil {
			return
		}
		if isRefused(err) {
			log.Warn("scheduled invocation is not allowed, its event is dropped", failed, "error", err)
			return
		}
		var wait time.Duration
		if isThrottled(err) {
			wait, throttleWait = throttleWait, min(2*throttleWait, maxThrottleWait)
		} else {
			failures++
			wait = time.Duration(failures) * time.Minute
		}
		if failures > maxRetryAttempts || time.Since(accepted)+wait > maxEventAge {
			log.Warn("scheduled invocation failed, its event is dropped", failed, "error", err)
			return
		}
		log.Warn("scheduled invocation failed", failed, "error", err, "again_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

func isThrottled(err error) bool {
	var t interface{ Throttled() bool }
	return errors.As(err, &t) && t.Throttled()
}
