package run

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"restock/infra/graph"
	"restock/infra/rules"
	"restock/local/aws/cloudfront"
)

// behindCDN returns the CloudFront distribution before an API, or the API's own handler if the
// program declares none. The graph has the addresses on AWS. The run has one address for both, so
// the factory and the merchant, who use the API's own name on AWS, pass the distribution too. It
// caches neither of their requests.
func behindCDN(g *graph.Graph, api *graph.Resource, handler http.Handler) (http.Handler, error) {
	host := hostOf(api)
	for _, d := range g.OfType(graph.Distribution) {
		isOrigin := func(o map[string]any) bool { return host != "" && o["domainName"] == host }
		if !slices.ContainsFunc(d.Objects("origins"), isOrigin) {
			continue
		}
		config := cloudfront.Config{Header: http.Header{}}
		for _, behavior := range append(d.Objects("orderedCacheBehaviors"), d.Object("defaultCacheBehavior")) {
			b := graph.Resource{Outputs: behavior}
			policy, err := cachePolicy(g, b.String("cachePolicyId"))
			if err != nil {
				return nil, fmt.Errorf("distribution %s: %w", d.Name, err)
			}
			pattern := b.String("pathPattern")
			if pattern == "" {
				pattern = "*"
			}
			config.Behaviors = append(config.Behaviors,
				cloudfront.Behavior{Path: rules.PathPattern(pattern), CachePolicy: policy})
		}
		for _, p := range g.OfType(graph.ResponseHeadersPolicy) {
			hsts, _ := p.Object("securityHeadersConfig")["strictTransportSecurity"].(map[string]any)
			if seconds, declared := hsts["accessControlMaxAgeSec"].(float64); declared {
				config.Header.Set("Strict-Transport-Security", fmt.Sprintf("max-age=%.0f", seconds))
			}
		}
		return cloudfront.New(config, handler), nil
	}
	return handler, nil
}

// hostOf returns the host of an HTTP API, a stage of a REST API or a function URL; "" if the graph
// has no URL of it.
func hostOf(api *graph.Resource) string {
	u, err := url.Parse(cmp.Or(api.String("apiEndpoint"), api.String("invokeUrl"), api.String("functionUrl")))
	if err != nil {
		return ""
	}
	return u.Host
}

// cachePolicy returns the policy with an id. AWS's own policies of which the run knows the settings
// are CachingDisabled only.
func cachePolicy(g *graph.Graph, id string) (cloudfront.CachePolicy, error) {
	if id == rules.CachingDisabled {
		return cloudfront.CachePolicy{}, nil
	}
	declared := g.OfType(graph.CachePolicy)
	i := slices.IndexFunc(declared, func(p *graph.Resource) bool { return p.ID == id })
	if i < 0 {
		return cloudfront.CachePolicy{}, fmt.Errorf("cachePolicyId is %q, which is not run here", id)
	}
	key := declared[i].Object("parametersInCacheKeyAndForwardedToOrigin")
	within := func(object map[string]any, name string) *graph.Resource {
		inner, _ := object[name].(map[string]any)
		return &graph.Resource{Outputs: inner}
	}
	headers := within(key, "headersConfig").Outputs
	return cloudfront.CachePolicy{
		MinTTL:      seconds(declared[i].Number("minTtl")),
		DefaultTTL:  seconds(declared[i].Number("defaultTtl")),
		MaxTTL:      seconds(declared[i].Number("maxTtl")),
		Headers:     within(headers, "headers").Strings("items"),
		QueryString: within(key, "queryStringsConfig").String("queryStringBehavior") != "none",
	}, nil
}
