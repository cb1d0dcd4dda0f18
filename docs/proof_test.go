package docs_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPromisesNameTheirProofs compares the tables of docs/proof.md with the rules of the model, the
// rules of the books and the mutants: each name exists, and each belongs to a promise.
func TestPromisesNameTheirProofs(t *testing.T) {
	names := func(expression string, paths ...string) (all []string) {
		for _, path := range paths {
			for _, m := range regexp.MustCompile(expression).FindAllSubmatch(read(t, path), -1) {
				all = append(all, string(m[1]))
			}
		}
		return all
	}
	const (
		rules   = `(?:errors\.New|fmt\.Errorf)\("([^":%]+)[":]`
		books   = "(?m)(?:^\t|Rule)\\{\"([^\"]+)\", `"
		mutants = `\{name: "([^"]+)", macro: `
		traced  = `(?m)^\t"([^"]+)",$`
		code    = `(?m)^\t\w+ +promise = "([^"]+)"`
	)
	want := map[string][]string{
		"rules of the model": names(rules, "test/model/rules.go", "test/model/explore.go"),
		"rules of the books": names(books, "internal/mysql/invariants/invariants.go"),
		"mutants":            names(mutants, "test/model/mutants_test.go"),

		"[mutants of the code](#mutants)": names(code, "test/mutants/mutant.go"),
	}
	page := string(read(t, "docs/proof.md"))
	for text, n := range map[string]int{
		"[%d mutants](../test/model/mutants_test.go)": len(want["mutants"]),
		"the traces alone find %d.":                   len(names(traced, "test/histories/broken_test.go")),
	} {
		if text = fmt.Sprintf(text, n); !strings.Contains(page, text) {
			t.Errorf("docs/proof.md does not say: %s", text)
		}
	}
	got := map[string][]string{}
	for line := range strings.Lines(page) {
		cells := strings.Split(line, " | ")
		if kind := strings.TrimPrefix(cells[0], "| "); len(cells) == 2 && want[kind] != nil {
			for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
				got[kind] = append(got[kind], m[1])
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(want)) {
		for _, name := range got[kind] {
			if !slices.Contains(want[kind], name) {
				t.Errorf("docs/proof.md names %q among the %s: there is none of this name", name, kind)
			}
		}
		for _, name := range want[kind] {
			if !slices.Contains(got[kind], name) {
				t.Errorf("docs/proof.md names no promise to which this one of the %s belongs: %q", kind, name)
			}
		}
	}
}

// TestEachPromiseLinksToItsProof checks the lists of README.md and README.ko.md.
func TestEachPromiseLinksToItsProof(t *testing.T) {
	proofs := func(page string) (links []string) {
		_, list, _ := strings.Cut(string(read(t, page)), "\n\n1. ")
		list, _, _ = strings.Cut(list, "\n\n")
		for _, promise := range regexp.MustCompile(`(?m)^\d\. `).Split(list, -1) {
			m := regexp.MustCompile(`\]\((docs/proof\.md#[^)]*)\)`).FindStringSubmatch(promise)
			if m == nil {
				t.Errorf("%s has a promise without a link to docs/proof.md: %s", page, promise)
				continue
			}
			links = append(links, m[1])
		}
		return links
	}
	english, korean := proofs("README.md"), proofs("README.ko.md")
	if len(english) != 5 || !slices.Equal(english, korean) {
		t.Errorf("the promises of README.md link to %v, those of README.ko.md to %v; want 5 links, and equal ones",
			english, korean)
	}
}
