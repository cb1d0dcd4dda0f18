// Command producer sends what it is sent to the queue.
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

// environment is what the program sets, by the same name.
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

// A sender sends to a queue; *sqs.Client is one.
type sender interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// A producer is made once an instance, and keeps its connection from request to request.
type producer struct {
	queue sender
	url   string
}

func (p producer) handle(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	body, err := api.Body(r)
	if err != nil || !json.Valid([]byte(body)) {
		return api.Answer(http.StatusBadRequest, "JSON이 아닙니다.")
	}
	if _, err := p.queue.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &p.url, MessageBody: &body}); err != nil {
		// Lambda logs it, and API Gateway answers 500: who asked must not believe that the message is sent, nor learn what is behind us.
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("sending to %s: %w", p.url, err)
	}
	return api.Answer(http.StatusAccepted, "Message accepted!")
}
