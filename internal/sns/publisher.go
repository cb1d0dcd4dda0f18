// Package sns publishes the shop's messages to SNS.
package sns

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"restock/internal/message"
	"restock/internal/shop"
)

// A Client is the part of the SNS client that the package uses.
type Client interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// A Publisher is a shop.Publisher. It publishes to an SNS topic.
type Publisher struct {
	Client   Client
	TopicARN string
}

// Publish sends the stock_empty message of a production order.
func (p Publisher) Publish(ctx context.Context, o shop.ProductionOrder) error {
	m := message.New(o)
	body, err := m.Body()
	if err != nil {
		return fmt.Errorf("writing the message: %w", err)
	}
	return publish(ctx, p.Client, p.TopicARN, message.Subject, body, m.Attributes())
}

// publish sends a message with string attributes.
func publish(ctx context.Context, client Client, topicARN, subject, text string, attributes map[string]string) error {
	values := map[string]types.MessageAttributeValue{}
	for name, value := range attributes {
		values[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	_, err := client.Publish(ctx, &sns.PublishInput{
		TopicArn:          aws.String(topicARN),
		Subject:           aws.String(subject),
		Message:           aws.String(text),
		MessageAttributes: values,
	})
	if err != nil {
		return fmt.Errorf("publishing to %s: %w", topicARN, err)
	}
	return nil
}
