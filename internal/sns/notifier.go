package sns

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"restock/internal/shop"
)

// A Notifier is a shop.Notifier on an SNS topic, whose subscribers are people.
type Notifier struct {
	Client   Client
	TopicARN string
}

// Attributes of a notice's message, by which a subscriber may filter.
const (
	AttributeKind    = "kind"
	AttributeProduct = "product"
)

// Notify sends a notice.
func (n Notifier) Notify(ctx context.Context, notice shop.Notice) error {
	text := func(s string) types.MessageAttributeValue {
		return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(s)}
	}
	_, err := n.Client.Publish(ctx, &sns.PublishInput{
		TopicArn: aws.String(n.TopicARN),
		Subject:  aws.String(short(notice.Subject)),
		Message:  aws.String(fmt.Sprintf("%s\n\nWhat to do: %s\n", notice.Text, notice.Advice)),
		MessageAttributes: map[string]types.MessageAttributeValue{
			AttributeKind:    text(string(notice.Kind)),
			AttributeProduct: text(notice.Order.SKU),
		},
	})
	if err != nil {
		return fmt.Errorf("publishing to %s: %w", n.TopicARN, err)
	}
	return nil
}
