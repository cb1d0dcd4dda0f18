package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const top = "../.."

// TestMutantsFitTheSources does not make the mutants: make mutants does.
func TestMutantsFitTheSources(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	tests := map[string]map[string]bool{} // by package
	names := map[string]bool{}
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
		text, err := m.apply(top)
		if err == nil && m.correct == m.wrong {
			t.Errorf("mutant %s changes nothing", m.name)
		}
		if err == nil && strings.HasSuffix(m.file, ".go") {
			_, err = parser.ParseFile(token.NewFileSet(), m.file, text, parser.SkipObjectResolution)
		}
		if err != nil {
			t.Errorf("mutant %s: %v", m.name, err)
		}
		if tests[m.pkg()] == nil {
			tests[m.pkg()] = testsOf(t, m.pkg())
		}
		if !tests[m.pkg()][m.topTest()] {
			t.Errorf("mutant %s: package %s has no test %s", m.name, m.pkg(), m.test)
		}
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
	for kind, least := range map[kind]int{code: 60, procedure: 20, protocol: 15} {
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
