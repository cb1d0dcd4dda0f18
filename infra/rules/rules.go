// Package rules checks what the Pulumi program declares, before AWS does.
//
// A rule looks at a recorded graph (see [graph.Record]; not at a preview, in which ids and ARNs are unknown) and says what would
// fail when deployed, fail later in silence, or be open to the world. Its doc comment says what happens if it is broken, and
// names the page that decides.
package rules

import (
	"cmp"
	"fmt"
	"iter"

	"restock/infra/graph"
	"restock/infra/policy/declared"
)

// A Violation is one resource that breaks one rule.
type Violation struct {
	Rule    string // the rule's name
	Type    string // the resource's type token
	Name    string // the resource's logical name
	Problem string // what is wrong, with values
	Remedy  string // what to do
	Files   string // where it belongs
}

// String is the violation in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s %s: %s: %s (%s)", v.Rule, v.Type, v.Name, v.Problem, v.Remedy, v.Files)
}

// A Rule is one thing that must hold of what the program declares.
type Rule struct {
	Name string
	// Files are where what keeps it belongs, in a program that is made from the declarations of lambdas. Empty, and in other programs: where
	// the resource that breaks it is declared.
	Files string
	check func(*inspection)
}

// All lists the rules.
func All() []Rule {
	return []Rule{
		{"parent", "", checkParents},
		{"private-database", "", checkPrivateDatabase},
		{"private-network", "", checkPrivateNetwork},
		{"closed-security-group", "", checkClosedSecurityGroups},
		{"narrow-resource-policy", "", checkResourcePolicies},
		{"encrypted", "", checkEncrypted},
		{"encrypted-transport", "", checkEncryptedTransport},
		{"no-wildcard", "", checkWildcards},
		{"grant", "lambdas/environment.go, infra/stack/grants.go", checkGrants},
		{"network-interface", "infra/stack/function.go", checkNetworkInterfaces},
		{"visibility-timeout", "infra/stack/messaging.go", checkVisibilityTimeout},
		{"dead-letter-queue", "infra/stack/messaging.go, infra/stack/alarms.go", checkDeadLetterQueue},
		{"subscription", "infra/stack/messaging.go", checkSubscriptions},
		{"route", "lambdas/lambdas.go, infra/stack/triggers.go", checkRoutes},
		{"authorization", "lambdas/lambdas.go, infra/stack/triggers.go", checkAuthorization},
		{"schedule", "infra/stack/triggers.go", checkSchedules},
		{"rotation", "infra/stack/triggers.go", checkRotations},
		{"event-source", "infra/stack/triggers.go", checkEventSources},
		{"log-group", "infra/operations/logs.go, infra/stack/function.go", checkLogGroups},
		{"environment", "lambdas/environment.go", checkEnvironments},
		{"runtime", "infra/stack/function.go", checkRuntimes},
		{"connections", "Pulumi.<stage>.yaml", checkConnections},
		{"name", "", checkNames},
		{"reachable", "infra/stack/network.go", checkReachable},
	}
}

// Check applies every rule to a recorded graph. functions may be nil: then the rules that compare a
// function with its declaration find nothing.
func Check(g *graph.Graph, functions []Declaration) []Violation {
	var violations []Violation
	policies, _ := declared.Read(g) // without those that cannot be read: the rule no-wildcard reports them
	for _, rule := range All() {
		rule.check(&inspection{Graph: g, declarations: functions, rule: rule, policies: policies, violations: &violations})
	}
	return violations
}

// An inspection is a graph under one rule.
type inspection struct {
	*graph.Graph
	declarations []Declaration
	rule         Rule
	policies     *declared.Policies
	violations   *[]Violation
}

// report notes that a resource breaks the rule. The remedy stands before the problem, which is a format.
func (i *inspection) report(r *graph.Resource, remedy, problem string, values ...any) {
	files := r.Source
	if len(i.declarations) > 0 {
		files = cmp.Or(i.rule.Files, files)
	}
	*i.violations = append(*i.violations, Violation{
		Rule: i.rule.Name, Type: r.Type, Name: r.Name, Problem: fmt.Sprintf(problem, values...), Remedy: remedy, Files: files,
	})
}

// Type tokens of the resources that rules look at.
const (
	apiType               = "aws:apigatewayv2/api:Api"
	apiIntegrationType    = "aws:apigatewayv2/integration:Integration"
	apiRouteType          = "aws:apigatewayv2/route:Route"
	apiStageType          = "aws:apigatewayv2/stage:Stage"
	dashboardType         = "aws:cloudwatch/dashboard:Dashboard"
	databaseType          = "aws:rds/instance:Instance"
	defaultGroupType      = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	egressRuleType        = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	endpointType          = "aws:ec2/vpcEndpoint:VpcEndpoint"
	eventSourceType       = "aws:lambda/eventSourceMapping:EventSourceMapping"
	functionType          = "aws:lambda/function:Function"
	functionURLType       = "aws:lambda/functionUrl:FunctionUrl"
	ingressRuleType       = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	keyType               = "aws:kms/key:Key"
	metricAlarmType       = "aws:cloudwatch/metricAlarm:MetricAlarm"
	internetGatewayType   = "aws:ec2/internetGateway:InternetGateway"
	logGroupType          = "aws:cloudwatch/logGroup:LogGroup"
	natGatewayType        = "aws:ec2/natGateway:NatGateway"
	networkACLType        = "aws:ec2/networkAcl:NetworkAcl"
	parameterGroupType    = "aws:rds/parameterGroup:ParameterGroup"
	permissionType        = "aws:lambda/permission:Permission"
	policyAttachmentType  = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	proxyTargetType       = "aws:rds/proxyTarget:ProxyTarget"
	proxyType             = "aws:rds/proxy:Proxy"
	queueType             = "aws:sqs/queue:Queue"
	rolePolicyType        = "aws:iam/rolePolicy:RolePolicy"
	roleType              = "aws:iam/role:Role"
	rotationType          = "aws:secretsmanager/secretRotation:SecretRotation"
	routeTableType        = "aws:ec2/routeTable:RouteTable"
	routeType             = "aws:ec2/route:Route"
	scheduleRuleType      = "aws:cloudwatch/eventRule:EventRule"
	scheduleTargetType    = "aws:cloudwatch/eventTarget:EventTarget"
	secretType            = "aws:secretsmanager/secret:Secret"
	securityGroupRuleType = "aws:ec2/securityGroupRule:SecurityGroupRule" // the older way to write a rule
	securityGroupType     = "aws:ec2/securityGroup:SecurityGroup"
	subnetGroupType       = "aws:rds/subnetGroup:SubnetGroup"
	subnetRouteTableType  = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	subnetType            = "aws:ec2/subnet:Subnet"
	subscriptionType      = "aws:sns/topicSubscription:TopicSubscription"
	topicType             = "aws:sns/topic:Topic"
	vpcType               = "aws:ec2/vpc:Vpc"
)

// functions pairs each deployed function with its declaration. One that is not deployed is left out: the rule runtime
// reports it.
func (i *inspection) functions() iter.Seq2[*graph.Resource, Declaration] {
	return func(yield func(*graph.Resource, Declaration) bool) {
		for _, f := range i.declarations {
			if r := i.named(functionType, f.Name); r != nil && !yield(r, f) {
				return
			}
		}
	}
}

// named finds a resource by its logical name.
func (i *inspection) named(token, name string) *graph.Resource {
	for _, r := range i.OfType(token) {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// byID finds a resource by the id that AWS gave it.
func byID(g *graph.Graph, token, id string) *graph.Resource {
	for _, r := range g.OfType(token) {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// function finds a deployed function by what other resources call it: its ARN or its name.
func (i *inspection) function(reference string) *graph.Resource {
	if r := i.Find(functionType, "arn", reference); r != nil {
		return r
	}
	return i.Find(functionType, "name", reference)
}
