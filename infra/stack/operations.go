package stack

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
	"restock/lambdas"
)

// operations is where people are told that something wants them.
type operations struct {
	topic *sns.Topic
	key   *kms.Key // that its messages are encrypted with
}

// newOperations makes the topic that alarms and functions tell people by, and subscribes the stage's email to it. The address has to confirm once.
func newOperations(ctx *pulumi.Context, s Settings, key *kms.Key) (*operations, error) {
	topic, err := sns.NewTopic(ctx, lambdas.OperationsTopic, &sns.TopicArgs{KmsMasterKeyId: key.Arn})
	if err != nil {
		return nil, fmt.Errorf("creating topic %s: %w", lambdas.OperationsTopic, err)
	}
	_, err = sns.NewTopicPolicy(ctx, lambdas.OperationsTopic, &sns.TopicPolicyArgs{
		Arn: topic.Arn,
		Policy: policy.JSON(func(arns []string) any {
			return policy.New(
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{Service: "cloudwatch.amazonaws.com"},
					Action:    []string{"sns:Publish"},
					Resource:  []string{arns[0]},
					Condition: policy.Condition{"ArnLike": {"aws:SourceArn": siblingARN(arns[0], "cloudwatch", "alarm:*")}},
				},
				policy.EncryptedOnly(arns[0], "sns:Publish"),
			)
		}, topic.Arn),
	}, pulumi.Parent(topic))
	if err != nil {
		return nil, fmt.Errorf("letting alarms publish to topic %s: %w", lambdas.OperationsTopic, err)
	}
	if s.AlarmEmail == "" {
		return &operations{topic, key}, nil
	}
	_, err = sns.NewTopicSubscription(ctx, lambdas.OperationsTopic, &sns.TopicSubscriptionArgs{
		Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(s.AlarmEmail),
	}, pulumi.Parent(topic))
	if err != nil {
		return nil, fmt.Errorf("subscribing %s to topic %s: %w", s.AlarmEmail, lambdas.OperationsTopic, err)
	}
	return &operations{topic, key}, nil
}
