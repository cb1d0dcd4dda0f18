package docs_test

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// The widths of code and of comments, in columns. A tab counts 4.
const (
	maxCode    = 120
	maxComment = 100
)

// TestLinesAreNotTooWide checks the packages that the Makefile lints. A comment with a URL may be
// longer.
func TestLinesAreNotTooWide(t *testing.T) {
	linted := regexp.MustCompile(`(?m)^LINTED = ((?:.*\\\n)*.*)$`).FindSubmatch(read(t, "Makefile"))
	if linted == nil {
		t.Fatal("the Makefile has no line LINTED = …")
	}
	for _, folder := range strings.Fields(strings.ReplaceAll(string(linted[1]), `\`, "")) {
		files, err := filepath.Glob(path.Join(root, folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("the Makefile lints %s, where there are no Go files: %v", folder, err)
		}
		for _, file := range files {
			file = path.Join(folder, path.Base(file))
			for i, line := range strings.Split(string(read(t, file)), "\n") {
				limit := maxCode
				if strings.HasPrefix(strings.TrimSpace(line), "//") {
					limit = maxComment
				}
				width := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
				if width > limit && (limit == maxCode || !strings.Contains(line, "://")) {
					t.Errorf("%s:%d: the line has %d columns, want at most %d", file, i+1, width, limit)
				}
			}
		}
	}
}
