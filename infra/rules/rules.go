// Package rules finds mistakes in a recorded Pulumi program before it is deployed: resources that
// AWS would refuse, that would fail later without an error, or that would be open to the world. The
// tests and the local run use it.
//
// A rule reads a graph from [graph.Record]. The graph must not be of a Pulumi preview: a preview
// has no ids and no ARNs. The doc comment of each rule says what goes wrong if a program breaks the
// rule, and links the page that documents it.
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
	Files   string // the files to edit, and the line that declares the resource
}

// String returns the violation in one line.
func (v Violation) String() string {
	return fmt.Sprintf("%s: %s %s: %s: %s (%s)", v.Rule, v.Type, v.Name, v.Problem, v.Remedy, v.Files)
}

// A Rule is a condition that the declared resources must meet.
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
		{"route-settings", checkRouteSettings},
		{"buffer", checkBuffers},
		{"authorization", checkAuthorization},
		{"schedule", checkSchedules},
		{"rotation", checkRotations},
		{"event-source", checkEventSources},
		{"log-group", checkLogGroups},
		{"environment", checkEnvironments},
		{"runtime", checkRuntimes},
		{"connections", checkConnections},
		{"backups", checkBackups},
		{"proxy-users", checkProxyUsers},
		{"modifications", checkModifications},
		{"name", checkNames},
		{"reachable", checkReachable},
		{"endpoint-policy", checkEndpointPolicies},
		{"cdn", checkCDN},
		{"alarm", checkAlarms},
		{"key", checkKeys},
		{"retention", checkRetention},
		{"integration-timeout", checkIntegrationTimeouts},
		{"proxy-secrets", checkProxySecrets},
	}
}

// Check applies every rule to a recorded graph. If d has no functions, the rules that compare a
// function with its declaration find nothing.
func Check(g *graph.Graph, d Declarations) []Violation {
	var violations []Violation
	policies, _ := declared.Read(g) // skips unreadable policies: the rule no-wildcard reports them
	for _, rule := range All() {
		rule.check(&inspection{Graph: g, declarations: d, rule: rule, policies: policies, violations: &violations})
	}
	return violations
}

// An inspection is what one rule gets to check a graph: the graph, and where to report violations.
type inspection struct {
	*graph.Graph
	declarations Declarations
	rule         Rule
	policies     *declared.Policies
	violations   *[]Violation
}

// report adds a violation: resource r breaks the rule. problem and values are a format string and
// its arguments, as in fmt.Sprintf.
func (i *inspection) report(r *graph.Resource, remedy, problem string, values ...any) {
	*i.violations = append(*i.violations, Violation{
		Rule: i.rule.Name, Type: r.Type, Name: r.Name, Problem: fmt.Sprintf(problem, values...), Remedy: remedy,
		Files: i.declarations.Where(i.rule.Name, r),
	})
}

// functions pairs each deployed function with its declaration. It skips functions that are not
// deployed: the rule runtime reports them.
func (i *inspection) functions() iter.Seq2[*graph.Resource, Declaration] {
	return func(yield func(*graph.Resource, Declaration) bool) {
		for _, f := range i.declarations.Functions {
			if r := i.Named(graph.Function, f.Name); r != nil && !yield(r, f) {
				return
			}
		}
	}
}

// byID finds a resource by the id that AWS gives it.
func byID(g *graph.Graph, token graph.Type, id string) *graph.Resource {
	for _, r := range g.OfType(token) {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// function finds a deployed function by its ARN or its name. A resource that refers to a function
// may use either.
func (i *inspection) function(reference string) *graph.Resource {
	if r := i.Find(graph.Function, "arn", reference); r != nil {
		return r
	}
	return i.Find(graph.Function, "name", reference)
}
