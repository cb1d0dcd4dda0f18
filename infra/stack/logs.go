package stack

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
)

// newKey makes the key that encrypts what the stage tells people: its logs, and the topic of its alarms. CloudWatch may use none of the keys
// that AWS has for everybody. anARN is of something in the stage's account and region.
func newKey(ctx *pulumi.Context, anARN pulumi.StringOutput) (*kms.Key, error) {
	key, err := kms.NewKey(ctx, "operations", &kms.KeyArgs{
		Description:       pulumi.String("Encrypts the stage's logs, and the topic of its alarms"),
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
				// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{Service: "cloudwatch.amazonaws.com"},
					Action:    []string{"kms:Decrypt", "kms:GenerateDataKey"},
					Resource:  []string{"*"},
				},
				// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{Service: "logs." + parse(arns[0]).Region + ".amazonaws.com"},
					Action: []string{
						"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
						"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey",
					},
					Resource:  []string{"*"},
					Condition: policy.Condition{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": siblingARN(arns[0], "logs", "log-group:*")}},
				},
			)
		}, anARN),
	})
	if err != nil {
		return nil, fmt.Errorf("creating the key of logs and alarms: %w", err)
	}
	return key, nil
}

// newLogGroup makes a log group that is encrypted, and forgets. AWS knows it by the path; where that is empty, by a name of Pulumi's choice.
func newLogGroup(ctx *pulumi.Context, name, path string, s Settings, key *kms.Key, options ...pulumi.ResourceOption) (*cloudwatch.LogGroup, error) {
	args := &cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(s.LogRetentionDays), KmsKeyId: key.Arn}
	if path != "" {
		args.Name = pulumi.String(path)
	}
	return cloudwatch.NewLogGroup(ctx, name, args, options...)
}

// siblingARN is the ARN of something else in the partition and account of what has an ARN, and in its region where the service
// has regions.
func siblingARN(of, service, resource string) string {
	a := parse(of)
	a.Service, a.Resource = service, resource
	if service == "iam" {
		a.Region = ""
	}
	return a.String()
}

func parse(text string) arn.ARN {
	a, err := arn.Parse(text)
	if err != nil {
		panic(fmt.Sprintf("AWS answered with an ARN that is none: %q", text))
	}
	return a
}
