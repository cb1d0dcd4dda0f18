package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
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
	g, err := recorder.Record(stack.Program(bundle.WithoutCode), o)
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
		for _, v := range rules.Check(g, stack.Declarations()) {
			t.Errorf("%s: %v", settings, v)
		}
		for _, a := range g.OfType(graph.MetricAlarm) {
			if advice := a.String("alarmDescription"); strings.Contains(advice, "concurrency.") {
				t.Errorf("%s: alarm %s says %q, but no function has such a setting", settings, a.Name, advice)
			}
		}
	}
}

// TestARefusedStageNamesTheConcurrencyToLower checks that a developer who adds a function too many
// to the cheapest stage learns what to change, and that the change is enough.
func TestARefusedStageNamesTheConcurrencyToLower(t *testing.T) {
	o := options(t, "dev")
	settings := func(concurrency int) {
		o.Config["restock:settings"] = fmt.Sprintf(
			`{"zones":["ap-northeast-2a","ap-northeast-2c"],"concurrency":{"sales-api":%d}}`, concurrency)
	}
	settings(lambdas.SalesAPI.Concurrency + 50)
	_, err := recorder.Record(stack.Program(bundle.WithoutCode), o)
	_, advice, _ := strings.Cut(fmt.Sprint(err), "; or lower concurrency.sales-api by ")
	var by, to int
	if n, _ := fmt.Sscanf(advice, "%d, to %d", &by, &to); n != 2 || by+to != lambdas.SalesAPI.Concurrency+50 {
		t.Fatalf("got %v, want an error that says by how much to lower concurrency.sales-api", err)
	}
	for concurrency, enough := range map[int]bool{to: true, to + 1: false} {
		settings(concurrency)
		if _, err := recorder.Record(stack.Program(bundle.WithoutCode), o); (err == nil) != enough {
			t.Errorf("after %s, and with concurrency.sales-api of %d: got %v", advice, concurrency, err)
		}
	}
}
