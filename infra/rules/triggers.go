package rules

import (
	"slices"
	"time"

	"restock/infra/graph"
	"restock/infra/schedule"
)

// checkSubscriptions checks that messages of a topic arrive in its queues. SNS drops a message
// without an error if the queue's policy does not allow the topic to send:
// https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
// or if the queue is encrypted with AWS's key for SQS, which SNS may not use:
// https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html
// Functions read SNS's envelope, so raw delivery must be off.
//
// Pulumi makes resources at the same time, in any order, unless one depends on another. SNS drops
// the messages that a function publishes before the subscription exists, and those that it delivers
// before the queue's policy allows it. So the subscription waits for the policy, and the functions
// that publish wait for the subscription.
// https://www.pulumi.com/docs/iac/concepts/options/dependson/
func checkSubscriptions(i *inspection) {
	for _, r := range i.OfType(graph.TopicSubscription) {
		if r.String("protocol") != "sqs" {
			continue
		}
		topic, endpoint := r.String("topic"), r.String("endpoint")
		queue := i.Find(graph.Queue, "arn", endpoint)
		if i.Find(graph.Topic, "arn", topic) == nil || queue == nil {
			if topic == "" || endpoint == "" { // otherwise the rule reference reports it
				i.report(r, "set topic and endpoint to the ARNs of a topic and a queue of the stack",
					"its topic is %q, and its endpoint is %q: no message reaches the queue", topic, endpoint)
			}
			continue
		}
		if !i.mayServe("sns.amazonaws.com", topic, "sqs:SendMessage", queue.String("arn")) {
			i.report(queue, "allow sqs:SendMessage to sns.amazonaws.com in a QueuePolicy, with the topic's ARN in "+
				"aws:SourceArn",
				"its policy does not let topic %s send to it: SNS drops the messages", topic)
		}
		if queue.String("kmsMasterKeyId") == "alias/aws/sqs" {
			i.report(queue, "delete kmsMasterKeyId and set sqsManagedSseEnabled to true, or use a key of the stack",
				"it is encrypted with alias/aws/sqs, which SNS may not use: SNS drops the messages")
		}
		if r.Bool("rawMessageDelivery") {
			i.report(r, "set rawMessageDelivery to false",
				"rawMessageDelivery is true, want false: functions expect SNS's envelope, and cannot read the messages")
		}
		for _, policy := range i.OfType(graph.QueuePolicy) {
			if policy.String("queueUrl") == queue.String("url") && !i.waitsFor(r, policy) {
				i.report(r, dependOn(policy),
					"it does not wait for QueuePolicy %s: SNS drops the messages that it delivers before", policy.Name)
			}
		}
		for _, f := range i.OfType(graph.Function) {
			if i.mayDo(f, "sns:Publish", topic) && !i.waitsFor(f, r) {
				i.report(f, dependOn(r),
					"it publishes to topic %s, and does not wait for TopicSubscription %s: "+
						"SNS drops what it publishes before",
					topic, r.Name)
			}
		}
	}
}

// waitsFor reports whether Pulumi makes a resource after another: it depends on it, or on a
// resource that does.
func (i *inspection) waitsFor(r, other *graph.Resource) bool {
	seen := map[string]bool{}
	var waits func(urns []string) bool
	waits = func(urns []string) bool {
		for _, urn := range urns {
			if urn == other.URN {
				return true
			}
			if seen[urn] {
				continue
			}
			seen[urn] = true
			if d := i.ByURN(urn); d != nil && waits(d.Dependencies) {
				return true
			}
		}
		return false
	}
	return waits(r.Dependencies)
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
		rule, function := i.RuleOf(target), i.function(target.String("arn"))
		if rule == nil || function == nil {
			if target.String("rule") == "" || target.String("arn") == "" { // otherwise the rule reference reports it
				i.report(target, "set rule to the name of a rule, and arn to the ARN of a function",
					"its rule is %q, and its arn is %q: EventBridge refuses "+
						"it", target.String("rule"), target.String("arn"))
			}
			continue
		}
		scheduled[function] = true
		if rule.String("state") == "DISABLED" || rule.Outputs["isEnabled"] == false {
			i.report(rule, "set state to ENABLED, or delete the rule and its target",
				"it is disabled: EventBridge never invokes function %s", function.Name)
		}
		if source := rule.String("arn"); !i.mayInvoke(function, "events.amazonaws.com", source) {
			i.report(function, "give it a lambda.Permission with the rule's ARN in sourceArn",
				"no permission lets events.amazonaws.com invoke it from %s: EventBridge never invokes it", source)
		}
	}
	for r, f := range i.functions() {
		if f.Every > 0 && !scheduled[r] {
			i.report(r, "declare an EventRule and an EventTarget on the function",
				"nothing invokes it every %v", f.Every)
		}
	}
}

// checkOverlaps checks that an invocation of a scheduled function ends before the next one begins.
// Otherwise two may run at once, or Lambda throttles the second one if one instance is reserved:
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
func checkOverlaps(i *inspection) {
	for _, target := range i.OfType(graph.EventTarget) {
		rule, function := i.RuleOf(target), i.function(target.String("arn"))
		if rule == nil || function == nil {
			continue // the rule schedule reports it
		}
		every := shortest(rule.String("scheduleExpression")).Seconds()
		if timeout := number(function, "timeout", defaultFunctionTimeout); every > 0 && timeout > every {
			i.report(function, "lower its timeout, or give EventRule "+rule.Name+" a longer interval",
				"its timeout is %v s, and %s invokes it every %v s: two invocations may run at once",
				timeout, title(rule), every)
		}
	}
}

// shortest returns the shortest time between two of the next times of a schedule; 0 if it has none.
func shortest(expression string) (gap time.Duration) {
	e, err := schedule.Parse(expression)
	if err != nil {
		return 0 // the rule limit reports it
	}
	last := e.Next(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
	for range 100 {
		next := e.Next(last)
		if last.IsZero() || next.IsZero() {
			break
		}
		if d := next.Sub(last); gap == 0 || d < gap {
			gap = d
		}
		last = next
	}
	return gap
}

// checkCodeTriggers checks that a deployment of new code invokes a function again if a deployment
// invokes it at all: setup migrates the schema. Pulumi invokes the function only when a trigger
// changes. A graph does not show the hash of a function's code, so the rule knows it by its key.
// https://www.pulumi.com/registry/packages/aws/api-docs/lambda/invocation/
func checkCodeTriggers(i *inspection) {
	for _, r := range i.OfType(graph.Invocation) {
		code, _ := r.Object("triggers")["code"].(string)
		if other := i.known(code); code == "" {
			i.report(r, "add the trigger code, with the hash of the function's code",
				"its triggers have no code: a deployment of new code does not invoke the function")
		} else if other != "" {
			i.report(r, "set the trigger code to the hash of the function's code",
				"its trigger code is %s: a deployment of new code does not invoke the function", other)
		}
	}
}

// rotationActions are the actions of a function that rotates a secret. A rule knows them, and not
// the table of grants, so that a mistake in the table is found.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
var rotationActions = []string{
	"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
	"secretsmanager:UpdateSecretVersionStage",
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
		secret := i.Named(graph.Secret, f.Rotates)
		if secret == nil {
			i.report(r, "declare a Secret with this name", "it rotates secret %s, which is not declared", f.Rotates)
			continue
		}
		rotation := i.Find(graph.SecretRotation, "secretId", secret.String("arn"))
		if rotation == nil || rotation.String("rotationLambdaArn") != r.String("arn") {
			i.report(secret, "declare a SecretRotation with the function's ARN in rotationLambdaArn",
				"function %s does not rotate it: its password stays the same for ever", r.Name)
			continue
		}
		for _, action := range rotationActions {
			if !i.mayDo(r, action, secret.String("arn")) {
				i.report(r, "grant read, write and rotate beside its variable",
					"it rotates secret %s, and its role does not allow %s on it", secret.Name, action)
			}
		}
		schedule := rotation.Object("rotationRules")
		if schedule["automaticallyAfterDays"] == nil && schedule["scheduleExpression"] == nil {
			i.report(rotation, "set automaticallyAfterDays in its rotationRules, like 30",
				"its rotationRules have neither automaticallyAfterDays nor a scheduleExpression: Secrets Manager "+
					"refuses them")
		}
		if !i.mayInvoke(r, "secretsmanager.amazonaws.com", secret.String("arn")) {
			i.report(r, "give it a lambda.Permission with secretsmanager.amazonaws.com as principal",
				"no permission lets secretsmanager.amazonaws.com invoke it for secret %s: the rotation "+
					"fails", secret.Name)
		}
	}
}

// checkEventSources checks that a function reads the queue in its declaration, that its role allows
// it, and that something sends messages to the queue. Without the permissions Lambda refuses the
// mapping: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
// Without ReportBatchItemFailures one bad message fails its whole batch:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func checkEventSources(i *inspection) {
	read := map[*graph.Resource]string{} // by function: the queue's logical name
	wrong := map[*graph.Resource]bool{}  // functions whose mapping is reported
	declared := map[*graph.Resource]string{}
	for r, f := range i.functions() {
		declared[r] = f.Queue
	}
	i.sources(func(mapping, queue, function *graph.Resource) {
		if want := declared[function]; want != "" && queue.Name != want {
			wrong[function] = true
			i.report(mapping, "set eventSourceArn to the ARN of Queue "+want, "its eventSourceArn is that of Queue "+
				"%s, want that of Queue %s, which function %s handles: its messages wait until SQS deletes "+
				"them", queue.Name, want,
				function.Name)
			return
		}
		read[function] = queue.Name
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
			if !i.mayDo(function, action, queue.String("arn")) {
				i.report(function, "let the role's policy allow it",
					"it handles queue %s, and its role does not allow %s on %s: Lambda refuses the mapping",
					queue.Name, action, queue.String("arn"))
			}
		}
		if enabled, declared := mapping.Outputs["enabled"].(bool); declared && !enabled {
			i.report(mapping, "set enabled to true, or leave it out",
				"it is disabled: function %s handles no message of queue %s", function.Name, queue.Name)
		}
		if got := mapping.Strings("functionResponseTypes"); !slices.Contains(got, "ReportBatchItemFailures") {
			i.report(mapping, "add ReportBatchItemFailures to functionResponseTypes",
				"functionResponseTypes is %q, want ReportBatchItemFailures: SQS deletes the messages that the "+
					"function reports as failed", got)
		}
		if !i.isFed(queue) {
			i.report(queue, "subscribe it to its topic with a TopicSubscription, or let a function's role send to it",
				"function %s waits for its messages, and nothing sends messages to it", function.Name)
		}
	})
	for r, f := range i.functions() {
		switch {
		case f.Queue == read[r] || wrong[r]:
		case f.Queue == "":
			i.report(r, "delete the EventSourceMapping, or declare Queue for the function",
				"it handles Queue %s, which its declaration does not name", read[r])
		default:
			i.report(r, "declare an EventSourceMapping of the queue and the function",
				"nothing gives it the messages of Queue %s: they wait until SQS deletes them", f.Queue)
		}
	}
}

// isFed reports whether a queue is subscribed to a topic, an API sends requests to it, or a
// function may send to it.
func (i *inspection) isFed(queue *graph.Resource) bool {
	arn := queue.String("arn")
	return i.Find(graph.TopicSubscription, "endpoint", arn) != nil ||
		slices.ContainsFunc(i.OfType(graph.APIIntegration),
			func(integration *graph.Resource) bool { return i.queueOf(integration) == queue }) ||
		slices.ContainsFunc(i.OfType(graph.Function),
			func(f *graph.Resource) bool { return i.mayDo(f, "sqs:SendMessage", arn) })
}
