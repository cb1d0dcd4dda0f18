package docs_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"restock/test/linediff"
)

const korean = ".ko.md"

// TestKoreanPagesAreLevel compares each Korean page with its English page: whatever needs no
// translation is equal. Each page links the other.
func TestKoreanPagesAreLevel(t *testing.T) {
	compared := 0
	for _, page := range pages(t) {
		if !strings.HasSuffix(page, korean) {
			continue
		}
		compared++
		source := inEnglish(page)
		english := withoutLink(t, source, "[한국어]("+path.Base(page)+")")
		translation := withoutLink(t, page, "[English]("+path.Base(source)+")")
		if d := linediff.Diff(skeleton(english), skeleton(translation)); d != "" {
			t.Errorf("%s lacks the lines of %s with -, and has those with + too much:\n%s", page, source, d)
		}
		for _, m := range link.FindAllStringSubmatch(translation, -1) {
			twin := strings.TrimSuffix(m[1], ".md") + korean
			if _, err := os.Stat(path.Join(root, path.Dir(page), twin)); err == nil && strings.HasSuffix(m[1], ".md") {
				t.Errorf("%s links %s, which has the Korean page %s", page, m[1], twin)
			}
		}
	}
	if compared == 0 {
		t.Error("there is no Korean page")
	}
}

// TestKoreanPagesCallADoughnutByOneWord keeps to the word of the shop's catalogue: 부산도너츠.
func TestKoreanPagesCallADoughnutByOneWord(t *testing.T) {
	for _, page := range pages(t) {
		if strings.HasSuffix(page, korean) && strings.Contains(string(read(t, page)), "도넛") {
			t.Errorf("%s says 도넛, want 도너츠", page)
		}
	}
}

// inEnglish replaces the names of Korean pages by those of their English pages.
func inEnglish(text string) string { return strings.ReplaceAll(text, korean, ".md") }

// withoutLink returns a page without the link to its other language, which follows the title.
func withoutLink(t *testing.T, page, toOther string) string {
	t.Helper()
	text := string(read(t, page))
	if before, after, found := strings.Cut(text, "\n\n"+toOther+"\n"); found && !strings.Contains(before, "\n") {
		return before + after
	}
	t.Errorf("%s: %s does not follow the title", page, toOther)
	return text
}

var (
	marker   = regexp.MustCompile(`^(#+|\|) `)
	remark   = regexp.MustCompile(` +# .*`)
	fragment = regexp.MustCompile(`#.*`)
)

// skeleton returns what a page has in each language: the code without the shell's comments; between
// it the marks of headings and of tables' rows; then the links and the code in its sentences.
func skeleton(page string) string {
	var parts, mentions []string
	var prose strings.Builder
	for line, isCode := range lines(page) {
		if isCode {
			parts = append(parts, remark.ReplaceAllString(line, ""))
			continue
		}
		prose.WriteString(line + "\n")
		if m := marker.FindStringSubmatch(line); m != nil {
			parts = append(parts, m[1])
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(prose.String(), -1) {
		mentions = append(mentions, "`"+strings.Join(strings.Fields(m[1]), " ")+"`")
	}
	for _, m := range link.FindAllStringSubmatch(prose.String(), -1) {
		mentions = append(mentions, "("+inEnglish(fragment.ReplaceAllString(m[1]+m[2], ""))+")")
	}
	slices.Sort(mentions)
	return strings.Join(append(parts, slices.Compact(mentions)...), "\n")
}

func TestSkeletonHasWhatNeedsNoTranslation(t *testing.T) {
	const page = "# 제목\n\n`a\nb`와 [링크](x.ko.md#나)\n\n    make up    # 시작\n\n| 표 `a b` |\n```sh\n# 그대로\n```\n"
	const want = "#\n    make up\n|\n```sh\n# 그대로\n```\n(x.md)\n`a b`"
	if got := skeleton(page); got != want {
		t.Errorf("the skeleton of\n%s\nis\n%s\nwant\n%s", page, got, want)
	}
}
