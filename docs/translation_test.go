package docs_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A section is what a page and its translation have in common between two headings: all but words for people.
type section struct {
	level, heading string   // "##", and the words after it
	code           []string // lines of code blocks, without their remarks
	rows           []string // of tables: the number of the table, and the code in each cell
	links          []string // where they lead
	names          []string // code in running text and in cells, each once
}

var (
	fence     = regexp.MustCompile("^ *```")
	indented  = regexp.MustCompile(`^(?: {4}|\t)`)
	comment   = regexp.MustCompile(`(?:^|\s+)#.*$`)
	layoutRow = regexp.MustCompile(`^( *\S+/) {2,}\S`)
)

// theOther stands for the link by which a page and its translation lead to each other.
const theOther = "the same page in the other language"

// TestTranslationsSayTheSame holds every page that is translated, like README.ko.md, against the page that it translates: their headings, code, tables
// and links. What the words say is for people to see.
func TestTranslationsSayTheSame(t *testing.T) {
	const translated = ".ko.md"
	translations := 0
	for _, page := range pages(t) {
		name, is := strings.CutSuffix(page, translated)
		if !is {
			continue
		}
		translations++
		original := name + ".md"
		a, b := sections(read(t, original), page), sections(read(t, page), original)
		for _, d := range differences(a, b) {
			t.Errorf("%s is not as %s: %s", page, original, d)
		}
		for path, all := range map[string][]section{original: a, page: b} {
			if !slices.ContainsFunc(all, func(s section) bool { return slices.Contains(s.links, theOther) }) {
				t.Errorf("%s has no link to %s", path, theOther)
			}
		}
	}
	if translations == 0 {
		t.Errorf("no page ends in %s: are they looked for where they are?", translated)
	}
}

// sections reads a page whose other language is at the path other. Paths are below the root; a page links to other by its last element, as both
// are in one folder.
func sections(page []byte, other string) []section {
	other = other[strings.LastIndex(other, "/")+1:]
	all := []section{{heading: "the top"}}
	var block []string
	fenced, tables, inTable := false, 0, false
	endBlock := func() {
		s := &all[len(all)-1]
		s.code = append(s.code, withoutRemarks(block)...)
		block = nil
	}
	blank := true
	for line := range strings.Lines(string(page)) {
		line = strings.TrimRight(line, "\r\n")
		isFence := fence.MatchString(line)
		if fenced || isFence {
			fenced = fenced != isFence
			block = append(block, line)
			continue
		}
		if indented.MatchString(line) && (blank || len(block) > 0) {
			block = append(block, line[4:])
			continue
		}
		endBlock()
		blank = line == ""
		if m := heading.FindStringSubmatch(line); m != nil {
			all = append(all, section{level: line[:strings.Index(line, " ")], heading: m[1]})
			tables = 0
		}
		s := &all[len(all)-1]
		if isRow := strings.HasPrefix(line, "|"); isRow {
			if !inTable {
				tables++
			}
			s.rows = append(s.rows, fmt.Sprintf("of table %d: %s", tables, codeOfCells(line)))
		}
		inTable = strings.HasPrefix(line, "|")
		for _, m := range link.FindAllStringSubmatch(line, -1) {
			target := m[1] + m[2]
			if target == other {
				target = theOther
			}
			s.links = append(s.links, target)
		}
		s.names = append(s.names, codeIn(line)...)
	}
	endBlock()
	for i := range all {
		slices.Sort(all[i].names)
		all[i].names = slices.Compact(all[i].names)
	}
	return all
}
