package run

import (
	"testing"

	"restock/infra/graph"
)

func TestFilesNeededGrowsWithTheInstances(t *testing.T) {
	function := func(name string, outputs map[string]any) *graph.Resource {
		outputs["arn"] = name
		return &graph.Resource{Type: graph.Function, Name: name, Outputs: outputs}
	}
	g := &graph.Graph{Resources: []*graph.Resource{
		function("sales-api", map[string]any{"reservedConcurrentExecutions": 21.0}),
		function("stock", map[string]any{"reservedConcurrentExecutions": -1.0}),
		function("setup", map[string]any{}),
		{Type: graph.EventSourceMapping, Name: "stock", Outputs: map[string]any{
			"functionName": "stock", "scalingConfig": map[string]any{"maximumConcurrency": 2.0}}},
	}}
	if got, want := filesNeeded(g), uint64(256+8*(21+3+1)); got != want {
		t.Errorf("got %d files, want %d", got, want)
	}
	g.Resources[0].Outputs["reservedConcurrentExecutions"] = -1.0
	if got, want := filesNeeded(g), uint64(256+8*(10+3+10)); got != want {
		t.Errorf("the program reserves nothing: got %d files, want %d", got, want)
	}
}
