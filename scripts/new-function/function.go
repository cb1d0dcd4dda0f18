package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A function is the function to add.
type function struct {
	Name         string
	Route        string // empty: no route
	Queue, Topic string // empty: none
	Every        time.Duration
}

// maxName is the longest name. AWS allows 64 characters for the name of a role, to which Pulumi
// adds the project, the stage and a random suffix.
const maxName = 30

var (
	functionName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	queueName    = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*_queue$`)
	routeKey     = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) (/([A-Za-z0-9._~-]+|\{[a-z]+\}))+$`)
	parameter    = regexp.MustCompile(`\{([a-z]+)\}`)
)

// check returns an error for each part of the function that cannot be declared in the project.
func (f function) check(p *project) error {
	var errs []error
	wrong := func(format string, values ...any) { errs = append(errs, fmt.Errorf(format, values...)) }
	switch {
	case !functionName.MatchString(f.Name) || len(f.Name) > maxName:
		wrong("NAME is %q: want lower-case words with hyphens between them, at most %d characters, like refund",
			f.Name, maxName)
	case slices.Contains(reserved, f.Name):
		wrong("NAME is %q: lambdas/%[1]s has code that the handlers share; choose another name", f.Name)
	case slices.Contains(p.names, f.Name):
		wrong("NAME is %q: lambdas/lambdas.go declares a function with this name; choose another name", f.Name)
	default:
		for _, name := range []string{f.Ident(), f.Ident() + "Environment", "Route" + f.Ident()} {
			if p.declared(name) {
				wrong("NAME is %q: package lambdas declares %s for something else; choose another name", f.Name, name)
			}
		}
	}
	triggers := 0
	for _, set := range []bool{f.Route != "", f.Queue != "", f.Every != 0} {
		if set {
			triggers++
		}
	}
	if triggers != 1 {
		wrong(`want one of ROUTE="POST /sales/{sale}/refund", QUEUE=refund_queue and EVERY=5m, got %d of them`,
			triggers)
	}
	if f.Route != "" {
		errs = append(errs, f.checkRoute(p))
	}
	if f.Queue != "" && !queueName.MatchString(f.Queue) {
		wrong("QUEUE is %q: want lower-case words with _ between them, the last one queue, like refund_queue",
			f.Queue)
	}
	if f.Queue != "" && f.QueueIdent() == f.Ident() {
		wrong("QUEUE is %q: in Go it has the name of the function, %s; choose another name", f.Queue, f.Ident())
	}
	if p.texts[f.Queue] != "" {
		wrong("QUEUE is %q: it exists, and a queue has one function; choose another name", f.Queue)
	}
	if f.Topic != "" && f.Queue == "" {
		wrong("TOPIC is %q without a QUEUE: a topic sends its messages to a queue", f.Topic)
	}
	if f.Topic != "" && !strings.HasSuffix(p.texts[f.Topic], "Topic") {
		wrong("TOPIC is %q: lambdas/topics.go has no such topic; want stock_empty or stock_operations", f.Topic)
	}
	if f.Every != 0 && (f.Every < time.Minute || f.Every%time.Minute != 0) {
		wrong("EVERY is %v: want whole minutes, like 5m", f.Every)
	}
	return errors.Join(errs...)
}

// reserved are the folders below lambdas that are no functions.
var reserved = []string{"function", "journal"}

func (f function) checkRoute(p *project) error {
	if !routeKey.MatchString(f.Route) {
		return fmt.Errorf(`ROUTE is %q: want a method, a space and a path, like "POST /sales/{sale}/refund"; the `+
			"methods are GET, POST, PUT, PATCH and DELETE, and a parameter is one whole part of the path, in lower "+
			"case", f.Route)
	}
	names := map[string]bool{}
	for _, p := range f.Parameters() {
		if names[p.Name] {
			return fmt.Errorf("ROUTE is %q: it has the parameter {%s} twice", f.Route, p.Name)
		}
		names[p.Name] = true
	}
	for text, ident := range p.texts {
		if parameter.ReplaceAllString(text, "{}") == parameter.ReplaceAllString(f.Route, "{}") {
			return fmt.Errorf("ROUTE is %q: %s in lambdas/lambdas.go is %q, and both match the same requests",
				f.Route, ident, text)
		}
	}
	return nil
}

// Ident returns the function's name in Go.
func (f function) Ident() string { return camel(f.Name, "-") }

// QueueIdent returns the name of the queue's constant.
func (f function) QueueIdent() string { return camel(f.Queue, "_") }

func camel(name, separator string) string {
	ident := ""
	for word := range strings.SplitSeq(name, separator) {
		if word != "" {
			ident += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return ident
}

// Method and Path return the parts of the route.
func (f function) Method() string { return strings.Fields(f.Route)[0] }

// Path returns the route's path, with an example for each parameter.
func (f function) Path() string {
	return parameter.ReplaceAllString(strings.Fields(f.Route)[1], "example-$1")
}

// A pathParameter is a parameter of the route's path, and its field in the answer.
type pathParameter struct{ Name, Field string }

// Parameters returns the parameters of the route's path.
func (f function) Parameters() (all []pathParameter) {
	for _, match := range parameter.FindAllStringSubmatch(f.Route, -1) {
		all = append(all, pathParameter{match[1], camel(match[1], "-")})
	}
	return all
}

// Schedule returns the schedule as Go code.
func (f function) Schedule() string { return minutes(f.Every) }

// Does says what starts the function, for comments.
func (f function) Does() string {
	switch {
	case f.Route != "":
		return "answers " + f.Route
	case f.Queue != "":
		return "handles the messages in " + f.Queue
	default:
		return "runs every " + strings.TrimSuffix(strings.TrimSuffix(f.Every.String(), "0s"), "0m")
	}
}

// request is a command that sends a signed request to the local run, in the region of the stage
// dev.
func (f function) request(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "Pulumi.dev.yaml")) // #nosec G304 -- a file of the project
	if err != nil {
		return "", err
	}
	region := regexp.MustCompile(`(?m)^  aws:region: (\S+)$`).FindSubmatch(text)
	if region == nil {
		return "", errors.New("finding the region: Pulumi.dev.yaml has no aws:region")
	}
	return fmt.Sprintf("curl -X %s --user local:local --aws-sigv4 aws:amz:%s:execute-api http://127.0.0.1:8080%s",
		f.Method(), region[1], f.Path()), nil
}
