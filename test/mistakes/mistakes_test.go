// Package mistakes checks that the rules refuse what a colleague may do wrong in the Pulumi
// program.
package mistakes_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"restock/infra/stack/stacktest/pinned"
	"restock/test/module"
	"restock/test/overlay"
)

// A mistake is a change of the program, as a colleague makes it in haste.
type mistake struct {
	file           string
	correct, wrong string // text that the file has once, and its replacement
	aws            string // what AWS would do
	refusal        string // the message that refuses the mistake; … stands for any text in its line
	onlyGolden     string // why only a golden graph shows the mistake; empty if a message refuses it
}

// A verdict is a line of command checker.
type verdict struct {
	Mistake  int
	Stage    string
	Refusals []string
	Golden   bool
}

func TestMistakesAreRefused(t *testing.T) {
	verdicts := verdictsOf(t, build(t))
	refused, golden := 0, 0
	for n, m := range mistakes {
		t.Run(filepath.Base(m.file)+"/"+strconv.Itoa(n), func(t *testing.T) {
			said := strings.Join(verdicts[n].Refusals, "\n")
			switch {
			case said == "" && !verdicts[n].Golden:
				t.Errorf("nothing notices the mistake\n%s", m)
			case said == "" && m.onlyGolden == "":
				t.Errorf("only a golden graph shows the mistake\n%s", m)
			case said != "" && m.onlyGolden != "":
				t.Errorf("the table says that only a golden graph shows it: %s\ngot\n%s", m, said)
			case said != "" && !slices.ContainsFunc(verdicts[n].Refusals, m.refusedBy):
				t.Errorf("%s\nin stage %s got\n%s\nwant a message with\n%s", m, verdicts[n].Stage, said, m.refusal)
			}
		})
		if len(verdicts[n].Refusals) > 0 {
			refused++
		} else if verdicts[n].Golden {
			golden++
		}
	}
	t.Logf("of %d mistakes, messages refuse %d, only golden graphs show %d, and nothing notices %d",
		len(mistakes), refused, golden, len(mistakes)-refused-golden)
}

// refusedBy reports whether a message is the one that refuses the mistake.
func (m mistake) refusedBy(message string) bool {
	for part := range strings.SplitSeq(m.refusal, "…") {
		_, rest, found := strings.Cut(message, part)
		if !found || m.refusal == "" {
			return false
		}
		message = rest
	}
	return true
}

// String shows the mistake as a difference.
func (m mistake) String() string {
	return m.file + "\n- " + strings.ReplaceAll(m.correct, "\n", "\n- ") +
		"\n+ " + strings.ReplaceAll(m.wrong, "\n", "\n+ ") + "\non AWS: " + m.aws
}

// build builds command checker with all mistakes, and returns its path.
func build(t *testing.T) string {
	t.Helper()
	o, err := overlay.New("../..")
	if err != nil {
		t.Fatal(err)
	}
	o.Declarations = true
	// The tags of struct fields are read in one place.
	err = o.Rewrite(overlay.Edit{
		File: "lambdas/environment.go", Correct: "v.Type().Field(i)", Wrong: "mutant.Field(v.Type(), i)",
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, m := range mistakes {
		err := o.Add(strconv.Itoa(n), overlay.Edit{File: m.file, Correct: m.correct, Wrong: m.wrong})
		if err != nil {
			t.Errorf("mistake %d: %v", n, err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	file, err := o.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	checker := filepath.Join(module.Kept(t, "../..", "mistakes"), "checker")
	command := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-overlay", file, "-o", checker,
		"./checker")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("a replacement does not compile: %v\n%s", err, output)
	}
	return checker
}

// verdictsOf runs the checker for all mistakes, in as many processes as Go uses processors.
func verdictsOf(t *testing.T, checker string) []verdict {
	t.Helper()
	verdicts := make([]verdict, len(mistakes))
	project := pinned.Project(t, "../..")
	workers := runtime.GOMAXPROCS(0)
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			next := w
			for next < len(mistakes) {
				arguments := []string{project}
				for n := next; n < len(mistakes); n += workers {
					arguments = append(arguments, strconv.Itoa(n))
				}
				command := exec.Command(checker, arguments...) // #nosec G204 -- the test has built it
				var stdout, stderr bytes.Buffer
				command.Stdout, command.Stderr = &stdout, &stderr
				// A process makes much garbage, and uses only megabytes besides.
				command.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=300MiB")
				failure := command.Run()
				for lines := json.NewDecoder(&stdout); ; next += workers {
					var v verdict
					if err := lines.Decode(&v); err == io.EOF {
						break
					} else if err != nil {
						t.Errorf("reading a verdict: %v", err)
						return
					}
					verdicts[v.Mistake] = v
				}
				if failure == nil {
					return
				}
				if next == w {
					t.Errorf("the checker fails: %v\n%s", failure, stderr.String())
					return
				}
				// The program has crashed on this mistake: the next process does the others.
				verdicts[next] = verdict{Refusals: []string{"the program crashes: " + stderr.String()}}
				next += workers
			}
		})
	}
	running.Wait()
	return verdicts
}
