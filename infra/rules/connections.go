package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"restock/infra/graph"
)

// checkConnections checks that the functions together cannot take all connections of the database.
// Otherwise many buyers at once cause the error "Too many connections", also for the people who
// want to find out why.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
//
// A program may reserve concurrency for no function at all, because a small account cannot reserve
// any. Then max_connections protects the database. A program that reserves it for some functions
// and not for others has forgotten them.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
func checkConnections(i *inspection) {
	sum := 0
	var terms []string
	small := !slices.ContainsFunc(i.OfType(graph.Function), func(f *graph.Resource) bool {
		return f.Number("reservedConcurrentExecutions") > 0
	})
	for r, f := range i.functions() {
		if f.Connections == 0 {
			for _, v := range f.Variables {
				if v.From == "database.host" {
					i.report(r, "count its connections in its declaration",
						"variable %s is the database's host, and its declaration has 0 connections: nothing keeps "+
							"connections free for it", v.Name)
				}
			}
			continue
		}
		if r.Outputs["reservedConcurrentExecutions"] == 0.0 {
			continue // the rule concurrency reports it
		}
		concurrency := i.concurrency(r)
		if concurrency <= 0 && small && f.Queue == "" {
			concurrency = 1
		} else if concurrency <= 0 {
			i.report(r, "set reservedConcurrentExecutions, or maximumConcurrency of its event source",
				"it uses the database, and nothing limits its concurrency: many requests at once take all connections")
			continue
		}
		instances := f.Instances(concurrency)
		sum += instances * f.Connections
		terms = append(terms, fmt.Sprintf("%s %d×%d", f.Name, instances, f.Connections))
	}
	for _, r := range i.OfType(graph.Database) {
		if i.proxyOf(r) != nil {
			continue // the functions share the proxy's connections
		}
		text := i.parameter(r, "max_connections")
		limit, err := strconv.Atoi(text)
		if err != nil {
			i.report(r, "set max_connections to a number"+i.inGroup(r),
				"%s, want a number", i.parameterIs(r, "max_connections"))
			continue
		}
		if sum >= limit {
			i.report(r, "raise max_connections"+i.inGroup(r)+", or lower the concurrency of a function",
				"the functions take %d connections (%s), want less than max_connections, %d: the database refuses "+
					"the last ones",
				sum, strings.Join(terms, ", "), limit)
		}
	}
}

// concurrency is the largest number of instances of a function; 0 or less if nothing limits them.
func (i *inspection) concurrency(function *graph.Resource) int {
	limit := int(function.Number("reservedConcurrentExecutions"))
	i.sources(func(mapping, _, f *graph.Resource) {
		if maximum, _ := mapping.Object("scalingConfig")["maximumConcurrency"].(float64); f == function && limit <= 0 {
			limit = int(maximum)
		}
	})
	return limit
}

// parameter is the value of a database's parameter; empty if the engine's default applies.
func (i *inspection) parameter(database *graph.Resource, name string) string {
	group := i.Find(graph.ParameterGroup, "name", database.String("parameterGroupName"))
	if group == nil {
		return ""
	}
	parameters, _ := group.Outputs["parameters"].([]any)
	for _, p := range parameters {
		if p, ok := p.(map[string]any); ok && p["name"] == name {
			return fmt.Sprint(p["value"])
		}
	}
	return ""
}

// parameterIs describes the value of a database's parameter. If the database has a group that the
// stack does not declare, the group is the mistake.
func (i *inspection) parameterIs(database *graph.Resource, name string) string {
	if i.Find(graph.ParameterGroup, "name", database.String("parameterGroupName")) == nil {
		return fmt.Sprintf("its parameterGroupName is %q, a group that the stack does not declare, so %s is not set",
			database.String("parameterGroupName"), name)
	}
	if value := i.parameter(database, name); value != "" {
		return fmt.Sprintf("%s is %q", name, value)
	}
	return name + " is not set"
}

// inGroup says in which parameter group a parameter of a database belongs.
func (i *inspection) inGroup(database *graph.Resource) string {
	group := i.Find(graph.ParameterGroup, "name", database.String("parameterGroupName"))
	if group == nil {
		return " in a ParameterGroup of the stack, and parameterGroupName to its name"
	}
	return fmt.Sprintf(" in %s, %s", title(group), group.Source)
}
