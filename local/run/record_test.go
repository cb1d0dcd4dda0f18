package run

import (
	"testing"

	"restock/infra/graph"
	"restock/infra/rules"
)

func TestWhatFailsOnAWSAndRulesOfTheProjectHaveTheirOwnHeadings(t *testing.T) {
	violation := func(rule string, house bool) rules.Violation {
		return rules.Violation{
			Rule: rule, House: house, Type: graph.Queue, Name: "q", Problem: "p", Remedy: "r", Files: "f.go:1",
		}
	}
	const (
		line    = ": aws:sqs/queue:Queue q: p: r (f.go:1)"
		onAWS   = "the program declares what would not work on AWS:\n  grant" + line + "\n  route" + line
		inHouse = "the program declares what would work on AWS, and what this project does not allow:\n  parent" + line
	)
	grant, parent, route := violation("grant", false), violation("parent", true), violation("route", false)
	for _, c := range []struct {
		violations []rules.Violation
		want       string
	}{
		{[]rules.Violation{grant, parent, route}, onAWS + "\n" + inHouse},
		{[]rules.Violation{grant, route}, onAWS},
		{[]rules.Violation{parent}, inHouse},
	} {
		if err := refused(c.violations); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if err := refused(nil); err != nil {
		t.Errorf("without violations: got %v", err)
	}
}
