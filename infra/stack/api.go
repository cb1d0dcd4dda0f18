package stack

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/operations"
	"restock/lambdas"
)

// An api is the HTTP API. Nothing else of the stack is public.
type api struct {
	pulumi.ResourceState
	api       *apigatewayv2.Api
	routes    []pulumi.Resource   // of all functions
	routeKeys []string            // of these routes
	url       pulumi.StringOutput // with the host name that AWS gives
	publicURL pulumi.StringOutput // with the name in the setting domain, if there is one; else url
	// domainTarget is the name that the DNS record of the API's own name must point to; nil without
	// the setting domain.
	domainTarget pulumi.StringPtrOutput
}

// A deploymentArgs says how to serve the routes of an API.
type deploymentArgs struct {
	throttling       ThrottlingSettings
	domain           *DomainSettings // nil: the API has only the name that AWS gives
	logRetentionDays int
	key              *kms.Key // encrypts the access log
}

// accessLog is a line of the API's access log, as JSON. The request's id is the correlation id in
// the functions' logs. The log leaves out query strings: a callback's query holds its signature.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
var accessLog = map[string]string{
	"requestId":          "$context.requestId",
	"time":               "$context.requestTime",
	"sourceIp":           "$context.identity.sourceIp",
	"userAgent":          "$context.identity.userAgent",
	"caller":             "$context.identity.userArn", // the signer of a request to a signed route
	"method":             "$context.httpMethod",
	"path":               "$context.path",
	"route":              "$context.routeKey",
	"status":             "$context.status",
	"responseLength":     "$context.responseLength",
	"responseLatency":    "$context.responseLatency",
	"integrationLatency": "$context.integrationLatency",
	"integrationError":   "$context.integrationErrorMessage",
	"error":              "$context.error.message",
}

// corsMaxAge is how long a browser may cache the answer to a preflight request.
const corsMaxAge = time.Hour

// newAPI makes the API. After the functions have made its routes, deploy serves them.
func newAPI(ctx *pulumi.Context, corsOrigins []string) (*api, error) {
	a := &api{}
	failed := func(err error) (*api, error) { return nil, fmt.Errorf("creating the HTTP API: %w", err) }
	if err := ctx.RegisterComponentResource("restock:api:API", "api", a); err != nil {
		return failed(err)
	}
	declared := &apigatewayv2.ApiArgs{
		ProtocolType: pulumi.String("HTTP"),
		Description:  pulumi.String("The shop's storefront, its API, and the factory's callback"),
	}
	if len(corsOrigins) > 0 {
		declared.CorsConfiguration = apigatewayv2.ApiCorsConfigurationArgs{
			AllowOrigins:  pulumi.ToStringArray(corsOrigins),
			AllowMethods:  pulumi.ToStringArray([]string{"GET", "POST"}),
			AllowHeaders:  pulumi.ToStringArray([]string{"content-type", "idempotency-key"}),
			ExposeHeaders: pulumi.ToStringArray([]string{"apigw-requestid", "retry-after"}),
			MaxAge:        seconds(corsMaxAge),
		}
	}
	var err error
	if a.api, err = apigatewayv2.NewApi(ctx, "shop", declared, childOf(a)); err != nil {
		return failed(err)
	}
	a.url, a.publicURL = a.api.ApiEndpoint, a.api.ApiEndpoint
	return a, nil
}

// deploy serves the API's routes.
func (a *api) deploy(ctx *pulumi.Context, args deploymentArgs) error {
	failed := func(err error) error { return fmt.Errorf("deploying the HTTP API: %w", err) }
	stage, err := a.stage(ctx, args)
	if err != nil {
		return failed(err)
	}
	if args.domain != nil {
		if err := a.name(ctx, stage, *args.domain); err != nil {
			return failed(err)
		}
	}
	return ctx.RegisterResourceOutputs(a, pulumi.Map{"url": a.publicURL})
}

// stage makes the API's stage and its access log.
func (a *api) stage(ctx *pulumi.Context, args deploymentArgs) (*apigatewayv2.Stage, error) {
	child := pulumi.Parent(a.api)
	// For each log group outside this path CloudWatch Logs adds to a resource policy, and the size
	// of an account's resource policies is limited:
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-CloudWatchLogs.html
	path := "/aws/vendedlogs/" + metricsNamespace(ctx) + "/api-access"
	logs, err := operations.NewLogGroup(ctx, "api-access", path, args.logRetentionDays, args.key, child)
	if err != nil {
		return nil, fmt.Errorf("access log: %w", err)
	}
	format, err := json.Marshal(accessLog)
	if err != nil {
		return nil, fmt.Errorf("writing the format of the access log: %w", err)
	}
	limits := args.throttling.limits()
	byDefault := limits[lambdas.Browsing]
	// Each of these routes has a limit of its own.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
	var own apigatewayv2.StageRouteSettingArray
	routed := map[lambdas.Traffic]bool{lambdas.Simulation: true} // not every stage simulates the factory
	for _, key := range a.routeKeys {
		traffic := lambdas.TrafficOf(key)
		routed[traffic] = true
		if traffic != lambdas.Browsing {
			own = append(own, apigatewayv2.StageRouteSettingArgs{
				RouteKey:             pulumi.String(key),
				ThrottlingRateLimit:  pulumi.Float64(limits[traffic].RatePerSecond),
				ThrottlingBurstLimit: pulumi.Int(limits[traffic].Burst),
			})
		}
	}
	for _, traffic := range lambdas.Traffics() {
		if !routed[traffic] {
			return nil, fmt.Errorf("throttling.%s limits no route: add the route of %s to a function in "+
				"lambdas/lambdas.go, or deploy the function that has it: see infra/stack/config.go", traffic, traffic)
		}
	}
	stage, err := apigatewayv2.NewStage(ctx, "shop", &apigatewayv2.StageArgs{
		ApiId:      a.api.ID(),
		Name:       pulumi.String("$default"), // no stage in the paths
		AutoDeploy: pulumi.Bool(true),
		AccessLogSettings: apigatewayv2.StageAccessLogSettingsArgs{
			DestinationArn: logs.Arn, Format: pulumi.String(format),
		},
		DefaultRouteSettings: apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingRateLimit:  pulumi.Float64(byDefault.RatePerSecond),
			ThrottlingBurstLimit: pulumi.Int(byDefault.Burst),
		},
		RouteSettings: own,
		// API Gateway refuses settings of a route that does not exist:
		// https://github.com/aws/serverless-application-model/issues/2479
	}, child, pulumi.DependsOn(a.routes))
	if err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	return stage, nil
}

// name gives the API a name of its own. The program does not make the DNS record from the name to
// domainTarget: the name's zone may be in another account.
func (a *api) name(ctx *pulumi.Context, stage *apigatewayv2.Stage, d DomainSettings) error {
	domain, err := apigatewayv2.NewDomainName(ctx, "shop", &apigatewayv2.DomainNameArgs{
		DomainName: pulumi.String(d.Name),
		DomainNameConfiguration: apigatewayv2.DomainNameDomainNameConfigurationArgs{
			CertificateArn: pulumi.String(d.CertificateARN),
			EndpointType:   pulumi.String("REGIONAL"),
			SecurityPolicy: pulumi.String("TLS_1_2"),
		},
	}, pulumi.Parent(a.api))
	if err != nil {
		return fmt.Errorf("creating the domain name %s: %w", d.Name, err)
	}
	_, err = apigatewayv2.NewApiMapping(ctx, "shop", &apigatewayv2.ApiMappingArgs{
		ApiId: a.api.ID(), DomainName: domain.DomainName, Stage: stage.Name,
	}, pulumi.Parent(domain))
	if err != nil {
		return fmt.Errorf("mapping the domain name %s to the HTTP API: %w", d.Name, err)
	}
	a.publicURL = pulumi.Sprintf("https://%s", domain.DomainName)
	a.domainTarget = domain.DomainNameConfiguration.TargetDomainName()
	return nil
}
