package sqs

import (
	"context"
	"slices"
	"strings"
	"time"

	"restock/local/aws/awsapi"
)

type sendMessageInput struct {
	QueueURL string `json:"QueueUrl"`
	outgoingMessage
}

// outgoingMessage is a message of SendMessage or of a batch.
type outgoingMessage struct {
	MessageBody       string
	DelaySeconds      *int
	MessageAttributes map[string]MessageAttribute
}

type sendMessageOutput struct {
	MessageID              string `json:"MessageId"`
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
}

func (s *Service) sendMessage(ctx context.Context, in sendMessageInput) (sendMessageOutput, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return sendMessageOutput{}, err
	}
	return q.send(ctx, in.outgoingMessage)
}

func (q *Queue) send(ctx context.Context, m outgoingMessage) (sendMessageOutput, error) {
	id, err := q.SendContext(ctx, SendInput{
		Body:       m.MessageBody,
		Attributes: m.MessageAttributes,
		Delay:      duration(m.DelaySeconds),
		SenderID:   q.service.config.SenderID(awsapi.AccessKeyID(ctx)),
	})
	if err != nil {
		return sendMessageOutput{}, err
	}
	return sendMessageOutput{
		MessageID:              id,
		MD5OfMessageBody:       BodyMD5(m.MessageBody),
		MD5OfMessageAttributes: AttributesMD5(m.MessageAttributes),
	}, nil
}

type receiveMessageInput struct {
	QueueURL                    string `json:"QueueUrl"`
	MaxNumberOfMessages         *int
	WaitTimeSeconds             *int
	VisibilityTimeout           *int
	MessageAttributeNames       []string
	MessageSystemAttributeNames []string
	AttributeNames              []string // the former name of MessageSystemAttributeNames
}

// systemAttributes are the attributes that a receiver may request. No message in this package has
// the last five.
var systemAttributes = []string{
	"All", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "DeadLetterQueueSourceArn", "SenderId",
	"SentTimestamp",
	"AWSTraceHeader", "MessageDeduplicationId", "MessageGroupId", "SequenceNumber", "SqsManagedSseEnabled",
}

type receiveMessageOutput struct {
	Messages []receivedMessage `json:",omitempty"`
}

type receivedMessage struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             map[string]string           `json:",omitempty"`
	MessageAttributes      map[string]MessageAttribute `json:",omitempty"`
	MD5OfMessageAttributes string                      `json:",omitempty"`
}

func (s *Service) receiveMessage(ctx context.Context, in receiveMessageInput) (receiveMessageOutput, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return receiveMessageOutput{}, err
	}
	limit := 1
	if in.MaxNumberOfMessages != nil {
		limit = *in.MaxNumberOfMessages
	}
	if limit < 1 {
		return receiveMessageOutput{}, outOfRange("MaxNumberOfMessages", limit, 1, maxBatch)
	}
	systemNames := slices.Concat(in.MessageSystemAttributeNames, in.AttributeNames)
	for _, name := range systemNames {
		if !slices.Contains(systemAttributes, name) {
			return receiveMessageOutput{}, invalidAttributeName(name)
		}
	}
	messages, err := q.Receive(ctx, ReceiveOptions{
		MaxMessages:       limit,
		Wait:              duration(in.WaitTimeSeconds),
		VisibilityTimeout: duration(in.VisibilityTimeout),
	})
	if err != nil {
		return receiveMessageOutput{}, err
	}
	var out receiveMessageOutput
	for _, m := range messages {
		attributes := pick(m.Attributes, in.MessageAttributeNames)
		out.Messages = append(out.Messages, receivedMessage{
			MessageID:              m.ID,
			ReceiptHandle:          m.ReceiptHandle,
			Body:                   m.Body,
			MD5OfBody:              BodyMD5(m.Body),
			Attributes:             pick(m.SystemAttributes(), systemNames),
			MessageAttributes:      attributes,
			MD5OfMessageAttributes: AttributesMD5(attributes),
		})
	}
	return out, nil
}

// pick returns the attributes that match the names. A name is an attribute's name, "All", or a
// prefix such as "bar.*".
func pick[V any](attributes map[string]V, names []string) map[string]V {
	picked := map[string]V{}
	for key, value := range attributes {
		for _, name := range names {
			prefix, isPrefix := strings.CutSuffix(name, ".*")
			if name == "All" || name == key || isPrefix && strings.HasPrefix(key, prefix) {
				picked[key] = value
			}
		}
	}
	return picked
}

type deleteMessageInput struct {
	QueueURL      string `json:"QueueUrl"`
	ReceiptHandle string
}

func (s *Service) deleteMessage(_ context.Context, in deleteMessageInput) (none, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return none{}, err
	}
	return none{}, q.Delete(in.ReceiptHandle)
}

type changeMessageVisibilityInput struct {
	QueueURL string `json:"QueueUrl"`
	visibilityChange
}

// visibilityChange is a change of ChangeMessageVisibility or of a batch.
type visibilityChange struct {
	ReceiptHandle     string
	VisibilityTimeout *int
}

func (s *Service) changeMessageVisibility(_ context.Context, in changeMessageVisibilityInput) (none, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return none{}, err
	}
	return none{}, q.changeVisibility(in.visibilityChange)
}

func (q *Queue) changeVisibility(c visibilityChange) error {
	if c.VisibilityTimeout == nil {
		return missingParameter("VisibilityTimeout")
	}
	return q.ChangeVisibility(c.ReceiptHandle, *duration(c.VisibilityTimeout))
}

// maxSeconds exceeds every allowed number of seconds, and fits in a time.Duration.
const maxSeconds = 1 << 32

// duration converts a number of seconds; nil stays nil. A number out of range stays out of range.
func duration(seconds *int) *time.Duration {
	if seconds == nil {
		return nil
	}
	return new(time.Duration(max(-maxSeconds, min(*seconds, maxSeconds))) * time.Second)
}
