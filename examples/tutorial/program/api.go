package program

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// An api is the HTTP API that both exercises share.
type api struct{ *apigatewayv2.Api }

// Anybody on the Internet may call the API, so it limits requests: per second, and in a burst.
const throttlingRate, throttlingBurst = 10, 20

func newAPI(ctx *pulumi.Context) (*api, error) {
	a, err := apigatewayv2.NewApi(ctx, "tutorial", &apigatewayv2.ApiArgs{ProtocolType: pulumi.String("HTTP")})
	if err != nil {
		return nil, fmt.Errorf("creating the HTTP API: %w", err)
	}
	_, err = apigatewayv2.NewStage(ctx, "tutorial", &apigatewayv2.StageArgs{
		ApiId:      a.ID(),
		Name:       pulumi.String("$default"), // no stage in the paths
		AutoDeploy: pulumi.Bool(true),
		DefaultRouteSettings: apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingRateLimit: pulumi.Float64(throttlingRate), ThrottlingBurstLimit: pulumi.Int(throttlingBurst),
		},
	}, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("creating the HTTP API's stage: %w", err)
	}
	return &api{a}, nil
}

// route adds a route, for example "POST /", that calls a function, and allows the API to invoke it.
func (a *api) route(ctx *pulumi.Context, route string, f *function) error {
	child := pulumi.Parent(f)
	integration, err := apigatewayv2.NewIntegration(ctx, f.name, &apigatewayv2.IntegrationArgs{
		ApiId:                a.ID(),
		IntegrationType:      pulumi.String("AWS_PROXY"),
		IntegrationUri:       f.lambda.InvokeArn,
		PayloadFormatVersion: pulumi.String("2.0"),
	}, child)
	if err != nil {
		return fmt.Errorf("integrating function %s: %w", f.name, err)
	}
	_, err = apigatewayv2.NewRoute(ctx, route, &apigatewayv2.RouteArgs{
		ApiId:    a.ID(),
		RouteKey: pulumi.String(route),
		Target:   pulumi.Sprintf("integrations/%s", integration.ID()),
	}, child)
	if err != nil {
		return fmt.Errorf("creating route %q: %w", route, err)
	}
	_, err = lambda.NewPermission(ctx, f.name, &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  f.lambda.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"),
		SourceArn: pulumi.Sprintf("%s/*", a.ExecutionArn),
	}, child)
	if err != nil {
		return fmt.Errorf("letting the HTTP API invoke function %s: %w", f.name, err)
	}
	return nil
}
