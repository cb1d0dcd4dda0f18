package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"restock/infra/policy"
	"restock/infra/policy/evaluation"
)

// An answer is what IAM says to a request.
type answer string

const (
	yes   answer = "allowed"
	no    answer = "not allowed"
	never answer = "denied, whatever another policy allows"
)

// A question asks whether a role may do something.
type question struct {
	action, resource string
	of, gets         string            // the tags of the resource and of the request: project/stage
	with             map[string]string // other condition keys
	want             answer
}

const (
	here      = "arn:aws:%s:ap-northeast-2:000000000000:%s"
	ownQueue  = "arn:aws:sqs:ap-northeast-2:000000000000:restock-pr-12-stock_queue-0123abc"
	ownSecret = "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:restock-pr-12-database-0123abc-AbCdEf"
	master    = "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:rds!db-1-AbCdEf"
	masterTag = "aws:ResourceTag/aws:rds:primaryDBInstanceArn"
	ownRole   = "arn:aws:iam::000000000000:role/restock/pr-12/stock-0123abc"
	gateway   = "arn:aws:apigateway:ap-northeast-2::"
	aKey      = "arn:aws:kms:ap-northeast-2:000000000000:key/a"
	ownBound  = "arn:aws:iam::000000000000:policy/restock-delivery/functions-pr"
)

// The tags of a stage of the role, and of a stage of another role.
const (
	own  = "restock/pr-12"
	prod = "restock/prod"
)

func at(service, resource string) string { return fmt.Sprintf(here, service, resource) }

// byTag returns a question about tags, and the questions to which IAM must say no: without tags,
// with the tags of another project, without a stage, and with another role's stage.
func byTag(q question) []question {
	all := []question{q}
	for tags, want := range map[string]answer{"": no, "payroll/pr-12": no, "restock/": no, prod: never} {
		other := q
		other.want = want
		if q.of != "" {
			other.of = tags
		} else {
			other.gets = tags
		}
		all = append(all, other)
	}
	return all
}

// taggedAsks are questions about resources that AWS identifies by tags alone.
func taggedAsks() (all []question) {
	const distribution = "arn:aws:cloudfront::000000000000:distribution/1"
	for _, q := range []question{
		// what makes a resource
		{action: "apigateway:POST", resource: gateway + "/apis", gets: own},
		{action: "apigateway:POST", resource: gateway + "/domainnames", gets: own},
		{action: "ec2:CreateVpc", resource: at("ec2", "vpc/1"), gets: own},
		{action: "ec2:CreateSubnet", resource: at("ec2", "subnet/1"), gets: own},
		{action: "ec2:CreateRouteTable", resource: at("ec2", "route-table/1"), gets: own},
		{action: "ec2:AuthorizeSecurityGroupIngress", resource: at("ec2", "security-group-rule/1"), gets: own},
		{action: "ec2:CreateSecurityGroup", resource: at("ec2", "security-group/1"), gets: own},
		{action: "ec2:CreateVpcEndpoint", resource: at("ec2", "vpc-endpoint/1"), gets: own},
		{action: "ec2:CreateTags", resource: at("ec2", "security-group/1"), gets: own},
		{action: "ec2:CreateTags", resource: at("ec2", "security-group-rule/1"), gets: own},
		{action: "ec2:CreateTags", resource: at("ec2", "vpc/1"), gets: own,
			with: map[string]string{"ec2:CreateAction": "CreateVpc"}},
		{action: "lambda:TagResource", resource: at("lambda", "event-source-mapping:1"), gets: own},
		{action: "rds:CreateDBProxy", resource: "*", gets: own},
		{action: "rds:AddTagsToResource", resource: at("rds", "db-proxy:1"), gets: own},
		{action: "cloudfront:CreateDistribution", resource: "*", gets: own},
		{action: "kms:CreateKey", resource: "*", gets: own},
		// what changes it
		{action: "apigateway:POST", resource: gateway + "/apis/1/routes", of: own},
		{action: "apigateway:PATCH", resource: gateway + "/domainnames/1", of: own},
		{action: "ec2:CreateSubnet", resource: at("ec2", "vpc/1"), of: own},
		{action: "ec2:CreateSecurityGroup", resource: at("ec2", "vpc/1"), of: own},
		{action: "ec2:CreateVpcEndpoint", resource: at("ec2", "vpc/1"), of: own},
		{action: "ec2:DeleteVpc", resource: at("ec2", "vpc/1"), of: own},
		{action: "ec2:AuthorizeSecurityGroupIngress", resource: at("ec2", "security-group/1"), of: own},
		{action: "rds:DeleteDBProxy", resource: at("rds", "db-proxy:1"), of: own},
		{action: "cloudfront:UpdateDistribution", resource: distribution, of: own},
		{action: "kms:PutKeyPolicy", resource: aKey, of: own},
	} {
		q.want = yes
		all = append(all, byTag(q)...)
	}
	return all
}

// roleAsks are questions about roles, and about the services that get them.
func roleAsks() (all []question) {
	const account = "arn:aws:iam::000000000000:role/"
	for service, want := range map[string]answer{"apigateway": yes, "lambda": yes, "rds": yes, "ec2": no} {
		to := map[string]string{"iam:PassedToService": service + ".amazonaws.com"}
		all = append(all, question{action: "iam:PassRole", resource: ownRole, with: to, want: want},
			question{action: "iam:PassRole", resource: account + "Admin", with: to, want: no})
	}
	for _, role := range []string{"rds", "ops.apigateway", "ecs"} {
		for _, service := range []string{"rds", "ops.apigateway"} {
			want := no
			if role == service {
				want = yes
			}
			all = append(all, question{action: "iam:CreateServiceLinkedRole",
				resource: account + "aws-service-role/" + role + ".amazonaws.com/x",
				with:     map[string]string{"iam:AWSServiceName": service + ".amazonaws.com"}, want: want})
		}
	}
	return all
}

// deploymentAsks are questions about the role deploy-pr.
var deploymentAsks = slices.Concat(namedAsks(), taggedAsks(), roleAsks(), []question{
	{action: "ec2:DescribeVpcs", resource: "*",
		with: map[string]string{"aws:RequestedRegion": "ap-northeast-2"}, want: yes},
	{action: "ec2:DescribeVpcs", resource: "*",
		with: map[string]string{"aws:RequestedRegion": "us-east-1"}, want: no},
	{action: "secretsmanager:ListSecrets", resource: "*", want: no},

	// what a stage's policy could open to the role
	{action: "secretsmanager:GetSecretValue", resource: ownSecret, of: own, want: never},
	{action: "sqs:ReceiveMessage", resource: ownQueue, of: own, want: never},
	{action: "sts:AssumeRole", resource: ownRole, of: own, want: never},
	{action: "iam:UpdateAssumeRolePolicy", resource: ownRole, of: own, want: no},
	{action: "secretsmanager:PutResourcePolicy", resource: ownSecret, of: own,
		with: map[string]string{"secretsmanager:BlockPublicPolicy": "true"}, want: yes},
	{action: "secretsmanager:PutResourcePolicy", resource: ownSecret, of: own,
		with: map[string]string{"secretsmanager:BlockPublicPolicy": "false"}, want: no},
	{action: "secretsmanager:PutResourcePolicy", resource: ownSecret, of: own, want: no},
	{action: "secretsmanager:CreateSecret", resource: master, want: yes},
	{action: "secretsmanager:PutResourcePolicy", resource: master,
		with: map[string]string{"secretsmanager:BlockPublicPolicy": "true"}, want: no},
	{action: "secretsmanager:RotateSecret", resource: master, want: no},
	{action: "secretsmanager:TagResource", resource: at("secretsmanager", "secret:theirs"), want: no},

	// the names and tags of somebody else
	{action: "sqs:SetQueueAttributes", resource: at("sqs", "orders"), want: no},
	{action: "lambda:UpdateFunctionCode", resource: at("lambda", "function:payroll"), want: no},
	{action: "logs:DeleteLogGroup", resource: at("logs", "log-group:/aws/vendedlogs/restock/prod/api-access"),
		want: never},
	{action: "logs:DeleteLogGroup", resource: at("logs", "log-group:/aws/vendedlogs/restock/dev/api-access"),
		want: never},
	{action: "logs:DeleteLogGroup", resource: at("logs", "log-group:/aws/vendedlogs/restock/pr-12/api-access"),
		want: yes},
	{action: "rds:DeleteDBInstance", resource: at("rds", "db:hr"), want: no},
	{action: "rds:CreateDBInstance", resource: at("rds", "og:default:mariadb-10-11"), want: yes},
	{action: "rds:CreateDBInstance", resource: at("rds", "og:theirs"), want: no},
	{action: "sqs:TagQueue", resource: ownQueue, of: own, gets: prod, want: never},
	{action: "sqs:SetQueueAttributes", resource: ownQueue, of: prod, want: never},
	{action: "iam:DeleteRole", resource: "arn:aws:iam::000000000000:role/restock/prod/stock-0123abc", want: never},
	{action: "iam:DeleteRole", resource: "arn:aws:iam::000000000000:role/restock/dev/stock-0123abc", want: never},
	{action: "iam:DeleteRole", resource: ownRole, of: own, want: yes},
	{action: "iam:DeleteRole", resource: "arn:aws:iam::000000000000:role/Admin", want: no},

	// event source mappings belong to their function
	{action: "lambda:UpdateEventSourceMapping", resource: at("lambda", "event-source-mapping:1"), of: own,
		with: map[string]string{"lambda:FunctionArn": at("lambda", "function:restock-pr-12-stock-0123abc")}, want: yes},
	{action: "lambda:UpdateEventSourceMapping", resource: at("lambda", "event-source-mapping:1"),
		with: map[string]string{"lambda:FunctionArn": at("lambda", "function:payroll")}, want: no},
	{action: "lambda:TagResource", resource: at("lambda", "layer:theirs"), gets: own, want: no},

	// APIs
	{action: "apigateway:GET", resource: gateway + "/apis/1", of: own, want: yes},
	{action: "apigateway:GET", resource: "arn:aws:apigateway:us-east-1::/apis/1", want: no},
	{action: "apigateway:POST", resource: gateway + "/usageplans", gets: own, want: no},
	{action: "apigateway:PATCH", resource: gateway + "/apis/1", of: prod, want: never},
	{action: "apigateway:PATCH", resource: gateway + "/account", of: own, want: no},
	{action: "apigateway:PUT", resource: gateway + "/tags/1", gets: own, want: yes},
	{action: "apigateway:PUT", resource: gateway + "/restapis/1", gets: own, of: own, want: no},

	// networks
	{action: "ec2:CreateVpc", resource: at("ec2", "ipam-pool/1"), gets: own, want: no},
	{action: "ec2:CreateSubnet", resource: at("ec2", "vpc/1"), of: own, gets: own, want: yes},
	{action: "ec2:CreateSubnet", resource: at("ec2", "vpc/1"), gets: own, want: no},
	{action: "ec2:CreateSubnet", resource: at("ec2", "vpc/1"), of: prod, gets: own, want: never},
	{action: "ec2:AuthorizeSecurityGroupIngress", resource: at("ec2", "security-group/1"), gets: own, want: no},
	{action: "ec2:CreateSecurityGroup", resource: at("ec2", "vpc/1"), gets: own, want: no},
	{action: "ec2:CreateVpcEndpoint", resource: at("ec2", "vpc/1"), gets: own, want: no},
	{action: "ec2:DeleteVpc", resource: "arn:aws:ec2:us-east-1:000000000000:vpc/1", of: own, want: no},
	{action: "ec2:CreateTags", resource: at("ec2", "vpc/1"), gets: own, want: no}, // it exists already
	{action: "ec2:CreateTags", resource: "arn:aws:ec2:us-east-1:000000000000:vpc/1", gets: own,
		with: map[string]string{"ec2:CreateAction": "CreateVpc"}, want: no},
	{action: "ec2:CreateTags", resource: at("ec2", "security-group/1"), of: prod, gets: own, want: never},
	{action: "ec2:DeleteNetworkInterface", resource: at("ec2", "network-interface/1"), want: yes},
	{action: "ec2:DeleteNetworkInterface", resource: at("ec2", "subnet/1"), want: no},

	// proxies
	{action: "rds:AddTagsToResource", resource: at("rds", "es:1"), gets: own, want: no},
	{action: "rds:DeregisterDBProxyTargets", resource: at("rds", "cluster:1"), of: own, want: no},
	{action: "rds:ModifyDBProxyTargetGroup", resource: at("rds", "target-group:1"), want: yes},
	{action: "rds:RegisterDBProxyTargets", resource: at("rds", "cluster:1"), want: no},

	// CloudFront
	{action: "cloudfront:UntagResource", resource: "arn:aws:cloudfront::000000000000:function/f", of: own, want: no},
	{action: "cloudfront:CreateResponseHeadersPolicy", resource: "*", want: yes},
	{action: "logs:CreateLogDelivery", resource: "*", want: yes},

	// keys
	{action: "kms:EnableKeyRotation", resource: aKey, want: yes}, // the tags do not count yet
	{action: "kms:EnableKeyRotation", resource: aKey, of: prod, want: never},
	{action: "kms:EnableKeyRotation", resource: "arn:aws:kms:us-east-1:000000000000:key/a", want: no},
	{action: "kms:EnableKeyRotation", resource: keyARN, want: never},
	{action: "kms:TagResource", resource: keyARN, gets: own, want: never},
	{action: "kms:TagResource", resource: aKey, of: prod, gets: own, want: never},
	{action: "kms:PutKeyPolicy", resource: "arn:aws:kms:us-east-1:000000000000:key/a", of: own, want: no},
	{action: "kms:PutKeyPolicy", resource: keyARN, of: own, want: never},

	// roles
	{action: "iam:CreateRole", resource: ownRole, gets: own,
		with: map[string]string{"iam:PermissionsBoundary": ownBound}, want: yes},
	{action: "iam:CreateRole", resource: ownRole, gets: own, want: no},
	{action: "iam:CreateRole", resource: ownRole, gets: own,
		with: map[string]string{"iam:PermissionsBoundary": strings.Replace(ownBound, "-pr", "-prod", 1)}, want: no},
	{action: "iam:CreateRole", resource: "arn:aws:iam::000000000000:role/Admin", gets: own,
		with: map[string]string{"iam:PermissionsBoundary": ownBound}, want: no},

	// the state
	{action: "s3:ListBucket", resource: bucketARN, want: yes},
	{action: "s3:ListBucket", resource: "arn:aws:s3:::theirs", want: no},
	{action: "s3:GetObject", resource: bucketARN + "/.pulumi/meta.yaml", want: yes},
	{action: "s3:PutObject", resource: bucketARN + "/.pulumi/meta.yaml", want: no},
	{action: "s3:PutObject", resource: bucketARN + "/.pulumi/stacks/restock/pr-12.json", want: yes},
	{action: "s3:PutObject", resource: bucketARN + "/.pulumi/history/restock/pr-12/1", want: yes},
	{action: "s3:PutObject", resource: bucketARN + "/.pulumi/backups/restock/pr-12/1", want: yes},
	{action: "s3:PutObject", resource: bucketARN + "/.pulumi/locks/organization/restock/pr-12/1", want: yes},
	{action: "s3:GetObject", resource: bucketARN + "/.pulumi/stacks/restock/prod.json", want: no},
}, stateKeyAsks("pr", yes, "stacks/restock/pr-12.json", "history/restock/pr-12/1", "backups/restock/pr-12/1",
	"locks/organization/restock/pr-12/1"))

// namedAsks are questions about resources with names: each is asked of a stage of the role, of
// prod, and of somebody else's.
func namedAsks() (all []question) {
	for _, kind := range []struct{ service, before, action string }{
		{"cloudwatch", "alarm:", "cloudwatch:PutMetricAlarm"},
		{"events", "rule/", "events:PutTargets"},
		{"lambda", "function:", "lambda:UpdateFunctionCode"},
		{"logs", "log-group:", "logs:DeleteLogGroup"},
		{"rds", "db:", "rds:DeleteDBInstance"},
		{"rds", "snapshot:", "rds:CreateDBSnapshot"},
		{"secretsmanager", "secret:", "secretsmanager:RotateSecret"},
		{"sns", "", "sns:SetTopicAttributes"},
		{"sqs", "", "sqs:SetQueueAttributes"},
	} {
		for name, want := range map[string]answer{"restock-pr-12-x-0123abc": yes, "restock-prod-x-0123abc": never,
			"restock-dev-x-0123abc": never, "x": no} {
			all = append(all, question{action: kind.action, resource: at(kind.service, kind.before+name), want: want})
		}
	}
	for resource, want := range map[string]answer{"restock-pr-12": yes, "restock-prod": no} {
		all = append(all, question{action: "cloudwatch:PutDashboard",
			resource: "arn:aws:cloudwatch::000000000000:dashboard/" + resource, want: want})
	}
	for resource, want := range map[string]answer{"pg:restock-pr-1-x": yes, "pg:restock-prod-x": no,
		"subgrp:restock-pr-1-x": yes, "subgrp:restock-prod-x": no} {
		all = append(all, question{action: "rds:AddTagsToResource", resource: at("rds", resource), gets: own,
			want: want})
	}
	return all
}

// stateKeyAsks are questions about the key of the state, for files of an environment. writes is the
// answer to a question about writing.
func stateKeyAsks(environment string, writes answer, files ...string) (all []question) {
	ask := func(action, context, value string, want answer) {
		all = append(all, question{action: action, resource: keyARN,
			with: map[string]string{"kms:EncryptionContext:" + context: value}, want: want})
	}
	for _, file := range append(files, "meta.yaml") {
		arn := bucketARN + "/.pulumi/" + file
		ask("kms:Decrypt", "aws:s3:arn", arn, yes)
		ask("kms:GenerateDataKey", "aws:s3:arn", arn, writes)
		all = append(all, question{action: "kms:Decrypt", resource: aKey,
			with: map[string]string{"kms:EncryptionContext:aws:s3:arn": arn}, want: no})
	}
	ask("kms:Decrypt", "aws:s3:arn", bucketARN+"/.pulumi/stacks/restock/prod.json", no)
	ask("kms:Decrypt", environmentContext, environment, yes)
	ask("kms:Encrypt", environmentContext, environment, writes)
	ask("kms:Decrypt", environmentContext, "prod", no)
	return append(all, question{action: "kms:Decrypt", resource: keyARN, want: no},
		question{action: "kms:Decrypt", resource: aKey, with: map[string]string{
			"kms:EncryptionContext:" + environmentContext: environment}, want: no})
}

// previewAsks are questions about the role preview-dev.
var previewAsks = slices.Concat([]question{
	{action: "s3:ListBucket", resource: bucketARN, want: yes},
	{action: "s3:ListBucket", resource: "arn:aws:s3:::theirs", want: no},
	{action: "s3:GetObject", resource: bucketARN + "/.pulumi/meta.yaml", want: yes},
	{action: "s3:GetObject", resource: bucketARN + "/.pulumi/stacks/restock/dev.json", want: yes},
	{action: "s3:PutObject", resource: bucketARN + "/.pulumi/stacks/restock/dev.json", want: no},
	{action: "s3:GetObject", resource: bucketARN + "/.pulumi/stacks/restock/prod.json", want: no},
}, stateKeyAsks("dev", no, "stacks/restock/dev.json"))

// functionAsks are questions about the boundary of the roles of pr-*: the role itself allows
// everything.
var functionAsks = []question{
	{action: "logs:PutLogEvents", resource: at("logs", "log-group:restock-pr-12-stock-0123abc:log-stream:1"),
		want: yes},
	{action: "logs:PutLogEvents", resource: at("logs", "log-group:/aws/vendedlogs/restock/pr-12/api-access"),
		want: yes},
	{action: "logs:PutLogEvents", resource: at("logs", "log-group:restock-prod-stock-0123abc:log-stream:1"),
		want: no},
	{action: "secretsmanager:GetSecretValue", resource: ownSecret, want: yes},
	{action: "secretsmanager:PutResourcePolicy", resource: ownSecret, want: no},
	{action: "secretsmanager:GetSecretValue", resource: strings.Replace(ownSecret, "pr-12", "prod", 1), want: never},
	{action: "secretsmanager:GetSecretValue", resource: master,
		with: map[string]string{masterTag: at("rds", "db:restock-pr-12-database-0123abc")}, want: yes},
	{action: "secretsmanager:GetSecretValue", resource: master,
		with: map[string]string{masterTag: at("rds", "db:restock-prod-database-0123abc")}, want: never},
	{action: "secretsmanager:GetSecretValue", resource: master, want: never},
	{action: "secretsmanager:PutSecretValue", resource: master,
		with: map[string]string{masterTag: at("rds", "db:restock-pr-12-database-0123abc")}, want: no},
	{action: "secretsmanager:GetSecretValue", resource: at("secretsmanager", "secret:theirs"),
		with: map[string]string{masterTag: at("rds", "db:restock-pr-12-database-0123abc")}, want: never},
	{action: "sqs:SendMessage", resource: ownQueue, want: yes},
	{action: "sqs:SetQueueAttributes", resource: ownQueue, want: no},
	{action: "sqs:SendMessage", resource: strings.Replace(ownQueue, "pr-12", "prod", 1), want: never},
	{action: "sns:Publish", resource: at("sns", "restock-pr-12-stock_empty-0123abc"), want: yes},
	{action: "sns:Publish", resource: at("sns", "restock-prod-stock_empty-0123abc"), want: never},
	{action: "kms:GenerateDataKey", resource: aKey, of: own, want: yes},
	{action: "kms:GenerateDataKey", resource: aKey, of: prod, want: no},
	{action: "kms:GenerateDataKey", resource: aKey, of: "payroll/pr-12", want: no},
	{action: "kms:GenerateDataKey", resource: aKey, want: no},
	{action: "kms:Decrypt", resource: "arn:aws:kms:us-east-1:000000000000:key/a", of: own, want: no},
	{action: "ec2:CreateNetworkInterface", resource: at("ec2", "network-interface/1"), want: yes},
	{action: "ec2:CreateNetworkInterface", resource: at("ec2", "subnet/1"), of: own, want: yes},
	{action: "ec2:CreateNetworkInterface", resource: at("ec2", "subnet/1"), of: prod, want: never},
	{action: "ec2:CreateNetworkInterface", resource: at("ec2", "security-group/1"), of: prod, want: never},
	{action: "ec2:AssignPrivateIpAddresses", resource: at("ec2", "network-interface/1"), of: prod, want: never},
	{action: "ec2:RunInstances", resource: "*", want: no},
	{action: "xray:PutTraceSegments", resource: "*", want: yes},
	{action: "xray:GetTraceSummaries", resource: "*", want: no},
	{action: "rds:DeleteDBInstance", resource: at("rds", "db:restock-pr-12-database-0123abc"), want: no},
}

// A subject is a role or a boundary, with the questions about it.
type subject struct {
	name string
	asks []question
	role string // the ARN of a role that has the policies
	// bounded is true if the policies are the boundary of the role.
	bounded bool
}

var subjects = []subject{
	{"deploy-pr", deploymentAsks, "arn:aws:iam::000000000000:role/restock-delivery/deploy-pr", false},
	{"preview-dev", previewAsks, "arn:aws:iam::000000000000:role/restock-delivery/preview-dev", false},
	{"functions-pr", functionAsks, ownRole, true},
}

func TestWhoMayDoWhatToWhichStage(t *testing.T) {
	all := permissions(t, record(t))
	for _, s := range subjects {
		for _, wrong := range s.wrong(t, all[s.name].Statement, len(s.asks)) {
			t.Errorf("%s: %s", s.name, wrong)
		}
	}
}

// A change of any statement must fail the table above: without the statement, without one of its
// conditions, or for every resource. A statement that nothing asks about could be wrong unnoticed.
func TestTheTableNoticesEachChange(t *testing.T) {
	all := permissions(t, record(t))
	for _, s := range subjects {
		for i, statement := range all[s.name].Statement {
			asked := s.about(statement)
			for name, changed := range changes(all[s.name].Statement, i) {
				if !slices.Contains(sameAnyway, name) && len(asked.wrong(t, changed, 1)) == 0 {
					t.Errorf("%s: %s, and the table does not notice", s.name, name)
				}
			}
		}
	}
}

// about returns the subject with the questions about the actions of a statement alone.
func (s subject) about(statement policy.Statement) subject {
	var asks []question
	for _, q := range s.asks {
		matches := func(pattern string) bool { ok, _ := path.Match(pattern, q.action); return ok }
		if slices.ContainsFunc(statement.Action, matches) {
			asks = append(asks, q)
		}
	}
	s.asks = asks
	return s
}

// sameAnyway are the changes that change nothing. The denial of all other secrets makes the
// resource of this permission of a boundary redundant.
var sameAnyway = []string{`{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":` +
	`["arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:rds!db-*"]}: any resource`}

// changes returns lists of statements with one change each of the i-th, by the change.
func changes(statements []policy.Statement, i int) map[string][]policy.Statement {
	was := statements[i]
	text, _ := json.Marshal(was) // a struct of strings
	all := map[string][]policy.Statement{
		fmt.Sprintf("%s is gone", text): slices.Delete(slices.Clone(statements), i, i+1),
	}
	change := func(what string, edit func(*policy.Statement)) {
		changed := slices.Clone(statements)
		edit(&changed[i])
		all[fmt.Sprintf("%s: %s", text, what)] = changed
	}
	change("the effect is the other", func(s *policy.Statement) {
		s.Effect = map[string]string{"Allow": "Deny", "Deny": "Allow"}[was.Effect]
	})
	for operator := range was.Condition {
		change("no "+operator, func(s *policy.Statement) {
			s.Condition = maps.Clone(was.Condition)
			delete(s.Condition, operator)
		})
	}
	for j, resource := range was.Resource {
		if resource != "*" {
			change("any resource", func(s *policy.Statement) { s.Resource = anything })
		}
		if len(was.Resource) > 1 {
			change("without "+resource, func(s *policy.Statement) {
				s.Resource = slices.Delete(slices.Clone(was.Resource), j, j+1)
			})
		}
	}
	return all
}

// wrong lists the questions to which the statements give the wrong answer, up to a limit.
func (s subject) wrong(t *testing.T, statements []policy.Statement, limit int) (wrong []string) {
	text, err := json.Marshal(policy.New(statements...))
	if err != nil {
		t.Fatal(err)
	}
	document, err := evaluation.Parse(evaluation.Identity, string(text))
	if err != nil {
		t.Fatal(err)
	}
	policies := evaluation.Policies{Identity: []evaluation.Document{document}}
	if s.bounded {
		everything, err := evaluation.Parse(evaluation.Identity,
			`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`)
		if err != nil {
			t.Fatal(err)
		}
		policies = evaluation.Policies{Identity: []evaluation.Document{everything}, Boundary: &document}
	}
	for _, q := range s.asks {
		if len(wrong) == limit {
			break
		}
		d := policies.Evaluate(q.request(s.role))
		got := no
		if d.Allowed {
			got = yes
		} else if d.Statement != nil {
			got = never
		}
		if got != q.want || len(d.NotUnderstood) > 0 {
			wrong = append(wrong, fmt.Sprintf("%+v is %s (by %+v, not understood %v)", q, got, d.Statement,
				d.NotUnderstood))
		}
	}
	return wrong
}

// request returns the request that a question is about. AWS knows all the keys; the request has
// those of the question.
func (q question) request(role string) evaluation.Request {
	r := evaluation.ByRole(role, "", q.action, q.resource)
	for _, key := range []string{
		"aws:requestedregion", "lambda:functionarn", "secretsmanager:blockpublicpolicy", "iam:permissionsboundary",
		"iam:passedtoservice", "iam:awsservicename", "ec2:createaction", "kms:encryptioncontext:environment",
		"kms:encryptioncontext:aws:s3:arn", strings.ToLower(masterTag),
	} {
		r.Context[key] = nil
	}
	tags := func(key, tags string) {
		r.Context[key+"/project"], r.Context[key+"/stage"] = nil, nil
		project, stage, tagged := strings.Cut(tags, "/")
		if tagged {
			r.Context[key+"/project"] = []string{project}
		}
		if stage != "" {
			r.Context[key+"/stage"] = []string{stage}
		}
	}
	tags("aws:resourcetag", q.of)
	tags("aws:requesttag", q.gets)
	for key, value := range q.with {
		r.Context[strings.ToLower(key)] = []string{value}
	}
	return r
}
