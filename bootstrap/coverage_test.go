package main

import (
	"path"
	"slices"
	"testing"

	"restock/infra/graph"
	"restock/infra/stack"
)

// making lists the IAM actions that create a resource of each type of the stack. AWS documents no
// actions for some types; they need those of their parent.
var making = map[graph.Type][]string{
	graph.API:            {"apigateway:POST"},
	graph.APIMapping:     {"apigateway:POST"},
	graph.APIDomainName:  {"apigateway:POST"},
	graph.APIIntegration: {"apigateway:POST"},
	graph.APIRoute:       {"apigateway:POST"},
	graph.APIStage: {"apigateway:POST", "logs:CreateLogDelivery",
		"logs:PutResourcePolicy", "logs:DescribeResourcePolicies"},
	graph.CachePolicy:           {"cloudfront:CreateCachePolicy"},
	graph.Distribution:          {"cloudfront:CreateDistribution", "cloudfront:TagResource"},
	graph.ResponseHeadersPolicy: {"cloudfront:CreateResponseHeadersPolicy"},
	graph.Dashboard:             {"cloudwatch:PutDashboard", "cloudwatch:GetDashboard"},
	graph.EventRule:             {"events:PutRule"},
	graph.EventTarget:           {"events:PutTargets"},
	graph.LogGroup: {"logs:CreateLogGroup", "logs:PutRetentionPolicy",
		"logs:AssociateKmsKey"},
	graph.MetricAlarm: {"cloudwatch:PutMetricAlarm"},
	graph.DefaultSecurityGroup: {"ec2:RevokeSecurityGroupIngress",
		"ec2:RevokeSecurityGroupEgress"},
	graph.RouteTable:            {"ec2:CreateRouteTable"},
	graph.RouteTableAssociation: {"ec2:AssociateRouteTable"},
	graph.SecurityGroup:         {"ec2:CreateSecurityGroup"},
	graph.Subnet:                {"ec2:CreateSubnet"},
	graph.VPC:                   {"ec2:CreateVpc", "ec2:ModifyVpcAttribute"},
	graph.VPCEndpoint: {"ec2:CreateVpcEndpoint",
		"route53:AssociateVPCWithHostedZone"},
	graph.Role:       {"iam:CreateRole", "iam:PassRole"},
	graph.RolePolicy: {"iam:PutRolePolicy"},
	graph.Key: {"kms:CreateKey", "kms:EnableKeyRotation",
		"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"},
	graph.EventSourceMapping: {"lambda:CreateEventSourceMapping"},
	graph.Function: {"lambda:CreateFunction",
		"lambda:PutFunctionConcurrency"},
	graph.Invocation: {"lambda:InvokeFunction"},
	graph.Permission: {"lambda:AddPermission"},
	graph.Database: {"rds:CreateDBInstance",
		"iam:CreateServiceLinkedRole"},
	graph.ParameterGroup: {"rds:CreateDBParameterGroup",
		"rds:ModifyDBParameterGroup"},
	graph.Proxy: {"rds:CreateDBProxy", "rds:DeleteDBProxy"},
	graph.ProxyDefaultTargetGroup: {"rds:ModifyDBProxyTargetGroup",
		"rds:DescribeDBProxyTargetGroups"},
	graph.ProxyTarget: {"rds:RegisterDBProxyTargets",
		"rds:DeregisterDBProxyTargets"},
	graph.SubnetGroup: {"rds:CreateDBSubnetGroup"},
	graph.Secret:      {"secretsmanager:CreateSecret"},
	graph.SecretPolicy: {"secretsmanager:PutResourcePolicy",
		"secretsmanager:ValidateResourcePolicy"},
	graph.SecretRotation: {"secretsmanager:RotateSecret",
		"secretsmanager:CancelRotateSecret"},
	graph.Topic:                    {"sns:CreateTopic"},
	graph.TopicPolicy:              {"sns:SetTopicAttributes"},
	graph.TopicSubscription:        {"sns:Subscribe"},
	graph.Queue:                    {"sqs:CreateQueue", "sqs:SetQueueAttributes"},
	graph.QueuePolicy:              {"sqs:SetQueueAttributes"},
	graph.SecurityGroupEgressRule:  {"ec2:AuthorizeSecurityGroupEgress"},
	graph.SecurityGroupIngressRule: {"ec2:AuthorizeSecurityGroupIngress"},
}

func TestADeploymentMayMakeWhatTheStagesDeclare(t *testing.T) {
	var allowed []string
	for _, s := range permissions(t, record(t))["deploy-prod"].Statement {
		allowed = append(allowed, s.Action...)
	}
	for _, stage := range []struct{ dir, name string }{{"..", "dev"}, {"..", "prod"},
		{"../infra/rules/testdata/full", "full"}, {"../infra/rules/testdata/cdn", "cdn"}} {
		g, err := stack.Record(stage.dir, stage.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range g.Types(graph.AWS) {
			actions, known := making[token]
			if !known {
				t.Errorf("stage %s declares %s: say in this test what making one takes, and allow it in permissions.go",
					stage.name, token)
			}
			for _, action := range actions {
				// the patterns are well-formed
				matches := func(pattern string) bool { ok, _ := path.Match(pattern, action); return ok }
				if !slices.ContainsFunc(allowed, matches) {
					t.Errorf("stage %s declares %s, and a deployment may not %s", stage.name, token, action)
				}
			}
		}
	}
}
