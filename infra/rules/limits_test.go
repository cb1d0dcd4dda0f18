package rules_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/rules"
	"restock/infra/stack"
)

func init() {
	examples = append(examples, limitExamples...)
	for _, breaking := range []string{
		"a variable of Lambda's", "a password in the clear",
		"a database's name with a hyphen", "a database with the name of a statement", "a database that MariaDB has",
		"the name of a function in a variable",
	} {
		alsoBroken[breaking] = []string{"environment"}
	}
	alsoBroken["provisioned storage without a number"] = []string{"limit"}
	for _, breaking := range []string{"a dead-letter queue that is not there", "cdn: no name"} {
		alsoBroken[breaking] = append(alsoBroken[breaking], "output")
	}
}

// output changes an output of the stack.
func output(name, value string) func(sabotage) {
	return func(s sabotage) { s.Outputs[name] = value }
}

// environment makes the variables of the function stock as large as that many bytes of JSON.
func environment(size int) func(sabotage) {
	return func(s sabotage) {
		values := s.variables("stock")
		const url = "https://factory.example.com/"
		values["FACTORY_URL"] = url
		text, err := json.Marshal(values)
		if err != nil {
			s.Fatal(err)
		}
		values["FACTORY_URL"] = url + strings.Repeat("p", size-len(text))
	}
}

// inOrder makes the queue of the function stock a FIFO queue of a FIFO topic.
func inOrder(s sabotage) {
	s.set("Topic", "stock_empty", "fifoTopic", true)
	s.set("Queue", "stock_queue", "fifoQueue", true)
	s.set("Queue", "stock_queue_dlq", "fifoQueue", true)
}

// letters gives a subscription a dead-letter queue.
func letters(s sabotage, subscription, queue string) {
	s.set("TopicSubscription", subscription, "redrivePolicy",
		`{"deadLetterTargetArn":"`+s.the("Queue", queue).String("arn")+`"}`)
}

// moreAddresses gives the VPC a second block, 10.21.0.0/16.
func moreAddresses(s sabotage) {
	s.add(graph.VPCBlock, "more", s.the("Vpc", "network"), map[string]any{
		"vpcId": vpcID, "cidrBlock": "10.21.0.0/16",
	})
}

// TestLimitsAcceptWhatAWSAccepts sets values at the limits of AWS. Some of them break other rules.
func TestLimitsAcceptWhatAWSAccepts(t *testing.T) {
	inDatabase := func(property string, value any) func(sabotage) {
		return set("Instance", "database", property, value)
	}
	inName := func(kind, name, property, value string) func(sabotage) {
		return func(s sabotage) { s.the(kind, name).Inputs[property] = value }
	}
	statistic := func(value string) func(sabotage) {
		return set("MetricAlarm", "database-cpu", "extendedStatistic", value)
	}
	receives := func(count string) func(sabotage) {
		return replace("Queue", "stock_queue", "redrivePolicy", `"maxReceiveCount":5`, `"maxReceiveCount":`+count)
	}
	engine := func(name, version, family, user string) func(sabotage) {
		return func(s sabotage) {
			s.set("Instance", "database", "engine", name)
			s.set("Instance", "database", "engineVersion", version)
			s.set("Instance", "database", "username", user)
			s.set("ParameterGroup", "database", "family", family)
		}
	}
	storage := func(kind string, size float64) func(sabotage) {
		return func(s sabotage) {
			s.set("Instance", "database", "storageType", kind)
			s.set("Instance", "database", "allocatedStorage", size)
		}
	}
	for name, edit := range map[string]func(sabotage){
		"storage that does not grow":        inDatabase("maxAllocatedStorage", 0.0),
		"storage that grows by a tenth":     inDatabase("maxAllocatedStorage", 22.0),
		"storage that grows to the limit":   inDatabase("maxAllocatedStorage", 65536.0),
		"the least magnetic storage":        storage("standard", 5),
		"the most magnetic storage":         storage("standard", 3072),
		"the least provisioned storage":     storage("io1", 100),
		"the most storage":                  storage("gp3", 65536),
		"a database with a type of SQL":     inDatabase("dbName", "date"),
		"a word that MariaDB does not use":  inDatabase("dbName", "schema"),
		"a long database's name":            inDatabase("dbName", strings.Repeat("d", 64)),
		"a long user's name":                inDatabase("username", strings.Repeat("u", 16)),
		"a user of another system":          inDatabase("username", "option"),
		"a long user's name for MySQL":      engine("mysql", "8.4.5", "mysql8.4", strings.Repeat("u", 32)),
		"a long user's name for PostgreSQL": engine("postgres", "16.9", "postgres16", strings.Repeat("u", 63)),
		"a user that PostgreSQL accepts":    engine("postgres", "16.9", "postgres16", "order"),
		"an engine without limits here":     engine("oracle-se2", "19.0.0", "oracle-se2-19", "the_shops_own_user"),
		"a last snapshot with capitals":     inDatabase("finalSnapshotIdentifier", "Restock-Final"),
		"a parameter group with a period":   inName("ParameterGroup", "database", "name", "dev.mariadb10.11"),
		"a long name of an " +
			"alarm": inName("MetricAlarm", "database-cpu", "name", strings.Repeat("ü", 252)+"dev"),
		"a log group below /aws":           inName("LogGroup", "sweep", "name", "/aws/lambda/dev"),
		"a subnet group named default dev": inName("SubnetGroup", "database", "name", "default dev_a.b"),
		"an environment of 4 KiB":          environment(4096),
		"a cron expression for any day":    set("EventRule", "sweep", "scheduleExpression", "cron(0 10 ? * ? *)"),
		"a cron expression for a day":      set("EventRule", "sweep", "scheduleExpression", "cron(0 10 ? * MON#1 *)"),
		"a rate of one day":                set("EventRule", "sweep", "scheduleExpression", "rate(1 day)"),
		"a trimmed mean":                   statistic("TM(2%:98%)"),
		"a rank":                           statistic("PR(:300)"),
		"a mean of quartiles":              statistic("IQM"),
		"an exact rank":                    statistic("TC(0.1234567891%:99.9999999999%)"),
		"a percentile":                     statistic("p99.9999999999"),
		"an alarm that looks back a day":   set("MetricAlarm", "database-cpu", "evaluationPeriods", 1440.0),
		"the largest message":              set("Queue", "stock_queue", "maxMessageSize", 1048576.0),
		"a number of receives as a text":   receives(`"5"`),
		"the largest number of receives":   receives(`1000`),
		"a rotation after 1000 days": func(s sabotage) {
			setIn("SecretRotation", "database", "rotationRules", "automaticallyAfterDays", 1000.0)(s)
		},
		"a function with the longest time": set("Function", "stock", "timeout", 900.0),
		"a wrapper": func(s sabotage) {
			s.variables("stock")["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/w"
		},
		"a subnet in another block": func(s sabotage) {
			moreAddresses(s)
			s.set("Subnet", "private-ap-northeast-2c", "cidrBlock", "10.21.0.0/20")
		},
		"a zone that EC2 chooses": unset("Subnet", "private-ap-northeast-2c", "availabilityZone"),
		"two zones that EC2 chooses": func(s sabotage) {
			unset("Subnet", "private-ap-northeast-2a", "availabilityZone")(s)
			unset("Subnet", "private-ap-northeast-2c", "availabilityZone")(s)
		},
		"the id of a zone": func(s sabotage) {
			unset("Subnet", "private-ap-northeast-2c", "availabilityZone")(s)
			s.set("Subnet", "private-ap-northeast-2c", "availabilityZoneId", "apne2-az3")
		},
		"any character in a tag of EC2": set(
			"Subnet", "private-ap-northeast-2c", "tags", map[string]any{"stage": "dev (mine)"}),
		"51 tags of a queue": func(s sabotage) {
			tags := map[string]any{}
			for n := range 51 {
				tags[strings.Repeat("t", n+1)] = "v"
			}
			s.set("Queue", "stock_queue", "tags", tags)
		},
		"full: a patient proxy for clients": set("Proxy", "database", "idleClientTimeout", 28801.0),
		"full: as many idle connections": func(s sabotage) {
			pool := s.the("ProxyDefaultTargetGroup", "database").Object("connectionPoolConfig")
			pool["maxIdleConnectionsPercent"] = pool["maxConnectionsPercent"]
		},
	} {
		t.Run(name, func(t *testing.T) {
			stage, _, hasStage := strings.Cut(name, ": ")
			if !hasStage {
				stage = "dev"
			}
			s := sabotage{t, record(t, stage)}
			edit(s)
			for _, v := range rules.Check(s.Graph, stack.Declarations()) {
				if slices.Contains([]string{"limit", "name", "addresses", "dead-letter-queue"}, v.Rule) {
					t.Error(v)
				}
			}
		})
	}
}

// limitExamples break one limit of AWS each.
var limitExamples = []example{
	{"limit", "a function that may run for too long", set("Function", "setup", "timeout", 901.0),
		[]string{"Function setup"}, "timeout is 901, want 1 to 900 seconds"},
	{"limit", "a function with too little memory", set("Function", "stock", "memorySize", 64.0),
		[]string{"Function stock"}, "memorySize is 64, want 128 to 10240 MiB"},
	{"limit", "a long description of a function", set("Function", "stock", "description", strings.Repeat("d", 257)),
		[]string{"Function stock"}, "want 0 to 256 characters"},
	{"log-level", "a log level that Lambda does not know",
		setIn("Function", "stock", "loggingConfig", "applicationLogLevel", "WARNING"),
		[]string{"Function stock"},
		"its applicationLogLevel is WARNING, want INFO, DEBUG or TRACE"},
	{"limit", "a large environment", func(s sabotage) {
		s.variables("stock")["FACTORY_URL"] = "https://factory.example.com/" + strings.Repeat("p", 4096)
	}, []string{"Function stock"}, "bytes as JSON, want 4096 at most"},
	{"limit", "a variable of Lambda's", func(s sabotage) {
		s.variables("stock")["AWS_REGION"] = "eu-west-1"
	}, []string{"Function stock"}, `variable "AWS_REGION": Lambda refuses its own names`},
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
	{"limit", "a FIFO queue with a window", func(s sabotage) {
		inOrder(s)
		s.set("EventSourceMapping", "stock", "batchSize", 10.0)
		s.set("EventSourceMapping", "stock", "maximumBatchingWindowInSeconds", 1.0)
		s.set("Queue", "stock_queue", "visibilityTimeoutSeconds", 120.0)
	}, []string{"EventSourceMapping stock"},
		"maximumBatchingWindowInSeconds is 1, want 0 for the FIFO queue stock_queue: Lambda refuses it"},
	{"limit", "a FIFO queue with a large batch", func(s sabotage) {
		inOrder(s)
		s.set("EventSourceMapping", "stock", "batchSize", 11.0)
	}, []string{"EventSourceMapping stock"}, "batchSize is 11, want 10 at most for the FIFO queue stock_queue"},
	{"limit", "a FIFO queue with a standard topic", func(s sabotage) {
		inOrder(s)
		s.set("Topic", "stock_empty", "fifoTopic", false)
	}, []string{"TopicSubscription stock_queue"},
		"queue stock_queue is a FIFO queue, and topic stock_empty is not a FIFO topic: SNS refuses it"},
	{"limit", "a FIFO subscription with a standard dead-letter queue", func(s sabotage) {
		inOrder(s)
		letters(s, "stock_queue", "ads_queue_dlq")
	}, []string{"TopicSubscription stock_queue"},
		"its dead-letter queue ads_queue_dlq is not a FIFO queue, and queue stock_queue is one: SNS refuses it"},
	{"limit", "a standard subscription with a FIFO dead-letter queue", func(s sabotage) {
		inOrder(s)
		s.add(graph.TopicSubscription, "people", s.the("Topic", "stock_operations"), map[string]any{
			"topic":    s.the("Topic", "stock_operations").String("arn"),
			"protocol": "email", "endpoint": "a@example.com",
		})
		letters(s, "people", "stock_queue_dlq")
	}, []string{"TopicSubscription people"},
		"its dead-letter queue stock_queue_dlq is a FIFO queue, and topic stock_operations is not a FIFO topic"},
	{"limit", "a FIFO topic that sends e-mails", func(s sabotage) {
		inOrder(s)
		s.add(graph.TopicSubscription, "people", s.the("Topic", "stock_empty"), map[string]any{
			"topic": s.the("Topic", "stock_empty").String("arn"), "protocol": "email", "endpoint": "a@example.com",
		})
	}, []string{"TopicSubscription people"}, "its protocol is email, want sqs for the FIFO topic stock_empty"},
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
	{"limit", "a name that ends like a FIFO queue's", func(s sabotage) {
		s.the("Queue", "stock_queue_dlq").Inputs["name"] = "stock-dev.fifo"
	}, []string{"Queue stock_queue_dlq"}, `its name is "stock-dev.fifo", and fifoQueue is false: SQS refuses it`},
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
		`scheduleExpression is "rate(1 minutes)", want an expression like rate(1 minute), rate(5 minutes) or`},
	{"limit", "a cron expression of Unix", set("EventRule", "sweep", "scheduleExpression", "cron(* * * * *)"),
		[]string{"EventRule sweep"}, "which has six fields, and a ? for one of the two days"},
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
	{"limit", "storage that grows by less than a tenth", set("Instance", "database", "maxAllocatedStorage", 21.0),
		[]string{"Instance database"},
		"maxAllocatedStorage is 21 GiB, and allocatedStorage 20: RDS refuses a limit below 22 GiB"},
	{"limit", "storage that grows too far", set("Instance", "database", "maxAllocatedStorage", 65537.0),
		[]string{"Instance database"}, "maxAllocatedStorage is 65537, want 65536 GiB at most"},
	{"limit", "too little provisioned storage", func(s sabotage) {
		s.set("Instance", "database", "storageType", "io2")
		s.set("Instance", "database", "iops", 1000.0)
		s.set("Instance", "database", "allocatedStorage", 99.0)
	}, []string{"Instance database"}, "allocatedStorage is 99, want 100 to 65536 GiB"},
	{"limit", "too much magnetic storage", func(s sabotage) {
		s.set("Instance", "database", "storageType", "standard")
		s.set("Instance", "database", "allocatedStorage", 3073.0)
	}, []string{"Instance database"}, "allocatedStorage is 3073, want 5 to 3072 GiB"},
	{"limit", "a database that MariaDB has", set("Instance", "database", "dbName", "mysql"),
		[]string{"Instance database"}, `dbName is "mysql", want a name that is no reserved word of MariaDB or RDS`},
	{"limit", "a long user's name for PostgreSQL", func(s sabotage) {
		s.set("Instance", "database", "engine", "postgres")
		s.set("Instance", "database", "username", strings.Repeat("u", 64))
		s.set("ParameterGroup", "database", "family", "postgres10")
	}, []string{"Instance database"}, "want 1 to 63 characters"},
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
	{"limit", "full: more idle connections than all",
		setIn("ProxyDefaultTargetGroup", "database", "connectionPoolConfig", "maxIdleConnectionsPercent", 101.0),
		[]string{"ProxyDefaultTargetGroup database", "ProxyDefaultTargetGroup database"},
		"maxIdleConnectionsPercent is 101, want "},
	{"limit", "full: more idle connections than the proxy opens", func(s sabotage) {
		pool := s.the("ProxyDefaultTargetGroup", "database").Object("connectionPoolConfig")
		pool["maxIdleConnectionsPercent"] = pool["maxConnectionsPercent"].(float64) + 1
	}, []string{"ProxyDefaultTargetGroup database"}, "at most, its maxConnectionsPercent"},
	{"limit", "a large environment by its quotes", environment(4097), []string{"Function stock"},
		"its variables have 4097 bytes as JSON, want 4096 at most"},
	{"limit", "the name of a function in a variable", func(s sabotage) {
		s.variables("stock")["AWS_LAMBDA_FUNCTION_NAME"] = "stock"
	}, []string{"Function stock"}, `variable "AWS_LAMBDA_FUNCTION_NAME": Lambda refuses its own names`},
	{"limit", "a cron expression with two days", set("EventRule", "sweep", "scheduleExpression", "cron(0 10 1 * 2 *)"),
		[]string{"EventRule sweep"}, "a ? for one of the two days"},
	{"limit", "a cron expression without its end", set("EventRule", "sweep", "scheduleExpression", "cron(0 10 * * ? *"),
		[]string{"EventRule sweep"}, "which has six fields"},
	{"limit", "a percentile above 100", set("MetricAlarm", "database-cpu", "extendedStatistic", "p101"),
		[]string{"MetricAlarm database-cpu"}, `extendedStatistic is "p101", want like p99, IQM or TM(10%:90%)`},
	{"limit", "no datapoints", set("MetricAlarm", "database-cpu", "datapointsToAlarm", 0.0),
		[]string{"MetricAlarm database-cpu"}, "datapointsToAlarm is 0, want 1 to 8640"},
	{"name", "a log group of AWS", func(s sabotage) { s.the("LogGroup", "sweep").Inputs["name"] = "aws/sweep" },
		[]string{"LogGroup sweep"}, `"aws/sweep", want letters, digits and ._-/#, and not to begin with aws/`},
	{"name", "an alarm's name that is too long", func(s sabotage) {
		s.the("MetricAlarm", "database-cpu").Inputs["name"] = strings.Repeat("ü", 256)
	}, []string{"MetricAlarm database-cpu"}, "256 characters long with Pulumi's suffix, want 255 at most"},
	{"name", "full: a proxy's name with an underscore", func(s sabotage) {
		s.the("Proxy", "database").Inputs["name"] = "restock_dev"
	}, []string{"Proxy database"}, `its name is "restock_dev", want a lower-case letter, then`},
	{"name", "RDS's own subnet group", func(s sabotage) { s.the("SubnetGroup", "database").Inputs["name"] = "default" },
		[]string{"SubnetGroup database"}, `its name is "default", want`},
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
		s.set("Topic", "stock_empty", "tags", tags)
	}, []string{"Topic stock_empty"}, "it has 51 tags, want 50 at most"},

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
	{"addresses", "a subnet outside all blocks of the VPC", func(s sabotage) {
		moreAddresses(s)
		s.set("Subnet", "private-ap-northeast-2c", "cidrBlock", "10.22.0.0/20")
	}, []string{"Subnet private-ap-northeast-2c"}, "cidrBlock is 10.22.0.0/20, which is not in 10.20.0.0/16"},
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
	}, []string{"VpcEndpoint sns"}, "subnetIds has two subnets of one zone, ap-northeast-2a, ap-northeast-2a"},

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
		`the arn of Topic stock_empty, want the name of a Topic of the stack`},
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
		`it is "restock", want the dashboardName of a Dashboard of the stack`},

	{"secret-variable", "a key in the clear",
		func(s sabotage) { s.variables("stock")["CALLBACK_KEY_SECRET"] = "0123456789abcdef" },
		[]string{"Function stock"},
		"variable CALLBACK_KEY_SECRET is a text of 16 characters, want the ARN or the name of a secret"},
	{"secret-variable", "a password in the clear", func(s sabotage) {
		s.variables("stock")["DATABASE_PASSWORD"] = "hunter2"
	}, []string{"Function stock"}, "variable DATABASE_PASSWORD is a text of 7 characters"},
}
