package stack

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
)

// operationsTopic is where people are told that something wants them.
const operationsTopic = "stock_operations"

// newOperations makes the topic that alarms go to, and subscribes the stage's email to it. The address has to confirm once.
func newOperations(ctx *pulumi.Context, s Settings, m *messaging) (*sns.Topic, error) {
	// CloudWatch may not use the key that SNS has for everybody, so the topic has one of its own:
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
	key, err := kms.NewKey(ctx, operationsTopic, &kms.KeyArgs{
		Description:       pulumi.String("Encrypts the topic " + operationsTopic),
		EnableKeyRotation: pulumi.Bool(true),
		// In a key's policy "*" is the key itself.
		Policy: policy.JSON(func(arns []string) any {
			return policy.New(
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{AWS: siblingARN(arns[0], "iam", "root")},
					Action:    []string{"kms:*"}, // whom the account lets: without this line nobody could ever change the key
					Resource:  []string{"*"},
				},
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{Service: "cloudwatch.amazonaws.com"},
					Action:    []string{"kms:Decrypt", "kms:GenerateDataKey"},
					Resource:  []string{"*"},
				},
			)
		}, m.topic.Arn),
	})
	if err != nil {
		return nil, fmt.Errorf("creating the key of topic %s: %w", operationsTopic, err)
	}
	topic, err := sns.NewTopic(ctx, operationsTopic, &sns.TopicArgs{KmsMasterKeyId: key.Arn})
	if err != nil {
		return nil, fmt.Errorf("creating topic %s: %w", operationsTopic, err)
	}
	_, err = sns.NewTopicPolicy(ctx, operationsTopic, &sns.TopicPolicyArgs{
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
		return nil, fmt.Errorf("letting alarms publish to topic %s: %w", operationsTopic, err)
	}
	if s.AlarmEmail == "" {
		return topic, nil
	}
	_, err = sns.NewTopicSubscription(ctx, operationsTopic, &sns.TopicSubscriptionArgs{
		Topic: topic.Arn, Protocol: pulumi.String("email"), Endpoint: pulumi.String(s.AlarmEmail),
	}, pulumi.Parent(topic))
	if err != nil {
		return nil, fmt.Errorf("subscribing %s to topic %s: %w", s.AlarmEmail, operationsTopic, err)
	}
	return topic, nil
}

// siblingARN is the ARN of something else in the partition and account of what has an ARN, and in its region where the service
// has regions.
func siblingARN(of, service, resource string) string {
	a, err := arn.Parse(of)
	if err != nil {
		panic(fmt.Sprintf("AWS answered with an ARN that is none: %q", of))
	}
	a.Service, a.Resource = service, resource
	if service == "iam" {
		a.Region = ""
	}
	return a.String()
}
