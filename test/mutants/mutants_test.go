package main

import (
	"bufio"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/test/overlay"
)

const top = "../.."

// TestMutantsFitTheSources does not make the mutants: make mutants does.
func TestMutantsFitTheSources(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	tests := map[string]map[string]bool{} // by package
	names := map[string]bool{}
	switched, err := overlay.New(top)
	if err != nil {
		t.Fatal(err)
	}
	others := 0 // Go mutants with a build of their own
	for _, m := range all() {
		switch {
		case !kebab.MatchString(m.name) || names[m.name]:
			t.Errorf("the name %q is not in kebab case, or another mutant has it", m.name)
		case m.effect == "":
			t.Errorf("mutant %s does not say what goes wrong for people", m.name)
		case !slices.Contains(promises, m.promise):
			t.Errorf("mutant %s breaks the promise %q, which is not one of %q", m.name, m.promise, promises)
		}
		names[m.name] = true
		text, err := m.edit().Apply(top)
		if err == nil && m.correct == m.wrong {
			t.Errorf("mutant %s changes nothing", m.name)
		}
		if err == nil && strings.HasSuffix(m.file, ".go") {
			_, err = parser.ParseFile(token.NewFileSet(), m.file, text, parser.SkipObjectResolution)
		}
		if err != nil {
			t.Errorf("mutant %s: %v", m.name, err)
		}
		if m.kind() == code && switched.Add(m.name, m.edit()) != nil {
			others++
		}
		if tests[m.pkg()] == nil {
			tests[m.pkg()] = testsOf(t, m.pkg())
		}
		if !tests[m.pkg()][m.topTest()] {
			t.Errorf("mutant %s: package %s has no test %s", m.name, m.pkg(), m.test)
		}
	}
	if others > 30 {
		t.Errorf("%d mutants need a build of their own, which takes long, want 30 or fewer", others)
	}
}

func TestPatternsAreAnchored(t *testing.T) {
	m := mutant{test: "TestIt/one"}
	if got, want := m.pattern(), "^TestIt$/^one$"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNoProcessOutlivesAnInterruptedTest starts a test that has started a process.
func TestNoProcessOutlivesAnInterruptedTest(t *testing.T) {
	var files [4]*os.File
	for i := range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		files[2*i], files[2*i+1] = r, w
	}
	says, end := files[0], files[3]
	ctx, interrupt := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, "sh", "-c", `sh -c 'echo started >&3; read end <&4; echo survived >&3'; true`)
	command.ExtraFiles = []*os.File{files[1], files[2]}
	heard := make(chan string)
	go func() {
		lines := bufio.NewReader(says)
		line, _ := lines.ReadString('\n')
		heard <- line
		rest, _ := io.ReadAll(lines)
		heard <- string(rest)
	}()
	go func() {
		if line := <-heard; line != "started\n" {
			t.Errorf("got %q, want that the process starts", line)
		}
		interrupt()
	}()
	_, _ = eventsOf(command)
	files[1].Close()
	end.Close()
	if rest := <-heard; rest != "" {
		t.Errorf("the process has %s", rest)
	}
}

// testsOf returns the names of a package's tests.
func testsOf(t *testing.T, pkg string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

func TestThereAreEnoughMutants(t *testing.T) {
	count := map[kind]int{}
	for _, m := range all() {
		count[m.kind()]++
	}
	for _, r := range relatives {
		names, err := r.names(top)
		if err != nil {
			t.Fatal(err)
		}
		count[r.kind] += len(names)
	}
	for kind, least := range map[kind]int{code: 60, procedure: 20, store: 30, protocol: 15} {
		if count[kind] < least {
			t.Errorf("%d mutants change %s, want %d or more", count[kind], kind, least)
		}
	}
}

func TestVerdicts(t *testing.T) {
	const test = "TestIt"
	run := event{Action: "run", Test: test}
	line := func(test, text string) event { return event{Action: "output", Test: test, Output: text} }
	for _, c := range []struct {
		name    string
		events  []event
		want    outcome
		message string
	}{
		{"a test fails", []event{run, line(test, "    it_test.go:1: got 1, want 2\n"), {Action: "fail", Test: test}},
			killed, "it_test.go:1: got 1, want 2"},
		{"a subtest fails", []event{run, line(test+"/a", "    it_test.go:1: a log\n"+
			""), {Action: "pass", Test: test + "/a"},
			line(test+"/b", "    it_test.go:2: got 1\n"+
				""), {Action: "fail", Test: test + "/b"}, {Action: "fail", Test: test}},
			killed, "it_test.go:2: got 1"},
		{"a test panics", []event{run, line(test, "panic: no\n"), {Action: "fail"}}, killed, "panic: no"},
		{"a test passes", []event{run, {Action: "pass", Test: test}, {Action: "pass"}}, survived, "its test passes"},
		{"a test passes, and something else fails", []event{run, {Action: "pass", Test: test},
			line("", "    main_test.go:1: stopping the database\n"), {Action: "fail"}}, broken,
			"its test passes, and something else fails: main_test.go:1: stopping the database"},
		{"a test is skipped", []event{run, line(test, "    it_test.go:1: no database\n"), {Action: "skip", Test: test}},
			broken, "its test was skipped: it_test.go:1: no database"},
		{"another test fails", []event{{Action: "run", Test: "TestThat"}, {Action: "fail", Test: "TestThat"}},
			broken, "there is no test TestIt"},
		{"the mutant does not compile", []event{{Action: "build-output", Output: "x undefined\n" +
			""}, {Action: "build-fail"},
			{Action: "fail"}}, broken, "it does not compile: x undefined\n"},
	} {
		if got, message := verdict(c.events, test); got != c.want || message != c.message {
			t.Errorf("%s: got %s, %q; want %s, %q", c.name, got, message, c.want, c.message)
		}
	}
}
