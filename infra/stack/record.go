package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
)

// Record records the resources that a stage declares, without building the functions. projectDir is
// the folder of Pulumi.yaml.
func Record(projectDir, stage string) (*graph.Graph, error) {
	return RecordAs(projectDir, stage, stage)
}

// RecordAs records a stage under the name of another one. The names of resources contain the
// stage's name, so this makes the resources of both stages comparable.
func RecordAs(projectDir, stage, name string) (*graph.Graph, error) {
	project, config, err := recorder.Config(projectDir, stage)
	if err != nil {
		return nil, err
	}
	return recorder.Record(Program(bundle.WithoutCode), recorder.Options{Project: project, Stage: name, Config: config})
}

// ReadSettings reads and checks a stage's settings. projectDir is the folder of Pulumi.yaml.
func ReadSettings(projectDir, stage string) (s Settings, err error) {
	project, config, err := recorder.Config(projectDir, stage)
	if err != nil {
		return s, err
	}
	read := func(ctx *pulumi.Context) error {
		s, err = loadSettings(ctx)
		return err
	}
	_, err = recorder.Record(read, recorder.Options{Project: project, Stage: stage, Config: config})
	return s, err
}
