// Package graphtest compares recorded graphs, and what follows from them, with golden files, which
// people review.
package graphtest

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/test/linediff"
)

var update = flag.Bool("update", false, "write the golden files again")

// A declaration is a resource in a golden file. Its JSON documents, such as policies, are objects
// there, so that a review shows each of their lines.
type declaration struct {
	Parent  string         `json:"parent,omitempty"`
	Protect bool           `json:"protect,omitempty"`
	Inputs  map[string]any `json:"inputs,omitempty"`
}

// Compare compares a recorded graph with a golden file, so that a review of a change of the program
// shows the change in AWS. With the flag -update it writes the golden file.
func Compare(tb testing.TB, g *graph.Graph, golden string) {
	tb.Helper()
	check(tb, declarations(tb, g), golden)
}

// CompareWith compares the difference between two graphs, by [graph.Diff], with a golden file. Both
// graphs must be recorded under the same stage name. In the file a changed property has its old
// value and its new one.
func CompareWith(tb testing.TB, base, g *graph.Graph, golden string) {
	tb.Helper()
	difference := map[string]any{}
	all := declarations(tb, g)
	for _, change := range graph.Diff(base, g) {
		name := string(change.Type) + " " + change.Name
		properties := map[string][2]any{}
		for _, p := range change.Properties {
			properties[p.Path] = [2]any{p.Old, p.New}
		}
		key := string(change.Kind) + " " + name
		switch change.Kind {
		case graph.Created:
			difference[key] = all[name]
		default:
			difference[key] = properties
		}
	}
	check(tb, difference, golden)
}

func check[T any](tb testing.TB, got map[string]T, golden string) {
	tb.Helper()
	text, updated := read(tb, golden, encode(tb, got))
	if updated {
		return
	}
	want, recorded := decode(tb, text), decode(tb, encode(tb, got)) // both have JSON's types
	keys := maps.Clone(want)
	maps.Copy(keys, recorded)
	failed := false
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if diff := linediff.Diff(lines(tb, want[key]), lines(tb, recorded[key])); diff != "" {
			failed = true
			tb.Errorf("%s: %s differs (- is the file, + is the program):\n%s", golden, key, diff)
		}
	}
	if failed {
		tb.Log(advice)
	}
}

const advice = "If the change is intended: run this test with -update, and review the difference."

// CompareText is like Compare, for a text.
func CompareText(tb testing.TB, text, golden string) {
	tb.Helper()
	want, updated := read(tb, golden, []byte(text))
	if updated {
		return
	}
	if diff := linediff.Diff(string(want), text); diff != "" {
		tb.Errorf("%s differs (- is the file, + is the program):\n%s\n%s", golden, diff, advice)
	}
}

// read returns what a golden file says. With the flag -update it writes got to the file instead.
func read(tb testing.TB, golden string, got []byte) (want []byte, updated bool) {
	tb.Helper()
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			tb.Fatal(err)
		}
		return nil, true
	}
	want, err := os.ReadFile(golden) // #nosec G304 -- the test names it
	if err != nil {
		tb.Fatalf("%v: write it with this test and -update", err)
	}
	return want, false
}

// lines returns a value as the golden file has it; the empty text if there is none.
func lines(tb testing.TB, value any) string {
	tb.Helper()
	if value == nil {
		return ""
	}
	return strings.TrimSuffix(string(encode(tb, value)), "\n")
}

// declarations returns the declarations of a graph, by type and name.
func declarations(tb testing.TB, g *graph.Graph) map[string]declaration {
	tb.Helper()
	names := map[string]string{} // by URN
	for _, r := range g.Resources {
		names[r.URN] = string(r.Type) + " " + r.Name
	}
	all := map[string]declaration{}
	for _, r := range g.Resources {
		d := declaration{Parent: names[r.Parent], Protect: r.Protect, Inputs: map[string]any{}}
		for property, value := range r.Inputs {
			d.Inputs[property] = opened(value)
		}
		if _, twice := all[names[r.URN]]; twice {
			tb.Fatalf("two resources are %s: a golden file needs another name for each resource of a type",
				names[r.URN])
		}
		all[names[r.URN]] = d
	}
	return all
}

// opened returns the object in a JSON document, such as a policy. It returns other values
// unchanged.
func opened(value any) any {
	text, isText := value.(string)
	if !isText || !strings.HasPrefix(text, "{") {
		return value
	}
	var document any
	if json.Unmarshal([]byte(text), &document) != nil {
		return value
	}
	return document
}

func encode(tb testing.TB, value any) []byte {
	tb.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func decode(tb testing.TB, text []byte) map[string]any {
	tb.Helper()
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		tb.Fatal(err)
	}
	return values
}
