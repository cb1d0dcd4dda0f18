package rules

import (
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
)

// before returns what Pulumi makes before a resource: what it depends on, and what that depends on.
func (i *inspection) before(r *graph.Resource) map[string]bool {
	all := map[string]bool{}
	var add func(urns ...string)
	add = func(urns ...string) {
		for _, urn := range urns {
			if all[urn] {
				continue
			}
			if next := i.ByURN(urn); next != nil {
				all[urn] = true
				add(next.Dependencies...)
				add(next.Parent)
			}
		}
	}
	add(r.Dependencies...)
	add(r.Parent)
	return all
}

// checkOrder checks that a resource exists before another resource uses it. Pulumi makes resources
// at the same time unless one depends on the other. Without the dependency a first deployment fails
// now and then, and an update works.
// https://www.pulumi.com/docs/iac/concepts/options/dependson/
func checkOrder(i *inspection) {
	before := map[*graph.Resource]map[string]bool{} // only of resources that need others
	waits := func(r, needed *graph.Resource) bool {
		if before[r] == nil {
			before[r] = i.before(r)
		}
		return before[r][needed.URN]
	}
	for _, r := range i.Resources {
		require := func(needed *graph.Resource, why string) {
			if needed != r && !waits(r, needed) {
				i.report(r, dependOn(needed), "Pulumi may make it before %s: %s", title(needed), why)
			}
		}
		switch r.Type {
		case graph.Function:
			i.requirePolicies(r.String("role"), require)
			i.requireNetwork(r, require)
		case graph.Proxy:
			i.requirePolicies(r.String("roleArn"), require)
			for _, auth := range r.Objects("auths") {
				i.requireWriters(auth["secretArn"], require)
			}
		case graph.APIIntegration:
			i.requirePolicies(r.String("credentialsArn"), require)
		case graph.SecretRotation:
			i.requireWriters(r.Outputs["secretId"], require)
			for _, p := range i.OfType(graph.Permission) {
				if p.String("principal") == "secretsmanager.amazonaws.com" &&
					i.function(p.String("function")) == i.function(r.String("rotationLambdaArn")) {
					require(p, "Secrets Manager refuses a rotation by a function that it may not invoke")
				}
			}
		}
	}
	for r, f := range i.functions() {
		variables := variables(r)
		for _, v := range f.Variables {
			if !slices.Contains(v.Grants, "read") || slices.Contains(v.Grants, "write") {
				continue
			}
			i.requireWriters(variables[v.Name], func(needed *graph.Resource, why string) {
				if !waits(r, needed) && i.function(needed.String("functionName")) != r {
					i.report(r, dependOn(needed), "Pulumi may make it before %s: %s", title(needed), why)
				}
			})
		}
	}
}

// dependOn is the remedy for a resource that another one must wait for.
func dependOn(needed *graph.Resource) string {
	return "let it depend on " + title(needed) + " with pulumi.DependsOn"
}

// requirePolicies: AWS checks the permissions of a role when it makes what uses the role.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
func (i *inspection) requirePolicies(roleARN string, require func(*graph.Resource, string)) {
	role := i.Find(graph.Role, "arn", roleARN)
	if role == nil {
		return // the rule reference reports it
	}
	for _, kind := range []graph.Type{graph.RolePolicy, graph.RolePolicyAttachment} {
		for _, p := range i.OfType(kind) {
			if p.String("role") == role.String("name") {
				require(p, "until then its role has no permissions, and AWS may refuse it")
			}
		}
	}
}

// requireNetwork: a function that a deployment runs, or that serves at once, reaches nothing before
// the parts of its network exist.
func (i *inspection) requireNetwork(function *graph.Resource, require func(*graph.Resource, string)) {
	config := graph.Resource{Outputs: function.Object("vpcConfig")}
	groups := config.Strings("securityGroupIds")
	if len(groups) == 0 {
		return
	}
	for _, e := range i.OfType(graph.VPCEndpoint) {
		service := e.String("serviceName")
		require(e, "until then it does not reach "+service[strings.LastIndex(service, ".")+1:])
	}
	var others []string // groups of proxies that the function does not use
	for _, proxy := range i.OfType(graph.Proxy) {
		if !slices.Contains(slices.Collect(maps.Values(variables(function))), proxy.String("endpoint")) {
			others = append(others, proxy.Strings("vpcSecurityGroupIds")...)
			continue
		}
		groups = append(groups, proxy.Strings("vpcSecurityGroupIds")...) // it needs the database, too
		for _, target := range i.OfType(graph.ProxyTarget) {
			if target.String("dbProxyName") == proxy.String("name") {
				require(target, "until then the proxy has no database")
			}
		}
	}
	for _, kind := range []graph.Type{graph.SecurityGroupEgressRule, graph.SecurityGroupIngressRule} {
		for _, rule := range i.OfType(kind) {
			from, to := rule.String("securityGroupId"), rule.String("referencedSecurityGroupId")
			if !slices.Contains(others, from) && !slices.Contains(others, to) &&
				(slices.Contains(groups, from) || slices.Contains(groups, to)) {
				require(rule, "until then its connections time out")
			}
		}
	}
}

// requireWriters: the invocation of a function that writes a secret fills the secret.
func (i *inspection) requireWriters(secretARN any, require func(*graph.Resource, string)) {
	secret := i.Find(graph.Secret, "arn", secretARN)
	if secret == nil {
		return
	}
	for _, invocation := range i.OfType(graph.Invocation) {
		writer := i.function(invocation.String("functionName"))
		if writer != nil && i.mayDo(writer, "secretsmanager:PutSecretValue", secret.String("arn")) {
			require(invocation, "until then secret "+secret.Name+" is empty")
		}
	}
}
