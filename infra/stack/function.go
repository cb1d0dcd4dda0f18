package stack

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/operations"
	"restock/infra/outputs"
	"restock/infra/policy"
	"restock/lambdas"
)

// A function is a function of package lambdas with its own role, log group and triggers.
type function struct {
	pulumi.ResourceState
	declared    lambdas.Function
	settings    Settings
	concurrency int // 0: not reserved
	logs        *cloudwatch.LogGroup
	lambda      *lambda.Function
}

// reserved reports whether the function has concurrency of its own. A function with a queue has
// none: its event source limits it, and it takes its instances from the account's quota.
func (f *function) reserved() bool { return f.declared.Queue == "" && f.concurrency > 0 }

// newFunction makes a function after the resources in ready.
func (b *base) newFunction(ctx *pulumi.Context, declared lambdas.Function, code bundle.Zip) (*function, error) {
	f := &function{
		declared: declared, settings: b.settings, concurrency: b.settings.Concurrency[declared.Name],
	}
	name := declared.Name
	failed := func(err error) (*function, error) { return nil, fmt.Errorf("creating function %s: %w", name, err) }
	if err := ctx.RegisterComponentResource("restock:lambda:Function", name, f); err != nil {
		return failed(err)
	}
	child := pulumi.Parent(f)

	var err error
	if f.logs, err = operations.NewLogGroup(ctx, name, "", b.settings.LogRetentionDays, b.key, child); err != nil {
		return failed(err)
	}
	role, err := f.newRole(ctx, b)
	if err != nil {
		return failed(err)
	}
	environment, err := b.bindings.environment(declared)
	if err != nil {
		return nil, err
	}
	args := &lambda.FunctionArgs{
		Description:   pulumi.String(declared.Description),
		Role:          role.Arn,
		Code:          pulumi.NewFileArchive(code.Path),
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.StringArray{pulumi.String("arm64")},
		Timeout:       seconds(declared.Timeout),
		MemorySize:    pulumi.Int(declared.MemoryMB),
		Environment:   lambda.FunctionEnvironmentArgs{Variables: environment},
		TracingConfig: b.settings.tracingConfig(),
		// The functions write their measurements as log lines of level INFO. With a higher level
		// CloudWatch would get no measurements, and alarms would stay silent.
		LoggingConfig: lambda.FunctionLoggingConfigArgs{
			LogFormat:           pulumi.String("JSON"),
			ApplicationLogLevel: pulumi.String("INFO"),
			SystemLogLevel:      pulumi.String("INFO"),
			LogGroup:            f.logs.Name,
		},
	}
	if f.reserved() {
		args.ReservedConcurrentExecutions = pulumi.Int(f.concurrency)
	}
	if declared.Network == lambdas.Private {
		args.VpcConfig = lambda.FunctionVpcConfigArgs{
			SubnetIds:        b.network.subnetIDs,
			SecurityGroupIds: pulumi.StringArray{b.network.functions.ID()},
		}
	}
	// Lambda checks the role's permissions when a function or an event source is made.
	after := slices.Concat(b.ready, b.network.ready, []pulumi.Resource{role.policy})
	f.lambda, err = lambda.NewFunction(ctx, name, args, child, pulumi.DependsOn(after))
	if err != nil {
		return failed(err)
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"name": f.lambda.Name})
}

// tracingConfig returns the functions' tracing; nil is AWS's default, none.
func (s Settings) tracingConfig() lambda.FunctionTracingConfigPtrInput {
	if !s.Tracing {
		return nil
	}
	return lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")}
}

// newServiceRole makes a role that a service of AWS assumes. The role has no permissions yet.
func newServiceRole(
	ctx *pulumi.Context, s Settings, name, service string, options ...pulumi.ResourceOption,
) (*iam.Role, error) {
	args := &iam.RoleArgs{
		// The workflow that deploys a stage may make roles only below this path.
		Path: pulumi.Sprintf("/%s/%s/", ctx.Project(), ctx.Stack()),
		AssumeRolePolicy: outputs.JSON(func([]string) any {
			return policy.New(policy.Statement{
				Effect: "Allow", Principal: &policy.Principal{Service: service}, Action: []string{"sts:AssumeRole"},
			})
		}),
	}
	if s.PermissionsBoundary != "" {
		args.PermissionsBoundary = pulumi.String(s.PermissionsBoundary)
	}
	return iam.NewRole(ctx, name, args, options...)
}

// A role is an IAM role with its policy.
type role struct {
	*iam.Role
	policy *iam.RolePolicy
}

// newRole makes the function's role. It allows only what the function's environment, its queue, its
// log group and its network need.
func (f *function) newRole(ctx *pulumi.Context, b *base) (*role, error) {
	name := f.declared.Name
	r, err := newServiceRole(ctx, b.settings, name, "lambda.amazonaws.com", pulumi.Parent(f))
	if err != nil {
		return nil, err
	}
	permissions, err := b.bindings.permissions(f.declared)
	if err != nil {
		return nil, err
	}
	permissions = append(permissions, permission{
		actions:  []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		resource: pulumi.Sprintf("%s:*", f.logs.Arn), // the group's streams
	})
	if f.declared.Network == lambdas.Private {
		// Lambda makes network interfaces with the function's role. It requires these actions on
		// all resources:
		// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
		permissions = append(permissions, permission{policy.NetworkInterfaceActions, pulumi.String("*")})
	}
	if b.settings.Tracing { // Lambda sends the traces with the function's role
		permissions = append(permissions, permission{policy.TracingActions, pulumi.String("*")})
	}
	var resources []pulumi.StringInput
	for _, p := range permissions {
		resources = append(resources, p.resource)
	}
	attached, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Role: r.Name,
		Policy: outputs.JSON(func(arns []string) any {
			var statements []policy.Statement
			for i, p := range permissions {
				statements = append(statements, policy.Statement{
					Effect: "Allow", Action: p.actions, Resource: []string{arns[i]},
				})
			}
			if f.declared.Network == lambdas.Private {
				// Only requests of the function's own code have the condition key. Lambda may use
				// the actions, the code may not.
				statements = append(statements, policy.Statement{
					Effect: "Deny", Action: policy.NetworkInterfaceActions, Resource: []string{"*"},
					Condition: policy.Condition{"Null": {policy.SourceFunctionARN: "false"}},
				})
			}
			return policy.New(statements...)
		}, resources...),
	}, pulumi.Parent(f))
	if err != nil {
		return nil, err
	}
	return &role{r, attached}, nil
}
