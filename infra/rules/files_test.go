package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResourcesAreDeclaredWhereTheRulesSay(t *testing.T) {
	sources, err := filepath.Glob("../stack/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for token, files := range declaredIn {
		constructor := ".New" + token[strings.LastIndex(token, ":")+1:] + "(ctx"
		var found []string
		for _, source := range sources {
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), constructor) {
				found = append(found, "infra/stack/"+filepath.Base(source))
			}
		}
		if got := strings.Join(found, ", "); got != files {
			t.Errorf("%s is declared in %q, the rules say %q", token, got, files)
		}
	}
}

func TestRulesNameFilesThatAreThere(t *testing.T) {
	for _, rule := range All() {
		for file := range strings.SplitSeq(rule.Files, ", ") {
			if file == "" || strings.HasPrefix(file, "Pulumi.") {
				continue
			}
			if _, err := os.Stat("../../" + file); err != nil {
				t.Errorf("rule %s: %v", rule.Name, err)
			}
		}
	}
}
