package rules_test

import (
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/graph/graphtest"
	"restock/infra/stack"
	"restock/infra/stack/stacktest"
)

const projectDir = "../.."

// stages are the project's, and one that leaves no setting out.
var stages = []string{"dev", "prod", full}

const full = "full"

// dir is the folder of a stage's configuration.
func dir(stage string) string {
	if stage == full {
		return "testdata/full"
	}
	return projectDir
}

func record(tb testing.TB, stage string) *graph.Graph {
	tb.Helper()
	return stacktest.Record(tb, dir(stage), stage)
}

// TestWhatIsDeclaredIsWhatWasReviewed keeps one stage in full. Of the others it keeps what their
// settings change: they are recorded under the name of the one, because names hold the stage's name.
func TestWhatIsDeclaredIsWhatWasReviewed(t *testing.T) {
	dev := record(t, "dev")
	graphtest.Compare(t, dev, "testdata/dev.golden.json")
	for _, stage := range []string{"prod", full} {
		t.Run(stage, func(t *testing.T) {
			project, config, err := graph.Config(dir(stage), stage)
			if err != nil {
				t.Fatal(err)
			}
			options := graph.Options{Project: project, Stage: "dev", Config: config}
			g, err := graph.Record(stack.Program(bundle.WithoutCode), options)
			if err != nil {
				t.Fatal(err)
			}
			graphtest.CompareWith(t, dev, g, "testdata/"+stage+".difference.json")
		})
	}
}
