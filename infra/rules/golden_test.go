package rules_test

import (
	"testing"

	"restock/infra/graph"
	"restock/infra/graph/graphtest"
	"restock/infra/recorder"
	"restock/infra/rules"
	"restock/infra/stack"
	"restock/infra/stack/stacktest"
	"restock/infra/stack/stacktest/pinned"
)

const projectDir = "../.."

// stages are the project's stages, and those of the tests.
var stages = append(recorder.Stages(projectDir), full, cdn)

// Stages of the tests: full uses every setting but the CDN, cdn has the CDN.
const (
	full = "full"
	cdn  = "cdn"
)

// dir is the folder of a stage's configuration.
func dir(stage string) string {
	if stage == full || stage == cdn {
		return "testdata/" + stage
	}
	return projectDir
}

func record(tb testing.TB, stage string) *graph.Graph {
	tb.Helper()
	return stacktest.Record(tb, dir(stage), stage)
}

// TestStagesKeepTheRulesAsTheyAreConfigured checks the stages in their own region and under their
// own name. The other tests record them with the configuration of [pinned.Project].
func TestStagesKeepTheRulesAsTheyAreConfigured(t *testing.T) {
	for _, stage := range []string{"dev", "prod"} {
		g, err := stack.Record(projectDir, stage)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range rules.Check(g, stack.Declarations()) {
			t.Errorf("stage %s: %s", stage, v)
		}
	}
}

// TestStagesDeclareWhatWasReviewed compares dev with a golden file of all its resources, and the
// other stages with golden files of their differences from dev. It records them under the name dev,
// because names contain the stage's name.
func TestStagesDeclareWhatWasReviewed(t *testing.T) {
	dev := record(t, "dev")
	graphtest.Compare(t, dev, "testdata/dev.golden.json")
	for _, stage := range stages {
		if stage == "dev" {
			continue
		}
		t.Run(stage, func(t *testing.T) {
			g, err := stack.RecordAs(pinned.Project(t, dir(stage)), stage, "dev")
			if err != nil {
				t.Fatal(err)
			}
			graphtest.CompareWith(t, dev, g, "testdata/"+stage+".difference.json")
		})
	}
}
