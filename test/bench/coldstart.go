package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"restock/infra/graph"
	"restock/infra/stack"
	"restock/lambdas"
	"restock/local/aws/lambda"
	"restock/local/system/loopback"
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
	s := section{Title: "Cold start, from exec to the first poll for work"}
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
	return s, nil
}

// environmentOf returns the declared environment of a function.
func environmentOf(g *graph.Graph, name string) (list []string) {
	r := g.Find(graph.Function, "name", name)
	if r == nil {
		return nil
	}
	variables, _ := r.Object("environment")["variables"].(map[string]any)
	for variable, value := range variables {
		list = append(list, fmt.Sprintf("%s=%v", variable, value))
	}
	return list
}

// coldStart returns the time from exec to the first request to the Runtime API. It serves the
// Runtime API itself, and never answers with work.
func coldStart(ctx context.Context, executable string, environment []string) (took time.Duration, err error) {
	listener, err := loopback.Listen("127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	polled := make(chan time.Time, 1)
	handler := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case polled <- time.Now():
		default:
		}
		<-r.Context().Done()
	}
	server := &http.Server{ReadHeaderTimeout: coldStartTimeout, Handler: http.HandlerFunc(handler)}
	go func() { _ = listener.Serve(server, nil, slog.New(slog.DiscardHandler)) }() // Close ends it
	defer server.Close()

	var said []string
	began := time.Now()
	p, err := process.Start(process.Config{
		Path: executable,
		Env: append(environment,
			"AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(), "AWS_REGION=ap-northeast-2",
			"AWS_ENDPOINT_URL="+refusing,
			"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench"),
		Stdout: func(line string) { said = append(said, line) },
		Stderr: func(string) {},
	})
	if err != nil {
		return 0, err
	}
	defer p.Kill()
	timeout := time.NewTimer(coldStartTimeout)
	defer timeout.Stop()
	select {
	case at := <-polled:
		return at.Sub(began), nil
	case <-p.Done():
		return 0, fmt.Errorf("it ended before it asked for work: %s", strings.Join(said, "\n"))
	case <-timeout.C:
		return 0, fmt.Errorf("it did not ask for work in %v", coldStartTimeout)
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}
