package stack_test

import (
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/stack"
	"restock/lambdas"
)

// TestFactoryIsDeployedWhereItIsSimulated checks the stage dev, which names no factory, with and
// without a factory of its own.
func TestFactoryIsDeployedWhereItIsSimulated(t *testing.T) {
	const zones = `"zones":["ap-northeast-2a","ap-northeast-2c"]`
	for settings, simulated := range map[string]bool{
		`{` + zones + `}`:                             true,
		`{` + zones + `,"factoryUrl":"simulated"}`:    true,
		`{` + zones + `,"factoryUrl":"https://f.kr"}`: false,
	} {
		o := options(t, "dev")
		o.Config["restock:settings"] = settings
		g, err := graph.Record(stack.Program(bundle.WithoutCode), o)
		if err != nil {
			t.Fatal(err)
		}
		for kind, r := range map[string]*graph.Resource{
			"function":           g.Find(graph.Function, "name", lambdas.Factory.Name),
			"route":              g.Find(graph.APIRoute, "routeKey", lambdas.RouteManufactures),
			"queue":              g.Find(graph.Queue, "name", lambdas.FactoryQueue),
			"dead-letter queue":  g.Find(graph.Queue, "name", lambdas.DeadLetterQueue(lambdas.FactoryQueue)),
			"alarm of its queue": g.Find(graph.MetricAlarm, "name", lambdas.Factory.Name+"-dead-letters"),
		} {
			if (r != nil) != simulated {
				t.Errorf("settings %s: the factory's %s is %v, want it only if the factory is simulated",
					settings, kind, r)
			}
		}
		want := "https://f.kr"
		if simulated {
			want = g.OfType(graph.API)[0].String("apiEndpoint")
		}
		environment := g.Find(graph.Function, "name", lambdas.Stock.Name).Object("environment")
		if got := environment["variables"].(map[string]any)["FACTORY_URL"]; got != want {
			t.Errorf("settings %s: stock asks the factory at %v, want %s", settings, got, want)
		}
	}
}
