package apigateway_test

import (
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"restock/local/aws/apigateway"
)

func TestMostSpecificRouteWins(t *testing.T) {
	// The example of AWS's documentation.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
	documented := []string{"$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1"}
	shop := []string{"GET /", "GET /products", "GET /products/{sku}", "ANY /products/{sku}", "POST /checkout",
		"GET /a/{x}/c", "GET /a/b/{y}", "GET /files/{path+}", "GET /files/deep/{path+}", "ANY /pets/1",
		"GET /pets/{proxy+}"}

	for _, tc := range []struct {
		routes       []string
		method, path string
		want         string // "" means 404
		params       map[string]string
	}{
		{documented, "GET", "/pets/dog/1", "GET /pets/dog/1", nil},
		{documented, "GET", "/pets/dog/2", "GET /pets/dog/{id}", map[string]string{"id": "2"}},
		{documented, "GET", "/pets/cat/1", "GET /pets/{proxy+}", map[string]string{"proxy": "cat/1"}},
		{documented, "POST", "/test/5", "ANY /{proxy+}", map[string]string{"proxy": "test/5"}},
		{documented, "GET", "/", "$default", nil},

		{shop, "GET", "/", "GET /", nil},
		{shop, "GET", "/unknown", "", nil},
		{shop, "GET", "/checkout", "", nil},
		{shop, "HEAD", "/", "", nil},
		{shop, "GET", "/products", "GET /products", nil},
		{shop, "GET", "/products/", "", nil},
		{shop, "GET", "/Products", "", nil},
		{shop, "GET", "/products/CP-502101", "GET /products/{sku}", map[string]string{"sku": "CP-502101"}},
		{shop, "PUT", "/products/CP-502101", "ANY /products/{sku}", map[string]string{"sku": "CP-502101"}},
		{shop, "GET", "/products/CP/1", "", nil},
		{shop, "GET", "/products/%EB%8F%84%EB%84%88%EC%B8%A0", "GET /products/{sku}", map[string]string{"sku": "도너츠"}},
		{shop, "GET", "/products/a%2Fb", "GET /products/{sku}", map[string]string{"sku": "a/b"}},
		{shop, "GET", "/a/b/c", "GET /a/b/{y}", map[string]string{"y": "c"}},
		{shop, "GET", "/a/x/c", "GET /a/{x}/c", map[string]string{"x": "x"}},
		{shop, "GET", "/files", "", nil},
		{shop, "GET", "/files/", "", nil},
		{shop, "GET", "/files/a/b.txt", "GET /files/{path+}", map[string]string{"path": "a/b.txt"}},
		{shop, "GET", "/files/deep/b.txt", "GET /files/deep/{path+}", map[string]string{"path": "b.txt"}},
		{shop, "GET", "/pets/1", "ANY /pets/1", nil},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			var routes []apigateway.Route
			for _, key := range tc.routes {
				routes = append(routes, apigateway.Route{Key: key, Function: echo})
			}
			for range 2 { // the order of declaration does not matter
				slices.Reverse(routes)
				w := serve(mustNew(t, config(routes...)), httptest.NewRequest(tc.method, tc.path, nil))
				if tc.want == "" {
					wantFailure(t, w, 404, "Not Found")
					continue
				}
				event := decodeEvent(t, w)
				if event.RouteKey != tc.want || event.RequestContext.RouteKey != tc.want {
					t.Errorf("route: got %q and %q in the context, want %q", event.RouteKey,
						event.RequestContext.RouteKey, tc.want)
				}
				if !maps.Equal(event.PathParameters, tc.params) {
					t.Errorf("path parameters: got %v, want %v", event.PathParameters, tc.params)
				}
			}
		})
	}
}

func TestNamedStageIsTheFirstSegment(t *testing.T) {
	cfg := config(
		apigateway.Route{Key: "GET /", Function: echo},
		apigateway.Route{Key: "GET /products", Function: echo})
	cfg.Stage = "dev"
	api := mustNew(t, cfg)
	for path, want := range map[string]string{
		"/dev": "GET /", "/dev/": "GET /", "/dev/products": "GET /products",
		"/products": "", "/development/products": "", "/": "",
	} {
		w := serve(api, httptest.NewRequest("GET", path, nil))
		if want == "" {
			wantFailure(t, w, 404, "Not Found")
			continue
		}
		event := decodeEvent(t, w)
		if event.RouteKey != want || event.RawPath != path || event.RequestContext.Stage != "dev" {
			t.Errorf("%s: got route %q, rawPath %q, stage %q, want %q, %q, dev",
				path, event.RouteKey, event.RawPath, event.RequestContext.Stage, want, path)
		}
	}
}

func TestNewRefusesWhatAWSWould(t *testing.T) {
	route := func(keys ...string) apigateway.Config {
		cfg := config()
		for _, key := range keys {
			cfg.Routes = append(cfg.Routes, apigateway.Route{Key: key, Function: echo})
		}
		return cfg
	}
	noAPIID := route("GET /")
	noAPIID.APIID = ""
	iam := config(apigateway.Route{Key: "GET /private", Function: echo, Authorization: apigateway.AuthorizationIAM})
	jwt := config(apigateway.Route{Key: "GET /private", Function: echo, Authorization: "JWT"})
	wildCredentials := route("GET /")
	wildCredentials.CORS = &apigateway.CORS{AllowOrigins: []string{"*"}, AllowCredentials: true}
	longFormat := route("GET /")
	longFormat.AccessLogFormat = strings.Repeat("x", apigateway.MaxAccessLogFormat+1)
	negative := route("GET /")
	negative.Throttling = &apigateway.Throttling{RatePerSecond: -1}

	for name, tc := range map[string]struct {
		cfg  apigateway.Config
		want string // part of the error
	}{
		"no API id":         {noAPIID, "APIID"},
		"IAM unheard":       {iam, "GET /private"},
		"JWT":               {jwt, "JWT"},
		"CORS for all":      {wildCredentials, "allow-credentials is not supported"},
		"long format":       {longFormat, "3073 bytes"},
		"negative rate":     {negative, "negative"},
		"no method":         {route("/checkout"), "METHOD /path"},
		"no path":           {route("GET"), "METHOD /path"},
		"relative path":     {route("GET checkout"), "METHOD /path"},
		"two spaces":        {route("GET  /checkout"), "METHOD /path"},
		"query":             {route("GET /checkout?sku"), "METHOD /path"},
		"unknown method":    {route("FETCH /checkout"), "FETCH"},
		"method in lower":   {route("get /checkout"), `"get"`},
		"open brace":        {route("GET /products/{sku"), "{sku"},
		"text and variable": {route("GET /products/a{sku}"), "a{sku}"},
		"empty variable":    {route("GET /products/{}"), "{}"},
		"greedy not last":   {route("GET /{proxy+}/x"), "end"},
		"variable twice":    {route("GET /{a}/{a}"), "twice"},
		"declared twice":    {route("GET /a", "GET /b", "GET /a"), "GET /a"},
		"other name only":   {route("GET /a/{x}", "GET /a/{y}"), "GET /a/{x}"},
		"default twice":     {route("$default", "$default"), "$default"},
		"no function":       {config(apigateway.Route{Key: "GET /"}), "either a function or an action"},
		"timeout too long":  {config(apigateway.Route{Key: "GET /", Function: echo, Timeout: 31e9}), "31s"},
		"timeout too short": {config(apigateway.Route{Key: "GET /", Function: echo, Timeout: 1e6}), "1ms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := apigateway.New(tc.cfg)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one that mentions %q", err, tc.want)
			}
		})
	}
}
