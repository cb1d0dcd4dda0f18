package rules

import (
	"strings"

	"restock/infra/graph"
)

// roots are AWS's types that belong to nothing but the stack, beside components. Everything else is part of something, and hangs below it.
var roots = map[graph.Type]bool{
	graph.API:            true,
	graph.Dashboard:      true,
	graph.Database:       true,
	graph.Key:            true,
	graph.ParameterGroup: true,
	graph.Queue:          true,
	graph.Secret:         true,
	graph.SubnetGroup:    true,
	graph.Topic:          true,
	graph.VPC:            true,
}

// checkParents holds that every resource has its parent in the graph, and that only roots hang directly off the stack.
// Pulumi takes a resource's URN from its parents' types, and shows, targets and protects by them; a resource that gets its right parent only
// later gets another URN, and is replaced unless it is aliased: https://www.pulumi.com/docs/iac/concepts/options/parent/
func checkParents(i *inspection) {
	declared := map[string]bool{}
	for _, r := range i.Resources {
		declared[r.URN] = true
	}
	for _, r := range i.Resources {
		ofStack := r.Parent == "" || strings.Contains(r.Parent, "::pulumi:pulumi:Stack::")
		switch {
		case ofStack && !roots[r.Type] && strings.HasPrefix(string(r.Type), graph.AWS):
			i.report(r, "give it pulumi.Parent, or make its type one of the roots", "its parent is the stack, want what it is part of")
		case !ofStack && !declared[r.Parent]:
			i.report(r, "declare the parent, or give it another", "its parent %s is not declared", r.Parent)
		}
	}
}
