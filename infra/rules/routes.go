package rules

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/evaluation"
)

// checkRoutes checks that every declared route is in the API, leads to its function, and may invoke
// it. Otherwise API Gateway answers 404, or 500 "Internal Server Error", and no function logs
// anything.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
func checkRoutes(i *inspection) {
	leadsTo, broken := map[string]*graph.Resource{}, map[string]bool{}
	queues := map[string]bool{} // of functions
	for _, f := range i.functions() {
		queues[f.Queue] = true
	}
	for _, route := range i.OfType(graph.APIRoute) {
		integration, function := i.Integration(route), i.routeFunction(route)
		key := route.String("routeKey")
		if function == nil {
			broken[key] = true
			if integration == nil {
				i.report(route, "set target to integrations/ and the id of the function's integration",
					"its target is %q, which is no integration of the stack: API Gateway refuses the route",
					route.String("target"))
			} else if queue := i.queueOf(integration); queue != nil && !queues[queue.Name] {
				i.report(integration, "set QueueUrl to the URL of a function's queue: queue.Url",
					"it sends the requests of route %q to %s, which no function handles", key, title(queue))
			} else if integration.String("integrationSubtype") == "" {
				i.report(integration, "set integrationUri to the output InvokeArn of a function",
					"route %q leads to it, and it leads to no function: clients get 500", key)
			} // otherwise the rules integration and event-source report its subtype, its URL or the mapping
			continue
		}
		leadsTo[key] = function
		api := byID(i.Graph, graph.API, route.String("apiId"))
		if api == nil {
			i.report(route, "set apiId to the id of the stack's API: api.ID()", "its API %q is not declared",
				route.String("apiId"))
			continue
		}
		if queue := i.queueOf(integration); queue != nil {
			i.checkSender(route, integration, queue)
			continue
		}
		if source := i.routeARN(api, route); !i.mayInvoke(function, "apigateway.amazonaws.com", source) {
			i.report(function, "give it a lambda.Permission with the API's executionArn in sourceArn",
				"no permission lets apigateway.amazonaws.com invoke it from %s, its route %q: clients get "+
					"500", source, key)
		}
	}
	for r, f := range i.functions() {
		for _, route := range f.Routes {
			switch got := leadsTo[route]; {
			case broken[route]: // reported above
			case got == nil:
				i.report(r, "declare a Route with this routeKey", "its route %q leads nowhere: API Gateway answers "+
					"404, or invokes the function of $default", route)
			case got != r:
				i.report(r, "set the route's target to the integration of the function",
					"its route %q leads to function %s", route, got.Name)
			}
		}
	}
}

// merchantPath is the path of the routes that only the merchant may use. The rule authorization
// knows it beside the declarations, so that a wrong declaration does not open the routes.
const merchantPath = "/merchant"

// checkAuthorization checks that a route's authorization is the one in its function's declaration.
// If a merchant's route has none, anybody can call it. If a public route requires signatures, it
// refuses the buyers and the factory, who have no AWS credentials.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
func checkAuthorization(i *inspection) {
	declared := map[*graph.Resource]Declaration{}
	for r, f := range i.functions() {
		declared[r] = f
	}
	for _, route := range i.OfType(graph.APIRoute) {
		_, path, _ := strings.Cut(route.String("routeKey"), " ")
		got := cmp.Or(route.String("authorizationType"), "NONE")
		if below := path == merchantPath || strings.HasPrefix(path, merchantPath+"/"); below && got != "AWS_IAM" {
			i.report(route, "set authorizationType to AWS_IAM, and declare Access: Signed for its function",
				"its authorizationType is %s, want AWS_IAM for every route below %s: anybody may call it",
				got, merchantPath)
			continue
		}
		f, ok := declared[i.routeFunction(route)]
		if !ok {
			continue // the rules route and runtime report it
		}
		want, access, why := "NONE", "public", "its callers have no AWS credentials"
		if f.Signed {
			want, access, why = "AWS_IAM", "signed", "without it anybody may call it"
		}
		if got != want {
			i.report(route, "set authorizationType to "+want,
				"its authorizationType is %s, want %s: function %s has %s routes: %s", got, want, f.Name, access, why)
		}
	}
}

// The largest timeout of an integration, in seconds, is also the default. It cannot be increased:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const integrationTimeout = 30

// timeToAnswer is the part of it, in seconds, that is left for API Gateway and Lambda: the start of
// an instance, and the way of the request and the answer.
const timeToAnswer = 1

// checkIntegrationTimeouts checks that a function ends before API Gateway stops waiting for it.
// Otherwise the client gets 503, and the function goes on: a purchase that the client believes to
// have failed succeeds.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
func checkIntegrationTimeouts(i *inspection) {
	for _, integration := range i.OfType(graph.APIIntegration) {
		function := i.Invoked(integration)
		if function == nil {
			continue
		}
		waits := number(integration, "timeoutMilliseconds", integrationTimeout*1000) / 1000
		if takes := number(function, "timeout", defaultFunctionTimeout); takes > waits-timeToAnswer {
			i.report(function, fmt.Sprintf("set timeout to %v or less, or move its routes to another function",
				waits-timeToAnswer),
				"its timeout is %v s, want %v s or less: API Gateway answers 503 after %v s, and the function goes on",
				takes, waits-timeToAnswer, waits)
		}
	}
}

// dataTypes are the types of message attributes. A dot and a label of the sender may follow.
var dataTypes = []string{"String", "Number", "Binary"}

// checkSender checks that the role of an integration lets API Gateway send a route's requests to a
// queue. Otherwise clients get an error, and nothing else shows that requests are lost.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html#http-api-develop-integrations-aws-services-example
func (i *inspection) checkSender(route, integration, queue *graph.Resource) {
	const service, action = "apigateway.amazonaws.com", "sqs:SendMessage"
	role := integration.String("credentialsArn")
	if i.Find(graph.Role, "arn", role) == nil {
		i.report(integration, "set credentialsArn to the ARN of a role that may send to the queue",
			"its credentialsArn is %q: route %q has no permissions", role, route.String("routeKey"))
		return
	}
	assume := evaluation.ByService(service, integration.String("apiId"), "sts:AssumeRole", role)
	if !i.policies.Trust(role).Evaluate(assume).Allowed {
		i.report(integration, "allow sts:AssumeRole to "+service+" in the role's assumeRolePolicy",
			"%s may not assume its role %s: API Gateway refuses it", service, role)
	}
	send := evaluation.ByRole(role, "", action, queue.String("arn"))
	if !i.policies.Of(role, queue.String("arn")).Evaluate(send).Allowed {
		i.report(integration, "let the role's policy allow it",
			"its role does not allow %s on %s, the queue of route %q: requests are lost", action, queue.String("arn"),
			route.String("routeKey"))
	}
	attributes, has := integration.Object("requestParameters")["MessageAttributes"].(string)
	if has && !strings.Contains(attributes, "${") {
		// https://github.com/hashicorp/terraform-provider-aws/issues/17348
		i.report(integration, "map a part of the request, like ${request.path.order}",
			"MessageAttributes is %v, a text without an expression: AWS refuses it as an invalid source",
			quoted(attributes))
	}
	var messages map[string]struct{ DataType string }
	if json.Unmarshal([]byte(attributes), &messages) == nil {
		for _, name := range slices.Sorted(maps.Keys(messages)) {
			// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
			if kind, _, _ := strings.Cut(messages[name].DataType, "."); !slices.Contains(dataTypes, kind) {
				i.report(integration, "set it to String", "the DataType of its attribute %s is %q, want one of %s: "+
					"SQS refuses the messages", name, messages[name].DataType, strings.Join(dataTypes, ", "))
			}
		}
	}
	if got := integration.String("payloadFormatVersion"); got != "1.0" {
		i.report(integration, "set payloadFormatVersion to 1.0",
			"payloadFormatVersion is %q: AWS refuses it for a service", got)
	}
}

// checkBuffers checks that the requests of a function wait in its queue if its declaration says so.
// A request that invokes the function is lost when that fails.
func checkBuffers(i *inspection) {
	buffered := map[*graph.Resource]bool{}
	for r, f := range i.functions() {
		buffered[r] = f.Buffered
	}
	for _, route := range i.OfType(graph.APIRoute) {
		if f := i.routeFunction(route); buffered[f] && i.queueOf(i.Integration(route)) == nil {
			i.report(route, "set its target to the integration that sends to the queue",
				"it invokes function %s, and does not send to its queue: a request is lost if the function "+
					"fails", f.Name)
		}
	}
}

// checkThrottling checks that an API has a stage, and that the stage lets requests pass: a limit of
// 0 answers every request with 429. In settings with another property, a limit that is not set is
// 0:
// https://github.com/pulumi/pulumi-aws/issues/2363
func checkThrottling(i *inspection) {
	for _, api := range i.OfType(graph.API) {
		if i.Find(graph.APIStage, "apiId", api.ID) == nil {
			i.report(api, "declare a Stage of the API with the name $default and autoDeploy",
				"it has no stage: API Gateway answers every request with 404")
		}
	}
	for _, stage := range i.OfType(graph.APIStage) {
		settings := stage.Objects("routeSettings")
		if byDefault := stage.Object("defaultRouteSettings"); byDefault != nil {
			settings = append(settings, byDefault)
		}
		for _, setting := range settings {
			requests := "requests to routes without settings of their own"
			if key, ok := setting["routeKey"]; ok {
				if i.Find(graph.APIRoute, "routeKey", key) == nil {
					continue // the rule route-settings reports it
				}
				requests = fmt.Sprintf("requests to route %q", key)
			}
			for _, limit := range []string{"throttlingRateLimit", "throttlingBurstLimit"} {
				if value, _ := setting[limit].(float64); value <= 0 {
					i.report(stage, "set "+limit+" to a number above 0",
						"%s of %s is 0, or not set: it answers each of them with 429", limit, requests)
				}
			}
		}
	}
}

// checkRouteSettings checks that a stage has settings only for routes that exist before it.
// Otherwise AWS refuses the stage: "Unable to find Route by key".
// https://github.com/aws/serverless-application-model/issues/2479
func checkRouteSettings(i *inspection) {
	for _, stage := range i.OfType(graph.APIStage) {
		for _, setting := range stage.Objects("routeSettings") {
			key, _ := setting["routeKey"].(string)
			var route *graph.Resource
			for _, r := range i.OfType(graph.APIRoute) {
				if r.String("routeKey") == key && r.String("apiId") == stage.String("apiId") {
					route = r
				}
			}
			switch {
			case route == nil:
				i.report(stage, "declare the route, or delete its settings",
					"it has settings of route %q, which is not declared: API Gateway refuses it", key)
			case !slices.Contains(stage.Dependencies, route.URN):
				i.report(stage, "let it depend on the route with pulumi.DependsOn",
					"it has settings of route %q, and may be made before the route: API Gateway refuses it then", key)
			}
		}
	}
}

// queueOf returns the queue that an integration sends requests to, nil if there is none.
func (i *inspection) queueOf(integration *graph.Resource) *graph.Resource {
	if integration == nil || integration.String("integrationSubtype") != "SQS-SendMessage" {
		return nil
	}
	url, _ := integration.Object("requestParameters")["QueueUrl"].(string)
	return i.Find(graph.Queue, "url", url)
}

// routeFunction returns the function that handles a route's requests, at once or from a queue; nil
// if there is none.
func (i *inspection) routeFunction(route *graph.Resource) (handles *graph.Resource) {
	integration := i.Integration(route)
	if integration == nil {
		return nil
	}
	queue := i.queueOf(integration)
	if queue == nil {
		return i.Invoked(integration)
	}
	i.sources(func(_, source, function *graph.Resource) {
		if source == queue {
			handles = function
		}
	})
	return handles
}

// routeARN returns the source that API Gateway names when it invokes a function for a route.
func (i *inspection) routeARN(api, route *graph.Resource) string {
	stage := "$default"
	for _, r := range i.OfType(graph.APIStage) {
		if r.String("apiId") == api.ID {
			stage = r.String("name")
		}
	}
	return RouteARN(api.String("executionArn"), stage, route.String("routeKey"))
}

// RouteARN returns the source that API Gateway names when it invokes a function for a route. It
// contains the API, the stage, the method and the path.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
func RouteARN(executionARN, stage, routeKey string) string {
	return executionARN + "/" + stage + "/" + strings.Replace(routeKey, " ", "", 1)
}
