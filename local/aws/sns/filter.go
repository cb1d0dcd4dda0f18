package sns

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"restock/local/aws/sqs"
)

// A filter is a subscription's filter policy. For each of its keys, at least one condition must
// hold.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
type filter []filterKey

// filterKey is a message attribute or a path into the message's body, with its conditions.
type filterKey struct {
	path  []string
	rules []any       // as in the policy
	anyOf []condition // the parsed rules
}

// condition reports whether a message's values for a key satisfy it. A missing key has no values.
type condition func(values []any) bool

// The limits of a filter policy.
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
const (
	maxFilterKeys         = 5
	maxFilterCombinations = 150
	maxFilterNumber       = 1e9
)

// parseFilter parses a policy. A policy for message bodies may have nested keys.
func parseFilter(policy string, scope FilterPolicyScope) (filter, error) {
	var object map[string]any
	if err := json.Unmarshal([]byte(policy), &object); err != nil || object == nil {
		return nil, fmt.Errorf("the policy is not a JSON object")
	}
	f, err := parseKeys(nil, object, scope)
	if err != nil {
		return nil, err
	}
	combinations := 1
	for _, key := range f { // stops early: the product of many keys overflows an int
		combinations = min(combinations*len(key.anyOf)*len(key.path), maxFilterCombinations+1)
	}
	switch {
	case len(f) > maxFilterKeys:
		return nil, fmt.Errorf("the policy has %d keys: %d are permissible", len(f), maxFilterKeys)
	case combinations > maxFilterCombinations:
		return nil, fmt.Errorf("the policy is too complex: it has more combinations than %d, which are permissible",
			maxFilterCombinations)
	}
	return f, nil
}

func parseKeys(path []string, object map[string]any, scope FilterPolicyScope) (f filter, err error) {
	for name, value := range object {
		path := append(slices.Clip(path), name)
		at := strings.Join(path, ".")
		if name == "$or" {
			return nil, fmt.Errorf("%s is not available in the local run", at)
		}
		switch value := value.(type) {
		case []any:
			key := filterKey{path: path, rules: value}
			for _, rule := range value {
				c, err := parseCondition(rule)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", at, err)
				}
				key.anyOf = append(key.anyOf, c)
			}
			if len(key.anyOf) == 0 {
				return nil, fmt.Errorf("%s: empty arrays are not allowed", at)
			}
			f = append(f, key)
		case map[string]any:
			if scope != MessageBody {
				return nil, fmt.Errorf("%s: the scope MessageAttributes does not support nested keys", at)
			}
			nested, err := parseKeys(path, value, scope)
			if err != nil {
				return nil, err
			}
			f = append(f, nested...)
		default:
			return nil, fmt.Errorf("%s: it must be an array of conditions", at)
		}
	}
	return f, nil
}

func parseCondition(rule any) (condition, error) {
	object, isObject := rule.(map[string]any)
	if !isObject {
		if _, isArray := rule.([]any); isArray {
			return nil, fmt.Errorf("match value must be a string, a number, true, false or null")
		}
		return some(equal(rule)), nil
	}
	if len(object) != 1 {
		return nil, fmt.Errorf("only one key is allowed in a match expression")
	}
	for operator, operand := range object {
		if operator == "exists" {
			want, ok := operand.(bool)
			if !ok {
				return nil, fmt.Errorf("exists match pattern must be either true or false")
			}
			return exists(want), nil
		}
		holds, err := parseOperator(operator, operand)
		if err != nil {
			return nil, err
		}
		return some(holds), nil
	}
	panic("a map of length 1 has an entry")
}

// predicate reports whether one value satisfies a condition.
type predicate func(value any) bool

// exists(true) requires a value that is neither null nor empty; exists(false) requires no value.
// https://docs.aws.amazon.com/sns/latest/dg/attribute-key-matching.html
func exists(want bool) condition {
	if want {
		return some(func(value any) bool { return value != nil && value != "" })
	}
	return func(values []any) bool { return len(values) == 0 }
}

// some is satisfied by a message with at least one value that satisfies the predicate.
func some(p predicate) condition {
	return func(values []any) bool { return slices.ContainsFunc(values, p) }
}

// equal compares strings, numbers, booleans and null.
func equal(want any) predicate { return func(value any) bool { return value == want } }

func parseOperator(operator string, operand any) (predicate, error) {
	text, isText := operand.(string)
	switch operator {
	case "prefix", "suffix", "equals-ignore-case", "cidr":
		if !isText || text == "" {
			return nil, fmt.Errorf("%s match pattern must be a string that is not empty", operator)
		}
	}
	switch operator {
	case "prefix":
		return onText(func(value string) bool { return strings.HasPrefix(value, text) }), nil
	case "suffix":
		return onText(func(value string) bool { return strings.HasSuffix(value, text) }), nil
	case "equals-ignore-case":
		return onText(func(value string) bool { return strings.EqualFold(value, text) }), nil
	case "cidr":
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a CIDR block", text)
		}
		return onText(func(value string) bool {
			address, err := netip.ParseAddr(value)
			return err == nil && network.Contains(address)
		}), nil
	case "numeric":
		return parseNumeric(operand)
	case "anything-but":
		return parseAnythingBut(operand)
	default:
		return nil, fmt.Errorf("unrecognized match type %s", operator)
	}
}

func onText(holds func(string) bool) predicate {
	return func(value any) bool {
		text, ok := value.(string)
		return ok && holds(text)
	}
}

// parseAnythingBut accepts a string or number, a list of them, or {"prefix": …} or {"suffix": …}.
func parseAnythingBut(operand any) (predicate, error) {
	var excluded predicate
	switch operand := operand.(type) {
	case string, float64:
		excluded = equal(operand)
	case []any:
		for _, value := range operand {
			switch value.(type) {
			case string, float64:
			default:
				return nil, fmt.Errorf("anything-but list must hold strings or numbers")
			}
		}
		if len(operand) == 0 {
			return nil, fmt.Errorf("anything-but list is empty")
		}
		excluded = func(value any) bool { return slices.Contains(operand, value) }
	case map[string]any:
		for operator, text := range operand {
			if len(operand) != 1 || operator != "prefix" && operator != "suffix" {
				return nil, fmt.Errorf("unsupported anything-but pattern: it may hold one prefix or suffix")
			}
			var err error
			if excluded, err = parseOperator(operator, text); err != nil {
				return nil, err
			}
		}
	}
	if excluded == nil {
		return nil, fmt.Errorf(
			"anything-but match pattern must be a string, a number, a list of them, a prefix or a suffix")
	}
	return func(value any) bool { return !excluded(value) }, nil
}

// parseNumeric accepts ["=", n], or one or two bounds, the lower one first: [">=", n, "<", m].
func parseNumeric(operand any) (predicate, error) {
	list, _ := operand.([]any)
	if len(list) != 2 && len(list) != 4 {
		return nil, fmt.Errorf(
			`numeric match pattern must be an operator and a number, or a range such as [">=", 0, "<", 100]`)
	}
	var bounds []func(float64) bool
	var operators string
	for i := 0; i < len(list); i += 2 {
		operator, _ := list[i].(string)
		limit, isNumber := list[i+1].(float64)
		holds, known := comparisons[operator]
		if !known || !isNumber || math.Abs(limit) > maxFilterNumber {
			return nil, fmt.Errorf(
				"numeric match pattern has %v %v: it must be =, <, <=, > or >= and a number from -1e9 to 1e9",
				list[i], list[i+1])
		}
		operators += operator[:1]
		bounds = append(bounds, func(n float64) bool { return holds(n, limit) })
	}
	if len(operators) == 2 && operators != "><" {
		return nil, fmt.Errorf("numeric match pattern must be a lower bound followed by an upper one")
	}
	return func(value any) bool {
		n, ok := value.(float64)
		return ok && !slices.ContainsFunc(bounds, func(holds func(float64) bool) bool { return !holds(n) })
	}, nil
}

var comparisons = map[string]func(n, limit float64) bool{
	"=":  func(n, limit float64) bool { return n == limit },
	"<":  func(n, limit float64) bool { return n < limit },
	"<=": func(n, limit float64) bool { return n <= limit },
	">":  func(n, limit float64) bool { return n > limit },
	">=": func(n, limit float64) bool { return n >= limit },
}

// matches reports whether each key has a satisfied condition. valuesAt returns the values of a key.
func (f filter) matches(valuesAt func(path []string) []any) bool {
	for _, key := range f {
		values := valuesAt(key.path)
		if !slices.ContainsFunc(key.anyOf, func(c condition) bool { return c(values) }) {
			return false
		}
	}
	return true
}

// matchesAttributes reports whether the policy accepts the attributes. It never accepts a message
// without attributes, even if the policy requires that an attribute does not exist.
func (f filter) matchesAttributes(attributes map[string]sqs.MessageAttribute) bool {
	return len(attributes) > 0 && f.matches(func(path []string) []any {
		a, ok := attributes[path[0]]
		if !ok {
			return nil
		}
		return attributeValues(a)
	})
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
	return f.matches(func(path []string) []any { return valuesUnder(object, path) })
}

// valuesUnder collects the values at a path. Where the path meets an array, it follows each
// element.
func valuesUnder(node any, path []string) (values []any) {
	switch node := node.(type) {
	case []any:
		for _, element := range node {
			values = append(values, valuesUnder(element, path)...)
		}
		return values
	case map[string]any:
		if len(path) == 0 {
			return nil // conditions apply to leaves only
		}
		next, ok := node[path[0]]
		if !ok {
			return nil
		}
		return valuesUnder(next, path[1:])
	default:
		if len(path) > 0 {
			return nil
		}
		return []any{node}
	}
}
