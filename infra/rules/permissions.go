package rules

import (
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
)

// checkWildcards holds that policies name the actions and the resources that they allow. Whatever AWS adds under a wildcard is allowed as well:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
func checkWildcards(i *inspection) {
	for _, holder := range declared.Holders {
		for _, r := range i.OfType(holder.Type) {
			if _, err := holder.Parse(r); err != nil {
				i.report(r, "build it from structs", "%v", err)
			}
		}
	}
	named := func(r *graph.Resource, s evaluation.Statement) {
		if len(s.NotAction) > 0 {
			i.report(r, "name what is allowed", "it allows all actions but %s", strings.Join(s.NotAction, ", "))
		}
		for _, action := range s.Action {
			if strings.ContainsAny(action, "*?") {
				i.report(r, "name the actions", "it allows the action %s, want no wildcard", action)
			}
		}
	}
	i.statements(evaluation.Resource, named)
	i.statements(evaluation.Trust, named)
	i.statements(evaluation.Identity, func(r *graph.Resource, s evaluation.Statement) {
		named(r, s)
		if len(s.NotResource) > 0 {
			i.report(r, "name what is allowed", "it allows %s on all resources but %s", strings.Join(s.Action, ", "), strings.Join(s.NotResource, ", "))
		}
		for _, resource := range s.Resource {
			for _, action := range s.Action {
				if isWildcard(resource) && !slices.Contains(policy.NetworkInterfaceActions, action) {
					i.report(r, "name the resource's ARN", "it allows %s on %s, want one resource", action, resource)
				}
			}
		}
	})
	for _, r := range i.OfType(graph.RolePolicyAttachment) {
		if arn := r.String("policyArn"); strings.HasPrefix(arn, "arn:aws:iam::aws:") {
			i.report(r, "grant the actions that are used", "it attaches %s, of which AWS decides what it allows", arn)
		}
	}
}

// isWildcard reports whether an ARN is of more than one resource. The streams of one log group are one.
func isWildcard(arn string) bool {
	if before, group, ok := strings.Cut(arn, ":log-group:"); ok {
		arn = before + strings.TrimSuffix(group, ":*")
	}
	return strings.ContainsAny(arn, "*?")
}

// checkGrants holds that a function's role allows what its environment grants, on the very thing that the variable names.
// A role starts with no permissions: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
func checkGrants(i *inspection) {
	for r, f := range i.functions() {
		variables := variables(r)
		for _, v := range f.Variables {
			thing, _, _ := strings.Cut(v.From, ".")
			for _, verb := range v.Grants {
				actions := policy.Actions(thing, verb)
				if actions == nil {
					i.report(r, "say in infra/policy/grants.go which calls it is", "variable %s grants %q on a %s, which this rule does not know", v.Name, verb, thing)
				}
				on := variables[v.Name]
				if on == "" {
					continue // which is the rule environment's
				}
				for _, action := range actions {
					if !i.mayDo(r, action, on) {
						i.report(r, "let the role's policy allow it", "its role does not allow %s on %s, which variable %s grants", action, on, v.Name)
					}
				}
				i.checkKeyOf(r, v, on)
			}
		}
	}
}

// checkKeyOf holds that a function may use the stack's own key that a topic is encrypted with: SNS encrypts with the rights of who publishes.
// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#sns-what-permissions-for-sse
func (i *inspection) checkKeyOf(function *graph.Resource, v Variable, arn string) {
	topic := i.Find(graph.Topic, "arn", arn)
	if topic == nil {
		return
	}
	key := i.Find(graph.Key, "arn", topic.String("kmsMasterKeyId"))
	if key == nil {
		return // one of AWS's, which all who may publish may use
	}
	for _, action := range policy.Actions("key", "encrypt") {
		if !i.mayDo(function, action, key.String("arn")) {
			i.report(function, "let the role's policy allow it", "its role does not allow %s on %s, which the topic of variable %s is encrypted with", action, key.String("arn"), v.Name)
		}
	}
}

// lambdaMay reports whether Lambda itself may do something with the role of a function.
func (i *inspection) lambdaMay(function *graph.Resource, action string) bool {
	role := function.String("role")
	q := evaluation.ByRole(role, "", action, "*")
	q.Context[strings.ToLower(policy.SourceFunctionARN)] = nil // which requests of the function's code have
	return i.policies.Of(role, "*").Evaluate(q).Allowed
}

// checkNetworkInterfaces holds that a function in a VPC may have its network interfaces made. Otherwise Lambda refuses to make the function:
// "The provided execution role does not have permissions to call CreateNetworkInterface on EC2".
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
func checkNetworkInterfaces(i *inspection) {
	for _, r := range i.OfType(graph.Function) {
		if r.Object("vpcConfig") == nil {
			continue
		}
		for _, action := range policy.NetworkInterfaceActions {
			if !i.lambdaMay(r, action) {
				i.report(r, "let the role's policy allow it", "it is in a VPC, and its role does not allow %s on *", action)
			}
			if i.mayDo(r, action, "*") {
				i.report(r, "deny it where lambda:SourceFunctionArn is known", "its code may %s, which Lambda alone has to", action)
			}
		}
	}
}
