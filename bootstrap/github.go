package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
)

const (
	issuer = "token.actions.githubusercontent.com"
	// audience is whom aws-actions/configure-aws-credentials asks GitHub's tokens for.
	audience = "sts.amazonaws.com"
)

// A gitHub is GitHub's identity provider in this account, and the one repository of it that is trusted.
type gitHub struct {
	provider   *iam.OpenIdConnectProvider
	repository string
}

func newGitHub(ctx *pulumi.Context, repository string) (*gitHub, error) {
	// No thumbprint: AWS verifies GitHub's certificate against its own authorities:
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html
	provider, err := iam.NewOpenIdConnectProvider(ctx, "github", &iam.OpenIdConnectProviderArgs{
		Url:           pulumi.String("https://" + issuer),
		ClientIdLists: pulumi.StringArray{pulumi.String(audience)},
		Tags:          tags(),
	})
	if err != nil {
		return nil, fmt.Errorf("creating GitHub's identity provider: %w", err)
	}
	return &gitHub{provider, repository}, nil
}

// pullRequest is the subject of a job of a pull request that names no environment.
func (g *gitHub) pullRequest() string { return "repo:" + g.repository + ":pull_request" }

// environment is the subject of a job of a GitHub environment. The environment's rules say who gets there.
func (g *gitHub) environment(name string) string {
	return "repo:" + g.repository + ":environment:" + name
}

// trust lets jobs with exactly this subject be a role.
func (g *gitHub) trust(subject string) pulumi.StringOutput {
	return policy.JSON(func(arn []string) any {
		return policy.New(policy.Statement{
			Effect:    "Allow",
			Principal: &policy.Principal{Federated: arn[0]},
			Action:    []string{"sts:AssumeRoleWithWebIdentity"},
			Condition: policy.Condition{"StringEquals": {issuer + ":aud": audience, issuer + ":sub": subject}},
		})
	}, g.provider.Arn)
}
