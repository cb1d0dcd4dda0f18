// Package stacktest gives tests the recorded graphs of the project's stages.
package stacktest

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/stack"
	"restock/infra/stack/stacktest/pinned"
)

// Config returns a stage's configuration, as in [pinned.Project].
func Config(tb testing.TB, projectDir, stage string) (project string, config map[string]string) {
	tb.Helper()
	project, config, err := recorder.Config(pinned.Project(tb, projectDir), stage)
	if err != nil {
		tb.Fatal(err)
	}
	return project, config
}

// recordings holds what each stage declares, by folder and stage. Recording the program takes as
// long as checking every rule, so a test binary records a stage once.
var recordings sync.Map // of func() (*graph.Graph, error), by [2]string

// Record returns what a stage of the project in a folder declares, with the configuration of
// Config. Each caller gets a copy of its own, which it may change.
func Record(tb testing.TB, projectDir, stage string) *graph.Graph {
	tb.Helper()
	record, _ := recordings.LoadOrStore([2]string{projectDir, stage}, sync.OnceValues(func() (*graph.Graph, error) {
		project, config := Config(tb, projectDir, stage)
		options := recorder.Options{Project: project, Stage: stage, Config: config}
		return recorder.Record(stack.Program(bundle.WithoutCode), options)
	}))
	g, err := record.(func() (*graph.Graph, error))()
	if err != nil {
		tb.Fatal(err)
	}
	return clone(g)
}

func clone(g *graph.Graph) *graph.Graph {
	copied := &graph.Graph{
		Region: g.Region, Resources: make([]*graph.Resource, len(g.Resources)), Outputs: maps.Clone(g.Outputs),
	}
	for i, r := range g.Resources {
		resource := *r
		resource.Inputs, _ = cloneValue(r.Inputs).(map[string]any)
		resource.Outputs, _ = cloneValue(r.Outputs).(map[string]any)
		resource.Dependencies = slices.Clone(r.Dependencies)
		copied.Resources[i] = &resource
	}
	return copied
}

// cloneValue copies a value of JSON's types.
func cloneValue(value any) any {
	switch value := value.(type) {
	case map[string]any:
		copied := maps.Clone(value)
		for key, v := range copied {
			copied[key] = cloneValue(v)
		}
		return copied
	case []any:
		copied := slices.Clone(value)
		for i, v := range copied {
			copied[i] = cloneValue(v)
		}
		return copied
	default:
		return value
	}
}
