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

// A Network tells what the functions of a recorded program reach, from its subnets, routes, endpoints, security groups and their rules. It
// knows no network ACLs and no peering, and trusts no path that they have a say in.
type Network struct{ graph *graph.Graph }

// NewNetwork is the network that a program declares. The graph must not be a preview's, which knows no ids.
func NewNetwork(g *graph.Graph) Network { return Network{g} }

const httpsPort = 443

// everywhere is the destination of a default route, and of a rule that lets out to any address.
const everywhere = "0.0.0.0/0"

// A place is where in the VPC something has its network interfaces.
type place struct {
	what    string // for errors
	vpc     string // id
	subnets []*graph.Resource
	groups  []string // ids of security groups
}

// Database returns nil if a function reaches a database on its port, else an error that names the first piece that is missing.
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

// Proxy returns nil if a function reaches a database through a proxy, else an error that names the first piece that is missing. Both listen
// on the same port: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-network-prereqs.html
func (n Network) Proxy(function, proxy, database *graph.Resource) error {
	from, err := n.ofFunction(function)
	if err != nil {
		return err
	}
	if from == nil {
		return fmt.Errorf("function %s is outside the VPC: it reaches nothing private", function.Name)
	}
	by, err := n.place("proxy "+proxy.Name, proxy.Strings("vpcSubnetIds"), proxy.Strings("vpcSecurityGroupIds"))
	if err != nil {
		return err
	}
	to, err := n.ofDatabase(database)
	if err != nil {
		return err
	}
	port := int(database.Number("port"))
	return cmp.Or(n.connect(from, by, port), n.connect(by, to, port))
}

// ofDatabase is where a database is.
func (n Network) ofDatabase(database *graph.Resource) (*place, error) {
	name := "database " + database.Name
	group := n.graph.Find(graph.SubnetGroup, "name", database.String("dbSubnetGroupName"))
	if group == nil {
		return nil, fmt.Errorf("%s is in no declared subnet group", name)
	}
	return n.place(name, group.Strings("subnetIds"), database.Strings("vpcSecurityGroupIds"))
}

// Service returns nil if a function reaches a service of AWS in its region, named as in endpoints ("secretsmanager"), else an error that
// names the first piece that is missing. In a VPC an interface endpoint with private DNS takes the service's name over; without one
// the name leads to the Internet: https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
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

// endpoint is the interface endpoint that a service's name leads to in the VPC of a place.
func (n Network) endpoint(from *place, service string) (*graph.Resource, error) {
	for _, endpoint := range n.graph.OfType(graph.VPCEndpoint) {
		if endpoint.String("vpcId") != from.vpc || endpoint.String("vpcEndpointType") != "Interface" || !strings.HasSuffix(endpoint.String("serviceName"), "."+service) {
			continue
		}
		if !endpoint.Bool("privateDnsEnabled") {
			return nil, fmt.Errorf("private DNS is off on endpoint %s: the name of %s leads to the Internet", endpoint.Name, service)
		}
		vpc := byID(n.graph, graph.VPC, from.vpc)
		if vpc == nil {
			return nil, fmt.Errorf("VPC %q of endpoint %s is not declared", from.vpc, endpoint.Name)
		}
		support, declared := vpc.Outputs["enableDnsSupport"].(bool)
		if declared && !support || !vpc.Bool("enableDnsHostnames") {
			return nil, fmt.Errorf("DNS support or DNS hostnames are off on VPC %s: the private name of endpoint %s does not work", vpc.Name, endpoint.Name)
		}
		return endpoint, nil
	}
	return nil, fmt.Errorf("the VPC has no interface endpoint for %s", service)
}

// Internet returns nil if a function reaches a TCP port of any host on the Internet, else an error that names the first piece that
// is missing. A function in a VPC has no public address, so that its way out is a NAT gateway:
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
		return fmt.Errorf("the default route of subnet %s, which NAT gateway %s is in, does not lead to an Internet gateway", subnet.Name, nat.Name)
	}
	return nil
}

// defaultRoute is a subnet's route to everywhere. A subnet without a table of its own has the VPC's main one, which knows only the VPC.
func (n Network) defaultRoute(subnet *graph.Resource) (map[string]any, error) {
	association := n.graph.Find(graph.RouteTableAssociation, "subnetId", subnet.ID)
	if association == nil {
		return nil, fmt.Errorf("subnet %s is associated with no route table", subnet.Name)
	}
	table := byID(n.graph, graph.RouteTable, association.String("routeTableId"))
	if table == nil {
		return nil, fmt.Errorf("route table %q of subnet %s is not declared", association.String("routeTableId"), subnet.Name)
	}
	for _, route := range objects(table.Outputs["routes"]) {
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

// ofFunction is where a function is, nil if it is outside the VPC.
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

// connect returns nil if a TCP connection from one place to another gets through. Within a VPC there is always a route; the answers of a
// connection that was let in are let out: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
func (n Network) connect(from, to *place, port int) error {
	if from.vpc != to.vpc {
		return fmt.Errorf("%s is in VPC %s, and %s in VPC %s", from.what, from.vpc, to.what, to.vpc)
	}
	if !slices.ContainsFunc(egressRules(n.graph), func(r groupRule) bool { return r.lets(from, to, port) }) {
		return fmt.Errorf("%s has no egress rule to %s on tcp %d", n.groupNames(from.groups), n.groupNames(to.groups), port)
	}
	if !slices.ContainsFunc(ingressRules(n.graph), func(r groupRule) bool { return r.lets(to, from, port) }) {
		return fmt.Errorf("%s has no ingress rule from %s on tcp %d", n.groupNames(to.groups), n.groupNames(from.groups), port)
	}
	return errors.Join(n.noACL(from), n.noACL(to))
}

// noACL returns an error if a network ACL may close a place's subnets.
func (n Network) noACL(p *place) error {
	for _, acl := range n.graph.OfType(graph.NetworkACL) {
		if acl.String("vpcId") == p.vpc {
			return fmt.Errorf("network ACL %s may close the way to %s: what ACLs do is not computed", acl.Name, p.what)
		}
	}
	return nil
}

// groupNames names security groups as the program does.
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
