package sns

import (
	"context"
	"fmt"

	"restock/internal/shop"
)

// A Notifier is a shop.Notifier. It sends notices to an SNS topic that people subscribe to.
type Notifier struct {
	Client   Client
	TopicARN string
}

// The attributes of a notice's message. Subscriptions may filter by them.
const (
	AttributeKind    = "kind"
	AttributeProduct = "product"
)

// Notify sends a notice.
func (n Notifier) Notify(ctx context.Context, notice shop.Notice) error {
	message := fmt.Sprintf("%s\n\nWhat to do: %s\n", notice.Text, notice.Advice)
	return publish(ctx, n.Client, n.TopicARN, short(notice.Subject), message, map[string]string{
		AttributeKind:    string(notice.Kind),
		AttributeProduct: notice.Order.SKU,
	})
}
