package docs_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A row of the table lists the packages of the project that some packages may import. A pattern is
// a package, or a package with all packages below it, like infra/….
type row struct{ patterns, imports []string }

var (
	imports = regexp.MustCompile(`(?ms)^## Imports$(.*?)^## `)
	quoted  = regexp.MustCompile("`([^`]+)`")
)

// table reads the table of docs/architecture.md.
func table(t *testing.T) (all []row) {
	t.Helper()
	section := imports.FindSubmatch(read(t, "docs/architecture.md"))
	if section == nil {
		t.Fatal("docs/architecture.md has no section Imports")
	}
	names := func(cell string) (names []string) {
		for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
			names = append(names, m[1])
		}
		return names
	}
	for line := range strings.Lines(string(section[1])) {
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| `") && len(cells) == 3 {
			all = append(all, row{names(cells[0]), names(cells[2])})
		}
	}
	return all
}

// matchLength returns how specific the match of a pattern with a package is, or 0 if they do not
// match.
func matchLength(pattern, pkg string) int {
	folder, isFolder := strings.CutSuffix(pattern, "/…")
	switch {
	case pattern == pkg:
		return 2*len(pkg) + 1
	case isFolder && (pkg == folder || strings.HasPrefix(pkg, folder+"/")):
		return 2 * len(folder)
	}
	return 0
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matchLength(pattern, pkg) > 0 })
}

// rowOf returns the row with the most specific pattern for a package.
func rowOf(all []row, pkg string) (of row, found bool) {
	best := 0
	for _, r := range all {
		for _, pattern := range r.patterns {
			if f := matchLength(pattern, pkg); f > best {
				best, of = f, r
			}
		}
	}
	return of, best > 0
}

// testsOnly begins the packages of a module that checks answers in tests.
const testsOnly = "github.com/getkin/kin-openapi/"

// TestPackagesImportWhatTheTableAllows checks the imports of all packages.
func TestPackagesImportWhatTheTableAllows(t *testing.T) {
	const module = "restock/"
	all := table(t)
	list := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles", "./...")
	list.Dir = root
	output, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	used := map[string]bool{}
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p struct {
			ImportPath       string
			Imports, GoFiles []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkg := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasSuffix(pkg, "test") || strings.HasPrefix(pkg, "docs") || len(p.GoFiles) == 0 {
			continue
		}
		of, found := rowOf(all, pkg)
		if !found {
			t.Errorf("package %s is in no row of docs/architecture.md", pkg)
			continue
		}
		for _, pattern := range of.patterns {
			used[pattern] = true
		}
		for _, imported := range p.Imports {
			imported, isOurs := strings.CutPrefix(imported, module)
			if strings.HasPrefix(imported, testsOnly) {
				t.Errorf("package %s imports %s: only tests may, so that no function contains it", pkg, imported)
			}
			if isOurs && !matchesAny(of.imports, imported) {
				t.Errorf("package %s imports %s: by docs/architecture.md it may import %q", pkg, imported, of.imports)
			}
		}
	}
	for _, r := range all {
		for _, pattern := range r.patterns {
			if !used[pattern] {
				t.Errorf("docs/architecture.md has a row for %s, and no package is in it", pattern)
			}
		}
	}
}

func TestRowOfPrefersTheMostSpecificPattern(t *testing.T) {
	all := []row{
		{patterns: []string{"lambdas/…"}, imports: []string{"wide"}},
		{patterns: []string{"lambdas"}, imports: []string{"narrow"}},
	}
	for pkg, want := range map[string]string{"lambdas": "narrow", "lambdas/stock": "wide", "lambdasque": ""} {
		got, found := rowOf(all, pkg)
		if found != (want != "") || found && got.imports[0] != want {
			t.Errorf("%s: got %v, %v; want %q", pkg, got, found, want)
		}
	}
}

// TestLocalRunKnowsNothingOfTheShop checks the direct and indirect imports of the local run.
func TestLocalRunKnowsNothingOfTheShop(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./local/...")
	list.Dir = root
	output, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	allowed := []string{
		"local/…", "infra/graph", "infra/recorder", "infra/rules", "infra/policy/…", "infra/bundle", "infra/schedule",
	}
	for pkg := range strings.Lines(string(output)) {
		pkg, isOurs := strings.CutPrefix(strings.TrimSpace(pkg), "restock/")
		if isOurs && !matchesAny(allowed, pkg) {
			t.Errorf("the local run depends on %s, want only packages of %q", pkg, allowed)
		}
	}
}

// TestStandInsDoNotContainPulumi checks the direct and indirect imports of the stand-ins, and those
// of their tests: a test with Pulumi takes seconds longer to build.
func TestStandInsDoNotContainPulumi(t *testing.T) {
	list := exec.Command("go", "list", "-test", "-deps", "./local/aws/...", "./local/view/...", "./local/mariadb/...")
	list.Dir = root
	output, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if !strings.Contains(string(output), "restock/infra/graph\n") {
		t.Errorf("the stand-ins do not import restock/infra/graph: got\n%s", output)
	}
	if found := regexp.MustCompile(`(?m)^github\.com/pulumi/\S*`).Find(output); found != nil {
		t.Errorf("a stand-in, or its test, contains %s: read a graph.Graph, or move the test to local/run", found)
	}
}
