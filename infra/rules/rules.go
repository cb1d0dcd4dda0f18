// Package rules finds mistakes in a recorded Pulumi program before it is deployed: resources that
// AWS would refuse, that would fail later without an error, or that would be open to the world. The
// last kind, and style, are rules of this project: see [Rule]. The tests and the local run use it.
//
// A rule reads a graph from [recorder.Record]. The graph must not be of a Pulumi preview: a preview
// has no ids and no ARNs. The doc comment of each rule says what goes wrong if a program breaks the
// rule, and links the page that documents it.
package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"restock/infra/graph"
	"restock/infra/policy/declared"
	"restock/infra/policy/evaluation"
)

// A Violation is one resource that breaks one rule.
type Violation struct {
	Rule    string // the rule's name
	House   bool   // AWS accepts it, and this project does not: see Rule
	Type    graph.Type
	Name    string // the resource's logical name
	Problem string // what is wrong, with values
	Remedy  string // what to do
	Files   string // the files to edit, and the line that declares the resource
}

// String returns the violation in one line.
func (v Violation) String() string {
	line := fmt.Sprintf("%s: %s %s: %s: %s", v.Rule, v.Type, v.Name, v.Problem, v.Remedy)
	if v.Files == "" { // nothing declares the resource
		return line
	}
	return line + " (" + v.Files + ")"
}

// Lines returns the violations, one in a line. Resources of one type that break a rule in the same
// way share a line, which names them all.
func Lines(violations []Violation) []string {
	var shared []Violation
	for _, v := range violations {
		n := slices.IndexFunc(shared, func(s Violation) bool { s.Name = v.Name; return s == v })
		switch {
		case n < 0:
			shared = append(shared, v)
		case !slices.Contains(strings.Split(shared[n].Name, ", "), v.Name):
			shared[n].Name += ", " + v.Name
		}
	}
	lines := make([]string, len(shared))
	for n, v := range shared {
		lines[n] = v.String()
	}
	return lines
}

// A Rule is a condition that the declared resources must meet.
type Rule struct {
	Name  string
	check func(*inspection)
	// House is true for a rule of this project about security or style. A program that breaks it
	// works on AWS. A program that breaks another rule fails there, or loses something.
	House bool
}

// house returns a rule about security or style.
func house(name string, check func(*inspection)) Rule { return Rule{name, check, true} }

// rule returns a rule about what fails on AWS.
func rule(name string, check func(*inspection)) Rule { return Rule{name, check, false} }

// All lists the rules.
func All() []Rule {
	return []Rule{
		house("parent", checkParents),
		rule("reference", checkReferences),
		rule("vpc", checkVPCs),
		rule("policy", checkPolicies), // before the rules that misunderstand a wrong policy
		rule("document", checkDocuments),
		house("private-database", checkPrivateDatabase),
		house("private-network", checkPrivateNetwork),
		house("closed-security-group", checkClosedSecurityGroups),
		house("narrow-resource-policy", checkResourcePolicies),
		house("encrypted", checkEncrypted),
		rule("service-key", checkServiceKeys),
		house("encrypted-transport", checkEncryptedTransport),
		house("no-wildcard", checkWildcards),
		rule("grant", checkGrants),
		rule("role", checkRoles),
		rule("one-policy", checkOnePolicy),
		rule("network-interface", checkNetworkInterfaces),
		rule("tracing", checkTracing),
		rule("visibility-timeout", checkVisibilityTimeout),
		rule("dead-letter-queue", checkDeadLetterQueue),
		rule("metric", checkMetrics),
		rule("threshold", checkThresholds),
		rule("attempts", checkAttempts),
		rule("dashboard", checkDashboards),
		rule("subscription", checkSubscriptions),
		rule("filter", checkFilters),
		rule("route", checkRoutes),
		rule("route-settings", checkRouteSettings),
		rule("stage", checkStages),
		rule("integration", checkIntegrations),
		rule("throttling", checkThrottling),
		rule("buffer", checkBuffers),
		rule("authorization", checkAuthorization),
		rule("schedule", checkSchedules),
		house("overlap", checkOverlaps),
		house("code-trigger", checkCodeTriggers),
		rule("rotation", checkRotations),
		rule("event-source", checkEventSources),
		rule("log-group", checkLogGroups),
		rule("log-level", checkLogLevels),
		rule("environment", checkEnvironments),
		rule("value", checkValues),
		rule("runtime", checkRuntimes),
		rule("connections", checkConnections),
		rule("backups", checkBackups),
		rule("proxy-users", checkProxyUsers),
		rule("proxy", checkProxies),
		rule("storage", checkStorage),
		rule("parameter", checkParameters),
		house("protection", checkProtection),
		rule("modifications", checkModifications),
		rule("name", checkNames),
		house("stage-name", checkStageNames),
		rule("limit", checkLimits),
		rule("addresses", checkAddresses),
		rule("concurrency", checkConcurrency),
		rule("output", checkOutputs),
		house("secret-variable", checkSecretVariables),
		rule("order", checkOrder),
		rule("people", checkPeople),
		house("tags", checkTags),
		rule("endpoint", checkEndpoints),
		rule("reachable", checkReachable),
		rule("endpoint-policy", checkEndpointPolicies),
		rule("cdn", checkCDN),
		rule("cdn-requests", checkCDNRequests),
		rule("alarm", checkAlarms),
		rule("key", checkKeys),
		rule("retention", checkRetention),
		rule("integration-timeout", checkIntegrationTimeouts),
		rule("proxy-secrets", checkProxySecrets),
	}
}

// Check applies every rule to a recorded graph. If d has no functions, the rules that compare a
// function with its declaration find nothing.
func Check(g *graph.Graph, d Declarations) []Violation {
	var violations []Violation
	policies, _ := declared.Read(g) // skips unreadable policies: the rule policy reports them
	i := inspection{
		Graph: g, declarations: d, policies: policies, allowances: allowances(policies.All), widgets: widgets(g),
		violations: &violations,
	}
	for _, r := range All() {
		i.rule = r
		r.check(&i)
	}
	return violations
}

// An inspection is what a rule gets to check a graph: the graph, and where to report violations.
type inspection struct {
	*graph.Graph
	declarations Declarations
	rule         Rule
	policies     *declared.Policies
	allowances   map[evaluation.Kind][]allowance
	widgets      map[*graph.Resource][]widget // by dashboard
	violations   *[]Violation
}

// report adds a violation: resource r breaks the rule. problem and values are a format string and
// its arguments, as in fmt.Sprintf.
func (i *inspection) report(r *graph.Resource, remedy, problem string, values ...any) {
	*i.violations = append(*i.violations, Violation{
		Rule: i.rule.Name, House: i.rule.House, Type: r.Type, Name: r.Name,
		Problem: fmt.Sprintf(problem, values...), Remedy: remedy, Files: i.declarations.Where(i.rule.Name, r),
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
	for _, r := range g.Resources {
		if r.Type == token && r.ID == id {
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
