package tour

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"restock/local/mariadb/mariadbtest"
	"restock/test/replay"
)

// projectDir is the project's root.
const projectDir = "../.."

var all = flag.Bool("all", false, "run all steps of the tour, not only the quick ones")

// quick are the steps that take seconds: each compiles little and starts no server.
var quick = []string{"8", "15"}

// mistakes is the number of mistakes in the tour.
const mistakes = 15

func steps(t *testing.T) []step {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(projectDir, "docs", "tour.md"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := parse(string(text))
	if err != nil {
		t.Fatal("docs/tour.md:", err)
	}
	return all
}

func TestEveryMistakeHasItsStep(t *testing.T) {
	var numbers []string
	for _, s := range steps(t) {
		numbers = append(numbers, strings.TrimRight(s.name, "abcdefgh"))
	}
	for n := 1; n <= mistakes; n++ {
		if !slices.Contains(numbers, strconv.Itoa(n)) {
			t.Errorf("the tour has no step for mistake %d", n)
		}
	}
}

func TestEveryChangeAppliesToTheSources(t *testing.T) {
	for _, s := range steps(t) {
		texts := map[string]string{}
		for _, c := range s.changes {
			if texts[c.File] == "" {
				text, err := os.ReadFile(filepath.Join(projectDir, filepath.FromSlash(c.File)))
				if err != nil {
					t.Errorf("mistake %s: %v", s.name, err)
					continue
				}
				texts[c.File] = string(text)
			}
			changed, err := c.Apply(texts[c.File])
			if err != nil {
				t.Errorf("mistake %s: %v", s.name, err)
			}
			texts[c.File] = changed
		}
	}
}

// TestTour runs the tour. After each step's change, the step's command must fail with the output
// that the tour promises. Without the change it must pass.
func TestTour(t *testing.T) {
	mariadbtest.Require(t)
	p := replay.NewProject(t, projectDir)
	passes := map[string]bool{} // commands that pass without a change
	for _, s := range steps(t) {
		if !*all && !slices.Contains(quick, s.name) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			if !passes[s.command] {
				if lines, err := p.Run(t.Context(), s.command); err != nil {
					t.Fatalf("without a change: %v\n%s", err, strings.Join(lines, "\n"))
				}
				passes[s.command] = true
			}
			revert, err := p.Apply(s.changes)
			defer func() {
				if err := revert(); err != nil {
					t.Fatal(err)
				}
			}()
			if err != nil {
				t.Fatal(err)
			}
			lines, err := p.Run(t.Context(), s.command)
			t.Logf("%s: %s: %v\n%s", s.title, s.command, err, strings.Join(lines, "\n"))
			if err == nil {
				t.Errorf("%s passes in spite of the mistake", s.command)
			}
			for _, want := range s.output {
				if !replay.HasLine(want, lines) {
					t.Errorf("the output of %s has no line\n%s\nThe output is\n%s", s.command, want,
						strings.Join(lines, "\n"))
				}
			}
		})
	}
}
