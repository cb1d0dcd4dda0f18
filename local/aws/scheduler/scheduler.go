// Package scheduler is a stand-in for Amazon EventBridge's schedules. It invokes functions at a
// rate, asynchronously like EventBridge, and with Lambda's retries.
package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
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
	Expression string // "rate(5 minutes)"
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

// rates matches EventBridge's rate expressions, with the singular for 1:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-rate-expressions
var rates = regexp.MustCompile(`^rate\((?:(1) (minute|hour|day)|([2-9]|[1-9]\d+) (minute|hour|day)s)\)$`)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// ParseRate parses a rate expression. It rejects cron expressions, which the local run does not
// support.
func ParseRate(expression string) (time.Duration, error) {
	m := rates.FindStringSubmatch(expression)
	if m == nil {
		return 0, fmt.Errorf("schedule %q is not a rate expression like rate(1 minute) or rate(5 minutes)", expression)
	}
	value, err := strconv.Atoi(m[1] + m[3])
	unit := units[m[2]+m[4]]
	if err != nil || time.Duration(value) > math.MaxInt64/unit {
		return 0, fmt.Errorf("schedule %q is too long: the limit is %d years", expression,
			math.MaxInt64/(365*24*time.Hour))
	}
	return time.Duration(value) * unit, nil
}

// Start invokes the rule's function at its rate until Close, for the first time after one period.
// Events do not wait for each other: a long or retried invocation overlaps with the next one.
func Start(rule Rule, log *slog.Logger) (*Schedule, error) {
	every, err := ParseRate(rule.Expression)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Schedule{stop: stop, early: make(chan time.Time)}
	s.done.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			var now time.Time
			select {
			case <-ctx.Done():
				return
			case now = <-ticker.C:
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

func (r Rule) event(now time.Time) ([]byte, error) {
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
