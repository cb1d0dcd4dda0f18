package sqs

import (
	"container/heap"
	"context"
	"time"

	"github.com/google/uuid"
)

// Limits of the API and, of messages in flight, of a queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	maxVisibilityTimeout = 12 * time.Hour
	maxDelay             = 15 * time.Minute
	maxWait              = 20 * time.Second
	maxBatch             = 10
	maxInFlight          = 120_000
	purgeInterval        = time.Minute // between two purges
	deletionInterval     = time.Minute // before a deleted queue's name may be used again
)

// Queue is a standard queue.
type Queue struct {
	service  *Service
	name     string
	arn, url string
	created  time.Time

	// What follows is guarded by service.mu.

	config   QueueConfig
	modified time.Time // when config last was
	deleted  bool
	messages map[string]*message // all there are, by key
	order    visibilityHeap      // the same, the one that is visible first on top
	arrivals int                 // counts pushes, to order messages of the same instant
	changed  chan struct{}       // closed and replaced when a receiver that waits must look again
	purged   time.Time
}

// ARN returns the queue's Amazon Resource Name.
func (q *Queue) ARN() string { return q.arn }

// URL returns the queue's URL.
func (q *Queue) URL() string { return q.url }

// Name returns the queue's name.
func (q *Queue) Name() string { return q.name }

// Config returns the queue's attributes as they are now.
func (q *Queue) Config() QueueConfig {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	return q.config
}

// VisibilityTimeout returns how long a received message is hidden from other receivers.
func (q *Queue) VisibilityTimeout() time.Duration { return q.Config().VisibilityTimeout }

// SendInput is a message to send.
type SendInput struct {
	Body       string
	Attributes map[string]MessageAttribute
	// Delay hides the message at first; nil is the queue's own delay.
	Delay *time.Duration
	// SenderID is who sends: an account, a user, a role's session, or a service.
	SenderID string
}

// Send adds a message to the queue and returns its id. The error is an *awsapi.Error that says which of SQS's rules the
// message breaks.
func (q *Queue) Send(in SendInput) (messageID string, err error) {
	return q.SendContext(context.Background(), in)
}

// SendContext is Send, logged in the context of who sends.
func (q *Queue) SendContext(ctx context.Context, in SendInput) (messageID string, err error) {
	id, err := q.accept(in)
	if err != nil {
		return "", err
	}
	q.service.log.DebugContext(ctx, "message sent", "queue", q.name, "message", id, "sender", in.SenderID, "body", in.Body)
	return id, nil
}

func (q *Queue) accept(in SendInput) (id string, err error) {
	now := time.Now()
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.deleted {
		return "", queueDoesNotExist(q.name)
	}
	delay := q.config.Delay
	if in.Delay != nil {
		delay = *in.Delay
	}
	if err := in.validate(delay, q.config.MaximumMessageSize); err != nil {
		return "", err
	}
	id = uuid.NewString()
	q.push(&message{
		key:        id,
		id:         id,
		body:       in.Body,
		attributes: in.Attributes,
		senderID:   in.SenderID,
		sentAt:     now,
		visibleAt:  now.Add(delay),
	})
	q.announce()
	return id, nil
}

// Delete removes a received message for good. A receipt handle that is not the message's latest, or whose message is
// gone, deletes nothing and is no error, as on SQS.
func (q *Queue) Delete(receiptHandle string) error {
	key, receipt, err := q.parseReceiptHandle(receiptHandle)
	if err != nil {
		return err
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.deleted {
		return queueDoesNotExist(q.name)
	}
	if m := q.messages[key]; m != nil && m.receipt == receipt {
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
	key, receipt, err := q.parseReceiptHandle(receiptHandle)
	if err != nil {
		return err
	}
	now := time.Now()
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	m := q.messages[key]
	switch {
	case q.deleted:
		return queueDoesNotExist(q.name)
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
	q.service.log.Info("queue purged", "queue", q.name, "messages", deleted)
	return nil
}

func (q *Queue) purge(now time.Time) (deleted int, err error) {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.deleted {
		return 0, queueDoesNotExist(q.name)
	}
	if !q.purged.IsZero() && now.Sub(q.purged) < purgeInterval {
		return 0, purgeInProgress(q.name)
	}
	deleted = len(q.messages)
	q.clear()
	q.purged = now
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
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	return q.count(time.Now())
}

// The rest must be called with the lock held.

func (q *Queue) count(now time.Time) Counts {
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

func (q *Queue) expired(m *message, now time.Time) bool {
	return now.Sub(m.sentAt) >= q.config.MessageRetentionPeriod
}

func (q *Queue) push(m *message) {
	q.arrivals++
	m.arrival = q.arrivals
	q.messages[m.key] = m
	heap.Push(&q.order, m)
}

func (q *Queue) remove(m *message) {
	delete(q.messages, m.key)
	heap.Remove(&q.order, m.index)
}

func (q *Queue) clear() {
	clear(q.messages)
	q.order = nil
}

// announce wakes the receivers that wait, to look again.
func (q *Queue) announce() {
	close(q.changed)
	q.changed = make(chan struct{})
}
