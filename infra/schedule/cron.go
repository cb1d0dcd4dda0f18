package schedule

import (
	"strconv"
	"strings"
	"time"
)

// cron is an expression cron(Minutes Hours Day-of-month Month Day-of-week Year). Times are in UTC.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-cron-expressions
type cron struct {
	minutes, hours, months, years numbers
	day                           func(time.Time) bool // reports whether a day belongs to the expression
}

type numbers map[int]bool

const (
	minYear, maxYear = 1970, 2199
	saturday         = 7 // Sunday is 1
	daysOfWeek       = 7
)

var (
	monthNames = strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	dayNames   = strings.Fields("SUN MON TUE WED THU FRI SAT")
)

// parseCron parses an expression.
func parseCron(expression string) (c cron, ok bool) {
	inner, isCron := strings.CutPrefix(expression, "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	fields := strings.Split(inner, " ")
	// One of the two fields for days must be a question mark.
	if !isCron || !closed || len(fields) != 6 || (fields[2] == "?") == (fields[4] == "?") {
		return c, false
	}
	var oks [5]bool
	c.minutes, oks[0] = parseNumbers(fields[0], 0, 59, nil)
	c.hours, oks[1] = parseNumbers(fields[1], 0, 23, nil)
	c.months, oks[2] = parseNumbers(fields[3], 1, 12, monthNames)
	c.years, oks[3] = parseNumbers(fields[5], minYear, maxYear, nil)
	if fields[2] != "?" {
		c.day, oks[4] = parseDayOfMonth(fields[2])
	} else {
		c.day, oks[4] = parseDayOfWeek(fields[4])
	}
	return c, oks == [5]bool{true, true, true, true, true}
}

// parseNumbers parses "*", "5", "JAN", "1-5", "2/3", "*/3", "0-30/10" and lists of them. A range
// may begin above its end, but not a range of years. In AWS's examples, 20-2 is the hours 20 to 23
// and 0 to 2.
func parseNumbers(field string, low, high int, names []string) (numbers, bool) {
	number := func(text string) (int, bool) {
		for i, name := range names {
			if strings.EqualFold(text, name) {
				return low + i, true
			}
		}
		n, err := strconv.ParseUint(text, 10, 12)
		return int(n), err == nil
	}
	set := numbers{}
	for part := range strings.SplitSeq(field, ",") {
		part, step, stepped := strings.Cut(part, "/")
		first, last, ranged := strings.Cut(part, "-")
		from, to, every, ok := low, high, 1, true
		if part != "*" {
			if from, ok = number(first); !ok {
				return nil, false
			}
			if ranged {
				to, ok = number(last)
			} else if !stepped {
				to = from
			}
		}
		if ok && stepped {
			n, err := strconv.ParseUint(step, 10, 12)
			every, ok = int(n), err == nil
		}
		if !ok || every < 1 || from < low || to < low || from > high || to > high || from > to && low == minYear {
			return nil, false
		}
		size := high - low + 1
		if from > to {
			to += size
		}
		for n := from; n <= to; n += every {
			set[low+(n-low)%size] = true
		}
	}
	return set, true
}

// parseDayOfMonth parses numbers, "L" (the last day), and "3W" (the weekday nearest to day 3 of the
// month).
func parseDayOfMonth(field string) (func(time.Time) bool, bool) {
	if field == "L" {
		return func(t time.Time) bool { return t.Day() == lastDay(t) }, true
	}
	if day, ok := strings.CutSuffix(field, "W"); ok {
		n, err := strconv.Atoi(day)
		return func(t time.Time) bool { return t.Day() == nearestWeekday(t, n) }, err == nil && n >= 1 && n <= 31
	}
	days, ok := parseNumbers(field, 1, 31, nil)
	return func(t time.Time) bool { return days[t.Day()] }, ok
}

func lastDay(t time.Time) int { return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// nearestWeekday returns the day from Monday to Friday of t's month that is nearest to a day, or 0
// if the month has no such day.
func nearestWeekday(t time.Time, day int) int {
	if day > lastDay(t) {
		return 0
	}
	switch time.Date(t.Year(), t.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return day + 2
		}
		return day - 1
	case time.Sunday:
		if day == lastDay(t) {
			return day - 2
		}
		return day + 1
	default:
		return day
	}
}

// parseDayOfWeek parses numbers and names, "L" (Saturday), "6L" (the last Friday of the month) and
// "6#3" (the third Friday).
func parseDayOfWeek(field string) (func(time.Time) bool, bool) {
	if day, week, ok := strings.Cut(field, "#"); ok {
		n, known := oneDayOfWeek(day)
		nth, err := strconv.Atoi(week)
		return func(t time.Time) bool { return weekday(t) == n && (t.Day()-1)/daysOfWeek+1 == nth },
			known && err == nil && nth >= 1 && nth <= 5
	}
	if day, ok := strings.CutSuffix(field, "L"); ok {
		if day == "" {
			return func(t time.Time) bool { return weekday(t) == saturday }, true
		}
		n, known := oneDayOfWeek(day)
		return func(t time.Time) bool { return weekday(t) == n && t.Day()+daysOfWeek > lastDay(t) }, known
	}
	days, ok := parseNumbers(field, 1, daysOfWeek, dayNames)
	return func(t time.Time) bool { return days[weekday(t)] }, ok
}

func weekday(t time.Time) int { return int(t.Weekday()) + 1 }

func oneDayOfWeek(text string) (day int, ok bool) {
	days, ok := parseNumbers(text, 1, daysOfWeek, dayNames)
	for n := range days {
		day = n
	}
	return day, ok && len(days) == 1
}

// next returns the first time of the expression after a time, or the zero time if there is none.
func (c cron) next(after time.Time) time.Time {
	after = after.UTC()
	date := time.Date(after.Year(), after.Month(), after.Day(), 0, 0, 0, 0, time.UTC)
	for ; date.Year() <= maxYear; date = date.AddDate(0, 0, 1) {
		if !c.years[date.Year()] || !c.months[int(date.Month())] || !c.day(date) {
			continue
		}
		for minute := range int((24 * time.Hour).Minutes()) {
			if at := date.Add(time.Duration(minute) * time.Minute); c.hours[minute/60] && c.minutes[minute%60] &&
				at.After(after) {
				return at
			}
		}
	}
	return time.Time{}
}
