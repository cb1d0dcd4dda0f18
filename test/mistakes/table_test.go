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
		correct: "n.ready = append(n.ready, endpoint)",
		wrong:   "_ = endpoint",
		aws:     "setup runs while the endpoints are made, and times out on Secrets Manager.",
		refusal: "Function ads: Pulumi may make it before VpcEndpoint secretsmanager: until then it " +
			"does not reach secretsmanager: let it depend on VpcEndpoint secretsmanager with " +
			"pulumi.DependsOn",
	},
	{
		file:    "infra/stack/network.go",
		correct: `"com.amazonaws.%s.%s", region, service`,
		wrong:   `"com.amazonaws.%s.%s", service, region`,
		aws:     "CreateVpcEndpoint fails: there is no such service.",
		refusal: "VpcEndpoint secretsmanager: its serviceName is " +
			`"com.amazonaws.secretsmanager.ap-northeast-2", want com.amazonaws.ap-northeast-2. and a ` +
			"service: EC2 refuses it: set serviceName to com.amazonaws.ap-northeast-2. and a service, like " +
			"sns",
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
		file:    "infra/stack/network.go",
		correct: `pulumi.String("Interface")`,
		wrong:   `pulumi.String("Gateway")`,
		aws:     "CreateVpcEndpoint fails: only S3 and DynamoDB have gateways.",
		refusal: `VpcEndpoint secretsmanager: its vpcEndpointType is "Gateway", want Interface: only ` +
			"s3 and dynamodb have other endpoints: set vpcEndpointType to Interface",
	},
	{
		file: "infra/stack/network.go",
		correct: `association, err := ec2.NewRouteTableAssociation(ctx, name, &ec2.RouteTableAssociationArgs{
			SubnetId: subnet.ID(),`,
		wrong: `association, err := ec2.NewRouteTableAssociation(ctx, name, &ec2.RouteTableAssociationArgs{
			SubnetId: n.vpc.ID(),`,
		aws: "AssociateRouteTable fails: the id is not one of a subnet.",
		refusal: "RouteTableAssociation private-ap-northeast-2a: its subnetId is …, the name of Vpc " +
			"network, want the id of a Subnet: AWS has no such Subnet: use the output of the Subnet in " +
			"place of a text: subnet.ID()",
	},
	{
		file:    "infra/stack/database.go",
		correct: `parameter("require_secure_transport", "1")`,
		wrong:   `parameter("require_secure_transport", "0")`,
		aws:     "The server accepts connections without TLS.",
		refusal: `Instance database: require_secure_transport is "0", want 1: the server accepts ` +
			"passwords and data in the clear: set require_secure_transport to 1 in ParameterGroup database",
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
		correct: "ManageMasterUserPassword: pulumi.Bool(true)",
		wrong:   "ManageMasterUserPassword: pulumi.Bool(false)",
		aws:     "CreateDBInstance fails: the master user has no password.",
		refusal: "creating the database: RDS makes no secret of the master user: set " +
			"ManageMasterUserPassword in infra/stack/database.go",
	},
	{
		file:    "infra/stack/database.go",
		correct: "ParameterGroupName:       parameters.Name",
		wrong:   "ParameterGroupName:       subnets.Name",
		aws:     "CreateDBInstance fails: there is no such parameter group.",
		refusal: "Instance database: its parameterGroupName is …, the name of SubnetGroup database, want " +
			"the name of a ParameterGroup: AWS has no such ParameterGroup: use the output of the " +
			"ParameterGroup in place of a text: parameterGroup.Name",
	},
	{
		file:    "infra/stack/database.go",
		correct: "SkipFinalSnapshot:      pulumi.Bool(!args.settings.KeepBackups)",
		wrong:   "SkipFinalSnapshot:      pulumi.Bool(args.settings.KeepBackups)",
		aws:     "RDS deletes the data of prod without a snapshot, and refuses to delete the database of dev.",
		refusal: "Instance database: skipFinalSnapshot is true, and the database is protected: its " +
			"deletion loses the data: set skipFinalSnapshot to false",
	},
	{
		file:    "infra/stack/database.go",
		correct: "DeletionProtection: pulumi.Bool(args.protect)",
		wrong:   "DeletionProtection: pulumi.Bool(false)",
		aws:     "RDS deletes the database of a protected stage on request.",
		refusal: "Instance database: deletionProtection is false, and Pulumi protects the database: " +
			"RDS deletes it for everybody who may: set deletionProtection to true",
	},
	{
		file:    "infra/stack/database.go",
		correct: "pulumi.Int(args.settings.MaxStorageGiB)",
		wrong:   "pulumi.Int(args.settings.StorageGiB)",
		aws:     "CreateDBInstance fails: the largest storage must exceed the allocated one by a tenth.",
		refusal: "Instance database: maxAllocatedStorage is 20 GiB, and allocatedStorage 20: RDS " +
			"refuses a limit below 22 GiB: set maxAllocatedStorage to 22 or more, or delete it",
	},
	{
		file:    "infra/stack/database.go",
		correct: `parameter("character_set_server", "utf8mb4")`,
		wrong:   `parameter("character_set_server", "latin1")`,
		aws:     "The server does not start: the collation is not one of the character set.",
		refusal: `Instance database: character_set_server is "latin1", want utf8mb4: it cannot store ` +
			"all of Unicode: set character_set_server to utf8mb4 in ParameterGroup database",
	},
	{
		file:    "infra/stack/database.go",
		correct: `parameter("wait_timeout", "360")`,
		wrong:   `parameter("wait_timeout", "36")`,
		aws:     "The server drops idle connections which functions still use: requests after a pause fail.",
		refusal: "Instance database: wait_timeout is 36 s, want 300 or more: functions keep " +
			"connections that long, and their next query fails: set wait_timeout to 300 or more in " +
			"ParameterGroup database",
	},
	{
		file:    "infra/stack/database.go",
		correct: "pulumi.Int(args.settings.BackupRetentionDays)",
		wrong:   "pulumi.Int(0)",
		aws:     "RDS makes no backups, and the server writes no binary log.",
		refusal: "Instance database: backupRetentionPeriod is 0, and the database is protected: RDS " +
			"makes no backups: set backupRetentionPeriod to 1 or more",
	},
	{
		file:    "infra/stack/database.go",
		correct: "childOf(d), pulumi.Protect(args.protect))",
		wrong:   "childOf(d))",
		aws:     "Pulumi deletes the database of a protected stage.",
		refusal: "Instance database: Pulumi may delete it, and Instance database is protected: give it " +
			"pulumi.Protect",
	},
	{
		file:    "infra/stack/database.go",
		correct: `pulumi.String("gp3")`,
		wrong:   `pulumi.String("io1")`,
		aws:     "CreateDBInstance fails: io1 needs a number of IOPS.",
		refusal: "Instance database: storageType is io1, and iops is not set: RDS refuses it: set " +
			"storageType to gp3, or set iops",
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
		file:    "infra/stack/stack.go",
		correct: `b.secrets["proxy-first"], b.secrets["proxy-second"]`,
		wrong:   `b.secrets["proxy-first"], b.secrets["proxy-first"]`,
		aws:     "After a rotation the proxy refuses the functions' second user.",
		refusal: "Proxy database: two of its auths have the secret …the proxy does not know the other " +
			"user: give each database user its own secret",
	},
	{
		file:    "infra/stack/stack.go",
		correct: "b.bindings = b.bindings.through(proxy)",
		wrong:   "",
		aws:     "Functions connect around the proxy, and open more connections than the database has.",
		refusal: "Function sales-api: variable DATABASE_HOST leads to the database itself, around its " +
			"proxy: it takes connections that the proxy shares out: set the variable to the output " +
			"Endpoint of Proxy database",
	},
	{
		file:    "infra/stack/stack.go",
		correct: "b.ready = append(b.messaging.subscriptions(), done)",
		wrong:   "b.ready = b.messaging.subscriptions()",
		aws:     "Functions serve before setup has made the schema and the secrets: requests fail.",
		refusal: "Function sales-api: Pulumi may make it before Invocation setup: until then secret " +
			"database is empty: let it depend on Invocation setup with pulumi.DependsOn",
	},
	{
		file:    "infra/stack/stack.go",
		correct: "newAlarms(ctx, b.settings, b.managers,",
		wrong:   "newAlarms(ctx, b.settings, b.messaging.topic,",
		aws:     "Alarms cannot publish to a topic with a key of AWS; and stock would take them for orders.",
		refusal: "Topic stock_empty: its policy does not let cloudwatch.amazonaws.com publish for alarm " +
			"…: nobody learns of them: allow it in the topic's policy",
	},
	{
		file:    "infra/stack/proxy.go",
		correct: `IamAuth: pulumi.String("DISABLED")`,
		wrong:   `IamAuth: pulumi.String("REQUIRED")`,
		aws:     "The proxy refuses the functions' passwords.",
		refusal: "Proxy database: iamAuth is REQUIRED: the proxy refuses the functions' passwords: " +
			"set iamAuth to DISABLED",
	},
	{
		file:    "infra/stack/proxy.go",
		correct: `pulumi.String("MYSQL")`,
		wrong:   `pulumi.String("POSTGRESQL")`,
		aws:     "RegisterDBProxyTargets fails: MariaDB is of the family MYSQL.",
		refusal: `Proxy database: engineFamily is "POSTGRESQL", want MYSQL, the family of MariaDB: ` +
			"RDS refuses the database: set engineFamily to MYSQL",
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
		file:    "infra/stack/proxy.go",
		correct: `"proxy", "rds.amazonaws.com", child`,
		wrong:   `"proxy", "lambda.amazonaws.com", child`,
		aws:     "The proxy cannot assume its role, and reads no secret: every login fails.",
		refusal: "Proxy database: its role … does not let rds.amazonaws.com assume it: set roleArn to a " +
			"role of the stack whose trust policy names rds.amazonaws.com",
	},
	{
		file:    "infra/stack/proxy.go",
		correct: "return &proxy{p.Endpoint, append(rules, target)}, nil",
		wrong: `_ = target
	return &proxy{p.Endpoint, rules}, nil`,
		aws: "Functions start before the proxy has a target: their first requests fail.",
		refusal: "Function ads: Pulumi may make it before ProxyTarget database: until then the proxy " +
			"has no database: let it depend on ProxyTarget database with pulumi.DependsOn",
	},
	{
		file:    "infra/stack/proxy.go",
		correct: "const borrowSeconds = 5",
		wrong:   "const borrowSeconds = 120",
		aws: "The proxy waits longer than Lambda lets a function wait: functions time out without an " +
			"error.",
		refusal: "ProxyDefaultTargetGroup database: connectionBorrowTimeout is 120 s, and the timeout " +
			"of function sales-api is 10 s: Lambda ends the function without an error: set " +
			"connectionBorrowTimeout below 10",
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
		refusal: "Queue ads_queue: maxReceiveCount is 1, want 5 or more: a few throttled receives " +
			"make a message a dead letter: raise maxReceiveCount in its redrivePolicy to 5",
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
		refusal: "Queue ads_queue: its dead-letter queue …is not declared: SQS refuses it: set " +
			"deadLetterTargetArn to the ARN of a queue of the stack",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: `"aws:SourceArn": arns[1]`,
		wrong:   `"aws:SourceArn": arns[0]`,
		aws:     "SQS refuses the topic's messages, and SNS drops them.",
		refusal: "Queue ads_queue: its policy does not let topic …send to it: SNS drops the messages: " +
			"allow sqs:SendMessage to sns.amazonaws.com in a QueuePolicy, with the topic's ARN in " +
			"aws:SourceArn",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: `Service: "sns.amazonaws.com"`,
		wrong:   `Service: "sqs.amazonaws.com"`,
		aws:     "SQS refuses the topic's messages, and SNS drops them.",
		refusal: "Queue ads_queue: its policy does not let topic …send to it: SNS drops the messages: " +
			"allow sqs:SendMessage to sns.amazonaws.com in a QueuePolicy, with the topic's ARN in " +
			"aws:SourceArn",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "Endpoint: q.Arn,",
		wrong:   "Endpoint: q.deadLetters.Arn,",
		aws:     "No message reaches the function: the topic sends to the dead letters, which refuse it.",
		refusal: "Queue ads_queue_dlq: its policy does not let topic …send to it: SNS drops the " +
			"messages: allow sqs:SendMessage to sns.amazonaws.com in a QueuePolicy, with the topic's ARN " +
			"in aws:SourceArn",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "f.Queue, &sqs.QueuePolicyArgs{\n\t\tQueueUrl: q.Url",
		wrong:   "f.Queue, &sqs.QueuePolicyArgs{\n\t\tQueueUrl: q.deadLetters.Url",
		aws:     "Two policies of one queue replace each other; the queue itself refuses the topic.",
		refusal: "Queue ads_queue: its policy does not let topic …send to it: SNS drops the messages: " +
			"allow sqs:SendMessage to sns.amazonaws.com in a QueuePolicy, with the topic's ARN in " +
			"aws:SourceArn",
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
		correct: `Endpoint: q.Arn,
	}`,
		wrong: `Endpoint: q.Arn, RawMessageDelivery: pulumi.Bool(true),
	}`,
		aws:     "Functions get bodies without SNS's envelope, which they cannot read.",
		refusal: "TopicSubscription ads_queue: rawMessageDelivery is true, want false: … set rawMessageDelivery",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: `pulumi.String("alias/aws/sns")`,
		wrong:   `pulumi.String("alias/aws/sqs")`,
		aws:     "Publishing fails: SQS's key does not serve SNS.",
		refusal: "Topic stock_empty: kmsMasterKeyId is alias/aws/sqs, a key that SNS may not use: " +
			"messages are lost: set kmsMasterKeyId to alias/aws/sns, or to the ARN of a key of the stack",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "retention, receives = bufferRetention, bufferReceiveCount",
		wrong:   "retention, receives = bufferRetention, maxReceiveCount",
		aws:     "After an outage of five minutes deliveries are dead letters.",
		refusal: "Queue deliveries_queue: 5 attempts of 42 s end after 210 s, want 3600 s or more: " +
			"function stock-increase books requests that nobody repeats, and an outage makes them dead " +
			"letters: set maxReceiveCount in its redrivePolicy to 86 or more",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "if f.Topic == \"\" {\n\t\t\tcontinue",
		wrong:   "if f.Topic == \"\" || f.Name == \"ads\" {\n\t\t\tcontinue",
		aws:     "The queue of ads gets no messages.",
		refusal: "Queue ads_queue: function ads waits for its messages, and nothing sends messages to it: " +
			"subscribe it to its topic",
	},
	{
		file:    "infra/stack/api.go",
		correct: `pulumi.String("$default"), // no stage`,
		wrong:   `pulumi.String("prod"), // no stage`,
		aws:     "All paths begin with /prod: the API's URL answers 404.",
		refusal: `Stage shop: its name is "prod": all paths would begin with /prod, and the API's URL ` +
			"without it answers 404: set name to $default",
	},
	{
		file:    "infra/stack/api.go",
		correct: "AutoDeploy: pulumi.Bool(true)",
		wrong:   "AutoDeploy: pulumi.Bool(false)",
		aws:     "The stage has no deployment: every request is answered with 404.",
		refusal: "Stage shop: autoDeploy is false, and it has no deployment: it answers 404: set " +
			"autoDeploy to true",
	},
	{
		file:    "infra/stack/api.go",
		correct: "DestinationArn: logs.Arn",
		wrong:   "DestinationArn: logs.Name",
		aws:     "CreateStage fails: the destination is not an ARN.",
		refusal: "Stage shop: its accessLogSettings.destinationArn is …, the name of LogGroup api-access, " +
			"want the arn of a LogGroup: AWS has no such LogGroup: use the output of the LogGroup in " +
			"place of a text: logGroup.Arn",
	},
	{
		file:       "infra/stack/api.go",
		correct:    "byDefault := limits[lambdas.Browsing]",
		wrong:      "byDefault := limits[lambdas.Simulation]",
		aws:        "Buyers get 429: they share ten requests a second.",
		onlyGolden: "The rules do not know how many requests each kind of traffic has.",
	},
	{
		file:    "infra/stack/api.go",
		correct: "}, child, pulumi.DependsOn(a.routes))",
		wrong:   "}, child)",
		aws:     "CreateStage fails: it has settings of routes that do not exist yet.",
		refusal: `Stage shop: it has settings of route "POST /checkout", and may be made before the ` +
			"route: API Gateway refuses it then: let it depend on the route with pulumi.DependsOn",
	},
	{
		file:    "infra/stack/api.go",
		correct: `pulumi.String("REGIONAL")`,
		wrong:   `pulumi.String("EDGE")`,
		aws:     "CreateDomainName fails: HTTP APIs have regional names only.",
		refusal: "DomainName shop: its endpointType is EDGE, want REGIONAL: an HTTP API has no other: " +
			"set endpointType to REGIONAL",
	},
	{
		file:    "infra/stack/api.go",
		correct: "Stage: stage.Name",
		wrong:   "Stage: a.api.Name",
		aws:     "CreateApiMapping fails: there is no such stage.",
		refusal: `ApiMapping shop: its stage is "restock-full-shop-b3e7c5d", which API ` +
			`"restock-full-shop-b3e7c5d" does not have: AWS refuses it: use the output of the Stage in ` +
			"place of a text: stage.Name",
	},
	{
		file:    "infra/stack/api.go",
		correct: `"status":             "$context.status"`,
		wrong:   `"status":             "$context.responseStatus"`,
		aws:     "The access log has no status: the variable does not exist.",
		refusal: "Stage shop: the format of its access log has $context.responseStatus, which does not " +
			"exist: the log has a hyphen in its place: use a variable of HTTP APIs",
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
		correct: `ApplicationLogLevel: pulumi.String("INFO")`,
		wrong:   `ApplicationLogLevel: pulumi.String("WARN")`,
		aws:     "CloudWatch gets no measurements: alarms stay silent.",
		refusal: "Function ads: its applicationLogLevel is WARN, want INFO, DEBUG or TRACE: " +
			"CloudWatch does not get its measurements, which are lines of level INFO: set " +
			"applicationLogLevel to INFO",
	},
	{
		file:    "infra/stack/function.go",
		correct: "LogGroup:            f.logs.Name",
		wrong:   "LogGroup:            f.logs.Arn",
		aws:     "CreateFunction fails: the name of a log group has no colons.",
		refusal: "Function ads: its log group …is not declared: Lambda makes a group that keeps " +
			"everything for ever: set loggingConfig.logGroup to a log group of the stack",
	},
	{
		file:    "infra/stack/function.go",
		correct: "pulumi.StringArray{b.network.functions.ID()}",
		wrong:   "pulumi.StringArray{b.network.database.ID()}",
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
		refusal: "Function ads: it is in a VPC, and its role does not allow " +
			"ec2:CreateNetworkInterface on *: Lambda refuses the function: let the role's policy allow it",
	},
	{
		file:    "infra/stack/function.go",
		correct: "[]pulumi.Resource{role.policy})",
		wrong:   "[]pulumi.Resource{role.Role})",
		aws:     "CreateFunction fails now and then: the role has no permissions yet.",
		refusal: "Function ads: Pulumi may make it before RolePolicy ads: until then its role has no " +
			"permissions, and AWS may refuse it: let it depend on RolePolicy ads with pulumi.DependsOn",
	},
	{
		file: "infra/stack/function.go",
		correct: `if f.declared.Network == lambdas.Private {
		// Lambda makes`,
		wrong: `if f.declared.Network != lambdas.Private {
		// Lambda makes`,
		aws: "CreateFunction fails: the role may not make network interfaces.",
		refusal: "Function ads: it is in a VPC, and its role does not allow " +
			"ec2:CreateNetworkInterface on *: Lambda refuses the function: let the role's policy allow it",
	},
	{
		file:    "infra/stack/function.go",
		correct: `name, "lambda.amazonaws.com", pulumi.Parent(f)`,
		wrong:   `name, "events.amazonaws.com", pulumi.Parent(f)`,
		aws:     "CreateFunction fails: Lambda cannot assume the role.",
		refusal: "Function ads: lambda.amazonaws.com may not assume its role …Lambda refuses the " +
			"function: allow sts:AssumeRole to lambda.amazonaws.com in the role's assumeRolePolicy",
	},
	{
		file:    "infra/stack/function.go",
		correct: `s.PermissionsBoundary != ""`,
		wrong:   `s.PermissionsBoundary == ""`,
		aws:     "CreateRole is denied to the workflow, which may make only roles with the boundary.",
		refusal: `Role ads: its permissionsBoundary is "": IAM refuses the role: set ` +
			"permissionsBoundary to the ARN of a policy, or leave it out",
	},
	{
		file:    "infra/stack/function.go",
		correct: "seconds(declared.Timeout)",
		wrong:   "pulumi.Int(declared.Timeout.Minutes())",
		aws:     "CreateFunction fails: a timeout is 1 s or more.",
		refusal: "Function ads: timeout is 0, want 1 to 900 seconds: AWS refuses other values: set " +
			"timeout to such a value",
	},
	{
		file:    "infra/stack/function.go",
		correct: `f.declared.Queue == "" && f.concurrency > 0`,
		wrong:   `f.declared.Queue != "" && f.concurrency > 0`,
		aws:     "Nothing bounds the instances of the API's functions: they use up the database's connections.",
		refusal: "Function sales-api: it uses the database, and nothing limits its concurrency: many " +
			"requests at once take all connections: set reservedConcurrentExecutions, or " +
			"maximumConcurrency of its event source",
	},
	{
		file:    "infra/stack/function.go",
		correct: "Role: r.Name",
		wrong:   "Role: r.Arn",
		aws:     "PutRolePolicy fails: the name of a role has no colons.",
		refusal: "RolePolicy ads: its role is …, the arn of Role ads, want the name of a Role: AWS has no " +
			"such Role: use the output of the Role in place of a text: role.Name",
	},
	{
		file:    "infra/stack/grants.go",
		correct: "b.database.adminSecret,",
		wrong:   `b.secrets["database"].Arn,`,
		aws:     "setup reads an empty secret, and the deployment fails.",
		refusal: "Function setup: variable DATABASE_ADMIN_SECRET is the arn of Secret database, want " +
			"the master user's secret of Instance database, its source secret.database-admin: set the " +
			"variable to this output",
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
		correct: "b.managers.Arn,",
		wrong:   "b.messaging.topic.Arn,",
		aws:     "Notices to people go to the topic of production orders.",
		refusal: "Function ads: variable STOCK_OPERATIONS_TOPIC is the arn of Topic stock_empty, want " +
			"the arn of Topic stock_operations, its source topic.stock_operations: set the variable to " +
			"this output",
	},
	{
		file:    "infra/stack/grants.go",
		correct: "pulumi.String(metricsNamespace(ctx))",
		wrong:   "pulumi.String(ctx.Project())",
		aws:     "Functions measure in another namespace than the alarms watch.",
		refusal: "MetricAlarm deliveries-failing: it watches DeliveriesFailed in the namespace " +
			`"restock/dev", in which no function measures: CloudWatch gets no value: use the namespace in ` +
			"a function's variable METRICS_NAMESPACE",
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
		correct: "b.database.instance.DbName",
		wrong:   "b.database.instance.Identifier",
		aws:     "setup fails: there is no such database.",
		refusal: "Function sales-api: variable DATABASE_NAME is the identifier of Instance database, " +
			"want the dbName of Instance database, its source database.name: set the variable to this " +
			"output",
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
		file:    "infra/stack/grants.go",
		correct: `"api.url":                          b.api.url`,
		wrong:   `"api.url":                          factoryURL`,
		aws:     "The factory calls itself back: no delivery arrives.",
		refusal: `Function stock: variable API_URL is "https://factory.example.com", want the ` +
			"apiEndpoint of Api shop, its source api.url: set the variable to this output",
	},
	{
		file:       "infra/stack/grants.go",
		correct:    "int(time.Second)",
		wrong:      "int(time.Millisecond)",
		aws:        "New products have a lead time of 60 ms: each order is overdue at once.",
		onlyGolden: "The lead time is a number of the factory. Every duration is a possible one.",
	},
	{
		file:    "infra/stack/secrets.go",
		correct: "pulumi.Int(s.SecretRecoveryDays)",
		wrong:   "pulumi.Int(s.LogRetentionDays)",
		aws:     "DeleteSecret fails in prod: a recovery window is 7 to 30 days.",
		refusal: "Secret callback-key: recoveryWindowInDays is 90, want 0, or 7 to 30 days: AWS " +
			"refuses other values: set recoveryWindowInDays to such a value",
	},
	{
		file:    "infra/stack/secrets.go",
		correct: "}, pulumi.Protect(s.Protect))",
		wrong:   "})",
		aws:     "Pulumi deletes the secrets of a protected stage.",
		refusal: "Secret callback-key: Pulumi may delete it, and Instance database is protected: give it " +
			"pulumi.Protect",
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
		correct: `PayloadFormatVersion: pulumi.String("2.0")`,
		wrong:   `PayloadFormatVersion: pulumi.String("1.0")`,
		aws:     "Handlers cannot read the requests.",
		refusal: "Integration factory: its integrationType is AWS_PROXY and its payloadFormatVersion " +
			`"1.0": the functions read events of version 2.0: set integrationType to AWS_PROXY and ` +
			"payloadFormatVersion to 2.0",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `pulumi.String("SQS-SendMessage")`,
		wrong:   `pulumi.String("SQS-SendMessages")`,
		aws:     "CreateIntegration fails: there is no such subtype.",
		refusal: `Integration stock-increase: its integrationSubtype is "SQS-SendMessages", which API ` +
			"Gateway does not have: set integrationSubtype to SQS-SendMessage",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "CredentialsArn:       sender.Arn,",
		wrong:   "",
		aws:     "CreateIntegration fails: a service of AWS needs a role.",
		refusal: `Integration stock-increase: its credentialsArn is "": route "POST ` +
			`/production-orders/{order}/attempts/{attempt}/receipt" has no permissions: set credentialsArn ` +
			"to the ARN of a role that may send to the queue",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `"QueueUrl":          queue.Url`,
		wrong:   `"QueueUrl":          queue.Arn`,
		aws:     "Every callback is answered with 400: SQS knows no such URL.",
		refusal: "Integration stock-increase: its parameter QueueUrl is …want the URL of a queue of " +
			"the stack: requests are lost: use the output of the Queue: queue.Url",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "EventSourceArn:        m.queues[f.declared.Queue].Arn",
		wrong:   "EventSourceArn:        m.queues[f.declared.Queue].deadLetters.Arn",
		aws:     "CreateEventSourceMapping fails: the role may not read the dead letters.",
		refusal: "EventSourceMapping ads: its eventSourceArn is that of Queue ads_queue_dlq, want that of Queue " +
			"ads_queue, which function ads handles: …set eventSourceArn to the ARN of Queue ads_queue",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `FunctionResponseTypes: pulumi.StringArray{pulumi.String("ReportBatchItemFailures")},`,
		wrong:   "",
		aws:     "SQS deletes the messages that a function reports as failed.",
		refusal: "EventSourceMapping ads: functionResponseTypes is [], want ReportBatchItemFailures: " +
			"SQS deletes the messages that the function reports as failed: add ReportBatchItemFailures to " +
			"functionResponseTypes",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "int(f.declared.Every / time.Minute)",
		wrong:   "int(f.declared.Every / time.Hour)",
		aws:     "PutRule fails: the rate is 0.",
		refusal: `EventRule ads: scheduleExpression is "rate(0 minutes)", want an expression like ` +
			"rate(1 minute), rate(5 minutes) or cron(0 10 * * ? *), which has six fields, and a ? for one " +
			"of the two days: AWS refuses other values: set scheduleExpression to such a value",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "Arn: f.lambda.Arn}",
		wrong:   "Arn: f.lambda.InvokeArn}",
		aws:     "PutTargets fails: the target is not the ARN of a function.",
		refusal: "EventTarget ads: its arn is …and no Function of the stack has this arn: AWS has no " +
			"such Function: use the output of the Function in place of a text: function.Arn",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "lambda.PermissionArgs{SourceArn: rule.Arn}",
		wrong:   "lambda.PermissionArgs{SourceArn: f.lambda.Arn}",
		aws:     "EventBridge may not invoke the function: no sweep runs.",
		refusal: "Function ads: no permission lets events.amazonaws.com invoke it from …EventBridge " +
			"never invokes it: give it a lambda.Permission with the rule's ARN in sourceArn",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "lambda.PermissionArgs{SourceAccount: outputs.Account(secret.Arn)}",
		wrong:   "lambda.PermissionArgs{SourceArn: secret.Arn}",
		aws:     "Secrets Manager may not invoke the function: the rotation fails.",
		refusal: "Function setup: no permission lets secretsmanager.amazonaws.com invoke it for " +
			"secret database: the rotation fails: give it a lambda.Permission with " +
			"secretsmanager.amazonaws.com as principal",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "pulumi.DependsOn(append(after, permission))",
		wrong:   "pulumi.DependsOn([]pulumi.Resource{permission})",
		aws:     "The first rotation begins before setup has filled the secret, and fails.",
		refusal: "SecretRotation database: Pulumi may make it before Invocation setup: until then " +
			"secret database is empty: let it depend on Invocation setup with pulumi.DependsOn",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `"integrations/%s"`,
		wrong:   `"integration/%s"`,
		aws:     "CreateRoute fails: the target must be integrations/ and an id.",
		refusal: `Route $default: its target is "integration/restock-dev-sales-api-1903f8a", which is ` +
			"no integration of the stack: API Gateway refuses the route: set target to integrations/ and " +
			"the id of the function's integration",
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
		refusal: "Integration stock-increase: apigateway.amazonaws.com may not assume its role …API " +
			"Gateway refuses it: allow sts:AssumeRole to apigateway.amazonaws.com in the role's " +
			"assumeRolePolicy",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `pulumi.String("lambda:InvokeFunction")`,
		wrong:   `pulumi.String("lambda:InvokeFunctionUrl")`,
		aws:     "No service may invoke a function.",
		refusal: "Function sales-api: no permission lets apigateway.amazonaws.com invoke it from …its " +
			`route "$default": clients get 500: give it a lambda.Permission with the API's executionArn in ` +
			"sourceArn",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `pulumi.String("$request.body")`,
		wrong:   `pulumi.String("$request.body.order")`,
		aws:     "The message lacks the factory's report: no delivery can be booked.",
		refusal: `Integration stock-increase: its parameter MessageBody is "$request.body.order", ` +
			"want $request.body: the function needs the whole body of a request: set MessageBody to " +
			"$request.body",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: `"database": d.instance.ResourceId`,
		wrong:   `"database": d.instance.Identifier`,
		aws:     "A database that was restored under its old name is not set up.",
		onlyGolden: "Both outputs change with a new database. They differ only after a restore under the old " +
			"name.",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "pulumi.Int(f.declared.BatchSize)",
		wrong:   "pulumi.Int(100)",
		aws:     "CreateEventSourceMapping fails: more than ten messages need a batching window.",
		refusal: "EventSourceMapping ads: batchSize is 100, and maximumBatchingWindowInSeconds is 0: " +
			"Lambda refuses more than 10 without a window: set batchSize to 10 or less, or set " +
			"maximumBatchingWindowInSeconds to 1 or more",
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
		correct: `m.ofAPI("5xx")`,
		wrong:   `m.ofAPI("5XXError")`,
		aws:     "The alarm of errors never rings: this is the name for REST APIs.",
		refusal: "MetricAlarm api-errors: it watches 5XXError, which is no metric of AWS/ApiGateway: " +
			"CloudWatch gets no value: use one of 4xx, 5xx, Count, DataProcessed, IntegrationLatency, " +
			"Latency",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: `inARow: 1, missing: "breaching"`,
		wrong:   `inARow: 1, missing: "notBreaching"`,
		aws:     "The alarm of a silent function never rings: a function that does not run measures nothing.",
		refusal: `MetricAlarm ads-silent: its treatMissingData is "notBreaching", and it is for ` +
			"values below 1: it never rings, because nothing is measured when nothing happens: set " +
			"treatMissingData to breaching",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: "AlarmActions:       pulumi.Array{topic.Arn}",
		wrong:   "AlarmActions:       pulumi.Array{}",
		aws:     "Alarms notify nobody when they begin.",
		refusal: "MetricAlarm ads-dead-letters: it has no alarmActions: nobody learns of it: set " +
			"alarmActions to the ARN of a topic of the stack",
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
		file:    "infra/stack/alarms.go",
		correct: "share := 0.8",
		wrong:   "share := 80.0",
		aws:     "The alarm never rings: the database has fewer connections.",
		refusal: "MetricAlarm database-connections: its threshold is 6800, want 1 to 85: " +
			"DatabaseConnections is in connections, up to max_connections: set threshold to a value " +
			"between them",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: `m.ofDatabase("FreeStorageSpace"), below: 2 * gib`,
		wrong:   `m.ofDatabase("FreeStorageSpace"), above: 2 * gib`,
		aws:     "The alarm always rings, until the disk is full.",
		refusal: "MetricAlarm database-storage: it rings while FreeStorageSpace is above 2147483648: " +
			"nothing is wrong then: set comparisonOperator to LessThanThreshold",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: "above: 2000,",
		wrong:   "above: 2,",
		aws:     "The alarm always rings: the latency is in milliseconds.",
		refusal: "MetricAlarm api-latency: its threshold is 2, want 10 to 30000: Latency is in " +
			"milliseconds, and the API waits 30 s at most: set threshold to a value between them",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: "below: 64 * mib",
		wrong:   "below: 64",
		aws:     "The alarm never rings: the memory is in bytes.",
		refusal: "MetricAlarm database-memory: its threshold is 64, want 10485760 to 1099511627776: " +
			"FreeableMemory is in bytes: set threshold to a value between them",
	},
	{
		file:    "infra/stack/metrics.go",
		correct: "m.database.instance.Identifier",
		wrong:   "m.database.instance.ResourceId",
		aws:     "The database's alarms watch nothing: the dimension has the identifier.",
		refusal: `Dashboard shop: the dimension DBInstanceIdentifier of a widget is "db-…, and no ` +
			"Instance of the stack has this identifier: it watches nothing: use the output of the " +
			"Instance in place of a text: instance.Identifier",
	},
	{
		file:    "infra/stack/metrics.go",
		correct: `"FunctionName": f.lambda.Name`,
		wrong:   `"FunctionName": f.lambda.Arn`,
		aws:     "The functions' alarms watch nothing: the dimension has the name.",
		refusal: "Dashboard shop: the dimension FunctionName of a widget is …, the arn of Function " +
			"sales-api, want the name of a Function: it watches nothing: use the output of the " +
			"Function in place of a text: function.Name",
	},
	{
		file:    "infra/stack/metrics.go",
		correct: `"ApiId"`,
		wrong:   `"ApiName"`,
		aws:     "The API's alarms watch nothing: HTTP APIs measure by ApiId.",
		refusal: "MetricAlarm api-errors: it watches 5xx by the dimensions [ApiName], want ApiId: " +
			"CloudWatch gets no value: use the dimension ApiId",
	},
	{
		file:    "infra/stack/metrics.go",
		correct: `"AWS/Lambda"`,
		wrong:   `"AWS/Lambdas"`,
		aws:     "The functions' alarms watch nothing: there is no such namespace.",
		refusal: "MetricAlarm ads-errors: it watches the namespace AWS/Lambdas, which the rules do " +
			"not know: it may get no value: use one of AWS/ApiGateway, AWS/Lambda, AWS/RDS, AWS/SQS, or " +
			"add it in infra/rules/metrics.go",
	},
	{
		file:    "infra/stack/metrics.go",
		correct: "metric{m.stage, name, nil}",
		wrong:   `metric{"restock", name, nil}`,
		aws:     "The alarms of business watch nothing: functions measure in the stage's namespace.",
		refusal: "MetricAlarm deliveries-failing: it watches DeliveriesFailed in the namespace " +
			`"restock", in which no function measures: CloudWatch gets no value: use the namespace in a ` +
			"function's variable METRICS_NAMESPACE",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: `pulumi.String("https-only")`,
		wrong:   `pulumi.String("http-only")`,
		aws:     "Every page is an error 502: the API speaks only HTTPS.",
		refusal: "Distribution shop: originProtocolPolicy of origin api is http-only, want " +
			"https-only: an HTTP API answers on port 443 only: set originProtocolPolicy to https-only",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: `return strings.TrimPrefix(url, "https://")`,
		wrong:   "return url",
		aws:     "CreateDistribution fails: the origin is not a host name.",
		refusal: "Distribution shop: the domainName of its origin is " +
			`"https://restock-cdn-shop-b3e7c5d.execute-api.ap-northeast-2.amazonaws.com", which is the ` +
			"host of no API of the stack: set domainName to the host of the API's apiEndpoint, without " +
			"https://",
	},
	{
		file: "infra/stack/cdn.go",
		correct: `CachePolicyId:           pulumi.String(rules.CachingDisabled),
			OriginRequestPolicyId:   pulumi.String(rules.AllViewerExceptHostHeader),`,
		wrong: "CachePolicyId:           pulumi.String(rules.CachingDisabled),",
		aws:   "The API gets requests without their query, cookies and headers.",
		refusal: "Distribution shop: cache behavior *: it has no originRequestPolicyId: the API gets " +
			"requests without their query, cookies and headers: set originRequestPolicyId to " +
			"AllViewerExceptHostHeader, b689b0a8-53d0-40ab-baf2-68738e2966ac",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: `"OPTIONS", "PATCH", "POST", "PUT"`,
		wrong:   `"OPTIONS", "POST", "PUT"`,
		aws:     "CreateDistribution fails: CloudFront takes three sets of methods only.",
		refusal: "Distribution shop: cache behavior *: allowedMethods are DELETE GET HEAD OPTIONS " +
			"POST PUT: CloudFront refuses them: set allowedMethods to GET HEAD, to GET HEAD OPTIONS, or to " +
			"all seven: DELETE GET HEAD OPTIONS PATCH POST PUT",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "PathPattern:          pulumi.String(path)",
		wrong:   "PathPattern:          pulumi.String(path[1:])",
		aws:     "No request matches the pattern, so nothing is cached.",
		refusal: `Distribution shop: cache behavior *: it caches the route "GET ` +
			`/merchant/production-orders", which requires a signature: everybody gets the answer to ` +
			"somebody else: set its cachePolicyId to CachingDisabled, " +
			"4135ea2d-6df8-44a3-9df3-4b5a84be39ad, or let its pathPattern match public routes only",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "CachePolicyId:           pulumi.String(rules.CachingDisabled)",
		wrong:   "CachePolicyId:           cache.ID()",
		aws:     "CloudFront drops the query of all requests, also of callbacks.",
		refusal: `Distribution shop: cache behavior *: it caches the route "GET ` +
			`/merchant/production-orders", which requires a signature: everybody gets the answer to ` +
			"somebody else: set its cachePolicyId to CachingDisabled, " +
			"4135ea2d-6df8-44a3-9df3-4b5a84be39ad, or let its pathPattern match public routes only",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "longestCached = 2 * time.Second",
		wrong:   "longestCached = 2 * time.Hour",
		aws:     "A mistake in a header shows old stock for hours.",
		refusal: "CachePolicy shop: maxTtl is 7200 s, want 60 at most: after a mistake in a header, " +
			"buyers see old stock for that long: set maxTtl to 60 or less",
	},
	{
		file: "infra/stack/cdn.go",
		correct: `PathPattern:          pulumi.String(path),
			TargetOriginId:       pulumi.String(apiOrigin)`,
		wrong: `PathPattern:          pulumi.String(path),
			TargetOriginId:       pulumi.String("shop")`,
		aws: "CreateDistribution fails: there is no such origin.",
		refusal: "Distribution shop: cache behavior /: targetOriginId is shop, which is no origin: " +
			"CloudFront refuses it: set targetOriginId to the originId of one of its origins",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "ErrorCachingMinTtl: pulumi.Int(0)",
		wrong:   "ErrorCachingMinTtl: pulumi.Int(300)",
		aws:     "After one error everybody gets it for five minutes.",
		refusal: "Distribution shop: CloudFront caches an answer with the status 404 for 300 s, and " +
			"gives it to everybody: set errorCachingMinTtl to 0 for errorCode 404 in customErrorResponses",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: `[]string{"origin"}`,
		wrong:   `[]string{"accept-language"}`,
		aws:     "One site's CORS headers are served to all other sites, whose browsers refuse the answer.",
		refusal: "Distribution shop: cache behavior /: the API's CORS headers depend on Origin, and " +
			"its cache policy does not: browsers refuse an answer that is cached for another site: add " +
			"origin to the headers of the cache policy",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "declared.Aliases = pulumi.ToStringArray([]string{d.Name})",
		wrong:   "declared.Aliases = pulumi.ToStringArray([]string{})",
		aws:     "CloudFront answers 403 to requests for the shop's name.",
		refusal: "Distribution shop: it has the certificate …and no aliases: CloudFront answers 403 " +
			"to requests for the certificate's name: add the certificate's name to aliases",
	},
	{
		file:    "infra/stack/dashboard.go",
		correct: "gridWidth   = 24",
		wrong:   "gridWidth   = 48",
		aws:     "PutDashboard fails: a widget is beyond the grid of 24 columns.",
		refusal: `Dashboard shop: its widget "Requests to the factory" ends at column 32, and a ` +
			"dashboard has 24: CloudWatch refuses it: lower x or width of the widget",
	},
	{
		file:    "infra/stack/dashboard.go",
		correct: `m.ofAPI("Count")`,
		wrong:   `m.ofAPI("Requests")`,
		aws:     "The graph is empty: HTTP APIs have no such metric.",
		refusal: `Dashboard shop: its graph "Requests" watches Requests, which is no metric of ` +
			"AWS/ApiGateway: CloudWatch gets no value: use one of 4xx, 5xx, Count, DataProcessed, " +
			"IntegrationLatency, Latency",
	},
	{
		file:    "infra/stack/dashboard.go",
		correct: "logGroups = append(logGroups, f.logs.Name)",
		wrong:   "logGroups = append(logGroups, f.logs.Arn)",
		aws:     "The query of the logs fails: SOURCE takes names here.",
		refusal: `Dashboard shop: its widget "What went wrong, latest first" queries the log group ` +
			"…which is not declared: it shows nothing: use the output of a LogGroup in place of a text: " +
			"logGroup.Name",
	},
	{
		file:    "infra/operations/topic.go",
		correct: `pulumi.String("email")`,
		wrong:   `pulumi.String("sms")`,
		aws:     "Subscribe fails: the endpoint is not a phone number.",
		refusal: `TopicSubscription stock_operations: its protocol is "sms", and its endpoint is ` +
			`"operations@example.com": SNS refuses it: set protocol to that of the endpoint: email, sms ` +
			"for a number, sqs for a queue",
	},
	{
		file:    "infra/operations/key.go",
		correct: `Action:   []string{"kms:*"}`,
		wrong:   `Action:   []string{"kms:Describe*"}`,
		aws:     "CreateKey fails: nobody could change the policy again.",
		refusal: "Key operations: its policy does not let the account administer it: KMS refuses the key: " +
			"let the account's root do kms:* in the key's policy",
	},
	{
		file:    "infra/operations/key.go",
		correct: `outputs.SiblingARN(anARN, "iam", "root")`,
		wrong:   `outputs.SiblingARN(anARN, "sts", "root")`,
		aws:     "CreateKey fails: the principal does not exist.",
		refusal: "Key operations: its policy has the principal …: IAM refuses it: use an account, or the " +
			"ARN of its root, of a role or of a user",
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
		file:    "infra/operations/tags.go",
		correct: `"project": pulumi.String(ctx.Project()),`,
		wrong:   "",
		aws:     "The bill does not tell the project's costs from others.",
		refusal: "Key operations: it and …others have no tag project: the bill does not show whose costs " +
			"they are: add the tag to its tags, or to TagAll in infra/operations/tags.go",
	},
	{
		file:    "infra/policy/policy.go",
		correct: `"aws:SecureTransport": "false"`,
		wrong:   `"aws:SecureTransport": "true"`,
		aws:     "Queues, topics and secrets refuse all encrypted connections, and allow the others.",
		refusal: "Queue ads_queue: its policy does not deny sqs:SendMessage over a connection without " +
			`TLS: deny it in the policy of the resource, with the condition "Bool": ` +
			`{"aws:SecureTransport": "false"}`,
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
		file:    "infra/policy/policy.go",
		correct: `"2012-10-17"`,
		wrong:   `"2012-10-27"`,
		aws:     "CreateRole fails: the policy language has no such version.",
		refusal: `its Version is "2012-10-27", want 2012-10-17`,
	},
	{
		file:    "infra/policy/grants.go",
		correct: `"secretsmanager:GetSecretValue"`,
		wrong:   `"secretsmanager:GetSecret"`,
		aws:     "setup may not read the master password: the deployment fails.",
		refusal: "RolePolicy ads: its policy has the action secretsmanager:GetSecret, which " +
			"secretsmanager does not have: the statement allows nothing: correct the name of the action",
	},
	{
		file:    "infra/policy/grants.go",
		correct: `"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"`,
		wrong:   `"sqs:ReceiveMessage", "sqs:GetQueueAttributes"`,
		aws:     "CreateEventSourceMapping fails: Lambda could not delete handled messages.",
		refusal: "Function ads: it handles queue ads_queue, and its role does not allow sqs:DeleteMessage " +
			"on … let the role's policy allow it",
	},
	{
		file:    "infra/policy/grants.go",
		correct: `"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces"`,
		wrong:   `"ec2:DescribeNetworkInterfaces"`,
		aws:     "CreateFunction fails: the role may not make network interfaces.",
		refusal: "Function ads: it is in a VPC, and its role does not allow " +
			"ec2:CreateNetworkInterface on *: Lambda refuses the function: let the role's policy allow it",
	},
	{
		file:    "infra/policy/grants.go",
		correct: `{"kms:Decrypt", "kms:GenerateDataKey"}`,
		wrong:   `{"kms:Encrypt", "kms:GenerateDataKey"}`,
		aws:     "ads and sweep cannot publish: SNS also decrypts with their permissions.",
		refusal: "Function ads: its role does not allow kms:Decrypt on …, the key of the topic in " +
			"variable STOCK_OPERATIONS_TOPIC: let the role's policy allow it",
	},
	{
		file:    "infra/outputs/arn.go",
		correct: `service == "iam"`,
		wrong:   `service == "sts"`,
		aws:     "CreateKey fails: the ARN of the account has a region.",
		refusal: "Key operations: its policy has the principal …: IAM refuses it: use an account, or the " +
			"ARN of its root, of a role or of a user",
	},
	{
		file:       "infra/instance/instance.go",
		correct:    "bytesPerConnection = 12582880",
		wrong:      "bytesPerConnection = 1258288",
		aws:        "The database accepts ten times the connections that it has memory for, and dies of them.",
		onlyGolden: "The table of instance classes is the only place of this number.",
	},
	{
		file:    "infra/stack/config.go",
		correct: "f.Name == lambdas.Factory.Name && s.FactoryURL",
		wrong:   "f.Name != lambdas.Factory.Name && s.FactoryURL",
		aws:     "prod has only the simulated factory: it has no shop.",
		refusal: "throttling.browsing limits no route: add the route of browsing to a function in " +
			"lambdas/lambdas.go",
	},
	{
		file:       "infra/stack/config.go",
		correct:    "Deliveries: Limits{RatePerSecond: 2500, Burst: 2500}",
		wrong:      "Deliveries: Limits{RatePerSecond: 2, Burst: 2}",
		aws:        "The factory's callbacks get 429 and are lost, because the factory calls once.",
		onlyGolden: "The rules do not know how many deliveries the factory reports at once.",
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
		refusal: "is from \"database.…\", and the function is outside the private network: set Network to Private",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: "Queue:       AdsQueue",
		wrong:   "Queue:       StockQueue",
		aws:     "Two functions take each other's messages.",
		refusal: "function ads: function stock handles the messages of stock_queue, too, and each message " +
			"goes to one of them: give it another queue in lambdas/lambdas.go",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: `"path.attempt",`,
		wrong:   `"path.attempts",`,
		aws:     "Every callback is answered with 400: the path has no such parameter.",
		refusal: `Integration stock-increase: it sends ${request.path.attempts}, and the route "POST ` +
			`/production-orders/{order}/attempts/{attempt}/receipt" has no {attempts} in its path: API ` +
			"Gateway answers 400: name a parameter of the route's path",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: "Timeout:     28 * time.Second",
		wrong:   "Timeout:     28 * time.Millisecond",
		aws:     "CreateFunction fails: a timeout is 1 s or more.",
		refusal: "function factory: its timeout is 28ms: Lambda takes whole seconds from 1 s to 15 minutes",
	},
	{
		file: "lambdas/lambdas.go",
		correct: `Every:       time.Minute,
	Network:     Private,
	Timeout:     30`,
		wrong: `Every:       90 * time.Second,
	Network:     Private,
	Timeout:     30`,
		aws:     "EventBridge invokes sweep every minute, not every 90 seconds.",
		refusal: "function sweep: its schedule is every 1m30s: EventBridge takes whole minutes",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: "StockIncrease, Ads, Sweep",
		wrong:   "StockIncrease, Sweep",
		aws:     "Advertisements of sold-out products stay on.",
		onlyGolden: "Nothing else in the program names the function. A test of package lambdas finds its " +
			"folder without a declaration.",
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
		correct: "RouteDonut, RouteCheckout, RouteDefault",
		wrong:   "RouteDonut, RouteDefault",
		aws:     "Checkouts share the limit of browsing: a crowd that looks keeps buyers from buying.",
		refusal: "deploying the HTTP API: throttling.checkouts limits no route: add the route of " +
			"checkouts to a function in lambdas/lambdas.go",
	},
	{
		file: "lambdas/lambdas.go",
		correct: `Concurrency: 8,
	BatchSize:   10`,
		wrong: `Concurrency: 8,
	BatchSize:   100`,
		aws: "CreateEventSourceMapping fails: more than ten messages need a batching window.",
		refusal: "EventSourceMapping stock-increase: batchSize is 100, and " +
			"maximumBatchingWindowInSeconds is 0: Lambda refuses more than 10 without a window: set " +
			"batchSize to 10 or less, or set maximumBatchingWindowInSeconds to 1 or more",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: "/attempts/{attempt}/receipt",
		wrong:   "/attempts/{try}/receipt",
		aws:     "Every callback is answered with 400: the path has no parameter attempt.",
		refusal: `Integration stock-increase: it sends ${request.path.attempt}, and the route "POST ` +
			`/production-orders/{order}/attempts/{try}/receipt" has no {attempt} in its path: API Gateway ` +
			"answers 400: name a parameter of the route's path",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: `"GET /products/{sku}"`,
		wrong:   `"GET products/{sku}"`,
		aws:     "CreateRoute fails: a path begins with a slash.",
		refusal: `Route GET products/{sku}: routeKey is "GET products/{sku}", want 1 to 512 ` +
			"characters: $default, or a method, a space and a path that begins with /: AWS refuses other " +
			"values: set routeKey to such a value",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: `Rotates:     "database"`,
		wrong:   `Rotates:     "databases"`,
		aws:     "There is no such secret.",
		refusal: `function setup rotates the secret "databases", which the stack does not have: name ` +
			"another in lambdas/lambdas.go, or add it in infra/stack/secrets.go",
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
		correct: "\tShop\n\tCallbackKey string `env:\"CALLBACK_KEY_SECRET\" from:\"secret.callback-key\"",
		wrong:   "\tShop\n\tCallbackKey string `env:\"CALLBACK_KEY_SECRET\" from:\"secret.database\"",
		aws:     "stock-increase takes every callback for a forgery.",
		refusal: "Function stock-increase: variable CALLBACK_KEY_SECRET is from secret.database, and " +
			"in function stock it is from secret.callback-key: use one source in both functions, or " +
			"another name",
	},
	{
		file:    "lambdas/environment.go",
		correct: "Secret string `env:\"DATABASE_SECRET\" from:\"secret.database\"",
		wrong:   "Secret string `env:\"DATABASE_SECRET\" from:\"secret.database-admin\"",
		aws:     "All functions work as the master user.",
		refusal: "Function setup: variable DATABASE_SECRET is from secret.database, and in function " +
			"sales-api it is from secret.database-admin: use one source in both functions, or another name",
	},
	{
		file:    "lambdas/environment.go",
		correct: "\tDatabase\n\tOperationsTopic string `env:\"STOCK_OPERATIONS_TOPIC\" from:\"topic.stock_operations\"",
		wrong:   "\tDatabase\n\tOperationsTopic string `env:\"STOCK_OPERATIONS_TOPIC\" from:\"topic.stock_empty\"",
		aws:     "Notices about advertisements go to the topic of production orders.",
		refusal: "Function sweep: variable STOCK_OPERATIONS_TOPIC is from topic.stock_operations, and " +
			"in function ads it is from topic.stock_empty: use one source in both functions, or another " +
			"name",
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
		correct: `from:"secret.database-admin" grant:"read"`,
		wrong:   `from:"secret.database-admin" grant:"write"`,
		aws:     "setup may not read the master password: the deployment fails.",
		refusal: "Function setup: its role does not allow secretsmanager:GetSecretValue on the master " +
			"user's secret in variable DATABASE_ADMIN_SECRET: grant read beside the variable",
	},
	{
		file:    "lambdas/environment.go",
		correct: `from:"queue.factory_queue" grant:"send"`,
		wrong:   `from:"queue.factory_queue" grant:"consume"`,
		aws:     "The simulated factory may not keep a lot: it refuses all orders.",
		refusal: "Queue factory_queue: function factory waits for its messages, and nothing sends " +
			"messages to it: subscribe it to its topic with a TopicSubscription, or let a function's role " +
			"send to it",
	},
	{
		file:    "lambdas/environment.go",
		correct: "`env:\"API_URL\" from:\"api.url\"`",
		wrong:   "`env:\"API_URL\" from:\"config.factoryUrl\"`",
		aws:     "The factory calls itself back: no delivery arrives.",
		refusal: "Function factory: variable API_URL is from api.url, and in function stock it is " +
			"from config.factoryUrl: use one source in both functions, or another name",
	},
	{
		file:    "lambdas/environment.go",
		correct: `from:"config.metricsNamespace"`,
		wrong:   `from:"database.name"`,
		aws:     "Functions measure in another namespace than the alarms watch.",
		refusal: `function stock: variable METRICS_NAMESPACE is from "database.name", and the function is ` +
			"outside the private network",
	},
	{
		file:    "lambdas/environment.go",
		correct: "Port   int    `env:\"DATABASE_PORT\" from:\"database.port\"",
		wrong:   "Port   int    `env:\"DATABASE_PORT\" from:\"database.name\"",
		aws:     "No function starts: its port is not a number.",
		refusal: "Function setup: variable DATABASE_PORT is from database.port, and in function " +
			"sales-api it is from database.name: use one source in both functions, or another name",
	},
	{
		file:    "lambdas/environment.go",
		correct: `from:"topic.stock_empty" grant:"publish"`,
		wrong:   `from:"topic.stock_empty"`,
		aws:     "No function may publish a production order.",
		refusal: `variable STOCK_EMPTY_TOPIC from "topic.stock_empty" grants nothing: …add a grant beside ` +
			"it in lambdas/environment.go",
	},
	{
		file:    "infra/stack/stack.go",
		correct: `ctx.Export("topicName", b.messaging.topic.Name)`,
		wrong:   `ctx.Export("topicName", b.managers.Name)`,
		aws:     "Programs that use the output publish to people.",
		refusal: "output topicName: it is the name of Topic stock_operations, and Queue stock_queue",
	},
	{
		file:    "infra/stack/proxy.go",
		correct: "append(in, out...)",
		wrong:   "append(in, out[:0]...)",
		aws:     "Functions start before the proxy reaches the database: the first requests fail.",
		refusal: "proxy-to-database: until then its connections time out: let it depend on",
	},
	{
		file:    "infra/stack/cdn.go",
		correct: "lambdas.RouteOpenAPI, lambdas.RouteProducts}",
		wrong:   "lambdas.RouteOpenAPI, lambdas.RouteCheckout}",
		aws:     "CloudFront answers 403 to every purchase.",
		refusal: `its cache behavior for /checkout allows only …to the route "POST /checkout"`,
	},
	{
		file:    "infra/policy/policy.go",
		correct: `Condition{"Bool"`,
		wrong:   `Condition{"Boolean"`,
		aws:     "AWS refuses every policy with the condition.",
		refusal: "has the condition operator Boolean, which does not exist: IAM refuses it: use an operator",
	},
	{
		file:    "infra/stack/alarms.go",
		correct: `pulumi.String("GreaterThanThreshold")`,
		wrong:   `pulumi.String("GreaterThanOrEqualToThreshold")`,
		aws:     "Every alarm about failures rings from the first day on.",
		refusal: "it is for values of 0 or more: it always rings: compare with GreaterThanThreshold",
	},
	{
		file:    "infra/stack/network.go",
		correct: "VpcId: n.vpc.ID(), Description:",
		wrong:   "Description:",
		aws:     "The groups are in the default VPC: CreateDBInstance and CreateFunction fail.",
		refusal: "SecurityGroup functions: its vpcId is not set: EC2 makes it in the default VPC of the " +
			"account: set vpcId to the id of the VPC",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: "Timeout:     30 * time.Second",
		wrong:   "Timeout:     90 * time.Second",
		aws:     "A slow sweep still runs when the next one begins: Lambda throttles the second.",
		refusal: "Function sweep: its timeout is 90 s, and EventRule sweep invokes it every 60 s: two " +
			"invocations may run at once: lower its timeout",
	},
	{
		file:    "lambdas/lambdas.go",
		correct: "Environment: MerchantAPIEnvironment{}",
		wrong:   "Environment: SalesAPIEnvironment{}",
		aws:     "merchant-api exits at its start: FACTORY_LEAD_TIME is not set.",
		refusal: "function merchant-api: its Environment is SalesAPIEnvironment, and not its own",
	},
	{
		file:    "infra/stack/grants.go",
		correct: "pulumi.String(leadTime.String())",
		wrong:   "pulumi.Sprintf(\"%d\", leadTime/time.Second)",
		aws:     "merchant-api exits at its start: a duration needs a unit.",
		refusal: "Function merchant-api: variable FACTORY_LEAD_TIME, from config.factoryLeadTime, is " +
			"…which the function does not decode: it exits at its start: …missing unit",
	},
	{
		file:    "infra/stack/triggers.go",
		correct: "\"code\": pulumi.String(code.Hash), ",
		wrong:   "",
		aws:     "A deployment with a new migration does not run setup: functions miss its tables.",
		refusal: "Invocation setup: its triggers have no code: a deployment of new code does not invoke the " +
			"function: add the trigger code, with the hash of the function's code",
	},
	{
		file:    "infra/stack/messaging.go",
		correct: "&sns.TopicArgs{\n\t\tKmsMasterKeyId:",
		wrong:   "&sns.TopicArgs{\n\t\tName: pulumi.String(\"empty\"), KmsMasterKeyId:",
		aws:     "A second stage in the account shares the topic: each stage gets the other's messages.",
		refusal: `Topic stock_empty: its name is "empty", without the stage: another stage in the account ` +
			"could not make its own: put the stage into the name, or leave the name to Pulumi",
	},
}
