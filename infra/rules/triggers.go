package rules

import (
	"cmp"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy"
)

// checkSubscriptions checks that messages of a topic arrive in its queues. SNS drops a message
// without an error if the queue's policy does not allow the topic to send:
// https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
// or if the queue is encrypted with AWS's key for SQS, which SNS may not use:
// https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html
// Functions read SNS's envelope, so raw delivery must be off.
func checkSubscriptions(i *inspection) {
	for _, r := range i.OfType(graph.TopicSubscription) {
		if r.String("protocol") != "sqs" {
			continue
		}
		topic, endpoint := r.String("topic"), r.String("endpoint")
		queue := i.Find(graph.Queue, "arn", endpoint)
		if i.Find(graph.Topic, "arn", topic) == nil || queue == nil {
			i.report(r, "subscribe a queue of the stack to a topic of the stack",
				"it goes from %q to %q, which are not both declared", topic, endpoint)
			continue
		}
		if !i.mayServe("sns.amazonaws.com", topic, "sqs:SendMessage", queue.String("arn")) {
			i.report(queue, "allow it in a queue policy, with aws:SourceArn",
				"its policy does not let topic %s send to it: SNS drops the messages", topic)
		}
		if queue.String("kmsMasterKeyId") == "alias/aws/sqs" {
			i.report(queue, "use sqsManagedSseEnabled, or a key of the stack",
				"it is encrypted with alias/aws/sqs, which SNS may not use: SNS drops the messages")
		}
		if r.Bool("rawMessageDelivery") {
			i.report(r, "turn it off", "rawMessageDelivery is true, want false: functions read SNS's envelope")
		}
	}
}

// checkRoutes checks that every declared route is in the API, leads to its function, and may invoke
// it. Otherwise API Gateway answers 404, or 500 "Internal Server Error", and no function logs
// anything.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
func checkRoutes(i *inspection) {
	leadsTo := map[string]*graph.Resource{}
	for _, route := range i.OfType(graph.APIRoute) {
		function := i.routeFunction(route)
		if function == nil {
			i.report(route, "give it the integration of its function",
				"it leads to %q, which has no function", route.String("target"))
			continue
		}
		key := route.String("routeKey")
		leadsTo[key] = function
		api := byID(i.Graph, graph.API, route.String("apiId"))
		if api == nil {
			i.report(route, "give it the stack's API", "its API %q is not declared", route.String("apiId"))
			continue
		}
		if source := i.routeARN(api, route); !i.mayInvoke(function, "apigateway.amazonaws.com", source) {
			i.report(function, "give it a lambda.Permission for the API",
				"no permission lets apigateway.amazonaws.com invoke it from %s, its route %q", source, key)
		}
	}
	for r, f := range i.functions() {
		for _, route := range f.Routes {
			switch got := leadsTo[route]; {
			case got == nil:
				i.report(r, "declare the route", "its route %q leads nowhere", route)
			case got != r:
				i.report(r, "lead it to the function", "its route %q leads to function %s", route, got.Name)
			}
		}
	}
}

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
		f, ok := declared[i.routeFunction(route)]
		if !ok {
			continue // the rules route and runtime report it
		}
		want, access, why := "NONE", "public", "its callers have no AWS credentials"
		if f.Signed {
			want, access, why = "AWS_IAM", "signed", "without it anybody may call it"
		}
		if got := cmp.Or(route.String("authorizationType"), "NONE"); got != want {
			i.report(route, "set it to "+want,
				"its authorizationType is %s, want %s: function %s has %s routes: %s", got, want, f.Name, access, why)
		}
	}
}

// routeFunction returns the function of a route, nil if there is none.
func (i *inspection) routeFunction(route *graph.Resource) *graph.Resource {
	for _, integration := range i.OfType(graph.APIIntegration) {
		if route.String("target") == "integrations/"+integration.ID {
			return i.Find(graph.Function, "invokeArn", integration.String("integrationUri"))
		}
	}
	return nil
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

// mayInvoke reports whether a permission lets a service invoke a function on behalf of a source.
// https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html
func (i *inspection) mayInvoke(function *graph.Resource, service, source string) bool {
	return i.mayServe(service, source, "lambda:InvokeFunction", function.String("arn"))
}

// checkSchedules checks that every declared schedule has a rule, and that the rule may invoke the
// function. Otherwise EventBridge counts FailedInvocations and does nothing else:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
func checkSchedules(i *inspection) {
	scheduled := map[*graph.Resource]bool{}
	for _, target := range i.OfType(graph.EventTarget) {
		rule, function := i.Find(graph.EventRule, "name", target.String("rule")), i.function(target.String("arn"))
		if rule == nil || function == nil {
			i.report(target, "use a rule and a function of the stack",
				"it goes from %q to %q, which are not both declared", target.String("rule"), target.String("arn"))
			continue
		}
		scheduled[function] = true
		if source := rule.String("arn"); !i.mayInvoke(function, "events.amazonaws.com", source) {
			i.report(function, "give it a lambda.Permission for the rule",
				"no permission lets events.amazonaws.com invoke it from %s", source)
		}
	}
	for r, f := range i.functions() {
		if f.Every > 0 && !scheduled[r] {
			i.report(r, "declare a rule and its target", "nothing invokes it every %v", f.Every)
		}
	}
}

// checkRotations checks that a function rotates the secret in its declaration. Secrets Manager
// refuses a rotation if it may not invoke the function. A secret without rotation keeps its
// password for ever, and nobody notices.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
func checkRotations(i *inspection) {
	for r, f := range i.functions() {
		if f.Rotates == "" {
			continue
		}
		secret := i.named(graph.Secret, f.Rotates)
		if secret == nil {
			i.report(r, "declare the secret", "it rotates secret %s, which is not declared", f.Rotates)
			continue
		}
		rotation := i.Find(graph.SecretRotation, "secretId", secret.String("arn"))
		if rotation == nil || rotation.String("rotationLambdaArn") != r.String("arn") {
			i.report(secret, "declare a rotation by the function", "function %s does not rotate it", r.Name)
			continue
		}
		for _, verb := range []string{"read", "write", "rotate"} {
			for _, action := range policy.Actions("secret", verb) {
				if !i.mayDo(r, action, secret.String("arn")) {
					i.report(r, "grant read, write and rotate beside its variable",
						"it rotates secret %s, and its role does not allow %s on it", secret.Name, action)
				}
			}
		}
		schedule := rotation.Object("rotationRules")
		if schedule["automaticallyAfterDays"] == nil && schedule["scheduleExpression"] == nil {
			i.report(rotation, "set one of them",
				"its rotationRules have neither automaticallyAfterDays nor a scheduleExpression")
		}
		if !i.mayInvoke(r, "secretsmanager.amazonaws.com", secret.String("arn")) {
			i.report(r, "give it a lambda.Permission for Secrets Manager",
				"no permission lets secretsmanager.amazonaws.com invoke it for secret %s", secret.Name)
		}
	}
}

// checkEventSources checks that a function reads the queue in its declaration, that its role allows
// it, and that something sends messages to the queue. Without the permissions Lambda refuses the
// mapping. Without ReportBatchItemFailures one bad message fails its whole batch:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func checkEventSources(i *inspection) {
	read := map[*graph.Resource]string{} // by function: the queue's logical name
	i.sources(func(mapping, queue, function *graph.Resource) {
		read[function] = queue.Name
		for _, action := range policy.Actions("queue", "consume") {
			if !i.mayDo(function, action, queue.String("arn")) {
				i.report(function, "let the role's policy allow it",
					"it handles queue %s, and its role does not allow %s on %s", queue.Name, action,
					queue.String("arn"))
			}
		}
		if got := mapping.Strings("functionResponseTypes"); !slices.Contains(got, "ReportBatchItemFailures") {
			i.report(mapping, "add it", "functionResponseTypes is %q, want ReportBatchItemFailures", got)
		}
		if !i.isFed(queue) {
			i.report(queue, "subscribe it to its topic, or let a function's role send to it",
				"function %s waits for its messages, and nothing sends messages to it", function.Name)
		}
	})
	for r, f := range i.functions() {
		if f.Queue != read[r] {
			i.report(r, "give it an event source mapping of the queue", "it reads queue %q, want %q", read[r], f.Queue)
		}
	}
}

// isFed reports whether a queue is subscribed to a topic, or a function may send to it.
func (i *inspection) isFed(queue *graph.Resource) bool {
	arn := queue.String("arn")
	return i.Find(graph.TopicSubscription, "endpoint", arn) != nil ||
		slices.ContainsFunc(i.OfType(graph.Function),
			func(f *graph.Resource) bool { return i.mayDo(f, "sqs:SendMessage", arn) })
}
