package stack

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/outputs"
	"restock/infra/policy"
	"restock/lambdas"
)

// connect makes a function's triggers: routes, event source and schedule.
func (f *function) connect(ctx *pulumi.Context, m *messaging, a *api) error {
	if len(f.declared.Routes) > 0 {
		if err := f.route(ctx, m, a); err != nil {
			return fmt.Errorf("routing requests to function %s: %w", f.declared.Name, err)
		}
	}
	if f.declared.Queue != "" {
		if err := f.poll(ctx, m); err != nil {
			return fmt.Errorf("connecting function %s to queue %s: %w", f.declared.Name, f.declared.Queue, err)
		}
	}
	if f.declared.Every > 0 {
		if err := f.schedule(ctx); err != nil {
			return fmt.Errorf("scheduling function %s: %w", f.declared.Name, err)
		}
	}
	return nil
}

// route makes the function's routes. They lead to the function, or to its queue if its requests are
// buffered.
func (f *function) route(ctx *pulumi.Context, m *messaging, a *api) error {
	integrate := f.invoke
	if len(f.declared.Buffered) > 0 {
		integrate = f.buffer
	}
	integration, err := integrate(ctx, m, a)
	if err != nil {
		return err
	}
	for _, key := range f.declared.Routes {
		args := &apigatewayv2.RouteArgs{
			ApiId:    a.api.ID(),
			RouteKey: pulumi.String(key),
			Target:   pulumi.Sprintf("integrations/%s", integration.ID()),
		}
		if f.declared.Access == lambdas.Signed {
			args.AuthorizationType = pulumi.String("AWS_IAM")
		}
		route, err := apigatewayv2.NewRoute(ctx, key, args, pulumi.Parent(f))
		if err != nil {
			return fmt.Errorf("route %q: %w", key, err)
		}
		a.routes, a.routeKeys = append(a.routes, route), append(a.routeKeys, key)
	}
	return nil
}

// invoke makes an integration that invokes the function for each request.
func (f *function) invoke(ctx *pulumi.Context, _ *messaging, a *api) (*apigatewayv2.Integration, error) {
	name := f.declared.Name
	anyRoute := lambda.PermissionArgs{SourceArn: pulumi.Sprintf("%s/*", a.api.ExecutionArn)}
	if _, err := f.allowInvocation(ctx, name+"-api", "apigateway.amazonaws.com", anyRoute); err != nil {
		return nil, err
	}
	return apigatewayv2.NewIntegration(ctx, name, &apigatewayv2.IntegrationArgs{
		ApiId:                a.api.ID(),
		IntegrationType:      pulumi.String("AWS_PROXY"),
		IntegrationUri:       f.lambda.InvokeArn,
		PayloadFormatVersion: pulumi.String("2.0"),
	}, pulumi.Parent(f))
}

// buffer makes an integration that sends each request into the function's queue, with a role of the
// API that may do nothing else. No function runs before the client has its answer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html
func (f *function) buffer(ctx *pulumi.Context, m *messaging, a *api) (*apigatewayv2.Integration, error) {
	name, child, queue := f.declared.Name, pulumi.Parent(f), m.queues[f.declared.Queue]
	sender, err := newServiceRole(ctx, f.settings, name+"-api", "apigateway.amazonaws.com", child)
	if err != nil {
		return nil, err
	}
	maySend, err := iam.NewRolePolicy(ctx, name+"-api", &iam.RolePolicyArgs{
		Role: sender.Name,
		Policy: outputs.JSON(func(arns []string) any {
			return policy.New(policy.Statement{
				Effect: "Allow", Action: policy.Actions("queue", "send"), Resource: []string{arns[0]},
			})
		}, queue.Arn),
	}, child)
	if err != nil {
		return nil, err
	}
	// The documentation does not show message attributes. API Gateway accepts their JSON as a text
	// only if it contains a mapping expression in ${}:
	// https://github.com/hashicorp/terraform-provider-aws/issues/17348
	attributes := map[string]any{}
	for _, part := range f.declared.Buffered {
		_, attribute, _ := strings.Cut(part, ".")
		attributes[attribute] = map[string]string{"DataType": "String", "StringValue": "${request." + part + "}"}
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return nil, fmt.Errorf("writing the message's attributes: %w", err)
	}
	return apigatewayv2.NewIntegration(ctx, name, &apigatewayv2.IntegrationArgs{
		ApiId:                a.api.ID(),
		IntegrationType:      pulumi.String("AWS_PROXY"),
		IntegrationSubtype:   pulumi.String("SQS-SendMessage"),
		CredentialsArn:       sender.Arn,
		PayloadFormatVersion: pulumi.String("1.0"), // the only one for a service of AWS
		RequestParameters: pulumi.StringMap{
			"QueueUrl":          queue.Url,
			"MessageBody":       pulumi.String("$request.body"),
			"MessageAttributes": pulumi.String(text),
		},
	}, child, pulumi.DependsOn([]pulumi.Resource{maySend}))
}

// poll makes the event source mapping from the queue to the function. The function reports messages
// that failed one by one, so the others of the batch are not retried.
func (f *function) poll(ctx *pulumi.Context, m *messaging) error {
	_, err := lambda.NewEventSourceMapping(ctx, f.declared.Name, &lambda.EventSourceMappingArgs{
		EventSourceArn:        m.queues[f.declared.Queue].Arn,
		FunctionName:          f.lambda.Arn,
		BatchSize:             pulumi.Int(f.declared.BatchSize),
		FunctionResponseTypes: pulumi.StringArray{pulumi.String("ReportBatchItemFailures")},
		ScalingConfig: lambda.EventSourceMappingScalingConfigArgs{
			MaximumConcurrency: pulumi.Int(f.concurrency),
		},
	}, pulumi.Parent(f))
	return err
}

func (f *function) schedule(ctx *pulumi.Context) error {
	name, child := f.declared.Name, pulumi.Parent(f)
	unit := "minutes"
	minutes := int(f.declared.Every / time.Minute)
	if minutes == 1 {
		unit = "minute" // EventBridge refuses "rate(1 minutes)"
	}
	rule, err := cloudwatch.NewEventRule(ctx, name, &cloudwatch.EventRuleArgs{
		Description:        pulumi.String(f.declared.Description),
		ScheduleExpression: pulumi.Sprintf("rate(%d %s)", minutes, unit),
	}, child)
	if err != nil {
		return err
	}
	target := &cloudwatch.EventTargetArgs{Rule: rule.Name, Arn: f.lambda.Arn}
	if _, err := cloudwatch.NewEventTarget(ctx, name, target, child); err != nil {
		return err
	}
	onlyRule := lambda.PermissionArgs{SourceArn: rule.Arn}
	_, err = f.allowInvocation(ctx, name+"-schedule", "events.amazonaws.com", onlyRule)
	return err
}

// allowInvocation lets a service of AWS invoke the function on behalf of the source in the
// permission.
func (f *function) allowInvocation(
	ctx *pulumi.Context, name, service string, p lambda.PermissionArgs,
) (*lambda.Permission, error) {
	p.Action = pulumi.String("lambda:InvokeFunction")
	p.Function = f.lambda.Name
	p.Principal = pulumi.String(service)
	return lambda.NewPermission(ctx, name, &p, pulumi.Parent(f))
}

// rotationDays is the time after which the functions' password is replaced.
const rotationDays = 30

// rotate lets the function replace a secret's value, at once and then every rotationDays.
func (f *function) rotate(ctx *pulumi.Context, secret *secretsmanager.Secret, after ...pulumi.Resource) error {
	failed := func(err error) error {
		return fmt.Errorf("letting function %s rotate secret %s: %w", f.declared.Name, f.declared.Rotates, err)
	}
	name := f.declared.Name + "-rotation"
	// Secrets Manager sends the account as the source, and not the secret's ARN. The function
	// checks that the secret is its own.
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
	account := lambda.PermissionArgs{SourceAccount: outputs.Account(secret.Arn)}
	permission, err := f.allowInvocation(ctx, name, "secretsmanager.amazonaws.com", account)
	if err != nil {
		return failed(err)
	}
	_, err = secretsmanager.NewSecretRotation(ctx, f.declared.Rotates, &secretsmanager.SecretRotationArgs{
		SecretId:          secret.Arn,
		RotationLambdaArn: f.lambda.Arn,
		RotationRules: secretsmanager.SecretRotationRotationRulesArgs{
			AutomaticallyAfterDays: pulumi.Int(rotationDays),
		},
	}, pulumi.Parent(secret), pulumi.DependsOn(append(after, permission)))
	if err != nil {
		return failed(err)
	}
	return nil
}

// runSetup invokes the function setup when its code, the database, a secret or the name of the
// catalogue is new. An error of the function fails the deployment.
func runSetup(
	ctx *pulumi.Context, f *function, code bundle.Zip, d *database, secrets map[string]*secretsmanager.Secret,
) (*lambda.Invocation, error) {
	triggers := pulumi.StringMap{"code": pulumi.String(code.Hash), "database": d.instance.ResourceId,
		"catalogue": pulumi.String(f.settings.Catalogue)}
	for name, secret := range secrets {
		triggers["secret "+name] = secret.Arn
	}
	invocation, err := lambda.NewInvocation(ctx, f.declared.Name, &lambda.InvocationArgs{
		FunctionName: f.lambda.Name,
		Input:        pulumi.String("{}"),
		Triggers:     triggers,
	}, pulumi.Parent(f))
	if err != nil {
		return nil, fmt.Errorf("running function %s: %w", f.declared.Name, err)
	}
	return invocation, nil
}
