package console_test

import (
	"io/fs"
	"os"
	"regexp"
	"testing"

	"restock/local/view/console/page"
)

func TestThePageKnowsEveryKindOfNode(t *testing.T) {
	source, err := os.ReadFile("graph.go")
	if err != nil {
		t.Fatal(err)
	}
	script, err := fs.ReadFile(page.Files, "kinds.js")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^\tKind\w+ += "(.+)"$`).FindAllSubmatch(source, -1)
	if len(kinds) < 19 {
		t.Fatalf("found %d kinds in graph.go, want 19 or more", len(kinds))
	}
	for _, kind := range kinds {
		if !regexp.MustCompile(`(?m)^  "?` + string(kind[1]) + `"?: \{`).Match(script) {
			t.Errorf("page/kinds.js has no entry for the kind %q: it has the kind's name and icon", kind[1])
		}
	}
}
