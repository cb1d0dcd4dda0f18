package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// A Type is a Pulumi type token: "aws:sqs/queue:Queue".
type Type string

// AWS is the prefix of the types of AWS resources.
const AWS = "aws:"

// The types of AWS resources that the project uses, or that its rules know.
const (
	Certificate             Type = "aws:acm/certificate:Certificate"
	CertificateValidation   Type = "aws:acm/certificateValidation:CertificateValidation"
	API                     Type = "aws:apigatewayv2/api:Api"
	APIDomainName           Type = "aws:apigatewayv2/domainName:DomainName"
	APIIntegration          Type = "aws:apigatewayv2/integration:Integration"
	APIMapping              Type = "aws:apigatewayv2/apiMapping:ApiMapping"
	RESTAPI                 Type = "aws:apigateway/restApi:RestApi"
	RESTAPIPolicy           Type = "aws:apigateway/restApiPolicy:RestApiPolicy"
	RESTDeployment          Type = "aws:apigateway/deployment:Deployment"
	RESTIntegration         Type = "aws:apigateway/integration:Integration"
	RESTMethod              Type = "aws:apigateway/method:Method"
	RESTResource            Type = "aws:apigateway/resource:Resource"
	RESTStage               Type = "aws:apigateway/stage:Stage"
	APIRoute                Type = "aws:apigatewayv2/route:Route"
	APIStage                Type = "aws:apigatewayv2/stage:Stage"
	CachePolicy             Type = "aws:cloudfront/cachePolicy:CachePolicy"
	Distribution            Type = "aws:cloudfront/distribution:Distribution"
	ResponseHeadersPolicy   Type = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
	CompositeAlarm          Type = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
	Dashboard               Type = "aws:cloudwatch/dashboard:Dashboard"
	EventBus                Type = "aws:cloudwatch/eventBus:EventBus"
	EventRule               Type = "aws:cloudwatch/eventRule:EventRule"
	EventTarget             Type = "aws:cloudwatch/eventTarget:EventTarget"
	LogGroup                Type = "aws:cloudwatch/logGroup:LogGroup"
	MetricAlarm             Type = "aws:cloudwatch/metricAlarm:MetricAlarm"
	Table                   Type = "aws:dynamodb/table:Table"
	TablePolicy             Type = "aws:dynamodb/resourcePolicy:ResourcePolicy"
	DefaultSecurityGroup    Type = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	InternetGateway         Type = "aws:ec2/internetGateway:InternetGateway"
	NATGateway              Type = "aws:ec2/natGateway:NatGateway"
	NetworkACL              Type = "aws:ec2/networkAcl:NetworkAcl"
	RouteTable              Type = "aws:ec2/routeTable:RouteTable"
	RouteTableAssociation   Type = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	SecurityGroup           Type = "aws:ec2/securityGroup:SecurityGroup"
	SecurityGroupRule       Type = "aws:ec2/securityGroupRule:SecurityGroupRule" // the older form of a rule
	Subnet                  Type = "aws:ec2/subnet:Subnet"
	VPC                     Type = "aws:ec2/vpc:Vpc"
	VPCBlock                Type = "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation"
	VPCEndpoint             Type = "aws:ec2/vpcEndpoint:VpcEndpoint"
	VPCEndpointAssociation  Type = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"
	VPCRoute                Type = "aws:ec2/route:Route"
	IdentityProvider        Type = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
	ManagedPolicy           Type = "aws:iam/policy:Policy"
	Role                    Type = "aws:iam/role:Role"
	RolePolicy              Type = "aws:iam/rolePolicy:RolePolicy"
	RolePolicyAttachment    Type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	Key                     Type = "aws:kms/key:Key"
	KeyAlias                Type = "aws:kms/alias:Alias"
	KeyPolicy               Type = "aws:kms/keyPolicy:KeyPolicy"
	EventSourceMapping      Type = "aws:lambda/eventSourceMapping:EventSourceMapping"
	Function                Type = "aws:lambda/function:Function"
	FunctionURL             Type = "aws:lambda/functionUrl:FunctionUrl"
	Invocation              Type = "aws:lambda/invocation:Invocation"
	Permission              Type = "aws:lambda/permission:Permission"
	Database                Type = "aws:rds/instance:Instance"
	ParameterGroup          Type = "aws:rds/parameterGroup:ParameterGroup"
	Proxy                   Type = "aws:rds/proxy:Proxy"
	ProxyDefaultTargetGroup Type = "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup"
	ProxyTarget             Type = "aws:rds/proxyTarget:ProxyTarget"
	SubnetGroup             Type = "aws:rds/subnetGroup:SubnetGroup"
	Bucket                  Type = "aws:s3/bucketV2:BucketV2"
	PlainBucket             Type = "aws:s3/bucket:Bucket" // the older form in version 6 of the provider
	BucketEncryption        Type = "aws:s3/bucketServerSideEncryptionConfigurationV2:" +
		"BucketServerSideEncryptionConfigurationV2"
	PlainBucketEncryption Type = "aws:s3/bucketServerSideEncryptionConfiguration:" +
		"BucketServerSideEncryptionConfiguration"
	BucketObject             Type = "aws:s3/bucketObjectv2:BucketObjectv2"
	PlainBucketObject        Type = "aws:s3/bucketObject:BucketObject"
	BucketPolicy             Type = "aws:s3/bucketPolicy:BucketPolicy"
	BucketPublicAccessBlock  Type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	BucketVersioning         Type = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	StateMachine             Type = "aws:sfn/stateMachine:StateMachine"
	Parameter                Type = "aws:ssm/parameter:Parameter"
	Secret                   Type = "aws:secretsmanager/secret:Secret"
	SecretPolicy             Type = "aws:secretsmanager/secretPolicy:SecretPolicy"
	SecretRotation           Type = "aws:secretsmanager/secretRotation:SecretRotation"
	SecretVersion            Type = "aws:secretsmanager/secretVersion:SecretVersion"
	Topic                    Type = "aws:sns/topic:Topic"
	TopicPolicy              Type = "aws:sns/topicPolicy:TopicPolicy"
	TopicSubscription        Type = "aws:sns/topicSubscription:TopicSubscription"
	Queue                    Type = "aws:sqs/queue:Queue"
	QueuePolicy              Type = "aws:sqs/queuePolicy:QueuePolicy"
	RedriveAllowPolicy       Type = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
	SecurityGroupEgressRule  Type = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	SecurityGroupIngressRule Type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
)

// Short returns the last part of a type: "Queue".
func (t Type) Short() string { return string(t[strings.LastIndex(string(t), ":")+1:]) }

// ARN returns the ARN of a resource of the type; empty if the table facts has none.
func (t Type) ARN(region, name string) string { return fill(facts[t].arn, region, name) }

// HasFacts reports whether the table facts has a row of the type.
func (t Type) HasFacts() bool {
	_, found := facts[t]
	return found
}

// NameLimits returns the limits of the names of a resource of the type.
func (t Type) NameLimits() []NameLimit { return facts[t].names }

// NameOutput is the output with a resource's physical name.
func (t Type) NameOutput() string {
	switch t {
	case Database:
		return "identifier"
	case Bucket, PlainBucket:
		return "bucket"
	}
	return "name"
}

func fill(pattern, region, name string) string {
	pattern = strings.ReplaceAll(pattern, "{region}", region)
	pattern = strings.ReplaceAll(pattern, "{account}", AccountID)
	return strings.ReplaceAll(pattern, "{name}", name)
}

// A NameLimit says which names AWS accepts.
type NameLimit struct {
	Output    string         // the output with the name
	MaxLength int            // in characters
	Form      *regexp.Regexp // matches the complete name
	Words     string         // describes the form, for errors
	NotPrefix string         // a prefix that AWS refuses
	Not       string         // a name that AWS refuses
	GivenOnly bool           // Pulumi makes no name if the program gives none
}

// Accepts reports whether a name has the form. It does not check the length.
func (l NameLimit) Accepts(name string) bool {
	return l.Form.MatchString(name) && (l.NotPrefix == "" || !strings.HasPrefix(name, l.NotPrefix)) &&
		(l.Not == "" || name != l.Not)
}

// PhysicalName returns the name that AWS gets; empty if it gets none. If Pulumi makes the name, the
// suffix is an example.
func (r *Resource) PhysicalName(limit NameLimit) string {
	if name, _ := r.Inputs[limit.Output].(string); name != "" || limit.GivenOnly {
		return name
	}
	return r.autoname()
}

// Autoname returns an example of the name that Pulumi makes for a resource by the pattern in
// Pulumi.yaml. Instead of random digits it ends with a checksum of the type and the name. So two
// resources of different types never have the same name, and one in place of the other is noticed.
// https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
func Autoname(project, stage string, token Type, name string) string {
	sum := sha256.Sum256([]byte(string(token) + " " + name))
	return project + "-" + stage + "-" + name + "-" + hex.EncodeToString(sum[:])[:7]
}

// autoname returns an example of the name that Pulumi makes for the resource.
func (r *Resource) autoname() string {
	stage, rest, _ := strings.Cut(strings.TrimPrefix(r.URN, "urn:pulumi:"), "::")
	project, _, _ := strings.Cut(rest, "::")
	return r.named(Autoname(project, stage, r.Type, r.Name))
}

// named returns the name that the provider makes of an automatic name.
func (r *Resource) named(name string) string {
	if r.Bool("fifoQueue") || r.Bool("fifoTopic") {
		return name + ".fifo"
	}
	if r.Type == Bucket || r.Type == PlainBucket {
		// https://github.com/pulumi/pulumi-aws/blob/master/provider/resources.go
		return strings.ToLower(name)
	}
	return name
}

const (
	letters       = "letters, digits, hyphens and underscores"
	roleWords     = "letters, digits and _+=,.@-"
	rdsWords      = "a lower-case letter, then lower-case letters, digits and single hyphens"
	dottedWords   = "a lower-case letter, then lower-case letters, digits, periods and single hyphens"
	snapshotWords = "a letter, then letters, digits and single hyphens"
	logWords      = "letters, digits and ._-/#, and not to begin with aws/"
	subnetWords   = "a lower-case letter, then lower-case letters, digits, spaces and ._-, and not default"
	groupWords    = "letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*, and not to begin with sg-"
)

var (
	plainName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	fifoName  = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.fifo)?$`)
	roleName  = regexp.MustCompile(`^[\w+=,.@-]+$`)
	groupName = regexp.MustCompile(`^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]+$`)
	// rdsName matches names that RDS and the AWS provider both accept: RDS accepts capitals and
	// turns them into lower case, the provider refuses them. It accepts them in a snapshot's name,
	// and periods in that of a parameter group:
	// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/rds/validate.go
	// https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/rds/instance.go
	rdsName      = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)
	dottedName   = regexp.MustCompile(`^[a-z](-?[a-z0-9.])*$`)
	snapshotName = regexp.MustCompile(`^[A-Za-z](-?[A-Za-z0-9])*$`)
)

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var bucketNames = []NameLimit{{
	Output: "bucket", MaxLength: 63, Form: regexp.MustCompile(`^[a-z0-9][a-z0-9.-]+[a-z0-9]$`),
	Words: "three or more lower-case letters, digits, periods and hyphens", NotPrefix: "xn--",
}}

// named returns the limit of the name in a resource's output "name".
func named(length int, form *regexp.Regexp, words string) []NameLimit {
	return []NameLimit{{Output: "name", MaxLength: length, Form: form, Words: words}}
}

// facts are the ARNs and the limits of names, by type. ARN replaces {region}, {account} and {name}.
// The function deployed adds other outputs. Sources of the limits:
//
//	alarm            https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
//	API              https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
//	database         https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
//	event rule       https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
//	function         https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
//	log group        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
//	parameter group  https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html
//	permission       https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
//	proxy            https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBProxy.html
//	queue            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
//	role             https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
//	role's policy    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
//	secret           https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
//	security group   https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
//	subnet group     https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html
//	topic            https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
//
// #nosec G101 -- the ARN of a secret is not secret
var facts = map[Type]struct {
	arn   string
	names []NameLimit
}{
	API: {"", named(128, regexp.MustCompile(`^.+$`), "any text")},
	Database: {"arn:aws:rds:{region}:{account}:db:{name}", []NameLimit{
		{Output: "identifier", MaxLength: 63, Form: rdsName, Words: rdsWords},
		{Output: "finalSnapshotIdentifier", MaxLength: 255, Form: snapshotName, Words: snapshotWords, GivenOnly: true},
	}},
	Bucket:      {"arn:aws:s3:::{name}", bucketNames},
	PlainBucket: {"arn:aws:s3:::{name}", bucketNames},
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
	Dashboard: {"", []NameLimit{
		{Output: "dashboardName", MaxLength: 255, Form: plainName, Words: letters, GivenOnly: true},
	}},
	Distribution: {"arn:aws:cloudfront::{account}:distribution/{name}", nil},
	// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
	EventBus: {
		"arn:aws:events:{region}:{account}:event-bus/{name}",
		named(256, regexp.MustCompile(`^[/.A-Za-z0-9_-]+$`), "letters, digits and /._-"),
	},
	EventRule: {
		"arn:aws:events:{region}:{account}:rule/{name}",
		named(64, regexp.MustCompile(`^[A-Za-z0-9._-]+$`), "letters, digits and ._-"),
	},
	Function: {"arn:aws:lambda:{region}:{account}:function:{name}", named(64, plainName, letters)},
	Key:      {"arn:aws:kms:{region}:{account}:key/{name}", nil},
	KeyAlias: {"arn:aws:kms:{region}:{account}:{name}", nil},
	LogGroup: {
		"arn:aws:logs:{region}:{account}:log-group:{name}",
		[]NameLimit{{
			Output: "name", MaxLength: 512, Form: regexp.MustCompile(`^[A-Za-z0-9._/#-]+$`), Words: logWords,
			NotPrefix: "aws/",
		}},
	},
	MetricAlarm: {
		"arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
		named(255, regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`), "no control characters"),
	},
	// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
	Parameter: {
		"arn:aws:ssm:{region}:{account}:parameter/{name}",
		named(1011, regexp.MustCompile(`^[A-Za-z0-9_./-]+$`), "letters, digits and _./-"),
	},
	ParameterGroup: {"arn:aws:rds:{region}:{account}:pg:{name}", named(255, dottedName, dottedWords)},
	Permission:     {"", []NameLimit{{Output: "statementId", MaxLength: 100, Form: plainName, Words: letters}}},
	Proxy:          {"arn:aws:rds:{region}:{account}:db-proxy:{name}", named(63, rdsName, rdsWords)},
	Queue:          {"arn:aws:sqs:{region}:{account}:{name}", named(80, fifoName, letters)},
	RESTAPI:        {"arn:aws:apigateway:{region}::/restapis/{name}", nil},
	Role:           {"arn:aws:iam::{account}:role/{name}", named(64, roleName, roleWords)},
	RolePolicy:     {"", named(128, roleName, roleWords)},
	Secret: {
		"arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
		named(512, regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]+$`), "letters, digits and /_+=.@-"),
	},
	SecurityGroup: {"", []NameLimit{
		{Output: "name", MaxLength: 255, Form: groupName, Words: groupWords, NotPrefix: "sg-"},
	}},
	SubnetGroup: {"arn:aws:rds:{region}:{account}:subgrp:{name}", []NameLimit{{
		Output: "name", MaxLength: 255, Form: regexp.MustCompile(`^[a-z][a-z0-9 ._-]*$`), Words: subnetWords,
		Not: "default",
	}}},
	// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
	StateMachine: {"arn:aws:states:{region}:{account}:stateMachine:{name}", named(80, plainName, letters)},
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
	Table: {
		"arn:aws:dynamodb:{region}:{account}:table/{name}",
		named(255, regexp.MustCompile(`^[A-Za-z0-9_.-]{3,}$`), "three or more letters, digits and _.-"),
	},
	Topic: {"arn:aws:sns:{region}:{account}:{name}", named(256, fifoName, letters)},
	VPC:   {"arn:aws:ec2:{region}:{account}:vpc/{name}", nil},
}
