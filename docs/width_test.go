package docs_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// The widths of code and of comments, in columns. A tab counts 4.
const (
	maxCode    = 120
	maxComment = 100
)

// TestLinesOfCodeAreNotTooWide checks every Go file. A comment with a URL may be longer.
func TestLinesOfCodeAreNotTooWide(t *testing.T) {
	checked := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != "." {
			return fs.SkipDir // .git, and copies that tests build
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		checked++
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
		return nil
	})
	if err != nil || checked == 0 {
		t.Errorf("%d Go files were checked: %v", checked, err)
	}
}
