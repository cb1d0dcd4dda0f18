package tour

import (
	"reflect"
	"strings"
	"testing"

	"restock/test/replay"
)

const tourWithOneStep = "### 7. A title\n\n```diff\n--- a/b.go\n " +
	"\tstays\n-\tgoes\n+\tcomes\n@@\n-x\n```\n\n```sh\ngo vet " +
	"./a\n```\n\n```text\nfirst …\nsecond\n```\n"

func TestParseReadsTheSteps(t *testing.T) {
	got, err := parse(tourWithOneStep)
	want := []step{{
		name: "7", title: "A title", command: "go vet ./a", output: []string{"first …", "second"},
		changes: []replay.Change{
			{File: "a/b.go", Old: "\tstays\n\tgoes\n", New: "\tstays\n\tcomes\n"}, {File: "a/b.go", Old: "x\n"},
		},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	_, block, _ := strings.Cut(tourWithOneStep, "\n")
	if got, err := parse(tourWithOneStep + block); err != nil || len(got) != 2 || got[0].name != "7a" ||
		got[1].name != "7b" {
		t.Errorf("two steps of one mistake: got %+v, %v; want 7a and 7b", got, err)
	}
}

func TestParseRefusesMalformedSteps(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no expected output", "```text\nfirst …\nsecond\n```\n", "", "has no expected output"},
		{"an empty text", "first …\nsecond\n", "", "does not belong"},
		{"no command", "```sh\ngo vet ./a\n```\n", "", "does not belong"},
		{"no heading", "### 7. A title", "## A title", "without a mistake above it"},
		{"no file", "--- a/b.go\n", "", "want --- or +++, and a file"},
		{"only context lines", "-\tgoes\n+\tcomes\n", "", "changes no existing line"},
		{"only added lines", " \tstays\n-\tgoes\n", "", "changes no existing line"},
		{"an empty diff", "--- a/b.go\n \tstays\n-\tgoes\n+\tcomes\n@@\n-x\n", "", "empty"},
	} {
		if got, err := parse(strings.Replace(tourWithOneStep, c.old, c.new, 1)); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %+v, %v; want an error with %q", c.name, got, err, c.want)
		}
	}
}
