package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"restock/infra/graph"
)

// Policies of AWS that every account has:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
const (
	CachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	allViewer       = "216adef6-5c7f-47e4-b989-5492eafa07d3"
	// AllViewerExceptHostHeader leaves out Host, because API Gateway refuses a host name that is
	// not its own.
	AllViewerExceptHostHeader = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
)

// AlwaysCached are the errors that CloudFront caches for 10 seconds, whatever their headers say,
// unless the distribution sets another time:
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
var AlwaysCached = []int{404, 414, 500, 501, 502, 503, 504}

// checkCDN checks that a CloudFront distribution before the HTTP API gives nobody what is for
// somebody else or is out of date, and that AWS accepts it. The functions below link the pages.
func checkCDN(i *inspection) {
	for _, d := range i.OfType(graph.Distribution) {
		i.checkViewerCertificate(d)
		i.checkOrigins(d)
		i.checkCachedErrors(d)
		for _, b := range append(d.Objects("orderedCacheBehaviors"), d.Object("defaultCacheBehavior")) {
			i.checkBehavior(d, b)
		}
	}
}

// checkViewerCertificate: CloudFront uses certificates of us-east-1 only.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
func (i *inspection) checkViewerCertificate(d *graph.Resource) {
	arn, _ := d.Object("viewerCertificate")["acmCertificateArn"].(string)
	if len(d.Strings("aliases")) > 0 && !strings.HasPrefix(arn, "arn:aws:acm:us-east-1:") {
		i.report(d, "set it to the ARN of a certificate that ACM has in us-east-1",
			"viewerCertificate.acmCertificateArn is %q, want one in us-east-1: CloudFront refuses others", arn)
	}
}

// checkOrigins: a header that CloudFront adds to requests could prove to the API that a request
// comes through CloudFront, but the header's value would be a secret in the state.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/add-origin-custom-headers.html
func (i *inspection) checkOrigins(d *graph.Resource) {
	for _, origin := range d.Objects("origins") {
		if headers, _ := origin["customHeaders"].([]any); len(headers) > 0 {
			i.report(d, "delete them", "origin %v has customHeaders, want none: their values may be secrets, and the "+
				"state keeps them",
				origin["originId"])
		}
		custom, _ := origin["customOriginConfig"].(map[string]any)
		if got := custom["originProtocolPolicy"]; got != "https-only" {
			i.report(d, "set originProtocolPolicy to https-only",
				"originProtocolPolicy of origin %v is %v, want https-only: an HTTP API answers on port 443 only",
				origin["originId"], got)
		}
		if port := custom["httpsPort"]; port != 443.0 {
			i.report(d, "set httpsPort to 443: an HTTP API has no other port", "httpsPort of origin %v is %v, want 443",
				origin["originId"], port)
		}
	}
}

func (i *inspection) checkCachedErrors(d *graph.Resource) {
	for _, status := range AlwaysCached {
		var seconds any = 10.0
		for _, response := range d.Objects("customErrorResponses") {
			if ttl := response["errorCachingMinTtl"]; response["errorCode"] == float64(status) && ttl != nil {
				seconds = ttl
			}
		}
		if seconds != 0.0 {
			i.report(d, fmt.Sprintf("set errorCachingMinTtl to 0 for errorCode %d in customErrorResponses", status),
				"CloudFront caches an answer with the status %v for %v s, and gives it to everybody", status, seconds)
		}
	}
}

// checkBehavior checks one cache behavior.
func (i *inspection) checkBehavior(d *graph.Resource, behavior map[string]any) {
	pattern := "*"
	if p, _ := behavior["pathPattern"].(string); p != "" {
		pattern = p
	}
	report := func(remedy, problem string, values ...any) {
		i.report(d, remedy, "cache behavior %s: %s", pattern, fmt.Sprintf(problem, values...))
	}
	if behavior["viewerProtocolPolicy"] == "allow-all" {
		report("set viewerProtocolPolicy to redirect-to-https",
			"viewerProtocolPolicy is allow-all: CloudFront accepts purchases over HTTP")
	}
	// API Gateway finds the API by the host name:
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
	if behavior["originRequestPolicyId"] == allViewer {
		report("set originRequestPolicyId to AllViewerExceptHostHeader, "+AllViewerExceptHostHeader,
			"it forwards the header Host, and API Gateway answers 403")
	}
	id, _ := behavior["cachePolicyId"].(string)
	if id == CachingDisabled {
		return
	}
	policy := byID(i.Graph, graph.CachePolicy, id)
	if policy == nil {
		report("declare a cache policy whose defaultTtl is 0", "cachePolicyId is %q, want CachingDisabled or a policy "+
			"of the stack: AWS's own policies cache answers without Cache-Control for a day", id)
		return
	}
	// With a minTtl CloudFront caches answers with no-store, with a defaultTtl those without a
	// Cache-Control:
	// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html
	for _, property := range []string{"minTtl", "defaultTtl"} {
		if ttl, declared := policy.Outputs[property]; !declared || ttl != 0.0 {
			report("set "+property+" to 0",
				"%s of its cache policy is %v, want 0: it caches answers that no header allows to cache", property, ttl)
		}
	}
	for _, api := range i.OfType(graph.API) {
		// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/header-caching.html#header-caching-web-cors
		if len(api.Object("corsConfiguration")) > 0 && !keyHas(policy, "origin") {
			report("add origin to the headers of the cache policy",
				"the API's CORS headers depend on Origin, and its cache policy does not: browsers refuse an answer "+
					"that is cached for another site")
		}
	}
	for _, route := range i.OfType(graph.APIRoute) {
		_, path, _ := strings.Cut(route.String("routeKey"), " ")
		authorization := route.String("authorizationType")
		if PathPattern(pattern).MatchString(path) && authorization != "" && authorization != "NONE" {
			report("set its cachePolicyId to CachingDisabled, "+CachingDisabled+", or let its pathPattern match "+
				"public routes only", "it caches the route %q, which requires a signature: everybody gets the answer "+
				"to somebody else", route.String("routeKey"))
		}
	}
}

// keyHas reports whether a cache policy has a header in its cache key.
func keyHas(policy *graph.Resource, header string) bool {
	config, _ := policy.Object("parametersInCacheKeyAndForwardedToOrigin")["headersConfig"].(map[string]any)
	headers, _ := config["headers"].(map[string]any)
	items, _ := headers["items"].([]any)
	return slices.ContainsFunc(items, func(item any) bool { return strings.EqualFold(fmt.Sprint(item), header) })
}

// PathPattern returns what a cache behavior's path pattern matches. * stands for any text, ? for
// one character, and a slash at the beginning may be missing:
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CacheBehavior.html
func PathPattern(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta("/" + strings.TrimPrefix(pattern, "/"))
	return regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted) + "$")
}
