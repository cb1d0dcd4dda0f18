package sns

import (
	"log/slog"
	"strings"
	"testing"

	"restock/infra/graph"
)

func TestDeclaredFIFOTopicIsRefusedByName(t *testing.T) {
	s := New(Config{}, slog.New(slog.DiscardHandler))
	err := s.createDeclared(&graph.Graph{Resources: []*graph.Resource{{
		Type: graph.Topic, Name: "sales", Source: "main.go:7",
		Outputs: map[string]any{"name": "sales.fifo", "fifoTopic": true},
	}}})
	if err == nil || !strings.Contains(err.Error(), "topic sales: FIFO topics are not available") ||
		!strings.Contains(err.Error(), "main.go:7") {
		t.Errorf("got error %v, want one that names the topic and the line", err)
	}
}
