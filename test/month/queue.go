package main

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// A queueDeclaration has the numbers of a queue in the program.
type queueDeclaration struct {
	visibility, retention time.Duration
	receives              int // maxReceiveCount
}

// The declarations of the queues. TestTheQueuesAreThoseOfTheProgram compares them with the program.
var (
	stockQueue      = queueDeclaration{visibility: time.Minute, retention: 4 * 24 * time.Hour, receives: 5}
	deliveriesQueue = queueDeclaration{visibility: 42 * time.Second, retention: 13 * 24 * time.Hour, receives: 1000}
)

// deadLettersRetention is the retention of each dead-letter queue.
const deadLettersRetention = 14 * 24 * time.Hour

// A handler is the handler of a function with a queue.
type handler func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

// A queue is a queue of SQS with its function, and the queue's dead letters.
type queue struct {
	queueDeclaration
	w      *world
	handle handler
	sent   int // messages so far
	inside int // messages in the queue, and dead ones that somebody will send back
}

// A letter is a message in a queue.
type letter struct {
	events.SQSMessage
	sent     time.Time
	receives int
}

// send sends a message, which arrives after a delay.
func (q *queue) send(m events.SQSMessage, delay time.Duration) {
	q.inside++
	q.w.after(delay, func(ctx context.Context) error { return q.arrive(ctx, m) })
}

func (q *queue) arrive(ctx context.Context, m events.SQSMessage) error {
	q.sent++
	m.MessageId = "m" + strconv.Itoa(q.sent)
	return q.deliver(ctx, &letter{SQSMessage: m, sent: q.w.now})
}

// deliver gives a message to the function. A message that the function could not handle is visible
// again after the visibility timeout.
func (q *queue) deliver(ctx context.Context, l *letter) error {
	switch {
	case q.w.now.Sub(l.sent) >= q.retention:
		q.inside--
		q.w.count("a message was deleted at the end of its retention")
		return nil
	case l.receives == q.receives:
		q.die(l)
		return nil
	}
	l.receives++
	l.Attributes = map[string]string{
		"ApproximateReceiveCount": strconv.Itoa(l.receives),
		"SentTimestamp":           strconv.FormatInt(l.sent.UnixMilli(), 10),
	}
	ctx, q.w.endInvocation = context.WithCancel(ctx)
	defer q.w.endInvocation()
	answer, err := q.handle(ctx, events.SQSEvent{Records: []events.SQSMessage{l.SQSMessage}})
	if err != nil {
		return err
	}
	if len(answer.BatchItemFailures) > 0 {
		if q == q.w.deliveries && l.receives == 1 { // the sweep may ask again before the callback is booked
			q.w.made(*l.MessageAttributes["order"].StringValue).excuses++
		}
		q.w.after(q.visibility, func(ctx context.Context) error { return q.deliver(ctx, l) })
		return nil
	}
	q.inside--
	return nil
}

// die moves a message to the dead letters. It keeps its age there: "When a message is moved to a
// dead-letter queue, the enqueue timestamp is unchanged". A person sends it back after an hour or
// after a day, or nobody does. A message that was sent back is a new one: "All redriven messages
// are considered new messages with a new messageID and enqueueTime".
//
//	https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
//	https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (q *queue) die(l *letter) {
	q.w.count("a message died")
	wait := time.Hour
	switch n := q.w.network.IntN(8); {
	case n == 0:
		q.inside--
		q.w.at(l.sent.Add(deadLettersRetention), func(context.Context) error {
			q.w.count("a message was deleted at the end of its retention")
			return nil
		})
		return
	case n < 4:
		wait = 24 * time.Hour
	}
	q.w.after(wait, func(ctx context.Context) error {
		q.w.count("a dead message was sent back")
		return q.arrive(ctx, l.SQSMessage)
	})
}
