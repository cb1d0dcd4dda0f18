package stack_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/policy"
	"restock/infra/stack"
	"restock/infra/stack/stacktest"
	"restock/lambdas"
)

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

func functions(g *graph.Graph) map[string]*graph.Resource {
	found := map[string]*graph.Resource{}
	for _, r := range g.OfType(graph.Function) {
		found[r.Name] = r
	}
	return found
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

func TestEveryDeclaredFunctionIsDeployed(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		deployed := functions(g)
		var want []string
		for _, f := range lambdas.All() {
			want = append(want, f.Name)
			r := deployed[f.Name]
			if r == nil {
				continue
			}
			if got := r.Number("timeout"); got != f.Timeout.Seconds() {
				t.Errorf("function %s: timeout is %v s, want %v s", f.Name, got, f.Timeout.Seconds())
			}
			if got := r.Strings("architectures"); !slices.Equal(got, []string{"arm64"}) {
				t.Errorf("function %s: architectures are %v, want arm64", f.Name, got)
			}
			if inVPC := r.Object("vpcConfig") != nil; inVPC != (f.Network == lambdas.Private) {
				t.Errorf("function %s: in the VPC is %v, declared is %v", f.Name, inVPC, f.Network == lambdas.Private)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(deployed)); !slices.Equal(got, want) {
			t.Errorf("deployed functions are %v, want %v", got, want)
		}
	})
}

func TestEnvironmentIsWhatTheHandlerReads(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		deployed := functions(g)
		for _, f := range lambdas.All() {
			variables, _ := deployed[f.Name].Object("environment")["variables"].(map[string]any)
			var want []string
			for _, v := range lambdas.Variables(f.Environment) {
				want = append(want, v.Name)
				if value, _ := variables[v.Name].(string); value == "" {
					t.Errorf("function %s: variable %s is empty", f.Name, v.Name)
				}
			}
			slices.Sort(want)
			if got := slices.Sorted(maps.Keys(variables)); !slices.Equal(got, want) {
				t.Errorf("function %s: variables are %v, want %v", f.Name, got, want)
			}
		}
	})
}

func TestEveryDeclaredRouteLeadsToItsFunction(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		got := map[string]string{}
		for _, route := range g.OfType(graph.APIRoute) {
			for _, integration := range g.OfType(graph.APIIntegration) {
				if route.String("target") == "integrations/"+integration.ID {
					f := g.Find(graph.Function, "invokeArn", integration.String("integrationUri"))
					got[route.String("routeKey")] = f.Name
				}
			}
		}
		want := map[string]string{}
		for _, f := range lambdas.All() {
			for _, route := range f.Routes {
				want[route] = f.Name
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("routes are %v, want %v", got, want)
		}
	})
}

// allowed lists what a function's role allows, as action and resource.

func allowed(t *testing.T, g *graph.Graph, function string) map[string]string {
	t.Helper()
	allowed := map[string]string{}
	for _, r := range g.OfType(graph.RolePolicy) {
		if r.Name != function {
			continue
		}
		var p policy.Document
		if err := json.Unmarshal([]byte(r.String("policy")), &p); err != nil {
			t.Fatalf("policy of %s: %v", function, err)
		}
		for _, s := range p.Statement {
			for _, action := range s.Action {
				if strings.HasPrefix(action, "logs:") || strings.HasPrefix(action, "ec2:") {
					continue // what every function, or every function in the VPC, is allowed
				}
				allowed[action] += strings.Join(s.Resource, " ") + " "
			}
		}
	}
	return allowed
}

func TestRolesAllowWhatTheFunctionsDoAndNoMore(t *testing.T) {
	const (
		secret = "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:"
		topic  = "arn:aws:sns:ap-northeast-2:000000000000:stock_empty "
		people = "arn:aws:sns:ap-northeast-2:000000000000:stock_operations "
		key    = "arn:aws:kms:ap-northeast-2:000000000000:key/operations " // people's topic is encrypted with it
		queue  = "arn:aws:sqs:ap-northeast-2:000000000000:stock_queue "
		ads    = "arn:aws:sqs:ap-northeast-2:000000000000:ads_queue "
	)
	want := map[string]map[string]string{
		"sales-api":    {"secretsmanager:GetSecretValue": secret + "database-AbCdEf ", "sns:Publish": topic},
		"merchant-api": {"secretsmanager:GetSecretValue": secret + "database-AbCdEf ", "sns:Publish": topic},
		"sweep": {
			"secretsmanager:GetSecretValue": secret + "database-AbCdEf ", "sns:Publish": topic + people,
			"kms:Decrypt": key, "kms:GenerateDataKey": key,
		},
		"stock-increase": {"secretsmanager:GetSecretValue": secret + "database-AbCdEf " + secret + "callback-key-AbCdEf ", "sns:Publish": topic},
		"ads": {
			"secretsmanager:GetSecretValue": secret + "database-AbCdEf ", "sns:Publish": people,
			"kms:Decrypt": key, "kms:GenerateDataKey": key,
			"sqs:ReceiveMessage": ads, "sqs:DeleteMessage": ads, "sqs:GetQueueAttributes": ads,
		},
		"stock": {
			"secretsmanager:GetSecretValue": secret + "callback-key-AbCdEf ",
			"sqs:ReceiveMessage":            queue, "sqs:DeleteMessage": queue, "sqs:GetQueueAttributes": queue,
		},
		"setup": {
			"secretsmanager:GetSecretValue": secret + "rds!database-AbCdEf " + secret + "database-AbCdEf " + secret + "callback-key-AbCdEf ",
			"secretsmanager:PutSecretValue": secret + "database-AbCdEf " + secret + "callback-key-AbCdEf ",
			"secretsmanager:DescribeSecret": secret + "database-AbCdEf ", "secretsmanager:UpdateSecretVersionStage": secret + "database-AbCdEf ",
		},
	}
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		for function, want := range want {
			if got := allowed(t, g, function); !maps.Equal(got, want) {
				t.Errorf("role of %s allows %v, want %v", function, got, want)
			}
		}
	})
}

func TestTheTopicMaySendToTheQueueAndNobodyElse(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		topic := g.Find(graph.Topic, "name", lambdas.StockEmptyTopic)
		queue := g.Find(graph.Queue, "name", lambdas.StockQueue)
		var got policy.Document
		for _, p := range g.OfType(graph.QueuePolicy) {
			if p.String("queueUrl") == queue.String("url") {
				if err := json.Unmarshal([]byte(p.String("policy")), &got); err != nil {
					t.Fatal(err)
				}
			}
		}
		var allowed []policy.Statement
		for _, s := range got.Statement {
			if s.Effect == "Allow" {
				allowed = append(allowed, s)
			}
		}
		want := []policy.Statement{{
			Effect: "Allow", Principal: &policy.Principal{Service: "sns.amazonaws.com"}, Action: []string{"sqs:SendMessage"},
			Resource: []string{queue.String("arn")}, Condition: policy.Condition{"ArnEquals": {"aws:SourceArn": topic.String("arn")}},
		}}
		if !reflect.DeepEqual(allowed, want) {
			t.Errorf("the queue's policy allows %+v, want %+v", allowed, want)
		}
		subscription := g.Find(graph.TopicSubscription, "endpoint", queue.String("arn"))
		if subscription.Bool("rawMessageDelivery") {
			t.Error("raw message delivery is on: other subscribers read the envelope")
		}
		if subscription.String("endpoint") != queue.String("arn") || subscription.String("topic") != topic.String("arn") {
			t.Errorf("the subscription goes from %s to %s", subscription.String("topic"), subscription.String("endpoint"))
		}
	})
}

func TestQueueOutlastsItsFunctionAndRedrives(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		queue := g.Find(graph.Queue, "name", lambdas.StockQueue)
		deadLetters := g.Find(graph.Queue, "name", lambdas.DeadLetterQueue(lambdas.StockQueue))
		mapping := g.OfType(graph.EventSourceMapping)[0]
		function := g.Find(graph.Function, "arn", mapping.String("functionName"))
		if got, timeout := queue.Number("visibilityTimeoutSeconds"), function.Number("timeout"); got < 6*timeout {
			t.Errorf("visibility timeout is %v s, want six times the function's %v s or more", got, timeout)
		}
		if got := mapping.Strings("functionResponseTypes"); !slices.Equal(got, []string{"ReportBatchItemFailures"}) {
			t.Errorf("function response types are %v: one bad record would fail its batch", got)
		}
		want := `{"deadLetterTargetArn":"` + deadLetters.String("arn") + `","maxReceiveCount":5}`
		if got := queue.String("redrivePolicy"); got != want {
			t.Errorf("redrive policy is %s, want %s", got, want)
		}
		if deadLetters.Number("messageRetentionSeconds") <= queue.Number("messageRetentionSeconds") {
			t.Error("the dead-letter queue forgets before the queue does: a message keeps its first date")
		}
	})
}

func TestDatabaseIsPrivateEncryptedAndKeepsItsPassword(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		db := g.OfType(graph.Database)[0]
		for property, want := range map[string]bool{"publiclyAccessible": false, "storageEncrypted": true, "manageMasterUserPassword": true} {
			if got := db.Bool(property); got != want {
				t.Errorf("%s is %v, want %v", property, got, want)
			}
		}
		if _, given := db.Inputs["password"]; given {
			t.Error("the program gives the database a password: it would be in the state")
		}
	})
}

func TestProdProtectsWhatHoldsDataAndDevDoesNot(t *testing.T) {
	for stage, want := range map[string]bool{"dev": false, "prod": true} {
		g := record(t, stage)
		db := g.OfType(graph.Database)[0]
		if db.Bool("deletionProtection") != want || db.Bool("skipFinalSnapshot") == want || db.String("finalSnapshotIdentifier") != "" != want {
			t.Errorf("%s: deletion protection %v, skip final snapshot %v, final snapshot %q; want %v, %v and a name: %v",
				stage, db.Bool("deletionProtection"), db.Bool("skipFinalSnapshot"), db.String("finalSnapshotIdentifier"), want, !want, want)
		}
		for _, kind := range []graph.Type{graph.Database, graph.Queue, graph.Secret} {
			for _, r := range g.OfType(kind) {
				if r.Protect != want {
					t.Errorf("%s: %s is protected: %v, want %v", stage, r.URN, r.Protect, want)
				}
			}
		}
	}
}

func TestResourcesSayWhoseTheyAre(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		for _, kind := range []graph.Type{graph.Database, graph.Queue, graph.Function, graph.Role} {
			for _, r := range g.OfType(kind) {
				tags := r.Object("tags")
				if tags["project"] != "restock" || tags["stage"] == nil {
					t.Errorf("%s has the tags %v, want project and stage", r.URN, tags)
				}
			}
		}
	})
}

func TestFunctionsWaitForWhatTheyCountOn(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		for name, f := range functions(g) {
			waits := func(kind graph.Type, of ...string) {
				for _, r := range g.OfType(kind) {
					if (len(of) == 0 || slices.Contains(of, r.Name)) && !slices.Contains(f.Dependencies, r.URN) {
						t.Errorf("function %s does not wait for %s", name, r.URN)
					}
				}
			}
			waits(graph.RolePolicy, name)
			waits(graph.VPCEndpoint)
			waits(graph.SecurityGroupEgressRule)
			waits(graph.SecurityGroupIngressRule)
			if name != lambdas.Setup.Name {
				waits(graph.Invocation)
				waits(graph.TopicSubscription, lambdas.StockQueue)
			}
		}
	})
}

func TestSetupRunsAgainWhenItOrWhatItPreparesIsNew(t *testing.T) {
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		invocation := g.OfType(graph.Invocation)[0]
		want := map[string]any{
			"code":                "hash of setup",
			"database":            g.OfType(graph.Database)[0].Outputs["resourceId"],
			"secret database":     "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:database-AbCdEf",
			"secret callback-key": "arn:aws:secretsmanager:ap-northeast-2:000000000000:secret:callback-key-AbCdEf",
		}
		if got := invocation.Object("triggers"); !maps.Equal(got, want) {
			t.Errorf("the triggers are %v, want %v", got, want)
		}
	})
}

func TestOutputsAreWhatPeopleLookFor(t *testing.T) {
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
	if want := []string{"apiUrl", "dashboardName", "databaseSecretArn", "deadLetterQueueName", "queueName", "topicName"}; !slices.Equal(outputs, want) {
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

// keys are the names that a settings struct has in a stage's file.

// withSettings records dev with other settings beside its own.

func withSettings(t *testing.T, change map[string]any) *graph.Graph {
	t.Helper()
	o := options(t, "dev")
	settings := map[string]any{}
	if err := json.Unmarshal([]byte(o.Config["restock:settings"]), &settings); err != nil {
		t.Fatal(err)
	}
	maps.Copy(settings, change)
	text, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	o.Config["restock:settings"] = string(text)
	g, err := graph.Record(stack.Program(bundle.WithoutCode), o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestTheProxyStandsBetweenTheFunctionsAndTheDatabase(t *testing.T) {
	g := withSettings(t, map[string]any{"database": map[string]any{"proxy": true}, "concurrency": map[string]any{"sales-api": 500}})
	proxy := g.OfType(graph.Proxy)[0]
	for name, f := range functions(g) {
		variables, _ := f.Object("environment")["variables"].(map[string]any)
		host, connects := variables["DATABASE_HOST"]
		if name == lambdas.Setup.Name {
			if host == proxy.String("endpoint") {
				t.Error("setup connects to the proxy, which does not know the administrator")
			}
			continue
		}
		if connects && host != proxy.String("endpoint") {
			t.Errorf("function %s connects to %v, want the proxy", name, host)
		}
		if target := g.OfType(graph.ProxyTarget)[0]; connects && !slices.Contains(f.Dependencies, target.URN) {
			t.Errorf("function %s does not wait for the proxy's target", name)
		}
	}
}

func TestTheAPIHasItsOwnNameAndTheCallbackDoesNotWaitForIt(t *testing.T) {
	g := withSettings(t, map[string]any{"domain": map[string]any{"name": "shop.example.com", "certificateArn": "arn:aws:acm:ap-northeast-2:000000000000:certificate/x"}})
	if got := g.OfType(graph.APIDomainName); len(got) != 1 || got[0].String("domainName") != "shop.example.com" {
		t.Errorf("the domain names are %v", got)
	}
	variables, _ := functions(g)["stock"].Object("environment")["variables"].(map[string]any)
	if want := g.OfType(graph.API)[0].String("apiEndpoint"); variables["API_URL"] != want {
		t.Errorf("the factory is told to call back at %v, want %s: a name without its DNS record would lose the lot", variables["API_URL"], want)
	}
}

func TestBrowsersOfNamedSitesMayCallTheAPI(t *testing.T) {
	if cors := record(t, "dev").OfType(graph.API)[0].Object("corsConfiguration"); cors != nil {
		t.Errorf("without corsOrigins the API lets in %v", cors)
	}
	g := withSettings(t, map[string]any{"corsOrigins": []string{"https://www.example.com"}})
	cors := g.OfType(graph.API)[0].Object("corsConfiguration")
	if got := fmt.Sprint(cors["allowOrigins"]); got != "[https://www.example.com]" {
		t.Errorf("the API lets in %s", got)
	}
	for _, header := range []string{"content-type", "idempotency-key"} { // what the storefront sends
		if !strings.Contains(fmt.Sprint(cors["allowHeaders"]), header) {
			t.Errorf("a page may not send %s: allowed are %v", header, cors["allowHeaders"])
		}
	}
}

// measured are the metrics that package lambdas declares, by the names of their constants.

// TestWhatNeedsTheSecretWaitsForSetup holds that nobody asks for a password before there is one.

func TestWhatNeedsTheSecretWaitsForSetup(t *testing.T) {
	g := withSettings(t, map[string]any{"database": map[string]any{"proxy": true}})
	setup := g.OfType(graph.Invocation)[0]
	permission := g.Find(graph.Permission, "principal", "secretsmanager.amazonaws.com")
	for _, c := range []struct {
		token graph.Type
		urn   string
	}{
		{graph.SecretRotation, setup.URN},
		{graph.SecretRotation, permission.URN},
		{graph.Proxy, setup.URN},
	} {
		if r := g.OfType(c.token)[0]; !slices.Contains(r.Dependencies, c.urn) {
			t.Errorf("%s does not wait for %s", r.URN, c.urn)
		}
	}
}
