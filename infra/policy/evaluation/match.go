package evaluation

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// like matches a text with a pattern like IAM: * matches any text, ? any character, and other
// characters match themselves. In the pattern of a resource, a * also matches the ARN's colons.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards
func like(pattern, text string) bool {
	if !strings.ContainsAny(pattern, "*?") {
		return pattern == text
	}
	star, retry := -1, 0 // the position of the last *, and the text's position that is tried after it
	i := 0
	for j := 0; j < len(text); {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, retry = i, j
			i++
		case i < len(pattern) && pattern[i] == '?':
			i++
			j += width(text[j:])
		case i < len(pattern) && pattern[i] == text[j]:
			i++
			j++
		case star >= 0:
			retry += width(text[retry:])
			i, j = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// width returns the number of bytes of a text's first character.
func width(text string) int {
	_, bytes := utf8.DecodeRuneInString(text)
	return bytes
}

// likeAction is like, but ignores the case.
func likeAction(pattern, action string) bool {
	if strings.ContainsAny(pattern, "*?") {
		return like(strings.ToLower(pattern), strings.ToLower(action))
	}
	return strings.EqualFold(pattern, action)
}

// likeARN matches each of the six parts of an ARN separately: a * matches colons only in the last
// part.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
func likeARN(pattern, arn string) bool {
	const parts = 6
	p, a := strings.SplitN(pattern, ":", parts), strings.SplitN(arn, ":", parts)
	if len(p) != parts || len(a) != parts {
		return false
	}
	for i := range p {
		if !like(p[i], a[i]) {
			return false
		}
	}
	return true
}

// Names reports whether a statement names actions of a service on a resource, or on a part of it
// such as an object of a bucket. Its conditions may limit it further.
func (s Statement) Names(service, arn string) bool {
	ofService := func(action string) bool {
		return action == "*" || strings.HasPrefix(strings.ToLower(action), service+":")
	}
	onPart := func(pattern string) bool { return like(pattern, arn+"/") || strings.HasPrefix(pattern, arn+"/") }
	on := matches(like, s.Resource, s.NotResource, arn) || slices.ContainsFunc(s.Resource, onPart)
	return on && (slices.ContainsFunc(s.Action, ofService) || len(s.NotAction) > 0)
}

// matches reports whether a text matches an element of a statement, or does not match the element's
// opposite, which the statement may have in its place.
func matches(match func(pattern, text string) bool, element, opposite Texts, text string) bool {
	matchesText := func(pattern string) bool { return match(pattern, text) }
	return slices.ContainsFunc(element, matchesText) || len(opposite) > 0 && !slices.ContainsFunc(opposite, matchesText)
}
