package main

import (
	"fmt"
	"slices"
	"strings"

	"restock/infra/policy"
)

// A scope is what an environment's roles may act on: its stages, in one region of one account.
type scope struct {
	region, account string
	stages          string // a stage's name, or a prefix and *
}

// names matches the physical names of the stages' resources. Pulumi makes them by the pattern in
// Pulumi.yaml, which begins with the project and the stage.
func (s scope) names() string {
	if strings.HasSuffix(s.stages, "*") {
		return project + "-" + s.stages
	}
	return project + "-" + s.stages + "-*"
}

// arn returns the ARNs of the stages' resources of a type. Before is the part of the resource's ARN
// before its name, for example "function:".
func (s scope) arn(service, before string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s%s", service, s.region, s.account, before, s.names())
}

// any returns an ARN in the region for a service whose ARNs have no names.
func (s scope) any(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, s.region, s.account, resource)
}

// roles are the roles of the stages' functions, proxies and APIs.
func (s scope) roles() string {
	return fmt.Sprintf("arn:aws:iam::%s:role/%s/%s/*", s.account, project, s.stages)
}

// managedSecrets are the secrets in which RDS keeps the passwords of master users. Their names say
// nothing of the stage: "rds!db-" and a random id.
func (s scope) managedSecrets() string { return s.any("secretsmanager", "secret:rds!db-*") }

// owned is the condition that a resource carries the tags of the stages. infra/operations/tags.go
// sets them.
func (s scope) owned() policy.Condition { return s.tagged("aws:ResourceTag") }

// requested is the condition that a request gives a resource the tags of the stages.
func (s scope) requested() policy.Condition { return s.tagged("aws:RequestTag") }

func (s scope) tagged(key string) policy.Condition {
	return policy.Condition{"StringEquals": {key + "/project": project}, "StringLike": {key + "/stage": s.stages}}
}

// foreign is the condition that the tag exists and names a stage of another role.
func (s scope) foreign(key string) policy.Condition {
	return policy.Condition{"Null": {key + "/stage": "false"}, "StringNotLike": {key + "/stage": s.stages}}
}

func allow(actions, resources []string, condition policy.Condition) policy.Statement {
	return policy.Statement{Effect: "Allow", Action: actions, Resource: resources, Condition: condition}
}

func deny(actions, resources []string, condition policy.Condition) policy.Statement {
	return policy.Statement{Effect: "Deny", Action: actions, Resource: resources, Condition: condition}
}

// anything is the resource of actions that AWS does not limit to a resource.
var anything = []string{"*"}

// mayRead allows a deployment to compare the state with AWS. The actions read settings: no values
// of secrets, no messages, no logs, no code of functions.
func (s scope) mayRead() []policy.Statement {
	return []policy.Statement{
		allow([]string{
			"cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource",
			"ec2:Describe*",
			"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags",
			"lambda:GetEventSourceMapping", "lambda:ListEventSourceMappings", "lambda:ListTags",
			"logs:Describe*", "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:ListTags*",
			"rds:Describe*", "rds:ListTagsForResource",
		}, anything, policy.Condition{"StringEquals": {"aws:RequestedRegion": s.region}}),
		allow([]string{"apigateway:GET"}, []string{fmt.Sprintf("arn:aws:apigateway:%s::/*", s.region)}, nil),
	}
}

// mayManageNamed allows a deployment to make, change and delete the resources whose ARNs contain a
// name. The name holds from the moment of the creation, and nobody can change it, as they can a
// tag. The Service Authorization Reference lists the ARNs:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func (s scope) mayManageNamed() []policy.Statement {
	return []policy.Statement{
		allow([]string{
			"cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard",
			"cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource",
			"cloudwatch:UntagResource",
		}, []string{
			s.arn("cloudwatch", "alarm:"),
			// the dashboard's name ends with the stage
			fmt.Sprintf("arn:aws:cloudwatch::%s:dashboard/%s-%s", s.account, project, s.stages),
		}, nil),
		allow([]string{
			"events:DeleteRule", "events:DescribeRule", "events:DisableRule", "events:EnableRule",
			"events:ListTagsForResource", "events:ListTargetsByRule", "events:PutRule", "events:PutTargets",
			"events:RemoveTargets", "events:TagResource", "events:UntagResource",
		}, []string{s.arn("events", "rule/")}, nil),
		allow([]string{"lambda:*"}, []string{s.arn("lambda", "function:")}, nil),
		allow([]string{
			"logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy",
			"logs:DisassociateKmsKey", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
		}, s.logGroups(), nil),
		allow([]string{
			"rds:AddTagsToResource", "rds:RemoveTagsFromResource",
			"rds:CreateDBInstance", "rds:DeleteDBInstance", "rds:ModifyDBInstance", "rds:RebootDBInstance",
			"rds:CreateDBSnapshot",
			"rds:CreateDBParameterGroup", "rds:DeleteDBParameterGroup", "rds:ModifyDBParameterGroup",
			"rds:ResetDBParameterGroup",
			"rds:CreateDBSubnetGroup", "rds:DeleteDBSubnetGroup", "rds:ModifyDBSubnetGroup",
			"rds:RegisterDBProxyTargets", "rds:DeregisterDBProxyTargets",
		}, []string{
			s.arn("rds", "db:"), s.arn("rds", "pg:"), s.arn("rds", "snapshot:"), s.arn("rds", "subgrp:"),
		}, nil),
		// Every database has RDS's option group for its engine.
		allow([]string{"rds:CreateDBInstance", "rds:ModifyDBInstance"}, []string{s.any("rds", "og:default:*")}, nil),
		allow([]string{
			"secretsmanager:CancelRotateSecret", "secretsmanager:CreateSecret", "secretsmanager:DeleteResourcePolicy",
			"secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy",
			"secretsmanager:RestoreSecret", "secretsmanager:RotateSecret", "secretsmanager:TagResource",
			"secretsmanager:UntagResource", "secretsmanager:UpdateSecret", "secretsmanager:ValidateResourcePolicy",
		}, []string{s.arn("secretsmanager", "secret:")}, nil),
		// Secrets Manager then refuses a policy that opens the secret to everybody:
		// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html
		allow([]string{"secretsmanager:PutResourcePolicy"}, []string{s.arn("secretsmanager", "secret:")},
			policy.Condition{"Bool": {"secretsmanager:BlockPublicPolicy": "true"}}),
		// RDS makes the master user's secret with the rights of the caller:
		// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-permissions
		allow([]string{"secretsmanager:CreateSecret", "secretsmanager:TagResource"},
			[]string{s.managedSecrets()}, nil),
		allow([]string{
			"sns:CreateTopic", "sns:DeleteTopic", "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes",
			"sns:ListSubscriptionsByTopic", "sns:ListTagsForResource", "sns:SetSubscriptionAttributes",
			"sns:SetTopicAttributes", "sns:Subscribe", "sns:TagResource", "sns:Unsubscribe", "sns:UntagResource",
		}, []string{s.arn("sns", "")}, nil),
		allow([]string{
			"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags",
			"sqs:SetQueueAttributes", "sqs:TagQueue", "sqs:UntagQueue",
		}, []string{s.arn("sqs", "")}, nil),
		// An event source mapping has a random id. It belongs to the stage of its function.
		allow([]string{
			"lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping",
		}, anything, policy.Condition{"ArnLike": {"lambda:FunctionArn": s.arn("lambda", "function:")}}),
		allow([]string{"lambda:TagResource", "lambda:UntagResource"},
			[]string{s.any("lambda", "event-source-mapping:*")}, s.requested()),
	}
}

// logGroups are the groups of the functions, and of the API: CloudWatch Logs wants its path.
func (s scope) logGroups() []string {
	return []string{
		s.arn("logs", "log-group:"),
		s.any("logs", fmt.Sprintf("log-group:/aws/vendedlogs/%s/%s/*", project, s.stages)),
	}
}

// mayManageTagged allows a deployment to make resources with the tags of its stages, and to change
// and delete the resources that carry them. Their ARNs contain an id in place of a name.
func (s scope) mayManageTagged() []policy.Statement {
	gateway := func(path string) string { return fmt.Sprintf("arn:aws:apigateway:%s::/%s", s.region, path) }
	ec2 := func(kinds ...string) (arns []string) {
		for _, kind := range kinds {
			arns = append(arns, s.any("ec2", kind+"/*"))
		}
		return arns
	}
	made := s.requested() // by the request that makes the resource
	made["Null"] = map[string]string{"ec2:CreateAction": "false"}
	distributions := []string{fmt.Sprintf("arn:aws:cloudfront::%s:distribution/*", s.account)}
	return []policy.Statement{
		allow([]string{"apigateway:POST", "apigateway:TagResource"},
			[]string{gateway("apis"), gateway("domainnames")}, s.requested()),
		// What tags an API changes the API too (PATCH), so a role cannot claim an API by tagging
		// it:
		// https://github.com/iann0036/iam-dataset/pull/39
		allow([]string{"apigateway:POST", "apigateway:PUT", "apigateway:DELETE"}, []string{gateway("tags/*")}, nil),
		allow([]string{"apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:TagResource"},
			[]string{gateway("apis/*"), gateway("domainnames/*")}, s.owned()),

		// A request for a subnet needs the right to make the subnet, by its tags in the request,
		// and the right to change the VPC, by the VPC's own tags:
		// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
		allow([]string{"ec2:CreateVpc"}, ec2("vpc"), s.requested()),
		allow([]string{
			"ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:CreateSubnet",
			"ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress",
		}, ec2("route-table", "security-group-rule", "subnet"), s.requested()),
		allow([]string{"ec2:CreateSecurityGroup"}, ec2("security-group"), s.requested()),
		allow([]string{"ec2:CreateVpcEndpoint"}, ec2("vpc-endpoint"), s.requested()),
		allow([]string{
			"ec2:AssociateRouteTable", "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress",
			"ec2:CreateRoute", "ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:CreateSubnet",
			"ec2:CreateTags", "ec2:CreateVpcEndpoint", "ec2:DeleteRoute", "ec2:DeleteRouteTable",
			"ec2:DeleteSecurityGroup",
			"ec2:DeleteSubnet", "ec2:DeleteTags", "ec2:DeleteVpc", "ec2:DeleteVpcEndpoints",
			"ec2:DisassociateRouteTable", "ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute",
			"ec2:ModifyVpcAttribute", "ec2:ModifyVpcEndpoint", "ec2:ReplaceRoute",
			"ec2:ReplaceRouteTableAssociation", "ec2:RevokeSecurityGroupEgress",
			"ec2:RevokeSecurityGroupIngress", "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
			"ec2:UpdateSecurityGroupRuleDescriptionsIngress",
		}, ec2("*"), s.owned()),
		allow([]string{"ec2:CreateTags"}, ec2("*"), made),
		// The provider tags a VPC's default group, and a group's rules, after AWS made them. So
		// a role could claim a group that carries no stage. It cannot claim one of another stage.
		allow([]string{"ec2:CreateTags"}, ec2("security-group", "security-group-rule"), s.requested()),
		// A deleted function leaves interfaces without tags in its subnets. AWS refuses to delete
		// an interface that is in use:
		// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html
		allow([]string{"ec2:DeleteNetworkInterface"}, ec2("network-interface"), nil),

		allow([]string{"rds:CreateDBProxy"}, anything, s.requested()),
		allow([]string{"rds:AddTagsToResource"}, []string{s.any("rds", "db-proxy:*")}, s.requested()),
		allow([]string{"rds:DeleteDBProxy", "rds:ModifyDBProxy", "rds:DeregisterDBProxyTargets"},
			[]string{s.any("rds", "db-proxy:*")}, s.owned()),
		// RDS makes the target group of a proxy, without tags and with a random id.
		allow([]string{
			"rds:DeregisterDBProxyTargets", "rds:ModifyDBProxyTargetGroup", "rds:RegisterDBProxyTargets",
		}, []string{s.any("rds", "target-group:*")}, nil),

		allow([]string{"cloudfront:CreateDistribution", "cloudfront:TagResource"}, anything, s.requested()),
		allow([]string{"cloudfront:DeleteDistribution", "cloudfront:UntagResource", "cloudfront:UpdateDistribution"},
			distributions, s.owned()),
		// CloudFront's policies have neither names in their ARNs nor tags. They hold no data.
		allow([]string{
			"cloudfront:CreateCachePolicy", "cloudfront:CreateOriginRequestPolicy",
			"cloudfront:CreateResponseHeadersPolicy", "cloudfront:DeleteCachePolicy",
			"cloudfront:DeleteOriginRequestPolicy", "cloudfront:DeleteResponseHeadersPolicy", "cloudfront:Get*",
			"cloudfront:List*", "cloudfront:UpdateCachePolicy", "cloudfront:UpdateOriginRequestPolicy",
			"cloudfront:UpdateResponseHeadersPolicy",
		}, anything, nil),

		// AWS limits these to no resource. The deliveries are those of the API's access log:
		// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
		// The private names of the endpoints need a hosted zone; Route 53 has no region.
		allow([]string{
			"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
			"route53:AssociateVPCWithHostedZone",
		}, anything, nil),
	}
}

// mayManageKeys allows a deployment to make keys with the tags of its stages, and to change and
// delete them. The provider enables the rotation directly after the creation, and does not try
// again, but the tags count in conditions minutes later only:
// https://docs.aws.amazon.com/kms/latest/developerguide/abac.html
// So a deployment may enable the rotation of every key that carries no other stage. KMS keeps the
// old key material for decryption, so this takes nothing away:
// https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
func (s scope) mayManageKeys() []policy.Statement {
	keys := []string{s.any("kms", "key/*")}
	return []policy.Statement{
		allow([]string{"kms:CreateKey", "kms:TagResource"}, anything, s.requested()),
		allow([]string{"kms:EnableKeyRotation"}, keys, nil),
		allow([]string{
			"kms:CancelKeyDeletion", "kms:DisableKeyRotation", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion",
			"kms:UntagResource", "kms:UpdateKeyDescription",
		}, keys, s.owned()),
	}
}

// mayMakeRoles allows a deployment to create roles below the path of its stages, and only with the
// boundary. Without a boundary, whoever creates a role and gives it to a function is an
// administrator:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
// It may not change who may assume an existing role.
func (s scope) mayMakeRoles(boundary string) []policy.Statement {
	roles := []string{s.roles()}
	statements := []policy.Statement{
		allow([]string{"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}, roles,
			policy.Condition{"StringEquals": {"iam:PermissionsBoundary": boundary}}),
		allow([]string{
			"iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy",
			"iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:TagRole",
			"iam:UntagRole", "iam:UpdateRole",
		}, roles, nil),
	}
	for _, service := range []string{"apigateway", "lambda", "rds"} {
		statements = append(statements, allow([]string{"iam:PassRole"}, roles,
			policy.Condition{"StringEquals": {"iam:PassedToService": service + ".amazonaws.com"}}))
	}
	// AWS makes these roles with the first database and with the first domain name of an account:
	// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/using-service-linked-roles.html
	for _, service := range []string{"ops.apigateway", "rds"} {
		name := service + ".amazonaws.com"
		statements = append(statements, allow([]string{"iam:CreateServiceLinkedRole"},
			[]string{fmt.Sprintf("arn:aws:iam::%s:role/aws-service-role/%s/*", s.account, name)},
			policy.Condition{"StringEquals": {"iam:AWSServiceName": name}}))
	}
	return statements
}

// never denies a deployment what no other policy may allow it, for example the policy of a secret
// that another role opened. others are the stages of the account's other environments.
func (s scope) never(stateKey string, others []string) []policy.Statement {
	statements := []policy.Statement{
		deny([]string{
			"rds:CopyDBSnapshot", "rds:ModifyDBSnapshotAttribute", "rds:RestoreDB*", "rds:StartExportTask",
			"secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage",
			"sts:AssumeRole",
		}, anything, nil),
		deny([]string{"*"}, anything, s.foreign("aws:ResourceTag")),
		deny([]string{"*"}, anything, s.foreign("aws:RequestTag")),
		deny(keyAdministration, []string{stateKey}, nil),
	}
	for _, stages := range others {
		other := scope{s.region, s.account, stages}
		statements = append(statements, deny([]string{"*"}, slices.Concat(other.logGroups(), []string{
			other.arn("cloudwatch", "alarm:"), other.arn("events", "rule/"), other.arn("lambda", "function:"),
			other.arn("rds", "db:"), other.arn("rds", "snapshot:"), other.arn("secretsmanager", "secret:"),
			other.arn("sns", ""), other.arn("sqs", ""), other.roles(),
		}), nil))
	}
	return statements
}

// keyAdministration are the actions that could take over or delete the state's key.
var keyAdministration = []string{
	"kms:CancelKeyDeletion", "kms:CreateGrant", "kms:Disable*", "kms:EnableKeyRotation", "kms:PutKeyPolicy",
	"kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:Update*",
}

// functionsMayAtMost limits the roles that a deployment creates: to their own stages. It grants
// nothing: a function's own role must allow an action too.
func (s scope) functionsMayAtMost() []policy.Statement {
	named := []string{s.arn("secretsmanager", "secret:"), s.arn("sns", ""), s.arn("sqs", "")}
	// RDS tags a master user's secret with its database, and nobody else can set a tag of AWS's:
	// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonRDSServiceRolePolicy.html
	// https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html
	const database = "aws:ResourceTag/aws:rds:primaryDBInstanceArn"
	masters := []string{s.managedSecrets()}
	return []policy.Statement{
		allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, s.logGroups(), nil),
		allow([]string{
			"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
			"secretsmanager:UpdateSecretVersionStage",
			"sns:Publish",
			"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
		}, named, nil),
		allow([]string{"secretsmanager:GetSecretValue"}, masters, nil), // the last statement limits it
		// of the key that encrypts a topic
		allow([]string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{s.any("kms", "key/*")}, s.owned()),
		// Lambda makes the network interfaces: see policy.NetworkInterfaceActions.
		// It makes them in the subnets and groups that a function names, so a function must not be
		// in the VPC of another stage, where it would reach the database.
		allow(policy.NetworkInterfaceActions, anything, nil),
		deny(policy.NetworkInterfaceActions, anything, s.foreign("aws:ResourceTag")),

		// Lambda sends the traces of a stage with the setting tracing.
		allow(policy.TracingActions, anything, nil),

		// A boundary does not limit the policy of a secret or a queue that names a role's session:
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
		// So these statements deny it.
		{
			Effect: "Deny", Action: []string{"secretsmanager:*", "sns:*", "sqs:*"},
			NotResource: slices.Concat(named, masters),
		},
		deny([]string{"secretsmanager:*"}, masters, policy.Condition{"StringNotLike": {database: s.arn("rds", "db:")}}),
	}
}
