package eventsource

import (
	"time"

	"github.com/google/uuid"

	"restock/local/aws/lambda"
	"restock/local/aws/sqs"
)

// Example returns an event like those that a function gets from a queue: a batch of one message.
func Example(queueARN, body string) ([]byte, error) {
	now := time.Now()
	events, err := writeEvents(queueARN, []sqs.Message{{
		ID: uuid.NewString(), ReceiptHandle: "example", Body: body, SenderID: "example", SentAt: now,
		FirstReceivedAt: now, ReceivedAt: now, ReceiveCount: 1,
	}}, lambda.MaxRequest, false)
	if err != nil {
		return nil, err
	}
	return events[0].payload, nil
}
