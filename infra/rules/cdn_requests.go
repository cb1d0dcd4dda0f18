package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"restock/infra/graph"
)

// methodSets are the sets of methods that a cache behavior may allow:
// https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AllowedMethods.html
var methodSets = [][]string{
	{"GET", "HEAD"},
	{"GET", "HEAD", "OPTIONS"},
	{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"},
}

// longestTTL limits how long a wrong header of the API can keep an answer in the cache, in seconds.
const longestTTL = 60

// checkCDNRequests checks that CloudFront accepts a distribution, and passes requests to the API as
// buyers send them.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/controlling-origin-requests.html
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html
func checkCDNRequests(i *inspection) {
	for _, d := range i.OfType(graph.Distribution) {
		i.checkServing(d)
		origins := map[any]bool{}
		for _, origin := range d.Objects("origins") {
			origins[origin["originId"]] = true
			host, _ := origin["domainName"].(string)
			if i.Find(graph.API, "apiEndpoint", "https://"+host) == nil {
				i.report(d, "set domainName to the host of the API's apiEndpoint, without https://",
					"the domainName of its origin is %q, which is the host of no API of the stack", host)
			}
		}
		certificate, _ := d.Object("viewerCertificate")["acmCertificateArn"].(string)
		if certificate != "" && len(d.Strings("aliases")) == 0 {
			i.report(d, "add the certificate's name to aliases",
				"it has the certificate %s and no aliases: CloudFront answers "+
					"403 to requests for the certificate's name", certificate)
		}
		for _, behavior := range append(d.Objects("orderedCacheBehaviors"), d.Object("defaultCacheBehavior")) {
			i.checkRequests(d, graph.Resource{Outputs: behavior}, origins)
		}
	}
	for _, p := range i.OfType(graph.CachePolicy) {
		if ttl := number(p, "maxTtl", 365*24*60*60); ttl > longestTTL {
			i.report(p, fmt.Sprintf("set maxTtl to %d or less", longestTTL), "maxTtl is %v s, want %d at most: "+
				"after a mistake in a header, buyers see old stock for that long", ttl, longestTTL)
		}
	}
}

func (i *inspection) checkRequests(d *graph.Resource, behavior graph.Resource, origins map[any]bool) {
	pattern := behavior.String("pathPattern")
	if pattern == "" {
		pattern = "*"
	}
	if origin := behavior.Outputs["targetOriginId"]; !origins[origin] {
		i.report(d, "set targetOriginId to the originId of one of its origins",
			"cache behavior %s: targetOriginId is %v, which is no origin: CloudFront refuses it",
			pattern, origin)
	}
	methods := behavior.Strings("allowedMethods")
	slices.Sort(methods)
	if !slices.ContainsFunc(methodSets, func(set []string) bool { return slices.Equal(set, methods) }) {
		i.report(d, "set allowedMethods to GET HEAD, to GET HEAD OPTIONS, or to all seven: DELETE GET HEAD OPTIONS "+
			"PATCH POST PUT",
			"cache behavior %s: allowedMethods are %s: CloudFront refuses them", pattern, strings.Join(methods, " "))
	}
	cached := behavior.Strings("cachedMethods")
	slices.Sort(cached)
	if len(cached) > 0 && !slices.ContainsFunc(methodSets[:2], func(set []string) bool {
		return slices.Equal(set, cached)
	}) {
		i.report(d, "set cachedMethods to GET HEAD, or to GET HEAD OPTIONS",
			"cache behavior %s: cachedMethods are %s: CloudFront refuses "+
				"them", pattern, strings.Join(cached, " "))
	}
	id := behavior.String("responseHeadersPolicyId")
	if id != "" && !managedPolicy.MatchString(id) && byID(i.Graph, graph.ResponseHeadersPolicy, id) == nil {
		i.report(d, "set it to the id of a ResponseHeadersPolicy of the stack",
			"cache behavior %s: its responseHeadersPolicyId is %q, "+
				"which is no ResponseHeadersPolicy of the stack", pattern, id)
	}
	// Without a policy CloudFront sends only what is in the cache key.
	if behavior.String("originRequestPolicyId") == "" {
		i.report(d, "set originRequestPolicyId to AllViewerExceptHostHeader, "+AllViewerExceptHostHeader,
			"cache behavior %s: it has no originRequestPolicyId: the API "+
				"gets requests without their query, cookies and headers", pattern)
	}
	if pattern != "*" && !strings.HasPrefix(pattern, "/") {
		i.report(d, "begin pathPattern with a slash", "cache behavior %s: its pathPattern does not begin with a slash",
			pattern)
	}
}

// managedPolicy matches the ids of AWS's own policies.
var managedPolicy = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// pathParameter matches a parameter in the path of a route.
var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// checkServing checks that a distribution answers, and that it lets the requests of the public
// routes pass: CloudFront answers 403 to a method that the first cache behavior with a matching
// path does not allow. Callers of signed and buffered routes call the API itself.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
func (i *inspection) checkServing(d *graph.Resource) {
	if enabled, declared := d.Outputs["enabled"].(bool); declared && !enabled {
		i.report(d, "set enabled to true", "enabled is false: CloudFront answers no request")
	}
	geo, _ := d.Object("restrictions")["geoRestriction"].(map[string]any)
	if locations, _ := geo["locations"].([]any); geo["restrictionType"] == "whitelist" && len(locations) == 0 {
		i.report(d, "set restrictionType to none, or add locations",
			"its geoRestriction is a whitelist without locations: nobody gets an answer")
	}
	for _, route := range i.OfType(graph.APIRoute) {
		method, path, ok := strings.Cut(route.String("routeKey"), " ")
		authorization := route.String("authorizationType")
		if !ok || authorization != "" && authorization != "NONE" || i.queueOf(i.Integration(route)) != nil {
			continue
		}
		path = pathParameter.ReplaceAllString(path, "x")
		for _, b := range append(d.Objects("orderedCacheBehaviors"), d.Object("defaultCacheBehavior")) {
			behavior := graph.Resource{Outputs: b}
			pattern := behavior.String("pathPattern")
			if pattern != "" && !PathPattern(pattern).MatchString(path) {
				continue
			}
			if methods := behavior.Strings("allowedMethods"); method != "ANY" && !slices.Contains(methods, method) {
				i.report(d, "let another behavior match the path, or add "+method+" to allowedMethods, with all others",
					"its cache behavior for %s allows only %s: CloudFront answers "+
						"403 to the route %q", path, strings.Join(methods, " "), route.String("routeKey"))
			}
			break
		}
	}
}
