// Command producer sends the body of each request to the queue.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"restock/examples/tutorial/api"
)

// environment has the variables that the Pulumi program sets.
type environment struct {
	QueueURL string `env:"QUEUE_URL,required,notEmpty"`
}

func main() {
	e, err := env.ParseAs[environment]()
	if err != nil {
		panic(fmt.Errorf("reading the environment: %w", err))
	}
	aws, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(fmt.Errorf("configuring the AWS SDK: %w", err))
	}
	lambda.Start(producer{sqs.NewFromConfig(aws), e.QueueURL}.handle)
}

// A sender sends messages to a queue. *sqs.Client implements it.
type sender interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

type (
	request  = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

// A producer is created once for an instance, so that requests share its connection.
type producer struct {
	queue sender
	url   string
}

func (p producer) handle(ctx context.Context, r request) (response, error) {
	body, err := api.Body(r)
	if err != nil || !json.Valid([]byte(body)) {
		return api.Answer(http.StatusBadRequest, "JSON이 아닙니다.")
	}
	if _, err := p.queue.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &p.url, MessageBody: &body}); err != nil {
		// Lambda logs the error, and API Gateway answers 500 without it. The caller learns that the
		// message was not sent, and nothing about the stack.
		return response{}, fmt.Errorf("sending to %s: %w", p.url, err)
	}
	return api.Answer(http.StatusAccepted, "Message accepted!")
}
