package secretsmanager

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRotationWindow(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	last := at("2026-01-30 10:20") // a Friday
	for _, tt := range []struct {
		rules         RotationRules
		opens, closes string
	}{
		{RotationRules{AutomaticallyAfterDays: 1}, "2026-01-31 00:00", "2026-02-01 00:00"},
		{RotationRules{AutomaticallyAfterDays: 30, Duration: "2h"}, "2026-03-01 00:00", "2026-03-01 02:00"},
		{RotationRules{ScheduleExpression: "rate(10 days)"}, "2026-02-09 00:00", "2026-02-10 00:00"},
		{RotationRules{ScheduleExpression: "rate(1 day)", Duration: "24h"}, "2026-01-31 00:00", "2026-02-01 00:00"},
		{RotationRules{ScheduleExpression: "rate(4 hours)"}, "2026-01-30 14:00", "2026-01-30 15:00"},
		{RotationRules{ScheduleExpression: "rate(12 hours)", Duration: "3h"}, "2026-01-30 22:00", "2026-01-31 01:00"},
		{RotationRules{ScheduleExpression: "cron(0 8 * * ? *)"}, "2026-01-31 08:00", "2026-02-01 00:00"},
		{RotationRules{ScheduleExpression: "cron(0 11 * * ? *)", Duration: "3h"}, "2026-01-30 11:00",
			"2026-01-30 14:00"},
		{RotationRules{ScheduleExpression: "cron(0 8/8 * * ? *)"}, "2026-01-30 16:00", "2026-01-30 17:00"},
		{RotationRules{ScheduleExpression: "cron(0 */6 * * ? *)", Duration: "6h"}, "2026-01-30 12:00",
			"2026-01-30 18:00"},
		{RotationRules{ScheduleExpression: "cron(0 0 1,15 * ? *)"}, "2026-02-01 00:00", "2026-02-02 00:00"},
		{RotationRules{ScheduleExpression: "cron(0 0 ? 2-4 2 *)"}, "2026-02-02 00:00", "2026-02-03 00:00"},
		{RotationRules{ScheduleExpression: "cron(0 16 ? FEB-APR SUN#1 *)"}, "2026-02-01 16:00", "2026-02-02 00:00"},
		{RotationRules{ScheduleExpression: "cron(0 0 L * ? *)"}, "2026-01-31 00:00", "2026-02-01 00:00"},
	} {
		schedule, err := tt.rules.schedule()
		if err != nil {
			t.Errorf("%+v: %v", tt.rules, err)
			continue
		}
		if opens, closes := schedule.window(last); !opens.Equal(at(tt.opens)) || !closes.Equal(at(tt.closes)) {
			t.Errorf("%+v after %v: got %v to %v, want %s to %s", tt.rules, last, opens, closes, tt.opens, tt.closes)
		}
	}
}

func TestRotationRulesThatAreRefusedSayWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in the year 2000: whether a date occurs within a year depends on the clock
		time.Sleep(90 * 24 * time.Hour)
		for _, tt := range []struct {
			rules RotationRules
			want  string // in the message
		}{
			{RotationRules{AutomaticallyAfterDays: 1001}, "1 to 1000"},
			{RotationRules{AutomaticallyAfterDays: -1}, "1 to 1000"},
			{RotationRules{AutomaticallyAfterDays: 1, ScheduleExpression: "rate(1 day)"}, "not both"},
			{RotationRules{Duration: "3h"}, "needs"},
			{RotationRules{AutomaticallyAfterDays: 1, Duration: "3"}, "such as 3h"},
			{RotationRules{AutomaticallyAfterDays: 1, Duration: "25h"}, "1h to 24h"},
			{RotationRules{AutomaticallyAfterDays: 1, Duration: "0h"}, "1h to 24h"},
			{RotationRules{ScheduleExpression: "rate(3 hours)"}, "rate(3 hours)"},
			{RotationRules{ScheduleExpression: "rate(0 days)"}, "rate(0 days)"},
			{RotationRules{ScheduleExpression: "rate(1000 days)"}, "999 days"},
			{RotationRules{ScheduleExpression: "rate(5 minutes)"}, "neither"},
			{RotationRules{ScheduleExpression: "rate(4 hours)", Duration: "5h"}, "extends into the next one"},
			{RotationRules{ScheduleExpression: "cron(5 8 * * ? *)"}, "neither"},
			{RotationRules{ScheduleExpression: "cron(0 8 * * ? 2027)"}, "neither"},
			{RotationRules{ScheduleExpression: "cron(0 8 * * * *)"}, "must be ?"},
			{RotationRules{ScheduleExpression: "cron(0 8 ? * ? *)"}, "must be ?"},
			{RotationRules{ScheduleExpression: "cron(0 24 * * ? *)"}, "cron(0 24 * * ? *) is not"},
			{RotationRules{ScheduleExpression: "cron(0 0 ? * SUN#6 *)"}, "cron(0 0 ? * SUN#6 *) is not"},
			{RotationRules{ScheduleExpression: "cron(0 0 15W * ? *)"}, "neither"},
			{RotationRules{ScheduleExpression: "cron(0 0 30 2 ? *)"}, "no day"},
			{RotationRules{ScheduleExpression: "cron(0 20 * * ? *)", Duration: "5h"}, "opens at 20:00"},
			{RotationRules{ScheduleExpression: "cron(0 0,4 * * ? *)", Duration: "5h"}, "opens at 0:00"},
		} {
			if _, err := tt.rules.schedule(); code(err) != "InvalidParameterException" ||
				!strings.Contains(err.Error(), tt.want) {
				t.Errorf("%+v: got %v, want an InvalidParameterException that says %q", tt.rules, err, tt.want)
			}
		}
	})
}
