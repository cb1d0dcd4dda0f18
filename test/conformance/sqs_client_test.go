package conformance

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// The pages of SQS's documentation that the cases refer to.
const (
	sqsAPI   = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_"
	sqsGuide = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
)

// sqsClient returns a client of the endpoint under test that does not retry.
func sqsClient() *sqs.Client {
	return sqs.New(sqs.Options{
		BaseEndpoint: &endpoint.url, Region: endpoint.region, Credentials: credentialsProvider,
		Retryer: aws.NopRetryer{},
	})
}

// A queue belongs to one case.
type queue struct {
	*sqs.Client
	t        *T
	url, arn string
}

type attributes map[string]string

// newQueue creates a queue with the attributes. The queue is deleted when the case ends.
func newQueue(t *T, a attributes) queue {
	t.Helper()
	client := sqsClient()
	created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(unique("queue")),
		Attributes: a})
	t.ok(err)
	t.Cleanup(func() {
		// The case may have deleted it.
		_, _ = client.DeleteQueue(context.WithoutCancel(t.Context()), &sqs.DeleteQueueInput{QueueUrl: created.QueueUrl})
	})
	q := queue{Client: client, t: t, url: *created.QueueUrl}
	q.arn = q.attribute("QueueArn")
	return q
}

func (q queue) name() string { return q.arn[strings.LastIndexByte(q.arn, ':')+1:] }

func (q queue) attribute(name string) string {
	q.t.Helper()
	got, err := q.GetQueueAttributes(q.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.url,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeName(name)}})
	q.t.ok(err)
	return got.Attributes[name]
}

func (q queue) set(a attributes) error {
	_, err := q.SetQueueAttributes(q.t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q.url, Attributes: a})
	return err
}

// trySend sends to this queue and returns the answer, so that a case can expect an error.
func (q queue) trySend(in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	in.QueueUrl = &q.url
	return q.SendMessage(q.t.Context(), in)
}

func (q queue) send(body string) *sqs.SendMessageOutput {
	q.t.Helper()
	sent, err := q.trySend(&sqs.SendMessageInput{MessageBody: &body})
	q.t.ok(err)
	return sent
}

// receive receives up to 10 messages with all their attributes. It waits at most waitSeconds for
// the first message.
func (q queue) receive(waitSeconds int32) []types.Message {
	q.t.Helper()
	received, err := q.ReceiveMessage(q.t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, WaitTimeSeconds: waitSeconds, MaxNumberOfMessages: 10,
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	q.t.ok(err)
	return received.Messages
}

// receiveOne receives exactly one message. It waits up to 20 seconds, SQS's maximum.
func (q queue) receiveOne() types.Message {
	q.t.Helper()
	messages := q.receive(20)
	if len(messages) != 1 {
		q.t.Fatalf("received %d messages, want 1", len(messages))
	}
	return messages[0]
}

// none checks that the queue has no visible message now. The failure text contains why, for example
// "after the deletion".
func (q queue) none(why string) {
	q.t.Helper()
	if got := q.receive(0); len(got) != 0 {
		q.t.Errorf("received %d messages %s, want none", len(got), why)
	}
}

func (q queue) delete(m types.Message) {
	q.t.Helper()
	_, err := q.DeleteMessage(q.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
	q.t.ok(err)
}

// hide changes the visibility timeout of a received message.
func (q queue) hide(m types.Message, seconds int32) error {
	_, err := q.ChangeMessageVisibility(q.t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.url,
		ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	return err
}

// redriveTo makes dlq the dead-letter queue of q.
func (q queue) redriveTo(dlq queue, maxReceiveCount string) {
	q.t.Helper()
	q.t.ok(q.set(dlq.redrivePolicy(maxReceiveCount)))
}

// redrivePolicy returns the attribute that makes q another queue's dead-letter queue.
func (q queue) redrivePolicy(maxReceiveCount string) attributes {
	return attributes{
		"RedrivePolicy": `{"deadLetterTargetArn":"` + q.arn + `","maxReceiveCount":` + maxReceiveCount + `}`,
	}
}
