package rules_test

import (
	"path/filepath"
	"testing"

	"restock/infra/graph"
	"restock/infra/graph/graphtest"
	"restock/infra/stack/stacktest"
)

const projectDir = "../.."

// stages are the project's, and one that leaves no setting out.
var stages = []string{"dev", "prod", full}

const full = "full"

func record(tb testing.TB, stage string) *graph.Graph {
	tb.Helper()
	dir := projectDir
	if stage == full {
		dir = "testdata/full"
	}
	return stacktest.Record(tb, dir, stage)
}

func TestWhatIsDeclaredIsWhatWasReviewed(t *testing.T) {
	for _, stage := range stages {
		t.Run(stage, func(t *testing.T) {
			graphtest.Compare(t, record(t, stage), filepath.Join("testdata", stage+".golden.json"))
		})
	}
}
