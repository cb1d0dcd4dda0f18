package rules

import (
	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
)

// statements calls visit with each allowing statement of the policies of a kind. It skips policies
// that it cannot read: the rule policy reports them.
func (i *inspection) statements(kind evaluation.Kind, visit func(*graph.Resource, evaluation.Statement)) {
	for _, holder := range declared.Holders {
		if holder.Kind != kind {
			continue
		}
		for _, r := range i.OfType(holder.Type) {
			d, err := holder.Parse(r)
			if err != nil {
				continue
			}
			for _, s := range d.Statements {
				if s.Effect == "Allow" {
					visit(r, s)
				}
			}
		}
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
