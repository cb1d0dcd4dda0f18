package docs_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The widths of code and of comments, in columns. A tab counts 4.
const (
	maxCode    = 120
	maxComment = 100
)

// comment matches a line that is only a comment. The lines of a block comment in JavaScript begin
// with a star.
var comment = regexp.MustCompile(`^\s*(//|/\*|\* )`)

// TestLinesOfCodeAreNotTooWide checks every Go file and every file of a web page. A comment with a
// URL may be longer.
func TestLinesOfCodeAreNotTooWide(t *testing.T) {
	checked := map[string]int{}
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != "." {
			return fs.SkipDir // .git, and copies that tests build
		}
		kind := path.Ext(file)
		if !slices.Contains([]string{".go", ".js", ".css", ".html"}, kind) || strings.HasSuffix(file, ".min.js") {
			return nil
		}
		checked[kind]++
		for i, line := range strings.Split(string(read(t, file)), "\n") {
			limit := maxCode
			if comment.MatchString(line) {
				limit = maxComment
			}
			width := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
			if width > limit && (limit == maxCode || !strings.Contains(line, "://")) {
				t.Errorf("%s:%d: the line has %d columns, want at most %d", file, i+1, width, limit)
			}
		}
		return nil
	})
	if err != nil || len(checked) != 4 {
		t.Errorf("files of each kind that were checked: %v: %v", checked, err)
	}
}
