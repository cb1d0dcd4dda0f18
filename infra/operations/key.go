package operations

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/policy"
)

// NewKey makes the key that encrypts the stage's logs and the topic of its alarms. CloudWatch
// cannot publish to a topic that is encrypted with a key of AWS. anARN is the ARN of any resource
// in the stage's account and region.
func NewKey(ctx *pulumi.Context, anARN pulumi.StringOutput) (*kms.Key, error) {
	root, logGroups := outputs.SiblingARN(anARN, "iam", "root"), outputs.SiblingARN(anARN, "logs", "log-group:*")
	key, err := kms.NewKey(ctx, "operations", &kms.KeyArgs{
		Description:       pulumi.String("Encrypts the stage's logs, and the topic of its alarms"),
		EnableKeyRotation: pulumi.Bool(true),
		// In a key's policy the resource "*" means the key itself.
		Policy: outputs.JSON(func(of []string) any {
			root, region, logGroups := of[0], of[1], of[2]
			return policy.New(
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{AWS: root},
					// Without this statement nobody could ever change the key.
					Action:   []string{"kms:*"},
					Resource: []string{"*"},
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
					Principal: &policy.Principal{Service: "logs." + region + ".amazonaws.com"},
					Action: []string{
						"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
						"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey",
					},
					Resource:  []string{"*"},
					Condition: policy.Condition{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logGroups}},
				},
			)
		}, root, outputs.Region(anARN), logGroups),
	})
	if err != nil {
		return nil, fmt.Errorf("creating the key of logs and alarms: %w", err)
	}
	return key, nil
}
