package rules

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/declared"
)

// A Network computes what the functions of a recorded program reach, from its subnets, routes,
// endpoints, security groups and their rules. It does not evaluate network ACLs and peering: a path
// through a VPC with a network ACL counts as closed.
type Network struct {
	graph           *graph.Graph
	ingress, egress []groupRule
}

// NewNetwork returns the network that a program declares. The graph must not be a preview, which
// has no ids.
func NewNetwork(g *graph.Graph) Network { return Network{g, ingressRules(g), egressRules(g)} }

const httpsPort = 443

// useNoVPC is the remedy for a function that does not reach the Internet.
const useNoVPC = "take the function out of the VPC, or give its subnets a NAT gateway"

// everywhere is the destination of a default route, and of an egress rule for any address.
const everywhere = "0.0.0.0/0"

// A missingPart is the error of a function that does not reach its destination.
type missingPart struct {
	problem string          // names the first missing resource or setting
	at      *graph.Resource // to edit; nil if it is not declared at all
	remedy  string
}

func (m *missingPart) Error() string { return m.problem }

// missing returns a *missingPart. The format and its arguments describe the problem.
func missing(at *graph.Resource, remedy, format string, values ...any) error {
	return &missingPart{fmt.Sprintf(format, values...), at, remedy}
}

// A place is the set of subnets and security groups of a resource in the VPC.
type place struct {
	at      *graph.Resource
	what    string // the resource, for errors: "function sweep"
	vpc     string // id
	subnets []*graph.Resource
	groups  []string // ids of security groups
}

// Database returns nil if a function reaches a database on its port. Otherwise the error names the
// first missing resource or setting.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.Scenarios.html
func (n Network) Database(function, database *graph.Resource) error {
	from, err := n.ofFunction(function)
	if err != nil {
		return err
	}
	if from == nil {
		return outside(function)
	}
	to, err := n.ofDatabase(database)
	if err != nil {
		return err
	}
	return n.connect(from, to, int(database.Number("port")))
}

// Proxy returns nil if a function reaches a database through a proxy. Otherwise the error names the
// first missing resource or setting. The proxy listens on the database's port:
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-network-prereqs.html
func (n Network) Proxy(function, proxy, database *graph.Resource) error {
	from, err := n.ofFunction(function)
	if err != nil {
		return err
	}
	if from == nil {
		return outside(function)
	}
	via, err := n.place(proxy, "proxy "+proxy.Name, proxy.Strings("vpcSubnetIds"), proxy.Strings("vpcSecurityGroupIds"))
	if err != nil {
		return err
	}
	to, err := n.ofDatabase(database)
	if err != nil {
		return err
	}
	port := int(database.Number("port"))
	return cmp.Or(n.connect(from, via, port), n.connect(via, to, port))
}

func outside(function *graph.Resource) error {
	return missing(function, "give it the vpcConfig of the functions in the VPC",
		"function %s is outside the VPC: it reaches nothing private", function.Name)
}

// ofDatabase returns the place of a database.
func (n Network) ofDatabase(database *graph.Resource) (*place, error) {
	name := "database " + database.Name
	group := n.graph.Find(graph.SubnetGroup, "name", database.String("dbSubnetGroupName"))
	if group == nil {
		return nil, missing(database, "set dbSubnetGroupName to a subnet group of the stack",
			"%s is in no declared subnet group", name)
	}
	return n.place(database, name, group.Strings("subnetIds"), database.Strings("vpcSecurityGroupIds"))
}

// Service returns nil if a function reaches a service of AWS in its region. The service has its
// name in endpoints, like "secretsmanager". Otherwise the error names the first missing resource or
// setting. In a VPC the name of the service resolves to the interface endpoint if this has private
// DNS, else to addresses on the Internet:
// https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
func (n Network) Service(function *graph.Resource, service string) error {
	from, err := n.ofFunction(function)
	if from == nil || err != nil {
		return err
	}
	endpoint, err := n.endpoint(from, service)
	if err != nil {
		if slices.Contains(gatewayServices, service) {
			err = n.gateway(from, service)
		}
		if err == nil || n.internet(from, httpsPort) == nil {
			return nil
		}
		return err
	}
	subnetIDs, groupIDs := endpoint.Strings("subnetIds"), endpoint.Strings("securityGroupIds")
	to, err := n.place(endpoint, "endpoint "+endpoint.Name, subnetIDs, groupIDs)
	if err != nil {
		return err
	}
	return n.connect(from, to, httpsPort)
}

// endpoint returns the interface endpoint of a service in the VPC of a place.
func (n Network) endpoint(from *place, service string) (*graph.Resource, error) {
	for _, endpoint := range n.graph.OfType(graph.VPCEndpoint) {
		isService := strings.HasSuffix(endpoint.String("serviceName"), "."+service)
		if !isService || endpoint.String("vpcId") != from.vpc || endpoint.String("vpcEndpointType") != "Interface" {
			continue
		}
		if !declared.ServedBy(n.graph, endpoint, from.subnets[0]) {
			return nil, missing(endpoint, "set privateDnsEnabled to true",
				"private DNS is off on endpoint %s: the name of %s leads to the Internet", endpoint.Name, service)
		}
		vpc := byID(n.graph, graph.VPC, from.vpc)
		if vpc == nil {
			return nil, missing(endpoint, "set vpcId to the VPC of the stack", "VPC %q of endpoint %s is not declared",
				from.vpc, endpoint.Name)
		}
		support, declared := vpc.Outputs["enableDnsSupport"].(bool)
		if declared && !support || !vpc.Bool("enableDnsHostnames") {
			return nil, missing(vpc, "set enableDnsSupport and enableDnsHostnames to true",
				"DNS support or DNS hostnames are off on VPC %s: the private name of endpoint %s does not work",
				vpc.Name, endpoint.Name)
		}
		return endpoint, nil
	}
	vpc := byID(n.graph, graph.VPC, from.vpc)
	return nil, missing(vpc, "declare a VpcEndpoint of the type Interface for the service",
		"the VPC has no interface endpoint for %s", service)
}

// gatewayServices are the services with gateway endpoints.
// https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
var gatewayServices = []string{"s3", "dynamodb"}

// gateway returns nil if the subnets of a place have a route to a gateway endpoint of a service,
// and its security groups let it connect to the service's addresses.
// https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html#gateway-endpoint-security
func (n Network) gateway(from *place, service string) error {
	vpc := byID(n.graph, graph.VPC, from.vpc)
	err := missing(vpc, "declare a VpcEndpoint of the type Gateway for the service",
		"the VPC has no endpoint for %s", service)
	for _, endpoint := range n.graph.OfType(graph.VPCEndpoint) {
		isService := strings.HasSuffix(endpoint.String("serviceName"), "."+service)
		isGateway := endpoint.String("vpcEndpointType") == "" || endpoint.String("vpcEndpointType") == "Gateway"
		if isService && isGateway && endpoint.String("vpcId") == from.vpc {
			if err = n.through(from, endpoint); err == nil {
				return nil
			}
		}
	}
	return err
}

// through returns nil if a place reaches a service through a gateway endpoint.
func (n Network) through(from *place, endpoint *graph.Resource) error {
	for _, subnet := range from.subnets {
		if !declared.ServedBy(n.graph, endpoint, subnet) {
			return missing(endpoint, "add the subnet's route table to routeTableIds",
				"the route table of subnet %s has no route to the endpoint %s", subnet.Name, endpoint.Name)
		}
	}
	list, anywhere := endpoint.String("prefixListId"), []netip.Prefix{netip.MustParsePrefix(everywhere)}
	for _, rule := range n.egress {
		if slices.Contains(from.groups, rule.group) && rule.covers(httpsPort) &&
			(slices.Contains(rule.lists, list) || rule.containsAll(anywhere)) {
			return n.noACL(from)
		}
	}
	return missing(n.group(from.groups), "declare a SecurityGroupEgressRule with the endpoint's prefixListId",
		"%s has no egress rule to the endpoint %s on tcp %d", n.groupNames(from.groups), endpoint.Name, httpsPort)
}

// Internet returns nil if a function reaches a TCP port of any host on the Internet. Otherwise the
// error names the first missing resource or setting. A function in a VPC has no public address, so
// it needs a NAT gateway:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
func (n Network) Internet(function *graph.Resource, port int) error {
	from, err := n.ofFunction(function)
	if from == nil || err != nil {
		return err
	}
	return n.internet(from, port)
}

func (n Network) internet(from *place, port int) error {
	for _, subnet := range from.subnets {
		route, err := n.defaultRoute(subnet)
		if err != nil {
			return err
		}
		id, _ := route["natGatewayId"].(string)
		nat := byID(n.graph, graph.NATGateway, id)
		if nat == nil {
			return missing(subnet, useNoVPC,
				"the default route of subnet %s does not lead to a NAT gateway", subnet.Name)
		}
		if err := n.public(nat); err != nil {
			return err
		}
	}
	anywhere := netip.MustParsePrefix(everywhere)
	for _, rule := range n.egress {
		if slices.Contains(from.groups, rule.group) && rule.covers(port) && rule.containsAll([]netip.Prefix{anywhere}) {
			return n.noACL(from)
		}
	}
	return missing(n.group(from.groups), "declare a SecurityGroupEgressRule", "%s has no egress rule to %s on tcp %d",
		n.groupNames(from.groups), everywhere, port)
}

// public returns nil if a NAT gateway is in a subnet whose default route is an Internet gateway.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
func (n Network) public(nat *graph.Resource) error {
	if nat.String("connectivityType") == "private" {
		return missing(nat, "set connectivityType to public", "NAT gateway %s is private", nat.Name)
	}
	subnet := byID(n.graph, graph.Subnet, nat.String("subnetId"))
	if subnet == nil {
		return missing(nat, "set subnetId to a public subnet of the stack",
			"subnet %q of NAT gateway %s is not declared", nat.String("subnetId"), nat.Name)
	}
	route, err := n.defaultRoute(subnet)
	if err != nil {
		return fmt.Errorf("NAT gateway %s: %w", nat.Name, err)
	}
	id, _ := route["gatewayId"].(string)
	if byID(n.graph, graph.InternetGateway, id) == nil {
		return missing(subnet, "route 0.0.0.0/0 of the subnet to an Internet gateway",
			"the default route of subnet %s, which NAT gateway %s is in, does not lead to an Internet gateway",
			subnet.Name, nat.Name)
	}
	return nil
}

// defaultRoute returns a subnet's route to everywhere. A subnet without its own table has the VPC's
// main table, which has no such route.
func (n Network) defaultRoute(subnet *graph.Resource) (map[string]any, error) {
	association := n.graph.Find(graph.RouteTableAssociation, "subnetId", subnet.ID)
	if association == nil {
		return nil, missing(subnet, "declare a RouteTableAssociation of the subnet",
			"subnet %s is associated with no route table", subnet.Name)
	}
	table := byID(n.graph, graph.RouteTable, association.String("routeTableId"))
	if table == nil {
		id := association.String("routeTableId")
		return nil, missing(association, "set routeTableId to a route table of the stack",
			"route table %q of subnet %s is not declared", id, subnet.Name)
	}
	for _, route := range table.Objects("routes") {
		if route["cidrBlock"] == everywhere {
			return route, nil
		}
	}
	for _, route := range n.graph.OfType(graph.VPCRoute) {
		if route.String("routeTableId") == table.ID && route.String("destinationCidrBlock") == everywhere {
			return route.Outputs, nil
		}
	}
	return nil, missing(table, useNoVPC, "route table %s has no route to %s", table.Name, everywhere)
}

// ofFunction returns the place of a function, nil if it is outside the VPC.
func (n Network) ofFunction(function *graph.Resource) (*place, error) {
	config := graph.Resource{Outputs: function.Object("vpcConfig")}
	if len(config.Outputs) == 0 {
		return nil, nil
	}
	return n.place(function, "function "+function.Name, config.Strings("subnetIds"), config.Strings("securityGroupIds"))
}

func (n Network) place(at *graph.Resource, what string, subnetIDs, groupIDs []string) (*place, error) {
	p := &place{at: at, what: what, groups: groupIDs}
	for _, id := range subnetIDs {
		subnet := byID(n.graph, graph.Subnet, id)
		if subnet == nil {
			return nil, missing(at, "use the ids of subnets of the stack", "subnet %q of %s is not declared", id, what)
		}
		p.subnets = append(p.subnets, subnet)
		p.vpc = subnet.String("vpcId")
	}
	if len(p.subnets) == 0 {
		return nil, missing(at, "give it the private subnets of the VPC", "%s is in no subnet", what)
	}
	for _, id := range groupIDs {
		if byID(n.graph, graph.SecurityGroup, id) == nil {
			return nil, missing(at, "use the ids of security groups of the stack",
				"security group %q of %s is not declared", id, what)
		}
	}
	if len(groupIDs) == 0 {
		return nil, missing(at, "give it a security group of the stack", "%s has no security group", what)
	}
	return p, nil
}

// connect returns nil if TCP connections from one place to another are allowed. Within a VPC there
// is always a route, and security groups allow the answers of every allowed connection:
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
func (n Network) connect(from, to *place, port int) error {
	if from.vpc != to.vpc {
		return missing(to.at, "move it to the VPC of the function",
			"%s is in VPC %s, and %s in VPC %s", from.what, from.vpc, to.what, to.vpc)
	}
	fromGroups, toGroups := n.groupNames(from.groups), n.groupNames(to.groups)
	out, in := n.allows(from, to, port)
	if !out || !in {
		if err := n.wrongGroup(from, to, port); err != nil {
			return err
		}
	}
	switch {
	case !out:
		return missing(n.group(from.groups), "declare a SecurityGroupEgressRule", "%s has no egress rule to %s on "+
			"tcp %d",
			fromGroups, toGroups, port)
	case !in:
		return missing(n.group(to.groups), "declare a SecurityGroupIngressRule", "%s has no ingress rule from %s "+
			"on tcp %d",
			toGroups, fromGroups, port)
	}
	return errors.Join(n.noACL(from), n.noACL(to))
}

// allows reports whether an egress rule of one place, and an ingress rule of the other, allow TCP
// connections.
func (n Network) allows(from, to *place, port int) (out, in bool) {
	return slices.ContainsFunc(n.egress, func(r groupRule) bool { return r.allows(from, to, port) }),
		slices.ContainsFunc(n.ingress, func(r groupRule) bool { return r.allows(to, from, port) })
}

// wrongGroup returns an error if one of two places that cannot connect is in the wrong security
// group: its groups have no rule for the port, and with another group of resources of its type the
// two could connect. Then the rules are right, and the resource is wrong.
func (n Network) wrongGroup(from, to *place, port int) error {
	hasRule := func(p *place, rules []groupRule) bool {
		return slices.ContainsFunc(rules, func(r groupRule) bool {
			return slices.Contains(p.groups, r.group) && r.covers(port)
		})
	}
	for _, side := range []struct {
		wrong, other *place
		rules        []groupRule
		connect      func(candidate *place) (out, in bool)
	}{
		{to, from, n.ingress, func(c *place) (out, in bool) { return n.allows(from, c, port) }},
		{from, to, n.egress, func(c *place) (out, in bool) { return n.allows(c, to, port) }},
	} {
		if hasRule(side.wrong, side.rules) {
			continue
		}
		for _, group := range n.graph.OfType(graph.SecurityGroup) {
			candidate := *side.wrong
			candidate.groups = []string{group.ID}
			if out, in := side.connect(&candidate); out && in && n.isFor(group, side.wrong.at.Type) {
				return missing(side.wrong.at, "give it security group "+group.Name,
					"%s is in %s, and the rules for tcp %d with %s are those of security group %s", side.wrong.what,
					n.groupNames(side.wrong.groups), port, side.other.what, group.Name)
			}
		}
	}
	return nil
}

// isFor reports whether a security group has a member of a type, or no member.
func (n Network) isFor(group *graph.Resource, token graph.Type) bool {
	members := 0
	for _, r := range n.graph.Resources {
		vpcConfig := graph.Resource{Outputs: r.Object("vpcConfig")}
		if slices.Contains(slices.Concat(r.Strings("securityGroupIds"), r.Strings("vpcSecurityGroupIds"),
			vpcConfig.Strings("securityGroupIds")), group.ID) {
			members++
			if r.Type == token {
				return true
			}
		}
	}
	return members == 0
}

// group returns the first security group of some.
func (n Network) group(ids []string) *graph.Resource {
	return byID(n.graph, graph.SecurityGroup, ids[0])
}

// noACL returns an error if a network ACL may close a place's subnets.
func (n Network) noACL(p *place) error {
	for _, acl := range n.graph.OfType(graph.NetworkACL) {
		if acl.String("vpcId") == p.vpc {
			return missing(acl, "use security groups, and delete the network ACL",
				"network ACL %s may close the way to %s: this check cannot evaluate it", acl.Name, p.what)
		}
	}
	return nil
}

// groupNames lists security groups by their logical names.
func (n Network) groupNames(ids []string) string {
	var names []string
	for _, id := range ids {
		if r := byID(n.graph, graph.SecurityGroup, id); r != nil {
			id = r.Name
		}
		names = append(names, id)
	}
	return "security group " + strings.Join(names, " or ")
}

// checkVPCs checks that a security group names its VPC. Without one, EC2 makes the group in the
// default VPC of the account, and nothing in another VPC can be a member of it:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
func checkVPCs(i *inspection) {
	for _, r := range i.OfType(graph.SecurityGroup) {
		if r.String("vpcId") == "" {
			i.report(r, "set vpcId to the id of the VPC",
				"its vpcId is not set: EC2 makes it in the default VPC of the account")
		}
	}
}
