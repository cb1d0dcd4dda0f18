package rules

import (
	"fmt"
	"net/netip"
	"slices"

	"restock/infra/graph"
)

// A groupRule is a rule of a security group, in any of the forms that Pulumi has for it.
type groupRule struct {
	declaredBy *graph.Resource
	group      string   // the id of the group that has the rule
	protocol   string   // "tcp", or "-1" for all
	from, to   int      // ports
	peers      []string // the ids of the groups at the other end
	cidrs      []string // the addresses at the other end
	lists      []string // the ids of prefix lists with addresses at the other end
}

func ingressRules(g *graph.Graph) []groupRule {
	return groupRules(g, "ingress", graph.SecurityGroupIngressRule)
}
func egressRules(g *graph.Graph) []groupRule {
	return groupRules(g, "egress", graph.SecurityGroupEgressRule)
}

// groupRules lists the rules of a direction: separate resources of two types, and rules in the
// properties of a group.
func groupRules(g *graph.Graph, direction string, token graph.Type) []groupRule {
	var rules []groupRule
	for _, r := range g.OfType(token) {
		rules = append(rules, groupRule{
			declaredBy: r, group: r.String("securityGroupId"),
			protocol: r.String("ipProtocol"), from: int(r.Number("fromPort")), to: int(r.Number("toPort")),
			peers: nonEmpty(r.String("referencedSecurityGroupId")),
			cidrs: nonEmpty(r.String("cidrIpv4"), r.String("cidrIpv6")),
			lists: nonEmpty(r.String("prefixListId")),
		})
	}
	for _, r := range g.OfType(graph.SecurityGroupRule) {
		if r.String("type") == direction {
			rules = append(rules, listRule(r, r.String("securityGroupId"), r.Outputs))
		}
	}
	for _, r := range slices.Concat(g.OfType(graph.SecurityGroup), g.OfType(graph.DefaultSecurityGroup)) {
		for _, inline := range r.Objects(direction) {
			rules = append(rules, listRule(r, r.ID, inline))
		}
	}
	return rules
}

// listRule reads a rule in the older form, which has lists of peers.
func listRule(declaredBy *graph.Resource, group string, properties map[string]any) groupRule {
	r := graph.Resource{Outputs: properties}
	rule := groupRule{
		declaredBy: declaredBy, group: group,
		protocol: r.String("protocol"), from: int(r.Number("fromPort")), to: int(r.Number("toPort")),
		peers: append(r.Strings("securityGroups"), nonEmpty(r.String("sourceSecurityGroupId"))...),
		cidrs: append(r.Strings("cidrBlocks"), r.Strings("ipv6CidrBlocks")...),
		lists: r.Strings("prefixListIds"),
	}
	if r.Bool("self") {
		rule.peers = append(rule.peers, group)
	}
	return rule
}

// allows reports whether the rule belongs to a group of the place own, and allows TCP connections
// on a port with another place.
func (r groupRule) allows(own, other *place, port int) bool {
	if !slices.Contains(own.groups, r.group) || !r.covers(port) {
		return false
	}
	if slices.ContainsFunc(r.peers, func(peer string) bool { return slices.Contains(other.groups, peer) }) {
		return true
	}
	var addresses []netip.Prefix
	for _, subnet := range other.subnets {
		prefix, err := netip.ParsePrefix(subnet.String("cidrBlock"))
		if err != nil {
			return false
		}
		addresses = append(addresses, prefix)
	}
	return r.containsAll(addresses)
}

// covers reports whether the rule is for a TCP port.
func (r groupRule) covers(port int) bool {
	return r.protocol == "-1" || r.protocol == "tcp" && r.from <= port && port <= r.to
}

// containsAll reports whether one of the rule's ranges contains each of the addresses.
func (r groupRule) containsAll(addresses []netip.Prefix) bool {
	for _, a := range addresses {
		contains := func(cidr string) bool {
			prefix, err := netip.ParsePrefix(cidr)
			return err == nil && prefix.Bits() <= a.Bits() && prefix.Contains(a.Addr())
		}
		if !slices.ContainsFunc(r.cidrs, contains) {
			return false
		}
	}
	return true
}

// ports describes the rule's protocol and ports.
func (r groupRule) ports() string {
	switch {
	case r.protocol == "-1":
		return "all ports"
	case r.from == r.to:
		return fmt.Sprintf("%s %d", r.protocol, r.from)
	}
	return fmt.Sprintf("%s %d-%d", r.protocol, r.from, r.to)
}

// nonEmpty returns the texts that are not empty.
func nonEmpty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}
