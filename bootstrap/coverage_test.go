package main

import (
	"path"
	"slices"
	"testing"

	"restock/infra/stack"
)

// making lists the IAM actions that create a resource of each type of the stack. AWS documents no
// actions for some types; they need those of their parent.
var making = map[string][]string{
	"aws:apigatewayv2/api:Api":                 {"apigateway:POST"},
	"aws:apigatewayv2/apiMapping:ApiMapping":   {"apigateway:POST"},
	"aws:apigatewayv2/domainName:DomainName":   {"apigateway:POST"},
	"aws:apigatewayv2/integration:Integration": {"apigateway:POST"},
	"aws:apigatewayv2/route:Route":             {"apigateway:POST"},
	"aws:apigatewayv2/stage:Stage": {"apigateway:POST", "logs:CreateLogDelivery",
		"logs:PutResourcePolicy", "logs:DescribeResourcePolicies"},
	"aws:cloudwatch/dashboard:Dashboard":     {"cloudwatch:PutDashboard", "cloudwatch:GetDashboard"},
	"aws:cloudwatch/eventRule:EventRule":     {"events:PutRule"},
	"aws:cloudwatch/eventTarget:EventTarget": {"events:PutTargets"},
	"aws:cloudwatch/logGroup:LogGroup": {"logs:CreateLogGroup", "logs:PutRetentionPolicy",
		"logs:AssociateKmsKey"},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {"cloudwatch:PutMetricAlarm"},
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {"ec2:RevokeSecurityGroupIngress",
		"ec2:RevokeSecurityGroupEgress"},
	"aws:ec2/routeTable:RouteTable":                       {"ec2:CreateRouteTable"},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {"ec2:AssociateRouteTable"},
	"aws:ec2/securityGroup:SecurityGroup":                 {"ec2:CreateSecurityGroup"},
	"aws:ec2/subnet:Subnet":                               {"ec2:CreateSubnet"},
	"aws:ec2/vpc:Vpc":                                     {"ec2:CreateVpc", "ec2:ModifyVpcAttribute"},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {"ec2:CreateVpcEndpoint",
		"route53:AssociateVPCWithHostedZone"},
	"aws:iam/role:Role":             {"iam:CreateRole", "iam:PassRole"},
	"aws:iam/rolePolicy:RolePolicy": {"iam:PutRolePolicy"},
	"aws:kms/key:Key": {"kms:CreateKey", "kms:EnableKeyRotation",
		"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"},
	"aws:lambda/eventSourceMapping:EventSourceMapping": {"lambda:CreateEventSourceMapping"},
	"aws:lambda/function:Function": {"lambda:CreateFunction",
		"lambda:PutFunctionConcurrency"},
	"aws:lambda/invocation:Invocation": {"lambda:InvokeFunction"},
	"aws:lambda/permission:Permission": {"lambda:AddPermission"},
	"aws:rds/instance:Instance": {"rds:CreateDBInstance",
		"iam:CreateServiceLinkedRole"},
	"aws:rds/parameterGroup:ParameterGroup": {"rds:CreateDBParameterGroup",
		"rds:ModifyDBParameterGroup"},
	"aws:rds/proxy:Proxy": {"rds:CreateDBProxy", "rds:DeleteDBProxy"},
	"aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup": {"rds:ModifyDBProxyTargetGroup",
		"rds:DescribeDBProxyTargetGroups"},
	"aws:rds/proxyTarget:ProxyTarget": {"rds:RegisterDBProxyTargets",
		"rds:DeregisterDBProxyTargets"},
	"aws:rds/subnetGroup:SubnetGroup":  {"rds:CreateDBSubnetGroup"},
	"aws:secretsmanager/secret:Secret": {"secretsmanager:CreateSecret"},
	"aws:secretsmanager/secretPolicy:SecretPolicy": {"secretsmanager:PutResourcePolicy",
		"secretsmanager:ValidateResourcePolicy"},
	"aws:secretsmanager/secretRotation:SecretRotation": {"secretsmanager:RotateSecret",
		"secretsmanager:CancelRotateSecret"},
	"aws:sns/topic:Topic":                                       {"sns:CreateTopic"},
	"aws:sns/topicPolicy:TopicPolicy":                           {"sns:SetTopicAttributes"},
	"aws:sns/topicSubscription:TopicSubscription":               {"sns:Subscribe"},
	"aws:sqs/queue:Queue":                                       {"sqs:CreateQueue", "sqs:SetQueueAttributes"},
	"aws:sqs/queuePolicy:QueuePolicy":                           {"sqs:SetQueueAttributes"},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   {"ec2:AuthorizeSecurityGroupEgress"},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {"ec2:AuthorizeSecurityGroupIngress"},
}

func TestADeploymentMayMakeWhatTheStagesDeclare(t *testing.T) {
	var allowed []string
	for _, s := range permissions(t, record(t))["deploy-prod"].Statement {
		allowed = append(allowed, s.Action...)
	}
	for _, stage := range []struct{ dir, name string }{{"..", "dev"}, {"..", "prod"},
		{"../infra/rules/testdata/full", "full"}} {
		g, err := stack.Record(stage.dir, stage.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range g.Types("aws:") {
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
