package operations

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NewLogGroup makes a log group that is encrypted, and forgets after some days. AWS knows it by the path; where that is empty, by a name of
// Pulumi's choice.
func NewLogGroup(ctx *pulumi.Context, name, path string, retentionDays int, key *kms.Key, options ...pulumi.ResourceOption) (*cloudwatch.LogGroup, error) {
	args := &cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(retentionDays), KmsKeyId: key.Arn}
	if path != "" {
		args.Name = pulumi.String(path)
	}
	return cloudwatch.NewLogGroup(ctx, name, args, options...)
}
