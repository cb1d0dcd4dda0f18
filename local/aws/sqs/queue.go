package sqs

import (
	"cmp"
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

// Queue is a standard queue, or a FIFO queue.
type Queue struct {
	service  *Service
	name     string
	arn, url string
	created  time.Time
	fifo     *fifo // nil for a standard queue; the pointer never changes

	// The following fields are guarded by service.mu.

	config   QueueConfig
	tags     tags
	modified time.Time // last change of config
	deleted  bool
	messages map[string]*message // all messages, by key
	order    visibilityHeap      // the same messages; the first to become visible is on top; see fifo.groups
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
	// TraceHeader is the AWS X-Ray trace of the sender, or "".
	TraceHeader string
	// GroupID is the message group in a FIFO queue, which requires it, or the tenant of the message
	// in a fair queue, or "".
	GroupID string
	// DeduplicationID identifies duplicates in a FIFO queue. With "", a FIFO queue with
	// ContentBasedDeduplication uses the SHA-256 of the body.
	DeduplicationID string
	// Delay hides the new message for a time; nil means the queue's delay, as always in a FIFO
	// queue.
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
	sent, err := q.sendInput(ctx, in)
	return sent.id, err
}

// sentMessage is what a sender learns about its message.
type sentMessage struct {
	id             string
	sequenceNumber string // "" in a standard queue
	duplicate      bool   // the queue has dropped the message: an earlier one has its deduplication id
}

func (q *Queue) sendInput(ctx context.Context, in SendInput) (sentMessage, error) {
	span := in.span(ctx)
	sent, err := q.accept(in, span)
	switch {
	case err != nil:
		return sentMessage{}, err
	case sent.duplicate:
		q.service.log.InfoContext(ctx, "message dropped: the queue got its deduplication id within five minutes",
			"queue", q.name, "original", sent.id, "sender", in.SenderID, traceid.Attr(span))
	default:
		q.service.log.DebugContext(ctx, "message sent", events.MessageSent.Attr(),
			"queue", q.name, "message", sent.id, "sender", in.SenderID, "bytes", len(in.Body),
			"body", RedactQueries(in.Body), traceid.Attr(span))
	}
	return sent, nil
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

func (q *Queue) accept(in SendInput, span traceid.Span) (sentMessage, error) {
	now := time.Now()
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.deleted {
		return sentMessage{}, queueDoesNotExist()
	}
	if q.fifo != nil {
		if err := q.config.validateFIFO(in); err != nil {
			return sentMessage{}, err
		}
		in.Delay = nil // a delay of 0 means the queue's too
		in.DeduplicationID = cmp.Or(in.DeduplicationID, ContentID(in.Body))
	}
	delay := q.config.Delay
	if in.Delay != nil {
		delay = *in.Delay
	}
	if err := in.validate(delay, q.config.MaximumMessageSize); err != nil {
		return sentMessage{}, err
	}
	if q.fifo != nil {
		if original, ok := q.fifo.sent.Original(in.GroupID, in.DeduplicationID, now); ok {
			original.duplicate = true
			return original, nil
		}
	}
	id := uuid.NewString()
	m := &message{
		key:        id,
		id:         id,
		body:       in.Body,
		attributes: in.Attributes,
		senderID:   in.SenderID,
		sentAt:     now,
		visibleAt:  now.Add(delay),

		traceHeader:     in.TraceHeader,
		groupID:         in.GroupID,
		deduplicationID: in.DeduplicationID,
		span:            span,
	}
	q.push(m)
	q.announce()
	sent := sentMessage{id: id}
	if q.fifo != nil {
		sent.sequenceNumber = SequenceNumber(m.arrival)
		q.fifo.sent.Remember(m.groupID, m.deduplicationID, now, sent)
	}
	return sent, nil
}

// Delete deletes a received message. If the receipt handle is not the message's latest, or the
// message is gone, Delete does nothing and returns no error, as on SQS. A FIFO queue refuses a
// handle after the message's visibility timeout (LocalStack's sqs/test_sqs, 2025-03-28:
// test_fifo_delete_after_visibility_timeout).
func (q *Queue) Delete(receiptHandle string) error {
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
	case m == nil:
		return nil
	case q.fifo != nil && (m.receipt != receipt || !m.visibleAt.After(now)):
		return receiptHandleExpired(receiptHandle)
	case m.receipt == receipt:
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
	if q.fifo == nil || q.fifo.groups[m.groupID][0] == m {
		heap.Fix(&q.order, m.index)
	}
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
	q.put(m)
}

// put adds a message at the place of its arrival.
func (q *Queue) put(m *message) {
	q.messages[m.key] = m
	if q.fifo != nil {
		q.addToGroup(m)
		return
	}
	heap.Push(&q.order, m)
}

func (q *Queue) remove(m *message) {
	delete(q.messages, m.key)
	if q.fifo != nil {
		q.removeFromGroup(m)
		return
	}
	heap.Remove(&q.order, m.index)
}

func (q *Queue) clear() {
	clear(q.messages)
	q.order = nil
	if q.fifo != nil {
		q.fifo.clear()
	}
}

// announce makes the waiting receivers look again.
func (q *Queue) announce() {
	close(q.changed)
	q.changed = make(chan struct{})
}
