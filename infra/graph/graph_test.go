package graph_test

import (
	"regexp"
	"testing"

	"restock/infra/graph"
)

func TestResourcesOfDifferentTypesHaveDifferentNames(t *testing.T) {
	queue, topic := graph.Autoname("p", "s", graph.Queue, "a"), graph.Autoname("p", "s", graph.Topic, "a")
	if queue == topic || !regexp.MustCompile(`^p-s-a-[0-9a-f]{7}$`).MatchString(queue) {
		t.Errorf("a queue's name is %s and a topic's %s, want two names with seven hexadecimal digits", queue, topic)
	}
}
