// Package pagetest checks files of the console's page: those of package page, and those of a
// program's panels.
package pagetest

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// Read returns the text of the files in a file system, by their URL: prefix is the folder below
// which the console serves them, such as "panels/stock", or "" for the page itself.
func Read(t *testing.T, prefix string, files fs.FS) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		found[path.Join(prefix, name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("there are no files to check for %q", prefix)
	}
	return found
}

// What documents, styles and icons must not have, and what scripts must not have.
var (
	inMarkup = map[string]*regexp.Regexp{
		"an inline handler": regexp.MustCompile(`(?i)<[^>]*\son\w+\s*=`),
		"an inline style":   regexp.MustCompile(`(?i)<[^>]*\sstyle\s*=|<style`),
		"an inline script":  regexp.MustCompile(`(?i)<script[^>]*>[^<]`),
		"a foreign origin":  regexp.MustCompile(`(?i)(src|href)="(\w+:|//)|url\(|@import`),
	}
	inScripts = map[string]*regexp.Regexp{
		"code made of text":   regexp.MustCompile(`\beval\(|new Function\(`),
		"markup made of text": regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write`),
		"a style attribute":   regexp.MustCompile(`setAttribute\("style"|\bstyle: ["'` + "`]"),
		"a foreign module":    regexp.MustCompile(`(from|import) *\(?["'` + "`]" + `(\w+:|//)`),
	}
)

// Inline checks that the files have no inline handlers, styles and scripts, that they make no
// markup or code of text, and that they load nothing from other origins.
func Inline(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		patterns := inMarkup
		if strings.HasSuffix(name, ".js") {
			patterns = inScripts
		}
		for what, pattern := range patterns {
			if found := pattern.FindString(text); found != "" {
				t.Errorf("%s has %s: %s", name, what, found)
			}
		}
	}
}

// imported finds the path in an import of a module.
var imported = regexp.MustCompile(`from "(\.[^"]+)"`)

// Modules checks that every module that a file imports is among the files, and that every module is
// imported, except for the entry points.
func Modules(t *testing.T, files map[string]string, entryPoints ...string) {
	t.Helper()
	used := map[string]bool{}
	for _, name := range entryPoints {
		used[name] = true
		if _, ok := files[name]; !ok {
			t.Errorf("the entry point %s does not exist", name)
		}
	}
	for name, text := range files {
		for _, found := range imported.FindAllStringSubmatch(text, -1) {
			module := path.Join(path.Dir(name), found[1])
			used[module] = true
			if _, ok := files[module]; !ok {
				t.Errorf("%s imports %s, which does not exist", name, found[1])
			}
		}
	}
	for name := range files {
		if strings.HasSuffix(name, ".js") && !used[name] {
			t.Errorf("no file imports %s", name)
		}
	}
}
