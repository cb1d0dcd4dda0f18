package scale_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"restock/infra/cost"
	"restock/infra/graph"
	"restock/infra/scale"
	"restock/infra/stack/stacktest"
)

const (
	document = "../../docs/scale.md"
	end      = "<!-- end -->"
)

var update = flag.Bool("update", false, "write the present figures into "+document)

func TestTheDocumentHasThePresentFigures(t *testing.T) {
	written, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]*graph.Graph{}
	for _, stage := range []string{"dev", "prod"} {
		stages[stage] = stacktest.Record(t, "../..", stage)
	}
	text := string(written)
	for stage, g := range stages {
		text = replace(t, text, "<!-- simulated: "+stage+" -->", simulated(t, stage, g))
	}
	text = replace(t, text, "<!-- cost -->", costs(t, stages))
	if text == string(written) {
		return
	}
	if !*update {
		t.Fatalf("%s has other figures than the program and the simulation have now: look at what\n\tgo test ./infra/scale -update\nchanges", document)
	}
	if err := os.WriteFile(document, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func simulated(t *testing.T, stage string, g *graph.Graph) string {
	t.Helper()
	s, err := scale.Of(stage, g)
	if err != nil {
		t.Fatal(err)
	}
	multiAZ := g.OfType("aws:rds/instance:Instance")[0].Bool("multiAz")
	rush := scale.Rush{BuyersPerSecond: 10_000, Duration: 10 * time.Second, Stock: 100}
	var b bytes.Buffer
	if err := scale.Print(&b, scale.Scenarios(s, multiAZ, rush), 1); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func costs(t *testing.T, stages map[string]*graph.Graph) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprint(&b, "| checkouts a month | `dev` | `prod` | of that for each million |\n|---:|---:|---:|---:|\n")
	for _, checkouts := range []int64{0, 100_000, 1_000_000, 10_000_000, 100_000_000} {
		assume := cost.DefaultAssumptions()
		assume.CheckoutsPerMonth = checkouts
		fmt.Fprintf(&b, "| %d ", checkouts)
		var perMillion cost.Money
		for _, stage := range []string{"dev", "prod"} {
			e, err := cost.New(cost.Stage{Name: stage, Region: stages[stage].Region, Graph: stages[stage]}, cost.Seoul(), assume)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "| %v ", e.Month)
			perMillion = e.PerMillionTotal
		}
		fmt.Fprintf(&b, "| %v |\n", perMillion)
	}
	return b.String()
}

// replace puts new text between a marker and the next end.
func replace(t *testing.T, text, begin, present string) string {
	t.Helper()
	before, rest, begun := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s has no place for figures, between %q and %q", document, begin, end)
	}
	return before + begin + "\n\n" + present + "\n" + end + after
}
