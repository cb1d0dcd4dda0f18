package rules_test

import (
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/infra/rules"
)

// TestFunctionsReachTheirDestinations uses the function sweep, which is in the VPC, and the
// function stock, which is outside.
func TestFunctionsReachTheirDestinations(t *testing.T) {
	g := record(t, "prod")
	s := sabotage{t, g}
	network, database := rules.NewNetwork(g), s.the("Instance", "database")
	inside, outside := s.the("Function", "sweep"), s.the("Function", "stock")
	for _, c := range []struct {
		what string
		err  error
		want string // in the error; empty for none
	}{
		{"the database from inside", network.Database(inside, database), ""},
		{"secretsmanager from inside", network.Service(inside, "secretsmanager"), ""},
		{"sns from inside", network.Service(inside, "sns"), ""},
		{"sqs from inside", network.Service(inside, "sqs"), "the VPC has no interface endpoint for sqs"},
		{"the Internet from inside", network.Internet(inside, 443), "route table private has no route to 0.0.0.0/0"},
		{"the database from outside", network.Database(outside, database), "function stock is outside the VPC"},
		{"sqs from outside", network.Service(outside, "sqs"), ""},
		{"the Internet from outside", network.Internet(outside, 80), ""},
	} {
		if c.want == "" && c.err != nil || c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.what, c.err, c.want)
		}
	}
}

// Ids of the stage dev.
var (
	vpcID          = named(graph.VPC, "network")
	privateRoutes  = named(graph.RouteTable, "private")
	functionsGroup = named(graph.SecurityGroup, "functions")
	databaseGroup  = named(graph.SecurityGroup, "database")
	endpointsGroup = named(graph.SecurityGroup, "endpoints")
)

// addGateway gives sweep a way to S3: a gateway endpoint, and a rule for the endpoint's addresses.
func addGateway(s sabotage) {
	vpc := s.the("Vpc", "network")
	s.add(graph.VPCEndpoint, "s3", vpc, map[string]any{
		"vpcId": vpc.ID, "serviceName": "com.amazonaws.ap-northeast-2.s3", "routeTableIds": []any{privateRoutes},
		"prefixListId": "pl-s3",
	})
	s.add(graph.SecurityGroupEgressRule, "s3", s.the("SecurityGroup", "functions"), map[string]any{
		"securityGroupId": functionsGroup, "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0,
		"prefixListId": "pl-s3",
	})
}

// addNAT gives sweep a way to the Internet: a public subnet with a NAT gateway in it.
func addNAT(s sabotage) {
	vpc := s.the("Vpc", "network")
	s.add(graph.InternetGateway, "internet", vpc, map[string]any{"vpcId": vpc.ID})
	s.add(graph.Subnet, "public", vpc, map[string]any{"vpcId": vpc.ID, "cidrBlock": "10.20.240.0/20"})
	s.add(graph.RouteTable, "public", vpc, map[string]any{"vpcId": vpc.ID, "routes": []any{
		map[string]any{"cidrBlock": "0.0.0.0/0", "gatewayId": "internet"},
	}})
	s.add(graph.RouteTableAssociation, "public", vpc, map[string]any{"subnetId": "public", "routeTableId": "public"})
	s.add(graph.NATGateway, "nat", vpc, map[string]any{"subnetId": "public"})
	s.add(graph.VPCRoute, "out", vpc, map[string]any{
		"routeTableId": privateRoutes, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "nat",
	})
	s.add(graph.SecurityGroupEgressRule, "out", vpc, map[string]any{
		"securityGroupId": functionsGroup, "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0,
		"cidrIpv4": "0.0.0.0/0",
	})
}

// withNAT returns an edit after addNAT.
func withNAT(edit func(sabotage)) func(sabotage) {
	return func(s sabotage) { addNAT(s); edit(s) }
}

func TestErrorsNameTheFirstMissingPart(t *testing.T) {
	database := rules.Network.Database
	sns := func(n rules.Network, function, _ *graph.Resource) error { return n.Service(function, "sns") }
	s3 := func(n rules.Network, function, _ *graph.Resource) error { return n.Service(function, "s3") }
	internet := func(n rules.Network, function, _ *graph.Resource) error { return n.Internet(function, 443) }
	const (
		out, in       = "SecurityGroupEgressRule", "SecurityGroupIngressRule"
		zoneA         = "private-ap-northeast-2a"
		allOfVPC      = "10.20.0.0/16"
		noWayIn       = "security group database has no ingress rule from security group functions on tcp 3306"
		noWayOut      = "security group functions has no egress rule to security group database on tcp 3306"
		noWayToOthers = "security group functions has no egress rule to 0.0.0.0/0 on tcp 443"
	)
	for _, c := range []struct {
		name  string
		edit  func(sabotage)
		reach func(n rules.Network, function, database *graph.Resource) error
		want  string // the error; empty for none
	}{
		{"no egress rule", remove(out, "functions-to-database"), database, noWayOut},
		{"no ingress rule", remove(in, "functions-to-database"), database, noWayIn},
		{"a rule for another port", set(in, "functions-to-database", "toPort", 3305.0), database, noWayIn},
		{"a rule that begins later", set(in, "functions-to-database", "fromPort", 3307.0), database, noWayIn},
		{"a rule for UDP", set(in, "functions-to-database", "ipProtocol", "udp"), database, noWayIn},
		{"a rule for all protocols", func(s sabotage) {
			s.set(in, "functions-to-database", "ipProtocol", "-1")
			s.set(in, "functions-to-database", "toPort", 0.0)
		}, database, ""},
		{"a rule for the VPC's addresses", func(s sabotage) {
			s.set(in, "functions-to-database", "referencedSecurityGroupId", "")
			s.set(in, "functions-to-database", "cidrIpv4", allOfVPC)
		}, database, ""},
		{"a rule for one zone's addresses", func(s sabotage) {
			s.set(in, "functions-to-database", "referencedSecurityGroupId", "")
			s.set(in, "functions-to-database", "cidrIpv4", "10.20.0.0/20")
		}, database, noWayIn},
		{"a rule for some of a zone's addresses", func(s sabotage) {
			s.set(in, "functions-to-database", "referencedSecurityGroupId", "")
			s.set(in, "functions-to-database", "cidrIpv4", "10.20.0.0/28")
		}, database, noWayIn},
		{"a rule written into the group",
			func(s sabotage) {
				s.remove(in, "functions-to-database")
				s.set("SecurityGroup", "database", "ingress", []any{map[string]any{
					"protocol": "tcp", "fromPort": 3306.0, "toPort": 3306.0,
					"securityGroups": []any{functionsGroup},
				}})
			}, database, ""},
		{"a rule for the group itself, which the function joined", func(s sabotage) {
			s.remove(in, "functions-to-database")
			s.set("SecurityGroup", "database", "ingress", []any{map[string]any{"protocol": "-1", "self": true}})
			groups := []any{functionsGroup, databaseGroup}
			s.the("Function", "sweep").Object("vpcConfig")["securityGroupIds"] = groups
		}, database, ""},
		{"a rule in the older form, in the other direction",
			func(s sabotage) {
				s.remove(in, "functions-to-database")
				s.add(graph.SecurityGroupRule, "old", s.the("SecurityGroup", "database"), map[string]any{
					"type": "egress", "securityGroupId": databaseGroup, "sourceSecurityGroupId": functionsGroup,
					"protocol": "tcp", "fromPort": 3306.0, "toPort": 3306.0,
				})
			}, database, noWayIn},
		{"a database of another group", set("Instance", "database", "vpcSecurityGroupIds", []any{endpointsGroup}),
			database, "database database is in security group endpoints, and the rules for tcp 3306 with " +
				"function sweep are those of security group database"},
		{"a database without a group", set("Instance", "database", "vpcSecurityGroupIds", []any{}), database,
			"database database has no security group"},
		{"a database without its subnets", remove("SubnetGroup", "database"), database,
			"database database is in no declared subnet group"},
		{"a database in another VPC",
			func(s sabotage) {
				s.add(graph.Subnet, "far", s.the("Vpc", "network"),
					map[string]any{"vpcId": "other", "cidrBlock": "10.30.0.0/20"})
				s.set("SubnetGroup", "database", "subnetIds", []any{"far"})
			}, database, "function sweep is in VPC " + vpcID + ", and database database in VPC other"},
		{"a function in a subnet that is gone", remove("Subnet", zoneA), database,
			`subnet "` + named(graph.Subnet, zoneA) + `" of function sweep is not declared`},
		{"a network ACL", func(s sabotage) {
			s.add(graph.NetworkACL, "closed", s.the("Vpc", "network"), map[string]any{"vpcId": vpcID})
		}, database, "network ACL closed may close the way to function sweep"},

		{"no endpoint", remove("VpcEndpoint", "sns"), sns, "the VPC has no interface endpoint for sns"},
		{"an endpoint of another service",
			set("VpcEndpoint", "sns", "serviceName", "com.amazonaws.ap-northeast-2.sns-fips"), sns,
			"the VPC has no interface endpoint for sns"},
		{"an endpoint of a service with a similar name",
			set("VpcEndpoint", "sns", "serviceName", "com.amazonaws.ap-northeast-2.other-sns"), sns,
			"the VPC has no interface endpoint for sns"},
		{"an endpoint in another VPC", set("VpcEndpoint", "sns", "vpcId", "other"), sns,
			"the VPC has no interface endpoint for sns"},
		{"a gateway endpoint", set("VpcEndpoint", "sns", "vpcEndpointType", "Gateway"), sns,
			"the VPC has no interface endpoint for sns"},
		{"an endpoint without private DNS", set("VpcEndpoint", "sns", "privateDnsEnabled", false), sns,
			"private DNS is off on endpoint sns"},
		{"a VPC without DNS hostnames", set("Vpc", "network", "enableDnsHostnames", false), sns,
			"DNS support or DNS hostnames are off on VPC network"},
		{"a VPC without DNS", set("Vpc", "network", "enableDnsSupport", false), sns,
			"DNS support or DNS hostnames are off on VPC network"},
		{"an endpoint in no subnet", set("VpcEndpoint", "sns", "subnetIds", []any{}), sns,
			"endpoint sns is in no subnet"},
		{"no way in to the endpoints", remove(in, "functions-to-endpoints"), sns,
			"security group endpoints has no ingress rule from security group functions on tcp 443"},
		{"no endpoint, but a NAT gateway", withNAT(remove("VpcEndpoint", "sns")), sns, ""},
		{"a closed endpoint, which a NAT gateway does not open", withNAT(remove(in, "functions-to-endpoints")), sns,
			"security group endpoints has no ingress rule"},

		{"no endpoint for S3", func(sabotage) {}, s3, "the VPC has no endpoint for s3"},
		{"a NAT gateway in place of an endpoint for S3", addNAT, s3, ""},
		{"a gateway endpoint for S3", addGateway, s3, ""},
		{"a gateway endpoint with a route table of its own", func(s sabotage) {
			addGateway(s)
			s.set("VpcEndpoint", "s3", "routeTableIds", []any{})
			s.add(graph.VPCEndpointAssociation, "s3", s.the("Vpc", "network"), map[string]any{
				"vpcEndpointId": s.the("VpcEndpoint", "s3").ID, "routeTableId": privateRoutes,
			})
		}, s3, ""},
		{"a gateway endpoint for S3 without a route", func(s sabotage) {
			addGateway(s)
			s.set("VpcEndpoint", "s3", "routeTableIds", []any{"other"})
		}, s3, "has no route to the endpoint s3"},
		{"a gateway endpoint in another VPC", func(s sabotage) {
			addGateway(s)
			s.set("VpcEndpoint", "s3", "vpcId", "other")
		}, s3, "the VPC has no endpoint for s3"},
		{"a gateway endpoint without a way out", func(s sabotage) {
			addGateway(s)
			s.remove(out, "s3")
		}, s3, "security group functions has no egress rule to the endpoint s3 on tcp 443"},

		{"a NAT gateway", addNAT, internet, ""},
		{"no route", withNAT(remove("Route", "out")), internet, "route table private has no route to 0.0.0.0/0"},
		{"a zone without routes", withNAT(remove("RouteTableAssociation", zoneA)), internet,
			"subnet " + zoneA + " is associated with no route table"},
		{"a route straight to the Internet gateway", func(s sabotage) {
			addNAT(s)
			s.set("Route", "out", "natGatewayId", "")
			s.set("Route", "out", "gatewayId", "internet")
		}, internet, "the default route of subnet " + zoneA + " does not lead to a NAT gateway"},
		{"a NAT gateway in a private subnet",
			withNAT(set("NatGateway", "nat", "subnetId", named(graph.Subnet, zoneA))),
			internet, "which NAT gateway nat is in, does not lead to an Internet gateway"},
		{"a private NAT gateway", withNAT(set("NatGateway", "nat", "connectivityType", "private")),
			internet, "NAT gateway nat is private"},
		{"no Internet gateway", withNAT(remove("InternetGateway", "internet")), internet,
			"which NAT gateway nat is in, does not lead to an Internet gateway"},
		{"no way out", withNAT(remove(out, "out")), internet, noWayToOthers},
		{"a way out of another group", withNAT(set(out, "out", "securityGroupId", endpointsGroup)),
			internet, noWayToOthers},
		{"a way out to half of the Internet", withNAT(set(out, "out", "cidrIpv4", "0.0.0.0/1")), internet,
			noWayToOthers},
		{"a way out on another port", withNAT(set(out, "out", "toPort", 80.0)), internet, noWayToOthers},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sabotage{t, record(t, "dev")}
			c.edit(s)
			got := c.reach(rules.NewNetwork(s.Graph), s.the("Function", "sweep"), s.the("Instance", "database"))
			if c.want == "" && got != nil || c.want != "" && (got == nil || !strings.Contains(got.Error(), c.want)) {
				t.Errorf("got %v, want %q", got, c.want)
			}
		})
	}
}
