package sqs

import (
	"container/heap"
	"context"
	"regexp"
	"time"

	"github.com/google/uuid"

	"restock/local/aws/awsapi"
	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// Limits of the API. The limit of messages in flight is per queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	maxVisibilityTimeout = 12 * time.Hour
	maxDelay             = 15 * time.Minute
	maxWait              = 20 * time.Second
	maxBatch             = 10
	maxInFlight          = 120_000
	purgeInterval        = time.Minute // between two purges
	deletionInterval     = time.Minute // after the deletion of a queue, before its name may be used again
)

// Queue is a standard queue.
type Queue struct {
	service  *Service
	name     string
	arn, url string
	created  time.Time

	// The following fields are guarded by service.mu.

	config   QueueConfig
	tags     tags
	modified time.Time // last change of config
	deleted  bool
	messages map[string]*message // all messages, by key
	order    visibilityHeap      // the same messages; the first to become visible is on top
	arrivals int                 // counts pushes, to order messages of the same instant
	changed  chan struct{}       // closed and replaced when waiting receivers must look again
	purged   time.Time
}

// ARN returns the queue's Amazon Resource Name.
func (q *Queue) ARN() string { return q.arn }

// URL returns the queue's URL.
func (q *Queue) URL() string { return q.url }

// Name returns the queue's name.
func (q *Queue) Name() string { return q.name }

// Config returns the queue's current attributes.
func (q *Queue) Config() QueueConfig {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	return q.config
}

// VisibilityTimeout returns the time for which a received message is hidden from other receivers.
func (q *Queue) VisibilityTimeout() time.Duration { return q.Config().VisibilityTimeout }

// SendInput is a message to send.
type SendInput struct {
	Body       string
	Attributes map[string]MessageAttribute
	// TraceHeader is the AWS X-Ray trace of the sender. GroupID is the tenant of the message in a
	// fair queue. Both may be "".
	TraceHeader, GroupID string
	// Delay hides the new message for a time; nil means the queue's delay.
	Delay *time.Duration
	// SenderID is the sender: an account, a user, a role's session or a service.
	SenderID string
}

// Send adds a message to the queue and returns its id. If the message breaks a rule of SQS, the
// error is an *awsapi.Error that names the rule.
func (q *Queue) Send(in SendInput) (messageID string, err error) {
	return q.SendContext(context.Background(), in)
}

// SendContext is like Send, and logs with the sender's context.
func (q *Queue) SendContext(ctx context.Context, in SendInput) (messageID string, err error) {
	span := in.span(ctx)
	id, err := q.accept(in, span)
	if err != nil {
		return "", err
	}
	q.service.log.DebugContext(ctx, "message sent", events.MessageSent.Attr(),
		"queue", q.name, "message", id, "sender", in.SenderID, "bytes", len(in.Body),
		"body", RedactQueries(in.Body), traceid.Attr(span))
	return id, nil
}

// span returns the span of sending a message. The message's trace header overrides the context.
func (in SendInput) span(ctx context.Context) traceid.Span {
	if _, known := traceid.From(ctx); !known || in.TraceHeader != awsapi.TraceHeader(ctx) {
		if sender, ok := traceid.Parse(in.TraceHeader); ok {
			return sender.Child()
		}
	}
	return traceid.Start(ctx)
}

var query = regexp.MustCompile(`(https?://[^\s"'?<>]*\?)[^\s"'<>]+`)

// RedactQueries returns a message's body for people. It cuts off the queries of URLs, because
// these may be signed: whoever reads one could use it.
func RedactQueries(body string) string { return query.ReplaceAllString(body, "${1}…") }

func (q *Queue) accept(in SendInput, span traceid.Span) (id string, err error) {
	now := time.Now()
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.deleted {
		return "", queueDoesNotExist()
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

		traceHeader: in.TraceHeader,
		groupID:     in.GroupID,
		span:        span,
	})
	q.announce()
	return id, nil
}

// Delete deletes a received message. If the receipt handle is not the message's latest, or the
// message is gone, Delete does nothing and returns no error, as on SQS.
func (q *Queue) Delete(receiptHandle string) error {
	key, receipt, err := q.parseReceiptHandle(receiptHandle)
	if err != nil {
		return err
	}
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.deleted {
		return queueDoesNotExist()
	}
	if m := q.messages[key]; m != nil && m.receipt == receipt {
		q.remove(m)
	}
	return nil
}

// ChangeVisibility hides a received message for another timeout that begins now. With 0 the message
// becomes visible at once. After the visibility timeout, the change "might result in an error",
// says the documentation (read on 2026-11-28). AWS accepted it (LocalStack's sqs/test_sqs,
// validated on 2024-04-30: test_change_message_visibility_after_visibility_timeout_expiration). So
// the error is for a handle of a former receive.
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
		return queueDoesNotExist()
	case m == nil || q.expired(m, now):
		return invalidParameter(
			"Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for "+
				"visibility timeout change.", receiptHandle)
	case m.receipt != receipt:
		return messageNotInflight(m.id)
	case now.Add(timeout).Sub(m.receivedAt) > maxVisibilityTimeout:
		return invalidParameter("Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	m.visibleAt = now.Add(timeout)
	heap.Fix(&q.order, m.index)
	q.announce()
	return nil
}

// Purge deletes all messages, including those in flight. As on SQS, it fails within a minute of the
// last purge.
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
		return 0, queueDoesNotExist()
	}
	if !q.purged.IsZero() && now.Sub(q.purged) < purgeInterval {
		return 0, purgeInProgress(q.name)
	}
	deleted = len(q.messages)
	q.clear()
	q.purged = now
	return deleted, nil
}

// Counts are the numbers of messages in a queue, by state.
type Counts struct {
	Visible  int // can be received
	InFlight int // received, neither deleted nor visible again
	Delayed  int // sent, not visible yet
}

// Counts returns the current counts of the queue.
func (q *Queue) Counts() Counts {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	return q.count(time.Now())
}

// The methods below require the lock.

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

// announce makes the waiting receivers look again.
func (q *Queue) announce() {
	close(q.changed)
	q.changed = make(chan struct{})
}
