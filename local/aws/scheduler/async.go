package scheduler

import (
	"context"
	"log/slog"
	"time"

	"restock/local/aws/async"
	"restock/local/view/events"
)

// deliver invokes the function with the event of a time until it succeeds or the event is dropped.
func (r Rule) deliver(ctx context.Context, at time.Time, log *slog.Logger) {
	event, err := r.Event(at)
	if err != nil {
		log.Error("scheduled event could not be written", events.ScheduledInvocationFailed.Attr(), "error", err)
		return
	}
	async.Invocation{
		What: "scheduled invocation", Function: r.Function, Event: event, Log: log,
		Done: events.ScheduledInvocationDone, Failed: events.ScheduledInvocationFailed,
	}.Run(ctx)
}
