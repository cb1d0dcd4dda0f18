package sqs

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/local/aws/traceid"
)

// Message is a message as a receiver sees it.
type Message struct {
	ID            string
	ReceiptHandle string // of this receive
	Body          string
	Attributes    map[string]MessageAttribute

	SenderID         string
	SentAt           time.Time
	FirstReceivedAt  time.Time
	ReceivedAt       time.Time // by this receive
	ReceiveCount     int       // across all queues, including this receive
	DeadLetterSource string    // ARN of the queue from which it was redriven, or ""
	TraceHeader      string    // the AWS X-Ray trace of its sender, or ""
	GroupID          string    // its message group in a FIFO queue or a fair queue, or ""

	DeduplicationID, SequenceNumber string // in a FIFO queue; otherwise ""

	Span traceid.Span // of sending it; receivers do not see it
}

// SystemAttributes returns the attributes that SQS adds to a message, by the API's names. Times are
// in milliseconds since 1970.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
func (m Message) SystemAttributes() map[string]string {
	attributes := map[string]string{
		"SenderId":                         m.SenderID,
		"SentTimestamp":                    strconv.FormatInt(m.SentAt.UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.ReceiveCount),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.FirstReceivedAt.UnixMilli(), 10),
	}
	for name, value := range map[string]string{
		"DeadLetterQueueSourceArn": m.DeadLetterSource, traceHeader: m.TraceHeader, "MessageGroupId": m.GroupID,
		"MessageDeduplicationId": m.DeduplicationID, "SequenceNumber": m.SequenceNumber,
	} {
		if value != "" {
			attributes[name] = value
		}
	}
	return attributes
}

// message is a message as its queue stores it.
type message struct {
	key        string // identifies this copy within the queue
	id         string
	body       string
	attributes map[string]MessageAttribute // never changed, so copies share it
	senderID   string

	traceHeader, groupID, deduplicationID string // "" if the sender did not set it
	span                                  traceid.Span

	sentAt          time.Time
	receivedAt      time.Time // by the last receive
	firstReceivedAt time.Time
	visibleAt       time.Time // hidden before this time

	receipt          string // of the last receive from this queue; "" before the first
	receives         int    // across all queues
	receivesHere     int    // from this queue
	deadLetterSource string
	duplicated       bool // a second copy exists, or this is one

	arrival int // orders messages that become visible at the same time
	index   int // position in the queue's heap
}

func (m *message) receive(now time.Time, visibility time.Duration) {
	if m.firstReceivedAt.IsZero() {
		m.firstReceivedAt = now
	}
	m.receivedAt, m.visibleAt = now, now.Add(visibility)
	m.receipt = uuid.NewString()
	m.receives++
	m.receivesHere++
}

// duplicate returns a second copy of a received message. The copy is visible now.
func (m *message) duplicate(now time.Time) *message {
	m.duplicated = true
	second := *m
	second.key, second.visibleAt, second.receipt = uuid.NewString(), now, ""
	return &second
}

func (q *Queue) view(m *message) Message {
	view := Message{
		ID:               m.id,
		ReceiptHandle:    q.receiptHandle(m),
		Body:             m.body,
		Attributes:       m.attributes,
		SenderID:         m.senderID,
		SentAt:           m.sentAt,
		FirstReceivedAt:  m.firstReceivedAt,
		ReceivedAt:       m.receivedAt,
		ReceiveCount:     m.receives,
		DeadLetterSource: m.deadLetterSource,
		TraceHeader:      m.traceHeader,
		GroupID:          m.groupID,
		DeduplicationID:  m.deduplicationID,
		Span:             m.span,
	}
	if q.fifo != nil {
		view.SequenceNumber = SequenceNumber(m.arrival)
	}
	return view
}

// receiptHandle identifies the queue, the message's copy and the receive. Callers must not
// interpret it.
func (q *Queue) receiptHandle(m *message) string {
	return base64.StdEncoding.EncodeToString([]byte(q.arn + " " + m.key + " " + m.receipt))
}

func (q *Queue) parseReceiptHandle(handle string) (key, receipt string, err error) {
	if handle == "" {
		return "", "", missingParameter("ReceiptHandle")
	}
	decoded, err := base64.StdEncoding.DecodeString(handle)
	parts := strings.Split(string(decoded), " ")
	if err != nil || len(parts) != 3 || parts[0] != q.arn {
		return "", "", receiptHandleIsInvalid(handle)
	}
	return parts[1], parts[2], nil
}

// visibilityHeap is a heap.Interface of messages. It orders them by the time when they become
// visible, then by arrival.
type visibilityHeap []*message

func (h visibilityHeap) Len() int { return len(h) }

func (h visibilityHeap) Less(i, j int) bool {
	if c := h[i].visibleAt.Compare(h[j].visibleAt); c != 0 {
		return c < 0
	}
	return h[i].arrival < h[j].arrival
}

func (h visibilityHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *visibilityHeap) Push(x any) {
	m := x.(*message)
	m.index = len(*h)
	*h = append(*h, m)
}

func (h *visibilityHeap) Pop() any {
	last := len(*h) - 1
	m := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return m
}
