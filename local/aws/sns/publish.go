package sns

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// maxMessageSize limits a message with its attributes, and a batch, in bytes.
// https://docs.aws.amazon.com/general/latest/gr/sns.html
const maxMessageSize = 256 << 10

// senderID is the principal in SNS's calls to SQS.
const senderID = "sns.amazonaws.com"

// Notification is a message to publish.
type Notification struct {
	Message    string
	Subject    string // optional, up to 100 characters
	Attributes map[string]sqs.MessageAttribute

	// GroupID is the message group in a FIFO topic, which requires it, or the tenant of the
	// message, for a fair queue, or "".
	GroupID string
	// DeduplicationID identifies duplicates in a FIFO topic. With "", a FIFO topic with
	// ContentBasedDeduplication uses the SHA-256 of the message.
	DeduplicationID string

	signatureVersion string // of the topic
	sequenceNumber   string // "" in a standard topic
}

// Publish delivers a message to the topic's subscriptions and returns its id. If the message breaks
// a rule of SNS, the error is an *awsapi.Error that names the rule. A failed delivery is logged;
// the publisher gets no error.
func (t *Topic) Publish(n Notification) (messageID string, err error) {
	return t.PublishContext(context.Background(), n)
}

// PublishContext is Publish with the context of the publishing call.
func (t *Topic) PublishContext(ctx context.Context, n Notification) (messageID string, err error) {
	p, err := t.publish(ctx, n)
	return p.id, err
}

// published is what a publisher learns about its message.
type published struct {
	id             string
	sequenceNumber string // "" in a standard topic
}

func (t *Topic) publish(ctx context.Context, n Notification) (published, error) {
	config := t.settings()
	if err := n.validate(); err != nil {
		return published{}, err
	}
	if err := config.validateGroup(n); err != nil {
		return published{}, err
	}
	n.signatureVersion = config.SignatureVersion
	if t.fifo != nil {
		return t.publishInOrder(ctx, n, config.FIFOThroughputScope == scopeMessageGroup), nil
	}
	return published{id: t.deliverAll(ctx, n)}, nil
}

// deliverAll delivers a message to the topic's subscriptions.
func (t *Topic) deliverAll(ctx context.Context, n Notification) (messageID string) {
	messageID = uuid.NewString()
	now := time.Now()
	subscriptions := t.Subscriptions()
	accepting := make([]Subscription, 0, len(subscriptions))
	for _, sub := range subscriptions {
		if sub.accepts(n) {
			accepting = append(accepting, sub)
		}
	}
	span := traceid.Start(ctx)
	t.service.log.InfoContext(ctx, "message published", events.MessagePublished.Attr(),
		"topic", t.name, "message", messageID, "subject", n.Subject,
		"subscriptions", len(subscriptions), "filtered", len(subscriptions)-len(accepting), traceid.Attr(span))
	ctx = traceid.With(ctx, span)
	t.warnOfLoss(ctx, n, messageID, subscriptions, accepting)
	for _, sub := range accepting {
		t.service.deliver(ctx, sub, n, messageID, now)
	}
	return messageID
}

// deliver sends a message to the subscription's queue. If that fails, it sends it to the
// dead-letter queue, and if that fails too, the message is lost.
func (s *Service) deliver(ctx context.Context, sub Subscription, n Notification, messageID string, now time.Time) {
	if sub.FunctionARN != "" {
		s.invoke(ctx, sub, n, messageID, now)
		return
	}
	log := s.log.With("topic", sub.TopicARN, "message", messageID, "queue", sub.QueueARN)
	out, err := sub.write(n, messageID, now)
	out.TraceHeader = awsapi.TraceHeader(ctx)
	if err != nil {
		log.Error("message could not be written: it is lost", events.MessageLost.Attr(), "error", err)
		return
	}
	sentID, refused := s.send(ctx, sub.TopicARN, sub.QueueARN, out)
	switch {
	case refused == nil:
		log.DebugContext(ctx, "message delivered", events.MessageDelivered.Attr(), "queue_message", sentID)
		return
	case sub.DeadLetterQueueARN == "":
		log.Warn("message could not be delivered: it is lost, for the subscription has no dead-letter queue",
			events.MessageLost.Attr(), "error", refused)
		return
	}
	log = log.With("error", refused, "dead_letter_queue", sub.DeadLetterQueueARN)
	if _, err := s.send(ctx, sub.TopicARN, sub.DeadLetterQueueARN, out); err != nil {
		log.Warn("message could not be delivered, nor sent to the dead-letter queue: it is lost",
			events.MessageLost.Attr(), "dead_letter_error", err)
		return
	}
	log.Warn("message could not be delivered: it is in the subscription's dead-letter queue",
		events.MessageSetAside.Attr())
}

func (s *Service) send(ctx context.Context, topicARN, queueARN string,
	out sqs.SendInput) (messageID string, err error) {
	if s.config.AuthorizeDelivery != nil {
		if err := s.config.AuthorizeDelivery(topicARN, queueARN); err != nil {
			return "", err
		}
	}
	queue := s.config.Queues.Queue(queueARN)
	if queue == nil {
		return "", fmt.Errorf("there is no queue %s", queueARN)
	}
	// A FIFO topic passes neither id on to a standard queue. A standard topic passes the group on,
	// for fair queues.
	// https://docs.aws.amazon.com/sns/latest/dg/fifo-message-grouping.html
	if strings.HasSuffix(topicARN, fifoSuffix) && !strings.HasSuffix(queueARN, fifoSuffix) {
		out.GroupID, out.DeduplicationID = "", ""
	}
	return queue.SendContext(ctx, out)
}

// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func (n Notification) validate() error {
	switch {
	case n.Message == "":
		return invalidParameter("Empty message")
	case n.size() > maxMessageSize:
		return errTooLong
	case utf8.RuneCountInString(n.Subject) > 100 || strings.ContainsFunc(n.Subject, unicode.IsControl):
		return invalidParameter("Subject")
	}
	for name, a := range n.Attributes {
		if err := validateAttribute("", name, a); err != nil {
			return err
		}
	}
	return nil
}

func (n Notification) size() int {
	size := len(n.Message)
	for name, a := range n.Attributes {
		size += a.Size(name)
	}
	return size
}

// write returns the message for the queue.
func (sub Subscription) write(n Notification, messageID string, now time.Time) (sqs.SendInput, error) {
	out := sqs.SendInput{
		Body: n.Message, Attributes: n.Attributes, SenderID: senderID,
		GroupID: n.GroupID, DeduplicationID: n.DeduplicationID,
	}
	if sub.RawMessageDelivery {
		return out, nil
	}
	wrapped, err := sub.wrap(n, messageID, now)
	out.Body, out.Attributes = wrapped, nil
	return out, err
}

// envelope is the notification that subscribers without raw delivery get. The signature is empty,
// because only SNS can sign. FIFO topics do not sign.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html#http-notification-json
type envelope struct {
	Type              string
	MessageID         string `json:"MessageId"`
	SequenceNumber    string `json:",omitempty"`
	TopicARN          string `json:"TopicArn"`
	Subject           string `json:",omitempty"`
	Message           string
	Timestamp         string
	SignatureVersion  string  `json:",omitempty"`
	Signature         *string `json:",omitempty"`
	SigningCertURL    string  `json:",omitempty"`
	UnsubscribeURL    string
	MessageAttributes map[string]envelopeAttribute `json:",omitempty"`
}

type envelopeAttribute struct{ Type, Value string }

func (sub Subscription) wrap(n Notification, messageID string, now time.Time) (string, error) {
	return encode(sub.envelope(n, messageID, now))
}

// envelope returns the notification of a message.
func (sub Subscription) envelope(n Notification, messageID string, now time.Time) envelope {
	host := "https://sns." + strings.Split(sub.TopicARN, ":")[3] + ".amazonaws.com"
	e := envelope{
		Type:              "Notification",
		MessageID:         messageID,
		SequenceNumber:    n.sequenceNumber,
		TopicARN:          sub.TopicARN,
		Subject:           n.Subject,
		Message:           n.Message,
		Timestamp:         now.UTC().Format("2006-01-02T15:04:05.000Z"),
		UnsubscribeURL:    host + "/?Action=Unsubscribe&SubscriptionArn=" + sub.ARN,
		MessageAttributes: map[string]envelopeAttribute{},
	}
	if n.sequenceNumber == "" {
		e.SignatureVersion, e.Signature = cmp.Or(n.signatureVersion, "1"), new(string)
		e.SigningCertURL = host + "/SimpleNotificationService-00000000000000000000000000000000.pem"
	}
	for name, a := range n.Attributes {
		value := a.StringValue
		if strings.HasPrefix(a.DataType, "Binary") {
			value = base64.StdEncoding.EncodeToString(a.BinaryValue)
		}
		e.MessageAttributes[name] = envelopeAttribute{Type: a.DataType, Value: value}
	}
	return e
}

func encode(e envelope) (string, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return "", fmt.Errorf("writing the envelope of message %s: %w", e.MessageID, err)
	}
	return noncharacters.Replace(strings.TrimSuffix(body.String(), "\n")), nil
}

// noncharacters writes the two characters that encoding/json does not escape and that SQS refuses
// as escapes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
var noncharacters = strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`)
