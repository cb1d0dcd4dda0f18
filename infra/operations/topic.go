// Package operations declares resources for the people who run a stage: log groups, the topic of
// the alarms, the key that encrypts both, and tags. The stack and the tutorial use it.
package operations

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/policy"
)

// NewTopic makes the topic on which alarms, and functions with a grant, notify people. It
// subscribes the email address, whose owner must confirm once. Without an address nobody is
// notified.
func NewTopic(ctx *pulumi.Context, name string, key *kms.Key, email string) (*sns.Topic, error) {
	topic, err := sns.NewTopic(ctx, name, &sns.TopicArgs{KmsMasterKeyId: key.Arn})
	if err != nil {
		return nil, fmt.Errorf("creating topic %s: %w", name, err)
	}
	_, err = sns.NewTopicPolicy(ctx, name, &sns.TopicPolicyArgs{
		Arn: topic.Arn,
		Policy: outputs.JSON(func(arns []string) any {
			return policy.New(
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{Service: "cloudwatch.amazonaws.com"},
					Action:    []string{"sns:Publish"},
					Resource:  []string{arns[0]},
					Condition: policy.Condition{"ArnLike": {"aws:SourceArn": arns[1]}},
				},
				policy.EncryptedOnly(arns[0], "sns:Publish"),
			)
		}, topic.Arn, outputs.SiblingARN(topic.Arn, "cloudwatch", "alarm:*")),
	}, pulumi.Parent(topic))
	if err != nil {
		return nil, fmt.Errorf("letting alarms publish to topic %s: %w", name, err)
	}
	if email == "" {
		return topic, nil
	}
	_, err = sns.NewTopicSubscription(ctx, name, &sns.TopicSubscriptionArgs{
		Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(email),
	}, pulumi.Parent(topic))
	if err != nil {
		return nil, fmt.Errorf("subscribing %s to topic %s: %w", email, name, err)
	}
	return topic, nil
}
