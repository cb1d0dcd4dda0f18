package drawing_test

import (
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/local/aws/eventbridge"
	"restock/local/aws/forward"
	"restock/local/aws/secretsmanager"
	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/local/aws/standin"
	"restock/local/view/console"
	"restock/local/view/console/drawing"
)

const (
	factoryURL  = "http://127.0.0.1:8081"
	apiURL      = "http://127.0.0.1:8080"
	functionARN = "arn:aws:lambda:eu:0:function:"
)

var standIns = []standin.StandIn{
	{Service: "sqs", Name: "SQS", Nodes: sqs.Nodes},
	{Service: "sns", Name: "SNS", Nodes: sns.Nodes},
	{Service: "secretsmanager", Name: "Secrets Manager", Nodes: secretsmanager.Nodes},
}

func resource(token, name string, outputs map[string]any) *graph.Resource {
	outputs["name"] = name
	return &graph.Resource{URN: token + "::" + name, Type: graph.Type(graph.AWS + token), Name: name, ID: name,
		Outputs: outputs}
}

func function(name string, environment map[string]any) *graph.Resource {
	return resource("lambda/function:Function", name, map[string]any{
		"arn": functionARN + name, "invokeArn": "invoke:" + name, "role": "arn:aws:iam::0:role/" + name,
		"memorySize": 128.0, "timeout": 10.0, "environment": map[string]any{"variables": environment},
	})
}

// rolePolicy allows a function's role an action.
func rolePolicy(function, action, arn string) *graph.Resource {
	return resource("iam/rolePolicy:RolePolicy", function+" "+action, map[string]any{
		"role": function, "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + action +
			`"],"Resource":["` + arn + `"]}]}`,
	})
}

func program(more ...*graph.Resource) *graph.Graph {
	const (
		topic, queue, dlq = "arn:aws:sns:eu:0:topic", "arn:aws:sqs:eu:0:queue", "arn:aws:sqs:eu:0:dlq"
		secret, rule      = "arn:aws:secretsmanager:eu:0:secret:key-AbCdEf", "arn:aws:events:eu:0:rule/minute"
	)
	g := &graph.Graph{Region: "eu", Resources: append([]*graph.Resource{
		function("seller", map[string]any{"TOPIC": topic, "DATABASE_HOST": "127.0.0.1"}),
		function("buyer", map[string]any{"FACTORY": factoryURL + "/", "API_URL": apiURL, "KEY": secret}),
		function("idle", map[string]any{}),
		resource("iam/role:Role", "seller", map[string]any{"arn": "arn:aws:iam::0:role/seller"}),
		resource("iam/role:Role", "buyer", map[string]any{"arn": "arn:aws:iam::0:role/buyer"}),
		resource("iam/role:Role", "idle", map[string]any{"arn": "arn:aws:iam::0:role/idle"}),
		rolePolicy("seller", "sns:Publish", topic),
		rolePolicy("buyer", "secretsmanager:GetSecretValue", secret),
		resource("sns/topic:Topic", "topic", map[string]any{"arn": topic}),
		resource("sqs/queue:Queue", "queue",
			map[string]any{"arn": queue, "redrivePolicy": `{"deadLetterTargetArn":"` + dlq + `","maxReceiveCount":5}`}),
		resource("sqs/queue:Queue", "dlq", map[string]any{"arn": dlq}),
		resource("sns/topicSubscription:TopicSubscription", "subscription",
			map[string]any{"topic": topic, "protocol": "sqs", "endpoint": queue}),
		resource("lambda/eventSourceMapping:EventSourceMapping", "mapping",
			map[string]any{"eventSourceArn": queue, "functionName": functionARN + "buyer", "batchSize": 10.0}),
		resource("secretsmanager/secret:Secret", "key", map[string]any{"arn": secret}),
		resource("secretsmanager/secretRotation:SecretRotation", "rotation",
			map[string]any{"secretId": secret, "rotationLambdaArn": functionARN + "idle"}),
		resource("rds/instance:Instance", "database", map[string]any{
			"identifier": "database", "address": "127.0.0.1", "engine": "mariadb", "engineVersion": "10.11",
		}),
		resource("apigatewayv2/api:Api", "shop", map[string]any{"apiEndpoint": apiURL}),
		resource("apigatewayv2/integration:Integration", "to-seller",
			map[string]any{"apiId": "shop", "integrationUri": "invoke:seller"}),
		resource("apigatewayv2/route:Route", "checkout",
			map[string]any{"apiId": "shop", "routeKey": "POST /checkout", "target": "integrations/to-seller"}),
		resource("cloudwatch/eventRule:EventRule", "minute",
			map[string]any{"arn": rule, "scheduleExpression": "rate(1 minute)"}),
		resource("cloudwatch/eventTarget:EventTarget", "target",
			map[string]any{"rule": "minute", "arn": functionARN + "idle"}),
	}, more...)}
	return g
}

// arrows returns the edges with their labels, sorted.
func arrows(g console.Graph) (all []string) {
	for _, e := range g.Edges {
		all = append(all, strings.TrimSuffix(e.ID+" "+e.Label, " "))
	}
	slices.Sort(all)
	return all
}

func TestThePictureHasWhatTheProgramDeclares(t *testing.T) {
	g, err := drawing.Draw(program(), standIns,
		drawing.Outside{Callers: "buyers", Servers: map[string]string{"factory": factoryURL}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"api:shop>function:seller POST /checkout",
		"callers:buyers>api:shop",
		"factory:factory>api:shop calls back",
		"function:buyer>factory:factory",
		"function:buyer>secrets:secrets",
		"function:seller>database:database",
		"function:seller>topic:topic publishes",
		"queue:queue>dead-letter-queue:dlq after 5 receives",
		"queue:queue>function:buyer batches of up to 10",
		"schedule:minute>function:idle",
		"secrets:secrets>function:idle rotates",
		"topic:topic>queue:queue",
	}
	if got := arrows(g); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := g.Routes["POST /checkout"]; got != "function:seller" {
		t.Errorf("POST /checkout leads to %q", got)
	}
	ids := map[string]bool{}
	for _, n := range g.Nodes {
		if ids[n.ID] || n.Label == "" {
			t.Errorf("node %+v is there twice, or has no label", n)
		}
		ids[n.ID] = true
	}
	for _, e := range g.Edges {
		if !ids[e.From] || !ids[e.To] {
			t.Errorf("edge %s begins or ends at no node", e.ID)
		}
	}
}

// TestThePictureHasTheResourcesOfEmulators draws what the run has no stand-in of its own for.
func TestThePictureHasTheResourcesOfEmulators(t *testing.T) {
	all := slices.Clone(standIns)
	all = append(all, standin.StandIn{Service: "events", Name: "EventBridge", Nodes: eventbridge.Nodes})
	for _, m := range forward.Models() {
		all = append(all, standin.StandIn{Service: m.Service, Name: m.Name, Nodes: m.Nodes()})
	}
	const table, bus = "arn:aws:dynamodb:eu:0:table/carts", "arn:aws:events:eu:0:event-bus/orders"
	g, err := drawing.Draw(program(
		resource("s3/bucketV2:BucketV2", "files", map[string]any{"arn": "arn:aws:s3:::files", "bucket": "files"}),
		resource("dynamodb/table:Table", "carts", map[string]any{"arn": table}),
		resource("ssm/parameter:Parameter", "limit", map[string]any{"arn": "arn:aws:ssm:eu:0:parameter/limit"}),
		resource("sfn/stateMachine:StateMachine", "steps",
			map[string]any{"arn": "arn:aws:states:eu:0:stateMachine:steps"}),
		resource("kms/key:Key", "lock", map[string]any{"arn": "arn:aws:kms:eu:0:key/lock"}),
		resource("cloudwatch/eventBus:EventBus", "orders", map[string]any{"arn": bus}),
		resource("cloudwatch/eventRule:EventRule", "placed", map[string]any{
			"arn": "arn:aws:events:eu:0:rule/orders/placed", "eventBusName": "orders", "eventPattern": "{}",
		}),
		resource("cloudwatch/eventTarget:EventTarget", "seller", map[string]any{
			"rule": "placed", "eventBusName": bus, "arn": functionARN + "seller",
		}),
		rolePolicy("idle", "S3:GetObject", "arn:aws:s3:::files/*"),
		rolePolicy("idle", "s3:ListBucket", "arn:aws:s3:::files"),
		rolePolicy("idle", "dynamodb:*", table),
		rolePolicy("buyer", "events:PutEvents", bus),
		rolePolicy("seller", "ssm:GetParameter", "arn:aws:ssm:eu:0:parameter/other"),
	), all, drawing.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	got := arrows(g)
	for _, want := range []string{
		"function:idle>bucket:files GetObject, ListBucket",
		"function:idle>table:carts *",
		"function:buyer>event-bus:orders PutEvents",
		"event-bus:orders>rule:placed",
		"rule:placed>function:seller",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", strings.Join(got, "\n"), want)
		}
	}
	for _, kind := range []string{console.KindParameter, console.KindStateMachine, console.KindKey} {
		if id := g.Only(kind); id == "" || strings.Contains(strings.Join(got, " "), id) {
			t.Errorf("got the node %q of kind %s, want it without an edge: no role may use it", id, kind)
		}
	}
}

func TestThePictureHasOnlyWhatTheProgramDeclares(t *testing.T) {
	alone := &graph.Graph{Resources: []*graph.Resource{function("hello", map[string]any{})}}
	g, err := drawing.Draw(alone, standIns, drawing.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Nodes) != 1 || len(g.Edges) != 0 {
		t.Errorf("got %+v, want the function alone", g)
	}
}

// The deployment invokes setup: it is no part of the flow of messages. Without callers, the picture
// has none. The alarms of a topic are one node.
func TestThePictureHasAlarmsAndTheFunctionsOfTheDeployment(t *testing.T) {
	const topic = "arn:aws:sns:eu:0:topic"
	alarm := func(kind, name, notifies string) *graph.Resource {
		return resource(kind, name, map[string]any{"alarmActions": []any{notifies}})
	}
	g, err := drawing.Draw(program(
		resource("lambda/invocation:Invocation", "setup", map[string]any{"functionName": "idle"}),
		alarm("cloudwatch/metricAlarm:MetricAlarm", "errors", topic),
		alarm("cloudwatch/compositeAlarm:CompositeAlarm", "both", topic),
		alarm("cloudwatch/metricAlarm:MetricAlarm", "elsewhere", "arn:aws:sns:eu:0:other"),
	), standIns, drawing.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	if got := arrows(g); !slices.Contains(got, "alarms:topic alarms>topic:topic notify") {
		t.Errorf("got %v, want the alarms of the topic", got)
	}
	if got := g.Only(console.KindCallers); got != "" {
		t.Errorf("the picture has %q, which the program does not declare", got)
	}
	for _, n := range g.Nodes {
		if n.Kind == console.KindAlarms && n.Label != "2 alarms" || n.Deploys != (n.Name == "idle") {
			t.Errorf("got %+v", n)
		}
	}
}

func TestSubscribersByEmailArePeople(t *testing.T) {
	g, err := drawing.Draw(program(resource("sns/topicSubscription:TopicSubscription", "mail", map[string]any{
		"topic": "arn:aws:sns:eu:0:topic", "protocol": "email", "endpoint": "shop@example.com",
	})), standIns, drawing.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	if got := arrows(g); !slices.Contains(got, "topic:topic>people:people") {
		t.Errorf("got %v", got)
	}
}

func TestAPolicyThatDoesNotParseIsAnError(t *testing.T) {
	_, err := drawing.Draw(program(resource("iam/rolePolicy:RolePolicy", "broken",
		map[string]any{"role": "idle", "policy": "{"})), standIns, drawing.Outside{})
	if err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("got %v, want an error that names the policy", err)
	}
}
