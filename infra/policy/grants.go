package policy

// SourceFunctionARN is a condition key. Requests of a function's code have it; requests that Lambda
// itself makes with the function's role do not:
// https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
const SourceFunctionARN = "lambda:SourceFunctionArn"

// verbs are the IAM actions of a grant's verbs, by the kind of the resource.
var verbs = map[string]map[string][]string{
	"secret": {
		"read":  {"secretsmanager:GetSecretValue"},
		"write": {"secretsmanager:PutSecretValue"},
		// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
		"rotate": {"secretsmanager:DescribeSecret", "secretsmanager:UpdateSecretVersionStage"},
	},
	"topic": {
		"publish": {"sns:Publish"},
	},
	"queue": {
		// An event source mapping does this with the role of its function:
		// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
		"consume": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
		"send":    {"sqs:SendMessage"},
	},
	"key": {
		// SNS encrypts with the permissions of the publisher:
		// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#sns-what-permissions-for-sse
		"encrypt": {"kms:Decrypt", "kms:GenerateDataKey"},
	},
}

// Actions returns the IAM actions of a grant's verb on a kind of resource, like "read" on a
// "secret". It returns none for an unknown verb.
func Actions(kind, verb string) []string { return verbs[kind][verb] }

// TracingActions are the actions that Lambda takes with the role of a function with active tracing.
// X-Ray allows them on every resource only.
// https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
var TracingActions = []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}

// NetworkInterfaceActions are the actions that Lambda takes with the role of a function in a VPC.
// They are allowed on every resource, because the interface does not exist yet. The function's code
// must not take them.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
var NetworkInterfaceActions = []string{
	"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
	"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
}
