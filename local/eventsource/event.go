package eventsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"restock/local/sqs"
)

// event returns the JSON that Lambda invokes a function with for a batch.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
func event(queueARN string, batch []sqs.Message) ([]byte, error) {
	var e events.SQSEvent
	for _, m := range batch {
		e.Records = append(e.Records, events.SQSMessage{
			MessageId:              m.ID,
			ReceiptHandle:          m.ReceiptHandle,
			Body:                   m.Body,
			Md5OfBody:              sqs.BodyMD5(m.Body),
			Md5OfMessageAttributes: sqs.AttributesMD5(m.Attributes),
			Attributes:             m.SystemAttributes(),
			MessageAttributes:      messageAttributes(m.Attributes),
			EventSourceARN:         queueARN,
			EventSource:            "aws:sqs",
			AWSRegion:              region(queueARN),
		})
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("writing the event of %d messages: %w", len(batch), err)
	}
	return payload, nil
}

func messageAttributes(attributes map[string]sqs.MessageAttribute) map[string]events.SQSMessageAttribute {
	out := map[string]events.SQSMessageAttribute{}
	for name, a := range attributes {
		// SQS has no list values, and Lambda writes them as empty lists.
		attribute := events.SQSMessageAttribute{DataType: a.DataType, StringListValues: []string{}, BinaryListValues: [][]byte{}}
		if strings.HasPrefix(a.DataType, "Binary") {
			attribute.BinaryValue = a.BinaryValue
		} else {
			attribute.StringValue = &a.StringValue
		}
		out[name] = attribute
	}
	return out
}

// region and queueName are the fourth and the last part of arn:aws:sqs:<region>:<account>:<name>.
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

// failures returns the ids that a response reports as failed. The whole batch has succeeded if the response or its list is
// empty or null; it has failed if the response is no JSON object, or an identifier is empty, null, under a wrong key, or no
// message's of the batch. Keys are case-sensitive, which encoding/json's are not.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#sqs-batchfailurereporting-syntax
func failures(response []byte, batch []sqs.Message) (map[string]bool, error) {
	if len(bytes.TrimSpace(response)) == 0 {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(response, &fields); err != nil {
		return nil, errors.New(`the function's response is not a JSON object: it must be {"batchItemFailures": [{"itemIdentifier": "<message id>"}]}`)
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
			return nil, fmt.Errorf("batchItemFailures[%d] in the function's response names %q, which is no message of the batch", i, id)
		}
		failed[id] = true
	}
	return failed, nil
}
