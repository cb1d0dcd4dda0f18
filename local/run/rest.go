package run

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/local/aws/apigateway"
)

// deployedREST gives the stage of a REST API its address. The API of a stage is declared before it.
func (r *Run) deployedREST(resource *graph.Resource) error {
	if resource.Type != graph.RESTStage {
		return nil
	}
	listener, err := r.listen.forAPI(resource.URN)
	if err == nil {
		resource.Outputs["invokeUrl"] = listener.URL() + "/" + resource.String("stageName")
	}
	return err
}

// serveREST serves the stages of the declared REST APIs, each at an address of its own. It names
// the methods that it does not serve.
func (r *Run) serveREST(g *graph.Graph, s *services) error {
	for _, stage := range g.OfType(graph.RESTStage) {
		apis := g.OfType(graph.RESTAPI)
		i := slices.IndexFunc(apis, func(api *graph.Resource) bool { return api.ID == stage.String("restApi") })
		if i < 0 {
			return fmt.Errorf("stage %s: the stack lacks its REST API %q", stage.Name, stage.String("restApi"))
		}
		declared := apis[i]
		config := apigateway.Config{
			REST: true, APIID: declared.ID, Stage: stage.String("stageName"), DeclaredIn: stage.Source,
			StageVariables: map[string]string{},
		}
		execution := declared.String("executionArn") + "/" + config.Stage
		config.Authorize = func(request *http.Request, body []byte, _ apigateway.Route) error {
			return s.authorizeRequest(request, body, g.Region, execution)
		}
		config.AuthorizeAnybody = s.authorizeAnybody(g, declared, execution)
		for name, value := range stage.Object("variables") {
			config.StageVariables[name] = fmt.Sprint(value)
		}
		config.Routes = r.restRoutes(g, s, declared, execution)
		if err := r.serveGateway("REST API", s.program, stage, config); err != nil {
			return err
		}
	}
	return nil
}

// authorizeAnybody returns the function that decides about requests without a signature by the
// policy of a REST API. It returns nil for an API without a policy.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
func (s *services) authorizeAnybody(g *graph.Graph, api *graph.Resource, execution string) func(*http.Request) error {
	if api.String("policy") == "" && g.Find(graph.RESTAPIPolicy, "restApiId", api.ID) == nil {
		return nil
	}
	return func(request *http.Request) error {
		return s.authority.AuthorizeAnybody(toInvoke(request, execution))
	}
}

// restRoutes returns the routes of a REST API. It names those that the run does not serve.
func (r *Run) restRoutes(g *graph.Graph, s *services, api *graph.Resource, execution string) []apigateway.Route {
	var routes []apigateway.Route
	for _, method := range g.OfType(graph.RESTMethod) {
		if method.String("restApi") != api.ID {
			continue
		}
		route, reason := s.restRoute(g, api, method, execution)
		if reason != "" {
			r.warnNotRun(method, reason)
			continue
		}
		routes = append(routes, route)
	}
	return routes
}

// serveGateway serves a declared HTTP API, stage of a REST API or function URL at its address,
// until the run closes. The log calls it by its kind.
func (r *Run) serveGateway(kind string, p *program, declared *graph.Resource, config apigateway.Config) error {
	config.Region, config.AccountID = p.graph.Region, graph.AccountID
	config.Log = r.config.Log.With("part", "api")
	if r.console != nil {
		config.Throttled = r.console.Throttled
	}
	api, err := apigateway.New(config)
	if err != nil {
		return fmt.Errorf("serving the %s %s: %w", kind, declared.Name, err)
	}
	r.apis = append(r.apis, api)
	r.onClose(kind+"'s invocations", func(context.Context) error { api.Close(); return nil })
	handler, err := behindCDN(p.onAWS, p.onAWS.ByURN(declared.URN), api)
	if err != nil {
		return err
	}
	listener, err := r.listen.forAPI(declared.URN)
	if err != nil {
		return err
	}
	r.config.Log.Info("serving", "part", "api", "api", kind, "stage", config.Stage, "url", listener.URL(),
		"declared_in", config.DeclaredIn)
	r.serve(kind, listener, handler, config.CORS.Allows)
	return nil
}

// answerWithoutAPI answers at the address of Config.API that the program has no API, if it has
// none. Otherwise requests would wait for an answer.
func (r *Run) answerWithoutAPI() {
	if r.listen.apis.declared() {
		return
	}
	const answer = "the program declares no HTTP API, no stage of a REST API and no function URL"
	r.serve("address of the API", r.listen.api, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, answer, http.StatusNotFound)
	}), nil)
}

// restRoute returns the route of a REST API's method, or why the run does not serve it.
func (s *services) restRoute(g *graph.Graph, api, method *graph.Resource, execution string,
) (route apigateway.Route, reason string) {
	verb := method.String("httpMethod")
	path, ok := restPath(g, api, method.String("resourceId"))
	if !ok {
		return route, "the stack lacks its resource " + method.String("resourceId")
	}
	route = apigateway.Route{
		Key: verb + " " + path, DeclaredIn: method.Source, Authorization: method.String("authorization"),
	}
	switch {
	case method.Bool("apiKeyRequired"):
		return route, "the run has no API keys"
	case route.Authorization != apigateway.AuthorizationNone && route.Authorization != apigateway.AuthorizationIAM:
		return route, "the run has no authorizers: its authorization is " + route.Authorization
	}
	for _, integration := range g.OfType(graph.RESTIntegration) {
		if integration.String("restApi") != api.ID || integration.String("httpMethod") != verb ||
			integration.String("resourceId") != method.String("resourceId") {
			continue
		}
		if kind := integration.String("type"); kind != "AWS_PROXY" {
			return route, "the run serves integrations of type AWS_PROXY only, and its integration is " + kind
		}
		f := g.Find(graph.Function, "invokeArn", integration.String("uri"))
		if f == nil {
			return route, "its integration leads to no function of the stack"
		}
		route.Timeout = cmp.Or(seconds(integration.Number("timeoutMilliseconds")/1000), apigateway.RESTTimeout)
		// Permissions write * for any method, as the source of a call does.
		source := execution + "/" + map[bool]string{true: "*", false: verb}[verb == "ANY"] + path
		route.Function = s.by((*s.functions.Load())[f.String("arn")], "apigateway.amazonaws.com", source)
		return route, ""
	}
	return route, "it has no integration"
}

// restPath returns the path of a REST API's resource.
func restPath(g *graph.Graph, api *graph.Resource, id string) (path string, ok bool) {
	if id == api.String("rootResourceId") {
		return "/", true
	}
	for _, r := range g.OfType(graph.RESTResource) {
		if r.ID == id && r.String("restApi") == api.ID {
			parent, ok := restPath(g, api, r.String("parentId"))
			if parent != "/" {
				parent += "/"
			}
			return parent + r.String("pathPart"), ok
		}
	}
	return "", false
}

// serveFunctionURLs serves the declared function URLs. Their events have the form of an HTTP API's:
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
func (r *Run) serveFunctionURLs(g *graph.Graph, s *services) error {
	for _, declared := range g.OfType(graph.FunctionURL) {
		f := s.functionOf(g, declared.String("functionName"))
		if f == nil {
			return fmt.Errorf("function URL %s: the stack lacks the function %q", declared.Name,
				declared.String("functionName"))
		}
		config := apigateway.Config{
			APIID: declared.ID, Stage: apigateway.DefaultStage, DeclaredIn: declared.Source, FunctionURL: true,
			Routes: []apigateway.Route{{
				Key: "$default", Function: f, DeclaredIn: declared.Source,
				Authorization: declared.String("authorizationType"),
			}},
			Authorize: func(request *http.Request, body []byte, _ apigateway.Route) error {
				return s.authorizeURL(request, body, g.Region, f.ARN)
			},
		}
		if declared.String("authorizationType") == apigateway.AuthorizationNone {
			r.warnNotPublic(g, declared, f.Name)
		}
		if err := r.serveGateway("function URL", s.program, declared, config); err != nil {
			return err
		}
	}
	return nil
}

// warnNotPublic warns of a function URL without authorization that AWS would not serve, because the
// function's policy does not allow everybody to invoke it. The provider adds only the permission
// for lambda:InvokeFunctionUrl.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html#urls-auth-none
func (r *Run) warnNotPublic(g *graph.Graph, url *graph.Resource, function string) {
	for _, p := range g.OfType(graph.Permission) {
		of := p.String("function")
		if p.String("action") == "lambda:InvokeFunction" && p.String("principal") == "*" &&
			of[strings.LastIndexByte(of, ':')+1:] == function {
			return
		}
	}
	r.config.Log.Warn("AWS refuses the requests to this function URL, and the run serves them", "name", url.Name,
		"missing", `a Permission with the action "lambda:InvokeFunction" and the principal "*"`,
		"declared_in", url.Source)
}

// functionOf returns a function by its name or its ARN.
func (s *services) functionOf(g *graph.Graph, reference string) *function {
	fs := *s.functions.Load()
	if f := fs[reference]; f != nil {
		return f
	}
	return fs.named(g, reference)
}
