package stack_test

import (
	"slices"
	"strings"
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/stack"
	"restock/lambdas"
)

func TestTracingIsOnOrLeavesNothing(t *testing.T) {
	const zones = `"zones":["ap-northeast-2a","ap-northeast-2c"]`
	for text, on := range map[string]bool{
		`{` + zones + `,"tracing":true}`:  true,
		`{` + zones + `,"tracing":false}`: false,
		`{` + zones + `}`:                 false,
	} {
		o := options(t, "dev")
		o.Config["restock:settings"] = text
		g, err := recorder.Record(stack.Program(bundle.WithoutCode), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range g.OfType(graph.Function) {
			active := f.Object("tracingConfig")["mode"] == "Active"
			policy := g.Named(graph.RolePolicy, f.Name).String("policy")
			allowed := slices.ContainsFunc([]string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
				func(action string) bool { return strings.Contains(policy, action) })
			_, told := f.Object("environment")["variables"].(map[string]any)["TRACING"]
			if active != on || allowed != on {
				t.Errorf("settings %s: function %s has active tracing: %v, and may send traces: %v; want %v",
					text, f.Name, active, allowed, on)
			}
			if records := on && f.Name != lambdas.Setup.Name; told != records {
				t.Errorf("settings %s: function %s has the variable TRACING: %v, want %v: "+
					"embed lambdas.Tracing in its environment in lambdas/environment.go", text, f.Name, told, records)
			}
		}
	}
}
