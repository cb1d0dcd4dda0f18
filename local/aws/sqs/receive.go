package sqs

import (
	"context"
	"log/slog"
	"time"

	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// ReceiveOptions are the parameters of a receive.
type ReceiveOptions struct {
	// MaxMessages is 1 to 10; 0 means 1.
	MaxMessages int
	// Wait is the time to wait for the first message, 0 to 20 seconds; nil means the queue's own
	// wait time.
	Wait *time.Duration
	// VisibilityTimeout hides the received messages, 0 to 12 hours; nil means the queue's own.
	VisibilityTimeout *time.Duration
}

// Receive returns visible messages and hides them from other receivers for the visibility timeout.
// If there is none, it waits for the first one, and returns nothing when the wait is over. If ctx
// ends earlier, it returns ctx's error. Other errors are an *awsapi.Error, for example OverLimit
// when 120,000 messages are in flight and the call does not wait.
func (q *Queue) Receive(ctx context.Context, options ReceiveOptions) ([]Message, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	wait := q.Config().ReceiveMessageWaitTime
	if options.Wait != nil {
		wait = *options.Wait
	}

	deadline := time.Now().Add(wait)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err // a receiver that has left must not take messages
		}
		now := time.Now()
		look, err := q.look(now, options)
		if err != nil {
			return nil, err
		}
		look.log(q.service.log.With("queue", q.name))
		switch {
		case len(look.received) > 0:
			return look.received, nil
		case look.full && wait == 0 && q.fifo == nil: // a FIFO queue returns no error
			return nil, overLimit(q.service.maxInFlight)
		case !now.Before(deadline):
			return nil, nil
		}
		next := deadline
		if look.next.Before(deadline) {
			next = look.next
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-timer.C:
		case <-look.changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// look is the result of one look at a queue.
type look struct {
	received []Message
	redriven []Message // moved to the dead-letter queue
	target   string    // the dead-letter queue's name, if redriven is not empty
	kept     []Message // received once more, because the dead-letter queue is gone
	full     bool      // too many messages are in flight to receive another

	next    time.Time       // when to look again
	changed <-chan struct{} // closed when to look again before that
}

// never is later than any deadline.
const never = 100 * 365 * 24 * time.Hour

// look receives messages. It also drops messages past their retention, and redrives messages that
// were received too often.
func (q *Queue) look(now time.Time, options ReceiveOptions) (look, error) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.deleted {
		return look{}, queueDoesNotExist()
	}
	l := look{changed: q.changed, next: now.Add(never)}
	limit := min(max(options.MaxMessages, 1), q.room(now))
	if limit <= 0 {
		l.full = true
		l.next = now.Add(time.Second) // the number in flight may fall as time passes, without a call
		return l, nil
	}
	visibility := q.config.VisibilityTimeout // read now: SetQueueAttributes may have changed it during the wait
	if options.VisibilityTimeout != nil {
		visibility = *options.VisibilityTimeout
	}
	l.take(q, now, limit, visibility)
	if len(q.order) > 0 {
		l.next = q.order[0].visibleAt
	}
	return l, nil
}

// log requires that the caller does not hold the lock, as does every call of code outside the
// queue.
func (l look) log(log *slog.Logger) {
	for _, m := range l.redriven {
		log.Warn("message moved to the dead-letter queue", events.MessageDeadLettered.Attr(),
			"message", m.ID, "receives", m.ReceiveCount, "dead_letter_queue", l.target, traceid.Attr(m.Span.Child()))
	}
	for _, m := range l.kept {
		log.Warn("message stays: its dead-letter queue does not exist any more", "message", m.ID,
			"receives", m.ReceiveCount)
	}
}

// The methods below require the lock.

// room returns how many more messages may be in flight.
func (q *Queue) room(now time.Time) int {
	if len(q.messages) <= q.service.maxInFlight {
		return q.service.maxInFlight // the queue has too few messages to exceed the limit
	}
	return q.service.maxInFlight - q.count(now).InFlight
}

func (l *look) take(q *Queue, now time.Time, limit int, visibility time.Duration) {
	target := q.deadLetterQueue()
	var taken []*message
	for m := q.firstAfter(nil, now); m != nil && len(taken) < limit; m = q.firstAfter(m, now) {
		q.remove(m)
		tooOften := q.config.RedrivePolicy != nil && m.receivesHere >= q.config.RedrivePolicy.MaxReceiveCount
		switch {
		case q.expired(m, now):
		case tooOften && target != nil:
			q.redrive(m, target, now)
			l.redriven, l.target = append(l.redriven, q.view(m)), target.name
		default:
			m.receive(now, visibility)
			taken = append(taken, m)
			if tooOften {
				l.kept = append(l.kept, q.view(m))
			}
		}
	}
	for _, m := range taken {
		// Only now: with a visibility timeout of 0 it is visible at once, but not for this receive.
		if q.fifo != nil {
			q.put(m) // before the later messages of its group
		} else {
			q.push(m)
		}
		l.received = append(l.received, q.view(m))
		if rate := q.duplicateRate(); rate > 0 && !m.duplicated && q.service.config.Random() < rate {
			q.push(m.duplicate(now))
			q.announce()
		}
	}
}

// firstAfter returns the visible message that comes next after a message that the receive has
// removed, or nil. As SQS, a FIFO queue takes as many messages of one group as possible.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
func (q *Queue) firstAfter(removed *message, now time.Time) *message {
	if q.fifo != nil && removed != nil {
		if group := q.fifo.groups[removed.groupID]; len(group) > 0 && !group[0].visibleAt.After(now) {
			return group[0]
		}
	}
	if len(q.order) > 0 && !q.order[0].visibleAt.After(now) {
		return q.order[0]
	}
	return nil
}

// duplicateRate returns the share of messages that are delivered twice. A FIFO queue delivers none
// twice.
func (q *Queue) duplicateRate() float64 {
	if q.fifo != nil {
		return 0
	}
	return q.service.config.DuplicateRate
}
