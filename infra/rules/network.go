package rules

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"restock/infra/graph"
)

// A Network computes what the functions of a recorded program reach, from its subnets, routes,
// endpoints, security groups and their rules. It does not evaluate network ACLs and peering: a path
// through a VPC with a network ACL counts as closed.
type Network struct{ graph *graph.Graph }

// NewNetwork returns the network that a program declares. The graph must not be a preview, which
// has no ids.
func NewNetwork(g *graph.Graph) Network { return Network{g} }

const httpsPort = 443

// everywhere is the destination of a default route, and of an egress rule for any address.
const everywhere = "0.0.0.0/0"

// A place is the set of subnets and security groups of a resource in the VPC.
type place struct {
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
		return fmt.Errorf("function %s is outside the VPC: it reaches nothing private", function.Name)
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
		return fmt.Errorf("function %s is outside the VPC: it reaches nothing private", function.Name)
	}
	via, err := n.place("proxy "+proxy.Name, proxy.Strings("vpcSubnetIds"), proxy.Strings("vpcSecurityGroupIds"))
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

// ofDatabase returns the place of a database.
func (n Network) ofDatabase(database *graph.Resource) (*place, error) {
	name := "database " + database.Name
	group := n.graph.Find(graph.SubnetGroup, "name", database.String("dbSubnetGroupName"))
	if group == nil {
		return nil, fmt.Errorf("%s is in no declared subnet group", name)
	}
	return n.place(name, group.Strings("subnetIds"), database.Strings("vpcSecurityGroupIds"))
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
		if n.internet(from, httpsPort) == nil {
			return nil
		}
		return err
	}
	to, err := n.place("endpoint "+endpoint.Name, endpoint.Strings("subnetIds"), endpoint.Strings("securityGroupIds"))
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
		if !endpoint.Bool("privateDnsEnabled") {
			return nil, fmt.Errorf("private DNS is off on endpoint %s: the name of %s leads to the Internet",
				endpoint.Name, service)
		}
		vpc := byID(n.graph, graph.VPC, from.vpc)
		if vpc == nil {
			return nil, fmt.Errorf("VPC %q of endpoint %s is not declared", from.vpc, endpoint.Name)
		}
		support, declared := vpc.Outputs["enableDnsSupport"].(bool)
		if declared && !support || !vpc.Bool("enableDnsHostnames") {
			return nil, fmt.Errorf("DNS support or DNS hostnames are off on VPC %s: the private name of endpoint %s "+
				"does not work", vpc.Name, endpoint.Name)
		}
		return endpoint, nil
	}
	return nil, fmt.Errorf("the VPC has no interface endpoint for %s", service)
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
			return fmt.Errorf("the default route of subnet %s does not lead to a NAT gateway", subnet.Name)
		}
		if err := n.public(nat); err != nil {
			return err
		}
	}
	anywhere := netip.MustParsePrefix(everywhere)
	for _, rule := range egressRules(n.graph) {
		if slices.Contains(from.groups, rule.group) && rule.covers(port) && rule.containsAll([]netip.Prefix{anywhere}) {
			return n.noACL(from)
		}
	}
	return fmt.Errorf("%s has no egress rule to %s on tcp %d", n.groupNames(from.groups), everywhere, port)
}

// public returns nil if a NAT gateway is in a subnet whose default route is an Internet gateway.
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html
func (n Network) public(nat *graph.Resource) error {
	if nat.String("connectivityType") == "private" {
		return fmt.Errorf("NAT gateway %s is private", nat.Name)
	}
	subnet := byID(n.graph, graph.Subnet, nat.String("subnetId"))
	if subnet == nil {
		return fmt.Errorf("subnet %q of NAT gateway %s is not declared", nat.String("subnetId"), nat.Name)
	}
	route, err := n.defaultRoute(subnet)
	if err != nil {
		return fmt.Errorf("NAT gateway %s: %w", nat.Name, err)
	}
	id, _ := route["gatewayId"].(string)
	if byID(n.graph, graph.InternetGateway, id) == nil {
		return fmt.Errorf("the default route of subnet %s, which NAT gateway %s is in, does not lead to "+
			"an Internet gateway", subnet.Name, nat.Name)
	}
	return nil
}

// defaultRoute returns a subnet's route to everywhere. A subnet without its own table has the VPC's
// main table, which has no such route.
func (n Network) defaultRoute(subnet *graph.Resource) (map[string]any, error) {
	association := n.graph.Find(graph.RouteTableAssociation, "subnetId", subnet.ID)
	if association == nil {
		return nil, fmt.Errorf("subnet %s is associated with no route table", subnet.Name)
	}
	table := byID(n.graph, graph.RouteTable, association.String("routeTableId"))
	if table == nil {
		id := association.String("routeTableId")
		return nil, fmt.Errorf("route table %q of subnet %s is not declared", id, subnet.Name)
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
	return nil, fmt.Errorf("route table %s has no route to %s", table.Name, everywhere)
}

// ofFunction returns the place of a function, nil if it is outside the VPC.
func (n Network) ofFunction(function *graph.Resource) (*place, error) {
	config := graph.Resource{Outputs: function.Object("vpcConfig")}
	if len(config.Outputs) == 0 {
		return nil, nil
	}
	return n.place("function "+function.Name, config.Strings("subnetIds"), config.Strings("securityGroupIds"))
}

func (n Network) place(what string, subnetIDs, groupIDs []string) (*place, error) {
	p := &place{what: what, groups: groupIDs}
	for _, id := range subnetIDs {
		subnet := byID(n.graph, graph.Subnet, id)
		if subnet == nil {
			return nil, fmt.Errorf("subnet %q of %s is not declared", id, what)
		}
		p.subnets = append(p.subnets, subnet)
		p.vpc = subnet.String("vpcId")
	}
	if len(p.subnets) == 0 {
		return nil, fmt.Errorf("%s is in no subnet", what)
	}
	if len(groupIDs) == 0 {
		return nil, fmt.Errorf("%s has no security group", what)
	}
	return p, nil
}

// connect returns nil if TCP connections from one place to another are allowed. Within a VPC there
// is always a route, and security groups allow the answers of every allowed connection:
// https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
func (n Network) connect(from, to *place, port int) error {
	if from.vpc != to.vpc {
		return fmt.Errorf("%s is in VPC %s, and %s in VPC %s", from.what, from.vpc, to.what, to.vpc)
	}
	fromGroups, toGroups := n.groupNames(from.groups), n.groupNames(to.groups)
	if !slices.ContainsFunc(egressRules(n.graph), func(r groupRule) bool { return r.allows(from, to, port) }) {
		return fmt.Errorf("%s has no egress rule to %s on tcp %d", fromGroups, toGroups, port)
	}
	if !slices.ContainsFunc(ingressRules(n.graph), func(r groupRule) bool { return r.allows(to, from, port) }) {
		return fmt.Errorf("%s has no ingress rule from %s on tcp %d", toGroups, fromGroups, port)
	}
	return errors.Join(n.noACL(from), n.noACL(to))
}

// noACL returns an error if a network ACL may close a place's subnets.
func (n Network) noACL(p *place) error {
	for _, acl := range n.graph.OfType(graph.NetworkACL) {
		if acl.String("vpcId") == p.vpc {
			return fmt.Errorf("network ACL %s may close the way to %s: this check cannot evaluate it", acl.Name, p.what)
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
