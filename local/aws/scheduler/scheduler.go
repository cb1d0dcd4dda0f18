// Package scheduler is a stand-in for Amazon EventBridge's schedules. It invokes functions at a
// rate or at the times of a cron expression, asynchronously like EventBridge, and with Lambda's
// retries.
package scheduler

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"restock/infra/schedule"
	"restock/local/aws/awsapi"
)

// A Function is the function that a schedule invokes. Its error may wrap an error with one of two
// methods. If Throttled() bool returns true, the function did not run because its concurrency was
// used up. If AccessDenied() bool returns true, the schedule may not invoke it. Any other error
// means that the function failed.
type Function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// A Rule is a schedule and the function that it invokes.
type Rule struct {
	ARN        string
	Expression string // "rate(5 minutes)" or "cron(0 8 * * ? *)"
	Region     string
	AccountID  string
	Function   Function
}

// A Schedule is a running rule.
type Schedule struct {
	stop  context.CancelFunc
	early chan time.Time // events that Fire sends
	done  sync.WaitGroup
}

// parse parses a schedule expression of a rule. Its error is EventBridge's refusal, with a text
// that says more.
func parse(text string) (schedule.Expression, error) {
	e, err := schedule.Parse(text)
	if err != nil {
		err = awsapi.Errorf("ValidationException", "Parameter ScheduleExpression is not valid.").Explained("%v", err)
	}
	return e, err
}

// Start invokes the rule's function at the times of its schedule until Close. The first invocation
// at a rate is after one period. Events do not wait for each other: a long or retried invocation
// overlaps with the next one.
func Start(rule Rule, log *slog.Logger) (*Schedule, error) {
	expression, err := parse(rule.Expression)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Schedule{stop: stop, early: make(chan time.Time)}
	s.done.Go(func() {
		next := expression.Next(time.Now())
		for {
			var due <-chan time.Time // nil if the schedule has no time left
			if !next.IsZero() {
				due = time.After(time.Until(next))
			}
			var now time.Time
			select {
			case <-ctx.Done():
				return
			case now = <-due:
				if next = expression.Next(next); next.Before(now) && !next.IsZero() { // this machine has slept
					next = expression.Next(now)
				}
			case now = <-s.early:
			}
			s.done.Go(func() { rule.deliver(ctx, now, log.With("rule", rule.ARN)) })
		}
	})
	return s, nil
}

// Fire invokes the function now, for people who do not want to wait. On a closed schedule it does
// nothing.
func (s *Schedule) Fire(ctx context.Context) {
	select {
	case s.early <- time.Now():
	case <-ctx.Done():
	}
}

// Close stops the schedule and its retries. It does not wait for a running invocation.
func (s *Schedule) Close() {
	s.stop()
	s.done.Wait()
}

// Event returns the event that the rule's function gets.
func (r Rule) Event(now time.Time) ([]byte, error) {
	return json.Marshal(events.EventBridgeEvent{
		Version:    "0",
		ID:         uuid.NewString(),
		DetailType: "Scheduled Event",
		Source:     "aws.events",
		AccountID:  r.AccountID,
		Time:       now.UTC().Truncate(time.Second),
		Region:     r.Region,
		Resources:  []string{r.ARN},
		Detail:     json.RawMessage("{}"),
	})
}
