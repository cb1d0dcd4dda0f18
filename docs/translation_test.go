package docs_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A section is what a page and its translation have in common from one heading to the next: all but the words for people.
type section struct {
	heading string   // like "## Stages"; "" before the first
	code    []string // the lines of code blocks without their remarks, each with the block's number
	rows    []string // the code in the cells of tables, each with the table's number
	links   []string // where they lead
	names   []string // the code in running text and in cells, each once
}

// theOther stands for the link by which a page and its translation lead to each other.
const theOther = "the page in the other language"

var (
	fence  = regexp.MustCompile("^ *```")
	remark = regexp.MustCompile(`(?:^|\s+)#.*$`)
	folder = regexp.MustCompile(`^ *\S+/ {2,}`)
)

// TestTranslationsHaveWhatTheirOriginalsHave holds every translated page, like README.ko.md, against its original: headings, code, tables, links.
func TestTranslationsHaveWhatTheirOriginalsHave(t *testing.T) {
	const translated = ".ko.md"
	translations := 0
	for _, page := range pages(t) {
		name, is := strings.CutSuffix(page, translated)
		if !is {
			continue
		}
		translations++
		original := name + ".md"
		want, got := sections(string(read(t, original)), path.Base(page)), sections(string(read(t, page)), path.Base(original))
		for _, difference := range differences(want, got) {
			t.Errorf("%s is not as %s: %s", page, original, difference)
		}
		if !slices.ContainsFunc(got, func(s section) bool { return slices.Contains(s.links, theOther) }) {
			t.Errorf("%s does not lead to %s", page, original)
		}
	}
	if translations == 0 {
		t.Errorf("no page ends in %s: are they looked for where they are?", translated)
	}
}

// sections takes a page apart. other is the link to the same page in the other language.
func sections(page, other string) []section {
	all := []section{{}}
	var text, block []string // of the section, as far as it was read
	blocks, fenced := 0, false
	endBlock := func() {
		if len(block) == 0 {
			return
		}
		blocks++
		for _, line := range withoutRemarks(block) {
			all[len(all)-1].code = append(all[len(all)-1].code, fmt.Sprintf("block %d: %s", blocks, line))
		}
		block = nil
	}
	endSection := func() {
		endBlock()
		all[len(all)-1].readText(text, other)
		text, blocks = nil, 0
	}
	previous := ""
	for line := range strings.SplitSeq(page, "\n") {
		line = strings.TrimRight(line, " \r")
		isFence := fence.MatchString(line)
		isIndented := strings.HasPrefix(line, "    ") && (previous == "" || len(block) > 0)
		switch {
		case fenced || isFence:
			fenced = fenced != isFence
			block = append(block, line)
		case isIndented:
			block = append(block, line[4:])
		case heading.MatchString(line):
			endSection()
			all = append(all, section{heading: line})
		default:
			endBlock()
			text = append(text, line)
		}
		previous = line
	}
	endSection()
	return all
}

// withoutRemarks is a code block without what it says to people: what follows a #, and what a list of folders says of them.
func withoutRemarks(block []string) (lines []string) {
	ofFolders := folder.MatchString(block[0])
	for _, line := range block {
		if ofFolders {
			line = strings.TrimRight(folder.FindString(line), " ")
		}
		if line = remark.ReplaceAllString(line, ""); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// readText finds tables, links and names in what is no code.
func (s *section) readText(lines []string, other string) {
	tables, inTable := 0, false
	for _, line := range lines {
		isRow := strings.HasPrefix(line, "|")
		if isRow && !inTable {
			tables++
		}
		if inTable = isRow; !isRow {
			continue
		}
		row := fmt.Sprintf("table %d:", tables)
		line = strings.TrimSuffix(strings.TrimPrefix(strings.ReplaceAll(line, `\|`, ""), "|"), "|")
		for cell := range strings.SplitSeq(line, "|") {
			row += " |" + strings.Join(codeIn(cell), ", ")
		}
		s.rows = append(s.rows, row)
	}
	text := strings.Join(lines, "\n")
	s.names = codeIn(text)
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		target := m[1] + m[2]
		if target == other {
			target = theOther
		}
		s.links = append(s.links, target)
	}
	slices.Sort(s.links)
}

// codeIn is the code in a text, sorted, each once: languages put their words in different orders, and repeat different ones.
func codeIn(text string) (names []string) {
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		names = append(names, strings.Join(strings.Fields(m[1]), " "))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// differences says in words what a translation has otherwise than its original: the headings, or if they agree, what is under each.
func differences(original, translation []section) (all []string) {
	for i := range max(len(original), len(translation)) {
		want, got := headingAt(original, i), headingAt(translation, i)
		if level(want) != level(got) {
			return []string{fmt.Sprintf("heading %d is %q, for %q", i, got, want)}
		}
	}
	for i, want := range original {
		got := translation[i]
		for _, part := range []struct {
			what      string
			want, got []string
		}{
			{"code", want.code, got.code},
			{"row", want.rows, got.rows},
			{"link", want.links, got.links},
			{"name", want.names, got.names},
		} {
			for _, difference := range compare(part.want, part.got) {
				all = append(all, fmt.Sprintf("under %q, %q: %s %s", want.heading, got.heading, part.what, difference))
			}
		}
	}
	return all
}

// headingAt is "" where there is none.
func headingAt(all []section, i int) string {
	if i >= len(all) {
		return ""
	}
	return all[i].heading
}

func level(heading string) int { return len(heading) - len(strings.TrimLeft(heading, "#")) }

// compare says what is missing, what is too much, and if neither, where the order differs.
func compare(want, got []string) (all []string) {
	surplus := slices.Clone(got)
	for _, w := range want {
		if i := slices.Index(surplus, w); i >= 0 {
			surplus = slices.Delete(surplus, i, i+1)
		} else {
			all = append(all, fmt.Sprintf("%q is missing", w))
		}
	}
	for _, s := range surplus {
		all = append(all, fmt.Sprintf("%q is not in the original", s))
	}
	if len(all) > 0 {
		return all
	}
	for i := range want {
		if want[i] != got[i] {
			return []string{fmt.Sprintf("%q is where the original has %q", got[i], want[i])}
		}
	}
	return nil
}

func TestWhatATranslationHasOtherwiseIsNamed(t *testing.T) {
	const original = `# shop

It sells, with ` + "`make sell`" + `: [how](docs/how.md), ![a picture](docs/flow.svg). [한국어](README.ko.md)

    make sell    # what it says
    # to people
    make buy

| flag | |
|---|---|
| ` + "`-api`" + ` | the API, ` + "`:80`" + ` |
| none | of code |

## Layout

    infra/        the program,
                  and more
      stack/        what there is   ← a queue
`
	const translation = `# shop

[그림](docs/flow.svg)과 [방법](docs/how.md): ` + "`make sell`" + `로
팝니다. [English](README.md)

    make sell  # 하는 일
    make buy

| 플래그 | |
|---|---|
| ` + "`-api`" + ` | ` + "`:80`" + `, 즉 API |
| 코드 | 없음 |

## 구성

    infra/        프로그램
      stack/        있는 것   ← 큐
`
	for _, c := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"a heading", "## 구성", "### 구성", "heading 2 is \"### 구성\", for \"## Layout\""},
		{"no heading", "## 구성", "구성", "heading 2 is \"\", for \"## Layout\""},
		{"a command", "make buy", "make bye", "code \"block 1: make buy\" is missing"},
		{"a command more", "make buy", "make buy\n    make up", "code \"block 1: make up\" is not in the original"},
		{"the order of commands", "make sell  # 하는 일\n    make buy", "make buy\n    make sell", "is where the original has"},
		{"blocks", "make buy", "\n    make buy", "code \"block 2: make buy\" is not in the original"},
		{"a folder", "stack/ ", "stacks/ ", "under \"## Layout\", \"## 구성\": code \"block 1:   stack/\" is missing"},
		{"a link", "docs/how.md", "docs/why.md", "link \"docs/how.md\" is missing"},
		{"a picture", "docs/flow.svg", "docs/flow.png", "link \"docs/flow.svg\" is missing"},
		{"the way back", "[English](README.md)", "", "link \"" + theOther + "\" is missing"},
		{"a row with code", "`-api`", "`-ape`", "row \"table 1: |-api |:80\" is missing"},
		{"a default", "`:80`", "`:81`", "row \"table 1: |-api |:80\" is missing"},
		{"a row without code", "| 코드 | 없음 |\n", "", "row \"table 1: | |\" is missing"},
		{"tables", "| 코드", "\n| 코드", "row \"table 2: | |\" is not in the original"},
		{"a name", "`make sell`", "`make sale`", "name \"make sell\" is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(translation, c.old) {
				t.Fatalf("the translation has no %q to change", c.old)
			}
			changed := strings.Replace(translation, c.old, c.new, 1)
			got := strings.Join(differences(sections(original, "README.ko.md"), sections(changed, "README.md")), "\n")
			if !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("%q in place of %q: got %q, want %q", c.new, c.old, got, c.want)
			}
		})
	}
}
