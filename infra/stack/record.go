package stack

import (
	"restock/infra/bundle"
	"restock/infra/graph"
)

// Record records the resources that a stage declares, without building the functions. projectDir is
// the folder of Pulumi.yaml.
func Record(projectDir, stage string) (*graph.Graph, error) {
	project, config, err := graph.Config(projectDir, stage)
	if err != nil {
		return nil, err
	}
	return graph.Record(Program(bundle.WithoutCode), graph.Options{Project: project, Stage: stage, Config: config})
}
