package rules

import (
	"fmt"
	"net/netip"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/evaluation"
)

// checkPrivateDatabase holds that no database has a public address: passwords would be guessed at by the world.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html#USER_VPC.Hiding
func checkPrivateDatabase(i *inspection) {
	for _, r := range i.OfType(graph.Database) {
		if r.Bool("publiclyAccessible") {
			i.report(r, "set it to false", "publiclyAccessible is true, want false")
		}
	}
}

// checkPrivateNetwork holds that the VPC has no way in from the Internet, nor a function one that passes by the HTTP API.
// An Internet gateway is what makes a subnet public: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
// A function URL without authorization is open to everybody: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func checkPrivateNetwork(i *inspection) {
	for _, r := range i.OfType(graph.Subnet) {
		if r.Bool("mapPublicIpOnLaunch") {
			i.report(r, "set it to false: everything in the VPC is private", "mapPublicIpOnLaunch is true, want false")
		}
	}
	for _, r := range i.OfType(graph.InternetGateway) {
		i.report(r, "delete it: endpoints lead to AWS, and a function outside the VPC to the Internet", "the VPC has an Internet gateway, want none")
	}
	for _, r := range i.OfType(graph.FunctionURL) {
		if got := r.String("authorizationType"); got != "AWS_IAM" {
			i.report(r, "use a route of the HTTP API", "authorizationType is %q, want AWS_IAM: everybody may invoke the function", got)
		}
	}
}

// checkClosedSecurityGroups holds that no security group lets the whole Internet in. Where the VPC has no Internet gateway nobody comes that
// way today; the rule would wait for the day when it has one.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
func checkClosedSecurityGroups(i *inspection) {
	for _, rule := range ingressRules(i.Graph) {
		for _, cidr := range rule.cidrs {
			if prefix, err := netip.ParsePrefix(cidr); err == nil && prefix.Bits() == 0 {
				i.report(rule.declaredBy, "name the security group that may connect", "it lets in %s on %s, want a security group or the VPC's addresses", cidr, rule.ports())
			}
		}
	}
}

// checkResourcePolicies holds that whoever a resource's policy lets in is named: an account or role by itself; a service of AWS, or
// everybody, by the resource on whose behalf it comes. A service comes on behalf of all its customers, so that without aws:SourceArn a
// stranger's topic may send to our queue (the confused deputy):
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func checkResourcePolicies(i *inspection) {
	const remedy = "add a condition on aws:SourceArn"
	i.statements(evaluation.Resource, func(r *graph.Resource, s evaluation.Statement) {
		if who := strangers(s.Principal); who != "" && !namesItsSource(s) {
			i.report(r, remedy, "it allows %s to %s without a condition on aws:SourceArn", strings.Join(s.Action, ", "), who)
		}
	})
	i.statements(evaluation.Trust, func(r *graph.Resource, s evaluation.Statement) {
		// Only who may pass the role can give it to a service.
		if s.Principal == nil || s.Principal.Everybody {
			i.report(r, "name the service that may assume it", "everybody may assume the role")
		}
	})
	for _, r := range i.OfType(graph.Permission) {
		service := r.String("principal") == "*" || strings.HasSuffix(r.String("principal"), ".amazonaws.com")
		if service && !namesAccount(r.String("sourceArn")) && !namesAccount(r.String("sourceAccount")) {
			i.report(r, "set sourceArn to the ARN of what invokes it", "sourceArn is %q: %s may invoke the function for everybody's sake", r.String("sourceArn"), r.String("principal"))
		}
	}
}

// strangers describes those whom a principal names only by kind; empty if there are none.
func strangers(p *evaluation.Principal) string {
	switch {
	case p == nil || p.Everybody:
		return "everybody"
	case len(p.Service) > 0:
		return fmt.Sprintf("everybody who comes through %s", strings.Join(p.Service, ", "))
	}
	return ""
}

// namesItsSource reports whether a statement holds for sources of named accounts alone.
func namesItsSource(s evaluation.Statement) bool {
	for operator, keys := range s.Condition {
		switch operator {
		case "ArnEquals", "ArnLike", "StringEquals", "StringLike":
		default:
			continue // does not narrow, or not where the key is absent
		}
		for key, values := range keys {
			if key := strings.ToLower(key); key != "aws:sourcearn" && key != "aws:sourceaccount" {
				continue
			}
			named := len(values) > 0
			for _, v := range values {
				named = named && namesAccount(v)
			}
			if named {
				return true
			}
		}
	}
	return false
}

// namesAccount reports whether an account's number, or an ARN, says which account.
func namesAccount(source string) bool {
	account := source
	if parts := strings.SplitN(source, ":", 6); len(parts) == 6 {
		account = parts[4]
	}
	return account != "" && !strings.ContainsAny(account, "*?")
}
