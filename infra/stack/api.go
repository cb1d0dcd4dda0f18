package stack

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// An api is the HTTP API: the one public thing of the stack.
type api struct {
	api *apigatewayv2.Api
	url pulumi.StringOutput
}

func newAPI(ctx *pulumi.Context, s Settings) (*api, error) {
	a, err := apigatewayv2.NewApi(ctx, "shop", &apigatewayv2.ApiArgs{
		ProtocolType: pulumi.String("HTTP"),
		Description:  pulumi.String("The shop's storefront, its API, and the factory's callback"),
	})
	if err != nil {
		return nil, fmt.Errorf("creating the HTTP API: %w", err)
	}
	_, err = apigatewayv2.NewStage(ctx, "shop", &apigatewayv2.StageArgs{
		ApiId:      a.ID(),
		Name:       pulumi.String("$default"), // no stage in the paths
		AutoDeploy: pulumi.Bool(true),
		DefaultRouteSettings: apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingRateLimit:  pulumi.Float64(s.Throttling.RatePerSecond),
			ThrottlingBurstLimit: pulumi.Int(s.Throttling.Burst),
		},
	}, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("creating the HTTP API's stage: %w", err)
	}
	return &api{a, a.ApiEndpoint}, nil
}
