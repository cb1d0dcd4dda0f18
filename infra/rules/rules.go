// Package rules checks what the Pulumi program declares, before AWS does.
//
// A rule looks at a recorded graph (see [graph.Record]; not at a preview, in which ids and ARNs are unknown) and says what would
// fail when deployed, fail later in silence, or be open to the world. Its doc comment says what happens if it is broken, and
// names the page that decides.
package rules

import (
	"fmt"
	"iter"

	"restock/infra/graph"
	"restock/infra/policy/declared"
)

// A Violation is one resource that breaks one rule.
type Violation struct {
	Rule    string // the rule's name
	Type    graph.Type
	Name    string // the resource's logical name
	Problem string // what is wrong, with values
	Remedy  string // what to do
	Files   string // where it belongs
}

// String is the violation in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s %s: %s: %s (%s)", v.Rule, v.Type, v.Name, v.Problem, v.Remedy, v.Files)
}

// A Rule is one thing that must hold of what the program declares.
type Rule struct {
	Name  string
	check func(*inspection)
}

// All lists the rules.
func All() []Rule {
	return []Rule{
		{"parent", checkParents},
		{"private-database", checkPrivateDatabase},
		{"private-network", checkPrivateNetwork},
		{"closed-security-group", checkClosedSecurityGroups},
		{"narrow-resource-policy", checkResourcePolicies},
		{"encrypted", checkEncrypted},
		{"encrypted-transport", checkEncryptedTransport},
		{"no-wildcard", checkWildcards},
		{"grant", checkGrants},
		{"network-interface", checkNetworkInterfaces},
		{"visibility-timeout", checkVisibilityTimeout},
		{"dead-letter-queue", checkDeadLetterQueue},
		{"subscription", checkSubscriptions},
		{"route", checkRoutes},
		{"authorization", checkAuthorization},
		{"schedule", checkSchedules},
		{"rotation", checkRotations},
		{"event-source", checkEventSources},
		{"log-group", checkLogGroups},
		{"environment", checkEnvironments},
		{"runtime", checkRuntimes},
		{"connections", checkConnections},
		{"name", checkNames},
		{"reachable", checkReachable},
	}
}

// Check applies every rule to a recorded graph. Without declared functions, the rules that compare a
// function with its declaration find nothing.
func Check(g *graph.Graph, d Declarations) []Violation {
	var violations []Violation
	policies, _ := declared.Read(g) // without those that cannot be read: the rule no-wildcard reports them
	for _, rule := range All() {
		rule.check(&inspection{Graph: g, declarations: d, rule: rule, policies: policies, violations: &violations})
	}
	return violations
}

// An inspection is a graph under one rule.
type inspection struct {
	*graph.Graph
	declarations Declarations
	rule         Rule
	policies     *declared.Policies
	violations   *[]Violation
}

// report notes that a resource breaks the rule. The remedy stands before the problem, which is a format.
func (i *inspection) report(r *graph.Resource, remedy, problem string, values ...any) {
	*i.violations = append(*i.violations, Violation{
		Rule: i.rule.Name, Type: r.Type, Name: r.Name, Problem: fmt.Sprintf(problem, values...), Remedy: remedy, Files: i.declarations.Where(i.rule.Name, r),
	})
}

// functions pairs each deployed function with its declaration. One that is not deployed is left out: the rule runtime
// reports it.
func (i *inspection) functions() iter.Seq2[*graph.Resource, Declaration] {
	return func(yield func(*graph.Resource, Declaration) bool) {
		for _, f := range i.declarations.Functions {
			if r := i.named(graph.Function, f.Name); r != nil && !yield(r, f) {
				return
			}
		}
	}
}

// named finds a resource by its logical name.
func (i *inspection) named(token graph.Type, name string) *graph.Resource {
	for _, r := range i.OfType(token) {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// byID finds a resource by the id that AWS gave it.
func byID(g *graph.Graph, token graph.Type, id string) *graph.Resource {
	for _, r := range g.OfType(token) {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// function finds a deployed function by what other resources call it: its ARN or its name.
func (i *inspection) function(reference string) *graph.Resource {
	if r := i.Find(graph.Function, "arn", reference); r != nil {
		return r
	}
	return i.Find(graph.Function, "name", reference)
}
