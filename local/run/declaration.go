package run

import (
	"context"
	"path/filepath"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/rules"
)

// A Declaration is the stack that a program declares for a stage, with the addresses on AWS and
// without code.
type Declaration struct {
	Functions  []string          `json:"functions"` // their names
	Violations []rules.Violation `json:"violations"`
	Graph      *graph.Graph      `json:"graph"`
}

// Declare records the stack that a program declares for a stage, and checks it. projectDir is the
// folder of the program's module.
func Declare(p Program, projectDir, stage string) (d Declaration, err error) {
	project, config, err := recorder.Config(filepath.Join(projectDir, p.Project), stage)
	if err != nil {
		return d, err
	}
	d.Graph, d.Functions, err = declared(p, recorder.Options{Project: project, Stage: stage, Config: config})
	if err != nil {
		return d, err
	}
	d.Violations = rules.Check(d.Graph, p.Declared)
	return d, nil
}

// declared records a program without building its functions, and returns their names.
func declared(p Program, o recorder.Options) (g *graph.Graph, functions []string, err error) {
	names := func(ctx context.Context, names []string) (map[string]bundle.Zip, error) {
		functions = names
		return bundle.WithoutCode(ctx, names)
	}
	g, err = recorder.Record(p.Declare(names), o)
	return g, functions, err
}
