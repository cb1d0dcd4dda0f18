// Package scheduler is a stand-in for Amazon EventBridge's schedules. It invokes functions at a
// rate or at the times of a cron expression, asynchronously like EventBridge, and with Lambda's
// retries.
package scheduler

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

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

// rates matches EventBridge's rate expressions, with the singular for 1:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-rate-expressions
var rates = regexp.MustCompile(`^rate\((?:(1) (minute|hour|day)|([2-9]|[1-9]\d+) (minute|hour|day)s)\)$`)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// An expression returns the first time of a schedule after a time, or the zero time if there is
// none.
type expression func(after time.Time) time.Time

// parse parses a schedule expression of a rule.
func parse(text string) (expression, error) {
	if strings.HasPrefix(text, "cron(") {
		c, ok := parseCron(text)
		if !ok {
			return nil, invalid("schedule %q is not a cron expression like cron(0 8 * * ? *)", text)
		}
		return c.next, nil
	}
	every, err := ParseRate(text)
	return func(after time.Time) time.Time { return after.Add(every) }, err
}

// invalid returns EventBridge's refusal of an expression, with a text that says more.
func invalid(format string, args ...any) error {
	return awsapi.Errorf("ValidationException", "Parameter ScheduleExpression is not valid.").Explained(format, args...)
}

// ParseRate parses a rate expression.
func ParseRate(expression string) (time.Duration, error) {
	m := rates.FindStringSubmatch(expression)
	if m == nil {
		return 0, invalid("schedule %q is neither a rate expression like rate(1 minute) or rate(5 minutes), nor a "+
			"cron expression", expression)
	}
	value, err := strconv.Atoi(m[1] + m[3])
	unit := units[m[2]+m[4]]
	if err != nil || time.Duration(value) > math.MaxInt64/unit {
		return 0, invalid("schedule %q is too long: the limit is %d years", expression,
			math.MaxInt64/(365*24*time.Hour))
	}
	return time.Duration(value) * unit, nil
}

// Start invokes the rule's function at the times of its schedule until Close. The first invocation
// at a rate is after one period. Events do not wait for each other: a long or retried invocation
// overlaps with the next one.
func Start(rule Rule, log *slog.Logger) (*Schedule, error) {
	following, err := parse(rule.Expression)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Schedule{stop: stop, early: make(chan time.Time)}
	s.done.Go(func() {
		next := following(time.Now())
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
				if next = following(next); next.Before(now) && !next.IsZero() { // this machine has slept
					next = following(now)
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
