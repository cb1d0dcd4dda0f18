package sns_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/uuid"

	"restock/internal/shop"
	"restock/internal/sns"
)

// A client records the published messages.
type client struct {
	published []*awssns.PublishInput
	err       error
}

func (c *client) Publish(_ context.Context, in *awssns.PublishInput,
	_ ...func(*awssns.Options)) (*awssns.PublishOutput, error) {
	c.published = append(c.published, in)
	return &awssns.PublishOutput{}, c.err
}

var order = shop.ProductionOrder{ID: uuid.MustParse("0199a2c4-5f00-7000-8000-000000000001"), SKU: "CP-502101",
	Quantity: 100, Factory: "FF-500293",
	Asks: 1, AskedAt: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), LeadTime: time.Minute}

func TestPublishSendsTheMessageOfTheContract(t *testing.T) {
	c := &client{}
	if err := (sns.Publisher{Client: c, TopicARN: "arn:topic"}).Publish(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if len(c.published) != 1 {
		t.Fatalf("%d messages were published, want 1", len(c.published))
	}
	in := c.published[0]
	const body = `{"production_order_id":"0199a2c4-5f00-7000-8000-000000000001","valid_until":"2026-11-28T12:01:00Z"}`
	if *in.TopicArn != "arn:topic" || *in.Subject != "도너츠 재고 부족" || *in.Message != body {
		t.Errorf("published %q, %q to %s", *in.Subject, *in.Message, *in.TopicArn)
	}
	want := map[string]string{
		"MessageAttributeProductId": "CP-502101", "MessageAttributeProductCnt": "100",
		"MessageAttributeFactoryId": "FF-500293", "MessageAttributeRequester": "stock-bot",
	}
	for name, attribute := range in.MessageAttributes {
		if *attribute.DataType != "String" || *attribute.StringValue != want[name] {
			t.Errorf("attribute %s is the %s %q, want the String %q",
				name, *attribute.DataType, *attribute.StringValue, want[name])
		}
	}
	if len(in.MessageAttributes) != len(want) {
		t.Errorf("%d attributes, want %d", len(in.MessageAttributes), len(want))
	}
}

func TestPublishErrorNamesTheTopic(t *testing.T) {
	publisher := sns.Publisher{Client: &client{err: errors.New("AuthorizationError")}, TopicARN: "arn:topic"}
	err := publisher.Publish(t.Context(), order)
	if err == nil || !strings.Contains(err.Error(), "arn:topic: AuthorizationError") {
		t.Errorf("got %v, want an error with the topic and the cause", err)
	}
}
