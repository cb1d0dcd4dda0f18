package secretsmanager

import (
	"slices"
	"strings"
)

// filter selects secrets by an attribute. A secret matches if at least one value matches. A value
// that begins with ! matches the secrets that the rest of the value does not match.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
type filter struct {
	Key    string
	Values []string
}

func (f filter) validate() error {
	const maxFilterValues = 10
	if len(f.Values) == 0 || len(f.Values) > maxFilterValues {
		return invalidParameter("The filter %s must have 1 to %d values.", f.Key, maxFilterValues)
	}
	if _, ok := filterAttributes[f.Key]; !ok && f.Key != "all" {
		return invalidParameter(
			"The filter key must be description, name, tag-key, tag-value, primary-region, owning-service or all.")
	}
	return nil
}

// filterAttributes returns the attributes that each filter key other than "all" compares.
var filterAttributes = map[string]func(s *secret, region string) []string{
	"description":    func(s *secret, _ string) []string { return []string{s.description} },
	"name":           func(s *secret, _ string) []string { return []string{s.name} },
	"tag-key":        func(s *secret, _ string) []string { return s.tagTexts(func(t tag) string { return t.Key }) },
	"tag-value":      func(s *secret, _ string) []string { return s.tagTexts(func(t tag) string { return t.Value }) },
	"primary-region": func(_ *secret, region string) []string { return []string{region} },
	"owning-service": func(s *secret, _ string) []string { return []string{s.owner()} },
}

func (s *secret) tagTexts(text func(tag) string) []string {
	var texts []string
	for _, t := range s.tags {
		texts = append(texts, text(t))
	}
	return texts
}

func (f filter) match(s *secret, region string) bool {
	return slices.ContainsFunc(f.Values, func(value string) bool {
		value, negated := strings.CutPrefix(value, "!")
		return f.matchValue(s, region, value) != negated
	})
}

// matchValue reports whether an attribute begins with the value. Each word of the value must begin
// a word of the description, in any case: AWS's documentation (read in November 2026) calls this a
// prefix match, but "a secret" found "an secret" when it was recorded on 2024-04-10. For "all",
// each word of the value must be in some attribute.
func (f filter) matchValue(s *secret, region, value string) bool {
	if f.Key == "description" {
		words := strings.Fields(strings.ToLower(s.description))
		for begin := range strings.FieldsSeq(strings.ToLower(value)) {
			if !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, begin) }) {
				return false
			}
		}
		return true
	}
	if f.Key != "all" {
		return slices.ContainsFunc(filterAttributes[f.Key](s, region), func(attribute string) bool {
			return strings.HasPrefix(attribute, value)
		})
	}
	var attributes []string
	for _, of := range filterAttributes {
		attributes = append(attributes, of(s, region)...)
	}
	for word := range strings.FieldsSeq(strings.ToLower(value)) {
		if !slices.ContainsFunc(attributes, func(a string) bool { return strings.Contains(strings.ToLower(a), word) }) {
			return false
		}
	}
	return true
}
