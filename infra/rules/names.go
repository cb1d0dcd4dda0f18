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
			switch n := utf8.RuneCountInString(name); {
			case n > limit.MaxLength:
				i.report(r, "shorten its name", "its %s %q is %d characters long with Pulumi's suffix, want %d at most",
					limit.Output, name, n, limit.MaxLength)
			case !limit.Accepts(name):
				i.report(r, "give it another "+limit.Output, "its %s is %q, want %s: AWS refuses it",
					limit.Output, name, limit.Words)
			}
		}
	}
}

// checkStageNames checks that a name that the program gives contains the stage, as Pulumi's own
// names do: see Pulumi.yaml. AWS accepts the name for the first stage of an account and region. The
// second stage could not make a resource with the same name:
// https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
func checkStageNames(i *inspection) {
	for _, r := range i.Resources {
		for _, limit := range r.Type.NameLimits() {
			name, given := r.Inputs[limit.Output].(string)
			accepted := limit.Accepts(name) && utf8.RuneCountInString(name) <= limit.MaxLength // see checkNames
			if given && accepted && limit.Output == r.Type.NameOutput() && r.Type.ARN("", "") != "" &&
				!strings.Contains(name, stageOf(r.URN)) {
				i.report(r, "put the stage into the name, or leave the name to Pulumi",
					"its %s is %q, without the stage: another stage in the account could not make its own",
					limit.Output, name)
			}
		}
	}
}

// stageOf returns the stage in a URN: "dev" in urn:pulumi:dev::restock::….
func stageOf(urn string) string {
	stage, _, _ := strings.Cut(strings.TrimPrefix(urn, "urn:pulumi:"), "::")
	return stage
}
