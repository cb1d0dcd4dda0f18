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

var all = flag.Bool("all", false, "run all commands of the pages, not only the quick ones")

// quick are the beginnings of commands that run without the flag.
var quick = []string{
	"make new-function", "go test ./lambdas/", "go test ./internal/web", "go test ./infra/rules -run TestStages",
	"cp ", "rm ",
}

// localRun begins a command that starts a local run with flags.
const localRun = "go run ./cmd/local "

// TestExtendingPages makes every change of the pages about extending and re-branding the shop, one
// after another, each page in a copy of its own. A command fails if its output on the page has the
// line FAIL, and passes otherwise.
func TestExtendingPages(t *testing.T) {
	for _, page := range []struct {
		file     string
		adds     string // a file that the page adds; if the project has it, the page is done
		packages string // the changed packages
	}{
		{"extending.md", "lambdas/refund/main.go", "./lambdas/refund ./internal/mysql"},
		{"extending-queue.md", "lambdas/warn-managers/main.go", "./lambdas/warn-managers"},
		{"extending-rule.md", "infra/rules/descriptions.go", "./infra/rules"},
		{"extending-stage.md", "Pulumi.staging.yaml", ""},
		{"stand-ins.md", "local/aws/ssm/ssm.go", "./local/aws/ssm ./local/run"},
		{"rebranding.md", "lambdas/catalogues/bakery.json", ""},
	} {
		t.Run(page.file, func(t *testing.T) {
			mariadbtest.Require(t)
			if _, err := os.Stat(filepath.Join(projectDir, filepath.FromSlash(page.adds))); err == nil {
				t.Skip("the project has what the page adds")
			}
			text, err := os.ReadFile(filepath.Join(projectDir, "docs", page.file))
			if err != nil {
				t.Fatal(err)
			}
			p := replay.NewProject(t, projectDir)
			copied := filepath.Join(t.TempDir(), "copied")
			if err := os.WriteFile(copied, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			follow(t, p, "docs/"+page.file, replay.Blocks(string(text)))
			compiles := "test -z \"$(find . -name '*.go' -newer " + copied + " -exec gofmt -l {} +)\""
			if page.packages != "" {
				compiles += " && go vet " + page.packages
			}
			if lines, err := p.Run(t.Context(), compiles); err != nil {
				t.Errorf("the changes of the page: %v\n%s", err, strings.Join(lines, "\n"))
			}
		})
	}
}

// follow makes the changes of a page, and runs its commands. A block "text" has lines of the output
// of the command before it, and a block "log" has lines that the local run prints.
func follow(t *testing.T, p *replay.Project, page string, blocks []replay.Block) {
	t.Helper()
	var run *replay.Run
	for i, b := range blocks {
		switch command := strings.Join(b.Lines, "\n"); {
		case b.Language == "diff":
			changes, err := replay.Diff(b.Lines)
			if err == nil {
				_, err = p.Apply(changes)
			}
			if err != nil {
				t.Fatalf("%s:%d: %v", page, b.Line, err)
			}
		case b.Language == "text":
		case b.Language == "log":
			for _, line := range b.Lines {
				if run == nil {
					break // without the flag
				}
				if err := run.WaitForLine(line); err != nil {
					t.Fatalf("%s:%d: %v", page, b.Line, err)
				}
			}
		case !*all && !slices.ContainsFunc(quick, func(q string) bool { return strings.HasPrefix(command, q) }):
		case command == "make local":
			run = p.Start(t)
		case strings.HasPrefix(command, localRun):
			run = p.Start(t, strings.Fields(strings.TrimPrefix(command, localRun))...)
		default:
			if run != nil {
				command = strings.NewReplacer(
					"http://127.0.0.1:8080", run.API, "http://127.0.0.1:4566", run.AWS).Replace(command)
			}
			var want []string
			if i+1 < len(blocks) && blocks[i+1].Language == "text" {
				want = blocks[i+1].Lines
			}
			lines, err := p.Run(t.Context(), command)
			printed := strings.Join(lines, "\n")
			if fails := slices.Contains(want, "FAIL"); (err != nil) != fails {
				t.Fatalf("%s:%d: %s: got the error %v, want one: %v\n%s", page, b.Line, command, err, fails, printed)
			}
			for _, line := range want {
				if !replay.HasLine(line, lines) {
					t.Errorf("%s:%d: the output of %s has no line\n%s\nThe output is\n%s", page, b.Line, command, line,
						printed)
				}
			}
		}
	}
}
