// Command plain is a Pulumi program that uses nothing of this project: a function behind an HTTP
// API writes to a queue. docs/local.md runs it on one machine.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		notes, err := sqs.NewQueue(ctx, "notes", nil)
		if err != nil {
			return err
		}
		role, err := newRole(ctx, notes)
		if err != nil {
			return err
		}
		writer, err := lambda.NewFunction(ctx, "writer", &lambda.FunctionArgs{
			Runtime:     pulumi.String("provided.al2023"),
			Handler:     pulumi.String("bootstrap"),
			Code:        pulumi.NewFileArchive("handler/dist"),
			Role:        role.Arn,
			Environment: lambda.FunctionEnvironmentArgs{Variables: pulumi.StringMap{"QUEUE_URL": notes.Url}},
		})
		if err != nil {
			return err
		}
		return newAPI(ctx, writer)
	})
}

// newRole returns the role of the function, which may write to the queue.
func newRole(ctx *pulumi.Context, notes *sqs.Queue) (*iam.Role, error) {
	trust, err := iam.GetPolicyDocument(ctx, &iam.GetPolicyDocumentArgs{
		Statements: []iam.GetPolicyDocumentStatement{{
			Actions: []string{"sts:AssumeRole"},
			Principals: []iam.GetPolicyDocumentStatementPrincipal{
				{Type: "Service", Identifiers: []string{"lambda.amazonaws.com"}},
			},
		}},
	})
	if err != nil {
		return nil, err
	}
	role, err := iam.NewRole(ctx, "writer", &iam.RoleArgs{AssumeRolePolicy: pulumi.String(trust.Json)})
	if err != nil {
		return nil, err
	}
	_, err = iam.NewRolePolicy(ctx, "send", &iam.RolePolicyArgs{
		Role: role.Name,
		Policy: pulumi.Sprintf(`{"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "%s"}
		]}`, notes.Arn),
	})
	return role, err
}

// newAPI leads "POST /notes" to the function.
func newAPI(ctx *pulumi.Context, writer *lambda.Function) error {
	api, err := apigatewayv2.NewApi(ctx, "api", &apigatewayv2.ApiArgs{ProtocolType: pulumi.String("HTTP")})
	if err != nil {
		return err
	}
	integration, err := apigatewayv2.NewIntegration(ctx, "writer", &apigatewayv2.IntegrationArgs{
		ApiId:                api.ID(),
		IntegrationType:      pulumi.String("AWS_PROXY"),
		IntegrationUri:       writer.Arn,
		PayloadFormatVersion: pulumi.String("2.0"),
	})
	if err != nil {
		return err
	}
	_, err = apigatewayv2.NewRoute(ctx, "notes", &apigatewayv2.RouteArgs{
		ApiId:    api.ID(),
		RouteKey: pulumi.String("POST /notes"),
		Target:   pulumi.Sprintf("integrations/%s", integration.ID()),
	})
	if err != nil {
		return err
	}
	_, err = apigatewayv2.NewStage(ctx, "default", &apigatewayv2.StageArgs{
		ApiId: api.ID(), Name: pulumi.String("$default"), AutoDeploy: pulumi.Bool(true),
	})
	if err != nil {
		return err
	}
	_, err = lambda.NewPermission(ctx, "api", &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  writer.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"),
		SourceArn: pulumi.Sprintf("%s/*/*", api.ExecutionArn),
	})
	ctx.Export("url", api.ApiEndpoint)
	return err
}
