package stack_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/stack"
	"restock/infra/stack/stacktest"
	"restock/lambdas"
)

// What the program declares is tested in infra/rules: the golden files hold each resource's inputs,
// and the rules hold what AWS asks of them. The tests in this file are about what no input shows:
// sources, dependencies, outputs and previews.

const projectDir = "../.."

var stages = []string{"dev", "prod"}

func options(tb testing.TB, stage string) graph.Options {
	tb.Helper()
	project, config, err := graph.Config(projectDir, stage)
	if err != nil {
		tb.Fatal(err)
	}
	return graph.Options{Project: project, Stage: stage, Config: config}
}

func record(tb testing.TB, stage string) *graph.Graph {
	tb.Helper()
	return stacktest.Record(tb, projectDir, stage)
}

// eachStage runs a test on the recorded graph of every stage.
func eachStage(t *testing.T, test func(t *testing.T, g *graph.Graph)) {
	for _, stage := range stages {
		t.Run(stage, func(t *testing.T) { test(t, record(t, stage)) })
	}
}

func TestResourcesKnowTheFilesThatDeclareThem(t *testing.T) {
	g := record(t, "dev")
	for _, c := range []struct {
		token      graph.Type
		name, want string
	}{
		{graph.Queue, "stock_queue", "infra/stack/messaging.go"},
		{graph.LogGroup, "sweep", "infra/operations/logs.go, infra/stack/function.go"},
	} {
		if got := g.Find(c.token, "name", c.name).Source; got != c.want {
			t.Errorf("%s %s is declared in %q, want %q", c.token, c.name, got, c.want)
		}
	}
}

// need fails the test if a resource does not depend on another: Pulumi would create both at once.
func need(t *testing.T, r, other *graph.Resource) {
	t.Helper()
	if !slices.Contains(r.Dependencies, other.URN) {
		t.Errorf("%s does not depend on %s", r.URN, other.URN)
	}
}

func TestFunctionsAreCreatedAfterWhatTheyNeed(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		for _, f := range g.OfType(graph.Function) {
			for _, r := range g.Resources {
				isSetup := f.Name == lambdas.Setup.Name
				switch r.Type {
				case graph.RolePolicy:
					if r.Name == f.Name {
						need(t, f, r)
					}
				case graph.VPCEndpoint, graph.SecurityGroupEgressRule, graph.SecurityGroupIngressRule:
					need(t, f, r)
				case graph.Invocation:
					if !isSetup {
						need(t, f, r)
					}
				case graph.TopicSubscription:
					if !isSetup && r.Name == lambdas.StockQueue {
						need(t, f, r)
					}
				}
			}
		}
	})
}

// TestSetupRunsBeforeItsSecretIsUsed also checks that functions are created after the proxy's
// target: only the stage full has a proxy before its database.
func TestSetupRunsBeforeItsSecretIsUsed(t *testing.T) {
	g := stacktest.Record(t, "../rules/testdata/full", "full")
	one := func(kind graph.Type) *graph.Resource { return g.OfType(kind)[0] }
	need(t, one(graph.SecretRotation), one(graph.Invocation))
	need(t, one(graph.SecretRotation), g.Find(graph.Permission, "principal", "secretsmanager.amazonaws.com"))
	need(t, one(graph.Proxy), one(graph.Invocation))
	for _, f := range lambdas.All() {
		if f.Uses("database") && f.Name != lambdas.Setup.Name {
			need(t, g.Find(graph.Function, "name", f.Name), one(graph.ProxyTarget))
		}
	}
}

func TestOutputsOfTheStack(t *testing.T) {
	var outputs []string
	_, err := graph.Record(func(ctx *pulumi.Context) error {
		if err := stack.Program(bundle.WithoutCode)(ctx); err != nil {
			return err
		}
		outputs = slices.Sorted(maps.Keys(ctx.GetCurrentExportMap()))
		return nil
	}, options(t, "dev"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"apiUrl", "dashboardName", "databaseSecretArn", "deadLetterQueueName", "queueName", "topicName",
	}
	if !slices.Equal(outputs, want) {
		t.Errorf("the stack's outputs are %v, want %v", outputs, want)
	}
}

func TestPreviewOfANewStage(t *testing.T) {
	for _, stage := range stages {
		o := options(t, stage)
		o.Preview = true
		if _, err := graph.Record(stack.Program(bundle.WithoutCode), o); err != nil {
			t.Errorf("%s: %v", stage, err)
		}
	}
}
