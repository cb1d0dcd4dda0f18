package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/outputs"
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
	role, err := newRole(ctx, "preview-"+e.name, "Previews "+e.stages+" in pull requests", g.trust(g.pullRequest()),
		previewSession)
	if err != nil {
		return nil, err
	}
	permissions := outputs.JSON(func(arn []string) any {
		return policy.New(stateFiles{arn[0], arn[1], e}.mayRead()...)
	}, s.bucket.Arn, s.key.Arn)
	_, err = iam.NewRolePolicy(ctx, "preview-"+e.name, &iam.RolePolicyArgs{Role: role.Name, Policy: permissions},
		pulumi.Parent(role))
	if err != nil {
		return nil, fmt.Errorf("giving role preview-%s its permissions: %w", e.name, err)
	}
	return role, nil
}

// newDeployRole creates the role that deploys the stages of an environment, and the boundary of the
// roles that it creates. others are the stages of the other environments.
func newDeployRole(ctx *pulumi.Context, region string, e environment, others []string, g *gitHub, s *state) (
	role *iam.Role, boundary *iam.Policy, err error) {
	name := "deploy-" + e.name
	if role, err = newRole(ctx, name, "Deploys "+e.stages, g.trust(g.environment(e.name)), deploySession); err != nil {
		return nil, nil, err
	}
	boundary, err = newPolicy(ctx, "functions-"+e.name, "The most that a function of "+e.stages+" may do",
		outputs.JSON(func(arn []string) any {
			return policy.New(scope{region, account(arn[0]), e.stages}.functionsMayAtMost()...)
		}, s.key.Arn))
	if err != nil {
		return nil, nil, err
	}
	// One policy is too small for all of the statements.
	for _, part := range []struct {
		name, description string
		statements        func(s scope, f stateFiles, boundary string) []policy.Statement
	}{
		{"state", "Updates the state", func(s scope, f stateFiles, boundary string) []policy.Statement {
			return slices.Concat(f.mayUpdate(), s.mayRead(), s.mayManageKeys(), s.mayMakeRoles(boundary))
		}},
		{"named", "Deploys what has a name", func(s scope, _ stateFiles, _ string) []policy.Statement {
			return s.mayManageNamed()
		}},
		{"tagged", "Deploys what has tags", func(s scope, _ stateFiles, _ string) []policy.Statement {
			return s.mayManageTagged()
		}},
		{"never", "Keeps other stages closed", func(s scope, f stateFiles, _ string) []policy.Statement {
			return s.never(f.key, others)
		}},
	} {
		permissions := outputs.JSON(func(arn []string) any {
			s, f := scope{region, account(arn[1]), e.stages}, stateFiles{arn[0], arn[1], e}
			return policy.New(part.statements(s, f, arn[2])...)
		}, s.bucket.Arn, s.key.Arn, boundary.Arn)
		p, err := newPolicy(ctx, name+"-"+part.name, part.description+" of "+e.stages, permissions)
		if err != nil {
			return nil, nil, err
		}
		_, err = iam.NewRolePolicyAttachment(ctx, name+"-"+part.name, &iam.RolePolicyAttachmentArgs{
			Role: role.Name, PolicyArn: p.Arn,
		}, pulumi.Parent(role))
		if err != nil {
			return nil, nil, fmt.Errorf("giving role %s its permissions: %w", name, err)
		}
	}
	return role, boundary, nil
}

func newRole(ctx *pulumi.Context, name, description string, trust pulumi.StringInput, session time.Duration) (
	*iam.Role, error) {
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
	return role, nil
}

func newPolicy(ctx *pulumi.Context, name, description string, document pulumi.StringInput) (*iam.Policy, error) {
	p, err := iam.NewPolicy(ctx, name, &iam.PolicyArgs{
		Description: pulumi.String(description),
		Path:        pulumi.String(rolePath),
		Policy:      document,
		Tags:        tags(),
	})
	if err != nil {
		return nil, fmt.Errorf("creating policy %s: %w", name, err)
	}
	return p, nil
}

// account returns the account of an ARN.
func account(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 4 {
		return parts[4]
	}
	return ""
}
