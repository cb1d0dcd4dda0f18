package program_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"restock/examples/tutorial/program"
	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/graph/graphtest"
	"restock/infra/recorder"
	"restock/infra/rules"
)

func record(tb testing.TB, edit func(*recorder.Options)) *graph.Graph {
	tb.Helper()
	project, config, err := recorder.Config("..", "dev")
	if err != nil {
		tb.Fatal(err)
	}
	options := recorder.Options{Project: project, Stage: "dev", Config: config}
	if edit != nil {
		edit(&options)
	}
	g, err := recorder.Record(program.Program(bundle.WithoutCode), options)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func TestProgramKeepsEveryRule(t *testing.T) {
	for _, v := range rules.Check(record(t, nil), rules.Declarations{}) {
		t.Error(v)
	}
}

func TestProgramMatchesTheGoldenFile(t *testing.T) {
	graphtest.Compare(t, record(t, nil), "testdata/dev.golden.json")
}

// In a preview, the outputs of new resources are unknown. A resource whose name or number depended
// on them would be missing.
func TestPreviewDeclaresTheSame(t *testing.T) {
	urns := func(g *graph.Graph) (all []string) {
		for _, r := range g.Resources {
			all = append(all, r.URN)
		}
		return all
	}
	got, want := urns(record(t, func(o *recorder.Options) { o.Preview = true })), urns(record(t, nil))
	if !slices.Equal(got, want) {
		t.Errorf("the preview declares\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAlarmEmailSubscribesToTheTopic(t *testing.T) {
	emails := func(config string) (all []string) {
		g := record(t, func(o *recorder.Options) {
			if config != "" {
				o.Config["restock-tutorial:alarmEmail"] = config
			}
		})
		for _, s := range g.OfType(graph.TopicSubscription) {
			all = append(all, s.String("endpoint"))
		}
		return all
	}
	if got := emails(""); len(got) > 0 {
		t.Errorf("without alarmEmail: got the subscribers %q, want none", got)
	}
	if got, want := emails("you@example.com"), []string{"you@example.com"}; !slices.Equal(got, want) {
		t.Errorf("with alarmEmail: got the subscribers %q, want %q", got, want)
	}
}

// The rules about the declarations in package lambdas do not apply to the tutorial. The other rules
// apply to every stack.
func TestRulesRefuseABrokenProgram(t *testing.T) {
	remove := func(token graph.Type, name string) func(*graph.Graph) {
		return func(g *graph.Graph) {
			g.Resources = slices.DeleteFunc(g.Resources, func(r *graph.Resource) bool {
				return r.Type == token && r.Name == name
			})
		}
	}
	for _, c := range []struct {
		breaking string
		edit     func(*graph.Graph)
		want     string
	}{
		{"a route that may not invoke", remove(graph.Permission, "hello"),
			`no permission lets apigateway.amazonaws.com invoke it from ` +
				`arn:aws:execute-api:ap-northeast-2:000000000000:` +
				graph.Autoname("restock-tutorial", "dev", graph.API, "tutorial") + `/$default/POST/, ` +
				`its route "POST /": ` +
				`clients get 500: give it a lambda.Permission with the API's executionArn in sourceArn ` +
				`(examples/tutorial/program/function.go:`},
		{"dead letters without an alarm", remove(graph.MetricAlarm, "dead-letters"),
			"Queue messages_dlq: no alarm reports that it has messages"},
		{"a queue without dead letters", func(g *graph.Graph) {
			delete(g.Named(graph.Queue, "messages").Outputs, "redrivePolicy")
		},
			"Queue messages: function consumer reads it, and it has no dead-letter queue"},
		{"a log without a retention", func(g *graph.Graph) {
			delete(g.Named(graph.LogGroup, "hello").Outputs, "retentionInDays")
		}, "LogGroup hello: retentionInDays is 0"},
		{"a queue without encryption", func(g *graph.Graph) {
			delete(g.Named(graph.Queue, "messages").Outputs, "sqsManagedSseEnabled")
		}, "Queue messages: sqsManagedSseEnabled is false"},
		{"a queue that accepts connections without TLS", remove(graph.QueuePolicy, "messages"),
			"Queue messages: its policy does not deny sqs:SendMessage over a connection without TLS"},
	} {
		g := record(t, nil)
		c.edit(g)
		violations := rules.Check(g, rules.Declarations{})
		found := slices.ContainsFunc(violations, func(v rules.Violation) bool {
			return strings.Contains(v.String(), c.want)
		})
		if !found {
			t.Errorf("%s: got %v, want a violation with %s", c.breaking, violations, c.want)
		}
	}
}

func TestFunctionsDoNotDependOnTheInfrastructure(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "../functions/...").Output()
	if err != nil {
		t.Fatalf("go list -deps ../functions/...: %v", err)
	}
	for dependency := range strings.Lines(string(out)) {
		for _, prefix := range []string{
			"github.com/pulumi/", "restock/infra", "restock/local", "restock/cmd", "restock/test",
			"restock/examples/tutorial/program", "testing",
		} {
			if strings.HasPrefix(dependency, prefix) {
				t.Errorf("a function depends on %s", strings.TrimSpace(dependency))
			}
		}
	}
}
