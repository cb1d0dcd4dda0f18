package sqs

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"restock/local/aws/awsapi"
)

type sendMessageInput struct {
	queueInput
	outgoingMessage
}

// outgoingMessage is a message of SendMessage or of a batch.
type outgoingMessage struct {
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]MessageAttribute `xml:"MessageAttribute"`
	MessageSystemAttributes map[string]MessageAttribute `xml:"MessageSystemAttribute"`
	MessageGroupID          *string                     `json:"MessageGroupId" xml:"MessageGroupId"`
	MessageDeduplicationID  *string                     `json:"MessageDeduplicationId" xml:"MessageDeduplicationId"`
}

type sendMessageOutput struct {
	MessageID                    string `json:"MessageId" xml:"MessageId"`
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty" xml:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty" xml:",omitempty"`
	SequenceNumber               string `json:",omitempty" xml:",omitempty"` // of a FIFO queue
}

func (s *Service) sendMessage(ctx context.Context, in sendMessageInput) (sendMessageOutput, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return sendMessageOutput{}, err
	}
	return q.send(ctx, in.outgoingMessage)
}

func (q *Queue) send(ctx context.Context, m outgoingMessage) (sendMessageOutput, error) {
	trace, err := m.traceHeader()
	if err != nil {
		return sendMessageOutput{}, err
	}
	if id := m.MessageGroupID; id != nil && !IsMessageID(*id) {
		return sendMessageOutput{}, invalidMessageID("MessageGroupId", *id)
	}
	switch id := m.MessageDeduplicationID; {
	case id == nil:
	case q.fifo == nil:
		// The parameter "applies only to FIFO queues". The text is the one that AWS has for a
		// parameter of the other type of queue (LocalStack's sqs/test_sqs, 2024-04-30:
		// test_fifo_queue_send_message_with_delay_seconds_fails).
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
		return sendMessageOutput{}, wrongQueueType("MessageDeduplicationId", *id)
	case !IsMessageID(*id):
		return sendMessageOutput{}, invalidMessageID("MessageDeduplicationId", *id)
	}
	in := SendInput{
		Body:       m.MessageBody,
		Attributes: m.MessageAttributes,
		// The attribute overrides the header of the request.
		// https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
		TraceHeader: cmp.Or(trace, awsapi.TraceHeader(ctx)),
		Delay:       duration(m.DelaySeconds),
		SenderID:    q.service.config.SenderID(awsapi.AccessKeyID(ctx)),
	}
	if m.MessageGroupID != nil {
		in.GroupID = *m.MessageGroupID
	}
	if m.MessageDeduplicationID != nil {
		in.DeduplicationID = *m.MessageDeduplicationID
	}
	sent, err := q.sendInput(ctx, in)
	if err != nil {
		return sendMessageOutput{}, err
	}
	return sendMessageOutput{
		MessageID:              sent.id,
		MD5OfMessageBody:       BodyMD5(m.MessageBody),
		MD5OfMessageAttributes: AttributesMD5(m.MessageAttributes),

		MD5OfMessageSystemAttributes: AttributesMD5(m.MessageSystemAttributes),
		SequenceNumber:               sent.sequenceNumber,
	}, nil
}

var messageID = regexp.MustCompile(`^[!-~]{1,128}$`)

// IsMessageID reports whether SQS accepts a text as the id of a message group or of duplicates. SNS
// has the same rule.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func IsMessageID(id string) bool { return messageID.MatchString(id) }

// trace matches a trace header of AWS X-Ray.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
var trace = regexp.MustCompile(`(^|;) *Root=1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24} *(;|$)`)

// traceHeader returns the only message system attribute that a sender may set, or "".
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (m outgoingMessage) traceHeader() (string, error) {
	for name, a := range m.MessageSystemAttributes {
		if name != traceHeader || a.DataType != "String" || !trace.MatchString(a.StringValue) {
			return "", invalidParameter("The message system attribute %q is invalid: it must be AWSTraceHeader, with "+
				"a trace header of AWS X-Ray of type String.", name)
		}
	}
	return m.MessageSystemAttributes[traceHeader].StringValue, nil
}

type receiveMessageInput struct {
	queueInput
	MaxNumberOfMessages         *int
	WaitTimeSeconds             *int
	VisibilityTimeout           *int
	MessageAttributeNames       []string `xml:"MessageAttributeName"`
	MessageSystemAttributeNames []string `xml:"MessageSystemAttributeName"`
	AttributeNames              []string `xml:"AttributeName"` // the former name of MessageSystemAttributeNames
}

const traceHeader = "AWSTraceHeader"

// systemAttributes are the attributes that a receiver may request. No message in this package has
// the last one.
var systemAttributes = []string{
	"All", "ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "DeadLetterQueueSourceArn", "SenderId",
	"SentTimestamp",
	traceHeader, "MessageGroupId", "MessageDeduplicationId", "SequenceNumber", "SqsManagedSseEnabled",
}

type receiveMessageOutput struct {
	Messages []receivedMessage `json:",omitempty" xml:"Message"`
}

type receivedMessage struct {
	MessageID              string `json:"MessageId" xml:"MessageId"`
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             awsapi.FlatMap[string]           `json:",omitempty" xml:"Attribute"`
	MessageAttributes      awsapi.FlatMap[MessageAttribute] `json:",omitempty" xml:"MessageAttribute"`
	MD5OfMessageAttributes string                           `json:",omitempty" xml:",omitempty"`
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
			return receiveMessageOutput{}, unknownAttribute(name)
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

// pick returns the attributes that match the names. A name is an attribute's name, "All", "*", or a
// prefix such as "bar.*".
func pick[V any](attributes map[string]V, names []string) map[string]V {
	picked := map[string]V{}
	for key, value := range attributes {
		for _, name := range names {
			prefix, isPrefix := strings.CutSuffix(name, ".*")
			if name == "All" || name == "*" || name == key || isPrefix && strings.HasPrefix(key, prefix) {
				picked[key] = value
			}
		}
	}
	return picked
}

type deleteMessageInput struct {
	queueInput
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
	queueInput
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
