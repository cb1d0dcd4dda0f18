package eventsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	awsevents "github.com/aws/aws-lambda-go/events"

	"restock/local/aws/sqs"
	"restock/local/aws/traceid"
)

// event is the function's event for a list of messages.
type event struct {
	messages []sqs.Message
	payload  []byte
}

// ids returns the ids of the event's messages, separated by spaces.
func (e event) ids() string {
	ids := make([]string, len(e.messages))
	for i, m := range e.messages {
		ids[i] = m.ID
	}
	return strings.Join(ids, " ")
}

// spans returns a span of processing each message. Sending the message has caused it.
func (e event) spans() []traceid.Span {
	spans := make([]traceid.Span, len(e.messages))
	for i, m := range e.messages {
		spans[i] = m.Span.Child()
	}
	return spans
}

// oneTrace reports whether all messages belong to one trace. Then the invocation belongs to it too.
// On AWS, each invocation begins a trace, which X-Ray links to those of the messages:
// https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html
func oneTrace(spans []traceid.Span) bool {
	return !slices.ContainsFunc(spans, func(s traceid.Span) bool { return s.Root == "" || s.Root != spans[0].Root })
}

// writeEvents returns the events for a batch. It returns one event, unless its JSON is larger than
// limit bytes. In this case Lambda also invokes the function several times.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
func writeEvents(queueARN string, batch []sqs.Message, limit int, windowed bool) ([]event, error) {
	const prefix, suffix = `{"Records":[`, `]}`
	var all []event
	for _, m := range batch {
		written, err := json.Marshal(record(queueARN, m, windowed))
		if err != nil {
			return nil, fmt.Errorf("writing the event's record of message %s: %w", m.ID, err)
		}
		last := len(all) - 1
		if last < 0 || len(all[last].payload)+len(",")+len(written)+len(suffix) > limit {
			all = append(all, event{payload: []byte(prefix)})
			last++
		} else {
			all[last].payload = append(all[last].payload, ',')
		}
		all[last].messages = append(all[last].messages, m)
		all[last].payload = append(all[last].payload, written...)
	}
	for i := range all {
		all[i].payload = append(all[i].payload, suffix...)
	}
	return all, nil
}

// An eventRecord is the record of a message. A message without attributes has no
// md5OfMessageAttributes, or null if the mapping has a batching window; see
// test_failing_lambda_retries_after_visibility_timeout and test_sqs_event_source_mapping, recorded
// on 2025-11-25, of
// https://github.com/localstack/localstack/tree/main/tests/aws/services/lambda_/event_source_mapping
type eventRecord struct {
	awsevents.SQSMessage
	Md5OfMessageAttributes any `json:"md5OfMessageAttributes,omitempty"`
}

func record(queueARN string, m sqs.Message, windowed bool) eventRecord {
	r := eventRecord{SQSMessage: awsevents.SQSMessage{
		MessageId:         m.ID,
		ReceiptHandle:     m.ReceiptHandle,
		Body:              m.Body,
		Md5OfBody:         sqs.BodyMD5(m.Body),
		Attributes:        m.SystemAttributes(),
		MessageAttributes: messageAttributes(m.Attributes),
		EventSourceARN:    queueARN,
		EventSource:       "aws:sqs",
		AWSRegion:         region(queueARN),
	}}
	switch {
	case len(m.Attributes) > 0:
		r.Md5OfMessageAttributes = sqs.AttributesMD5(m.Attributes)
	case windowed:
		r.Md5OfMessageAttributes = json.RawMessage("null")
	}
	return r
}

func messageAttributes(attributes map[string]sqs.MessageAttribute) map[string]awsevents.SQSMessageAttribute {
	out := map[string]awsevents.SQSMessageAttribute{}
	for name, a := range attributes {
		// SQS has no list values. Lambda writes empty lists.
		attribute := awsevents.SQSMessageAttribute{DataType: a.DataType, StringListValues: []string{},
			BinaryListValues: [][]byte{}}
		if strings.HasPrefix(a.DataType, "Binary") {
			attribute.BinaryValue = a.BinaryValue
		} else {
			attribute.StringValue = &a.StringValue
		}
		out[name] = attribute
	}
	return out
}

// region and queueName return the fourth and the last part of
// arn:aws:sqs:<region>:<account>:<name>.
func region(queueARN string) string {
	parts := strings.SplitN(queueARN, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[3]
}

func queueName(queueARN string) string {
	return queueARN[strings.LastIndexByte(queueARN, ':')+1:]
}

// failures returns the ids that a response reports as failed. The whole batch has succeeded if the
// response or its list is empty or null. It has failed if the response is not a JSON object, or if
// an identifier is empty, null, under a wrong key, or not in the batch. Keys are case-sensitive,
// unlike those of encoding/json.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#sqs-batchfailurereporting-syntax
func failures(response []byte, batch []sqs.Message) (map[string]bool, error) {
	if len(bytes.TrimSpace(response)) == 0 {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(response, &fields); err != nil {
		return nil, errors.New(`the function's response is not a JSON object: it must be {"batchItemFailures": ` +
			`[{"itemIdentifier": "<message id>"}]}`)
	}
	list, ok := fields["batchItemFailures"]
	if !ok {
		return nil, nil
	}
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, errors.New("batchItemFailures in the function's response is not a list of objects")
	}
	inBatch := map[string]bool{}
	for _, m := range batch {
		inBatch[m.ID] = true
	}
	failed := map[string]bool{}
	for i, item := range items {
		var id string
		if err := json.Unmarshal(item["itemIdentifier"], &id); err != nil || id == "" {
			return nil, fmt.Errorf("batchItemFailures[%d] in the function's response has no itemIdentifier", i)
		}
		if !inBatch[id] {
			return nil, fmt.Errorf(
				"batchItemFailures[%d] in the function's response names %q, which is no message of the batch", i, id)
		}
		failed[id] = true
	}
	return failed, nil
}
