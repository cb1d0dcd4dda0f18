package rules

import (
	"strings"
	"unicode/utf8"
)

// checkNames checks that AWS accepts the names that the program gives, and the names that Pulumi
// makes from logical names.
func checkNames(i *inspection) {
	for _, r := range i.Resources {
		for _, limit := range r.Type.NameLimits() {
			name := r.PhysicalName(limit)
			if name == "" {
				continue
			}
			_, given := r.Inputs[limit.Output].(string)
			switch n := utf8.RuneCountInString(name); {
			case n > limit.MaxLength:
				i.report(r, "shorten its name", "its %s %q is %d characters long with Pulumi's suffix, want %d at most",
					limit.Output, name, n, limit.MaxLength)
			case !limit.Accepts(name):
				i.report(r, "give it another "+limit.Output, "its %s is %q, want %s: AWS refuses "+
					"it", limit.Output, name,
					limit.Words)
			case given && limit.Output == "name" && r.Type.ARN("", "") != "" && !strings.Contains(name, stageOf(r.URN)):
				// Pulumi's own names have the stage: see Pulumi.yaml.
				i.report(r, "put the stage into the name, or leave the name to Pulumi",
					"its name is %q, without the stage: another stage in the account could not make its own", name)
			}
		}
	}
}

// stageOf returns the stage in a URN: "dev" in urn:pulumi:dev::restock::….
func stageOf(urn string) string {
	stage, _, _ := strings.Cut(strings.TrimPrefix(urn, "urn:pulumi:"), "::")
	return stage
}
