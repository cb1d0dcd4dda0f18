package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseRate(t *testing.T) {
	for expression, want := range map[string]time.Duration{
		"rate(1 minute)":   time.Minute,
		"rate(2 minutes)":  2 * time.Minute,
		"rate(10 minutes)": 10 * time.Minute,
		"rate(1 hour)":     time.Hour,
		"rate(7 days)":     7 * 24 * time.Hour,
	} {
		if got, err := ParseRate(expression); err != nil || got != want {
			t.Errorf("ParseRate(%q): got %v, %v; want %v", expression, got, err, want)
		}
	}
	for _, expression := range []string{"", "rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(1 second)", "cron(0 * * * ? *)", "rate(1 minute) "} {
		if got, err := ParseRate(expression); err == nil {
			t.Errorf("ParseRate(%q): got %v, want an error", expression, got)
		}
	}
}

type function func(payload []byte) error

func (f function) Invoke(_ context.Context, payload []byte) ([]byte, error) { return nil, f(payload) }

func TestScheduleGoesOnAfterAFailureAndEndsAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		schedule, err := Start(Rule{ARN: "arn:rule", Region: "ap-northeast-2", Expression: "rate(1 minute)", Function: function(func(payload []byte) error {
			var event struct {
				Region    string
				Resources []string
			}
			if err := json.Unmarshal(payload, &event); err != nil || len(event.Resources) != 1 || event.Resources[0] != "arn:rule" || event.Region != "ap-northeast-2" {
				t.Errorf("event %s does not name the rule and its region (%v)", payload, err)
			}
			at = append(at, time.Since(start))
			return errors.New("the function failed")
		})}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*time.Minute + time.Second) // of the bubble's clock
		schedule.Close()
		time.Sleep(time.Hour)
		if len(at) != 3 || at[0] != time.Minute || at[2] != 3*time.Minute {
			t.Errorf("invoked at %v, want at 1, 2 and 3 minutes", at)
		}
	})
}
