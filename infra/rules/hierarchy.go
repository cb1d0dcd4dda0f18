package rules

import (
	"strings"

	"restock/infra/graph"
)

// roots are the types of AWS resources that belong only to the stack or a component. Resources of
// other types belong to a resource, which is their parent.
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

// checkParents checks that every resource's parent is in the graph, and that only roots are
// children of the stack. The URN of a resource contains the types of its parents. A resource that
// gets another parent later gets another URN: Pulumi replaces the resource unless it has an alias.
// https://www.pulumi.com/docs/iac/concepts/options/parent/
func checkParents(i *inspection) {
	declared := map[string]bool{}
	for _, r := range i.Resources {
		declared[r.URN] = true
	}
	for _, r := range i.Resources {
		ofStack := r.Parent == "" || strings.Contains(r.Parent, "::pulumi:pulumi:Stack::")
		switch {
		case ofStack && !roots[r.Type] && strings.HasPrefix(string(r.Type), graph.AWS):
			i.report(r, "pass pulumi.Parent with that resource, or add the type to roots in infra/rules/hierarchy.go",
				"its parent is the stack, want the resource that it belongs to: another parent later gives it "+
					"another URN, and Pulumi replaces it")
		case !ofStack && !declared[r.Parent]:
			i.report(r, "declare the parent, or give it another", "its parent %s is not declared", r.Parent)
		}
	}
}
