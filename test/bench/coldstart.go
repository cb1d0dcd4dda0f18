package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"restock/infra/graph"
	"restock/infra/stack"
	"restock/lambdas"
	"restock/local/aws/lambda"
	"restock/local/system/process"
)

const (
	coldStarts       = 25
	coldStartTimeout = 10 * time.Second
	nothing          = "nothing"
	// refusing is an AWS endpoint that refuses connections at once: nothing listens on the port. So
	// the figure has the work of the warm-up's first call, and no network.
	refusing = "http://127.0.0.1:1"
)

// measureColdStarts starts each function many times, in turn with one that does nothing, and
// measures the time from exec to the first poll for work.
func (b *bench) measureColdStarts(ctx context.Context) (section, error) {
	s := section{Title: "Cold start, from exec to the first poll for work; then the first answer"}
	g, err := stack.Record(b.project, b.stage)
	if err != nil {
		return s, err
	}
	dir, err := os.MkdirTemp("", "restock-bench-")
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(dir)
	names := []string{nothing}
	packages := []string{"./test/bench/" + nothing}
	for _, f := range lambdas.All() {
		if g.Named(graph.Function, f.Name) == nil {
			continue // the stage does not deploy it, and so has no environment for it
		}
		names, packages = append(names, f.Name), append(packages, "./"+lambdas.Folder+"/"+f.Name)
	}
	if err := lambda.Build(ctx, b.project, dir, packages...); err != nil {
		return s, err
	}
	start := func(name string) (float64, error) {
		d, err := coldStart(ctx, filepath.Join(dir, name), environmentOf(g, name))
		if err != nil {
			return 0, fmt.Errorf("starting %s: %w", name, err)
		}
		return milliseconds(d), nil
	}
	took, ratios := map[string][]float64{}, map[string][]float64{}
	for range coldStarts {
		for _, name := range names[1:] { // compared with nothing, because the speed of the machine varies
			base, err := start(nothing)
			if err != nil {
				return s, err
			}
			own, err := start(name)
			if err != nil {
				return s, err
			}
			took[nothing], took[name] = append(took[nothing], base), append(took[name], own)
			ratios[name] = append(ratios[name], own/base)
		}
		b.step()
	}
	s.Rows = append(s.Rows, result{What: "a function that does nothing", Value: median(took[nothing]), Unit: "ms"})
	for _, name := range names[1:] {
		s.Rows = append(s.Rows, result{
			What: name, Value: median(ratios[name]), Unit: "×", Goal: atMost(1.5),
			Note: shown(median(took[name]), "ms"),
		})
	}
	api := lambdas.SalesAPI.Name
	first, err := b.measureFirstAnswers(ctx, process.Config{Path: filepath.Join(dir, api), Env: environmentOf(g, api)})
	s.Rows = append(s.Rows, first...)
	return s, err
}

// environmentOf returns the declared environment of a function.
func environmentOf(g *graph.Graph, name string) (list []string) {
	r := g.Named(graph.Function, name)
	if r == nil {
		return nil
	}
	variables, _ := r.Object("environment")["variables"].(map[string]any)
	for variable, value := range variables {
		list = append(list, fmt.Sprintf("%s=%v", variable, value))
	}
	return list
}

// coldStart returns the time from exec to the first request to the Runtime API.
func coldStart(ctx context.Context, executable string, environment []string) (time.Duration, error) {
	i, err := startInstance(process.Config{Path: executable, Env: append(environment, "AWS_ENDPOINT_URL="+refusing)})
	if err != nil {
		return 0, err
	}
	defer i.close()
	polled, err := i.poll(ctx)
	return polled.Sub(i.began), err
}
