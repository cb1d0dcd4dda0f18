package replay_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"restock/local/mariadb/mariadbtest"
	"restock/test/replay"
)

const projectDir = "../.."

var all = flag.Bool("all", false, "run all commands of the page, not only the quick ones")

// quick are the beginnings of commands that run without the flag.
var quick = []string{"make new-function", "go test ./lambdas/"}

// TestExtendingPage makes every change of docs/extending.md, one after another. A command fails if
// its output on the page has the line FAIL, and passes otherwise.
func TestExtendingPage(t *testing.T) {
	mariadbtest.Require(t)
	text, err := os.ReadFile(filepath.Join(projectDir, "docs", "extending.md"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(projectDir, "lambdas", "refund")); err == nil {
		t.Skip("the function of the page exists already")
	}
	p := replay.NewProject(t, projectDir)
	api := ""
	blocks := replay.Blocks(string(text))
	for i, b := range blocks {
		switch command := strings.Join(b.Lines, "\n"); {
		case b.Language == "diff":
			changes, err := replay.Diff(b.Lines)
			if err == nil {
				_, err = p.Apply(changes)
			}
			if err != nil {
				t.Fatalf("docs/extending.md:%d: %v", b.Line, err)
			}
		case b.Language == "text":
		case !*all && !slices.ContainsFunc(quick, func(q string) bool { return strings.HasPrefix(command, q) }):
		case command == "make local":
			api = p.Start(t)
		default:
			var want []string
			if i+1 < len(blocks) && blocks[i+1].Language == "text" {
				want = blocks[i+1].Lines
			}
			lines, err := p.Run(t.Context(), strings.ReplaceAll(command, "http://127.0.0.1:8080", api))
			printed := strings.Join(lines, "\n")
			if fails := slices.Contains(want, "FAIL"); (err != nil) != fails {
				t.Fatalf("docs/extending.md:%d: %s: got the error %v, want one: %v\n%s", b.Line, command, err, fails,
					printed)
			}
			for _, line := range want {
				if !replay.HasLine(line, lines) {
					t.Errorf("docs/extending.md:%d: the output of %s has no line\n%s\nThe output is\n%s", b.Line,
						command, line, printed)
				}
			}
		}
	}
	const compiles = `test -z "$(gofmt -l lambdas internal)" && go vet ./lambdas/refund ./internal/mysql`
	if lines, err := p.Run(t.Context(), compiles); err != nil {
		t.Errorf("the changes of the page: %v\n%s", err, strings.Join(lines, "\n"))
	}
}
