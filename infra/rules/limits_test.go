package rules_test

import (
	"strings"

	"restock/infra/graph"
)

func init() {
	examples = append(examples, limitExamples...)
	for _, breaking := range []string{
		"a variable of Lambda's", "a password in the clear",
		"a database's name with a hyphen", "a database with the name of a statement",
	} {
		alsoBroken[breaking] = []string{"environment"}
	}
	for _, breaking := range []string{"a dead-letter queue that is not there", "cdn: no name"} {
		alsoBroken[breaking] = append(alsoBroken[breaking], "output")
	}
}

// output changes an output of the stack.
func output(name, value string) func(sabotage) {
	return func(s sabotage) { s.Outputs[name] = value }
}

// limitExamples break one limit of AWS each.
var limitExamples = []example{
	{"limit", "a function that may run for too long", set("Function", "setup", "timeout", 901.0),
		[]string{"Function setup"}, "timeout is 901, want 1 to 900 seconds"},
	{"limit", "a function with too little memory", set("Function", "stock", "memorySize", 64.0),
		[]string{"Function stock"}, "memorySize is 64, want 128 to 10240 MiB"},
	{"limit", "a long description of a function", set("Function", "stock", "description", strings.Repeat("d", 257)),
		[]string{"Function stock"}, "want 0 to 256 characters"},
	{"limit", "a log level that Lambda does not know",
		setIn("Function", "stock", "loggingConfig", "applicationLogLevel", "WARNING"),
		[]string{"Function stock"},
		`loggingConfig.applicationLogLevel is "WARNING", want one of TRACE DEBUG INFO WARN`},
	{"limit", "a large environment", func(s sabotage) {
		s.variables("stock")["FACTORY_URL"] = "https://factory.example.com/" + strings.Repeat("p", 4096)
	}, []string{"Function stock"}, "bytes, want 4096 at most"},
	{"limit", "a variable of Lambda's", func(s sabotage) {
		s.variables("stock")["AWS_REGION"] = "eu-west-1"
	}, []string{"Function stock"}, `variable "AWS_REGION": Lambda refuses names that it uses`},
	{"limit", "one instance of an event source",
		setIn("EventSourceMapping", "stock", "scalingConfig", "maximumConcurrency", 1.0),
		[]string{"EventSourceMapping stock"}, "scalingConfig.maximumConcurrency is 1, want 2 to 1000 instances"},
	{"limit", "an event source twice", func(s sabotage) {
		m := s.the("EventSourceMapping", "stock")
		s.add(graph.EventSourceMapping, "twin", m, m.Outputs)
	}, []string{"EventSourceMapping twin"}, "it maps the same queue to the same function as EventSourceMapping stock"},
	{"limit", "a large batch without a window", set("EventSourceMapping", "stock", "batchSize", 11.0),
		[]string{"EventSourceMapping stock"},
		"batchSize is 11, and maximumBatchingWindowInSeconds is 0: Lambda refuses more than 10 without a window"},
	{"limit", "a message that is hidden for too long",
		set("Queue", "stock_queue", "visibilityTimeoutSeconds", 43201.0),
		[]string{"Queue stock_queue"}, "visibilityTimeoutSeconds is 43201, want 0 to 43200 seconds"},
	{"limit", "a retention in days", set("Queue", "stock_queue_dlq", "messageRetentionSeconds", 1209601.0),
		[]string{"Queue stock_queue_dlq"}, "messageRetentionSeconds is 1209601, want 60 to 1209600 seconds"},
	{"limit", "a long poll of a minute", set("Queue", "stock_queue", "receiveWaitTimeSeconds", 60.0),
		[]string{"Queue stock_queue"}, "receiveWaitTimeSeconds is 60, want 0 to 20 seconds"},
	{"limit", "too many receives",
		replace("Queue", "stock_queue", "redrivePolicy", `"maxReceiveCount":5`, `"maxReceiveCount":1001`),
		[]string{"Queue stock_queue"}, "maxReceiveCount is 1001, want 1 to 1000"},
	{"limit", "a dead-letter queue of another type", func(s sabotage) {
		s.set("Queue", "stock_queue_dlq", "fifoQueue", true)
	}, []string{"Queue stock_queue"},
		"fifoQueue is false, and true on its dead-letter queue stock_queue_dlq: SQS refuses a dead-letter queue of"},
	{"limit", "a retention that CloudWatch does not offer", set("LogGroup", "sweep", "retentionInDays", 10.0),
		[]string{"LogGroup sweep"}, "retentionInDays is 10, want one of 0 1 3 5 7 14 30"},
	{"limit", "a period of 90 seconds", set("MetricAlarm", "database-cpu", "period", 90.0),
		[]string{"MetricAlarm database-cpu"}, "period is 90, want 10, 20, 30 or a multiple of 60 seconds"},
	{"limit", "a period that AWS does not measure", set("MetricAlarm", "database-cpu", "period", 30.0),
		[]string{"MetricAlarm database-cpu"}, "its period is 30 s, and AWS measures AWS/RDS once a minute"},
	{"limit", "an alarm that looks back too far", set("MetricAlarm", "database-cpu", "evaluationPeriods", 1441.0),
		[]string{"MetricAlarm database-cpu"},
		"its period of 60 s times evaluationPeriods, 1441, is 86460 s, want 86400 s at most"},
	{"limit", "more datapoints than periods", set("MetricAlarm", "database-cpu", "datapointsToAlarm", 6.0),
		[]string{"MetricAlarm database-cpu"}, "datapointsToAlarm is 6, want 5 at most"},
	{"limit", "a statistic that is a percentile", set("MetricAlarm", "database-cpu", "statistic", "p99"),
		[]string{"MetricAlarm database-cpu"}, `statistic is "p99", want one of SampleCount Average`},
	{"limit", "a comparison that does not exist",
		set("MetricAlarm", "database-cpu", "comparisonOperator", "GreaterThan"),
		[]string{"MetricAlarm database-cpu"}, `comparisonOperator is "GreaterThan", want one of`},
	{"limit", "a rate of 1 minutes", set("EventRule", "sweep", "scheduleExpression", "rate(1 minutes)"),
		[]string{"EventRule sweep"},
		`scheduleExpression is "rate(1 minutes)", want rate(1 minute), rate(5 minutes) or`},
	{"limit", "a cron expression of Unix", set("EventRule", "sweep", "scheduleExpression", "cron(* * * * *)"),
		[]string{"EventRule sweep"}, "a cron expression has six fields"},
	{"limit", "a rate in seconds", set("EventRule", "sweep", "scheduleExpression", "rate(60 seconds)"),
		[]string{"EventRule sweep"}, `scheduleExpression is "rate(60 seconds)"`},
	{"limit", "a secret that is recovered for three days", set("Secret", "database", "recoveryWindowInDays", 3.0),
		[]string{"Secret database"}, "recoveryWindowInDays is 3, want 0, or 7 to 30 days"},
	{"limit", "a rotation every three years",
		setIn("SecretRotation", "database", "rotationRules", "automaticallyAfterDays", 1001.0),
		[]string{"SecretRotation database"}, "rotationRules.automaticallyAfterDays is 1001, want 1 to 1000 days"},
	{"limit", "a rotation every 0 days",
		setIn("SecretRotation", "database", "rotationRules", "automaticallyAfterDays", 0.0),
		[]string{"SecretRotation database"}, "automaticallyAfterDays is 0"},
	{"limit", "two schedules of a rotation",
		setIn("SecretRotation", "database", "rotationRules", "scheduleExpression", "rate(30 days)"),
		[]string{"SecretRotation database"}, "rotationRules has automaticallyAfterDays and a scheduleExpression"},
	{"limit", "a role's path without its last slash", set("Role", "stock", "path", "/restock/dev"),
		[]string{"Role stock"},
		`path is "/restock/dev", want 1 to 512 characters: a slash at the beginning and the end`},
	{"limit", "a group's description with an apostrophe",
		set("SecurityGroup", "database", "description", "The shop's database"),
		[]string{"SecurityGroup database"}, `description is "The shop's database", want 1 to 255 characters: letters`},
	{"limit", "a rule's description with an arrow",
		set("SecurityGroupIngressRule", "functions-to-database", "description", "functions → database"),
		[]string{"SecurityGroupIngressRule functions-to-database"},
		`description is "functions → database", want 0 to 255`},
	{"limit", "an expired certificate authority", set("Instance", "database", "caCertIdentifier", "rds-ca-2019"),
		[]string{"Instance database"}, `caCertIdentifier is "rds-ca-2019", want one of rds-ca-rsa2048-g1`},
	{"limit", "a database's name with a hyphen", set("Instance", "database", "dbName", "restock-dev"),
		[]string{"Instance database"}, `dbName is "restock-dev", want 1 to 64 characters: a letter, then letters`},
	{"limit", "a database with the name of a statement", set("Instance", "database", "dbName", "order"),
		[]string{"Instance database"}, `dbName is "order", want a name that is no reserved word of MariaDB or RDS`},
	{"limit", "a user of RDS", set("Instance", "database", "username", "rdsadmin"),
		[]string{"Instance database"},
		`username is "rdsadmin", want a name that is no reserved word of MariaDB or RDS`},
	{"limit", "a long user's name", set("Instance", "database", "username", "restock_administrator"),
		[]string{"Instance database"}, `username is "restock_administrator", want 1 to 16 characters`},
	{"limit", "too little storage", set("Instance", "database", "allocatedStorage", 10.0),
		[]string{"Instance database"}, "allocatedStorage is 10, want 20 to 65536 GiB"},
	{"limit", "storage that cannot grow", set("Instance", "database", "maxAllocatedStorage", 20.0),
		[]string{"Instance database"}, "maxAllocatedStorage is 20 GiB, and allocatedStorage 20"},
	{"limit", "backups for two months", set("Instance", "database", "backupRetentionPeriod", 60.0),
		[]string{"Instance database"}, "backupRetentionPeriod is 60, want 0 to 35 days"},
	{"limit", "parameters of another version", set("ParameterGroup", "database", "family", "mariadb11.4"),
		[]string{"ParameterGroup database"},
		`family is "mariadb11.4", want "mariadb10.11": database database runs mariadb 10.11`},
	{"limit", "parameters of another engine", set("ParameterGroup", "database", "family", "mysql10.11"),
		[]string{"ParameterGroup database"}, `family is "mysql10.11", want "mariadb10.11"`},
	{"limit", "full: a proxy that takes more than all connections",
		setIn("ProxyDefaultTargetGroup", "database", "connectionPoolConfig", "maxConnectionsPercent", 101.0),
		[]string{"ProxyDefaultTargetGroup database"}, "maxConnectionsPercent is 101, want 1 to 100 percent"},
	{"limit", "an answer that takes too long", set("Integration", "stock-increase", "timeoutMilliseconds", 30001.0),
		[]string{"Integration stock-increase"}, "timeoutMilliseconds is 30001, want 50 to 30000 milliseconds"},
	{"limit", "a tag of AWS", set("Queue", "stock_queue", "tags", map[string]any{"aws:stage": "dev"}),
		[]string{"Queue stock_queue"},
		`tag "aws:stage" is "dev", want a key of 1 to 128 characters that does not begin`},
	{"limit", "a tag with other characters", set("Queue", "stock_queue", "tags", map[string]any{"stage": "dev (mine)"}),
		[]string{"Queue stock_queue"}, `tag "stage" is "dev (mine)", want`},
	{"limit", "51 tags", func(s sabotage) {
		tags := map[string]any{}
		for n := range 51 {
			tags[strings.Repeat("t", n+1)] = "v"
		}
		s.set("Queue", "stock_queue", "tags", tags)
	}, []string{"Queue stock_queue"}, "it has 51 tags, want 50 at most"},

	{"addresses", "a database in one zone",
		set("SubnetGroup", "database", "subnetIds", []any{named(graph.Subnet, "private-ap-northeast-2a")}),
		[]string{"SubnetGroup database"}, "its subnets are in 1 zone, ap-northeast-2a: RDS wants two or more"},
	{"addresses", "two subnets of one zone",
		set("Subnet", "private-ap-northeast-2c", "availabilityZone", "ap-northeast-2a"),
		[]string{"SubnetGroup database"}, "its subnets are in 1 zone"},
	{"addresses", "a zone of another region",
		set("Subnet", "private-ap-northeast-2c", "availabilityZone", "us-east-1a"),
		[]string{"Subnet private-ap-northeast-2c"}, "availabilityZone is us-east-1a, which is not in ap-northeast-2"},
	{"addresses", "a subnet outside the VPC", set("Subnet", "private-ap-northeast-2c", "cidrBlock", "10.21.16.0/20"),
		[]string{"Subnet private-ap-northeast-2c"},
		"cidrBlock is 10.21.16.0/20, which is not in 10.20.0.0/16, the block of Vpc network"},
	{"addresses", "two subnets with the same addresses",
		set("Subnet", "private-ap-northeast-2c", "cidrBlock", "10.20.8.0/21"),
		[]string{"Subnet private-ap-northeast-2c"},
		"cidrBlock is 10.20.8.0/21, which overlaps 10.20.0.0/20, the block of Subnet private-ap-northeast-2a"},
	{"addresses", "a subnet that is too small", set("Subnet", "private-ap-northeast-2c", "cidrBlock", "10.20.16.0/29"),
		[]string{"Subnet private-ap-northeast-2c"}, `cidrBlock is "10.20.16.0/29", want the first address of a block`},
	{"addresses", "an address in the middle of a block",
		set("Subnet", "private-ap-northeast-2c", "cidrBlock", "10.20.17.0/20"),
		[]string{"Subnet private-ap-northeast-2c"}, `cidrBlock is "10.20.17.0/20", want the first address of a block`},
	{"addresses", "an endpoint twice in a zone", func(s sabotage) {
		s.add(graph.Subnet, "extra", s.the("Vpc", "network"), map[string]any{
			"vpcId": vpcID, "cidrBlock": "10.20.240.0/20", "availabilityZone": "ap-northeast-2a",
		})
		s.set("VpcEndpoint", "sns", "subnetIds", []any{named(graph.Subnet, "private-ap-northeast-2a"), "extra"})
	}, []string{"VpcEndpoint sns"}, "subnetIds has two subnets of one zone: ap-northeast-2a, ap-northeast-2a"},

	{"environment", "a secret in place of another",
		func(s sabotage) {
			s.variables("setup")["CALLBACK_KEY_SECRET"] = s.variables("setup")["DATABASE_SECRET"].(string)
		}, []string{"Function setup"}, "variable CALLBACK_KEY_SECRET is the arn of Secret database, want the arn of " +
			"Secret callback-key, its source secret.callback-key"},
	{"environment", "the functions' secret in place of the master user's",
		func(s sabotage) {
			s.variables("setup")["DATABASE_ADMIN_SECRET"] = s.variables("setup")["DATABASE_SECRET"].(string)
		}, []string{"Function setup"}, "variable DATABASE_ADMIN_SECRET is the arn of Secret database, want the " +
			"master user's secret of Instance database, its source secret.database-admin"},
	{"environment", "a topic's name in place of its ARN", func(s sabotage) {
		s.variables("sweep")["STOCK_EMPTY_TOPIC"] = "stock_empty"
	}, []string{"Function sweep"}, `variable STOCK_EMPTY_TOPIC is "stock_empty", want the arn of Topic stock_empty`},
	{"environment", "another port", func(s sabotage) { s.variables("sales-api")["DATABASE_PORT"] = "3307" },
		[]string{"Function sales-api"}, `variable DATABASE_PORT is "3307", want the port of Instance database`},
	{"environment", "another database", func(s sabotage) { s.variables("sales-api")["DATABASE_NAME"] = "shop" },
		[]string{"Function sales-api"}, `variable DATABASE_NAME is "shop", want the dbName of Instance database`},
	{"environment", "another host", func(s sabotage) { s.variables("sales-api")["DATABASE_HOST"] = "localhost" },
		[]string{"Function sales-api"}, `variable DATABASE_HOST is "localhost", want the address of Instance database`},

	{"concurrency", "a function that is switched off", set("Function", "sweep", "reservedConcurrentExecutions", 0.0),
		[]string{"Function sweep"}, "reservedConcurrentExecutions is 0: Lambda refuses every invocation"},

	{"output", "the URL of another host", output("apiUrl", "https://restock-dev-shop.example.com"),
		[]string{"Stack output apiUrl"}, `it is "https://restock-dev-shop.example.com", want https:// and a host of ` +
			"the stack: " + named(graph.API, "shop") + ".execute-api.ap-northeast-2.amazonaws.com"},
	{"output", "a host without https", output("merchantUrl", named(graph.API, "shop")),
		[]string{"Stack output merchantUrl"}, "want https:// and a host of the stack"},
	{"output", "an ARN in place of a name", output("topicName", stockEmptyARN), []string{"Stack output topicName"},
		`the arn of Topic stock_empty: want the name of a Topic`},
	{"output", "the dead-letter queue in place of the queue",
		output("queueName", named(graph.Queue, "stock_queue_dlq")), []string{"Stack output queueName"},
		"it is the name of Queue stock_queue_dlq, a dead-letter queue"},
	{"output", "the queue in place of its dead-letter queue",
		output("deadLetterQueueName", named(graph.Queue, "stock_queue")), []string{"Stack output deadLetterQueueName"},
		"it is the name of Queue stock_queue, and that is no dead-letter queue"},
	{"output", "another secret", func(s sabotage) {
		s.Outputs["databaseSecretArn"] = s.the("Secret", "callback-key").String("arn")
	}, []string{"Stack output databaseSecretArn"},
		"it is the arn of Secret callback-key, want that of Secret database"},
	{"output", "another topic than the queue's", output("topicName", named(graph.Topic, "stock_operations")),
		[]string{"Stack output topicName"}, "it is the name of Topic stock_operations, and Queue stock_queue, in " +
			"output queueName, is not subscribed to it"},
	{"output", "the dead-letter queue of another queue",
		output("deadLetterQueueName", named(graph.Queue, "ads_queue_dlq")),
		[]string{"Stack output deadLetterQueueName"},
		"it is the name of Queue ads_queue_dlq, and the dead letters of Queue stock_queue, in output queueName, go " +
			"elsewhere"},
	{"output", "full: the name as its own target", output("domainTarget", "shop.example.com"),
		[]string{"Stack output domainTarget"},
		`it is "shop.example.com", want the name that AWS answers at: d-restock-full`},
	{"output", "cdn: a zone as the target", output("domainTarget", "Z2FDTNDATAQYW2"),
		[]string{"Stack output domainTarget"},
		`it is "Z2FDTNDATAQYW2", want the name that AWS answers at: restock-cdn`},
	{"output", "cdn: signed requests through the CDN", output("merchantUrl", "https://shop.example.com"),
		[]string{"Stack output merchantUrl"},
		"it leads to Distribution shop, which replaces the header Host: API Gateway refuses the merchant's signed " +
			"requests"},
	{"output", "no dashboard", output("dashboardName", "restock"), []string{"Stack output dashboardName"},
		`it is "restock", no dashboardName of a Dashboard of the stack: want the dashboardName of a Dashboard`},

	{"secret-variable", "a key in the clear",
		func(s sabotage) { s.variables("stock")["CALLBACK_KEY_SECRET"] = "0123456789abcdef" },
		[]string{"Function stock"},
		"variable CALLBACK_KEY_SECRET is a text of 16 characters, want the ARN or the name of a secret"},
	{"secret-variable", "a password in the clear", func(s sabotage) {
		s.variables("stock")["DATABASE_PASSWORD"] = "hunter2"
	}, []string{"Function stock"}, "variable DATABASE_PASSWORD is a text of 7 characters"},
}
