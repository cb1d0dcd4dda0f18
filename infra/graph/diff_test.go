package graph_test

import (
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
)

// declared returns a graph of queues. The order of their names must be that of their URNs.
func declared(queues ...*graph.Resource) *graph.Graph {
	for _, q := range queues {
		q.Type, q.URN = graph.Queue, "urn:"+q.Name
	}
	return &graph.Graph{Resources: queues}
}

func TestDiffOfAResource(t *testing.T) {
	type object = map[string]any
	const actions = `{"Statement":[{"Action":["a","c"],"Effect":"Allow"}]}`
	spaced, changed := strings.ReplaceAll(actions, ",", ", "), strings.Replace(actions, `"c"`, `"b"`, 1)
	for _, c := range []struct {
		name     string
		old, new object
		want     []string
	}{
		{"nothing", object{"delaySeconds": 5.0}, object{"delaySeconds": 5.0}, nil},
		{"a number", object{"delaySeconds": 5.0}, object{"delaySeconds": 6.0}, []string{"q: delaySeconds 5 → 6"}},
		{"a new property, a removed one", object{"name": "mail"}, object{"fifo": true},
			[]string{"q: fifo (none) → true", `q: name "mail" → (none)`}},
		{"inside an object", object{"tags": object{"a": "1", "b": "2"}}, object{"tags": object{"a": "1", "b": "3"}},
			[]string{`q: tags.b "2" → "3"`}},
		{"a new element in the middle of a list", object{"zones": []any{"a", "c"}},
			object{"zones": []any{"a", "b", "c"}}, []string{`q: zones[1] (none) → "b"`}},
		{"a removed element of a list", object{"zones": []any{"a", "a"}}, object{"zones": []any{"a"}},
			[]string{`q: zones[1] "a" → (none)`}},
		{"inside a policy", object{"policy": actions}, object{"policy": changed},
			[]string{`q: policy.Statement[0].Action[1] "c" → "b"`}},
		{"a policy with other spaces", object{"policy": actions}, object{"policy": spaced}, nil},
		{"text in place of a number", object{"delaySeconds": 5.0}, object{"delaySeconds": "5"},
			[]string{`q: delaySeconds 5 → "5"`}},
		{"an & is not escaped", object{"url": "a"}, object{"url": "a?b&c"}, []string{`q: url "a" → "a?b&c"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want []string
			for _, line := range c.want {
				want = append(want, "~ aws:sqs/queue:Queue "+line)
			}
			old := declared(&graph.Resource{Name: "q", Inputs: c.old})
			new := declared(&graph.Resource{Name: "q", Inputs: c.new})
			if got := graph.Lines(graph.Diff(old, new)); !slices.Equal(got, want) {
				t.Errorf("got\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestDiffOfProtection(t *testing.T) {
	old, new := declared(&graph.Resource{Name: "q"}), declared(&graph.Resource{Name: "q", Protect: true})
	want := []string{"~ aws:sqs/queue:Queue q: protect false → true"}
	if got := graph.Lines(graph.Diff(old, new)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDiffOfNewAndRemovedResources(t *testing.T) {
	old := declared(&graph.Resource{Name: "a"}, &graph.Resource{Name: "b"})
	new := declared(&graph.Resource{Name: "b"}, &graph.Resource{Name: "c", Inputs: map[string]any{"delaySeconds": 1.0}})
	want := []string{"+ aws:sqs/queue:Queue c", "- aws:sqs/queue:Queue a"}
	if got := graph.Lines(graph.Diff(old, new)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDiffFindsAResourceByItsAlias(t *testing.T) {
	old := declared(&graph.Resource{Name: "a", Inputs: map[string]any{"delaySeconds": 1.0}})
	new := declared(&graph.Resource{Name: "b", Aliases: []string{"urn:a"}, Inputs: map[string]any{"delaySeconds": 2.0}})
	want := []string{"~ aws:sqs/queue:Queue b: delaySeconds 1 → 2"}
	if got := graph.Lines(graph.Diff(old, new)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLongValuesAreCut(t *testing.T) {
	long := declared(&graph.Resource{Name: "q", Inputs: map[string]any{"body": strings.Repeat("도", 1000)}})
	lines := graph.Lines(graph.Diff(declared(&graph.Resource{Name: "q"}), long))
	if len(lines) != 1 || len([]rune(lines[0])) > 300 || !strings.HasSuffix(lines[0], "도…") {
		t.Errorf("got %q, want one line that is cut between two characters", lines)
	}
}
