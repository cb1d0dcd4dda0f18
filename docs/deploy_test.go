package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDeployPageNamesWhatExists replays what docs/deploy.md says as far as it needs no account: the
// make targets and their variables, the settings, the stack's outputs and the commands exist.
func TestDeployPageNamesWhatExists(t *testing.T) {
	page := string(read(t, "docs/deploy.md"))
	all := func(pattern string) [][]string { return regexp.MustCompile(pattern).FindAllStringSubmatch(page, -1) }
	// each checks every match. It fails if there is none, because then the pattern is wrong.
	each := func(pattern string, check func(match []string) bool) {
		found := all(pattern)
		if len(found) == 0 {
			t.Errorf("docs/deploy.md has nothing that matches %s", pattern)
		}
		for _, match := range found {
			if !check(match) {
				t.Errorf("docs/deploy.md has %q, which does not exist", match[0])
			}
		}
	}
	makefile, reference := string(read(t, "Makefile")), string(read(t, "docs/reference.md"))
	each(`\bmake (?:-s )?([a-z]+)\b`, func(m []string) bool { return strings.Contains(makefile, "\n"+m[1]+":") })
	each(`\bmake (?:-s )?[a-z]+ (?:STAGE=dev )?([A-Z]+)=`, func(m []string) bool {
		return strings.Contains(makefile, "$("+m[1]+")")
	})
	each("`((?:[a-z]+\\.)?[a-z]+(?:[A-Z][a-z]+)+|zones|protect|concurrency)(?:: [a-z]+)?`", func(m []string) bool {
		return strings.Contains(reference, "`"+m[1]+"`")
	})
	each(`go run (\./cmd/[a-z]+)`, func(m []string) bool {
		_, err := os.Stat(filepath.Join(root, m[1], "main.go"))
		return err == nil
	})
	each(`cmd/shop --stage dev ([a-z]+)`, func(m []string) bool {
		return strings.Contains(string(read(t, "cmd/shop/usage.go"))+string(read(t, "cmd/shop/commands.go")), m[1])
	})
	each(`pulumi stack output ([a-zA-Z]+) --stack dev`, func(m []string) bool {
		return strings.Contains(string(read(t, "infra/stack/stack.go")), `ctx.Export("`+m[1]+`"`)
	})
	if !strings.Contains(string(read(t, "README.md")), "(docs/deploy.md)") {
		t.Error("README.md does not link docs/deploy.md")
	}
}
