package rules_test

import (
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/rules"
	"restock/infra/stack"
)

// independent lets nothing depend on resources of a type, as if the program had forgotten them.
func independent(kind string) func(sabotage) {
	return func(s sabotage) {
		for _, r := range s.Resources {
			r.Dependencies = slices.DeleteFunc(r.Dependencies, func(urn string) bool {
				needed := s.ByURN(urn)
				return needed != nil && needed.Type.Short() == kind
			})
		}
	}
}

func setTrust(role, service string) func(sabotage) {
	return set("Role", role, "assumeRolePolicy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Service":"`+service+`"},"Action":"sts:AssumeRole"}]}`)
}

func init() { examples = append(examples, wrongValues...) }

// wrongValues are examples of properties with a value of the right type and the wrong meaning.
var wrongValues = []example{
	{"service-key", "the key of another service", set("Topic", "stock_empty", "kmsMasterKeyId", "alias/aws/sqs"),
		[]string{"Topic stock_empty"}, "kmsMasterKeyId is alias/aws/sqs, a key that SNS may not use"},
	{"role", "a function's role for another service", setTrust("stock", "events.amazonaws.com"),
		[]string{"Function stock"}, "lambda.amazonaws.com may not assume its role arn:aws:iam::"},
	{"role", "an empty boundary", set("Role", "stock", "permissionsBoundary", ""),
		[]string{"Role stock"}, `its permissionsBoundary is ""`},
	{"document", "an action that does not exist", addStatement("RolePolicy", "stock",
		`{"Effect":"Allow","Action":["sqs:SendMessages"],"Resource":["arn:aws:sqs:a:b:c"]}`),
		[]string{"RolePolicy stock"}, "its policy has the action sqs:SendMessages, which sqs does not have"},
	{"document", "a principal with a region", addStatement("Key", "operations",
		`{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam:eu-west-1:000000000000:root"},
		"Action":["kms:Sign"],"Resource":"*"}`),
		[]string{"Key operations"}, `its policy has the principal "arn:aws:iam:eu-west-1:000000000000:root"`},
	{"document", "a condition operator that does not exist", addStatement("QueuePolicy", "stock_queue",
		`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":["sqs:TagQueue"],"Resource":["arn:aws:sqs:a:b:c"],
		"Condition":{"Boolean":{"aws:SecureTransport":"false"}}}`),
		[]string{"QueuePolicy stock_queue"},
		"its policy has the condition operator Boolean, which does not exist: IAM refuses it"},
	{"document", "a condition key that does not exist", addStatement("QueuePolicy", "stock_queue",
		`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":["sqs:TagQueue"],"Resource":["arn:aws:sqs:a:b:c"],
		"Condition":{"Bool":{"aws:SecureTransports":"false"}}}`),
		[]string{"QueuePolicy stock_queue"},
		"its policy has the condition key aws:SecureTransports, which the rules do not know"},
	{"document", "a name in place of an ARN", addStatement("RolePolicy", "stock",
		`{"Effect":"Deny","Action":["sqs:SendMessage"],"Resource":["stock_queue"]}`),
		[]string{"RolePolicy stock"}, `its policy has the resource "stock_queue": IAM refuses what is no ARN`},
	{"document", "a resource whose ARN the recording does not know", func(s sabotage) {
		const stream = "aws:kinesis/stream:Stream"
		s.add(stream, "greeting", s.the("Topic", "stock_empty"), map[string]any{"name": "greeting"})
		r := s.the("RolePolicy", "stock")
		r.Dependencies = append(r.Dependencies, s.the("Stream", "greeting").URN)
		addStatement("RolePolicy", "stock", `{"Effect":"Deny","Action":["kinesis:PutRecord"],"Resource":[""]}`)(s)
	}, []string{"RolePolicy stock"},
		`its policy has the resource "": the table facts of infra/graph does not know the ARN of ` +
			"aws:kinesis/stream:Stream greeting"},
	{"one-policy", "two policies of one queue", func(s sabotage) {
		s.set("QueuePolicy", "ads_queue_dlq", "queueUrl", s.the("Queue", "stock_queue_dlq").String("url"))
	}, []string{"QueuePolicy stock_queue_dlq"}, "its queueUrl is that of QueuePolicy ads_queue_dlq, too"},
	{"metric", "a metric that does not exist", set("MetricAlarm", "api-errors", "metricName", "5XXError"),
		[]string{"MetricAlarm api-errors"}, "it watches 5XXError, which is no metric of AWS/ApiGateway"},
	{"metric", "an unknown namespace", set("MetricAlarm", "stock-errors", "namespace", "AWS/Lambdas"),
		[]string{"MetricAlarm stock-errors"}, "it watches the namespace AWS/Lambdas, which the rules do not know"},
	{"metric", "a namespace without measurements", set("MetricAlarm", "production-failed", "namespace", "restock"),
		[]string{"MetricAlarm production-failed"}, `in the namespace "restock", in which no function measures`},
	{"metric", "another dimension",
		set("MetricAlarm", "api-errors", "dimensions", map[string]any{"ApiName": "shop"}),
		[]string{"MetricAlarm api-errors"}, "by the dimensions [ApiName], want ApiId"},
	{"metric", "a graph of nothing", replace("Dashboard", "shop", "dashboardBody", `"Count"`, `"Requests"`),
		[]string{"Dashboard shop"}, `its graph "Requests" watches Requests, which is no metric of AWS/ApiGateway`},
	{"threshold", "silence that is not missed",
		set("MetricAlarm", "sweep-silent", "treatMissingData", "notBreaching"),
		[]string{"MetricAlarm sweep-silent"}, `its treatMissingData is "notBreaching", and it is for values below 1`},
	{"threshold", "free space in the wrong direction",
		set("MetricAlarm", "database-storage", "comparisonOperator", "GreaterThanThreshold"),
		[]string{"MetricAlarm database-storage"}, "it rings while FreeStorageSpace is above 2147483648"},
	{"threshold", "megabytes", set("MetricAlarm", "database-memory", "threshold", 64.0),
		[]string{"MetricAlarm database-memory"}, "its threshold is 64, want 10485760 to "},
	{"threshold", "a share of the processors", set("MetricAlarm", "database-cpu", "threshold", 0.85),
		[]string{"MetricAlarm database-cpu"}, "its threshold is 0.85, want 10 to 100: CPUUtilization is in percent"},
	{"threshold", "seconds", set("MetricAlarm", "api-latency", "threshold", 2.0),
		[]string{"MetricAlarm api-latency"}, "Latency is in milliseconds"},
	{"attempts", "a buffer of five attempts",
		replace("Queue", "deliveries_queue", "redrivePolicy", `"maxReceiveCount":1000`, `"maxReceiveCount":5`),
		[]string{"Queue deliveries_queue"}, "5 attempts of 42 s end after 210 s, want 3600 s or more"},
	{"dashboard", "a widget beyond the grid", replaceFirst("Dashboard", "shop", "dashboardBody", `"x":20`, `"x":22`),
		[]string{"Dashboard shop"}, "ends at column 26, and a dashboard has 24"},
	{"dashboard", "a period between minutes",
		replaceFirst("Dashboard", "shop", "dashboardBody", `"period":60`, `"period":45`),
		[]string{"Dashboard shop"}, "is 45 s"},
	{"dashboard", "a log group that is not there",
		replace("Dashboard", "shop", "dashboardBody", "SOURCE '"+named(graph.LogGroup, "sweep")+"'", "SOURCE 'sweep'"),
		[]string{"Dashboard shop"}, `queries the log group "sweep", which is not declared`},
	{"dashboard", "the name of an alarm in place of its ARN", replaceFirst("Dashboard", "shop", "dashboardBody",
		"arn:aws:cloudwatch:ap-northeast-2:000000000000:alarm:", ""),
		[]string{"Dashboard shop"}, `its widget "Alarms" shows alarm "restock-dev-`},
	{"dashboard", "a statistic that does not exist",
		replaceFirst("Dashboard", "shop", "dashboardBody", `"stat":"Minimum"`, `"stat":"Min"`),
		[]string{"Dashboard shop"}, `draws the statistic "Min"`},
	{"dashboard", "a search that CloudWatch does not read",
		replaceFirst("Dashboard", "shop", "dashboardBody", `'Minimum', 60)`, `'Minimum'. 60)`),
		[]string{"Dashboard shop"}, "which CloudWatch does not read"},
	{"dashboard", "a period of a second",
		replaceFirst("Dashboard", "shop", "dashboardBody", `"period":60,"region":"ap-northeast-2","title":"Requests"`,
			`"period":1,"region":"ap-northeast-2","title":"Requests"`),
		[]string{"Dashboard shop"}, `the period of its widget "Requests" is 1 s, and AWS measures AWS/ApiGateway once`},
	{"dashboard", "another region",
		replaceFirst("Dashboard", "shop", "dashboardBody", `"region":"ap-northeast-2","title":"Requests"`,
			`"region":"us-east-1","title":"Requests"`),
		[]string{"Dashboard shop"}, "draws Count of the region us-east-1, and the stack is in ap-northeast-2"},
	{"dashboard", "a view that does not exist",
		replaceFirst("Dashboard", "shop", "dashboardBody", `"view":"timeSeries"`, `"view":"timeseries"`),
		[]string{"Dashboard shop"}, `is "timeseries"`},
	{"dashboard", "a type that does not exist",
		replaceFirst("Dashboard", "shop", "dashboardBody", `"type":"alarm"`, `"type":"alarms"`),
		[]string{"Dashboard shop"}, `the type of its widget "Alarms" is "alarms"`},
	{"name", "a dashboard with a slash", func(s sabotage) {
		s.set("Dashboard", "shop", "dashboardName", "restock/dev")
		s.Outputs["dashboardName"] = "restock/dev"
	}, []string{"Dashboard shop"}, `its dashboardName is "restock/dev", want letters, digits, hyphens and`},
	{"threshold", "an alarm that always rings",
		set("MetricAlarm", "stock-errors", "comparisonOperator", "GreaterThanOrEqualToThreshold"),
		[]string{"MetricAlarm stock-errors"}, "it is for values of 0 or more: it always rings"},
	{"threshold", "an alarm for values below 0", func(s sabotage) {
		s.set("MetricAlarm", "stock-errors", "comparisonOperator", "LessThanThreshold")
		s.set("MetricAlarm", "stock-errors", "treatMissingData", "breaching")
	}, []string{"MetricAlarm stock-errors"}, "it is for values below 0: it never rings"},
	{"threshold", "an alarm as impatient as the schedule", set("MetricAlarm", "sweep-silent", "period", 60.0),
		[]string{"MetricAlarm sweep-silent"},
		"it looks back 60 s for an invocation, and the function runs every 60 s: it rings whenever one is late"},
	{"alarm", "six actions", func(s sabotage) {
		actions := s.the("MetricAlarm", "stock-errors").Outputs["okActions"].([]any)
		s.set("MetricAlarm", "stock-errors", "okActions", slices.Repeat(actions, 6))
	}, []string{"MetricAlarm stock-errors"}, "its okActions are 6, want 5 at most"},
	{"stage", "full: a certificate of another region",
		replaceIn("DomainName", "shop", "domainNameConfiguration", ":ap-northeast-2:", ":us-east-1:"),
		[]string{"DomainName shop"}, "want a certificate in ap-northeast-2, the API's region: API Gateway"},
	{"limit", "cdn: a price class that does not exist", set("Distribution", "shop", "priceClass", "PriceClass_300"),
		[]string{"Distribution shop"}, `priceClass is "PriceClass_300", want one of PriceClass_100 PriceClass_200`},
	{"limit", "cdn: a TLS version that does not exist",
		setIn("Distribution", "shop", "viewerCertificate", "minimumProtocolVersion", "TLSv1.2"),
		[]string{"Distribution shop"}, `viewerCertificate.minimumProtocolVersion is "TLSv1.2", want one of SSLv3`},
	{"limit", "cdn: a query behavior that does not exist",
		replaceIn("CachePolicy", "shop", "parametersInCacheKeyAndForwardedToOrigin",
			`"queryStringBehavior":"none"`, `"queryStringBehavior":"None"`),
		[]string{"CachePolicy shop"}, `queryStringBehavior is "None", want one of none whitelist allExcept all`},
	{"cdn", "cdn: another port", replaceIn("Distribution", "shop", "origins", `"httpsPort":443`, `"httpsPort":8443`),
		[]string{"Distribution shop"}, "httpsPort of origin api is 8443, want 443"},
	{"cdn-requests", "cdn: it is not enabled", set("Distribution", "shop", "enabled", false),
		[]string{"Distribution shop"}, "enabled is false: CloudFront answers no request"},
	{"cdn-requests", "cdn: a list of no countries",
		replaceIn("Distribution", "shop", "restrictions", `"restrictionType":"none"`, `"restrictionType":"whitelist"`),
		[]string{"Distribution shop"}, "its geoRestriction is a whitelist without locations"},
	{"cdn-requests", "cdn: purchases at a cached path",
		replaceIn("Distribution", "shop", "orderedCacheBehaviors", `"pathPattern":"/products"`,
			`"pathPattern":"/checkout"`),
		[]string{"Distribution shop"}, "its cache behavior for /checkout allows only GET HEAD OPTIONS: CloudFront " +
			`answers 403 to the route "POST /checkout"`},
	{"cdn-requests", "cdn: HEAD is not cached",
		replaceIn("Distribution", "shop", "defaultCacheBehavior", `"cachedMethods":["GET","HEAD"]`,
			`"cachedMethods":["GET"]`),
		[]string{"Distribution shop"}, "cache behavior *: cachedMethods are GET: CloudFront refuses them"},
	{"cdn-requests", "cdn: a policy of another type", func(s sabotage) {
		s.the("Distribution", "shop").Object("defaultCacheBehavior")["responseHeadersPolicyId"] = "shop"
	}, []string{"Distribution shop"}, `its responseHeadersPolicyId is "shop", which is no ResponseHeadersPolicy`},
	{"rotation", "a stage of a secret's version that may not move",
		replaceFirst("RolePolicy", "setup", "policy", `,"secretsmanager:UpdateSecretVersionStage"`, ""),
		[]string{"Function setup"}, "its role does not allow secretsmanager:UpdateSecretVersionStage on it"},
	{"encrypted", "an alias without alias/", set("Topic", "stock_empty", "kmsMasterKeyId", "aws/sns"),
		[]string{"Topic stock_empty"}, `kmsMasterKeyId is "aws/sns", which is no id, no ARN and no alias of a key`},
	{"route", "an attribute of an unknown type", replaceIn("Integration", "stock-increase", "requestParameters",
		`\"DataType\":\"String\"`, `\"DataType\":\"string\"`),
		[]string{"Integration stock-increase"}, `the DataType of its attribute attempt is "string", want one of`},
	{"integration", "an unknown part of a request", replaceIn("Integration", "stock-increase", "requestParameters",
		`${request.querystring.quantity}`, `${request.query.quantity}`),
		[]string{"Integration stock-increase"}, "it sends ${request.query, and a request has no such part"},
	{"limit", "an API of WebSockets", set("Api", "shop", "protocolType", "WEBSOCKET"), []string{"Api shop"},
		`protocolType is "WEBSOCKET": its routes, and the events of its functions, are those of HTTP APIs`},
	{"limit", "a parameter that is applied immediately",
		replaceIn("ParameterGroup", "database", "parameters", `"applyMethod":"immediate"`,
			`"applyMethod":"immediately"`),
		[]string{"ParameterGroup database"}, `parameters.applyMethod is "immediately", want one of immediate pending`},
	{"limit", "an input that is no JSON", set("Invocation", "setup", "input", "{"), []string{"Invocation setup"},
		`input is "{", want JSON`},
	{"limit", "a key that signs", set("Key", "operations", "keyUsage", "SIGN_VERIFY"), []string{"Key operations"},
		`keyUsage is "SIGN_VERIFY": topics and log groups cannot encrypt with such a key`},
	{"vpc", "a security group in the default VPC", func(s sabotage) {
		s.add(graph.SecurityGroup, "more", s.the("Vpc", "network"), map[string]any{
			"tags": map[string]any{"project": "restock", "stage": "dev"},
		})
	}, []string{"SecurityGroup more"}, "its vpcId is not set: EC2 makes it in the default VPC"},
	{"overlap", "a sweep that takes two minutes", set("Function", "sweep", "timeout", 120.0),
		[]string{"Function sweep"}, "its timeout is 120 s, and EventRule sweep invokes it every 60 s"},
	{"overlap", "five minutes after the hour, and on the hour",
		func(s sabotage) {
			s.set("EventRule", "sweep", "scheduleExpression", "cron(0,5 * * * ? *)")
			s.set("Function", "sweep", "timeout", 301.0)
		}, []string{"Function sweep"}, "its timeout is 301 s, and EventRule sweep invokes it every 300 s"},
	{"code-trigger", "a setup that ignores new code", func(s sabotage) {
		delete(s.the("Invocation", "setup").Object("triggers"), "code")
	}, []string{"Invocation setup"}, "its triggers have no code"},
	{"code-trigger", "a secret in place of the code", func(s sabotage) {
		s.the("Invocation", "setup").Object("triggers")["code"] = s.the("Secret", "database").String("arn")
	}, []string{"Invocation setup"}, "its trigger code is the arn of Secret database"},
	{"stage-name", "a name without the stage", func(s sabotage) {
		s.the("LogGroup", "api-access").Inputs["name"] = "/aws/api"
	}, []string{"LogGroup api-access"}, `its name is "/aws/api", without the stage`},
	{"environment", "a duration without a unit", func(s sabotage) {
		s.variables("merchant-api")["FACTORY_LEAD_TIME"] = "60"
	}, []string{"Function merchant-api"}, `variable FACTORY_LEAD_TIME, from config.factoryLeadTime, is "60", which ` +
		"the function does not decode"},
	{"closed-security-group", "a rule for all protocols",
		set("SecurityGroupIngressRule", "functions-to-endpoints", "ipProtocol", "-1"),
		[]string{"SecurityGroupIngressRule functions-to-endpoints"}, "which allows all ports, whatever its fromPort"},
	{"tags", "no tags at all", func(s sabotage) {
		for _, r := range s.Resources {
			delete(r.Inputs, "tags")
		}
	}, []string{"Function ads", "Function ads"}, "neither it nor another resource has the tag"},
	{"dashboard", "no JSON", set("Dashboard", "shop", "dashboardBody", "widgets"),
		[]string{"Dashboard shop"}, `its dashboardBody is no JSON, and begins with "widgets"`},
	{"stage", "a stage with a name", func(s sabotage) {
		s.set("Stage", "shop", "name", "prod")
	}, []string{"Stage shop"}, `its name is "prod": all paths would begin with /prod`},
	{"stage", "no deployment", set("Stage", "shop", "autoDeploy", false),
		[]string{"Stage shop"}, "autoDeploy is false, and it has no deployment"},
	{"stage", "a variable that does not exist",
		replaceIn("Stage", "shop", "accessLogSettings", "$context.status", "$context.responseStatus"),
		[]string{"Stage shop"}, "the format of its access log has $context.responseStatus, which does not exist"},
	{"stage", "full: a name of an edge endpoint",
		replaceIn("DomainName", "shop", "domainNameConfiguration", "REGIONAL", "EDGE"),
		[]string{"DomainName shop"}, "its endpointType is EDGE, want REGIONAL"},
	{"stage", "full: the mapping of another stage", set("ApiMapping", "shop", "stage", "prod"),
		[]string{"ApiMapping shop"}, `its stage is "prod", which API `},
	{"stage", "full: the mapping of another name", set("ApiMapping", "shop", "domainName", "www.example.com"),
		[]string{"ApiMapping shop"}, `its domainName is "www.example.com", which is not declared`},
	{"stage", "full: a method that browsers refuse",
		set("Route", "PATCH /merchant/products/{sku}", "authorizationType", "NONE"),
		[]string{"Api shop"}, "allowMethods of its corsConfiguration lack PATCH: browsers refuse the route"},
	{"integration", "the older events", set("Integration", "sales-api", "payloadFormatVersion", "1.0"),
		[]string{"Integration sales-api"}, `its payloadFormatVersion "1.0": the functions read events of version 2.0`},
	{"integration", "a part of the body",
		replaceIn("Integration", "stock-increase", "requestParameters", "$request.body", "$request.body.order"),
		[]string{"Integration stock-increase"}, `its parameter MessageBody is "$request.body.order"`},
	{"integration", "a parameter that the path lacks",
		replaceIn("Integration", "stock-increase", "requestParameters", "request.path.attempt", "request.path.try"),
		[]string{"Integration stock-increase"}, "has no {try} in its path: API Gateway answers 400"},
	{"log-level", "only warnings",
		replaceIn("Function", "stock", "loggingConfig", `"applicationLogLevel":"INFO"`, `"applicationLogLevel":"WARN"`),
		[]string{"Function stock"}, "its applicationLogLevel is WARN, want INFO, DEBUG or TRACE: CloudWatch does not " +
			"get its measurements"},
	{"log-level", "a level of text", replaceIn("Function", "stock", "loggingConfig", `"JSON"`, `"Text"`),
		[]string{"Function stock"}, "its logFormat is Text: Lambda takes log levels with JSON only"},
	{"value", "full: around the proxy", func(s sabotage) {
		s.variables("sweep")["DATABASE_HOST"] = s.the("Instance", "database").String("address")
	}, []string{"Function sweep"}, "variable DATABASE_HOST leads to the database itself, around its proxy"},
	{"proxy", "full: logins with IAM", replaceIn("Proxy", "database", "auths", "DISABLED", "REQUIRED"),
		[]string{"Proxy database"}, "iamAuth is REQUIRED: the proxy refuses the functions' passwords"},
	{"proxy", "full: another family", set("Proxy", "database", "engineFamily", "POSTGRESQL"),
		[]string{"Proxy database"}, `engineFamily is "POSTGRESQL", want MYSQL`},
	{"proxy", "full: one secret twice", func(s sabotage) {
		auths := s.the("Proxy", "database").Outputs["auths"].([]any)
		auths[1] = auths[0]
	}, []string{"Proxy database"}, "two of its auths have the secret"},
	{"proxy", "full: a patient proxy", replaceIn("ProxyDefaultTargetGroup", "database", "connectionPoolConfig",
		`"connectionBorrowTimeout":5`, `"connectionBorrowTimeout":10`),
		slices.Repeat([]string{"ProxyDefaultTargetGroup database"}, len(impatient)),
		"connectionBorrowTimeout is 10 s, and the timeout of function "},
	{"storage", "provisioned storage without a number", set("Instance", "database", "storageType", "io1"),
		[]string{"Instance database"}, "storageType is io1, and iops is not set"},
	{"storage", "no password", set("Instance", "database", "manageMasterUserPassword", false),
		[]string{"Instance database"}, "manageMasterUserPassword is false: its master user has no password"},
	{"parameter", "a collation of another character set", setParameter("collation_server", "latin1_swedish_ci"),
		[]string{"Instance database"}, "collation_server latin1_swedish_ci is of another character set"},
	{"parameter", "an impatient server", setParameter("wait_timeout", "36"),
		[]string{"Instance database"}, "wait_timeout is 36 s, want 300 or more"},
	{"protection", "prod: a database that RDS deletes", set("Instance", "database", "deletionProtection", false),
		[]string{"Instance database"}, "deletionProtection is false, and Pulumi protects the database"},
	{"protection", "prod: a secret that Pulumi deletes",
		func(s sabotage) { s.the("Secret", "database").Protect = false },
		[]string{"Secret database"}, "Pulumi may delete it, and Instance database is protected"},
	{"order", "a function before its permissions", independent("RolePolicy"),
		append([]string{"Integration stock-increase"}, slices.Sorted(slices.Values(everyFunction))...),
		": until then its role has no permissions"},
	{"order", "functions before setup", independent("Invocation"),
		append([]string{"SecretRotation database"}, readers...),
		"Pulumi may make it before Invocation setup: until then secret "},
	{"order", "full: functions before the proxy reaches the database", func(s sabotage) {
		for _, r := range s.Resources {
			if r.Type == graph.Function {
				r.Dependencies = slices.DeleteFunc(slices.Clone(r.Dependencies), func(urn string) bool {
					return strings.HasSuffix(urn, "::proxy-to-database")
				})
			}
		}
	}, twice(slices.Sorted(slices.Values(databaseWorkers))),
		"gressRule proxy-to-database: until then its connections time out"},
	{"people", "a text message to an address", func(s sabotage) {
		s.add(graph.TopicSubscription, "people", s.the("Topic", "stock_empty"),
			map[string]any{"protocol": "sms", "endpoint": "a@example.com"})
	}, []string{"TopicSubscription people"}, `its protocol is "sms", and its endpoint is "a@example.com"`},
	{"tags", "a queue without its stage", func(s sabotage) {
		s.set("Queue", "stock_queue", "tags", map[string]any{"project": "restock"})
	}, []string{"Queue stock_queue"}, "it has no tag stage: the bill does not show whose costs they are"},
	{"endpoint", "an endpoint of another region",
		set("VpcEndpoint", "sns", "serviceName", "com.amazonaws.us-east-1.sns"),
		[]string{"VpcEndpoint sns"},
		`its serviceName is "com.amazonaws.us-east-1.sns", want com.amazonaws.ap-northeast-2.`},
	{"cdn-requests", "cdn: an origin with a scheme", replaceIn("Distribution", "shop", "origins", `"domainName":"`,
		`"domainName":"https://`), []string{"Distribution shop"}, "which is the host of no API of the stack"},
	{"cdn-requests", "cdn: no name", set("Distribution", "shop", "aliases", []any{}),
		[]string{"Distribution shop"}, "and no aliases: CloudFront answers 403"},
	{"cdn-requests", "cdn: methods of no set",
		replaceIn("Distribution", "shop", "defaultCacheBehavior", `"PATCH",`, ""),
		[]string{"Distribution shop"}, "cache behavior *: allowedMethods are DELETE GET HEAD OPTIONS POST PUT"},
	{"cdn-requests", "cdn: an unknown origin",
		replaceIn("Distribution", "shop", "defaultCacheBehavior", `"targetOriginId":"api"`, `"targetOriginId":"shop"`),
		[]string{"Distribution shop"}, "cache behavior *: targetOriginId is shop, which is no origin"},
	{"cdn-requests", "cdn: requests without a query",
		replaceIn("Distribution", "shop", "defaultCacheBehavior", `"originRequestPolicyId"`, `"other"`),
		[]string{"Distribution shop"}, "cache behavior *: it has no originRequestPolicyId"},
	{"cdn-requests", "cdn: an hour in the cache", set("CachePolicy", "shop", "maxTtl", 3600.0),
		[]string{"CachePolicy shop"}, "maxTtl is 3600 s, want 60 at most"},
}

// TestFunctionsReadAVariableFromOneSource changes the declarations: the graph does not show the
// sources.
func TestFunctionsReadAVariableFromOneSource(t *testing.T) {
	functions := stack.Declarations().Functions
	for i, f := range functions {
		for j, v := range f.Variables {
			if f.Name == "stock-increase" && v.Name == "CALLBACK_KEY_SECRET" {
				functions[i].Variables[j].From = "secret.database"
			}
		}
	}
	var got []string
	for _, v := range rules.Check(record(t, "dev"), rules.Declarations{Functions: functions}) {
		got = append(got, v.String())
	}
	const want = "variable CALLBACK_KEY_SECRET is from secret.database, and in function stock it is from " +
		"secret.callback-key: use one source in both functions, or another name"
	if !strings.Contains(strings.Join(got, "\n"), want) {
		t.Errorf("got %q, want a violation with %q", got, want)
	}
}

// twice repeats each text.
func twice(texts []string) (all []string) {
	for _, text := range texts {
		all = append(all, text, text)
	}
	return all
}

// TestFunctionsWithADatabaseCountTheirConnections changes a declaration: the graph does not show
// it.
func TestFunctionsWithADatabaseCountTheirConnections(t *testing.T) {
	functions := stack.Declarations().Functions
	for i := range functions {
		if functions[i].Name == "sweep" {
			functions[i].Connections = 0
		}
	}
	var got []string
	for _, v := range rules.Check(record(t, "dev"), rules.Declarations{Functions: functions}) {
		got = append(got, v.Type.Short()+" "+v.Name+": "+v.Problem)
	}
	want := []string{"Function sweep: variable DATABASE_HOST is the database's host, and its declaration has 0 " +
		"connections: nothing keeps connections free for it"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSecretsHaveAWriter changes a declaration: the graph does not show who makes a secret's value.
func TestSecretsHaveAWriter(t *testing.T) {
	functions := stack.Declarations().Functions
	for i := range functions {
		for j := range functions[i].Variables {
			if v := &functions[i].Variables[j]; v.From == "secret.callback-key" {
				v.Grants = []string{"read"}
			}
		}
	}
	var got []string
	for _, v := range rules.Check(record(t, "dev"), rules.Declarations{Functions: functions}) {
		got = append(got, v.Type.Short()+" "+v.Name+": "+v.Problem)
	}
	want := []string{"Secret callback-key: function stock reads it, and no function may write it: it has no value"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
