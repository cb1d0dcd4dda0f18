package docs_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// inRow matches the first cell of a table's row.
var inRow = regexp.MustCompile(`(?m)^\| ([^|]+) \|`)

// TestTroubleshootingQuotesRealMessages checks that the sources have each quoted message. A message
// has variable parts, and the sources may break it over lines: the test looks for the beginning of
// its longest constant part.
func TestTroubleshootingQuotesRealMessages(t *testing.T) {
	const enough = 24
	sources, messages := sources(t), 0
	for _, row := range inRow.FindAllSubmatch(read(t, "docs/troubleshooting.md"), -1) {
		for _, m := range quoted.FindAllStringSubmatch(string(row[1]), -1) {
			longest := ""
			for _, part := range strings.FieldsFunc(m[1], func(r rune) bool { return r == '…' || r == '"' }) {
				if part = strings.TrimSpace(part); len(part) > len(longest) {
					longest = part
				}
			}
			messages++
			if longest = longest[:min(enough, len(longest))]; !strings.Contains(sources, longest) {
				t.Errorf("docs/troubleshooting.md quotes %q, and no source has %q", m[1], longest)
			}
		}
	}
	if messages == 0 {
		t.Error("docs/troubleshooting.md quotes no message")
	}
}

// sources returns the text of the programs, the scripts and the Makefile.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	all.Write(read(t, "Makefile"))
	for _, folder := range []string{"cmd", "infra", "internal", "local", "scripts"} {
		err := fs.WalkDir(os.DirFS(root+"/"+folder), ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && !strings.HasSuffix(path, "_test.go") {
				all.Write(read(t, folder+"/"+path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
