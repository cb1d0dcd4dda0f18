package conformance

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// The pages of SNS's documentation that the cases refer to.
const (
	snsAPI   = "https://docs.aws.amazon.com/sns/latest/api/API_"
	snsGuide = "https://docs.aws.amazon.com/sns/latest/dg/"
)

// snsClient returns a client of the endpoint under test that does not retry.
func snsClient() *sns.Client {
	return sns.New(sns.Options{
		BaseEndpoint: &endpoint.url, Region: endpoint.region, Credentials: credentialsProvider,
		Retryer: aws.NopRetryer{},
	})
}

// A topic belongs to one case.
type topic struct {
	*sns.Client
	t   *T
	arn string
}

// newTopic creates a topic. The topic is deleted when the case ends.
func newTopic(t *T) topic {
	t.Helper()
	client := snsClient()
	created, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(unique("topic"))})
	t.ok(err)
	t.Cleanup(func() {
		// The case may have deleted it.
		_, _ = client.DeleteTopic(context.WithoutCancel(t.Context()), &sns.DeleteTopicInput{TopicArn: created.TopicArn})
	})
	return topic{Client: client, t: t, arn: *created.TopicArn}
}

// allowTopics sets a queue policy that lets every topic send to the queue. Without a policy AWS
// lets no topic send.
func (q queue) allowTopics() queue {
	q.t.Helper()
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
		"Resource": q.arn,
	}}})
	q.t.ok(err)
	q.t.ok(q.set(attributes{"Policy": string(policy)}))
	return q
}

func (p topic) subscribe(q queue, a attributes) (arn string, err error) {
	out, err := p.Subscribe(p.t.Context(), &sns.SubscribeInput{
		TopicArn: &p.arn, Protocol: aws.String("sqs"), Endpoint: &q.arn, Attributes: a, ReturnSubscriptionArn: true,
	})
	if err != nil {
		return "", err
	}
	return *out.SubscriptionArn, nil
}

// newSubscription creates a topic and a queue that is subscribed to it with the attributes.
func newSubscription(t *T, a attributes) (p topic, q queue, arn string) {
	t.Helper()
	p, q = newTopic(t), newQueue(t, nil).allowTopics()
	arn, err := p.subscribe(q, a)
	t.ok(err)
	return p, q, arn
}

func (p topic) publish(message string, a map[string]types.MessageAttributeValue) *sns.PublishOutput {
	p.t.Helper()
	out, err := p.Publish(p.t.Context(), &sns.PublishInput{TopicArn: &p.arn, Message: &message, MessageAttributes: a})
	p.t.ok(err)
	return out
}

// attribute returns an attribute of the subscription with the ARN.
func (p topic) attribute(arn, name string) string {
	p.t.Helper()
	got, err := p.GetSubscriptionAttributes(p.t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
	p.t.ok(err)
	return got.Attributes[name]
}

// set sets an attribute of the subscription with the ARN.
func (p topic) set(arn, name, value string) error {
	_, err := p.SetSubscriptionAttributes(p.t.Context(), &sns.SetSubscriptionAttributesInput{SubscriptionArn: &arn,
		AttributeName: &name, AttributeValue: &value})
	return err
}
