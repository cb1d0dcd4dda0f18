package rules

import (
	"fmt"
	"net/netip"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/evaluation"
)

// checkPrivateDatabase checks that no database has a public address: anybody could try passwords.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html#USER_VPC.Hiding
func checkPrivateDatabase(i *inspection) {
	for _, r := range i.OfType(graph.Database) {
		if r.Bool("publiclyAccessible") {
			i.report(r, "set publiclyAccessible to false",
				"publiclyAccessible is true, want false: RDS gives it a public address")
		}
	}
}

// checkPrivateNetwork checks that the VPC has no way in from the Internet, and that the HTTP API is
// the only public way to a function. An Internet gateway makes subnets public:
// https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
// A function URL without authorization is open to everybody:
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
func checkPrivateNetwork(i *inspection) {
	for _, r := range i.OfType(graph.Subnet) {
		if r.Bool("mapPublicIpOnLaunch") {
			i.report(r, "set mapPublicIpOnLaunch to false",
				"mapPublicIpOnLaunch is true, want false: what starts in it gets a public address")
		}
	}
	for _, r := range i.OfType(graph.InternetGateway) {
		i.report(r, "delete the gateway: use a VpcEndpoint for AWS, and a function outside the VPC for the Internet",
			"the VPC has an Internet gateway, want none: a route to it opens a subnet to the Internet")
	}
	for _, r := range i.OfType(graph.FunctionURL) {
		if got := r.String("authorizationType"); got != "AWS_IAM" {
			i.report(r, "delete it, and use a route of the HTTP API",
				"authorizationType is %q, want AWS_IAM: everybody may invoke the function", got)
		}
	}
}

// checkClosedSecurityGroups checks that no security group allows connections from the whole
// Internet. Without an Internet gateway nobody can use such a rule, but it would open the VPC as
// soon as the VPC gets one.
// https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
func checkClosedSecurityGroups(i *inspection) {
	for _, rule := range ingressRules(i.Graph) {
		// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
		if rule.protocol == "-1" && rule.to > 0 {
			i.report(rule.declaredBy, "name the protocol, like tcp",
				"its protocol is -1, which allows all ports, whatever its fromPort and toPort are")
		}
		for _, cidr := range rule.cidrs {
			if prefix, err := netip.ParsePrefix(cidr); err == nil && prefix.Bits() == 0 {
				i.report(rule.declaredBy, "name the security group that may connect in referencedSecurityGroupId",
					"it allows connections from %s on %s, want a security group or the VPC's addresses",
					cidr, rule.ports())
			}
		}
	}
}

// checkResourcePolicies checks that a resource's policy names the accounts that it allows. A
// statement for a service of AWS, or for everybody, must have a condition on the source. A service
// acts for all its customers: without a condition on aws:SourceArn, a topic of another account may
// send to the stack's queue (the confused deputy):
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func checkResourcePolicies(i *inspection) {
	const remedy = "name roles or accounts in Principal, or add a condition on aws:SourceArn, or set " +
		"Effect to Deny if the statement is to refuse"
	i.statements(evaluation.Resource, func(r *graph.Resource, s evaluation.Statement) {
		if who := strangers(s.Principal); who != "" && !namesItsSource(s) {
			i.report(r, remedy, "it allows %s to %s without a condition on aws:SourceArn",
				strings.Join(s.Action, ", "), who)
		}
	})
	i.statements(evaluation.Trust, func(r *graph.Resource, s evaluation.Statement) {
		// A service needs no condition: only principals with iam:PassRole can give it the role.
		if s.Principal == nil || s.Principal.Everybody {
			i.report(r, "name the service that may assume it in Principal", "everybody may assume the role")
		}
	})
	for _, r := range i.OfType(graph.Permission) {
		principal, source := r.String("principal"), r.String("sourceArn")
		service := principal == "*" || strings.HasSuffix(principal, ".amazonaws.com")
		if service && !namesAccount(source) && !namesAccount(r.String("sourceAccount")) {
			i.report(r, "set sourceArn to the ARN of the resource that invokes it",
				"sourceArn is %q: %s may invoke the function on behalf of any account", source, principal)
		}
	}
}

// strangers describes principals that a statement does not name one by one; empty if there are
// none.
func strangers(p *evaluation.Principal) string {
	switch {
	case p == nil || p.Everybody:
		return "everybody"
	case len(p.Service) > 0:
		return fmt.Sprintf("all users of %s", strings.Join(p.Service, ", "))
	}
	return ""
}

// namesItsSource reports whether a statement applies only to sources in named accounts.
func namesItsSource(s evaluation.Statement) bool {
	for operator, keys := range s.Condition {
		switch operator {
		case "ArnEquals", "ArnLike", "StringEquals", "StringLike":
		default:
			continue // the operator also matches other sources, or requests without the key
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

// namesAccount reports whether a text is an account's number, or an ARN that names its account.
func namesAccount(source string) bool {
	account := source
	if parts := strings.SplitN(source, ":", 6); len(parts) == 6 {
		account = parts[4]
	}
	return account != "" && !strings.ContainsAny(account, "*?")
}
