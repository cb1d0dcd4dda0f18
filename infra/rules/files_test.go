package rules

import (
	"os"
	"strings"
	"testing"
)

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
