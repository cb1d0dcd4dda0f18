package secretsmanager

import (
	"regexp"
	"strconv"
	"time"
)

// RotationRules define when a secret is rotated.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
type RotationRules struct {
	// AutomaticallyAfterDays is the number of days between two rotations, 1 to 1,000. It excludes
	// ScheduleExpression.
	AutomaticallyAfterDays int `json:",omitempty"`
	// Duration is the length of the rotation window, such as "3h". By default, a schedule in hours
	// has a window of one hour, and the window of a schedule in days ends with the day.
	Duration string `json:",omitempty"`
	// ScheduleExpression is rate(n hours) with at least 4 hours, rate(n days) with at most 999
	// days, or a cron expression such as cron(0 8 1,15 * ? *). Times are in UTC.
	ScheduleExpression string `json:",omitempty"`
}

// schedule defines when a secret is rotated. AWS rotates at some time in a window; this stand-in
// rotates when the window opens.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
type schedule interface {
	// window returns the first window after a time, such as the time of the last rotation.
	window(after time.Time) (opens, closes time.Time)
}

const (
	minRotationHours = 4
	maxRotationDays  = 1000 // in AutomaticallyAfterDays
	maxRateDays      = 999
	dayHours         = 24
)

var (
	rateExpression = regexp.MustCompile(`^rate\((\d{1,5}) (hour|day)s?\)$`)
	windowDuration = regexp.MustCompile(`^(\d{1,2})h$`)
)

// schedule returns the schedule of the rules, or nil if they have none.
func (r RotationRules) schedule() (schedule, error) {
	hours, err := r.windowHours()
	if err != nil {
		return nil, err
	}
	switch {
	case r.AutomaticallyAfterDays != 0 && r.ScheduleExpression != "":
		return nil, invalidParameter(
			"You can set the rotation schedule with AutomaticallyAfterDays or ScheduleExpression, but not both.")
	case r.AutomaticallyAfterDays < 0 || r.AutomaticallyAfterDays > maxRotationDays:
		return nil, invalidParameter("RotationRules.AutomaticallyAfterDays must be 1 to %d.", maxRotationDays)
	case r.AutomaticallyAfterDays != 0:
		return newDailyRate(r.AutomaticallyAfterDays, hours)
	case r.ScheduleExpression == "" && r.Duration != "":
		return nil, invalidParameter("RotationRules.Duration needs AutomaticallyAfterDays or ScheduleExpression.")
	case r.ScheduleExpression == "":
		return nil, nil
	}
	rate := rateExpression.FindStringSubmatch(r.ScheduleExpression)
	if rate == nil {
		return newCron(r.ScheduleExpression, hours)
	}
	n, err := strconv.Atoi(rate[1])
	switch {
	case err != nil:
		return nil, invalidParameter("RotationRules.ScheduleExpression %s: %s is not a number.",
			r.ScheduleExpression, rate[1])
	case rate[2] == "day" && (n < 1 || n > maxRateDays),
		rate[2] == "hour" && (n < minRotationHours || n > maxRateDays*dayHours):
		return nil, invalidParameter("RotationRules.ScheduleExpression %s: the rate must be from %d hours to %d days.",
			r.ScheduleExpression, minRotationHours, maxRateDays)
	case rate[2] == "day":
		return newDailyRate(n, hours)
	default:
		return newHourlyRate(n, hours)
	}
}

// windowHours returns the Duration in hours, or 0 if there is none.
func (r RotationRules) windowHours() (int, error) {
	if r.Duration == "" {
		return 0, nil
	}
	match := windowDuration.FindStringSubmatch(r.Duration)
	if match == nil {
		return 0, invalidParameter("RotationRules.Duration must be a number of hours such as 3h.")
	}
	hours, err := strconv.Atoi(match[1])
	if err != nil || hours < 1 || hours > dayHours {
		return 0, invalidParameter("RotationRules.Duration must be 1h to %dh.", dayHours)
	}
	return hours, nil
}

// dailyRate opens a window at midnight, days after the day of the last rotation.
type dailyRate struct{ days, windowHours int }

func newDailyRate(days, windowHours int) (schedule, error) {
	if windowHours == 0 {
		windowHours = dayHours
	}
	return dailyRate{days, windowHours}, nil
}

func (r dailyRate) window(after time.Time) (opens, closes time.Time) {
	opens = after.UTC().Truncate(dayHours*time.Hour).AddDate(0, 0, r.days)
	return opens, opens.Add(time.Duration(r.windowHours) * time.Hour)
}

// hourlyRate opens a window on the hour, hours after the hour of the last rotation.
type hourlyRate struct{ hours, windowHours int }

func newHourlyRate(hours, windowHours int) (schedule, error) {
	if windowHours > hours {
		return nil, invalidParameter(
			"RotationRules.Duration: a window of %d hours extends into the next one, which opens %d hours later.",
			windowHours, hours)
	}
	return hourlyRate{hours, max(windowHours, 1)}, nil
}

func (r hourlyRate) window(after time.Time) (opens, closes time.Time) {
	opens = after.UTC().Truncate(time.Hour).Add(time.Duration(r.hours) * time.Hour)
	return opens, opens.Add(time.Duration(r.windowHours) * time.Hour)
}
