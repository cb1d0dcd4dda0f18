// Command handler writes the body of each request to a queue.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func main() {
	ctx := context.Background()
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	client, queue := sqs.NewFromConfig(c), os.Getenv("QUEUE_URL")
	lambda.Start(func(ctx context.Context, r request) (response, error) {
		_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &r.Body})
		if err != nil {
			return response{}, fmt.Errorf("writing the note: %w", err)
		}
		return response{StatusCode: 202}, nil
	})
}

// HTTP APIs, REST APIs and function URLs have these fields in common.
type (
	request  struct{ Body string }
	response struct {
		StatusCode int `json:"statusCode"`
	}
)
