package docs_test

import (
	"iter"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxColumns is the most characters in a line of a page.
const maxColumns = 100

// unbroken matches lines that Markdown cannot break: a row of a table, a picture, HTML. target
// matches the target of a link.
var (
	unbroken = regexp.MustCompile(`^ *(\||!\[|<)`)
	target   = regexp.MustCompile(`\]\([^()\s]+\)`)
)

func TestLinesAreShort(t *testing.T) {
	for _, page := range pages(t) {
		for _, n := range tooLong(string(read(t, page))) {
			t.Errorf("%s:%d: the line has more than %d characters", page, n, maxColumns)
		}
	}
}

// tooLong returns the numbers of the lines that are too long, without code blocks.
func tooLong(page string) (numbers []int) {
	n := 0
	for line, isCode := range lines(page) {
		n++
		if isCode || unbroken.MatchString(line) {
			continue
		}
		if utf8.RuneCountInString(target.ReplaceAllString(line, "]()")) > maxColumns {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// lines iterates over the lines of a page, and says whether each belongs to a code block.
func lines(page string) iter.Seq2[string, bool] {
	return func(yield func(string, bool) bool) {
		fenced, indented, previous := false, false, ""
		for line := range strings.SplitSeq(page, "\n") {
			isFence := strings.HasPrefix(strings.TrimLeft(line, " "), "```")
			fenced = fenced != isFence
			indented = strings.HasPrefix(line, "    ") && (indented || previous == "")
			previous = line
			if !yield(line, fenced || isFence || indented) {
				return
			}
		}
	}
}

func TestLongLinesOfTextAreFound(t *testing.T) {
	long := strings.Repeat("긴 줄 ", 30)
	page := strings.Join([]string{
		"short", long, "| " + long, "![" + long + "](a.svg)", "[a](" + strings.Repeat("x", 120) + ")", // 1 to 5
		"```", long, "```", "", "    " + long, "    " + long, "", "- item", "    " + long, // 6 to 14
	}, "\n")
	if got, want := tooLong(page), []int{2, 14}; !slices.Equal(got, want) {
		t.Errorf("the long lines are %v, want %v of\n%s", got, want, page)
	}
}
