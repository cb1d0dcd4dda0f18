package docs_test

import (
	"encoding/json"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestEachDependencyIsArgued holds that every module that the project asks for by itself is in dependencies.md.
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
		// A module inside a repository is named by what follows the repository's name.
		_, part, _ := strings.Cut(name, "aws/aws-sdk-go-v2/")
		if !r.Indirect && !strings.Contains(argued, "`"+name) && (part == "" || !strings.Contains(argued, "`"+part)) {
			t.Errorf("%s is in go.mod, and docs/dependencies.md does not say why", r.Path)
		}
	}
}
