package program

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/operations"
	"restock/infra/outputs"
	"restock/infra/policy"
)

const (
	logRetentionDays = 7
	memoryMB         = 128
)

// A function is a Lambda function with its own role and log group.
type function struct {
	pulumi.ResourceState
	name   string
	lambda *lambda.Function
}

// A permission allows actions on one resource.
type permission struct {
	actions  []string
	resource pulumi.StringInput
}

// newFunction creates a function. It may write to its log and do what permitted allows, and nothing
// else.
func newFunction(ctx *pulumi.Context, on platform, name string, timeout time.Duration,
	environment pulumi.StringMap, permitted ...permission) (*function, error) {
	f := &function{name: name}
	failed := func(err error) (*function, error) { return nil, fmt.Errorf("creating function %s: %w", name, err) }
	if err := ctx.RegisterComponentResource("tutorial:lambda:Function", name, f); err != nil {
		return failed(err)
	}
	child := pulumi.Parent(f)

	logs, err := operations.NewLogGroup(ctx, name, "", logRetentionDays, on.key, child)
	if err != nil {
		return failed(err)
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		AssumeRolePolicy: outputs.JSON(func([]string) any {
			return policy.New(policy.Statement{
				Effect:    "Allow",
				Principal: &policy.Principal{Service: "lambda.amazonaws.com"},
				Action:    []string{"sts:AssumeRole"},
			})
		}),
	}, child)
	if err != nil {
		return failed(err)
	}
	permitted = append(permitted, permission{
		actions:  []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		resource: pulumi.Sprintf("%s:*", logs.Arn), // the streams of the group
	})
	var resources []pulumi.StringInput
	for _, p := range permitted {
		resources = append(resources, p.resource)
	}
	allowed, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Role: role.Name,
		Policy: outputs.JSON(func(arns []string) any {
			var statements []policy.Statement
			for i, p := range permitted {
				statements = append(statements, policy.Statement{
					Effect: "Allow", Action: p.actions, Resource: []string{arns[i]},
				})
			}
			return policy.New(statements...)
		}, resources...),
	}, child)
	if err != nil {
		return failed(err)
	}
	f.lambda, err = lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
		Role:          role.Arn,
		Code:          pulumi.NewFileArchive(on.code[name].Path),
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.StringArray{pulumi.String("arm64")},
		Timeout:       seconds(timeout),
		MemorySize:    pulumi.Int(memoryMB),
		Environment:   lambda.FunctionEnvironmentArgs{Variables: environment},
		LoggingConfig: lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: logs.Name},
		// Lambda checks the role's policy when an event source is connected.
	}, child, pulumi.DependsOn([]pulumi.Resource{allowed}))
	if err != nil {
		return failed(err)
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"name": f.lambda.Name})
}

func seconds(d time.Duration) pulumi.Int { return pulumi.Int(d / time.Second) }
