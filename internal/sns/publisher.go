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

// A Client is the part of SNS's client that is used.
type Client interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// A Publisher is a shop.Publisher on an SNS topic.
type Publisher struct {
	Client   Client
	TopicARN string
}

// Publish sends a production order's stock_empty message.
func (p Publisher) Publish(ctx context.Context, o shop.ProductionOrder) error {
	m := message.New(o)
	body, err := m.Body()
	if err != nil {
		return fmt.Errorf("writing the message: %w", err)
	}
	attributes := map[string]types.MessageAttributeValue{}
	for name, value := range m.Attributes() {
		attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	_, err = p.Client.Publish(ctx, &sns.PublishInput{
		TopicArn:          aws.String(p.TopicARN),
		Subject:           aws.String(message.Subject),
		Message:           aws.String(body),
		MessageAttributes: attributes,
	})
	if err != nil {
		return fmt.Errorf("publishing to %s: %w", p.TopicARN, err)
	}
	return nil
}
