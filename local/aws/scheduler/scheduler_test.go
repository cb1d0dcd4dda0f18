package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"restock/local/aws/lambda"
)

type function func(payload []byte) error

func (f function) Invoke(_ context.Context, payload []byte) ([]byte, error) { return nil, f(payload) }

type withContext func(context.Context) error

func (f withContext) Invoke(ctx context.Context, _ []byte) ([]byte, error) { return nil, f(ctx) }

func TestRetriesKeepTheRequestID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		ids := map[string]int{}
		schedule := start(t, "rate(1 day)", withContext(func(ctx context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			ids[lambda.RequestID(ctx)]++
			return errors.New("panic")
		}))
		time.Sleep(49 * time.Hour)
		schedule.Close()
		for id, n := range ids {
			if id == "" || n != 3 || len(ids) != 2 {
				t.Errorf("invocations by request id: got %v, want 3 for each of two ids", ids)
			}
		}
	})
}

// invocations records the times and the events of a function's invocations.
type invocations struct {
	mu     sync.Mutex
	start  time.Time
	at     []time.Duration
	events map[string]int // by id
}

func (in *invocations) function(t *testing.T, outcome func(n int) error) function {
	in.start, in.events = time.Now(), map[string]int{}
	return func(payload []byte) error {
		var event struct {
			ID, Region string
			Resources  []string
		}
		if err := json.Unmarshal(payload, &event); err != nil || len(event.Resources) != 1 ||
			event.Resources[0] != "arn:rule" || event.Region != "ap-northeast-2" {
			t.Errorf("event %s does not name the rule and its region (%v)", payload, err)
		}
		in.mu.Lock()
		in.at = append(in.at, time.Since(in.start))
		in.events[event.ID]++
		n := len(in.at)
		in.mu.Unlock()
		return outcome(n)
	}
}

func start(t *testing.T, expression string, f Function) *Schedule {
	t.Helper()
	s, err := Start(Rule{ARN: "arn:rule", Region: "ap-northeast-2", Expression: expression, Function: f},
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScheduleKeepsItsRateAndEndsAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in invocations
		schedule := start(t, "rate(1 minute)", in.function(t, func(int) error {
			time.Sleep(90 * time.Second) // longer than a period: the next event does not wait
			return nil
		}))
		time.Sleep(3*time.Minute + time.Second) // in the bubble's time
		schedule.Close()
		time.Sleep(time.Hour)
		if want := []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute}; !slices.Equal(in.at, want) ||
			len(in.events) != 3 {
			t.Errorf("invoked at %v with %d events, want at %v with one each", in.at, len(in.events), want)
		}
	})
}

type throttled struct{}

func (throttled) Error() string   { return "Rate Exceeded" }
func (throttled) Throttled() bool { return true }

type refused struct{}

func (refused) Error() string      { return "User: events.amazonaws.com is not authorized" }
func (refused) AccessDenied() bool { return true }

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
func TestRefusedEventIsDroppedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in invocations
		var log strings.Builder
		f := in.function(t, func(int) error { return fmt.Errorf("invoking: %w", refused{}) })
		schedule, err := Start(Rule{ARN: "arn:rule", Region: "ap-northeast-2", Expression: "rate(1 day)", Function: f},
			slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(47 * time.Hour)
		schedule.Close()
		if want := []time.Duration{24 * time.Hour}; !slices.Equal(in.at, want) {
			t.Errorf("invoked at %v, want at %v alone", in.at, want)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 ||
			!strings.Contains(log.String(), "its event is dropped") ||
			!strings.Contains(log.String(), "not authorized") {
			t.Errorf("log: got %s, want one warning that the event is dropped, and why", log.String())
		}
	})
}

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
func TestFailedEventIsTriedAgainAsLambdaDoes(t *testing.T) {
	failed := errors.New("the function failed")
	for name, tc := range map[string]struct {
		outcomes []error // of the first invocations; later ones succeed
		want     []time.Duration
	}{
		"an error twice": {[]error{failed, failed}, []time.Duration{0, time.Minute, 3 * time.Minute}},
		"an error three times": {[]error{failed, failed, failed, failed},
			[]time.Duration{0, time.Minute, 3 * time.Minute}},
		"a throttle": {[]error{fmt.Errorf("invoking: %w", throttled{}), throttled{}},
			[]time.Duration{0, time.Second, 3 * time.Second}},
		"throttles do not count": {[]error{failed, throttled{}, failed},
			[]time.Duration{0, time.Minute, time.Minute + time.Second, 3*time.Minute + time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var in invocations
				schedule := start(t, "rate(1 day)", in.function(t, func(n int) error {
					if n <= len(tc.outcomes) {
						return tc.outcomes[n-1]
					}
					return nil
				}))
				time.Sleep(36 * time.Hour)
				schedule.Close()
				for i := range in.at {
					in.at[i] -= 24 * time.Hour
				}
				if !slices.Equal(in.at, tc.want) || len(in.events) != 1 {
					t.Errorf("invoked %v after the time with %d events, want at %v with one",
						in.at, len(in.events), tc.want)
				}
			})
		})
	}
}

func TestThrottledEventIsDroppedAfterSixHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in invocations
		schedule := start(t, "rate(1 day)", in.function(t, func(int) error { return throttled{} }))
		time.Sleep(47 * time.Hour)
		schedule.Close()
		last := in.at[len(in.at)-1] - in.at[0]
		if last > 6*time.Hour || last < 6*time.Hour-5*time.Minute {
			t.Errorf("the last of %d attempts was %v after the first, want one in the last five minutes of six hours",
				len(in.at), last)
		}
		if gap := in.at[len(in.at)-1] - in.at[len(in.at)-2]; gap != 5*time.Minute {
			t.Errorf("the last wait was %v, want 5m0s", gap)
		}
	})
}

func TestCloseEndsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in invocations
		schedule := start(t, "rate(1 day)",
			in.function(t, func(int) error { return errors.New("the function failed") }))
		time.Sleep(24*time.Hour + time.Second)
		schedule.Close()
		time.Sleep(time.Hour)
		if len(in.at) != 1 {
			t.Errorf("invoked at %v, want once: it was closed before the retry", in.at)
		}
	})
}

func TestCronScheduleInvokesAtItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock starts at 2000-01-01 00:00:00 UTC, a Saturday
		var in invocations
		schedule := start(t, "cron(0 1 ? * MON-TUE *)", in.function(t, func(int) error { return nil }))
		time.Sleep(7 * 24 * time.Hour)
		schedule.Close()
		if want := []time.Duration{49 * time.Hour, 73 * time.Hour}; !slices.Equal(in.at, want) {
			t.Errorf("invoked at %v, want at %v", in.at, want)
		}
	})
}
