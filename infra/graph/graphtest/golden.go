// Package graphtest compares recorded graphs with those that were reviewed.
package graphtest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"restock/infra/graph"
)

var update = flag.Bool("update", false, "write the golden graphs anew")

// Compare holds a recorded graph against a golden one, so that a change of the program shows in a review as the change in AWS that it is.
// With the flag -update it writes the golden one.
func Compare(tb testing.TB, g *graph.Graph, golden string) {
	tb.Helper()
	got := render(tb, g)
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden) // #nosec G304 -- the test names it
	if err != nil {
		tb.Fatalf("%v: make it with this test and -update", err)
	}
	if at := firstDifference(got, want); at != "" {
		tb.Errorf("the program declares something else than %s, %s\nIf that is meant: run this test with -update, and review the difference", golden, at)
	}
}

// render writes a graph for people to read and to compare: a resource's type, name, parent and inputs, without what is not declared.
func render(tb testing.TB, g *graph.Graph) []byte {
	tb.Helper()
	type rendered struct {
		Type    graph.Type     `json:"type"`
		Name    string         `json:"name"`
		Parent  string         `json:"parent,omitempty"`
		Protect bool           `json:"protect,omitempty"`
		Inputs  map[string]any `json:"inputs,omitempty"`
	}
	names := map[string]string{} // by URN
	for _, r := range g.Resources {
		names[r.URN] = string(r.Type) + " " + r.Name
	}
	var list []rendered
	for _, r := range g.Resources {
		x := rendered{Type: r.Type, Name: r.Name, Parent: names[r.Parent], Protect: r.Protect, Inputs: map[string]any{}}
		for property, value := range r.Inputs {
			x.Inputs[property] = opened(value)
		}
		list = append(list, x)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(list); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// opened is a JSON document, such as a policy, as what it holds, so that a line of it is a line of the golden file; else the value itself.
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

// firstDifference says where two texts begin to differ; empty if they do not.
func firstDifference(got, want []byte) string {
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		var g, w string
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if g != w {
			return fmt.Sprintf("from line %d on: got %q, want %q", i+1, strings.TrimSpace(g), strings.TrimSpace(w))
		}
	}
	return ""
}
