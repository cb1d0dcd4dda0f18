package stack

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/policy"
)

// secretDescriptions are the stack's secrets, by the name that functions use in their environments.
// The function setup sets the values, so neither the program nor its state holds them.
var secretDescriptions = map[string]string{
	"database":     "The database user that the functions work as",
	"callback-key": "The key that signs the callback URLs given to the factory",
}

// proxyDescriptions are the secrets that a stage with a proxy has in addition. A proxy needs one
// for each database user, and knows the current version only. So it cannot use the secret
// "database", whose user changes with each rotation: it would refuse the previous user at once.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-secrets-arns.html
// https://github.com/aws/aws-secretsmanager-jdbc/issues/222
var proxyDescriptions = map[string]string{
	"proxy-first":  "The functions' first database user, for the proxy",
	"proxy-second": "The functions' second database user, for the proxy",
}

// secretActions are the actions that read or write a secret's value.
var secretActions = []string{
	"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
}

func newSecrets(ctx *pulumi.Context, s Settings) (map[string]*secretsmanager.Secret, error) {
	secrets := map[string]*secretsmanager.Secret{}
	descriptions := maps.Clone(secretDescriptions)
	if s.Database.Proxy {
		maps.Copy(descriptions, proxyDescriptions)
	}
	for name, description := range descriptions {
		secret, err := secretsmanager.NewSecret(ctx, name, &secretsmanager.SecretArgs{
			Description:          pulumi.String(description),
			RecoveryWindowInDays: pulumi.Int(s.SecretRecoveryDays),
		}, pulumi.Protect(s.Protect))
		if err != nil {
			return nil, fmt.Errorf("creating secret %s: %w", name, err)
		}
		_, err = secretsmanager.NewSecretPolicy(ctx, name, &secretsmanager.SecretPolicyArgs{
			SecretArn: secret.Arn,
			Policy: outputs.JSON(func(arns []string) any {
				return policy.New(policy.EncryptedOnly(arns[0], secretActions...))
			}, secret.Arn),
			BlockPublicPolicy: pulumi.Bool(true),
		}, pulumi.Parent(secret))
		if err != nil {
			return nil, fmt.Errorf("asking for encrypted connections to secret %s: %w", name, err)
		}
		secrets[name] = secret
	}
	return secrets, nil
}
