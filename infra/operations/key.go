package operations

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
)

// NewKey makes the key that encrypts what a stage tells people: its logs, and the topic of its alarms. CloudWatch may use none of the keys
// that AWS has for everybody. anARN is of something in the stage's account and region.
func NewKey(ctx *pulumi.Context, anARN pulumi.StringOutput) (*kms.Key, error) {
	key, err := kms.NewKey(ctx, "operations", &kms.KeyArgs{
		Description:       pulumi.String("Encrypts the stage's logs, and the topic of its alarms"),
		EnableKeyRotation: pulumi.Bool(true),
		// In a key's policy "*" is the key itself.
		Policy: policy.JSON(func(of []string) any {
			root, region, logGroups := of[0], of[1], of[2]
			return policy.New(
				policy.Statement{
					Effect:    "Allow",
					Principal: &policy.Principal{AWS: root},
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
					Principal: &policy.Principal{Service: "logs." + region + ".amazonaws.com"},
					Action: []string{
						"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
						"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey",
					},
					Resource:  []string{"*"},
					Condition: policy.Condition{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logGroups}},
				},
			)
		}, policy.SiblingARN(anARN, "iam", "root"), policy.Region(anARN), policy.SiblingARN(anARN, "logs", "log-group:*")),
	})
	if err != nil {
		return nil, fmt.Errorf("creating the key of logs and alarms: %w", err)
	}
	return key, nil
}
