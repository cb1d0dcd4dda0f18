package sqs

import (
	"container/heap"
	"context"
	"time"

	"github.com/google/uuid"
)

// Limits of the API.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	maxVisibilityTimeout = 12 * time.Hour
	maxDelay             = 15 * time.Minute
	maxWait              = 20 * time.Second
	maxBatch             = 10
	purgeInterval        = time.Minute
)

// Queue is a standard queue.
type Queue struct {
	service *Service
	config  QueueConfig
	arn     string
	url     string
	created time.Time

	// What follows is guarded by service.mu.

	messages map[string]*message // all there are, by message id
	order    visibilityHeap      // the same, the one that is visible first on top
	arrivals int                 // counts pushes, to order messages of the same instant
	changed  chan struct{}       // closed and replaced when a message may be visible sooner than a receiver expects
	purged   time.Time
}

// ARN returns the queue's Amazon Resource Name.
func (q *Queue) ARN() string { return q.arn }

// URL returns the queue's URL.
func (q *Queue) URL() string { return q.url }

// Name returns the queue's name.
func (q *Queue) Name() string { return q.config.Name }

// VisibilityTimeout returns how long a received message is hidden from other receivers.
func (q *Queue) VisibilityTimeout() time.Duration { return q.config.VisibilityTimeout }

// SendInput is a message to send.
type SendInput struct {
	Body       string
	Attributes map[string]MessageAttribute
	// Delay hides the message at first; nil is the queue's own delay.
	Delay *time.Duration
	// SenderID is the principal that sends: an access key id, or a service.
	SenderID string
}

// Send adds a message to the queue and returns its id. The error is an *awsapi.Error that says which of SQS's rules the
// message breaks.
func (q *Queue) Send(in SendInput) (messageID string, err error) {
	delay := q.config.Delay
	if in.Delay != nil {
		delay = *in.Delay
	}
	if err := q.validate(in, delay); err != nil {
		return "", err
	}
	now := time.Now()
	m := &message{
		id:         uuid.NewString(),
		body:       in.Body,
		attributes: in.Attributes,
		senderID:   in.SenderID,
		sentAt:     now,
		visibleAt:  now.Add(delay),
	}
	q.service.mu.Lock()
	q.push(m)
	q.announce()
	q.service.mu.Unlock()

	q.service.log.Debug("message sent", "queue", q.config.Name, "message", m.id, "sender", m.senderID, "delay", delay)
	return m.id, nil
}

// ReceiveOptions say how to receive.
type ReceiveOptions struct {
	// MaxMessages is 1 to 10; 0 means 1.
	MaxMessages int
	// Wait is how long to wait for a first message, 0 to 20 seconds; nil is the queue's own wait time.
	Wait *time.Duration
	// VisibilityTimeout hides the received messages, 0 to 12 hours; nil is the queue's own.
	VisibilityTimeout *time.Duration
}

// Receive takes messages that are visible, and hides them from other receivers for the visibility timeout. Without any it
// waits for the first, and returns none when the wait is over. It returns ctx's error if that ends first.
func (q *Queue) Receive(ctx context.Context, options ReceiveOptions) ([]Message, error) {
	wait, visibility := q.config.ReceiveMessageWaitTime, q.config.VisibilityTimeout
	if options.Wait != nil {
		wait = *options.Wait
	}
	if options.VisibilityTimeout != nil {
		visibility = *options.VisibilityTimeout
	}
	if err := validateReceive(options.MaxMessages, wait, visibility); err != nil {
		return nil, err
	}

	deadline := time.Now().Add(wait)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err // a receiver that is gone takes nothing
		}
		now := time.Now()
		q.service.mu.Lock()
		received, redriven := q.take(now, max(options.MaxMessages, 1), visibility)
		next, changed := q.nextVisible(deadline), q.changed
		q.service.mu.Unlock()

		for _, m := range redriven {
			q.service.log.Warn("message moved to the dead-letter queue", "queue", q.config.Name,
				"deadLetterQueue", q.config.RedrivePolicy.DeadLetterTargetARN, "message", m.ID, "receives", m.ReceiveCount)
		}
		if len(received) > 0 || !now.Before(deadline) {
			return received, nil
		}
		timer := time.NewTimer(time.Until(next))
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// take receives up to limit messages, drops those past their retention and redrives those received too often. It must
// be called with the lock held.
func (q *Queue) take(now time.Time, limit int, visibility time.Duration) (received, redriven []Message) {
	var taken []*message
	for len(taken) < limit && len(q.order) > 0 && !q.order[0].visibleAt.After(now) {
		m := q.order[0]
		q.remove(m)
		switch policy := q.config.RedrivePolicy; {
		case q.expired(m, now):
		case policy != nil && m.receivesHere >= policy.MaxReceiveCount:
			q.redrive(m, now)
			redriven = append(redriven, q.view(m))
		default:
			m.receive(now, visibility)
			taken = append(taken, m)
		}
	}
	for _, m := range taken {
		q.push(m) // only now: with a visibility timeout of 0 it is visible again at once, but not to this receiver
		received = append(received, q.view(m))
	}
	return received, redriven
}

// redrive, called with the lock held, moves a message to the dead-letter queue. It keeps its id, its receive count and
// the time it was sent, which its retention there is counted from.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
func (q *Queue) redrive(m *message, now time.Time) {
	target := q.service.byARN(q.config.RedrivePolicy.DeadLetterTargetARN)
	m.deadLetterSource = q.arn
	m.visibleAt, m.receipt, m.receivesHere = now, "", 0
	target.push(m)
	target.announce()
}

// nextVisible is when a receiver must look again: when the first message becomes visible, at latest at the deadline.
func (q *Queue) nextVisible(deadline time.Time) time.Time {
	if len(q.order) > 0 && q.order[0].visibleAt.Before(deadline) {
		return q.order[0].visibleAt
	}
	return deadline
}

// Delete removes a received message for good. A receipt handle that is not the message's latest, or whose message is
// gone, deletes nothing and is no error, as on SQS.
func (q *Queue) Delete(receiptHandle string) error {
	id, receipt, err := q.parseReceiptHandle(receiptHandle)
	if err != nil {
		return err
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if m := q.messages[id]; m != nil && m.receipt == receipt {
		q.remove(m)
	}
	return nil
}

// ChangeVisibility hides a message that is in flight for another timeout, from now on; 0 makes it visible at once.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func (q *Queue) ChangeVisibility(receiptHandle string, timeout time.Duration) error {
	if timeout < 0 || timeout > maxVisibilityTimeout {
		return outOfRange("VisibilityTimeout", int(timeout/time.Second), 0, int(maxVisibilityTimeout/time.Second))
	}
	id, receipt, err := q.parseReceiptHandle(receiptHandle)
	if err != nil {
		return err
	}
	now := time.Now()
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	m := q.messages[id]
	switch {
	case m == nil || q.expired(m, now):
		return invalidParameter("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", receiptHandle)
	case m.receipt != receipt || !m.visibleAt.After(now):
		return messageNotInflight(m.id)
	case now.Add(timeout).Sub(m.receivedAt) > maxVisibilityTimeout:
		return invalidParameter("Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	m.visibleAt = now.Add(timeout)
	heap.Fix(&q.order, m.index)
	q.announce()
	return nil
}

// Purge deletes all messages, also those in flight. As on SQS it is an error within a minute of the last purge.
func (q *Queue) Purge() error {
	deleted, err := q.purge(time.Now())
	if err != nil {
		return err
	}
	q.service.log.Info("queue purged", "queue", q.config.Name, "messages", deleted)
	return nil
}

func (q *Queue) purge(now time.Time) (deleted int, err error) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if !q.purged.IsZero() && now.Sub(q.purged) < purgeInterval {
		return 0, purgeInProgress(q.config.Name)
	}
	deleted = len(q.messages)
	clear(q.messages)
	q.order, q.purged = nil, now
	return deleted, nil
}

// Counts are how many messages a queue holds, by what they wait for.
type Counts struct {
	Visible  int // to be received
	InFlight int // received, neither deleted nor visible again
	Delayed  int // sent, not visible yet
}

// Counts returns the queue's counts at this moment.
func (q *Queue) Counts() Counts {
	now := time.Now()
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	var c Counts
	for _, m := range q.messages {
		switch {
		case q.expired(m, now):
			q.remove(m)
		case !m.visibleAt.After(now):
			c.Visible++
		case m.receipt != "":
			c.InFlight++
		default:
			c.Delayed++
		}
	}
	return c
}

// The rest must be called with the lock held.

func (q *Queue) expired(m *message, now time.Time) bool {
	return now.Sub(m.sentAt) >= q.config.MessageRetentionPeriod
}

func (q *Queue) push(m *message) {
	q.arrivals++
	m.arrival = q.arrivals
	q.messages[m.id] = m
	heap.Push(&q.order, m)
}

func (q *Queue) remove(m *message) {
	delete(q.messages, m.id)
	heap.Remove(&q.order, m.index)
}

// announce wakes the receivers that wait, to look again.
func (q *Queue) announce() {
	close(q.changed)
	q.changed = make(chan struct{})
}
