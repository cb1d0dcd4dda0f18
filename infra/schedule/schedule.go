// Package schedule reads the schedule expressions of Amazon EventBridge's rules.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
package schedule

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Expression is a schedule, like rate(5 minutes) or cron(0 8 * * ? *).
type Expression struct {
	every time.Duration // of a rate
	cron  *cron         // nil for a rate
}

// rates matches rate expressions, with the singular for 1:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-rate-expressions
var rates = regexp.MustCompile(`^rate\((?:(1) (minute|hour|day)|([2-9]|[1-9]\d+) (minute|hour|day)s)\)$`)

var units = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}

// Parse parses an expression.
func Parse(text string) (Expression, error) {
	if strings.HasPrefix(text, "cron(") {
		c, ok := parseCron(text)
		if !ok {
			return Expression{}, fmt.Errorf("schedule %q is not a cron expression like cron(0 8 * * ? *)", text)
		}
		return Expression{cron: &c}, nil
	}
	every, err := parseRate(text)
	return Expression{every: every}, err
}

func parseRate(text string) (time.Duration, error) {
	m := rates.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("schedule %q is neither a rate expression like rate(1 minute) or rate(5 minutes), nor a "+
			"cron expression", text)
	}
	value, err := strconv.Atoi(m[1] + m[3])
	unit := units[m[2]+m[4]]
	if err != nil || time.Duration(value) > math.MaxInt64/unit {
		return 0, fmt.Errorf("schedule %q is too long: the limit is %d years", text, math.MaxInt64/(365*24*time.Hour))
	}
	return time.Duration(value) * unit, nil
}

// Next returns the first time of the schedule after a time, or the zero time if there is none.
func (e Expression) Next(after time.Time) time.Time {
	if e.cron == nil {
		return after.Add(e.every)
	}
	return e.cron.next(after)
}

// Hours returns the hours of the day at which a cron expression fires, in order.
func (e Expression) Hours() []int { return slices.Sorted(maps.Keys(e.cron.hours)) }

// calendar is 28 years. After them the days of the week are the same again, until the year 2100.
const calendar = 28

// Times returns how often the schedule fires in a span of time, on average. It ignores the year of
// a cron expression: it counts for the years in which the schedule fires.
func (e Expression) Times(in time.Duration) float64 {
	if e.cron == nil {
		return float64(in) / float64(e.every)
	}
	begin := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	end, days := begin.AddDate(calendar, 0, 0), 0
	for date := begin; date.Before(end); date = date.AddDate(0, 0, 1) {
		if e.cron.months[int(date.Month())] && e.cron.day(date) {
			days++
		}
	}
	perDay := len(e.cron.hours) * len(e.cron.minutes)
	return float64(days*perDay) * float64(in) / float64(end.Sub(begin))
}
