package rules_test

import (
	"bytes"
	"testing"

	"restock/infra/cost"
	"restock/infra/graph/graphtest"
	"restock/infra/recorder"
)

// TestStagesCostWhatWasReviewed compares the printed estimates with golden files, so that a review
// shows the cost of a change. The tests of package cost would have to link Pulumi for it.
func TestStagesCostWhatWasReviewed(t *testing.T) {
	for _, stage := range append(recorder.Stages(projectDir), cdn) {
		t.Run(stage, func(t *testing.T) {
			g := record(t, stage)
			declared := cost.Stage{Name: stage, Region: g.Region, Graph: g}
			e, err := cost.New(declared, cost.Seoul(), cost.DefaultAssumptions())
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Unpriced) > 0 {
				t.Errorf("not priced: %v: say in infra/cost/kinds.go what each costs, or that it is free", e.Unpriced)
			}
			var printed bytes.Buffer
			if err := e.Print(&printed); err != nil {
				t.Fatal(err)
			}
			graphtest.CompareText(t, printed.String(), "testdata/"+stage+".cost.txt")
		})
	}
}
