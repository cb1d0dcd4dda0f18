package evaluation

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// An operator compares a condition's values with the request's.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type operator struct {
	match   func(pattern, value string) bool
	negated bool                      // it holds if no value matches, also if the request has no value
	valid   func(pattern string) bool // nil if every pattern is valid
}

var operators = func() map[string]operator {
	equal := func(pattern, value string) bool { return pattern == value }
	all := map[string]operator{}
	for name, match := range map[string]func(pattern, value string) bool{
		"String%sEquals":           equal,
		"String%sEqualsIgnoreCase": strings.EqualFold,
		"String%sLike":             like,
		"Arn%sEquals":              likeARN, // the same as Arn%sLike
		"Arn%sLike":                likeARN,
	} {
		all[fmt.Sprintf(name, "")] = operator{match: match}
		all[fmt.Sprintf(name, "Not")] = operator{match: match, negated: true}
	}
	all["Bool"] = operator{match: strings.EqualFold}
	all["IpAddress"] = operator{match: inNetwork, valid: isNetwork}
	all["NotIpAddress"] = operator{match: inNetwork, valid: isNetwork, negated: true}
	return all
}()

// network returns the network of a condition on an address. An address is the network of itself
// only.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
func network(pattern string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(pattern); err == nil {
		return address.Prefix(address.BitLen())
	}
	return netip.ParsePrefix(pattern)
}

func isNetwork(pattern string) bool {
	_, err := network(pattern)
	return err == nil
}

func inNetwork(pattern, value string) bool {
	n, err := network(pattern)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(value)
	return err == nil && n.Contains(address.Unmap())
}

// holds reports whether all conditions of a statement hold for a request. It also names the parts
// of the statement that this package does not support: some condition operators and keys, policy
// variables, NotPrincipal. They must not allow anything: a Deny holds with them, an Allow does not.
func (s Statement) holds(q Request) (holds bool, notUnderstood []string) {
	notUnderstood = s.variables()
	if s.NotPrincipal != nil {
		notUnderstood = append(notUnderstood, "the element NotPrincipal")
	}
	holds = true
	for name, keys := range s.Condition {
		for key, patterns := range keys {
			if met, unknown := condition(name, key, patterns, q.Context); unknown != "" {
				notUnderstood = append(notUnderstood, unknown)
			} else if !met {
				holds = false
			}
		}
	}
	if s.Effect == "Allow" && len(notUnderstood) > 0 {
		holds = false
	}
	return holds, notUnderstood
}

// condition evaluates one condition. If it cannot, unknown names the part that it does not support.
// Without a value, ForAllValues holds, and ForAnyValue does not, also with IfExists: AWS refuses
// the call in the second source.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
// https://repost.aws/questions/QU9HFmDzP0QGuU-fd7rS6B7w
func condition(name, key string, patterns Texts, context map[string][]string) (holds bool, unknown string) {
	values, known := context[strings.ToLower(key)]
	if !known && strings.HasPrefix(strings.ToLower(key), encryptionContext) {
		_, known = context[encryptionContextKeys] // the request lacks the pair
	}
	if !known {
		return false, "the condition key " + key
	}
	if strings.EqualFold(key, vpcSourceIP) && len(values) > 1 {
		return inEverySubnet(name, key, patterns, values)
	}
	for _, p := range patterns {
		if strings.Contains(p, "${") {
			return false, "the policy variable in " + p
		}
	}
	if name == "Null" {
		// "true" requires that the request does not have the key.
		missing := fmt.Sprint(len(values) == 0)
		return slices.ContainsFunc(patterns, func(p string) bool { return strings.EqualFold(p, missing) }), ""
	}
	base, ifExists := strings.CutSuffix(name, "IfExists")
	base, forAny := strings.CutPrefix(base, "ForAnyValue:")
	forAll := false
	if !forAny {
		base, forAll = strings.CutPrefix(base, "ForAllValues:")
	}
	o, ok := operators[base]
	if !ok {
		return false, "the condition operator " + name
	}
	for _, p := range patterns {
		if o.valid != nil && !o.valid(p) {
			return false, fmt.Sprintf("the value %q of the condition operator %s", p, name)
		}
	}
	if len(values) == 0 {
		return !forAny && (ifExists || forAll || o.negated), ""
	}
	matches := func(v string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return o.match(p, v) })
	}
	holdsFor := func(v string) bool { return matches(v) != o.negated }
	switch {
	case forAny:
		return slices.ContainsFunc(values, holdsFor), ""
	case forAll:
		return !slices.ContainsFunc(values, func(v string) bool { return !holdsFor(v) }), ""
	default:
		return slices.ContainsFunc(values, matches) != o.negated, ""
	}
}

// inEverySubnet evaluates a condition on the address of a function with several subnets. The
// function's instances are in any of them, so the condition must be the same for each address.
func inEverySubnet(name, key string, patterns Texts, addresses []string) (holds bool, unknown string) {
	for i, address := range addresses {
		inThis, unknown := condition(name, key, patterns, map[string][]string{vpcSourceIP: {address}})
		if unknown != "" {
			return false, unknown
		}
		if i > 0 && inThis != holds {
			return false, "the condition key " + key + " of a function whose subnets differ in it"
		}
		holds = inThis
	}
	return holds, ""
}

// variables names the policy variables in a statement's resources.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (s Statement) variables() (names []string) {
	for _, patterns := range []Texts{s.Resource, s.NotResource} {
		for _, pattern := range patterns {
			if strings.Contains(pattern, "${") {
				names = append(names, "the policy variable in "+pattern)
			}
		}
	}
	return names
}
