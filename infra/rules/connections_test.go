package rules

import (
	"testing"

	"restock/infra/graph"
)

func TestFunctionOrEventSourceLimitsConcurrency(t *testing.T) {
	function := &graph.Resource{Type: graph.Function, Outputs: map[string]any{"arn": "f"}}
	queue := &graph.Resource{Type: graph.Queue, Outputs: map[string]any{"arn": "q"}}
	mapping := &graph.Resource{Type: graph.EventSourceMapping, Outputs: map[string]any{
		"eventSourceArn": "q", "functionName": "f", "scalingConfig": map[string]any{"maximumConcurrency": 7.0},
	}}
	for _, c := range []struct {
		name      string
		reserved  any
		resources []*graph.Resource
		want      int
	}{
		{"nothing", nil, nil, 0},
		{"none reserved, as AWS writes it", -1.0, nil, -1},
		{"reserved", 5.0, nil, 5},
		{"event source", nil, []*graph.Resource{queue, mapping}, 7},
		{"both", 5.0, []*graph.Resource{queue, mapping}, 5},
	} {
		function.Outputs["reservedConcurrentExecutions"] = c.reserved
		i := &inspection{Graph: &graph.Graph{Resources: append(c.resources, function)}}
		if got := i.concurrency(function); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}
