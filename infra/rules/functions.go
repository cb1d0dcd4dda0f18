package rules

import (
	"fmt"
	"maps"
	"slices"

	"restock/infra/graph"
)

// checkLogGroups checks that every function has its own log group with a retention, and may write
// to it. Otherwise Lambda makes a log group at the function's first log line. It keeps everything
// for ever, and no deployment deletes it:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
// A function that may not write to its log group works without logs:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
func checkLogGroups(i *inspection) {
	owner := map[*graph.Resource]string{}
	for _, r := range i.OfType(graph.Function) {
		name, _ := r.Object("loggingConfig")["logGroup"].(string)
		group := i.Find(graph.LogGroup, "name", name)
		if group == nil {
			i.report(r, "set loggingConfig.logGroup to a log group of the stack",
				"its log group %q is not declared", name)
			continue
		}
		if other := owner[group]; other != "" {
			i.report(r, "give it a log group of its own", "it logs to %s, which is function %s's", name, other)
		}
		owner[group] = r.Name
		if group.Number("retentionInDays") <= 0 {
			i.report(group, "set it to a number of days", "retentionInDays is %v: it keeps everything for ever",
				group.Number("retentionInDays"))
		}
		for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
			stream := group.String("arn") + ":log-stream:any"
			if !i.mayDo(r, action, stream) {
				i.report(r, "let the role's policy allow it",
					"its role does not allow %s on the streams of its log group %s", action, name)
			}
		}
	}
}

// variables returns the recorded environment of a function.
func variables(function *graph.Resource) map[string]string {
	declared, _ := function.Object("environment")["variables"].(map[string]any)
	texts := map[string]string{}
	for name, value := range declared {
		texts[name] = fmt.Sprint(value)
	}
	return texts
}

// checkEnvironments checks that a function has a value for each variable that it reads, and no
// other variables. The function exits at start if a variable is missing. A variable that the
// function does not read probably has a wrong name.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func checkEnvironments(i *inspection) {
	for r, f := range i.functions() {
		unread := variables(r)
		for _, v := range f.Variables {
			if value, set := unread[v.Name]; !set && v.Optional {
				continue
			} else if !set {
				i.report(r, "set it", "variable %s, from %s, is not set", v.Name, v.From)
			} else if value == "" {
				i.report(r, "fill it", "variable %s, from %s, is empty", v.Name, v.From)
			}
			delete(unread, v.Name)
		}
		for _, name := range slices.Sorted(maps.Keys(unread)) {
			i.report(r, "declare it in its environment struct, or do not set it",
				"variable %s is set, and the function does not read it", name)
		}
	}
}

// checkRuntimes checks that every declared function is deployed with the settings for a static
// arm64 binary named bootstrap, which package bundle builds. With other settings each invocation
// fails with Runtime.InvalidEntrypoint:
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func checkRuntimes(i *inspection) {
	for _, f := range i.declarations.Functions {
		if !f.Optional && i.Named(graph.Function, f.Name) == nil {
			missing := &graph.Resource{Type: graph.Function, Name: f.Name}
			i.report(missing, "make it in the stack", "it is declared, but not deployed")
		}
	}
	for _, r := range i.OfType(graph.Function) {
		if got := r.String("runtime"); got != "provided.al2023" {
			i.report(r, "set it", "runtime is %q, want provided.al2023", got)
		}
		if got := r.String("handler"); got != "bootstrap" {
			i.report(r, "set it", "handler is %q, want bootstrap", got)
		}
		if got := r.Strings("architectures"); !slices.Equal(got, []string{"arm64"}) {
			i.report(r, "set them", "architectures are %q, want arm64", got)
		}
	}
}
