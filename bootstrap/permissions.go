package main

import (
	"fmt"
	"slices"

	"restock/infra/policy"
)

// mayDeclare allows a deployment to create, change, read and delete the stack's resources in one
// region. AWS chooses most of their names, so the policy cannot name them: only separate accounts
// isolate stages. The policy leaves out the actions that read the shop's data: secrets' values,
// messages, snapshots.
func mayDeclare(region string) []policy.Statement {
	return []policy.Statement{
		{
			Effect: "Allow",
			Action: []string{
				"apigateway:*",

				"cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards", "cloudwatch:Describe*", "cloudwatch:Get*",
				"cloudwatch:List*",
				"cloudwatch:PutDashboard", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource",
				"cloudwatch:UntagResource",

				"ec2:Describe*", "ec2:CreateTags", "ec2:DeleteTags",
				"ec2:CreateVpc", "ec2:DeleteVpc", "ec2:ModifyVpcAttribute",
				"ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:ModifySubnetAttribute",
				"ec2:CreateRouteTable", "ec2:DeleteRouteTable", "ec2:AssociateRouteTable", "ec2:DisassociateRouteTable",
				"ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute", "ec2:ReplaceRouteTableAssociation",
				"ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup", "ec2:ModifySecurityGroupRules",
				"ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress",
				"ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
				"ec2:UpdateSecurityGroupRuleDescriptionsEgress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
				"ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint",
				// a deleted function leaves interfaces in its subnets
				"ec2:DeleteNetworkInterface", "ec2:DetachNetworkInterface",

				"events:DeleteRule", "events:DescribeRule", "events:DisableRule", "events:EnableRule", "events:List*",
				"events:PutRule",
				"events:PutTargets", "events:RemoveTargets", "events:TagResource", "events:UntagResource",

				"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags",

				"lambda:*",

				"logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy",
				"logs:Describe*",
				"logs:DisassociateKmsKey", "logs:ListTags*", "logs:PutRetentionPolicy", "logs:TagResource",
				"logs:UntagResource",
				// The API's access log:
				// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
				"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery", "logs:ListLogDeliveries",
				"logs:UpdateLogDelivery",
				"logs:PutResourcePolicy",

				"rds:AddTagsToResource", "rds:Describe*", "rds:ListTagsForResource", "rds:RemoveTagsFromResource",
				"rds:CreateDBInstance", "rds:DeleteDBInstance", "rds:ModifyDBInstance", "rds:RebootDBInstance",
				"rds:CreateDBSnapshot",
				"rds:CreateDBParameterGroup", "rds:DeleteDBParameterGroup", "rds:ModifyDBParameterGroup",
				"rds:ResetDBParameterGroup",
				"rds:CreateDBProxy", "rds:DeleteDBProxy", "rds:DeregisterDBProxyTargets", "rds:ModifyDBProxy",
				"rds:ModifyDBProxyTargetGroup",
				"rds:RegisterDBProxyTargets",
				"rds:CreateDBSubnetGroup", "rds:DeleteDBSubnetGroup", "rds:ModifyDBSubnetGroup",

				"secretsmanager:CancelRotateSecret", "secretsmanager:CreateSecret",
				"secretsmanager:DeleteResourcePolicy",
				"secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy",
				"secretsmanager:PutResourcePolicy", "secretsmanager:RestoreSecret", "secretsmanager:RotateSecret",
				"secretsmanager:TagResource", "secretsmanager:UntagResource", "secretsmanager:UpdateSecret",
				"secretsmanager:ValidateResourcePolicy",

				"sns:CreateTopic", "sns:DeleteTopic", "sns:Get*", "sns:List*", "sns:SetSubscriptionAttributes",
				"sns:SetTopicAttributes",
				"sns:Subscribe", "sns:TagResource", "sns:Unsubscribe", "sns:UntagResource",

				"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:Get*", "sqs:List*", "sqs:SetQueueAttributes", "sqs:TagQueue",
				"sqs:UntagQueue",
			},
			Resource:  []string{"*"},
			Condition: policy.Condition{"StringEquals": {"aws:RequestedRegion": region}},
		},
		// For the private names of the endpoints. Route 53 has no region.
		{Effect: "Allow", Action: []string{"route53:AssociateVPCWithHostedZone"}, Resource: []string{"*"}},
	}
}

// keyAdministration are the actions that could take over or delete a key.
var keyAdministration = []string{
	"kms:CancelKeyDeletion", "kms:DisableKeyRotation", "kms:EnableKeyRotation", "kms:PutKeyPolicy",
	"kms:ScheduleKeyDeletion",
	"kms:UntagResource", "kms:UpdateKeyDescription",
}

// mayKeepKeys allows a deployment to create keys that carry its stages' tags, and to change and
// delete them. A role that writes tags could claim a key. So the policy denies all actions on the
// state's key and on keys with the tags of other stages:
// https://docs.aws.amazon.com/kms/latest/developerguide/abac.html
// A deployment could claim a key that no stage has tagged. Only a separate account protects such
// keys.
func mayKeepKeys(stages, stateKey string) []policy.Statement {
	administration := slices.Concat(keyAdministration, []string{"kms:TagResource"})
	return []policy.Statement{
		{
			Effect:   "Allow",
			Action:   []string{"kms:CreateKey", "kms:TagResource"},
			Resource: []string{"*"},
			Condition: policy.Condition{"StringEquals": {"aws:RequestTag/project": project},
				"StringLike": {"aws:RequestTag/stage": stages}},
		},
		{
			Effect:   "Allow",
			Action:   keyAdministration,
			Resource: []string{"*"},
			Condition: policy.Condition{"StringEquals": {"aws:ResourceTag/project": project},
				"StringLike": {"aws:ResourceTag/stage": stages}},
		},
		{Effect: "Deny", Action: administration, Resource: []string{stateKey}},
		{
			Effect:   "Deny",
			Action:   administration,
			Resource: []string{"*"},
			Condition: policy.Condition{"Null": {"aws:ResourceTag/stage": "false"},
				"StringNotLike": {"aws:ResourceTag/stage": stages}},
		},
	}
}

// mayMakeRoles allows a deployment to create the functions' roles below the path of its stages, and
// only with the boundary. Without a boundary, whoever creates a role and gives it to a function is
// an administrator:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
func mayMakeRoles(account, stages, boundary string) []policy.Statement {
	roles := []string{fmt.Sprintf("arn:aws:iam::%s:role/%s/%s/*", account, project, stages)}
	return []policy.Statement{
		{
			Effect:    "Allow",
			Action:    []string{"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"},
			Resource:  roles,
			Condition: policy.Condition{"StringEquals": {"iam:PermissionsBoundary": boundary}},
		},
		{
			Effect: "Allow",
			Action: []string{
				"iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy",
				"iam:ListAttachedRolePolicies",
				"iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:TagRole", "iam:UntagRole",
				"iam:UpdateAssumeRolePolicy",
				"iam:UpdateRole",
			},
			Resource: roles,
		},
		{
			Effect:    "Allow",
			Action:    []string{"iam:PassRole"},
			Resource:  roles,
			Condition: policy.Condition{"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
		},
		{
			Effect:   "Allow",
			Action:   []string{"iam:PassRole"},
			Resource: roles,
			// #nosec G101 -- a proxy's role, and no password
			Condition: policy.Condition{"StringEquals": {"iam:PassedToService": "rds.amazonaws.com"}},
		},
		// RDS creates its service-linked role with the first database of an account.
		{
			Effect:    "Allow",
			Action:    []string{"iam:CreateServiceLinkedRole"},
			Resource:  []string{fmt.Sprintf("arn:aws:iam::%s:role/aws-service-role/rds.amazonaws.com/*", account)},
			Condition: policy.Condition{"StringEquals": {"iam:AWSServiceName": "rds.amazonaws.com"}},
		},
	}
}

// functionsMayAtMost limits the roles that a deployment creates. It grants nothing: a function's
// own role must allow an action too.
func functionsMayAtMost() []policy.Statement {
	return []policy.Statement{{
		Effect: "Allow",
		Action: []string{
			"kms:Decrypt", "kms:GenerateDataKey", // of the key that encrypts a topic
			"logs:CreateLogStream", "logs:PutLogEvents",
			"secretsmanager:DescribeSecret", "secretsmanager:GetRandomPassword", "secretsmanager:GetSecretValue",
			"secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
			"sns:Publish",
			"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
			"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
			"ec2:DescribeNetworkInterfaces",
			"ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
		},
		Resource: []string{"*"},
	}}
}
