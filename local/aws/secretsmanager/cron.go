package secretsmanager

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// cron opens windows at the hours of an expression cron(Minutes Hours Day-of-month Month
// Day-of-week Year). Secrets Manager requires 0 for the minutes and * for the year.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html#rotate-secrets_schedule-cron
type cron struct {
	hours, days, months, weekdays numbers
	windowHours                   int
}

// numbers is a set of numbers from 0 to 63.
type numbers uint64

func (n numbers) has(number int) bool { return n>>number&1 == 1 }

var cronExpression = regexp.MustCompile(`^cron\(0 (\S+) (\S+) (\S+) (\S+) \*\)$`)

// newCron parses an expression of numbers, lists, ranges and steps. It rejects names of months and
// days, L and #, which AWS accepts.
func newCron(expression string, windowHours int) (schedule, error) {
	fields := cronExpression.FindStringSubmatch(expression)
	if fields == nil {
		return nil, invalidParameter(
			"RotationRules.ScheduleExpression %s is neither rate(n hours), rate(n days) nor cron(0 hours "+
				"day-of-month month day-of-week *).", expression)
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return nil, invalidParameter(
			"RotationRules.ScheduleExpression %s: one of day-of-month and day-of-week must be ?, and one must not.",
			expression)
	}
	c := cron{windowHours: windowHours}
	for i, field := range []struct {
		set      *numbers
		min, max int
	}{{&c.hours, 0, 23}, {&c.days, 1, 31}, {&c.months, 1, 12}, {&c.weekdays, 1, 7}} {
		set, ok := parseNumbers(fields[i+1], field.min, field.max)
		if !ok {
			return nil, invalidParameter(
				"RotationRules.ScheduleExpression %s: the local run does not know %q there; it takes numbers from %d "+
					"to %d, lists, ranges, steps and *.",
				expression, fields[i+1], field.min, field.max)
		}
		*field.set = set
	}
	if _, ok := c.next(time.Now()); !ok {
		return nil, invalidParameter("RotationRules.ScheduleExpression %s names no day of the coming year.", expression)
	}
	if h, ok := c.overlap(); ok {
		return nil, invalidParameter(
			"RotationRules.Duration: a window of %d hours that opens at %d:00 extends into the next window or the "+
				"next day.", windowHours, h)
	}
	return c, nil
}

// parseNumbers parses "*", "?", "5", "1-5", "2/3", "*/3" and lists of them.
func parseNumbers(field string, low, high int) (numbers, bool) {
	var set numbers
	for part := range strings.SplitSeq(field, ",") {
		part, step, stepped := strings.Cut(part, "/")
		from, to, ranged := strings.Cut(part, "-")
		a, b, every := low, high, 1
		ok := true
		if stepped {
			every, ok = parseNumber(step)
		}
		if ok && part != "*" && part != "?" {
			a, ok = parseNumber(from)
			switch {
			case ok && ranged:
				b, ok = parseNumber(to)
			case !stepped:
				b = a
			}
		}
		if !ok || every < 1 || a < low || b > high || a > b {
			return 0, false
		}
		for n := a; n <= b; n += every {
			set |= 1 << n
		}
	}
	return set, true
}

// twoDigits matches the numbers of a cron expression. The limit prevents an overflow when a step is
// added.
var twoDigits = regexp.MustCompile(`^[0-9]{1,2}$`)

func parseNumber(text string) (n int, ok bool) {
	if !twoDigits.MatchString(text) {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// overlap returns an hour whose window is still open when the next one opens, or when the day ends.
func (c cron) overlap() (hour int, ok bool) {
	for h := range dayHours {
		if !c.hours.has(h) {
			continue
		}
		if h+c.windowHours > dayHours {
			return h, true
		}
		for next := h + 1; next < h+c.windowHours; next++ {
			if c.hours.has(next) {
				return h, true
			}
		}
	}
	return 0, false
}

// next returns the first hour of the expression after a time. ok is false if there is none within a
// year.
func (c cron) next(after time.Time) (time.Time, bool) {
	const leapYear = 366 * dayHours * time.Hour
	first := after.UTC().Truncate(time.Hour).Add(time.Hour)
	for t := first; t.Sub(first) <= leapYear; t = t.Add(time.Hour) {
		if c.hours.has(t.Hour()) && c.days.has(t.Day()) && c.months.has(int(t.Month())) &&
			c.weekdays.has(int(t.Weekday())+1) {
			return t, true
		}
	}
	return time.Time{}, false
}

func (c cron) window(after time.Time) (opens, closes time.Time) {
	opens, ok := c.next(after)
	if !ok {
		return time.Time{}, time.Time{}
	}
	hours := c.windowHours
	switch {
	case hours != 0:
	case c.hours&(c.hours-1) != 0: // several hours a day: a schedule in hours
		hours = 1
	default:
		hours = dayHours - opens.Hour()
	}
	return opens, opens.Add(time.Duration(hours) * time.Hour)
}
