package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"restock/infra/graph"
	"restock/local/aws/eventsource"
	"restock/local/aws/lambda"
	"restock/local/aws/scheduler"
	"restock/local/aws/sns"
	"restock/local/view/console"
	"restock/local/view/events"
)

// consoleFunctions returns what the console does with the functions.
func (r *Run) consoleFunctions(p *program, s *services, fs functions, routes map[string]string) console.Functions {
	return console.Functions{
		Examples: func(name string) []console.Example { return r.examples(p.graph, s, name, routes) },
		Invoke: func(ctx context.Context, name string, event []byte) (id string, err error) {
			f := fs.named(p.graph, name)
			if f == nil {
				return "", fmt.Errorf("the stack has no function %q", name)
			}
			id = uuid.NewString()
			ctx = events.WithAttrs(lambda.WithRequestID(ctx, id), slog.String(console.InvokedBy, console.ByConsole))
			_, err = f.Invoke(ctx, event)
			if errors.Is(err, lambda.ErrInvalidRequest) || errors.Is(err, lambda.ErrRequestTooLarge) {
				return "", err
			}
			return id, nil // the console shows the function's error, and that it was throttled
		},
		Save: r.saveEvent,
	}
}

// examples returns events like those that a function gets: for each of its routes, its queues and
// its schedules, and an empty one. routes are the ids of the functions' nodes by route key.
func (r *Run) examples(g *graph.Graph, s *services, name string, routes map[string]string) []console.Example {
	f := g.Find(graph.Function, "name", name)
	if f == nil {
		return nil
	}
	var all []console.Example
	add := func(name string, event []byte, err error) {
		if err != nil { // the function still has its other examples
			r.config.Log.Error("writing an example of an event failed", "example", name, "error", err)
			return
		}
		all = append(all, console.Example{Name: name, Event: event})
	}
	for _, key := range slices.Sorted(maps.Keys(routes)) {
		if routes[key] == console.NodeID(console.KindFunction, name) {
			for _, api := range r.apis {
				if event, known, err := api.Example(key); known {
					add(key, event, err)
				}
			}
		}
	}
	for _, mapping := range g.OfType(graph.EventSourceMapping) {
		if queue := s.sqs.Queue(mapping.String("eventSourceArn")); queue != nil &&
			mapping.String("functionName") == f.String("arn") {
			body, err := exampleBody(g, queue.ARN())
			event := []byte(nil)
			if err == nil {
				event, err = eventsource.Example(queue.ARN(), body)
			}
			add("a batch of "+queue.Name(), event, err)
		}
	}
	for _, target := range g.OfType(graph.EventTarget) {
		rule := g.RuleOf(target)
		if rule == nil || target.String("arn") != f.String("arn") {
			continue
		}
		event, err := scheduler.Rule{
			ARN: rule.String("arn"), Region: g.Region, AccountID: graph.AccountID,
		}.Event(time.Now())
		add("the schedule "+rule.Name, event, err)
	}
	add("an empty event", []byte("{}"), nil)
	return all
}

// exampleBody returns the body of a message in a queue: an empty object, in a notification if a
// topic sends one to the queue.
func exampleBody(g *graph.Graph, queueARN string) (string, error) {
	const empty = "{}"
	for _, subscription := range g.OfType(graph.TopicSubscription) {
		if subscription.String("endpoint") == queueARN && !subscription.Bool("rawMessageDelivery") {
			return sns.Example(subscription.String("topic"), empty)
		}
	}
	return empty, nil
}

// eventsDir is the folder of saved events, below the folder of built functions.
const eventsDir = "events"

// saveEvent writes an event to a file that only the user can read: an event may have a signature.
func (r *Run) saveEvent(function, id string, event []byte) (path, command string, err error) {
	dir := filepath.Join(r.config.BuildDir, eventsDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("saving an event: %w", err)
	}
	path = filepath.Join(dir, function+"-"+id+".json")
	if err := os.WriteFile(path, event, 0o600); err != nil {
		return "", "", fmt.Errorf("saving an event: %w", err)
	}
	if project, err := filepath.Abs(r.config.ProjectDir); err == nil {
		if below, err := filepath.Rel(project, path); err == nil && filepath.IsLocal(below) {
			path = below
		}
	}
	words := []string{"go run ./cmd/local invoke", "-event", path}
	if aws := r.listen.aws.Addr().String(); aws != DefaultConfig(Program{}, "").AWS {
		words = append(words, "-aws", aws)
	}
	if r.config.Stage != DefaultConfig(Program{}, "").Stage {
		words = append(words, "-stage", r.config.Stage)
	}
	return path, strings.Join(append(words, function), " "), nil
}
