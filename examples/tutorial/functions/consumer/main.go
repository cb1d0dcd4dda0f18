// Command consumer handles the messages of the queue: it logs the next number.
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

// handle handles the records of a batch and reports those that failed. Lambda deletes the other
// messages. SQS delivers a failed message again, and moves it to the dead-letter queue in the end.
func handle(ctx context.Context, event events.SQSEvent) (response events.SQSEventResponse, _ error) {
	for _, record := range event.Records {
		message, err := input.Answer(record.Body)
		if err != nil {
			slog.ErrorContext(ctx, "message failed", "message_id", record.MessageId, "body", record.Body, "error", err)
			failure := events.SQSBatchItemFailure{ItemIdentifier: record.MessageId}
			response.BatchItemFailures = append(response.BatchItemFailures, failure)
			continue
		}
		slog.InfoContext(ctx, message, "message_id", record.MessageId)
	}
	return response, nil
}
