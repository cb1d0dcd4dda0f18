package docs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/lambdas"
)

// described matches the rows of the table of functions.
var described = regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|")

func TestArchitectureDescribesEveryFunction(t *testing.T) {
	page := string(read(t, "docs/architecture.md"))
	_, table, _ := strings.Cut(page, "\n| function | what it does | trigger | network |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows, functions []string
	for _, row := range described.FindAllStringSubmatch(table, -1) {
		rows = append(rows, row[1])
	}
	for _, f := range lambdas.All() {
		functions = append(functions, f.Name)
		if !slices.Contains(rows, f.Name) {
			t.Errorf("the table of functions in docs/architecture.md has no row for %s: add | `%s` | what it does | "+
				"what triggers it | in the VPC or outside |", f.Name, f.Name)
		}
		if f.Queue != "" && !strings.Contains(table, "`"+f.Queue+"`") {
			t.Errorf("the table of functions in docs/architecture.md does not name %s, the queue of %s", f.Queue,
				f.Name)
		}
	}
	for _, name := range rows {
		if !slices.Contains(functions, name) {
			t.Errorf("the table of functions in docs/architecture.md has a row for %s, which does not exist", name)
		}
	}
}

// The merchant's routes are in the reference without their beginning, and cmd/shop tests them.
func TestReferenceNamesEveryRoute(t *testing.T) {
	page := string(read(t, "docs/reference.md"))
	for _, f := range lambdas.All() {
		for _, route := range f.Routes {
			if slices.Contains(lambdas.MerchantAPI.Routes, route) || route == lambdas.RouteDefault {
				continue
			}
			if !strings.Contains(page, "`"+route+"`") {
				t.Errorf("docs/reference.md does not name `%s`: add a row to its section Routes", route)
			}
		}
	}
}

func TestReferenceNamesEveryErrorCode(t *testing.T) {
	page := string(read(t, "docs/reference.md"))
	_, section, _ := strings.Cut(page, "\n### Errors\n")
	section, _, _ = strings.Cut(section, "\n## ")
	codes := regexp.MustCompile(`Code = "(\w+)"`).FindAllSubmatch(read(t, "internal/shop/errors.go"), -1)
	if len(codes) == 0 {
		t.Fatal("internal/shop/errors.go declares no code")
	}
	for _, code := range codes {
		if !strings.Contains(section, fmt.Sprintf("`%s`", code[1])) {
			t.Errorf("docs/reference.md does not name the error code %s: add it to the table in its section Errors",
				code[1])
		}
	}
}

func TestReferenceSaysHowMuchConcurrencyDevReserves(t *testing.T) {
	reserved := 0
	for _, f := range lambdas.All() {
		if f.Queue == "" { // the event source limits a function with a queue
			reserved += f.Concurrency
		}
	}
	page := strings.Join(strings.Fields(string(read(t, "docs/reference.md"))), " ")
	if want := fmt.Sprintf("`dev` reserves %d concurrent executions", reserved); !strings.Contains(page, want) {
		t.Errorf("docs/reference.md does not say that %s (in Stages, Quotas)", want)
	}
}
