package docs_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// root is the project's folder.
const root = ".."

var (
	codeBlock = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	link      = regexp.MustCompile(`\]\(([^()\s]+(?:\([^()\s]*\))?)\)|(?:src|href)="([^"]+)"`)
	heading   = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	scheme    = regexp.MustCompile(`^[a-z]+:`)
)

// TestLinksLeadSomewhere checks that every relative link of the project's pages leads to an
// existing file and, if it names a heading, to an existing heading.
func TestLinksLeadSomewhere(t *testing.T) {
	links := 0
	for _, page := range pages(t) {
		text := codeBlock.ReplaceAll(read(t, page), nil)
		for _, m := range link.FindAllSubmatch(text, -1) {
			target := string(m[1]) + string(m[2])
			if scheme.MatchString(target) {
				continue
			}
			links++
			if err := follow(t, page, target); err != nil {
				t.Errorf("%s: the link to %s: %v", page, target, err)
			}
		}
	}
	if links == 0 {
		t.Error("no page has a link: the pattern of a link may be wrong")
	}
}

// pages returns the paths of the project's pages, relative to the root.
func pages(t *testing.T) (paths []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// follow returns an error if a link of a page leads nowhere.
func follow(t *testing.T, page, target string) error {
	file, anchor, _ := strings.Cut(target, "#")
	path := page
	if file != "" {
		path = filepath.ToSlash(filepath.Join(filepath.Dir(page), filepath.FromSlash(file)))
	}
	info, err := os.Stat(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		return err
	}
	if anchor == "" {
		return nil
	}
	if info.IsDir() || !strings.HasSuffix(path, ".md") {
		return fmt.Errorf("%s has no headings to lead to", path)
	}
	if headings := anchors(read(t, path)); !headings[anchor] {
		return fmt.Errorf("%s has no heading #%s", path, anchor)
	}
	return nil
}

// anchors returns GitHub's names of a page's headings: lower case, hyphens for spaces, no
// punctuation. Repeated headings are numbered.
func anchors(page []byte) map[string]bool {
	all := map[string]bool{}
	repeated := map[string]int{}
	for _, m := range heading.FindAllSubmatch(codeBlock.ReplaceAll(page, nil), -1) {
		text := bytes.ToLower(regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAll(m[1], []byte("$1")))
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r):
				return r
			}
			return -1
		}, string(text))
		if n := repeated[name]; n > 0 {
			all[fmt.Sprintf("%s-%d", name, n)] = true
		} else {
			all[name] = true
		}
		repeated[name]++
	}
	return all
}

func TestHeadingsHaveTheAnchorsOfGitHub(t *testing.T) {
	got := anchors([]byte("# The API\n## Deploy, and roll back\n## `GET /x`: a [link](y.md)\n### 지도\n" +
		"## The API\n```\n# code\n```\n"))
	for _, want := range []string{"the-api", "deploy-and-roll-back", "get-x-a-link", "지도", "the-api-1"} {
		if !got[want] {
			t.Errorf("got %v, want %s among them", got, want)
		}
	}
	if len(got) != 5 {
		t.Errorf("got %v, want five anchors", got)
	}
}
