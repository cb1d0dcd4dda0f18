package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/rules"
	"restock/infra/stack"
	"restock/lambdas"
)

// recordWith records dev with other settings than those of its file.
func recordWith(t *testing.T, settings string) *graph.Graph {
	t.Helper()
	o := options(t, "dev")
	o.Config["restock:settings"] =
		`{"zones":["ap-northeast-2a","ap-northeast-2c"],"factoryUrl":"https://factory.example.com",` + settings + `}`
	g, err := graph.Record(stack.Program(bundle.WithoutCode), o)
	if err != nil {
		t.Fatalf("settings %s: %v", settings, err)
	}
	return g
}

func TestUnreservedConcurrencyReservesNothing(t *testing.T) {
	for _, settings := range []string{
		`"concurrency":"unreserved"`, `"concurrency":"unreserved","database":{"proxy":true}`,
	} {
		g := recordWith(t, settings)
		for _, f := range g.OfType(graph.Function) {
			if reserved, set := f.Inputs["reservedConcurrentExecutions"]; set {
				t.Errorf("%s: function %s reserves %v, want nothing", settings, f.Name, reserved)
			}
		}
		// An event source's maximum takes nothing from the account's quota.
		// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency
		for _, m := range g.OfType(graph.EventSourceMapping) {
			if maximum, _ := m.Object("scalingConfig")["maximumConcurrency"].(float64); maximum < 2 {
				t.Errorf("%s: event source %s has the maximum %v, want 2 or more", settings, m.Name, maximum)
			}
		}
		for _, v := range rules.Check(g, rules.Declarations{Functions: stack.Declarations()}) {
			t.Errorf("%s: %v", settings, v)
		}
		for _, a := range g.OfType(graph.MetricAlarm) {
			if advice := a.String("alarmDescription"); strings.Contains(advice, "concurrency.") {
				t.Errorf("%s: alarm %s says %q, but no function has such a setting", settings, a.Name, advice)
			}
		}
	}
}

// TestDevHasRoomForTwoMoreFunctions checks that a developer who adds two functions to the cheapest
// stage, each with a connection in two instances, does not have to change other functions.
func TestDevHasRoomForTwoMoreFunctions(t *testing.T) {
	more := lambdas.SalesAPI.Concurrency + 2*2
	recordWith(t, fmt.Sprintf(`"concurrency":{"sales-api":%d}`, more)) // as many connections
}
