package stack

import (
	"restock/infra/bundle"
	"restock/infra/graph"
)

// Record records what a stage of the project in a directory declares, without building the functions.
func Record(projectDir, stage string) (*graph.Graph, error) {
	project, config, err := graph.Config(projectDir, stage)
	if err != nil {
		return nil, err
	}
	return graph.Record(Program(bundle.WithoutCode), graph.Options{Project: project, Stage: stage, Config: config})
}
