package docs_test

import (
	"encoding/json"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestEachDependencyIsArgued checks that docs/dependencies.md has every module that go.mod requires
// directly.
func TestEachDependencyIsArgued(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", path.Join(root, "go.mod")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	argued := string(read(t, "docs/dependencies.md"))
	version := regexp.MustCompile(`/v\d+$`)
	for _, r := range module.Require {
		name := strings.TrimPrefix(version.ReplaceAllString(r.Path, ""), "github.com/")
		// The page names a module inside a repository by the part after the repository's name.
		_, part, _ := strings.Cut(name, "aws/aws-sdk-go-v2/")
		if !r.Indirect && !strings.Contains(argued, "`"+name) && (part == "" || !strings.Contains(argued, "`"+part)) {
			t.Errorf("%s is in go.mod, but docs/dependencies.md does not give a reason for it", r.Path)
		}
	}
}
