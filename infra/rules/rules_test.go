package rules_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/rules"
	"restock/infra/stack"
	"restock/lambdas"
)

func TestStagesKeepEveryRule(t *testing.T) {
	for _, stage := range stages {
		t.Run(stage, func(t *testing.T) {
			for _, v := range rules.Check(record(t, stage), stack.Declarations()) {
				t.Error(v)
			}
		})
	}
}

// A sabotage breaks a recorded graph.
type sabotage struct {
	*testing.T
	*graph.Graph
}

// the finds a resource by the short form of its type and its name.
func (s sabotage) the(kind, name string) *graph.Resource {
	s.Helper()
	for _, r := range s.Resources {
		if r.Type.Short() == kind && r.Name == name {
			return r
		}
	}
	s.Fatalf("the stack has no %s %s", kind, name)
	return nil
}

func (s sabotage) set(kind, name, property string, value any) {
	s.Helper()
	r := s.the(kind, name)
	r.Inputs[property], r.Outputs[property] = value, value
}

// replace changes a part of a text, such as a policy.
func (s sabotage) replace(kind, name, property, old, new string) {
	s.Helper()
	text := s.the(kind, name).String(property)
	if !strings.Contains(text, old) {
		s.Fatalf("%s of %s %s is %s: it does not contain %s", property, kind, name, text, old)
	}
	s.set(kind, name, property, strings.ReplaceAll(text, old, new))
}

func (s sabotage) remove(kind, name string) {
	s.Helper()
	r := s.the(kind, name)
	s.Resources = slices.DeleteFunc(s.Resources, func(other *graph.Resource) bool { return other == r })
}

// add declares a child of another resource. Its id is its name.
func (s sabotage) add(token graph.Type, name string, parent *graph.Resource, outputs map[string]any) {
	s.Resources = append(s.Resources, &graph.Resource{
		URN: parent.URN + "$" + string(token) + "::" + name, Type: token, Name: name, ID: name, Parent: parent.URN,
		Inputs: outputs, Outputs: outputs,
	})
}

// variables returns the environment of a function.
func (s sabotage) variables(function string) map[string]any {
	s.Helper()
	return s.the("Function", function).Object("environment")["variables"].(map[string]any)
}

// The following functions return sabotages of one step, for tables.

func set(kind, name, property string, value any) func(sabotage) {
	return func(s sabotage) { s.set(kind, name, property, value) }
}

func unset(kind, name, property string) func(sabotage) {
	return func(s sabotage) { delete(s.the(kind, name).Outputs, property) }
}

// setIn sets a property of an object in a property.
func setIn(kind, name, object, property string, value any) func(sabotage) {
	return func(s sabotage) { s.the(kind, name).Object(object)[property] = value }
}

func replace(kind, name, property, old, new string) func(sabotage) {
	return func(s sabotage) { s.replace(kind, name, property, old, new) }
}

// replaceFirst is like replace, but changes only the first place.
func replaceFirst(kind, name, property, old, new string) func(sabotage) {
	return func(s sabotage) {
		text := s.the(kind, name).String(property)
		if !strings.Contains(text, old) {
			s.Fatalf("%s of %s %s is %s: it does not contain %s", property, kind, name, text, old)
		}
		s.set(kind, name, property, strings.Replace(text, old, new, 1))
	}
}

func remove(kind, name string) func(sabotage) {
	return func(s sabotage) { s.remove(kind, name) }
}

// replaceIn changes a part of a property that is a list or an object, written as JSON.
func replaceIn(kind, name, property, old, new string) func(sabotage) {
	return func(s sabotage) {
		text, err := json.Marshal(s.the(kind, name).Outputs[property])
		if err != nil || !strings.Contains(string(text), old) {
			s.Fatalf("%s of %s %s is %s, %v: it does not contain %s", property, kind, name, text, err, old)
		}
		var value any
		if err := json.Unmarshal([]byte(strings.Replace(string(text), old, new, 1)), &value); err != nil {
			s.Fatal(err)
		}
		s.set(kind, name, property, value)
	}
}

// addStatement adds a statement to a policy, as JSON.
func addStatement(kind, name, statement string) func(sabotage) {
	return replace(kind, name, "policy", `"Statement":[`, `"Statement":[`+statement+`,`)
}

// intoTheVPC moves a function into the VPC, with the permissions that it needs there.
func intoTheVPC(function string) func(sabotage) {
	return func(s sabotage) {
		s.set("Function", function, "vpcConfig", s.the("Function", "sweep").Outputs["vpcConfig"])
		actions := `"` + strings.Join(policy.NetworkInterfaceActions, `","`) + `"`
		addStatement("RolePolicy", function, `{"Effect":"Allow","Action":[`+actions+`],"Resource":"*"}`)(s)
		addStatement("RolePolicy", function, `{"Effect":"Deny","Action":["ec2:*"],"Resource":"*",
			"Condition":{"Null":{"lambda:SourceFunctionArn":"false"}}}`)(s)
	}
}

// named returns the name on AWS of a resource of the stage dev.
func named(token graph.Type, logical string) string {
	return graph.Autoname("restock", "dev", token, logical)
}

// stockEmptyARN is the ARN of the topic stock_empty of the stage dev.
var stockEmptyARN = "arn:aws:sns:ap-northeast-2:" + graph.AccountID + ":" + named(graph.Topic, "stock_empty")

// The ends of ARNs of log groups.
var (
	stockLogs = ":log-group:" + named(graph.LogGroup, "stock")
	sweepLogs = ":log-group:" + named(graph.LogGroup, "sweep")
)

// setParameter changes a parameter of the database.
func setParameter(name, value string) func(sabotage) {
	return func(s sabotage) {
		for _, p := range s.the("ParameterGroup", "database").Outputs["parameters"].([]any) {
			if p := p.(map[string]any); p["name"] == name {
				p["value"] = value
			}
		}
	}
}

// perFunction returns each function as often as times says, as violations name it.
func perFunction(times func(lambdas.Function) int) (all []string) {
	for _, f := range lambdas.All() {
		all = append(all, slices.Repeat([]string{"Function " + f.Name}, times(f))...)
	}
	return all
}

// using returns the functions in the VPC that match, as violations name them.
func using(match func(lambdas.Function) bool) (all []string) {
	for _, f := range lambdas.All() {
		if f.Network == lambdas.Private && match(f) {
			all = append(all, "Function "+f.Name)
		}
	}
	return all
}

var (
	// databaseUsers are the functions that connect to the database.
	databaseUsers = using(func(f lambdas.Function) bool { return f.Uses("database") })
	// databaseWorkers are all of them but setup. They connect as the functions' user.
	databaseWorkers = using(func(f lambdas.Function) bool {
		return f.Uses("database") && f.Name != lambdas.Setup.Name
	})
	// impatient are the workers that do not wait 10 s for a connection.
	impatient = using(func(f lambdas.Function) bool {
		return f.Uses("database") && f.Name != lambdas.Setup.Name && f.Timeout <= 10*time.Second
	})
	// everyFunction are all functions, as violations name them.
	everyFunction = perFunction(func(lambdas.Function) int { return 1 })
	// readers are the functions that read secrets which setup writes, once for each secret.
	readers = perFunction(func(f lambdas.Function) (secrets int) {
		for _, v := range lambdas.Variables(f.Environment) {
			if v.Thing == "secret" && f.Name != lambdas.Setup.Name {
				secrets++
			}
		}
		return secrets
	})
	// publishers are the functions in the VPC that publish.
	publishers = using(func(f lambdas.Function) bool { return f.Uses("topic") })
)

// An example breaks the stack in one way, so that it violates one rule.
type example struct {
	rule     string
	breaking string
	edit     func(sabotage)
	want     []string // the resources that violate the rule, as type and name
	says     string   // a part of each problem
}

var examples = []example{
	{"parent", "a subnet below the stack", func(s sabotage) { s.the("Subnet", "private-ap-northeast-2a").Parent = "" },
		[]string{"Subnet private-ap-northeast-2a"}, "its parent is the stack"},
	{"parent", "a queue's policy below the stack", func(s sabotage) {
		s.the("QueuePolicy", "stock_queue").Parent = "urn:pulumi:dev::restock::pulumi:pulumi:Stack::restock-dev"
	}, []string{"QueuePolicy stock_queue"}, "its parent is the stack"},
	{"parent", "a component that is gone", func(s sabotage) { s.the("LogGroup", "sweep").Parent += "-old" },
		[]string{"LogGroup sweep"}, "sweep-old is not declared"},

	{"reference", "an alarm on a logical name",
		setIn("MetricAlarm", "stock-errors", "dimensions", "FunctionName", "stock"),
		[]string{"MetricAlarm stock-errors"},
		`its dimension FunctionName is "stock", the logical name of Function stock: on AWS its name is another one, ` +
			`like "` + named(graph.Function, "stock") + `": it watches nothing`},
	{"reference", "an alarm on nothing",
		setIn("MetricAlarm", "stock-oldest-message", "dimensions", "QueueName", "stock_dlq"),
		[]string{"MetricAlarm stock-oldest-message"},
		`its dimension QueueName is "stock_dlq", and no Queue of the stack has this name: it watches nothing`},
	{"reference", "a permission for a logical name", set("Permission", "factory-api", "function", "factory"),
		[]string{"Permission factory-api"},
		`its function is "factory", the logical name of Function factory: on AWS its name is another ` +
			`one, like "` + named(graph.Function, "factory") + `": AWS has no such Function`},
	{"reference", "an event target of a logical name", set("EventTarget", "ads", "rule", "ads"),
		[]string{"EventTarget ads"}, `its rule is "ads", the logical name of EventRule ads`},
	{"reference", "a database in a logical subnet group", set("Instance", "database", "dbSubnetGroupName", "database"),
		[]string{"Instance database"}, `its dbSubnetGroupName is "database", the logical name of SubnetGroup database`},
	{"reference", "a database in another resource's group",
		set("Instance", "database", "dbSubnetGroupName", named(graph.ParameterGroup, "database")),
		[]string{"Instance database"}, `its dbSubnetGroupName is "` + named(graph.ParameterGroup, "database") +
			`", the name of ParameterGroup database, want the name of a SubnetGroup: AWS has no such SubnetGroup`},
	{"reference", "a log group's logical name", setIn("Function", "sweep", "loggingConfig", "logGroup", "sweep"),
		[]string{"Function sweep"}, `its loggingConfig.logGroup is "sweep", the logical name of LogGroup sweep`},
	{"reference", "a security group's logical name",
		setIn("Function", "sweep", "vpcConfig", "securityGroupIds", []any{"functions"}),
		[]string{"Function sweep"},
		`its vpcConfig.securityGroupIds is "functions", the logical name of SecurityGroup functions: on AWS its ` +
			`id is another one, like "` + functionsGroup + `"`},
	{"reference", "a role policy on a logical ARN",
		addStatement("RolePolicy", "stock",
			`{"Effect":"Deny","Action":["sns:Publish"],"Resource":["arn:aws:sns:*:000000000000:stock_empty"]}`),
		[]string{"RolePolicy stock"},
		`it contains arn:aws:sns:*:000000000000:stock_empty, with the logical name of Topic stock_empty: ` +
			`on AWS the name is another one, like "` + named(graph.Topic, "stock_empty") + `"`},
	{"reference", "a secret's logical name in a policy",
		addStatement("RolePolicy", "stock", `{"Effect":"Deny","Action":["secretsmanager:DescribeSecret"],"Resource":[`+
			`"arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:database-??????"]}`),
		[]string{"RolePolicy stock"}, "with the logical name of Secret database"},
	{"reference", "an ARN in place of a name", func(s sabotage) {
		s.the("MetricAlarm", "ads-oldest-message").Object("dimensions")["QueueName"] =
			s.the("Queue", "ads_queue").String("arn")
	}, []string{"MetricAlarm ads-oldest-message"}, `, the arn of Queue ads_queue, want the name of a Queue`},
	{"reference", "a widget on a logical name",
		replace("Dashboard", "shop", "dashboardBody", named(graph.Function, "stock"), "stock"),
		slices.Repeat([]string{"Dashboard shop"}, 5), `the dimension FunctionName of a widget is "stock", the logical`},

	{"private-database", "a public database", set("Instance", "database", "publiclyAccessible", true),
		[]string{"Instance database"}, "publiclyAccessible is true"},
	{"private-network", "a public subnet", set("Subnet", "private-ap-northeast-2c", "mapPublicIpOnLaunch", true),
		[]string{"Subnet private-ap-northeast-2c"}, "mapPublicIpOnLaunch is true"},
	{"private-network", "an Internet gateway", func(s sabotage) {
		s.add(graph.InternetGateway, "out", s.the("Vpc", "network"), map[string]any{"vpcId": vpcID})
	}, []string{"InternetGateway out"}, "has an Internet gateway"},
	{"private-network", "a function's open URL", func(s sabotage) {
		s.add(graph.FunctionURL, "stock", s.the("Function", "stock"), map[string]any{"authorizationType": "NONE"})
	}, []string{"FunctionUrl stock"}, `authorizationType is "NONE"`},
	{"closed-security-group", "a rule that lets in all of IPv4",
		set("SecurityGroupIngressRule", "functions-to-endpoints", "cidrIpv4", "0.0.0.0/0"),
		[]string{"SecurityGroupIngressRule functions-to-endpoints"}, "0.0.0.0/0 on tcp 443"},
	{"closed-security-group", "a rule that lets in all of IPv6",
		set("SecurityGroupIngressRule", "functions-to-database", "cidrIpv6", "::/0"),
		[]string{"SecurityGroupIngressRule functions-to-database"}, "::/0 on tcp 3306"},
	{"closed-security-group", "a rule written into a group",
		set("SecurityGroup", "database", "ingress",
			[]any{map[string]any{"protocol": "-1", "cidrBlocks": []any{"10.0.0.0/8", "0.0.0.0/0"}}}),
		[]string{"SecurityGroup database"}, "0.0.0.0/0 on all ports"},
	{"closed-security-group", "a rule in the older form",
		func(s sabotage) {
			s.add(graph.SecurityGroupRule, "old", s.the("SecurityGroup", "database"), map[string]any{
				"type": "ingress", "securityGroupId": databaseGroup, "protocol": "tcp",
				"fromPort": 1.0, "toPort": 9.0,
				"cidrBlocks": []any{"0.0.0.0/0"},
			})
		}, []string{"SecurityGroupRule old"}, "0.0.0.0/0 on tcp 1-9"},
	{"narrow-resource-policy", "a queue that anybody's topic may send to",
		replace("QueuePolicy", "stock_queue", "policy",
			`"Condition":{"ArnEquals":{"aws:SourceArn":"`+stockEmptyARN+`"}}`, `"Condition":{}`),
		[]string{"QueuePolicy stock_queue"}, "all users of sns.amazonaws.com"},
	{"narrow-resource-policy", "a condition that any account meets",
		replace("QueuePolicy", "stock_queue", "policy",
			`"ArnEquals":{"aws:SourceArn":"`+stockEmptyARN+`"}`,
			`"ArnLike":{"aws:SourceArn":"`+strings.Replace(stockEmptyARN, graph.AccountID, "*", 1)+`"}`),
		[]string{"QueuePolicy stock_queue"}, "without a condition"},
	{"narrow-resource-policy", "a secret for everybody",
		func(s sabotage) {
			s.add(graph.SecretPolicy, "database", s.the("Secret", "database"), map[string]any{
				"policy": `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},` +
					`"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`,
			})
		}, []string{"SecretPolicy database"}, "to everybody"},
	{"narrow-resource-policy", "a topic for everybody",
		func(s sabotage) {
			s.add(graph.TopicPolicy, "stock_empty", s.the("Topic", "stock_empty"), map[string]any{
				"policy": `{"Statement":[{"Effect":"Allow","Principal":"*","Action":["sns:Publish"],"Resource":"*",` +
					`"Condition":{"StringNotEquals":{"aws:SourceAccount":"1"}}}]}`,
			})
		}, []string{"TopicPolicy stock_empty"}, "sns:Publish to everybody"},
	{"narrow-resource-policy", "a condition on something else",
		addStatement("QueuePolicy", "stock_queue", `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},
			"Action":"sqs:SendMessage","Resource":"q",
			"Condition":{"StringEquals":{"aws:RequestedRegion":"ap-northeast-2"}}}`),
		[]string{"QueuePolicy stock_queue"}, "all users of s3.amazonaws.com"},
	{"narrow-resource-policy", "a role for everybody",
		replace("Role", "stock", "assumeRolePolicy", `{"Service":"lambda.amazonaws.com"}`, `"*"`),
		[]string{"Role stock"}, "everybody may assume"},
	{"narrow-resource-policy", "a function for any API", set("Permission", "sales-api-api", "sourceArn", ""),
		[]string{"Permission sales-api-api"}, `sourceArn is ""`},

	{"encrypted", "a database in the clear", set("Instance", "database", "storageEncrypted", false),
		[]string{"Instance database"}, "storageEncrypted"},
	{"encrypted", "a topic in the clear", set("Topic", "stock_empty", "kmsMasterKeyId", ""),
		[]string{"Topic stock_empty"}, "kmsMasterKeyId"},
	{"encrypted", "a queue in the clear", set("Queue", "stock_queue_dlq", "sqsManagedSseEnabled", false),
		[]string{"Queue stock_queue_dlq"}, "sqsManagedSseEnabled"},
	{"encrypted", "a log with CloudWatch's key", set("LogGroup", "api-access", "kmsKeyId", ""),
		[]string{"LogGroup api-access"}, "kmsKeyId"},

	{"no-wildcard", "all actions of a service",
		replace("RolePolicy", "stock", "policy", "secretsmanager:GetSecretValue", "secretsmanager:Get*"),
		[]string{"RolePolicy stock"}, "the action secretsmanager:Get*"},
	{"no-wildcard", "all actions but some",
		replace("RolePolicy", "sales-api", "policy", `"Action":["sns:Publish"]`, `"NotAction":["sns:DeleteTopic"]`),
		[]string{"RolePolicy sales-api"}, "all actions but sns:DeleteTopic"},
	{"no-wildcard", "all topics but some",
		replace("RolePolicy", "sweep", "policy", `"Resource":["`+stockEmptyARN+`"]`,
			`"NotResource":["arn:aws:sns:ap-northeast-2:000000000000:other"]`),
		[]string{"RolePolicy sweep"}, "sns:Publish on all resources but"},
	{"no-wildcard", "all topics", replace("RolePolicy", "sweep", "policy", ":"+named(graph.Topic, "stock_empty"), ":*"),
		[]string{"RolePolicy sweep"}, "sns:Publish on arn:aws:sns:ap-northeast-2:000000000000:*"},
	{"no-wildcard", "all log groups",
		replace("RolePolicy", "sweep", "policy", sweepLogs+":*", ":log-group:*"),
		[]string{"RolePolicy sweep", "RolePolicy sweep"}, "on arn:aws:logs:ap-northeast-2:000000000000:log-group:*"},
	{"no-wildcard", "another action on all resources",
		replace("RolePolicy", "sweep", "policy", `"ec2:DescribeSubnets"`, `"ec2:DescribeSubnets","ec2:RunInstances"`),
		[]string{"RolePolicy sweep"}, "ec2:RunInstances on *"},
	{"no-wildcard", "a queue's policy", replace("QueuePolicy", "stock_queue", "policy", "sqs:SendMessage", "sqs:*"),
		[]string{"QueuePolicy stock_queue"}, "the action sqs:*"},
	{"no-wildcard", "a policy of AWS's",
		func(s sabotage) {
			s.add(graph.RolePolicyAttachment, "admin", s.the("Role", "setup"),
				map[string]any{"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"})
		}, []string{"RolePolicyAttachment admin"}, "AdministratorAccess"},
	{"policy", "an invalid policy", func(s sabotage) {
		s.add(graph.ManagedPolicy, "broken", s.the("Role", "setup"), map[string]any{"policy": `{"Statement":`})
	}, []string{"Policy broken"}, "not a policy document"},
	{"grant", "a secret that may not be read",
		replace("RolePolicy", "stock", "policy", `"secretsmanager:GetSecretValue"`, `"secretsmanager:DescribeSecret"`),
		[]string{"Function stock"},
		"does not allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:" +
			named(graph.Secret, "callback-key") + "-AbCdEf, which variable CALLBACK_KEY_SECRET grants"},
	{"grant", "another topic", replace("RolePolicy", "sales-api", "policy", stockEmptyARN, stockEmptyARN+"2"),
		[]string{"Function sales-api"}, "sns:Publish"},
	{"grant", "an explicit deny",
		addStatement("RolePolicy", "setup",
			`{"Effect":"Deny","Action":"secretsmanager:PutSecretValue","Resource":"*:secret:*callback-key-*"}`),
		[]string{"Function setup"}, "CALLBACK_KEY_SECRET"},
	{"network-interface", "a function in the VPC that may have no network interface",
		replace("RolePolicy", "sweep", "policy", `"ec2:CreateNetworkInterface",`, ""),
		[]string{"Function sweep"}, "ec2:CreateNetworkInterface"},

	{"tracing", "active tracing without its permission",
		set("Function", "sweep", "tracingConfig", map[string]any{"mode": "Active"}),
		[]string{"Function sweep"}, "xray:PutTraceSegments"},

	{"network-interface", "code that may do what Lambda does",
		func(s sabotage) {
			s.replace("RolePolicy", "sweep", "policy", `"Condition":{"Null":{"lambda:SourceFunctionArn":"false"}}`,
				`"Condition":{"Null":{"lambda:SourceFunctionArn":"true"}}`)
			s.replace("RolePolicy", "sweep", "policy", `"Effect":"Deny"`, `"Effect":"Allow"`)
		}, slices.Repeat([]string{"Function sweep"}, 6), "which only Lambda needs"},
	{"visibility-timeout", "a visibility timeout that is too short",
		set("Queue", "stock_queue", "visibilityTimeoutSeconds", 59.0),
		[]string{"Queue stock_queue"},
		"is 59 s, want 60 s or more: 6 times the timeout of function stock, which is 10 s"},
	{"visibility-timeout", "a function timeout that is too long", set("Function", "stock", "timeout", 30.0),
		[]string{"Queue stock_queue"}, "is 60 s, want 180 s or more"},
	{"visibility-timeout", "SQS's default visibility timeout",
		unset("Queue", "stock_queue", "visibilityTimeoutSeconds"),
		[]string{"Queue stock_queue"}, "is 30 s, want 60 s"},
	{"visibility-timeout", "a batching window",
		set("EventSourceMapping", "stock", "maximumBatchingWindowInSeconds", 5.0),
		[]string{"Queue stock_queue"}, "want 65 s"},
	{"dead-letter-queue", "no dead-letter queue", set("Queue", "stock_queue", "redrivePolicy", ""),
		[]string{"Queue stock_queue"}, "no dead-letter queue"},
	{"dead-letter-queue", "a dead-letter queue that is not there",
		func(s sabotage) { s.remove("Queue", "stock_queue_dlq"); s.remove("QueuePolicy", "stock_queue_dlq") },
		[]string{"Queue stock_queue"}, named(graph.Queue, "stock_queue_dlq") + " is not declared"},
	{"dead-letter-queue", "dead letters without an alarm", remove("MetricAlarm", "stock-dead-letters"),
		[]string{"Queue stock_queue_dlq"}, "no alarm reports"},
	{"dead-letter-queue", "an invalid redrive policy",
		set("Queue", "stock_queue", "redrivePolicy", "stock_queue_dlq"),
		[]string{"Queue stock_queue"}, `its redrivePolicy begins with "stock_queue_dlq"`},
	{"dead-letter-queue", "too few deliveries",
		replace("Queue", "stock_queue", "redrivePolicy", `"maxReceiveCount":5`, `"maxReceiveCount":4`),
		[]string{"Queue stock_queue"}, "maxReceiveCount is 4, want 5"},
	{"dead-letter-queue", "a dead-letter queue that deletes messages too soon",
		unset("Queue", "stock_queue_dlq", "messageRetentionSeconds"),
		[]string{"Queue stock_queue_dlq"}, "for 345600 s, want longer than the 345600 s of stock_queue"},

	{"subscription", "no queue policy", remove("QueuePolicy", "stock_queue"),
		[]string{"Queue stock_queue"}, "does not let topic " + stockEmptyARN + " send"},
	{"subscription", "a queue policy for another topic",
		replace("QueuePolicy", "stock_queue", "policy", stockEmptyARN, stockEmptyARN+"2"),
		[]string{"Queue stock_queue"}, "does not let topic"},
	{"subscription", "the policy on the other queue", func(s sabotage) {
		s.set("QueuePolicy", "stock_queue", "queueUrl", s.the("Queue", "stock_queue_dlq").ID)
	}, []string{"Queue stock_queue"}, "does not let topic"},
	{"subscription", "raw delivery", set("TopicSubscription", "stock_queue", "rawMessageDelivery", true),
		[]string{"TopicSubscription stock_queue"}, "rawMessageDelivery"},
	{"subscription", "a key that SNS may not use", set("Queue", "stock_queue", "kmsMasterKeyId", "alias/aws/sqs"),
		[]string{"Queue stock_queue"}, "alias/aws/sqs"},
	{"subscription", "a subscription of no topic", set("TopicSubscription", "stock_queue", "topic", ""),
		[]string{"TopicSubscription stock_queue"}, `its topic is "", and its endpoint is "arn:aws:sqs:`},
	{"filter", "a filter by a kind of another topic",
		set("TopicSubscription", "stock_queue", "filterPolicy", `{"kind":["order_failed"]}`),
		[]string{"TopicSubscription stock_queue"}, `{"kind":["order_failed"]} takes no message of topic stock_empty, ` +
			"whose messages have MessageAttributeFactoryId, MessageAttributeProductCnt, MessageAttributeProductId, " +
			"MessageAttributeRequester (stock-bot): the queue stays empty"},
	{"reference", "a topic that is not there",
		set("TopicSubscription", "stock_queue", "topic", "arn:aws:sns:::other"),
		[]string{"TopicSubscription stock_queue"}, `its topic is "arn:aws:sns:::other", and no Topic of the stack`},
	{"route", "a permission that is missing", remove("Permission", "merchant-api-api"),
		slices.Repeat([]string{"Function merchant-api"}, len(lambdas.MerchantAPI.Routes)),
		"no permission lets apigateway.amazonaws.com invoke it from arn:aws:execute-api:ap-northeast-2:000000000000:" +
			named(graph.API, "shop") + "/$default/"},
	{"route", "a permission for one method", replace("Permission", "sales-api-api", "sourceArn", "/*", "/*/GET/*"),
		[]string{"Function sales-api", "Function sales-api", "Function sales-api"},
		"no permission lets"}, // POST of a checkout and of a wait, and $default
	{"route", "a route for the wrong method", set("Route", "GET /products", "routeKey", "POST /products"),
		[]string{"Function sales-api"}, `"GET /products" leads nowhere`},
	{"route", "a role that may not send to the route's queue",
		replace("RolePolicy", "stock-increase-api", "policy", "sqs:SendMessage", "sqs:ReceiveMessage"),
		[]string{"Integration stock-increase"}, "does not allow sqs:SendMessage on"},
	{"route", "a role that API Gateway may not assume",
		replace("Role", "stock-increase-api", "assumeRolePolicy", "apigateway.amazonaws.com", "lambda.amazonaws.com"),
		[]string{"Integration stock-increase"}, "apigateway.amazonaws.com may not assume its role"},
	{"route", "no role for the route's queue", unset("Integration", "stock-increase", "credentialsArn"),
		[]string{"Integration stock-increase"}, `its credentialsArn is ""`},
	{"route", "message attributes of no request", func(s sabotage) {
		parameters := s.the("Integration", "stock-increase").Object("requestParameters")
		parameters["MessageAttributes"] = `{"a":{"DataType":"String","StringValue":"b"}}`
	}, []string{"Integration stock-increase"}, "a text without an expression"},
	{"route", "a payload format for functions", set("Integration", "stock-increase", "payloadFormatVersion", "2.0"),
		[]string{"Integration stock-increase"}, `payloadFormatVersion is "2.0"`},
	{"route-settings", "settings of a route that is not there", func(s sabotage) {
		s.the("Stage", "shop").Outputs["routeSettings"] = []any{map[string]any{"routeKey": "GET /none"}}
	}, []string{"Stage shop"}, `settings of route "GET /none", which is not declared`},
	{"route-settings", "settings of a route that AWS may make later", func(s sabotage) {
		s.the("Stage", "shop").Dependencies = nil
	}, slices.Repeat([]string{"Stage shop"}, 3+len(lambdas.MerchantAPI.Routes)), "may be made before the route"},
	{"throttling", "an API without a stage", remove("Stage", "shop"),
		[]string{"Api shop"}, "it has no stage: API Gateway answers every request with 404"},
	{"throttling", "a route that lets no request pass", func(s sabotage) {
		for _, own := range s.the("Stage", "shop").Objects("routeSettings") {
			if own["routeKey"] == "POST /checkout" {
				own["throttlingBurstLimit"] = 0.0
			}
		}
	}, []string{"Stage shop"},
		`throttlingBurstLimit of requests to route "POST /checkout" is 0, or not set: it answers`},
	{"throttling", "a stage that lets no request pass", func(s sabotage) {
		delete(s.the("Stage", "shop").Object("defaultRouteSettings"), "throttlingRateLimit")
	}, []string{"Stage shop"}, "throttlingRateLimit of requests to routes without settings of their own is 0"},
	{"schedule", "a rule that is disabled", set("EventRule", "sweep", "state", "DISABLED"),
		[]string{"EventRule sweep"}, "it is disabled: EventBridge never invokes function sweep"},
	{"schedule", "a rule that is disabled in the older way", set("EventRule", "sweep", "isEnabled", false),
		[]string{"EventRule sweep"}, "it is disabled: EventBridge never invokes function sweep"},
	{"event-source", "a mapping that is disabled", set("EventSourceMapping", "stock", "enabled", false),
		[]string{"EventSourceMapping stock"}, "it is disabled: function stock handles no message of queue stock_queue"},
	{"buffer", "deliveries that invoke their function", func(s sabotage) {
		i := s.the("Integration", "stock-increase")
		delete(i.Outputs, "integrationSubtype")
		i.Outputs["integrationUri"] = s.the("Function", "stock-increase").Outputs["invokeArn"]
		s.add(graph.Permission, "stock-increase-api", i, map[string]any{
			"action": "lambda:InvokeFunction", "function": named(graph.Function, "stock-increase"),
			"principal": "apigateway.amazonaws.com",
			"sourceArn": s.the("Api", "shop").String("executionArn") + "/*",
		})
		s.add(graph.TopicSubscription, "deliveries_queue", i, map[string]any{
			"protocol": "email", "endpoint": s.the("Queue", "deliveries_queue").String("arn"),
		})
	}, []string{"Route POST /production-orders/{order}/attempts/{attempt}/receipt"},
		"a request is lost if the function fails"},
	{"authorization", "a merchant's route for everybody", unset("Route", "GET /merchant/products", "authorizationType"),
		[]string{"Route GET /merchant/products"},
		"its authorizationType is NONE, want AWS_IAM for every route below /merchant: anybody may call it"},
	{"authorization", "a merchant's route with authorization NONE",
		set("Route", "POST /merchant/products", "authorizationType", "NONE"),
		[]string{"Route POST /merchant/products"}, "its authorizationType is NONE, want AWS_IAM"},
	{"authorization", "another kind of authorization",
		set("Route", "GET /merchant/production-orders", "authorizationType", "JWT"),
		[]string{"Route GET /merchant/production-orders"}, "its authorizationType is JWT, want AWS_IAM"},
	{"authorization", "buyers who must sign", set("Route", "POST /checkout", "authorizationType", "AWS_IAM"),
		[]string{"Route POST /checkout"},
		"its authorizationType is AWS_IAM, want NONE: function sales-api has public routes"},
	{"schedule", "a permission that is missing", remove("Permission", "sweep-schedule"),
		[]string{"Function sweep"},
		"events.amazonaws.com invoke it from arn:aws:events:ap-northeast-2:000000000000:rule/" +
			named(graph.EventRule, "sweep")},
	{"schedule", "a permission of another service",
		set("Permission", "sweep-schedule", "principal", "scheduler.amazonaws.com"),
		[]string{"Function sweep"}, "events.amazonaws.com invoke it from"},
	{"schedule", "no target", remove("EventTarget", "sweep"),
		[]string{"Function sweep"}, "every 1m0s"},
	{"schedule", "a target of a rule that is not there", remove("EventRule", "sweep"),
		[]string{"Function sweep"}, "nothing invokes it every 1m0s"},
	{"schedule", "a target of no rule", set("EventTarget", "sweep", "rule", ""),
		[]string{"EventTarget sweep", "Function sweep"}, ""},
	{"event-source", "a queue that its function may not read",
		replace("RolePolicy", "stock", "policy", `"sqs:DeleteMessage",`, ""),
		[]string{"Function stock"},
		"sqs:DeleteMessage on arn:aws:sqs:ap-northeast-2:000000000000:" + named(graph.Queue, "stock_queue")},
	{"event-source", "a mapping of the dead-letter queue", func(s sabotage) {
		s.set("EventSourceMapping", "stock", "eventSourceArn", s.the("Queue", "stock_queue_dlq").String("arn"))
	}, []string{"EventSourceMapping stock"},
		"its eventSourceArn is that of Queue stock_queue_dlq, want that of Queue stock_queue, which function stock"},
	{"event-source", "no mapping", remove("EventSourceMapping", "stock"),
		[]string{"Function stock"}, "nothing gives it the messages of Queue stock_queue: they wait until SQS " +
			"deletes them"},
	{"event-source", "no partial batches", set("EventSourceMapping", "stock", "functionResponseTypes", []any{}),
		[]string{"EventSourceMapping stock"}, "ReportBatchItemFailures"},
	{"event-source", "a queue that gets no messages", remove("TopicSubscription", "stock_queue"),
		[]string{"Queue stock_queue"}, "nothing sends messages to it"},

	{"log-group", "no log group", set("Function", "setup", "loggingConfig", nil),
		[]string{"Function setup"}, `log group "" is not declared`},
	{"log-group", "a log group without a retention", unset("LogGroup", "sweep", "retentionInDays"),
		[]string{"LogGroup sweep"}, "retentionInDays is 0"},
	{"log-group", "a log group of two functions", func(s sabotage) {
		s.set("Function", "stock", "loggingConfig", map[string]any{"logGroup": named(graph.LogGroup, "sweep")})
		s.replace("RolePolicy", "stock", "policy", stockLogs, sweepLogs)
	}, []string{"Function sweep"}, "function stock's"},
	{"log-group", "a function that may not log",
		replace("RolePolicy", "stock", "policy", `"logs:CreateLogStream","logs:PutLogEvents"`,
			`"logs:CreateLogStream"`),
		[]string{"Function stock"}, "logs:PutLogEvents"},
	{"log-group", "a grant on the group without its streams",
		replace("RolePolicy", "stock", "policy", stockLogs+":*", stockLogs),
		[]string{"Function stock", "Function stock"}, "on the streams"},

	{"environment", "a variable that is missing",
		func(s sabotage) { delete(s.variables("sales-api"), "DATABASE_NAME") },
		[]string{"Function sales-api"}, "DATABASE_NAME, from database.name, is not set"},
	{"environment", "a variable that is empty", func(s sabotage) { s.variables("sales-api")["STOCK_EMPTY_TOPIC"] = "" },
		[]string{"Function sales-api"}, "STOCK_EMPTY_TOPIC, from topic.stock_empty, is empty"},
	{"environment", "a variable that nobody reads",
		func(s sabotage) { s.variables("stock")["STOCK_EMTPY_TOPIC"] = "arn" },
		[]string{"Function stock"}, "STOCK_EMTPY_TOPIC is set"},
	{"runtime", "a function that is not deployed",
		func(s sabotage) { s.remove("Function", "setup"); s.remove("Invocation", "setup") },
		[]string{"Function setup"}, "it is declared, and the stack does not deploy it"},
	{"runtime", "another handler", set("Function", "stock", "handler", "main"),
		[]string{"Function stock"}, `handler is "main"`},
	{"runtime", "another runtime", set("Function", "stock", "runtime", "go1.x"),
		[]string{"Function stock"}, `runtime is "go1.x"`},
	{"runtime", "another architecture", set("Function", "stock", "architectures", []any{"x86_64"}),
		[]string{"Function stock"}, `architectures are ["x86_64"]`},
	{"runtime", "another architecture by default", unset("Function", "stock", "architectures"),
		[]string{"Function stock"}, `architectures are []`},

	{"connections", "too few connections", setParameter("max_connections", fmt.Sprint(connections())),
		[]string{"Instance database"}, fmt.Sprintf("want less than max_connections, %d", connections())},
	{"connections", "the engine's default limit",
		setParameter("max_connections", "{DBInstanceClassMemory/12582880}"),
		[]string{"Instance database"}, "want a number"},
	{"connections", "another parameter group",
		set("Instance", "database", "parameterGroupName", "default.mariadb10.11"),
		[]string{"Instance " +
			"database"}, `its parameterGroupName is "default.mariadb10.11", a group that the stack does not declare`},
	{"encrypted-transport", "a queue without a policy", remove("QueuePolicy", "stock_queue_dlq"),
		[]string{"Queue stock_queue_dlq", "Queue stock_queue_dlq"}, "over a connection without TLS"},
	{"encrypted-transport", "a topic without a policy", remove("TopicPolicy", "stock_empty"),
		[]string{"Topic stock_empty"}, "does not deny sns:Publish"},
	{"encrypted-transport", "a secret that may be read without TLS",
		replace("SecretPolicy", "database", "policy", `"secretsmanager:GetSecretValue",`, ""),
		[]string{"Secret database"}, "does not deny secretsmanager:GetSecretValue"},
	{"encrypted-transport", "an inverted condition",
		replace("SecretPolicy", "callback-key", "policy", `"aws:SecureTransport":"false"`,
			`"aws:SecureTransport":"true"`),
		[]string{"Secret callback-key", "Secret callback-key"}, "over a connection without TLS"},
	{"encrypted-transport", "a database without TLS",
		setParameter("require_secure_transport", "0"),
		[]string{"Instance database"}, `require_secure_transport is "0"`},
	{"encrypted-transport", "full: a proxy without TLS", set("Proxy", "database", "requireTls", false),
		[]string{"Proxy database"}, "requireTls is false"},

	{"cdn", "cdn: a certificate of another region",
		replaceIn("Distribution", "shop", "viewerCertificate", "us-east-1", "ap-northeast-2"),
		[]string{"Distribution shop"}, "want one in us-east-1"},
	{"cdn", "cdn: a secret header",
		replaceIn("Distribution", "shop", "origins", `"originId"`,
			`"customHeaders":[{"name":"x-origin","value":"s3cret"}],"originId"`),
		[]string{"Distribution shop"}, "origin api has customHeaders"},
	{"cdn", "cdn: HTTP to the API", replaceIn("Distribution", "shop", "origins", "https-only", "match-viewer"),
		[]string{"Distribution shop"}, "originProtocolPolicy of origin api is match-viewer"},
	{"cdn", "cdn: errors that are cached",
		replaceIn("Distribution", "shop", "customErrorResponses", `"errorCode":503`, `"errorCode":400`),
		[]string{"Distribution shop"}, "CloudFront caches an answer with the status 503 for 10 s, and gives it to " +
			"everybody"},
	{"cdn", "cdn: purchases over HTTP",
		replaceIn("Distribution", "shop", "defaultCacheBehavior", "redirect-to-https", "allow-all"),
		[]string{"Distribution shop"}, "cache behavior *: viewerProtocolPolicy is allow-all"},
	{"cdn", "cdn: the viewer's Host",
		replaceIn("Distribution", "shop", "defaultCacheBehavior", "b689b0a8-53d0-40ab-baf2-68738e2966ac",
			"216adef6-5c7f-47e4-b989-5492eafa07d3"),
		[]string{"Distribution shop"}, "cache behavior *: it forwards the header Host"},
	{"cdn", "cdn: a policy that caches for a day",
		replaceIn("Distribution", "shop", "defaultCacheBehavior", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
			"658327ea-f89d-4fab-a63d-7e88639e58f6"),
		[]string{"Distribution shop"}, "AWS's own policies cache answers without Cache-Control for a day"},
	{"cdn", "cdn: answers without Cache-Control", set("CachePolicy", "shop", "defaultTtl", 1.0),
		slices.Repeat([]string{"Distribution shop"}, 3), "defaultTtl of its cache policy is 1, want 0"},
	{"cdn", "cdn: answers with no-store", set("CachePolicy", "shop", "minTtl", 1.0),
		slices.Repeat([]string{"Distribution shop"}, 3), "minTtl of its cache policy is 1, want 0"},
	{"cdn", "cdn: answers for another site",
		replaceIn("CachePolicy", "shop", "parametersInCacheKeyAndForwardedToOrigin", `["origin"]`, `["accept"]`),
		slices.Repeat([]string{"Distribution shop"}, 3), "the API's CORS headers depend on Origin"},
	{"cdn", "cdn: the merchant's answers",
		replaceIn("Distribution", "shop", "orderedCacheBehaviors", `"/products"`, `"/*/products"`),
		[]string{"Distribution shop", "Distribution shop"},
		"which requires a signature: everybody gets the answer to somebody else"},

	{"rotation", "no rotation", remove("SecretRotation", "database"),
		[]string{"Secret database"}, "function setup does not rotate it"},
	{"rotation", "a rotation by another function", func(s sabotage) {
		s.set("SecretRotation", "database", "rotationLambdaArn", s.the("Function", "sweep").String("arn"))
	}, []string{"Secret database"}, "function setup does not rotate it"},
	{"rotation", "a rotation without a schedule", set("SecretRotation", "database", "rotationRules", map[string]any{}),
		[]string{"SecretRotation database"}, "automaticallyAfterDays"},
	{"rotation", "a function that Secrets Manager may not invoke", remove("Permission", "setup-rotation"),
		[]string{"Function setup"}, "no permission lets secretsmanager.amazonaws.com invoke it for secret database"},

	{"connections", "a function without a limit", unset("Function", "sweep", "reservedConcurrentExecutions"),
		[]string{"Function sweep"}, "nothing limits"},

	{"name", "a function's name that is too long",
		func(s sabotage) { s.the("Function", "stock").Inputs["name"] = strings.Repeat("f", 65) },
		[]string{"Function stock"}, "is 65 characters long"},
	{"name", "a name that is too long with Pulumi's suffix",
		func(s sabotage) { s.the("Role", "stock").Name = strings.Repeat("r", 45) },
		[]string{"Role " + strings.Repeat("r", 45)}, "65 characters long with Pulumi's suffix, want 64"},
	{"name", "a queue's name", func(s sabotage) { s.the("Queue", "stock_queue_dlq").Inputs["name"] = "dead letters" },
		[]string{"Queue stock_queue_dlq"}, `name is "dead letters"`},
	{"name", "a security group whose name begins like an id",
		func(s sabotage) { s.the("SecurityGroup", "functions").Inputs["name"] = "sg-functions" },
		[]string{"SecurityGroup functions"}, "not to begin with sg-"},
	{"name", "a database's name",
		func(s sabotage) { s.the("Instance", "database").Inputs["identifier"] = "restock--database" },
		[]string{"Instance database"}, "restock--database"},
	{"backups", "prod: no automated backups", set("Instance", "database", "backupRetentionPeriod", 0.0),
		[]string{"Instance database"}, "backupRetentionPeriod is 0"},
	{"backups", "prod: no last snapshot", set("Instance", "database", "skipFinalSnapshot", true),
		[]string{"Instance database"}, "skipFinalSnapshot is true"},
	{"backups", "prod: automated backups go with it", unset("Instance", "database", "deleteAutomatedBackups"),
		[]string{"Instance database"}, "deleteAutomatedBackups is not false"},
	{"backups", "prod: the same name for every last snapshot",
		set("Instance", "database", "finalSnapshotIdentifier", "restock-prod-final"),
		[]string{"Instance database"}, "want a name that contains"},
	{"proxy-users", "full: a proxy that knows the rotated secret only", func(s sabotage) {
		rotated := map[string]any{"secretArn": s.the("Secret", "database").String("arn")}
		s.set("Proxy", "database", "auths", []any{rotated})
	}, []string{"Proxy database"}, "a rotation changes the user"},
	{"modifications", "a database that waits for its maintenance window",
		set("Instance", "database", "applyImmediately", false),
		[]string{"Instance database"}, "applyImmediately is false"},
	{"name", "a last snapshot's name", set("Instance", "database", "finalSnapshotIdentifier", "restock-dev-final-"),
		[]string{"Instance database"}, "finalSnapshotIdentifier"},
	{"name", "a statement's name", func(s sabotage) { s.the("Permission", "sweep-schedule").Name = "sweep schedule" },
		[]string{"Permission sweep schedule"}, "statementId"},

	{"reachable", "no way out to the database", remove("SecurityGroupEgressRule", "functions-to-database"),
		databaseUsers,
		"database database: security group functions has no egress rule to security group database on tcp 3306"},
	{"reachable", "full: no way to the proxy", remove("SecurityGroupEgressRule", "functions-to-proxy"),
		databaseWorkers,
		"database database through its proxy: security group functions has no egress rule to security group proxy on " +
			"tcp 3306"},
	{"reachable", "full: no way from the proxy to the database",
		remove("SecurityGroupIngressRule", "proxy-to-database"),
		databaseWorkers, "security group database has no ingress rule from security group proxy on tcp 3306"},
	{"reachable", "full: setup goes around the proxy", remove("SecurityGroupIngressRule", "functions-to-database"),
		[]string{"Function setup"},
		"security group database has no ingress rule from security group functions on tcp 3306"},
	{"reachable", "an endpoint in the security group of the database", func(s sabotage) {
		s.set("VpcEndpoint", "sns", "securityGroupIds", []any{s.the("SecurityGroup", "database").ID})
	}, databaseWorkers, "it does not reach sns: endpoint sns is in security group database, and the rules for tcp " +
		"443 with function "},
	{"reachable", "a function in the security group of the endpoints", func(s sabotage) {
		vpcConfig := maps.Clone(s.the("Function", "sweep").Object("vpcConfig"))
		vpcConfig["securityGroupIds"] = []any{s.the("SecurityGroup", "endpoints").ID}
		s.set("Function", "sweep", "vpcConfig", vpcConfig)
	}, slices.Repeat([]string{"Function sweep"}, 3),
		"function sweep is in security group endpoints, and the rules for"},
	{"reachable", "full: a database in the security group of the endpoints", func(s sabotage) {
		s.set("Instance", "database", "vpcSecurityGroupIds", []any{s.the("SecurityGroup", "endpoints").ID})
	}, databaseUsers, "database database is in security group endpoints, and the rules for tcp 3306 with"},
	{"reachable", "no endpoint", remove("VpcEndpoint", "sns"),
		publishers, "it does not reach sns: the VPC has no interface endpoint for sns"},
	{"endpoint-policy", "an endpoint without a policy", unset("VpcEndpoint", "sns", "policy"),
		[]string{"VpcEndpoint sns"}, "it has no policy"},
	{"endpoint-policy", "an endpoint for every account",
		replace("VpcEndpoint", "sns", "policy",
			`,"Condition":{"StringEquals":{"aws:PrincipalAccount":"000000000000"}}`, ""),
		[]string{"VpcEndpoint sns"}, "principals of every account"},
	{"endpoint-policy", "an action that the endpoint does not let pass",
		replace("VpcEndpoint", "secretsmanager", "policy", `"secretsmanager:PutSecretValue",`, ""),
		[]string{"Function setup", "Function setup"},
		"the policy of VpcEndpoint secretsmanager does not allow secretsmanager:PutSecretValue, which variable"},
	{"no-wildcard", "an endpoint that lets all actions pass",
		replace("VpcEndpoint", "sns", "policy", `"sns:Publish"`, `"sns:*"`),
		[]string{"VpcEndpoint sns"}, "the action sns:*"},
	{"alarm", "an alarm on dead letters without an action",
		set("MetricAlarm", "stock-dead-letters", "alarmActions", []any{}),
		[]string{"MetricAlarm stock-dead-letters"}, "it has no alarmActions: nobody learns of it"},
	{"alarm", "an alarm without an action on a function", set("MetricAlarm", "sweep-silent", "alarmActions", []any{}),
		[]string{"MetricAlarm sweep-silent"}, "it has no alarmActions: nobody learns of it"},
	{"alarm", "an alarm for another topic",
		set("MetricAlarm", "sweep-silent", "okActions", []any{"arn:aws:sns:ap-northeast-2:000000000000:people"}),
		[]string{"MetricAlarm sweep-silent"},
		`its okActions name "arn:aws:sns:ap-northeast-2:000000000000:people", which is no topic of the stack`},
	{"alarm", "a topic that alarms may not publish to",
		replace("TopicPolicy", "stock_operations", "policy", "cloudwatch.amazonaws.com", "events.amazonaws.com"),
		[]string{"Topic stock_operations"},
		"its policy does not let cloudwatch.amazonaws.com publish for alarm ads-dead-letters and"},
	{"alarm", "a topic for the alarms of another account",
		replace("TopicPolicy", "stock_operations", "policy", "arn:aws:cloudwatch:ap-northeast-2:000000000000:alarm:*",
			"arn:aws:cloudwatch:ap-northeast-2:111111111111:alarm:*"),
		[]string{"Topic stock_operations"}, "publish for alarm ads-dead-letters and"},
	{"alarm", "a topic with a key of AWS", set("Topic", "stock_operations", "kmsMasterKeyId", "alias/aws/sns"),
		[]string{"Topic stock_operations"},
		"it is encrypted with alias/aws/sns, which CloudWatch may not use: nobody learns of alarm ads-dead-letters"},
	{"alarm", "a key that CloudWatch may not encrypt with",
		replace("Key", "operations", "policy", `["kms:Decrypt","kms:GenerateDataKey"]`, `["kms:Decrypt"]`),
		[]string{"Key operations"}, "its policy does not let cloudwatch.amazonaws.com use kms:GenerateDataKey for " +
			"topic stock_operations: nobody learns of alarm ads-dead-letters and"},
	{"key", "a key that CloudWatch Logs may not use for one action",
		replace("Key", "operations", "policy", `"kms:ReEncryptTo",`, ``),
		[]string{"Key operations"},
		"its policy does not let logs.ap-northeast-2.amazonaws.com use kms:ReEncryptTo for log group api-access and"},
	{"key", "a key for the logs of another region",
		replace("Key", "operations", "policy", "logs.ap-northeast-2.amazonaws.com", "logs.us-east-1.amazonaws.com"),
		slices.Repeat([]string{"Key operations"}, 7), "CloudWatch Logs refuses to make them"},
	{"key", "a key for the logs of every account",
		replace("Key", "operations", "policy",
			`"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":`+
				`"arn:aws:logs:ap-northeast-2:000000000000:log-group:*"}}`, `"Condition":{}`),
		slices.Repeat([]string{"Key operations"}, 7), "for log groups of every account"},
	{"key", "a key that the account cannot administer",
		replace("Key", "operations", "policy", `"kms:*"`, `"kms:Encrypt"`),
		[]string{"Key operations"}, "its policy does not let the account administer it: KMS refuses the key"},
	{"retention", "messages that are deleted before their last delivery",
		set("Queue", "deliveries_queue", "messageRetentionSeconds", 42000.0),
		[]string{"Queue deliveries_queue"}, "it keeps a message for 42000 s, want more than the 42000 s of 1000 " +
			"failed deliveries with a visibility timeout of 42 s: SQS deletes a message that function stock-increase " +
			"cannot handle before it is a dead letter"},
	{"retention", "more deliveries than the retention has time for", func(s sabotage) {
		s.replace("Queue", "ads_queue", "redrivePolicy", `"maxReceiveCount":5`, `"maxReceiveCount":1000`)
		s.set("Queue", "ads_queue", "messageRetentionSeconds", 59999.0)
	}, []string{"Queue ads_queue"}, "it keeps a message for 59999 s, want more than the 60000 s of 1000"},
	{"integration-timeout", "a function that API Gateway does not wait for",
		set("Function", "sales-api", "timeout", 30.0),
		[]string{"Function sales-api"}, "its timeout is 30 s, want 29 s or less: API Gateway answers 503 after 30 s, " +
			"and the function goes on"},
	{"integration-timeout", "an integration that waits for a short time",
		set("Integration", "sales-api", "timeoutMilliseconds", 10_500.0),
		[]string{"Function sales-api"}, "its timeout is 10 s, want 9.5 s or less"},
	{"subscription", "a subscription that does not wait for its queue's policy", func(s sabotage) {
		r := s.the("TopicSubscription", "stock_queue")
		r.Dependencies = slices.DeleteFunc(slices.Clone(r.Dependencies), func(urn string) bool {
			return strings.Contains(urn, "QueuePolicy")
		})
	}, []string{"TopicSubscription stock_queue"}, "it does not wait for QueuePolicy stock_queue"},
	{"subscription", "a function that publishes before the subscription", func(s sabotage) {
		r := s.the("Function", "sweep")
		r.Dependencies = slices.DeleteFunc(slices.Clone(r.Dependencies), func(urn string) bool {
			return strings.HasSuffix(urn, "TopicSubscription::ads_queue")
		})
	}, []string{"Function sweep"}, "does not wait for TopicSubscription ads_queue: SNS drops what it publishes before"},
	{"proxy-secrets", "full: a secret that the proxy may not read",
		replace("RolePolicy", "proxy", "policy", "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"),
		slices.Repeat([]string{"Proxy database"}, 2), "its role does not allow secretsmanager:GetSecretValue on " +
			"arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:restock-full-proxy-"},
	{"proxy-secrets", "full: one of the proxy's secrets", func(s sabotage) {
		s.replace("RolePolicy", "proxy", "policy", `,"`+s.the("Secret", "proxy-second").String("arn")+`"`, "")
	}, []string{"Proxy database"}, ":secret:restock-full-proxy-second-"},
	{"proxy-secrets", "full: a role for functions", func(s sabotage) {
		s.replace("Role", "proxy", "assumeRolePolicy", "rds.amazonaws.com", "lambda.amazonaws.com")
	}, []string{"Proxy database"}, "does not let rds.amazonaws.com assume it"},
	{"proxy-secrets", "full: a proxy without secrets", set("Proxy", "database", "auths", []any{}),
		[]string{"Proxy database"}, "it has no auths: it refuses every connection"},
	{"reachable", "a function outside the VPC", unset("Function", "stock-increase", "vpcConfig"),
		[]string{"Function stock-increase"}, "database database: function stock-increase is outside the VPC"},
	{"reachable", "the factory from inside the VPC", intoTheVPC("stock"),
		[]string{"Function stock"},
		"https://" + named(graph.API, "shop") + ".execute-api.ap-northeast-2.amazonaws.com: " +
			"route table private has no route to 0.0.0.0/0"},
	{"reachable", "a simulated factory inside the VPC", intoTheVPC("factory"), // it calls SQS, too
		[]string{"Function factory", "Function factory"}, "it does not reach"},
}

// alsoBroken names the other rules that an example breaks: they depend on the changed resource,
// too.
var alsoBroken = map[string][]string{
	"no queue policy":                          {"encrypted-transport"},
	"the policy on the other queue":            {"encrypted-transport", "one-policy"},
	"another parameter group":                  {"encrypted-transport", "parameter"},
	"an inverted condition":                    {"grant"},
	"a key that the account cannot administer": {"grant"},
	"full: a method that browsers refuse":      {"authorization", "route"},
	"a function that is not deployed":          {"reference"},
	"a target of a rule that is not there":     {"reference"},
	"a dead-letter queue that is not there":    {"reference"},
	"a permission for a logical name":          {"route"},
	"an event target of a logical name":        {"schedule"},
	"a database in a logical subnet group":     {"reachable"},
	"a database in another resource's group":   {"reachable"},
	"a log group's logical name":               {"log-group"},
	"a security group's logical name":          {"reachable"},
	"51 tags":                                  {"tags"},
	"a tag with other characters":              {"tags"},
	"a tag of AWS":                             {"tags"},
	"too few connections":                      {"threshold"},
	"two policies of one queue":                {"encrypted-transport"},
	"deliveries that invoke their function":    {"people"},

	"a stage of a secret's version that may not move": {"grant"},

	"full: a proxy that knows the rotated secret only": {"proxy-secrets"},
	"settings of a route that is not there":            {"throttling"},
}

// connections is the number of connections that the functions open with the default concurrency.
func connections() (sum int) {
	for _, f := range lambdas.All() {
		sum += f.Instances(f.Concurrency) * f.Connections()
	}
	return sum
}

func TestExamplesBreakExactlyTheirRule(t *testing.T) {
	for _, e := range examples {
		t.Run(e.rule+"/"+e.breaking, func(t *testing.T) {
			t.Parallel()
			stage, _, named := strings.Cut(e.breaking, ": ")
			if !named {
				stage = "dev"
			}
			s := sabotage{t, record(t, stage)}
			e.edit(s)
			var got []string
			for _, v := range rules.Check(s.Graph, stack.Declarations()) {
				if v.Rule != e.rule && slices.Contains(alsoBroken[e.breaking], v.Rule) {
					continue
				}
				if v.Rule != e.rule {
					t.Errorf("it breaks another rule too: %s", v)
					continue
				}
				got = append(got, v.Type.Short()+" "+v.Name)
				if !strings.Contains(v.Problem, e.says) {
					t.Errorf("got %s, want it to say %q", v, e.says)
				}
				if line := v.String(); strings.Contains(line, "\n") || v.Remedy == "" {
					t.Errorf("got %q, want one line that says what to do", line)
				}
			}
			if !slices.Equal(got, e.want) {
				t.Errorf("got violations of %q, want of %q", got, e.want)
			}
		})
	}
}

// TestRulesAcceptCorrectChanges changes the stack in ways that are correct but look like mistakes.
func TestRulesAcceptCorrectChanges(t *testing.T) {
	for name, edit := range map[string]func(sabotage){
		"a policy that requires TLS": addStatement("QueuePolicy", "stock_queue",
			`{"Effect":"Deny","Principal":"*","Action":"sqs:*",
			"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`),
		"a queue for another account's role": addStatement("QueuePolicy", "stock_queue", `{"Effect":"Allow",
			"Principal":{"AWS":"arn:aws:iam::111111111111:role/x"},"Action":"sqs:SendMessage","Resource":"q"}`),
		"a source account beside the source": replace("QueuePolicy", "stock_queue", "policy",
			`"Condition":{"ArnEquals"`,
			`"Condition":{"StringEquals":{"aws:SourceAccount":"000000000000"},"ArnEquals"`),
		"an email subscription": func(s sabotage) {
			s.add(graph.TopicSubscription, "people", s.the("Topic", "stock_empty"),
				map[string]any{"protocol": "email", "endpoint": "a@example.com"})
		},
		"a queue with a key of KMS": func(s sabotage) {
			s.set("Queue", "stock_queue", "sqsManagedSseEnabled", false)
			s.set("Queue", "stock_queue", "kmsMasterKeyId", "alias/restock")
		},
		"the shortest allowed visibility timeout": func(s sabotage) {
			s.set("Queue", "stock_queue", "visibilityTimeoutSeconds", 6*s.the("Function", "stock").Number("timeout"))
		},
		"one connection to spare": func(s sabotage) {
			setParameter("max_connections", fmt.Sprint(connections()+1))(s)
			s.set("MetricAlarm", "database-connections", "threshold", float64(connections()))
		},
		"the longest allowed name": func(s sabotage) {
			s.the("Function", "stock").Inputs["name"] = "dev" + strings.Repeat("f", 61)
		},
		"the longest allowed logical name": func(s sabotage) {
			s.the("Role", "stock").Name = strings.Repeat("r", 44)
		},
		"a function's ARN in an integration": func(s sabotage) {
			s.set("Integration", "sales-api", "integrationUri", s.the("Function", "sales-api").String("arn"))
		},
		"a metric of FIFO queues": replace("Dashboard", "shop", "dashboardBody",
			`"ApproximateAgeOfOldestMessage"`, `"ApproximateNumberOfGroupsWithInflightMessages"`),
		"a metric of a REST API": func(s sabotage) {
			s.add(graph.RESTAPI, "old", s.the("Api", "shop"), map[string]any{"name": "old-dev"})
			s.set("MetricAlarm", "api-errors", "metricName", "5XXError")
			s.set("MetricAlarm", "api-errors", "dimensions", map[string]any{"ApiName": "old-dev"})
		},
		"a function's name in place of its ARN": set(
			"EventSourceMapping", "stock", "functionName", named(graph.Function, "stock")),
	} {
		t.Run(name, func(t *testing.T) {
			s := sabotage{t, record(t, "dev")}
			edit(s)
			for _, v := range rules.Check(s.Graph, stack.Declarations()) {
				t.Error(v)
			}
		})
	}
}

// TestMerchantRoutesAreSignedWhateverTheDeclarationSays makes a function's declaration and its
// routes public, as if its Access had been deleted.
func TestMerchantRoutesAreSignedWhateverTheDeclarationSays(t *testing.T) {
	s, declared := sabotage{t, record(t, "dev")}, stack.Declarations().Functions
	for i := range declared {
		declared[i].Signed = false
	}
	var want, got []string
	for _, r := range s.OfType(graph.APIRoute) {
		if r.String("authorizationType") == "AWS_IAM" {
			delete(r.Outputs, "authorizationType")
			if strings.Contains(r.Name, " /merchant/") {
				want = append(want, r.Name)
			}
		}
	}
	for _, v := range rules.Check(s.Graph, rules.Declarations{Functions: declared}) {
		if v.Rule == "authorization" && strings.Contains(v.Problem, "for every route below /merchant") {
			got = append(got, v.Name)
		}
	}
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("got violations of the routes %q, want of %q", got, want)
	}
}

func TestEveryRuleHasItsFailingExample(t *testing.T) {
	for _, rule := range rules.All() {
		if !slices.ContainsFunc(examples, func(e example) bool { return e.rule == rule.Name }) {
			t.Errorf("no example breaks the rule %s", rule.Name)
		}
	}
}
