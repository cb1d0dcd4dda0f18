package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/policy"
)

const (
	// rolePath is the path of the workflows' roles. It is outside the paths of the stages, whose
	// roles a workflow may change.
	rolePath = "/" + project + "-delivery/"

	previewSession = time.Hour // IAM's minimum
	// deploySession is longer than the longest deployment: AWS takes up to 45 minutes to delete a
	// stage.
	deploySession = 2 * time.Hour
)

// newPreviewRole creates the role that previews a stage in pull requests. Whoever may push a branch
// can assume it and run any program with it, so it may only read the stage's state. A preview needs
// no more: Pulumi compares the program with the state, and the program does not call AWS.
func newPreviewRole(ctx *pulumi.Context, e environment, g *gitHub, s *state) (*iam.Role, error) {
	permissions := policy.JSON(func(arn []string) any {
		return policy.New(mayRead(arn[0], arn[1], e.stages)...)
	}, s.bucket.Arn, s.key.Arn)
	return newRole(ctx, "preview-"+e.name, "Previews "+e.stages+" in pull requests", g.trust(g.pullRequest()),
		permissions, previewSession)
}

// newDeployRole creates the role that deploys the stages of an environment.
func newDeployRole(ctx *pulumi.Context, region string, e environment, g *gitHub, s *state,
	boundary *iam.Policy) (*iam.Role, error) {
	permissions := policy.JSON(func(arn []string) any {
		return policy.New(slices.Concat(
			mayUpdate(arn[0], arn[1], e.stages),
			mayDeclare(region),
			mayKeepKeys(e.stages, arn[1]),
			mayMakeRoles(account(arn[2]), e.stages, arn[2]),
		)...)
	}, s.bucket.Arn, s.key.Arn, boundary.Arn)
	return newRole(ctx, "deploy-"+e.name, "Deploys "+e.stages, g.trust(g.environment(e.name)), permissions,
		deploySession)
}

func newRole(ctx *pulumi.Context, name, description string, trust, permissions pulumi.StringInput,
	session time.Duration) (*iam.Role, error) {
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Description:        pulumi.String(description),
		Path:               pulumi.String(rolePath),
		AssumeRolePolicy:   trust,
		MaxSessionDuration: pulumi.Int(session / time.Second),
		Tags:               tags(),
	})
	if err != nil {
		return nil, fmt.Errorf("creating role %s: %w", name, err)
	}
	_, err = iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: role.Name, Policy: permissions},
		pulumi.Parent(role))
	if err != nil {
		return nil, fmt.Errorf("giving role %s its permissions: %w", name, err)
	}
	return role, nil
}

// newBoundary creates the boundary of the functions' roles.
func newBoundary(ctx *pulumi.Context) (*iam.Policy, error) {
	boundary, err := iam.NewPolicy(ctx, "functions", &iam.PolicyArgs{
		Description: pulumi.String("The most that a function of " + project + " may do"),
		Path:        pulumi.String(rolePath),
		Policy:      policy.JSON(func([]string) any { return policy.New(functionsMayAtMost()...) }),
		Tags:        tags(),
	})
	if err != nil {
		return nil, fmt.Errorf("creating the boundary of the functions' roles: %w", err)
	}
	return boundary, nil
}

// account returns the account of an ARN.
func account(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 4 {
		return parts[4]
	}
	return ""
}
