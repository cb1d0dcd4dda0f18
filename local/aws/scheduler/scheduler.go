// Package scheduler is a stand-in for Amazon EventBridge's schedules: it invokes functions at a rate, as EventBridge does
// asynchronously, with the retries that Lambda then makes.
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

// A Function is what a schedule invokes. An error that wraps one whose method Throttled() bool returns true says that the function did
// not run, for want of concurrency; one whose method AccessDenied() bool does, that the schedule may not invoke it; any other that it
// failed.
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

// A Schedule is a rule at work.
type Schedule struct {
	stop  context.CancelFunc
	early chan time.Time // events before their time
	done  sync.WaitGroup
}

// rates are what EventBridge takes, the singular for one:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-rate-expressions
var rates = regexp.MustCompile(`^rate\((?:(1) (minute|hour|day)|([2-9]|[1-9]\d+) (minute|hour|day)s)\)$`)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// ParseRate reads a rate expression. Cron expressions are not run here, and an error says so.
func ParseRate(expression string) (time.Duration, error) {
	m := rates.FindStringSubmatch(expression)
	if m == nil {
		return 0, fmt.Errorf("schedule %q is not a rate expression like rate(1 minute) or rate(5 minutes)", expression)
	}
	value, err := strconv.Atoi(m[1] + m[3])
	unit := units[m[2]+m[4]]
	if err != nil || time.Duration(value) > math.MaxInt64/unit {
		return 0, fmt.Errorf("schedule %q is beyond all measure: it takes more than %d years", expression, math.MaxInt64/(365*24*time.Hour))
	}
	return time.Duration(value) * unit, nil
}

// Start invokes the rule's function at its rate, first after one period, until Close. An event waits for no other: one that takes
// longer than a period, or is tried again, is beside the next.
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

// Fire invokes the function as if its time had come: for who cannot wait a minute. A schedule that is closed does not.
func (s *Schedule) Fire(ctx context.Context) {
	select {
	case s.early <- time.Now():
	case <-ctx.Done():
	}
}

// Close ends the schedule, and the retries. An invocation that is under way is not waited for.
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
