package stack_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/stack"
	"restock/infra/stack/stacktest"
	"restock/lambdas"
)

// What the program declares is tested in infra/rules: the golden files hold each resource's inputs,
// and the rules hold what AWS asks of them. The tests in this file are about what no input shows:
// sources, dependencies, outputs and previews.

const projectDir = "../.."

var stages = recorder.Stages(projectDir)

func options(tb testing.TB, stage string) recorder.Options {
	tb.Helper()
	project, config := stacktest.Config(tb, projectDir, stage)
	return recorder.Options{Project: project, Stage: stage, Config: config}
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
		{graph.Queue, "stock_queue", `^infra/stack/messaging.go:\d+$`},
		{graph.LogGroup, "sweep", `^infra/operations/logs.go:\d+, infra/stack/function.go:\d+$`},
	} {
		if got := g.Named(c.token, c.name).Source; !regexp.MustCompile(c.want).MatchString(got) {
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
	setup := g.Named(graph.Function, lambdas.Setup.Name).Object("environment")["variables"].(map[string]any)
	var known []any
	for _, auth := range one(graph.Proxy).Inputs["auths"].([]any) {
		known = append(known, auth.(map[string]any)["secretArn"])
	}
	if want := []any{setup["PROXY_SECRET_FIRST"], setup["PROXY_SECRET_SECOND"]}; !slices.Equal(known, want) ||
		want[0] == want[1] || slices.Contains(want, setup["DATABASE_SECRET"]) {
		t.Errorf("the proxy knows the secrets %v, want two that setup writes for it: %v", known, setup)
	}
	for _, f := range lambdas.All() {
		if f.Uses("database") && f.Name != lambdas.Setup.Name {
			need(t, g.Named(graph.Function, f.Name), one(graph.ProxyTarget))
		}
	}
}

func TestOutputsOfTheStack(t *testing.T) {
	var outputs []string
	_, err := recorder.Record(func(ctx *pulumi.Context) error {
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
		"apiUrl", "dashboardName", "databaseSecretArn", "deadLetterQueueName", "merchantUrl", "queueName", "topicName",
	}
	if !slices.Equal(outputs, want) {
		t.Errorf("the stack's outputs are %v, want %v", outputs, want)
	}
}

// Buyers use CloudFront. The factory's callback and signed requests do not: the callback would
// depend on one more service, and a signature covers the host name, which CloudFront replaces.
func TestTheFactoryAndTheMerchantGoAroundTheCDN(t *testing.T) {
	const dir = "../rules/testdata/cdn"
	project, config, err := recorder.Config(dir, "cdn")
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	var mu sync.Mutex // guards outputs: Pulumi resolves them concurrently
	g, err := recorder.Record(func(ctx *pulumi.Context) error {
		if err := stack.Program(bundle.WithoutCode)(ctx); err != nil {
			return err
		}
		for name, value := range ctx.GetCurrentExportMap() {
			pulumi.ToOutput(value).ApplyT(func(v any) any {
				mu.Lock()
				defer mu.Unlock()
				if text, isPointer := v.(*string); isPointer && text != nil {
					v = *text
				}
				outputs[name] = fmt.Sprint(v)
				return v
			})
		}
		return nil
	}, recorder.Options{Project: project, Stage: "cdn", Config: config})
	if err != nil {
		t.Fatal(err)
	}
	own := g.OfType(graph.API)[0].String("apiEndpoint")
	mu.Lock()
	defer mu.Unlock()
	for name, want := range map[string]string{
		"apiUrl": "https://shop.example.com", "merchantUrl": own,
		"domainTarget": g.OfType(graph.Distribution)[0].String("domainName"),
	} {
		if outputs[name] != want {
			t.Errorf("the output %s is %q, want %q", name, outputs[name], want)
		}
	}
	stock := g.Named(graph.Function, lambdas.Stock.Name)
	variables, _ := stock.Object("environment")["variables"].(map[string]any)
	if got := variables["API_URL"]; got != own {
		t.Errorf("the factory calls back %v, want %s", got, own)
	}
}

// TestProductionBeginsWithoutProducts: setup stores the catalogue that its environment names.
func TestProductionBeginsWithoutProducts(t *testing.T) {
	for _, stage := range stages {
		setup := record(t, stage).Named(graph.Function, lambdas.Setup.Name)
		got := setup.Object("environment")["variables"].(map[string]any)["CATALOGUE"]
		if (got == lambdas.EmptyCatalogue) != (stage == "prod") {
			t.Errorf("%s begins with the catalogue %v, want %s in prod and products in dev", stage, got,
				lambdas.EmptyCatalogue)
		}
	}
}

func TestPreviewOfANewStage(t *testing.T) {
	for _, stage := range stages {
		o := options(t, stage)
		o.Preview = true
		if _, err := recorder.Record(stack.Program(bundle.WithoutCode), o); err != nil {
			t.Errorf("%s: %v", stage, err)
		}
	}
}

// recordDatabase returns the database of prod with other settings, given as JSON to replace, and
// the name that Pulumi makes for the subnet group.
func recordDatabase(t *testing.T, subnets, old, new string) *graph.Resource {
	t.Helper()
	o := options(t, "prod")
	settings := o.Config["restock:settings"]
	if !strings.Contains(settings, old) {
		t.Fatalf("the settings of prod are %s: they do not contain %s", settings, old)
	}
	o.Config["restock:settings"] = strings.Replace(settings, old, new, 1)
	o.Answer = func(r *graph.Resource) error {
		if r.Type == graph.SubnetGroup {
			r.Outputs["name"] = subnets
		}
		return nil
	}
	g, err := recorder.Record(stack.Program(bundle.WithoutCode), o)
	if err != nil {
		t.Fatal(err)
	}
	return g.OfType(graph.Database)[0]
}

// TestDeletedDatabaseLeavesItsData follows the tear-down of prod: the setting protect becomes false
// in the deployment before the deletion.
func TestDeletedDatabaseLeavesItsData(t *testing.T) {
	const protected, unprotected = `"protect":true`, `"protect":false`
	names := map[string]bool{}
	// the names of the subnet group of the stage, and of the same stage's next creation
	for _, subnets := range []string{"restock-prod-database-1a2b3c4", "restock-prod-database-5d6e7f8"} {
		for _, protect := range []string{protected, unprotected} {
			r := recordDatabase(t, subnets, protected, protect)
			if r.Protect != (protect == protected) || r.Bool("deletionProtection") != r.Protect {
				t.Errorf("%s: the database is protected by Pulumi: %v, by AWS: %v",
					protect, r.Protect, r.Bool("deletionProtection"))
			}
			for _, property := range []string{"skipFinalSnapshot", "deleteAutomatedBackups"} {
				if r.Inputs[property] != false {
					t.Errorf("%s: %s is %v, want false", protect, property, r.Inputs[property])
				}
			}
			names[r.String("finalSnapshotIdentifier")] = true
		}
	}
	if len(names) != 2 {
		t.Errorf("two creations of the stage have the last snapshots %v, want one name for each creation", names)
	}
}

// TestConnectionsGrowInOrder: the server's limit grows first, then its memory, then the functions
// that connect. Pulumi updates a resource after the resources that it depends on.
func TestConnectionsGrowInOrder(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		database := g.OfType(graph.Database)[0]
		need(t, database, g.OfType(graph.ParameterGroup)[0])
		for _, f := range lambdas.All() {
			if f.Uses("database") {
				need(t, g.Named(graph.Function, f.Name), database)
			}
		}
	})
}
