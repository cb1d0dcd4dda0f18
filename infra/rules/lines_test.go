package rules

import (
	"slices"
	"testing"

	"restock/infra/graph"
)

func TestResourcesThatBreakARuleInTheSameWayShareALine(t *testing.T) {
	violation := func(name, problem string) Violation {
		return Violation{
			Rule: "order", Type: graph.Function, Name: name, Problem: problem, Remedy: "wait", Files: "f.go:1",
		}
	}
	got := Lines([]Violation{
		violation("ads", "early"), violation("sweep", "late"), violation("stock", "early"), violation("ads", "early"),
	})
	want := []string{
		"order: aws:lambda/function:Function ads, stock: early: wait (f.go:1)",
		"order: aws:lambda/function:Function sweep: late: wait (f.go:1)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
