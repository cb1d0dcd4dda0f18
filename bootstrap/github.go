package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
	"restock/infra/policy"
)

const (
	issuer = "token.actions.githubusercontent.com"
	// audience is the audience for which aws-actions/configure-aws-credentials requests GitHub's
	// tokens.
	audience = "sts.amazonaws.com"
)

// A gitHub is GitHub's identity provider in this account, and the one repository that the account
// trusts.
type gitHub struct {
	provider   *iam.OpenIdConnectProvider
	repository string
}

func newGitHub(ctx *pulumi.Context, repository string) (*gitHub, error) {
	// No thumbprint: AWS verifies GitHub's certificate with its own authorities.
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

// pullRequest returns the subject of a pull request's job that names no environment.
func (g *gitHub) pullRequest() string { return "repo:" + g.repository + ":pull_request" }

// environment returns the subject of a job in a GitHub environment. The environment's protection
// rules decide which jobs may run in it.
func (g *gitHub) environment(name string) string {
	return "repo:" + g.repository + ":environment:" + name
}

// trust allows jobs with exactly this subject to assume a role.
func (g *gitHub) trust(subject string) pulumi.StringOutput {
	return outputs.JSON(func(arn []string) any {
		return policy.New(policy.Statement{
			Effect:    "Allow",
			Principal: &policy.Principal{Federated: arn[0]},
			Action:    []string{"sts:AssumeRoleWithWebIdentity"},
			Condition: policy.Condition{"StringEquals": {issuer + ":aud": audience, issuer + ":sub": subject}},
		})
	}, g.provider.Arn)
}
