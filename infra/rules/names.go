package rules

import "unicode/utf8"

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
