// Command factory plays the legacy factory in a stage that has none: it accepts every request, and
// calls back 40 seconds later.
package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"restock/internal/factory/legacy"
	"restock/lambdas"
	"restock/lambdas/function"
)

// callbackTimeout is how long the function waits for the answer to a callback. The function also
// answers requests of the HTTP API, which waits for 30 s at most, so the function's timeout and
// callbackTimeout are shorter. The API puts a callback into a queue, which takes milliseconds.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const callbackTimeout = 25 * time.Second

func main() {
	function.Start(func(p function.Process[lambdas.FactoryEnvironment]) (any, error) {
		queue, err := queueURL(p.Environment.Queue)
		if err != nil {
			return nil, err
		}
		caller := legacy.NewCaller(http.Client{Timeout: callbackTimeout, Transport: p.Transport()})
		return simulation{
			queue: sqs.NewFromConfig(p.AWS), queueURL: queue, caller: caller, shop: p.Environment.APIURL,
			newID: uuid.NewUUID, log: p.Log,
		}.handle, nil
	})
}

// queueURL returns the URL of a queue. SQS reads the account and the name from it:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
func queueURL(queueARN string) (string, error) {
	a, err := arn.Parse(queueARN)
	if err != nil {
		return "", fmt.Errorf("reading the ARN of the queue: %w", err)
	}
	return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", a.Region, a.AccountID, a.Resource), nil
}
