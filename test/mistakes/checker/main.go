// Command checker records the shop's stages with one mistake after another, and says what notices
// each one. The arguments are the folder with the configuration of dev and prod, and the numbers of
// the mistakes. It prints an object of JSON for each, in a line.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strconv"

	"restock/infra/graph"
	"restock/infra/rules"
	"restock/infra/stack"
	"restock/test/overlay/mutant"
)

// A Verdict says what notices a mistake.
type Verdict struct {
	Mistake  int
	Stage    string   // the first stage in which something notices it
	Refusals []string // the messages of the program, or of the rules
	Golden   bool     // a golden graph differs
}

// stages are the stages that the rules' tests check, with the folders of their configurations.
var stages = []struct{ name, dir string }{
	{"dev", ""}, {"full", "../../infra/rules/testdata/full"}, {"cdn", "../../infra/rules/testdata/cdn"}, {"prod", ""},
}

// folder returns the folder of a stage's configuration.
func folder(dir string) string { return cmp.Or(dir, os.Args[1]) }

func main() {
	correct := map[string][]reviewed{}
	for _, s := range stages {
		g, refusals := examine(folder(s.dir), s.name)
		if len(refusals) > 0 {
			fmt.Fprintf(os.Stderr, "stage %s without a mistake is refused: %s\n", s.name, refusals)
			os.Exit(1)
		}
		correct[s.name] = g
	}
	out := json.NewEncoder(os.Stdout)
	for _, argument := range os.Args[2:] {
		n, err := strconv.Atoi(argument)
		if err == nil {
			err = out.Encode(judge(n, correct))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "checker:", err)
			os.Exit(1)
		}
	}
}

// judge makes a mistake, and examines the stages until one of them is refused.
func judge(n int, correct map[string][]reviewed) Verdict {
	defer mutant.Make(strconv.Itoa(n))()
	v := Verdict{Mistake: n}
	for _, s := range stages {
		g, refusals := examine(folder(s.dir), s.name)
		if len(refusals) > 0 {
			v.Stage, v.Refusals = s.name, refusals
			return v
		}
		if !v.Golden && !reflect.DeepEqual(g, correct[s.name]) {
			v.Stage, v.Golden = s.name, true
		}
	}
	return v
}

// A reviewed resource has the parts of a resource that a golden graph shows.
type reviewed struct {
	urn, parent string
	protect     bool
	inputs      map[string]any
}

// examine records a stage. The refusals are the error of the program, or what the rules say.
func examine(dir, stage string) (all []reviewed, refusals []string) {
	g, err := record(dir, stage)
	if err != nil {
		return nil, []string{err.Error()}
	}
	for _, r := range g.Resources {
		all = append(all, reviewed{r.URN, r.Parent, r.Protect, r.Inputs})
	}
	for _, v := range rules.Check(g, stack.Declarations()) {
		refusals = append(refusals, v.String())
	}
	return all, refusals
}

func record(dir, stage string) (g *graph.Graph, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return stack.Record(dir, stage)
}
