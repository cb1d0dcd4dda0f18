package operations

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NewLogGroup makes an encrypted log group that deletes logs after retentionDays. The path is its
// name in AWS; if it is empty, Pulumi makes a name.
func NewLogGroup(
	ctx *pulumi.Context, name, path string, retentionDays int, key *kms.Key, options ...pulumi.ResourceOption,
) (*cloudwatch.LogGroup, error) {
	args := &cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(retentionDays), KmsKeyId: key.Arn}
	if path != "" {
		args.Name = pulumi.String(path)
	}
	return cloudwatch.NewLogGroup(ctx, name, args, options...)
}
