package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

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
				"its log group %q is not declared: Lambda makes a group that keeps everything for ever", name)
			continue
		}
		if other := owner[group]; other != "" {
			i.report(r, "set loggingConfig.logGroup to a log group of its own", "it logs to %s, which is function %s's",
				name, other)
		}
		owner[group] = r.Name
		if group.Number("retentionInDays") <= 0 {
			i.report(group, "set retentionInDays to a number of days, like 14",
				"retentionInDays is %v: it keeps everything for ever",
				group.Number("retentionInDays"))
		}
		for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
			stream := group.String("arn") + ":log-stream:any"
			if !i.mayDo(r, action, stream) {
				i.report(r, "let the role's policy allow it",
					"its role does not allow %s on the streams of its log group %s: its logs are lost", action, name)
			}
		}
	}
}

// environment returns the recorded environment of a function.
func environment(function *graph.Resource) map[string]any {
	variables, _ := function.Object("environment")["variables"].(map[string]any)
	return variables
}

// variables returns the recorded environment of a function, as texts.
func variables(function *graph.Resource) map[string]string {
	declared := environment(function)
	texts := make(map[string]string, len(declared))
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
				i.report(r, "set the variable in the function's environment",
					"variable %s, from %s, is not set: the function exits at its start", v.Name, v.From)
			} else if value == "" {
				i.report(r, "give the variable a value", "variable %s, from %s, is empty: the function exits at "+
					"its start",
					v.Name, v.From)
			} else {
				i.checkSource(r, v, value)
			}
			delete(unread, v.Name)
		}
		for _, name := range slices.Sorted(maps.Keys(unread)) {
			i.report(r, "delete the variable, correct its name, or declare it in the function's environment struct",
				"variable %s is set, and the function does not read it", name)
		}
	}
}

// A source is an output that may fill a variable.
type source struct {
	resource *graph.Resource
	output   string
	value    string
}

// sourcesOf returns the outputs that a variable's source stands for. It returns none for sources
// that the rules do not know.
func (i *inspection) sourcesOf(from string) (all []source) {
	add := func(r *graph.Resource, outputs ...string) {
		for _, output := range outputs {
			if r != nil && r.Outputs[output] != nil {
				all = append(all, source{r, output, fmt.Sprint(r.Outputs[output])})
			}
		}
	}
	kind, which, _ := strings.Cut(from, ".")
	switch kind {
	case "secret":
		if secret := i.Named(graph.Secret, which); secret != nil {
			add(secret, "arn")
			break
		}
		for _, r := range i.OfType(graph.Database) { // RDS makes this secret
			for _, master := range r.Objects("masterUserSecrets") {
				all = append(all, source{r, "master user's secret", fmt.Sprint(master["secretArn"])})
			}
		}
	case "topic":
		add(i.Named(graph.Topic, which), "arn")
	case "queue":
		add(i.Named(graph.Queue, which), "arn", "url", "name")
	case "api":
		for _, r := range i.OfType(graph.API) {
			add(r, "apiEndpoint")
		}
	case "database":
		output := map[string]string{"host": "address", "instance": "address", "port": "port", "name": "dbName"}[which]
		for _, r := range i.OfType(graph.Database) {
			add(r, output)
		}
		for _, r := range i.OfType(graph.Proxy) {
			if which == "host" {
				add(r, "endpoint")
			}
		}
	}
	return all
}

// checkSource checks that a variable holds an output of its declared source, and not one of another
// resource. A value from a setting must have the type of its field.
func (i *inspection) checkSource(r *graph.Resource, v Variable, value string) {
	sources := i.sourcesOf(v.From)
	// The rule secret-variable reports it.
	isSecret := secretWord.MatchString(v.Name) && !strings.HasPrefix(value, "arn:")
	if len(sources) == 0 && !isSecret && v.Parse != nil {
		if err := v.Parse(value); err != nil {
			i.report(r, "set the variable to a text that its type reads", "variable %s, from %s, is %q, which the "+
				"function does not decode: it exits at its start: %v", v.Name, v.From, value, err)
		}
	}
	if len(sources) == 0 || isSecret ||
		slices.ContainsFunc(sources, func(s source) bool { return s.value == value }) {
		return
	}
	got := i.known(value)
	switch {
	case got == "" && sources[0].resource.Type == graph.Secret: // the value may be the secret itself
		got = fmt.Sprintf("a text of %d characters", len(value))
	case got == "":
		got = fmt.Sprintf("%q", value)
	}
	want := sources[0]
	i.report(r, "set the variable to this output", "variable %s is %s, want the %s of %s, its source %s",
		v.Name, got, want.output, title(want.resource), v.From)
}

// checkRuntimes checks that every declared function is deployed with the settings for a static
// arm64 binary named bootstrap, which package bundle builds. With other settings each invocation
// fails with Runtime.InvalidEntrypoint:
// https://docs.aws.amazon.com/lambda/latest/dg/golang-package.html
func checkRuntimes(i *inspection) {
	for _, f := range i.declarations.Functions {
		if !f.Optional && i.Named(graph.Function, f.Name) == nil {
			missing := &graph.Resource{Type: graph.Function, Name: f.Name}
			i.report(missing, "deploy it in the stack, or declare it with Optional: true",
				"it is declared, and the stack does not deploy it: nothing does its work")
		}
	}
	for _, r := range i.OfType(graph.Function) {
		if got := r.String("runtime"); got != "provided.al2023" {
			i.report(r, "set runtime to provided.al2023",
				"runtime is %q, want provided.al2023: Lambda does not start its binary", got)
		}
		if got := r.String("handler"); got != "bootstrap" {
			i.report(r, "set handler to bootstrap",
				"handler is %q, want bootstrap: Lambda does not find its binary", got)
		}
		if got := r.Strings("architectures"); !slices.Equal(got, []string{"arm64"}) {
			i.report(r, "set architectures to arm64", "architectures are %q, want arm64: Lambda does not start its "+
				"binary",
				got)
		}
	}
}

// checkConcurrency checks that no function has a reserved concurrency of 0. Lambda refuses every
// invocation of such a function. It is a switch for emergencies, and not for a program.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
func checkConcurrency(i *inspection) {
	for _, r := range i.OfType(graph.Function) {
		if r.Outputs["reservedConcurrentExecutions"] == 0.0 {
			i.report(r, "set reservedConcurrentExecutions to 1 or more, or leave it out: then the function shares the "+
				"account's concurrency",
				"reservedConcurrentExecutions is 0: Lambda refuses every invocation")
		}
	}
}

// secretWord matches names of variables with what must stay secret.
var secretWord = regexp.MustCompile(`(?i)(^|_)(KEY|TOKEN|SECRET|PASSWORD)S?(_|$)`)

// checkSecretVariables checks that variables with such a name hold the ARN or the name of a secret,
// and not the secret itself. Everybody who may read the configuration of a function, the state or
// the logs of a deployment can read a variable.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-encryption
func checkSecretVariables(i *inspection) {
	for _, r := range i.OfType(graph.Function) {
		values := variables(r)
		for _, name := range slices.Sorted(maps.Keys(values)) {
			value := values[name]
			if value == "" || !secretWord.MatchString(name) || strings.HasPrefix(value, "arn:") ||
				i.Find(graph.Secret, "name", value) != nil {
				continue
			}
			// The value is not shown: it may be secret.
			i.report(r, "put the value into a secret, and the secret's ARN into the variable: secret.Arn",
				"variable %s is a text of %d characters, want the ARN or the name of a secret", name, len(value))
		}
	}
}
