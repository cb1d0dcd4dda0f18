package stack_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
)

// TestDeployedStagesKeepTheirResources checks that an update replaces nothing in a stage that was
// deployed before these components existed. The old URN of a resource is its URN without the
// component.
func TestDeployedStagesKeepTheirResources(t *testing.T) {
	components := []string{
		"restock:network:Network", "restock:database:Database", "restock:messaging:Messaging", "restock:api:API",
	}
	eachStage(t, func(t *testing.T, g *graph.Graph) {
		moved := map[string]int{}
		for _, r := range g.Resources {
			for _, component := range components {
				old := strings.Replace(r.URN, component+"$", "", 1)
				if old == r.URN {
					continue
				}
				moved[component]++
				if !slices.Contains(r.Aliases, old) {
					t.Errorf("%s has the aliases %q, want its old URN %s among them", r.URN, r.Aliases, old)
				}
			}
		}
		for _, component := range components {
			if moved[component] == 0 {
				t.Errorf("component %s has no resources", component)
			}
		}
	})
}

// maxFunctionLines keeps each function of the program readable on one screen.
const maxFunctionLines = 60

func TestFunctionsAreShort(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	positions := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(positions, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := positions.Position(f.End()).Line - positions.Position(f.Pos()).Line + 1
			if lines > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, want at most %d", name, f.Name.Name, lines, maxFunctionLines)
			}
		}
	}
}
