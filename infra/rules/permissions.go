package rules

import (
	"cmp"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/policy/evaluation"
)

// checkWildcards checks that policies name the actions and the resources that they allow. A
// wildcard also allows actions that AWS adds later:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
func checkWildcards(i *inspection) {
	named := func(r *graph.Resource, s evaluation.Statement) {
		if len(s.NotAction) > 0 {
			i.report(r, "name the allowed actions in Action, and delete NotAction", "it allows all actions but %s",
				strings.Join(s.NotAction, ", "))
		}
		for _, action := range s.Action {
			if strings.ContainsAny(action, "*?") {
				i.report(r, "name the actions", "it allows the action %s, want no wildcard", action)
			}
		}
	}
	i.statements(evaluation.Resource, named)
	i.statements(evaluation.Trust, named)
	i.statements(evaluation.Endpoint, named)
	i.statements(evaluation.Identity, func(r *graph.Resource, s evaluation.Statement) {
		named(r, s)
		if len(s.NotResource) > 0 {
			i.report(r, "name the allowed resources in Resource, and delete NotResource",
				"it allows %s on all resources but %s",
				strings.Join(s.Action, ", "), strings.Join(s.NotResource, ", "))
		}
		for _, resource := range s.Resource {
			for _, action := range s.Action {
				if isWildcard(resource) && !slices.Contains(needAllResources, action) {
					i.report(r, "name the resource's ARN", "it allows %s on %s, want one resource", action, resource)
				}
			}
		}
	})
	for _, r := range i.OfType(graph.RolePolicyAttachment) {
		if arn := r.String("policyArn"); strings.HasPrefix(arn, "arn:aws:iam::aws:") {
			i.report(r, "delete the attachment, and allow the actions that the code uses in a RolePolicy",
				"it attaches %s, a policy that AWS may change", arn)
		}
	}
}

// needAllResources are the actions that services of AWS require on all resources.
var needAllResources = slices.Concat(policy.NetworkInterfaceActions, policy.TracingActions)

// checkPolicies checks that the policies are valid JSON with the elements of a policy. Otherwise
// AWS answers MalformedPolicyDocument.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func checkPolicies(i *inspection) {
	for _, p := range i.policies.All {
		if p.Err != nil {
			i.report(p.Resource, "write the document with policy.New and outputs.JSON", "%v", p.Err)
		}
	}
}

// isWildcard reports whether an ARN matches more than one resource. The streams of a log group
// count as one.
func isWildcard(arn string) bool {
	if before, group, ok := strings.Cut(arn, ":log-group:"); ok {
		arn = before + strings.TrimSuffix(group, ":*")
	}
	return strings.ContainsAny(arn, "*?")
}

// checkGrants checks that a function's role allows what the environment grants, on the resource
// that the variable names. A role starts with no permissions:
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
func checkGrants(i *inspection) {
	i.checkWriters()
	for r, f := range i.functions() {
		variables := variables(r)
		for _, v := range f.Variables {
			kind, _, _ := strings.Cut(v.From, ".")
			for _, verb := range v.Grants {
				actions := policy.Actions(kind, verb)
				if actions == nil {
					i.report(r, "add it in infra/policy/grants.go", "variable %s has the unknown grant %q for a %s",
						v.Name, verb, kind)
				}
				arn := variables[v.Name]
				if !strings.HasPrefix(arn, "arn:") {
					continue // the rules environment and secret-variable report it
				}
				for _, action := range actions {
					if !i.mayDo(r, action, arn) {
						i.report(r, "let the role's policy allow it",
							"its role does not allow %s on %s, which variable %s grants", action, arn, v.Name)
					}
				}
				i.checkKeyOf(r, v, arn)
			}
		}
	}
}

// checkWriters checks that the declaration of a function grants write on each secret that a
// function reads. The program gives secrets no values: a secret that nobody writes has none.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (i *inspection) checkWriters() {
	reader, written := map[string]string{}, map[string]bool{} // by the variables' source
	for _, f := range i.declarations.Functions {
		for _, v := range f.Variables {
			if slices.Contains(v.Grants, "read") {
				reader[v.From] = cmp.Or(reader[v.From], f.Name)
			}
			written[v.From] = written[v.From] || slices.Contains(v.Grants, "write")
		}
	}
	for _, secret := range i.OfType(graph.Secret) {
		if from := "secret." + secret.Name; reader[from] != "" && !written[from] {
			i.report(secret, "grant write to the function that makes its value",
				"function %s reads it, and no function may write it: it has no value", reader[from])
		}
	}
}

// checkKeyOf checks that a function that publishes to a topic may use the topic's key: SNS encrypts
// with the permissions of the publisher.
// https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#sns-what-permissions-for-sse
func (i *inspection) checkKeyOf(function *graph.Resource, v Variable, arn string) {
	topic := i.Find(graph.Topic, "arn", arn)
	if topic == nil {
		return
	}
	key := i.Find(graph.Key, "arn", topic.String("kmsMasterKeyId"))
	if key == nil {
		return // a key of AWS, which every publisher may use
	}
	for _, action := range []string{"kms:Decrypt", "kms:GenerateDataKey"} {
		if !i.mayDo(function, action, key.String("arn")) {
			i.report(function, "let the role's policy allow it",
				"its role does not allow %s on %s, the key of the topic in variable %s",
				action, key.String("arn"), v.Name)
		}
	}
}

// lambdaMay reports whether a role allows an action to Lambda itself, and not to the function's
// code.
func (i *inspection) lambdaMay(function *graph.Resource, action string) bool {
	role := function.String("role")
	q := evaluation.ByRole(role, "", action, "*")
	q.Context[strings.ToLower(policy.SourceFunctionARN)] = nil // only requests of the function's code have this key
	return i.policies.Of(role, "*").Evaluate(q).Allowed
}

// requiredInVPC are the actions that Lambda requires of the role of a function in a VPC. A rule
// knows them, and not the table of grants, so that a mistake in the table is found.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
var requiredInVPC = []string{
	"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
	"ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
}

// checkNetworkInterfaces checks that Lambda may make network interfaces with the role of a function
// in a VPC. Otherwise Lambda refuses to make the function: "The provided execution role does not
// have permissions to call CreateNetworkInterface on EC2". The function's code does not need them.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
func checkNetworkInterfaces(i *inspection) {
	for _, r := range i.OfType(graph.Function) {
		if r.Object("vpcConfig") == nil {
			continue
		}
		for _, action := range requiredInVPC {
			if !i.lambdaMay(r, action) {
				i.report(r, "let the role's policy allow it",
					"it is in a VPC, and its role does not allow %s on *: Lambda refuses the function", action)
			}
		}
		for _, action := range policy.NetworkInterfaceActions {
			if i.mayDo(r, action, "*") {
				i.report(r, `deny it with the condition "Null": {"lambda:SourceFunctionArn": "false"}`,
					"its code may use %s, which only Lambda needs", action)
			}
		}
	}
}

// checkTracing checks that Lambda may send traces with the role of a function with active tracing.
// Otherwise Lambda refuses to make the function: "The provided execution role does not have
// permissions to call PutTraceSegments on XRAY".
func checkTracing(i *inspection) {
	for _, r := range i.OfType(graph.Function) {
		if r.Object("tracingConfig")["mode"] == "Active" && !i.lambdaMay(r, "xray:PutTraceSegments") {
			i.report(r, "let the role's policy allow it",
				"it has active tracing, and its role does not allow xray:PutTraceSegments on *: Lambda refuses the "+
					"function")
		}
	}
}

// checkEndpointPolicies checks that the endpoints of a VPC let the granted actions of its functions
// pass, and nothing with the credentials of another account. An endpoint without a policy lets
// everything pass; one that lacks an action refuses calls that the role's policy allows.
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
func checkEndpointPolicies(i *inspection) {
	for _, r := range i.OfType(graph.VPCEndpoint) {
		if r.String("policy") == "" {
			i.report(r, "set policy to a document that allows the actions of the functions",
				"it has no policy: it lets everything pass, also to other accounts")
		}
	}
	i.statements(evaluation.Endpoint, func(r *graph.Resource, s evaluation.Statement) {
		if len(s.Condition["StringEquals"]["aws:PrincipalAccount"]) == 0 {
			i.report(r, "add a condition StringEquals on aws:PrincipalAccount to its policy", "it lets principals "+
				"of every account pass: stolen data could leave with their credentials")
		}
	})
	for r, f := range i.functions() {
		variables := variables(r)
		for _, v := range f.Variables {
			kind, _, _ := strings.Cut(v.From, ".")
			for _, verb := range v.Grants {
				for _, action := range policy.Actions(kind, verb) {
					arn, role := variables[v.Name], r.String("role")
					d := i.policies.Through(role, action, arn).Evaluate(
						evaluation.ByRole(role, "", action, arn).Through(i.policies.Endpoint(role, action)))
					if arn != "" && !d.Allowed && d.By == evaluation.Endpoint {
						i.report(r, "add the action to the endpoint's policy",
							"the policy of %s does not allow %s, which variable %s grants", d.Policy, action, v.Name)
					}
				}
			}
		}
	}
}
