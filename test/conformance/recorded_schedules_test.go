package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/scheduler"
)

// schedule starts a schedule whose function does nothing, and returns the events of some time.
func (r *Recorded) schedule(expression string, duration time.Duration) (events []any, err error) {
	r.Helper()
	r.onlyHere()
	synctest.Test(r.T, func(*testing.T) {
		var mu sync.Mutex
		rule := scheduler.Rule{
			ARN: "arn:aws:events:" + endpoint.region + ":" + graph.AccountID + ":rule/rule", Expression: expression,
			Region: endpoint.region, AccountID: graph.AccountID,
			Function: invoked(func(_ context.Context, payload []byte) error {
				var event any
				err := json.Unmarshal(payload, &event)
				mu.Lock()
				defer mu.Unlock()
				events = append(events, event)
				return err
			}),
		}
		schedule, failed := scheduler.Start(rule, slog.New(slog.DiscardHandler))
		if err = failed; err == nil {
			time.Sleep(duration)
			schedule.Close()
		}
	})
	return events, err
}

// scheduled returns recordings of expressions that AWS accepts (status 200) or refuses (400).
func scheduled(service, operation, test, date string, status int, text string, expressions ...string) []recording {
	var recordings []recording
	for _, expression := range expressions {
		recordings = append(recordings, recording{fmt.Sprintf("%s[%s]", test, expression), date, func(r *Recorded) {
			_, err := r.schedule(expression, 0)
			got, refusal := "200 ", &awsapi.Error{}
			if errors.As(err, &refusal) {
				got = fmt.Sprintf("%d %s", refusal.Status, refusal.Code)
			}
			want := "200 "
			if status != 200 {
				want = "400 ValidationException"
			}
			r.fact(service, operation, statusAndCode, "status and code", got, want)
			if text != "" {
				r.fact(service, operation, errorText, "the text", refusal.Message, text)
			}
		}})
	}
	return recordings
}

// anEvent returns an event of the schedule.
func (r *Recorded) anEvent() input {
	return input{
		"version": "0", "id": anUUID, "detail-type": "Scheduled Event", "source": "aws.events",
		"account": graph.AccountID, "time": aText, "region": endpoint.region,
		"resources": []any{"arn:aws:events:" + endpoint.region + ":" + graph.AccountID + ":rule/rule"},
		"detail":    input{},
	}
}

func TestRecordedSchedules(t *testing.T) {
	const invalid = "Parameter ScheduleExpression is not valid."
	recordings := []recording{
		{"TestScheduleRate::test_put_rule_with_schedule_rate", "2024-05-14", func(r *Recorded) {
			_, err := r.schedule("rate(1 minute)", 0)
			r.fact("events", "PutRule", statusAndCode, "the refusal", err, nil)
		}},
		{"TestScheduleRate::tests_schedule_rate_target_sqs", "2024-05-15", func(r *Recorded) {
			events, _ := r.schedule("rate(1 minute)", 150*time.Second)
			r.fact("events", "schedule", members, "two events", events, []any{r.anEvent(), r.anEvent()})
		}},
		{"TestScheduleCron::test_schedule_cron_target_sqs", "2024-05-15", func(r *Recorded) {
			events, _ := r.schedule("cron(1 0 1 1 ? *)", 150*time.Second) // the bubble's time begins at 2000-01-01
			r.fact("events", "schedule", members, "the event", events, []any{r.anEvent()})
		}},
	}
	const accepted = "TestScheduleCron::tests_put_rule_with_schedule_cron"
	const refused = "TestScheduleCron::tests_put_rule_with_invalid_schedule_cron"
	recordings = append(recordings, scheduled("events", "PutRule", accepted, "2025-01-22", 200, "",
		"cron(0 2 ? * SAT *)", "cron(0 12 * * ? *)", "cron(5,35 14 * * ? *)", "cron(15 10 ? * 6L 2002-2005)",
		"cron(0 2 ? * SAT#3 *)", "cron(* * ? * SAT#3 *)", "cron(0/5 5 ? JAN 1-5 2022)", "cron(0 10 * * ? *)",
		"cron(15 12 * * ? *)", "cron(0 18 ? * MON-FRI *)", "cron(0 8 1 * ? *)", "cron(0/15 * * * ? *)",
		"cron(0/10 * ? * MON-FRI *)", "cron(0/5 8-17 ? * MON-FRI *)", "cron(0/30 20-23 ? * MON-FRI *)",
		"cron(0/30 0-2 ? * MON-FRI *)")...)
	recordings = append(recordings, scheduled("events", "PutRule", refused, "2025-01-22", 400, invalid,
		"cron(0 1 * * * *)", "cron(7 20 * * NOT *)", "cron(INVALID)", "cron(0 dummy ? * MON-FRI *)",
		"cron(71 8 1 * ? *)")...)
	recordings = append(recordings, scheduled("events", "PutRule",
		"TestScheduleRate::test_put_rule_with_invalid_schedule_rate", "2024-05-14", 400, invalid,
		"rate(10 seconds)", "rate(10 years)", "rate(1 minutes)", "rate(1 hours)", "rate(1 days)", "rate(10 minute)",
		"rate(10 hour)", "rate(10 day)", "rate()", "rate(10)", "rate(10 minutess)", "rate(foo minutes)",
		"rate(0 minutes)", "rate(-10 minutes)", "rate(10 MINUTES)", "rate( 10 minutes )", " rate(10 minutes)")...)
	checkRecorded(t, "events/test_events_schedule", recordings,
		leftOut{1, "an older name of a test above"},
		leftOut{2, "targets with an input and other event buses, which the run refuses"},
		leftOut{1, "PutEvents, which nobody calls here"})
}

// The program declares rules of EventBridge, not schedules of EventBridge Scheduler. Both read the
// same expressions, apart from at():
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func TestRecordedScheduler(t *testing.T) {
	recordings := scheduled("scheduler", "CreateSchedule", "test_create_schedule_with_valid_cron_expressions",
		"2026-01-17", 200, "",
		"cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)", "cron(30-30 13-13 ? * 2,4,6 *)", "cron(1-31/30 1-1 ? * 1,7 *)",
		"cron(0 18 ? * MON-FRI *)", "cron(*/15 * * * ? *)", "cron(0-59/10 0-23/2 ? * * *)")
	recordings = append(recordings, scheduled("scheduler", "CreateSchedule",
		"tests_create_schedule_with_invalid_schedule_expression", "2025-01-26", 400, "",
		" rate(10 minutes)", "cron()", "cron(0 1 * * * *)", "cron(0 dummy ? * MON-FRI *)", "cron(7 20 * * NOT *)",
		"cron(71 8 1 * ? *)", "cron(INVALID)", "rate( 10 minutes )", "rate()", "rate(-10 minutes)",
		"rate(10 minutess)", "rate(10 seconds)", "rate(10 years)", "rate(10)", "rate(foo minutes)")...)
	checkRecorded(t, "scheduler/test_scheduler", recordings,
		leftOut{3, "at(), which only EventBridge Scheduler has"},
		leftOut{3, "lists and tags of schedules"})
}

func TestRecordedEvents(t *testing.T) {
	checkRecorded(t, "events/test_events", nil,
		leftOut{68, "event buses and PutEvents: the program declares schedules only"})
	const targets = "events/test_events_targets"
	score.add(targets, nil, []leftOut{{21, "PutEvents: the program declares schedules only"}})
}
