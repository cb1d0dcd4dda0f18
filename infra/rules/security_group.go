package rules

import (
	"fmt"
	"net/netip"
	"slices"

	"restock/infra/graph"
)

// A groupRule is one rule of a security group, however it is declared.
type groupRule struct {
	declaredBy *graph.Resource
	group      string // id of the group that has the rule
	protocol   string // "tcp", or "-1" for all
	from, to   int    // ports
	peers      []string
	cidrs      []string
}

func ingressRules(g *graph.Graph) []groupRule {
	return groupRules(g, "ingress", graph.SecurityGroupIngressRule)
}
func egressRules(g *graph.Graph) []groupRule {
	return groupRules(g, "egress", graph.SecurityGroupEgressRule)
}

// groupRules lists the rules of a direction: resources of their own, of either kind, and those written into a group.
func groupRules(g *graph.Graph, direction string, token graph.Type) []groupRule {
	var rules []groupRule
	for _, r := range g.OfType(token) {
		rules = append(rules, groupRule{
			declaredBy: r, group: r.String("securityGroupId"),
			protocol: r.String("ipProtocol"), from: int(r.Number("fromPort")), to: int(r.Number("toPort")),
			peers: given(r.String("referencedSecurityGroupId")), cidrs: given(r.String("cidrIpv4"), r.String("cidrIpv6")),
		})
	}
	for _, r := range g.OfType(graph.SecurityGroupRule) {
		if r.String("type") == direction {
			rules = append(rules, oldRule(r, r.String("securityGroupId"), r.Outputs))
		}
	}
	for _, r := range slices.Concat(g.OfType(graph.SecurityGroup), g.OfType(graph.DefaultSecurityGroup)) {
		for _, inline := range objects(r.Outputs[direction]) {
			rules = append(rules, oldRule(r, r.ID, inline))
		}
	}
	return rules
}

// oldRule reads a rule in the form that older resources have, with lists of peers.
func oldRule(declaredBy *graph.Resource, group string, properties map[string]any) groupRule {
	r := graph.Resource{Outputs: properties}
	rule := groupRule{
		declaredBy: declaredBy, group: group,
		protocol: r.String("protocol"), from: int(r.Number("fromPort")), to: int(r.Number("toPort")),
		peers: append(r.Strings("securityGroups"), given(r.String("sourceSecurityGroupId"))...),
		cidrs: append(r.Strings("cidrBlocks"), r.Strings("ipv6CidrBlocks")...),
	}
	if r.Bool("self") {
		rule.peers = append(rule.peers, group)
	}
	return rule
}

// lets reports whether the rule, of a group of one place, is for TCP connections with another place.
func (r groupRule) lets(own, other *place, port int) bool {
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

// containsAll reports whether each of the addresses is within one of the rule's ranges.
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

// ports describes what the rule is for.
func (r groupRule) ports() string {
	switch {
	case r.protocol == "-1":
		return "all ports"
	case r.from == r.to:
		return fmt.Sprintf("%s %d", r.protocol, r.from)
	}
	return fmt.Sprintf("%s %d-%d", r.protocol, r.from, r.to)
}

// objects is a list of objects; empty if it is not one.
func objects(value any) []map[string]any {
	list, _ := value.([]any)
	var found []map[string]any
	for _, v := range list {
		if object, ok := v.(map[string]any); ok {
			found = append(found, object)
		}
	}
	return found
}

// given are the texts that are not empty.
func given(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}
