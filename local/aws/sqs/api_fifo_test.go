package sqs

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// newFIFOClient returns a client, and a FIFO queue that it has created.
func newFIFOClient(t *testing.T, attributes map[string]string) (*awssqs.Client, *Queue) {
	t.Helper()
	s := newService()
	client := newClient(t, s)
	all := map[string]string{"FifoQueue": "true"}
	maps.Copy(all, attributes)
	if _, err := client.CreateQueue(t.Context(), &awssqs.CreateQueueInput{
		QueueName: aws.String("q.fifo"), Attributes: all,
	}); err != nil {
		t.Fatal(err)
	}
	q, err := s.byName("q.fifo")
	if err != nil {
		t.Fatal(err)
	}
	return client, q
}

// wantRefusal checks the code and the text of a refusal.
func wantRefusal(t *testing.T, err error, code, text string) {
	t.Helper()
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok || refused.ErrorCode() != code || !strings.Contains(refused.ErrorMessage(), text) {
		t.Errorf("got error %v, want %s: %s", err, code, text)
	}
}

func TestSDKSendsAndReceivesInAFIFOQueue(t *testing.T) {
	client, q := newFIFOClient(t, map[string]string{"ContentBasedDeduplication": "true"})
	ctx, url := t.Context(), aws.String(q.URL())
	send := func(body string) *awssqs.SendMessageOutput {
		out, err := client.SendMessage(ctx, &awssqs.SendMessageInput{
			QueueUrl: url, MessageBody: aws.String(body), MessageGroupId: aws.String("a"),
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	first, second := send("x"), send("y")
	if len(*first.SequenceNumber) != 20 || *first.SequenceNumber >= *second.SequenceNumber {
		t.Errorf("sequence numbers: got %s, then %s; want 20 digits that increase", *first.SequenceNumber,
			*second.SequenceNumber)
	}
	if again := send("x"); *again.MessageId != *first.MessageId || *again.SequenceNumber != *first.SequenceNumber {
		t.Errorf("a duplicate: got message %s, %s; want the first one, %s, %s", *again.MessageId,
			*again.SequenceNumber, *first.MessageId, *first.SequenceNumber)
	}
	received, err := client.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{
		QueueUrl: url, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			"MessageGroupId", "MessageDeduplicationId", "SequenceNumber",
		},
	})
	if err != nil || len(received.Messages) != 2 || *received.Messages[0].Body != "x" {
		t.Fatalf("received %+v, %v; want x, then y", received, err)
	}
	want := map[string]string{
		"MessageGroupId": "a", "SequenceNumber": *first.SequenceNumber,
		// printf x | sha256sum
		"MessageDeduplicationId": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
	}
	if got := received.Messages[0].Attributes; !maps.Equal(got, want) {
		t.Errorf("attributes: got %v, want %v", got, want)
	}
}

func TestSDKFIFOQueueRefusesMessages(t *testing.T) {
	client, q := newFIFOClient(t, nil)
	url := aws.String(q.URL())
	const noID = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided " +
		"explicitly"
	for _, tt := range []struct {
		name string
		in   awssqs.SendMessageInput
		code string
		text string
		// whole is the code with which a batch as a whole is refused for it; "" if only the entry
		// is refused
		whole string
	}{
		{"without a group", awssqs.SendMessageInput{MessageDeduplicationId: aws.String("1")},
			"MissingParameter", "The request must contain the parameter MessageGroupId.", "InvalidParameterValue"},
		{"without a deduplication id", awssqs.SendMessageInput{MessageGroupId: aws.String("a")},
			"InvalidParameterValue", noID, "InvalidParameterValue"},
		{"with a delay", awssqs.SendMessageInput{
			MessageGroupId: aws.String("a"), MessageDeduplicationId: aws.String("1"), DelaySeconds: 2,
		}, "InvalidParameterValue", "Value 2 for parameter DelaySeconds is invalid. Reason: The request include " +
			"parameter that is not valid for this queue type.", ""},
		{"with a deduplication id with a space", awssqs.SendMessageInput{
			MessageGroupId: aws.String("a"), MessageDeduplicationId: aws.String("1 2"),
		}, "InvalidParameterValue", "Value 1 2 for parameter MessageDeduplicationId is invalid. Reason: " +
			"MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := tt.in
			in.QueueUrl, in.MessageBody = url, aws.String("x")
			_, err := client.SendMessage(t.Context(), &in)
			wantRefusal(t, err, tt.code, tt.text)

			out, err := client.SendMessageBatch(t.Context(), &awssqs.SendMessageBatchInput{
				QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{
					{Id: aws.String("good"), MessageBody: aws.String("x"), MessageGroupId: aws.String("a"),
						MessageDeduplicationId: aws.String("good")},
					{Id: aws.String("bad"), MessageBody: aws.String("x"), MessageGroupId: tt.in.MessageGroupId,
						MessageDeduplicationId: tt.in.MessageDeduplicationId, DelaySeconds: tt.in.DelaySeconds},
				},
			})
			if tt.whole != "" {
				wantRefusal(t, err, tt.whole, tt.text)
				wantCounts(t, q, Counts{})
				return
			}
			if err != nil || len(out.Successful) != 1 || out.Successful[0].SequenceNumber == nil ||
				len(out.Failed) != 1 || *out.Failed[0].Code != tt.code || *out.Failed[0].Message != tt.text {
				t.Errorf("batch: got %+v, %v; want one sent, and one refused with %s", out, err, tt.code)
			}
		})
	}
}

func TestSDKQueueTypeIsChosenOnce(t *testing.T) {
	client, q := newFIFOClient(t, map[string]string{
		"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
	})
	ctx, url := t.Context(), aws.String(q.URL())
	got, err := client.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{
		QueueUrl: url, AttributeNames: []types.QueueAttributeName{
			"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
		},
	})
	want := map[string]string{
		"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "messageGroup",
		"FifoThroughputLimit": "perMessageGroupId",
	}
	if err != nil || !maps.Equal(got.Attributes, want) {
		t.Errorf("attributes: got %+v, %v; want %v", got, err, want)
	}
	standard, err := client.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	set := func(url *string, name, value string) error {
		_, err := client.SetQueueAttributes(ctx, &awssqs.SetQueueAttributesInput{
			QueueUrl: url, Attributes: map[string]string{name: value},
		})
		return err
	}
	create := func(name string, attributes map[string]string) error {
		_, err := client.CreateQueue(ctx, &awssqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		return err
	}
	if err := set(url, "FifoQueue", "true"); err != nil {
		t.Errorf("the type that the queue has: %v", err)
	}
	for _, tt := range []struct {
		name       string
		err        error
		code, text string
	}{
		{"a FIFO queue to a standard queue", set(url, "FifoQueue", "false"), "InvalidAttributeValue",
			"Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."},
		{"a standard queue to a FIFO queue", set(standard.QueueUrl, "FifoQueue", "true"), "InvalidAttributeName",
			"Unknown Attribute FifoQueue."},
		{"an attribute of a FIFO queue", set(standard.QueueUrl, "ContentBasedDeduplication", "true"),
			"InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication."},
		{"a limit for each group, ids for the queue", set(url, "DeduplicationScope", "queue"),
			"InvalidAttributeValue", "requires the DeduplicationScope messageGroup"},
		{"an unknown scope", set(url, "DeduplicationScope", "topic"), "InvalidAttributeValue", "DeduplicationScope"},
		{"a FIFO queue without the suffix", create("other", map[string]string{"FifoQueue": "true"}),
			"InvalidParameterValue", "must end with .fifo suffix"},
		{"a standard queue with the suffix", create("other.fifo", nil), "InvalidParameterValue", "ends with .fifo"},
		{"other attributes", create("q.fifo", map[string]string{
			"FifoQueue": "true", "ContentBasedDeduplication": "true",
		}), "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute " +
			"ContentBasedDeduplication"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantRefusal(t, tt.err, tt.code, tt.text) })
	}
}
