package stack_test

import (
	"slices"
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/stack"
	"restock/lambdas"
)

// TestFactoryIsDeployedWhereItIsSimulated checks the stage dev, which names no factory, with and
// without a factory of its own.
func TestFactoryIsDeployedWhereItIsSimulated(t *testing.T) {
	const zones = `"zones":["ap-northeast-2a","ap-northeast-2c"]`
	for text, simulated := range map[string]bool{
		`{` + zones + `}`:                             true,
		`{` + zones + `,"factoryUrl":"simulated"}`:    true,
		`{` + zones + `,"factoryUrl":"https://f.kr"}`: false,
	} {
		o := options(t, "dev")
		o.Config["restock:settings"] = text
		g, err := recorder.Record(stack.Program(bundle.WithoutCode), o)
		if err != nil {
			t.Fatal(err)
		}
		for kind, r := range map[string]*graph.Resource{
			"function":           g.Named(graph.Function, lambdas.Factory.Name),
			"route":              g.Find(graph.APIRoute, "routeKey", lambdas.RouteManufactures),
			"queue":              g.Named(graph.Queue, lambdas.FactoryQueue),
			"dead-letter queue":  g.Named(graph.Queue, lambdas.DeadLetterQueue(lambdas.FactoryQueue)),
			"alarm of its queue": g.Named(graph.MetricAlarm, lambdas.Factory.Name+"-dead-letters"),
		} {
			if (r != nil) != simulated {
				t.Errorf("settings %s: the factory's %s is %v, want it only if the factory is simulated",
					text, kind, r)
			}
		}
		settings, _ := g.OfType(graph.APIStage)[0].Outputs["routeSettings"].([]any)
		low := slices.ContainsFunc(settings, func(one any) bool {
			limits := one.(map[string]any)
			return limits["routeKey"] == lambdas.RouteManufactures && limits["throttlingRateLimit"] == 10.0
		})
		if low != simulated {
			t.Errorf("settings %s: the factory's route has a limit of 10 requests a second: %v, want %v", text, low,
				simulated)
		}
		want := "https://f.kr"
		if simulated {
			want = g.OfType(graph.API)[0].String("apiEndpoint")
		}
		environment := g.Named(graph.Function, lambdas.Stock.Name).Object("environment")
		if got := environment["variables"].(map[string]any)["FACTORY_URL"]; got != want {
			t.Errorf("settings %s: stock asks the factory at %v, want %s", text, got, want)
		}
	}
}
