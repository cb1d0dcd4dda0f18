package mistakes_test

var mistakes = []mistake{
	{
		file:    "infra/stack/network.go",
		correct: "PrivateDnsEnabled: pulumi.Bool(true)",
		wrong:   "PrivateDnsEnabled: pulumi.Bool(false)",
		aws: "The SDK's names lead to public addresses, which private subnets do not reach: calls " +
			"time out.",
		refusal: "Function sales-api: … private DNS is off on endpoint secretsmanager",
	},
	{
		file:    "infra/stack/network.go",
		correct: "EnableDnsHostnames: pulumi.Bool(true)",
		wrong:   "EnableDnsHostnames: pulumi.Bool(false)",
		aws:     "CreateVpcEndpoint fails: private DNS needs DNS host names in the VPC.",
		refusal: "Function sales-api: … DNS hostnames are off on VPC network",
	},
	{
		file:    "infra/stack/network.go",
		correct: `{"endpoints", endpoints, httpsPort}`,
		wrong:   `{"endpoints", endpoints, mysqlPort}`,
		aws:     "Calls of AWS services time out: the endpoints' group has no port 443.",
		refusal: "Function sales-api: … to security group endpoints on tcp 443",
	},
	{
		file:    "infra/stack/network.go",
		correct: "SecurityGroupId: to.ID(), ReferencedSecurityGroupId: from.ID(),",
		wrong:   "SecurityGroupId: from.ID(), ReferencedSecurityGroupId: to.ID(),",
		aws:     "Connections to the database and the endpoints time out: their groups let nobody in.",
		refusal: "Function sales-api: … security group database has no ingress rule from security group " +
			"functions on tcp 3306",
	},
	{
		file: "infra/stack/network.go",
		correct: `SecurityGroupId: from.ID(), ReferencedSecurityGroupId: to.ID(),
		IpProtocol: pulumi.String("tcp")`,
		wrong: `SecurityGroupId: from.ID(), ReferencedSecurityGroupId: to.ID(),
		IpProtocol: pulumi.String("udp")`,
		aws: "Connections time out: TCP packets do not leave the functions' group.",
		refusal: "Function sales-api: … security group functions has no egress rule to security group " +
			"database on tcp 3306",
	},
	{
		file:    "infra/stack/network.go",
		correct: "f.Network != lambdas.Private",
		wrong:   "f.Network == lambdas.Private",
		aws: "The VPC has endpoints for the services of the functions outside it; functions in it " +
			"reach no topic.",
		refusal: "Function sales-api: … the VPC has no interface endpoint for sns",
	},
	{
		file:    "infra/stack/network.go",
		correct: "pulumi.StringArray{group.ID()}",
		wrong:   "pulumi.StringArray{n.database.ID()}",
		aws:     "Calls of AWS services time out: the database's group has no port 443.",
		refusal: "Function sales-api: … endpoint …give it security group endpoints in VpcEndpoint",
	},
	{
		file:    "infra/stack/database.go",
		correct: `parameter("require_secure_transport", "1")`,
		wrong:   `parameter("require_secure_transport", "0")`,
		aws:     "The server accepts connections without TLS.",
		refusal: `Instance database: require_secure_transport is "0", want 1: set it to 1 in the database's ` +
			"parameter group",
	},
	{
		file:    "infra/stack/database.go",
		correct: "StorageEncrypted:         pulumi.Bool(true)",
		wrong:   "StorageEncrypted:         pulumi.Bool(false)",
		aws:     "The disk and the snapshots are not encrypted.",
		refusal: "Instance database: storageEncrypted is false, want true",
	},
	{
		file:    "infra/stack/database.go",
		correct: "PubliclyAccessible:       pulumi.Bool(false)",
		wrong:   "PubliclyAccessible:       pulumi.Bool(true)",
		aws:     "The instance gets a public address.",
		refusal: "Instance database: publiclyAccessible is true, want false",
	},
	{
		file:    "infra/stack/database.go",
		correct: "SkipFinalSnapshot:      pulumi.Bool(!args.settings.KeepBackups)",
		wrong:   "SkipFinalSnapshot:      pulumi.Bool(args.settings.KeepBackups)",
		aws:     "RDS deletes the data of prod without a snapshot, and refuses to delete the database of dev.",
		refusal: "Instance database: skipFinalSnapshot is true, and the database is protected: set " +
			"skipFinalSnapshot to false",
	},
	{
		file:    "infra/stack/database.go",
		correct: "pulumi.Int(args.settings.BackupRetentionDays)",
		wrong:   "pulumi.Int(0)",
		aws:     "RDS makes no backups, and the server writes no binary log.",
		refusal: "Instance database: backupRetentionPeriod is 0, and the database is protected: set … to " +
			"1 or more",
	},
	{
		file:    "infra/stack/database.go",
		correct: "ApplyImmediately:   pulumi.Bool(true)",
		wrong:   "ApplyImmediately:   pulumi.Bool(false)",
		aws:     "A larger instance class waits for the maintenance window; more connections do not.",
		refusal: "Instance database: applyImmediately is false: … set applyImmediately to true",
	},
	{
		file:    "infra/stack/stack.go",
		correct: "b.network.subnetIDs, b.network.database}",
		wrong:   "b.network.subnetIDs, b.network.functions}",
		aws:     "Connections to the database time out: the functions' group lets nobody in.",
		refusal: "Function sales-api: … database database is in security group functions, " +
			"…give it security group database",
	},
	{
		file:    "infra/stack/proxy.go",
		correct: "RequireTls:          pulumi.Bool(true)",
		wrong:   "RequireTls:          pulumi.Bool(false)",
		aws:     "The proxy accepts connections without TLS.",
		refusal: "Proxy database: requireTls is false, want true",
	},
	{
		file:    "infra/stack/proxy.go",
		correct: `"proxy-to-database", group, n.database, mysqlPort`,
		wrong:   `"proxy-to-database", group, n.functions, mysqlPort`,
		aws:     "The proxy does not reach the database: its target is unavailable.",
		refusal: "Function sales-api: … through its proxy: security group proxy has no egress rule to " +
			"security group database on tcp 3306",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "seconds(visibilityTimeouts * f.Timeout)",
		wrong:   "seconds(f.Timeout)",
		aws:     "SQS delivers a message again while a throttled function still waits to handle it.",
		refusal: "Queue ads_queue: visibility timeout is 10 s, want 60 s or more: … raise visibilityTimeoutSeconds",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "maxReceiveCount = 5",
		wrong:   "maxReceiveCount = 1",
		aws:     "One failure, or one throttle, moves a message to the dead letters.",
		refusal: "Queue ads_queue: maxReceiveCount is 1, want 5 or more: raise maxReceiveCount",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "deadLettersRetention = 14 * 24 * time.Hour",
		wrong:   "deadLettersRetention = 2 * 24 * time.Hour",
		aws:     "A dead letter keeps its age: SQS deletes messages that waited before anybody sees them.",
		refusal: "Queue ads_queue_dlq: it keeps messages for 172800 s, want longer than the 345600 s of",
	},
	{
		file: "infra/stack/messaging.go",
		correct: `}, deadLetters.Arn),
	}, childOf(m), pulumi.Protect(protect))`,
		wrong: `}, m.topic.Arn),
	}, childOf(m), pulumi.Protect(protect))`,
		aws: "CreateQueue fails: the ARN is not one of a queue.",
		refusal: "Queue ads_queue: its dead-letter queue arn:aws:sns:…is not declared: " +
			"set deadLetterTargetArn to …a queue of the stack",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: `"aws:SourceArn": arns[1]`,
		wrong:   `"aws:SourceArn": arns[0]`,
		aws:     "SQS refuses the topic's messages, and SNS drops them.",
		refusal: "Queue ads_queue: its policy does not let topic …SNS drops the messages: allow it in a " +
			"queue policy",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: `Service: "sns.amazonaws.com"`,
		wrong:   `Service: "sqs.amazonaws.com"`,
		aws:     "SQS refuses the topic's messages, and SNS drops them.",
		refusal: "Queue ads_queue: its policy does not let topic …SNS drops the messages: allow it in a " +
			"queue policy",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "Endpoint: messages.Arn,",
		wrong:   "Endpoint: deadLetters.Arn,",
		aws:     "No message reaches the function: the topic sends to the dead letters, which refuse it.",
		refusal: "Queue ads_queue_dlq: its policy does not let topic …SNS drops the messages: allow it in " +
			"a queue policy",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "QueueUrl: messages.Url",
		wrong:   "QueueUrl: deadLetters.Url",
		aws:     "Two policies of one queue replace each other; the queue itself refuses the topic.",
		refusal: "Queue ads_queue: its policy does not let topic …SNS drops the messages: allow it in a " +
			"queue policy",
	},
	{
		file: "infra/stack/messaging.go",
		correct: `SqsManagedSseEnabled:     pulumi.Bool(true),
		RedrivePolicy`,
		wrong: `SqsManagedSseEnabled:     pulumi.Bool(false),
		RedrivePolicy`,
		aws:     "Messages are not encrypted at rest.",
		refusal: "Queue ads_queue: sqsManagedSseEnabled is false … set sqsManagedSseEnabled to true",
	},
	{
		file: "infra/stack/messaging.go",
		correct: `Endpoint: messages.Arn,
	}`,
		wrong: `Endpoint: messages.Arn, RawMessageDelivery: pulumi.Bool(true),
	}`,
		aws:     "Functions get bodies without SNS's envelope, which they cannot read.",
		refusal: "TopicSubscription ads_queue: rawMessageDelivery is true, want false: … set rawMessageDelivery",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: `f.Topic == ""`,
		wrong:   `f.Topic != ""`,
		aws:     "The queue of ads gets no messages; deliveries come from the topic of orders.",
		refusal: "Queue ads_queue: function ads waits for its messages, and nothing sends messages to it: " +
			"subscribe it to its topic",
	},
	{
		file:    "infra/stack/api.go",
		correct: "}, child, pulumi.DependsOn(a.routes))",
		wrong:   "}, child)",
		aws:     "CreateStage fails: it has settings of routes that do not exist yet.",
		refusal: `Stage shop: it has settings of route "POST /checkout", and may be made before the ` +
			"route: let it depend on the route",
	},
	{
		file:    "infra/stack/function.go",
		correct: `pulumi.String("arm64")`,
		wrong:   `pulumi.String("x86_64")`,
		aws:     "No function starts: its program is for another processor.",
		refusal: `Function ads: architectures are ["x86_64"], want arm64`,
	},
	{
		file:    "infra/stack/function.go",
		correct: "LogGroup:            f.logs.Name",
		wrong:   "LogGroup:            f.logs.Arn",
		aws:     "CreateFunction fails: the name of a log group has no colons.",
		refusal: "Function ads: its log group …is not declared: set loggingConfig.logGroup to a log group " +
			"of the stack",
	},
	{
		file:    "infra/stack/function.go",
		correct: "pulumi.StringArray{p.network.functions.ID()}",
		wrong:   "pulumi.StringArray{p.network.database.ID()}",
		aws:     "Functions reach nothing: the database's group lets nothing out.",
		refusal: "Function sales-api: … is in security group database, …give it security group functions",
	},
	{
		file:    "infra/stack/function.go",
		correct: `"logs:CreateLogStream", "logs:PutLogEvents"`,
		wrong:   `"logs:CreateLogStream", "logs:GetLogEvents"`,
		aws:     "Functions write no logs and no measurements.",
		refusal: "Function ads: its role does not allow logs:PutLogEvents on the streams of its log group " +
			"…let the role's policy allow it",
	},
	{
		file:    "infra/stack/function.go",
		correct: `pulumi.Sprintf("%s:*", f.logs.Arn)`,
		wrong:   `pulumi.Sprintf("%s", f.logs.Arn)`,
		aws:     "Functions write no logs: the ARN is the group's, not its streams'.",
		refusal: "Function ads: its role does not allow logs:CreateLogStream on the streams of its log " +
			"group …let the role's policy allow it",
	},
	{
		file:    "infra/stack/function.go",
		correct: `{policy.SourceFunctionARN: "false"}`,
		wrong:   `{policy.SourceFunctionARN: "true"}`,
		aws:     "CreateFunction fails: the role forbids Lambda to make network interfaces.",
		refusal: "Function ads: it is in a VPC, and its role does not allow ec2:CreateNetworkInterface on " +
			"*: let the role's policy allow it",
	},
	{
		file: "infra/stack/function.go",
		correct: `if f.declared.Network == lambdas.Private {
		// Lambda makes`,
		wrong: `if f.declared.Network != lambdas.Private {
		// Lambda makes`,
		aws: "CreateFunction fails: the role may not make network interfaces.",
		refusal: "Function ads: it is in a VPC, and its role does not allow ec2:CreateNetworkInterface on " +
			"*: let the role's policy allow it",
	},
	{
		file:    "infra/stack/function.go",
		correct: `f.declared.Queue == "" && f.concurrency > 0`,
		wrong:   `f.declared.Queue != "" && f.concurrency > 0`,
		aws:     "Nothing bounds the instances of the API's functions: they use up the database's connections.",
		refusal: "Function sales-api: it uses the database, and nothing limits its concurrency: set " +
			"reservedConcurrentExecutions",
	},
	{
		file:    "infra/stack/grants.go",
		correct: "{operationsTopic: b.key.Arn}",
		wrong:   `{"topic." + lambdas.StockEmptyTopic: b.key.Arn}`,
		aws:     "ads and sweep cannot publish to the managers' topic: KMS denies them its key.",
		refusal: "Function ads: its role does not allow kms:Decrypt on …the key of the topic in variable " +
			"STOCK_OPERATIONS_TOPIC: let the role's policy allow it",
	},
	{
		file:    "infra/stack/grants.go",
		correct: `values["queue."+name] = queue.Arn`,
		wrong:   `values["queue."+name] = queue.deadLetters.Arn`,
		aws:     "Lambda refuses the event sources: roles may read only the dead letters.",
		refusal: "Function ads: it handles queue ads_queue, and its role does not allow " +
			"sqs:ReceiveMessage on …let the role's policy allow it",
	},
	{
		file:    "infra/stack/grants.go",
		correct: `policy.Actions("queue", "consume")`,
		wrong:   `policy.Actions("queue", "send")`,
		aws:     "CreateEventSourceMapping fails: the role may not receive messages.",
		refusal: "Function ads: it handles queue ads_queue, and its role does not allow " +
			"sqs:ReceiveMessage on …let the role's policy allow it",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `pulumi.Sprintf("%s/*", a.api.ExecutionArn)`,
		wrong:   `pulumi.Sprintf("%s/*", a.api.Arn)`,
		aws:     "Every request is answered with 500: API Gateway may not invoke the function.",
		refusal: `Permission sales-api-api: sourceArn is "/*"…set sourceArn to the ARN of the resource ` +
			"that invokes it",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "CredentialsArn:       sender.Arn,",
		wrong:   "",
		aws:     "CreateIntegration fails: a service of AWS needs a role.",
		refusal: `Integration stock-increase: its credentialsArn is ""…give it a role that may send to ` +
			"the queue",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "EventSourceArn:        m.queues[f.declared.Queue].Arn",
		wrong:   "EventSourceArn:        m.queues[f.declared.Queue].deadLetters.Arn",
		aws:     "CreateEventSourceMapping fails: the role may not read the dead letters.",
		refusal: "Queue ads_queue_dlq: visibility timeout is 30 s, want 60 s or more",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `FunctionResponseTypes: pulumi.StringArray{pulumi.String("ReportBatchItemFailures")},`,
		wrong:   "",
		aws:     "SQS deletes the messages that a function reports as failed.",
		refusal: "EventSourceMapping ads: functionResponseTypes is [], want ReportBatchItemFailures: add …to " +
			"functionResponseTypes",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "Arn: f.lambda.Arn}",
		wrong:   "Arn: f.lambda.InvokeArn}",
		aws:     "PutTargets fails: the target is not the ARN of a function.",
		refusal: "EventTarget ads: it goes from …which are not both declared: use a rule and a function " +
			"of the stack",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "lambda.PermissionArgs{SourceArn: rule.Arn}",
		wrong:   "lambda.PermissionArgs{SourceArn: f.lambda.Arn}",
		aws:     "EventBridge may not invoke the function: no sweep runs.",
		refusal: "Function ads: no permission lets events.amazonaws.com invoke it from …give it a " +
			"lambda.Permission for the rule",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "lambda.PermissionArgs{SourceAccount: policy.Account(secret.Arn)}",
		wrong:   "lambda.PermissionArgs{SourceArn: secret.Arn}",
		aws:     "Secrets Manager may not invoke the function: the rotation fails.",
		refusal: "Function setup: no permission lets secretsmanager.amazonaws.com invoke it for secret " +
			"database: give it a lambda.Permission for Secrets Manager",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `"integrations/%s"`,
		wrong:   `"integration/%s"`,
		aws:     "CreateRoute fails: the target must be integrations/ and an id.",
		refusal: `Route $default: it leads to "integration/…which has no function: give it the ` +
			"integration of its function",
	},
	{
		file: "infra/stack/triggers.go",
		correct: `maySend, err := iam.NewRolePolicy(ctx, name+"-api", &iam.RolePolicyArgs{
		Role: sender.Name,`,
		wrong: `maySend, err := iam.NewRolePolicy(ctx, name+"-api", &iam.RolePolicyArgs{
		Role: pulumi.String(name),`,
		aws: "PutRolePolicy fails, or gives the permission to the function: Pulumi adds a suffix to " +
			"the names of roles.",
		refusal: "Integration stock-increase: its role does not allow sqs:SendMessage on …let the role's " +
			"policy allow it",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `name+"-api", "apigateway.amazonaws.com", child`,
		wrong:   `name+"-api", "lambda.amazonaws.com", child`,
		aws:     "CreateIntegration fails: API Gateway cannot assume the role.",
		refusal: "Integration stock-increase: apigateway.amazonaws.com may not assume its role …in " +
			"the trust policy of the role",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `pulumi.String("lambda:InvokeFunction")`,
		wrong:   `pulumi.String("lambda:InvokeFunctionUrl")`,
		aws:     "No service may invoke a function.",
		refusal: "Function sales-api: no permission lets apigateway.amazonaws.com invoke it from …give it " +
			"a lambda.Permission for the API",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: `"ApproximateNumberOfMessagesVisible"`,
		wrong:   `"NumberOfMessagesVisible"`,
		aws:     "The alarm of dead letters never rings: SQS has no such metric.",
		refusal: "Queue ads_queue_dlq: no alarm reports that it has messages: declare …on its " +
			"ApproximateNumberOfMessagesVisible",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: "AlarmActions:       pulumi.Array{topic.Arn}",
		wrong:   "AlarmActions:       pulumi.Array{}",
		aws:     "Alarms notify nobody when they begin.",
		refusal: "Queue ads_queue_dlq: no alarm reports that it has messages: declare …on its " +
			"ApproximateNumberOfMessagesVisible, with an action",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: `m.ofDeadLetters(f.Queue, "Appr`,
		wrong:   `m.ofQueue(f.Queue, "Appr`,
		aws:     "Nobody watches the dead letters; a busy queue rings.",
		refusal: "Queue ads_queue_dlq: no alarm reports that it has messages: declare …on its " +
			"ApproximateNumberOfMessagesVisible",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: `pulumi.String("https-only")`,
		wrong:   `pulumi.String("http-only")`,
		aws:     "Every page is an error 502: the API speaks only HTTPS.",
		refusal: "Distribution shop: originProtocolPolicy of origin api is http-only, want https-only: " +
			"set originProtocolPolicy to https-only",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "PathPattern:          pulumi.String(path)",
		wrong:   "PathPattern:          pulumi.String(path[1:])",
		aws:     "No request matches the pattern, so nothing is cached.",
		refusal: "Distribution shop: cache behavior …: everybody gets what one may read of the route GET " +
			"/merchant/production-orders: do not cache what only some may read",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "CachePolicyId:           pulumi.String(rules.CachingDisabled)",
		wrong:   "CachePolicyId:           cache.ID()",
		aws:     "CloudFront drops the query of all requests, also of callbacks.",
		refusal: "Distribution shop: cache behavior *: everybody gets what one may read of the route GET " +
			"/merchant/production-orders: do not cache what only some may read",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "ErrorCachingMinTtl: pulumi.Int(0)",
		wrong:   "ErrorCachingMinTtl: pulumi.Int(300)",
		aws:     "After one error everybody gets it for five minutes.",
		refusal: "Distribution shop: CloudFront gives a 404 answer to everybody for …add the status to " +
			"customErrorResponses with errorCachingMinTtl 0",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: `[]string{"origin"}`,
		wrong:   `[]string{"accept-language"}`,
		aws:     "One site's CORS headers are served to all other sites, whose browsers refuse the answer.",
		refusal: "Distribution shop: cache behavior /: the answers' CORS headers depend on Origin, and " +
			"its cache policy does not: add origin",
	},
	{
		file:    "infra/operations/logs.go",
		correct: "RetentionInDays: pulumi.Int(retentionDays), KmsKeyId: key.Arn",
		wrong:   "KmsKeyId: key.Arn",
		aws:     "CloudWatch keeps the logs for ever.",
		refusal: "LogGroup ads: retentionInDays is 0: it keeps everything for ever: set retentionInDays to",
	},
	{
		file:    "infra/operations/logs.go",
		correct: "KmsKeyId: key.Arn",
		wrong:   "KmsKeyId: key.KeyId",
		aws:     "CreateLogGroup fails: CloudWatch Logs wants the key's ARN.",
		refusal: "LogGroup ads: kmsKeyId is …want a key of the stack: set kmsKeyId to",
	},
	{
		file:    "infra/policy/policy.go",
		correct: `"aws:SecureTransport": "false"`,
		wrong:   `"aws:SecureTransport": "true"`,
		aws:     "Queues, topics and secrets refuse all encrypted connections, and allow the others.",
		refusal: "Queue ads_queue: its policy does not deny sqs:SendMessage over a connection without " +
			"TLS: deny it in the policy of the resource, on the condition aws:SecureTransport",
	},
	{
		file:    "infra/policy/policy.go",
		correct: `Effect:    "Deny"`,
		wrong:   `Effect:    "Allow"`,
		aws:     "Everybody may send without TLS to the queues and read the secrets.",
		refusal: "QueuePolicy ads_queue: it allows sqs:SendMessage… to everybody without a condition on " +
			"aws:SourceArn",
	},
	{
		file:    "infra/stack/config.go",
		correct: "f.Name == lambdas.Factory.Name && s.FactoryURL",
		wrong:   "f.Name != lambdas.Factory.Name && s.FactoryURL",
		aws:     "prod has only the simulated factory: it has no shop.",
		refusal: "it draws the function sales-api, which is not deployed: is it in lambdas.All?",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: "Network:     Internet, // the factory",
		wrong:   "Network:     Private, // the factory",
		aws:     "stock does not reach the factory: the VPC has no way to the Internet.",
		refusal: "Function stock: it does not reach https://…route table private has no route to 0.0.0.0/0",
	},
	{
		file: "lambdas/lambdas.go",
		correct: `Every:       time.Minute,
	Network:     Private,
	Timeout:     30`,
		wrong: `Every:       time.Minute,
	Network:     Internet,
	Timeout:     30`,
		aws:     "sweep does not reach the database.",
		refusal: "function sweep: uses the database but is outside the private network",
	},
	{
		file: "lambdas/lambdas.go",
		correct: `Topic:       StockEmptyTopic,
	Every:`,
		wrong: "Every:",
		aws:   "Nobody sends to the queue of ads.",
		refusal: "Queue ads_queue: function ads waits for its messages, and nothing sends messages to it: " +
			"subscribe it to its topic",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: "Concurrency: 17",
		wrong:   "Concurrency: 170",
		aws:     "Functions open more connections than the database has.",
		refusal: `database.instanceClass is "db.t4g.micro": want a class with memory for 382 connections ` +
			"or more…lower concurrency.sales-api",
	},
	{
		file:    "lambdas/environment.go",
		correct: `grant:"read,write,rotate"`,
		wrong:   `grant:"read,write"`,
		aws:     "The rotation fails: setup may not move the version's label.",
		refusal: "Function setup: it rotates secret database, and its role does not allow " +
			"secretsmanager:DescribeSecret on it: grant read, write and rotate",
	},
	{
		file:    "lambdas/environment.go",
		correct: `from:"queue.factory_queue" grant:"send"`,
		wrong:   `from:"queue.factory_queue" grant:"consume"`,
		aws:     "The simulated factory may not keep a lot: it refuses all orders.",
		refusal: "Queue factory_queue: function factory waits for its messages, and nothing sends " +
			"messages to it: subscribe it to its topic, or let a function's role send to it",
	},
	{
		file:    "lambdas/environment.go",
		correct: `from:"topic.stock_empty" grant:"publish"`,
		wrong:   `from:"topic.stock_empty"`,
		aws:     "No function may publish a production order.",
		refusal: `variable STOCK_EMPTY_TOPIC from "topic.stock_empty" grants nothing: …add a grant beside ` +
			"it in lambdas/environment.go",
	},
}
