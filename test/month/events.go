package main

import (
	"container/heap"
	"context"
	"fmt"
	"time"
)

// An event is something that will happen.
type event struct {
	at     time.Time
	number int // events of the same time happen in the order in which they were scheduled
	do     func(context.Context) error
}

// A schedule has the future events, the next one first.
type schedule []event

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	if !s[i].at.Equal(s[j].at) {
		return s[i].at.Before(s[j].at)
	}
	return s[i].number < s[j].number
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }

// Push implements heap.Interface.
func (s *schedule) Push(e any) { *s = append(*s, e.(event)) }

// Pop implements heap.Interface.
func (s *schedule) Pop() any {
	last := len(*s) - 1
	e := (*s)[last]
	*s = (*s)[:last]
	return e
}

// A clock has the time and the future.
type clock struct {
	now       time.Time
	future    schedule
	scheduled int
}

// at schedules an event.
func (c *clock) at(t time.Time, do func(context.Context) error) {
	c.scheduled++
	heap.Push(&c.future, event{t, c.scheduled, do})
}

// after schedules an event.
func (c *clock) after(d time.Duration, do func(context.Context) error) { c.at(c.now.Add(d), do) }

// every schedules an event again and again, the first time now.
func (c *clock) every(d time.Duration, do func(context.Context) error) {
	var again func(context.Context) error
	again = func(ctx context.Context) error {
		c.after(d, again)
		return do(ctx)
	}
	c.after(0, again)
}

// pass makes everything happen until a time. The events run one after the other, so the outcome
// does not depend on the machine. Its error names the time of the event that failed.
func (c *clock) pass(ctx context.Context, until time.Time) error {
	for len(c.future) > 0 && !c.future[0].at.After(until) {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := heap.Pop(&c.future).(event)
		c.now = e.at
		if err := e.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", c.now.Format(timeFormat), err)
		}
	}
	c.now = until
	return nil
}

const timeFormat = "Mon 2006-01-02 15:04:05 MST"
