package stack

import (
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/rules"
	"restock/lambdas"
)

// A cdn is a CloudFront distribution before the HTTP API. It answers the requests of many open
// pages from its cache, and passes all other requests on.
type cdn struct {
	pulumi.ResourceState
	url pulumi.StringOutput
	// domainTarget is the name that the DNS record of the setting domain must point to.
	domainTarget pulumi.StringPtrOutput
}

type cdnArgs struct {
	origin      pulumi.StringOutput // the API's URL with the host name that AWS gives
	corsOrigins []string
	domain      *DomainSettings // nil: the distribution has only the name that AWS gives
}

// sharedRoutes are the routes whose answers are the same for everybody: see web.AnswerShared. The
// distribution caches these only.
var sharedRoutes = []string{lambdas.RouteStorefront, lambdas.RouteOpenAPI, lambdas.RouteProducts}

const (
	apiOrigin = "api"

	// longestCached limits the max-age of the API's answers, so that no mistake in a header keeps
	// an old stock in the cache.
	longestCached = 2 * time.Second
	// httpsOnlyFor is how long browsers use only HTTPS for the name, after they have seen it once.
	httpsOnlyFor = 365 * 24 * time.Hour
)

func newCDN(ctx *pulumi.Context, args cdnArgs) (*cdn, error) {
	c := &cdn{}
	failed := func(err error) (*cdn, error) { return nil, fmt.Errorf("creating the CDN: %w", err) }
	if err := ctx.RegisterComponentResource("restock:cdn:CDN", "cdn", c); err != nil {
		return failed(err)
	}
	child := pulumi.Parent(c)
	cache, err := newCachePolicy(ctx, args.corsOrigins, child)
	if err != nil {
		return failed(err)
	}
	security := cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs{
		StrictTransportSecurity: cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs{
			AccessControlMaxAgeSec: seconds(httpsOnlyFor), Override: pulumi.Bool(true),
		},
	}
	headers, err := cloudfront.NewResponseHeadersPolicy(ctx, "shop",
		&cloudfront.ResponseHeadersPolicyArgs{SecurityHeadersConfig: security}, child)
	if err != nil {
		return failed(err)
	}
	d, err := cloudfront.NewDistribution(ctx, "shop", distribution(args, cache, headers), child)
	if err != nil {
		return failed(err)
	}
	c.url, c.domainTarget = pulumi.Sprintf("https://%s", d.DomainName), d.DomainName.ToStringPtrOutput()
	if args.domain != nil {
		c.url = pulumi.Sprintf("https://%s", args.domain.Name)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"url": c.url})
}

// newCachePolicy makes the policy of the shared routes. The cache's key holds neither the query nor
// cookies nor the language: everybody gets the same answer, and nobody can avoid the cache. API
// Gateway's CORS headers depend on Origin.
func newCachePolicy(
	ctx *pulumi.Context, corsOrigins []string, options ...pulumi.ResourceOption,
) (*cloudfront.CachePolicy, error) {
	headers := cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigArgs{
		HeaderBehavior: pulumi.String("none"),
	}
	if len(corsOrigins) > 0 {
		headers.HeaderBehavior = pulumi.String("whitelist")
		headers.Headers = cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigHeadersArgs{
			Items: pulumi.ToStringArray([]string{"origin"}),
		}
	}
	return cloudfront.NewCachePolicy(ctx, "shop", &cloudfront.CachePolicyArgs{
		Comment: pulumi.String("As long as the shop's Cache-Control says"),
		MinTtl:  pulumi.Int(0), DefaultTtl: pulumi.Int(0), MaxTtl: seconds(longestCached),
		ParametersInCacheKeyAndForwardedToOrigin: cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs{
			CookiesConfig: cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfigArgs{
				CookieBehavior: pulumi.String("none"),
			},
			QueryStringsConfig: cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginQueryStringsConfigArgs{
				QueryStringBehavior: pulumi.String("none"),
			},
			HeadersConfig:            headers,
			EnableAcceptEncodingGzip: pulumi.Bool(true), EnableAcceptEncodingBrotli: pulumi.Bool(true),
		},
	}, options...)
}

func distribution(
	args cdnArgs, cache *cloudfront.CachePolicy, headers *cloudfront.ResponseHeadersPolicy,
) *cloudfront.DistributionArgs {
	declared := &cloudfront.DistributionArgs{
		Comment:       pulumi.String("The shop's storefront and its API"),
		Enabled:       pulumi.Bool(true),
		IsIpv6Enabled: pulumi.Bool(true),
		HttpVersion:   pulumi.String("http2and3"),
		// Class 200 has the locations in South Korea, class 100 has not:
		// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html
		PriceClass: pulumi.String("PriceClass_200"),
		Origins: cloudfront.DistributionOriginArray{cloudfront.DistributionOriginArgs{
			OriginId: pulumi.String(apiOrigin),
			DomainName: args.origin.ApplyT(func(url string) string {
				return strings.TrimPrefix(url, "https://")
			}).(pulumi.StringOutput),
			CustomOriginConfig: cloudfront.DistributionOriginCustomOriginConfigArgs{
				HttpPort: pulumi.Int(80), HttpsPort: pulumi.Int(443),
				OriginProtocolPolicy: pulumi.String("https-only"),
				OriginSslProtocols:   pulumi.ToStringArray([]string{"TLSv1.2"}),
			},
		}},
		DefaultCacheBehavior: cloudfront.DistributionDefaultCacheBehaviorArgs{
			TargetOriginId:       pulumi.String(apiOrigin),
			ViewerProtocolPolicy: pulumi.String("redirect-to-https"),
			AllowedMethods: pulumi.ToStringArray(
				[]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}),
			CachedMethods:           pulumi.ToStringArray([]string{"GET", "HEAD"}),
			CachePolicyId:           pulumi.String(rules.CachingDisabled),
			OriginRequestPolicyId:   pulumi.String(rules.AllViewerExceptHostHeader),
			ResponseHeadersPolicyId: headers.ID(),
		},
		OrderedCacheBehaviors: cachedBehaviors(cache, headers),
		CustomErrorResponses:  uncachedErrors(),
		Restrictions: cloudfront.DistributionRestrictionsArgs{
			GeoRestriction: cloudfront.DistributionRestrictionsGeoRestrictionArgs{
				RestrictionType: pulumi.String("none"),
			},
		},
		ViewerCertificate: cloudfront.DistributionViewerCertificateArgs{
			CloudfrontDefaultCertificate: pulumi.Bool(true),
		},
	}
	if d := args.domain; d != nil {
		declared.Aliases = pulumi.ToStringArray([]string{d.Name})
		declared.ViewerCertificate = cloudfront.DistributionViewerCertificateArgs{
			AcmCertificateArn: pulumi.String(d.CertificateARN), SslSupportMethod: pulumi.String("sni-only"),
			MinimumProtocolVersion: pulumi.String("TLSv1.2_2021"),
		}
	}
	return declared
}

// cachedBehaviors are the cache behaviors of the shared routes.
func cachedBehaviors(
	cache *cloudfront.CachePolicy, headers *cloudfront.ResponseHeadersPolicy,
) (behaviors cloudfront.DistributionOrderedCacheBehaviorArray) {
	for _, route := range sharedRoutes {
		_, path, _ := strings.Cut(route, " ")
		behaviors = append(behaviors, cloudfront.DistributionOrderedCacheBehaviorArgs{
			PathPattern:          pulumi.String(path),
			TargetOriginId:       pulumi.String(apiOrigin),
			ViewerProtocolPolicy: pulumi.String("redirect-to-https"),
			// OPTIONS passes, and is not cached: browsers send it before some requests of other
			// sites.
			AllowedMethods: pulumi.ToStringArray([]string{"GET", "HEAD", "OPTIONS"}),
			CachedMethods:  pulumi.ToStringArray([]string{"GET", "HEAD"}),
			Compress:       pulumi.Bool(true), // API Gateway does not compress
			CachePolicyId:  cache.ID(),
			// An error, which is not cached, is in the language of the buyer who gets it.
			OriginRequestPolicyId:   pulumi.String(rules.AllViewerExceptHostHeader),
			ResponseHeadersPolicyId: headers.ID(),
		})
	}
	return behaviors
}

// uncachedErrors lets no error outlast its cause. Its text is in the language of one buyer.
func uncachedErrors() (errors cloudfront.DistributionCustomErrorResponseArray) {
	for _, status := range rules.AlwaysCached {
		errors = append(errors, cloudfront.DistributionCustomErrorResponseArgs{
			ErrorCode: pulumi.Int(status), ErrorCachingMinTtl: pulumi.Int(0),
		})
	}
	return errors
}
