package sns

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"restock/local/aws/sqs"
)

// A filter is a subscription's filter policy. A message must satisfy all keys of one alternative; a
// policy without "$or" has one alternative.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
type filter []filterKeys

type filterKeys []filterKey

// filterKey is a message attribute or a place in the message's body, with its conditions. One of
// them must hold.
type filterKey struct {
	name  string // {"a":{"b":[…]}} and {"a.b":[…]} have the name a.b
	depth int    // 2 for {"a":{"b":[…]}}
	rules []any  // as in the policy
	anyOf []condition
}

// with returns the keys with another one, which replaces a key of the same name.
func (keys filterKeys) with(key filterKey) filterKeys {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k filterKey) bool { return k.name == key.name })
	return append(keys, key)
}

// condition says which value satisfies it, or that there must be no value.
type condition struct {
	absent bool
	holds  predicate // unless absent
}

// predicate reports whether a value satisfies a condition.
type predicate func(value any) bool

// exists(true) requires a value that is neither null nor empty; exists(false) requires no value.
// https://docs.aws.amazon.com/sns/latest/dg/attribute-key-matching.html
func exists(want bool) condition {
	return condition{absent: !want, holds: func(value any) bool { return value != nil && value != "" }}
}

// equal compares strings, numbers, booleans and null.
func equal(want any) predicate {
	switch want.(type) {
	case []any, map[string]any: // they cannot be compared
		return func(any) bool { return false }
	}
	return func(value any) bool { return value == want }
}

func onText(holds func(string) bool) predicate {
	return func(value any) bool {
		text, ok := value.(string)
		return ok && holds(text)
	}
}

// leaves are the values of a message, by the names that policies give them.
type leaves map[string][]leaf

// leaf is a scalar in a message.
type leaf struct {
	value any
	in    membership
}

// membership says in which element of which array a value is: it maps arrays to indexes.
type membership map[int]int

// with returns the membership of a value that is in both, or false if there is no such value.
func (m membership) with(other membership) (membership, bool) {
	both := maps.Clone(m)
	if both == nil {
		both = membership{}
	}
	for array, index := range other {
		if i, ok := both[array]; ok && i != index {
			return nil, false
		}
		both[array] = index
	}
	return both, true
}

// matches reports whether an alternative is satisfied.
func (f filter) matches(message leaves) bool {
	return slices.ContainsFunc(f, func(keys filterKeys) bool { return keys.match(message) })
}

// match reports whether there is a value for each key. Values within an array must be of the same
// element: {"items":{"sku":["a"],"units":[1]}} requires an item with both.
// https://github.com/aws/event-ruler#json-array-matching
func (keys filterKeys) match(message leaves) bool {
	places := make([][]membership, len(keys))
	for i, key := range keys {
		if places[i] = key.places(message[key.name]); len(places[i]) == 0 {
			return false
		}
	}
	return haveCommonPlace(places, nil)
}

// places returns where the values are that satisfy the key.
func (key filterKey) places(values []leaf) (places []membership) {
	for _, c := range key.anyOf {
		if c.absent && len(values) == 0 {
			return []membership{nil}
		}
	}
	for _, v := range values {
		satisfied := slices.ContainsFunc(key.anyOf, func(c condition) bool { return !c.absent && c.holds(v.value) })
		switch {
		case satisfied && v.in == nil:
			return []membership{nil} // in no array: no other value is better
		case satisfied:
			places = append(places, v.in)
		}
	}
	return places
}

// haveCommonPlace reports whether there is a place for each key, so that no two places are in
// different elements of an array.
func haveCommonPlace(places [][]membership, in membership) bool {
	return len(places) == 0 || slices.ContainsFunc(places[0], func(place membership) bool {
		both, ok := in.with(place)
		return ok && haveCommonPlace(places[1:], both)
	})
}

// matchesAttributes reports whether the policy accepts the attributes. It never accepts a message
// without attributes, even if the policy requires that an attribute does not exist.
func (f filter) matchesAttributes(attributes map[string]sqs.MessageAttribute) bool {
	return len(attributes) > 0 && f.matches(attributeLeaves(attributes))
}

func attributeLeaves(attributes map[string]sqs.MessageAttribute) leaves {
	all := leaves{}
	for name, a := range attributes {
		for _, value := range attributeValues(a) {
			all[name] = append(all[name], leaf{value: value})
		}
	}
	return all
}

// attributeValues returns the values that a policy compares: a text, a number, or the elements of a
// String.Array. Policies ignore binary values.
func attributeValues(a sqs.MessageAttribute) []any {
	var value any = a.StringValue
	switch {
	case strings.HasPrefix(a.DataType, "Binary"):
		return nil
	case a.DataType == "String.Array", strings.HasPrefix(a.DataType, "Number"):
		if err := json.Unmarshal([]byte(a.StringValue), &value); err != nil {
			return []any{a.StringValue}
		}
	}
	if elements, ok := value.([]any); ok {
		return elements
	}
	return []any{value}
}

// matchesBody reports whether the body is a JSON object that the policy accepts.
func (f filter) matchesBody(body string) bool {
	var object map[string]any
	if err := json.Unmarshal([]byte(body), &object); err != nil || object == nil {
		return false
	}
	return f.matches(bodyLeaves(object))
}

func bodyLeaves(object map[string]any) leaves {
	all, arrays := leaves{}, 0
	var add func(node any, name string, in membership)
	add = func(node any, name string, in membership) {
		switch node := node.(type) {
		case []any:
			arrays++
			array := arrays
			for i, element := range node {
				within, _ := in.with(membership{array: i})
				add(element, name, within)
			}
		case map[string]any:
			for member, value := range node {
				if name != "" {
					member = name + "." + member
				}
				add(value, member, in)
			}
		default:
			all[name] = append(all[name], leaf{node, in})
		}
	}
	add(object, "", nil)
	return all
}
