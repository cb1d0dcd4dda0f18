// Command consumer logs what the queue's messages say.
package main

import (
	"context"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"restock/examples/tutorial/input"
)

func main() {
	slog.SetDefault(lambdacontext.NewLogger())
	lambda.Start(handle)
}

// handle handles each record of a batch. Those that fail it reports: they stay in the queue, are tried again, and end in the dead-letter queue.
// The others are done, and deleted.
func handle(ctx context.Context, event events.SQSEvent) (response events.SQSEventResponse, _ error) {
	for _, record := range event.Records {
		message, err := input.Answer(record.Body)
		if err != nil {
			slog.ErrorContext(ctx, "message failed", "message_id", record.MessageId, "body", record.Body, "error", err)
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
			continue
		}
		slog.InfoContext(ctx, message, "message_id", record.MessageId)
	}
	return response, nil
}
