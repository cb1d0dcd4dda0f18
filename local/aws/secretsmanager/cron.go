package secretsmanager

import (
	"regexp"
	"time"

	eventbridge "restock/infra/schedule"
)

// cron opens windows at the hours of a cron expression.
type cron struct {
	eventbridge.Expression
	windowHours int
}

// cronExpression matches cron(Minutes Hours Day-of-month Month Day-of-week Year). Secrets Manager
// has the fields of EventBridge, but requires 0 for the minutes and * for the year, and has no W.
// It does not say whether a range may begin above its end, as EventBridge's may.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html#rotate-secrets_schedule-cron
var cronExpression = regexp.MustCompile(`^cron\(0 \S+ [^\sW]+ \S+ \S+ \*\)$`)

func newCron(expression string, windowHours int) (schedule, error) {
	if !cronExpression.MatchString(expression) {
		return nil, invalidParameter(
			"RotationRules.ScheduleExpression %s is neither rate(n hours), rate(n days) nor cron(0 hours "+
				"day-of-month month day-of-week *).", expression)
	}
	parsed, err := eventbridge.Parse(expression)
	if err != nil {
		return nil, invalidParameter("RotationRules.ScheduleExpression %s is not an expression like "+
			"cron(0 8 1,15 * ? *): one of day-of-month and day-of-week must be ?, and one must not.", expression)
	}
	now := time.Now()
	if next := parsed.Next(now); next.IsZero() || next.After(now.AddDate(1, 0, 1)) {
		return nil, invalidParameter("RotationRules.ScheduleExpression %s names no day of the coming year.", expression)
	}
	hours := append(parsed.Hours(), dayHours)
	for i, hour := range hours[:len(hours)-1] {
		if hour+windowHours > hours[i+1] {
			return nil, invalidParameter(
				"RotationRules.Duration: a window of %d hours that opens at %d:00 extends into the next window or the "+
					"next day.", windowHours, hour)
		}
	}
	return cron{parsed, windowHours}, nil
}

func (c cron) window(after time.Time) (opens, closes time.Time) {
	opens = c.Next(after)
	if opens.IsZero() {
		return opens, opens
	}
	hours := c.windowHours
	switch {
	case hours != 0:
	case len(c.Hours()) > 1: // a schedule in hours
		hours = 1
	default:
		hours = dayHours - opens.Hour()
	}
	return opens, opens.Add(time.Duration(hours) * time.Hour)
}
