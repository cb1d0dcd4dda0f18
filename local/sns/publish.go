package sns

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"restock/local/awsapi"
	"restock/local/sqs"
)

// maxMessageSize is the size limit of a message with its attributes, and of a batch, in bytes.
// https://docs.aws.amazon.com/general/latest/gr/sns.html
const maxMessageSize = 256 << 10

// senderID is the principal that sends what SNS delivers.
const senderID = "sns.amazonaws.com"

// Notification is a message to publish.
type Notification struct {
	Message    string
	Subject    string // optional, up to 100 characters
	Attributes map[string]sqs.MessageAttribute
}

// Publish delivers a message to the topic's subscriptions, and returns its id. The error is an *awsapi.Error that says
// which of SNS's rules the message breaks. A delivery that a queue refuses is logged and no error of the publisher's.
func (t *Topic) Publish(n Notification) (messageID string, err error) {
	if err := n.validate(); err != nil {
		return "", err
	}
	messageID = uuid.NewString()
	now := time.Now()
	subscriptions := t.Subscriptions()
	for _, sub := range subscriptions {
		log := t.service.log.With("topic", t.name, "message", messageID, "queue", sub.Queue.ARN())
		queueMessageID, err := sub.deliver(n, messageID, now)
		if err != nil {
			log.Warn("topic could not deliver a message", "error", err)
			continue
		}
		log.Debug("message delivered", "queueMessage", queueMessageID)
	}
	t.service.log.Info("message published", "topic", t.name, "message", messageID, "subject", n.Subject, "subscriptions", len(subscriptions))
	return messageID, nil
}

// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func (n Notification) validate() error {
	switch {
	case n.Message == "":
		return invalidParameter("Empty message")
	case n.size() > maxMessageSize:
		return invalidParameter("Message too long")
	case utf8.RuneCountInString(n.Subject) > 100 || strings.ContainsFunc(n.Subject, unicode.IsControl):
		return invalidParameter("Subject")
	}
	for name, a := range n.Attributes {
		if err := a.Validate(name); err != nil {
			return awsapi.Errorf("ParameterValueInvalid", "Invalid parameter: %s", err)
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

func (sub Subscription) deliver(n Notification, messageID string, now time.Time) (queueMessageID string, err error) {
	out := sqs.SendInput{Body: n.Message, Attributes: n.Attributes, SenderID: senderID}
	if !sub.RawMessageDelivery {
		wrapped, err := sub.wrap(n, messageID, now)
		if err != nil {
			return "", err
		}
		out.Body, out.Attributes = wrapped, nil
	}
	return sub.Queue.Send(out)
}

// envelope is the notification as subscribers without raw delivery get it. The signature is empty: only SNS can sign.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html#http-notification-json
type envelope struct {
	Type              string
	MessageID         string `json:"MessageId"`
	TopicARN          string `json:"TopicArn"`
	Subject           string `json:",omitempty"`
	Message           string
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string
	UnsubscribeURL    string
	MessageAttributes map[string]envelopeAttribute `json:",omitempty"`
}

type envelopeAttribute struct{ Type, Value string }

func (sub Subscription) wrap(n Notification, messageID string, now time.Time) (string, error) {
	region := strings.Split(sub.TopicARN, ":")[3]
	e := envelope{
		Type:              "Notification",
		MessageID:         messageID,
		TopicARN:          sub.TopicARN,
		Subject:           n.Subject,
		Message:           n.Message,
		Timestamp:         now.UTC().Format("2006-01-02T15:04:05.000Z"),
		SignatureVersion:  "1",
		SigningCertURL:    fmt.Sprintf("https://sns.%s.amazonaws.com/SimpleNotificationService.pem", region),
		UnsubscribeURL:    fmt.Sprintf("https://sns.%s.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=%s", region, url.QueryEscape(sub.ARN)),
		MessageAttributes: map[string]envelopeAttribute{},
	}
	for name, a := range n.Attributes {
		value := a.StringValue
		if strings.HasPrefix(a.DataType, "Binary") {
			value = base64.StdEncoding.EncodeToString(a.BinaryValue)
		}
		e.MessageAttributes[name] = envelopeAttribute{Type: a.DataType, Value: value}
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return "", fmt.Errorf("writing the envelope of message %s: %w", messageID, err)
	}
	return strings.TrimSuffix(body.String(), "\n"), nil
}
