package usage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
)

// A Document is a role's policy.
type Document struct {
	Version   string
	Statement []Statement
}

// A Statement is a statement of a role's policy.
type Statement struct {
	Effect      string
	Action      []string                               `json:",omitempty"`
	NotAction   []string                               `json:",omitempty"`
	Resource    []string                               `json:",omitempty"`
	NotResource []string                               `json:",omitempty"`
	Condition   map[string]map[string]evaluation.Texts `json:",omitempty"`
}

// Narrowest returns, by the ARN of a role, the narrowest policy that allows the role's calls. A
// policy keeps what cannot be measured, and what the declared policies deny.
func Narrowest(g *graph.Graph, counts Counts) (map[string]Document, error) {
	policies, err := declared.Read(g)
	if err != nil {
		return nil, fmt.Errorf("reading the declared policies: %w", err)
	}
	narrowest := map[string]Document{}
	for _, role := range g.OfType(graph.Role) {
		arn := role.String("arn")
		r := reader{counts: counts, trust: map[string]evaluation.Policies{arn: policies.Trust(arn)}}
		d := Document{Version: "2012-10-17"}
		covered := map[Call]bool{}
		for _, declared := range policies.Of(arn, "").Identity {
			for _, s := range declared.Statements {
				d.Statement = append(d.Statement, r.narrow(arn, s, covered)...)
			}
		}
		if len(d.Statement) > 0 {
			narrowest[arn] = d
		}
	}
	return narrowest, nil
}

// narrow returns the parts of a statement that calls need, and that no earlier statement covers.
func (r *reader) narrow(role string, s evaluation.Statement, covered map[Call]bool) []Statement {
	verbatim := Statement{s.Effect, s.Action, s.NotAction, s.Resource, s.NotResource, s.Condition}
	if s.Effect != "Allow" || !r.assumed(role) {
		return []Statement{verbatim}
	}
	used := map[string][]string{} // actions of calls, by resource
	var kept []string             // actions that cannot be measured
	for _, p := range split(evaluation.Identity, role, s) {
		for call := range r.counts.Times {
			if p.allows(call) && !covered[call] {
				covered[call] = true
				used[call.Resource] = append(used[call.Resource], call.Action)
			}
		}
		if r.why(evaluation.Identity, role, p.Grant) != "" {
			kept = append(kept, p.Action)
		}
	}
	narrow := statements(used, s.Condition)
	switch {
	case len(s.NotAction) > 0: // its actions cannot be listed
		return []Statement{verbatim}
	case len(kept) > 0:
		verbatim.Action = slices.Compact(slices.Sorted(slices.Values(kept)))
		narrow = append(narrow, verbatim)
	}
	return narrow
}

// statements returns statements that allow actions on resources, one for all resources with the
// same actions.
func statements(actions map[string][]string, condition map[string]map[string]evaluation.Texts) (all []Statement) {
	resources := map[string][]string{} // by their actions
	for _, resource := range slices.Sorted(maps.Keys(actions)) {
		list := strings.Join(slices.Compact(slices.Sorted(slices.Values(actions[resource]))), " ")
		resources[list] = append(resources[list], resource)
	}
	for _, list := range slices.Sorted(maps.Keys(resources)) {
		all = append(all, Statement{
			Effect: "Allow", Action: strings.Fields(list), Resource: resources[list], Condition: condition,
		})
	}
	return all
}
