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

func TestATargetBelongsToTheRuleOfItsBus(t *testing.T) {
	rule := func(urn, bus string) *graph.Resource {
		outputs := map[string]any{"name": "sold", "eventBusName": bus}
		return &graph.Resource{URN: urn, Type: graph.EventRule, Outputs: outputs}
	}
	g, err := graph.New("eu-west-1", []*graph.Resource{
		rule("a", ""), rule("b", "orders"), rule("c", graph.EventBus.ARN("eu-west-1", "a/b")),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for bus, want := range map[string]string{
		"": "a", graph.DefaultBus: "a", graph.EventBus.ARN("eu-west-1", graph.DefaultBus): "a",
		"orders": "b", graph.EventBus.ARN("eu-west-1", "orders"): "b", "a/b": "c", "others": "",
	} {
		got := g.RuleOf(&graph.Resource{Outputs: map[string]any{"rule": "sold", "eventBusName": bus}})
		if (got == nil) != (want == "") || got != nil && got.URN != want {
			t.Errorf("the rule of a target on the bus %q is %+v, want %q", bus, got, want)
		}
	}
}
