package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/policy"
)

const (
	keyAlias = "alias/" + project + "-pulumi"
	// keyDeletionDays is the time in which a deletion of the key can be cancelled: the longest that
	// KMS allows.
	keyDeletionDays = 30
	// oldStateDays is the time for which an overwritten state can be restored.
	oldStateDays = 90
)

// A state is the bucket in which Pulumi stores its state, and the key that encrypts it. Reading the
// state requires access to both.
type state struct {
	bucket *s3.BucketV2
	key    *kms.Key
}

func newState(ctx *pulumi.Context) (*state, error) {
	keep := pulumi.Protect(true)
	// Without a policy of its own, IAM alone decides who may use the key, in this account only:
	// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
	key, err := kms.NewKey(ctx, "pulumi", &kms.KeyArgs{
		Description:          pulumi.String("Pulumi's state and secrets"),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(keyDeletionDays),
		Tags:                 tags(),
	}, keep)
	if err != nil {
		return nil, fmt.Errorf("creating the key: %w", err)
	}
	_, err = kms.NewAlias(ctx, "pulumi", &kms.AliasArgs{Name: pulumi.String(keyAlias), TargetKeyId: key.KeyId},
		pulumi.Parent(key), keep)
	if err != nil {
		return nil, fmt.Errorf("naming the key %s: %w", keyAlias, err)
	}

	bucket, err := s3.NewBucketV2(ctx, "state", &s3.BucketV2Args{Tags: tags()}, keep)
	if err != nil {
		return nil, fmt.Errorf("creating the state's bucket: %w", err)
	}
	of := pulumi.Parent(bucket)
	_, err = s3.NewBucketPublicAccessBlock(ctx, "state", &s3.BucketPublicAccessBlockArgs{
		Bucket:                bucket.Bucket,
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, of)
	if err != nil {
		return nil, fmt.Errorf("blocking public access to the state's bucket: %w", err)
	}
	_, err = s3.NewBucketVersioningV2(ctx, "state", &s3.BucketVersioningV2Args{
		Bucket:                  bucket.Bucket,
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, of)
	if err != nil {
		return nil, fmt.Errorf("enabling versions of the state: %w", err)
	}
	encryptedBy := s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
		SseAlgorithm:   pulumi.String("aws:kms"),
		KmsMasterKeyId: key.Arn,
	}
	_, err = s3.NewBucketServerSideEncryptionConfigurationV2(ctx, "state",
		&s3.BucketServerSideEncryptionConfigurationV2Args{
			Bucket: bucket.Bucket,
			Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{
				s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
					// With a bucket key, all files would have one encryption context: see
					// mayUseKey.
					BucketKeyEnabled:                   pulumi.Bool(false),
					ApplyServerSideEncryptionByDefault: encryptedBy,
				}},
		}, of)
	if err != nil {
		return nil, fmt.Errorf("encrypting the state: %w", err)
	}
	_, err = s3.NewBucketLifecycleConfigurationV2(ctx, "state", &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.Bucket,
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:     pulumi.String("old-versions"),
			Status: pulumi.String("Enabled"),
			Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")}, // all objects
			NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(oldStateDays),
			},
		}},
	}, of)
	if err != nil {
		return nil, fmt.Errorf("expiring old versions of the state: %w", err)
	}
	_, err = s3.NewBucketPolicy(ctx, "state", &s3.BucketPolicyArgs{
		Bucket: bucket.Bucket,
		Policy: outputs.JSON(func(arn []string) any {
			return policy.New(policy.EncryptedOnly(arn[0], "s3:*"), policy.EncryptedOnly(arn[0]+"/*", "s3:*"))
		}, bucket.Arn),
	}, of)
	if err != nil {
		return nil, fmt.Errorf("restricting the state's bucket to TLS: %w", err)
	}
	return &state{bucket, key}, nil
}

// environmentContext is the key of the encryption context with which KMS encrypts the secrets of an
// environment's stages. The URL of the secrets provider sets it, and the roles' policies require
// it:
// https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
// https://gocloud.dev/howto/secrets/#aws
const environmentContext = "environment"

// secretsProvider returns the URL of the key that encrypts the secrets of an environment's stages.
func secretsProvider(region, environment string) string {
	return fmt.Sprintf("awskms://%s?region=%s&context_%s=%s", keyAlias, region, environmentContext, environment)
}

// A stateFiles is the part of the state that belongs to an environment's stages.
type stateFiles struct {
	bucket, key string // ARNs
	environment environment
}

// mayRead allows what pulumi preview does with the state of a stage. It reads, takes no lock and
// writes no history (Preview in pkg/backend/diy/backend.go of pulumi 3.250.0).
func (f stateFiles) mayRead() []policy.Statement {
	meta, checkpoint := f.bucket+"/.pulumi/meta.yaml", f.checkpoint()
	return append([]policy.Statement{
		// Without ListBucket, S3 answers a read of a missing object with 403 instead of 404. This
		// holds under a condition on prefixes too.
		allow([]string{"s3:ListBucket"}, []string{f.bucket}, nil),
		allow([]string{"s3:GetObject"}, []string{meta, checkpoint}, nil),
	}, f.mayUseKey([]string{"kms:Decrypt"}, []string{"kms:Decrypt"}, meta, checkpoint)...)
}

// mayUpdate allows what pulumi up and destroy do with the state of a stage.
func (f stateFiles) mayUpdate() []policy.Statement {
	files := []string{
		f.checkpoint(),
		fmt.Sprintf("%s/.pulumi/history/%s/%s/*", f.bucket, project, f.environment.stages),
		fmt.Sprintf("%s/.pulumi/backups/%s/%s/*", f.bucket, project, f.environment.stages),
		fmt.Sprintf("%s/.pulumi/locks/organization/%s/%s/*", f.bucket, project, f.environment.stages),
	}
	meta := f.bucket + "/.pulumi/meta.yaml"
	return append([]policy.Statement{
		allow([]string{"s3:ListBucket"}, []string{f.bucket}, nil),
		allow([]string{"s3:GetObject"}, []string{meta}, nil),
		allow([]string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, files, nil),
	}, f.mayUseKey([]string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{"kms:Decrypt", "kms:Encrypt"},
		append(files, meta)...)...)
}

// mayUseKey allows the key for files and for secrets of the environment alone. S3 names a file in
// the encryption context, because the bucket uses no bucket key:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
func (f stateFiles) mayUseKey(onFiles, onSecrets []string, files ...string) []policy.Statement {
	statements := []policy.Statement{allow(onSecrets, []string{f.key}, policy.Condition{
		"StringEquals": {"kms:EncryptionContext:" + environmentContext: f.environment.name}})}
	for _, file := range files {
		statements = append(statements, allow(onFiles, []string{f.key},
			policy.Condition{"StringLike": {"kms:EncryptionContext:aws:s3:arn": file}}))
	}
	return statements
}

// checkpoint returns the ARN pattern of the state's file, its previous version and its tags.
func (f stateFiles) checkpoint() string {
	return fmt.Sprintf("%s/.pulumi/stacks/%s/%s.*", f.bucket, project, f.environment.stages)
}
