package rules

import (
	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
)

// An allowance is an allowing statement of a resource's policy.
type allowance struct {
	resource  *graph.Resource
	statement evaluation.Statement
}

// allowances returns the allowing statements of policies, by the kind of the policy. A policy that
// cannot be read has none: the rule policy reports it.
func allowances(policies []declared.Policy) map[evaluation.Kind][]allowance {
	all := map[evaluation.Kind][]allowance{}
	for _, p := range policies {
		for _, s := range p.Document.Statements {
			if s.Effect == "Allow" {
				all[p.Kind] = append(all[p.Kind], allowance{p.Resource, s})
			}
		}
	}
	return all
}

// statements calls visit with each allowing statement of the policies of a kind.
func (i *inspection) statements(kind evaluation.Kind, visit func(*graph.Resource, evaluation.Statement)) {
	for _, a := range i.allowances[kind] {
		visit(a.resource, a.statement)
	}
}

// mayDo reports whether the role of a function may do something with a resource.
func (i *inspection) mayDo(function *graph.Resource, action, resource string) bool {
	role := function.String("role")
	const session = "" // no policy of the stack depends on the session's name
	return i.policies.Of(role, resource).Evaluate(evaluation.ByRole(role, session, action, resource)).Allowed
}

// mayServe reports whether a service of AWS may do something with a resource, on behalf of a
// source.
func (i *inspection) mayServe(service, source, action, resource string) bool {
	return i.policies.Of("", resource).Evaluate(evaluation.ByService(service, source, action, resource)).Allowed
}
