package schedule

import (
	"math"
	"slices"
	"testing"
	"time"
)

// Most expressions are examples of
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
func TestCronExpressions(t *testing.T) {
	const minute = "2006-01-02 15:04"
	start := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) // a Saturday
	for expression, want := range map[string][]string{
		"cron(0 10 * * ? *)":             {"2026-11-29 10:00", "2026-11-30 10:00"},
		"cron(15 12 * * ? *)":            {"2026-11-28 12:15", "2026-11-29 12:15"},
		"cron(0 18 ? * MON-FRI *)":       {"2026-11-30 18:00", "2026-12-01 18:00"},
		"cron(0 8 1 * ? *)":              {"2026-12-01 08:00", "2027-01-01 08:00"},
		"cron(0/15 * * * ? *)":           {"2026-11-28 12:15", "2026-11-28 12:30"},
		"cron(*/20 12 * * ? *)":          {"2026-11-28 12:20", "2026-11-28 12:40", "2026-11-29 12:00"},
		"cron(5,35 14 * * ? *)":          {"2026-11-28 14:05", "2026-11-28 14:35", "2026-11-29 14:05"},
		"cron(0/30 0-2 ? * mon-fri *)":   {"2026-11-30 00:00", "2026-11-30 00:30"},
		"cron(0/30 20-2 ? * MON-FRI *)":  {"2026-11-30 00:00", "2026-11-30 00:30"},
		"cron(15 10 ? * 6L 2026-2027)":   {"2026-12-25 10:15", "2027-01-29 10:15"},
		"cron(0 2 ? * SAT#3 *)":          {"2026-12-19 02:00", "2027-01-16 02:00"},
		"cron(0 0 L * ? *)":              {"2026-11-30 00:00", "2026-12-31 00:00"},
		"cron(0 0 ? * L *)":              {"2026-12-05 00:00", "2026-12-12 00:00"},
		"cron(0 0 1W * ? *)":             {"2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"},
		"cron(0 0 6W * ? *)":             {"2026-12-07 00:00", "2027-01-06 00:00", "2027-02-05 00:00"},
		"cron(0 0 29 2 ? *)":             {"2028-02-29 00:00", "2032-02-29 00:00"},
		"cron(0/5 5 ? JAN 1-5 2022)":     {"never"},
		"cron(0 0 30 FEB ? *)":           {"never"},
		"cron(59 23 31 DEC ? 2026,2199)": {"2026-12-31 23:59", "2199-12-31 23:59", "never"},
	} {
		e, err := Parse(expression)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for at := start; len(got) < len(want); {
			if at = e.Next(at); at.IsZero() {
				got = append(got, "never")
				break
			}
			got = append(got, at.Format(minute))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
}

func TestExpressionsThatAreRefused(t *testing.T) {
	for _, expression := range []string{
		"cron(0 1 * * * *)", "cron(0 1 ? * ? *)", "cron(0 1 1 * 1 *)", "cron(60 1 * * ? *)", "cron(0 24 * * ? *)",
		"cron(0 1 0 * ? *)", "cron(0 1 32 * ? *)", "cron(0 1 * 13 ? *)", "cron(0 1 ? * 8 *)", "cron(0 1 * * ? 2200)",
		"cron(0 1 * * ?)", "cron(0 1 * * ? * *)", "cron(0  1 * * ? *)", "cron(0/0 1 * * ? *)",
		"cron(0 1 * * ? 2027-2026)",
		"cron(0 1 ? * 6#6 *)", "cron(0 1 ? * 1-2L *)", "cron(0 1 0W * ? *)", "cron(0 1 W * ? *)",
		"cron(0 1 * */JAN ? *)",
		"cron(0 1 * * ? *", "cron(-1 1 * * ? *)", "cron(, 1 * * ? *)", "at(2026-11-28T12:00:00)", "Rate(1 minute)",
	} {
		if _, err := Parse(expression); err == nil {
			t.Errorf("%s is accepted", expression)
		}
	}
}

// The expressions are the examples of
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
// A month has 730 hours, which are 30.4 days, and five sevenths of them are from Monday to Friday.
func TestTimesInAMonth(t *testing.T) {
	for expression, want := range map[string]float64{
		"rate(5 minutes)":               8760,
		"rate(1 hour)":                  730,
		"cron(0 10 * * ? *)":            30.4,
		"cron(15 12 * * ? *)":           30.4,
		"cron(0 18 ? * MON-FRI *)":      21.7,
		"cron(0 8 1 * ? *)":             1.0,
		"cron(0/15 * * * ? *)":          2920,
		"cron(0/10 * ? * MON-FRI *)":    3128.6,
		"cron(0/5 8-17 ? * MON-FRI *)":  2607.1,
		"cron(0/30 20-2 ? * MON-FRI *)": 304.2,
		"cron(15 10 ? * 6L 2019-2022)":  1.0,
		"cron(0 9 ? * 2#1 *)":           1.0,
		"cron(0 0 29 2 ? *)":            0.0, // once in four years
	} {
		e, err := Parse(expression)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := e.Times(730 * time.Hour); math.Abs(got-want) > 0.051 {
			t.Errorf("%s: got %.1f times in a month, want %.1f", expression, got, want)
		}
	}
}

func TestParseRate(t *testing.T) {
	for expression, want := range map[string]time.Duration{
		"rate(1 minute)":   time.Minute,
		"rate(2 minutes)":  2 * time.Minute,
		"rate(10 minutes)": 10 * time.Minute,
		"rate(1 hour)":     time.Hour,
		"rate(7 days)":     7 * 24 * time.Hour,
	} {
		if got, err := parseRate(expression); err != nil || got != want {
			t.Errorf("parseRate(%q): got %v, %v; want %v", expression, got, err, want)
		}
	}
	for _, expression := range []string{"", "rate(1 minutes)", "rate(2 minute)", "rate(0 minutes)", "rate(1 second)",
		"cron(0 * * * ? *)", "rate(1 minute) "} {
		if got, err := parseRate(expression); err == nil {
			t.Errorf("parseRate(%q): got %v, want an error", expression, got)
		}
	}
}
