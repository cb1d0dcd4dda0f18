package sns

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The limits of a filter policy.
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
const (
	maxFilterKeys         = 5
	maxFilterCombinations = 150
	maxFilterNumber       = 1e9
)

// A policyError is a text with which AWS refuses a policy. It may begin with a capital letter.
type policyError string

func (e policyError) Error() string { return string(e) }

const (
	errTooComplex policyError = "Filter policy is too complex"
	errTooMany    policyError = "Filter policy can not have more than 5 keys"
	// errNested is the one refusal that does not begin with "FilterPolicy: ".
	errNested policyError = "Filter policy scope MessageAttributes does not support nested filter policy"
)

// parseFilter compiles a policy. Its errors have the texts of AWS, which come from
// https://github.com/aws/event-ruler.
func parseFilter(policy string, scope FilterPolicyScope) (filter, error) {
	f, root, nested, err := compile(policy)
	switch {
	case err != nil:
		return nil, err
	case scope != MessageBody && nested:
		return nil, errNested
	case countKeys(root) > maxFilterKeys:
		return nil, errTooMany
	case f.combinations() > maxFilterCombinations:
		return nil, errTooComplex
	}
	return f, nil
}

// compile compiles a policy without the limits of SNS.
func compile(policy string) (f filter, root *node, nested bool, err error) {
	root, source, err := parseJSON(policy)
	if err != nil {
		return nil, nil, false, err
	}
	c := policyCompiler{source: source}
	if root.kind != '{' {
		return nil, nil, false, c.refuse(root.at, "Filter is not an object")
	}
	f, err = c.object(root, nil, nil)
	return f, root, c.nested, err
}

// A Pattern selects events of EventBridge. It has the language of filter policies, and the same
// engine at AWS: https://github.com/aws/event-ruler. The operator wildcard is missing here.
type Pattern struct{ f filter }

// ParsePattern parses a pattern.
func ParsePattern(text string) (Pattern, error) {
	f, _, _, err := compile(text)
	return Pattern{f}, err
}

// Matches reports whether an event, which is a JSON object, has the pattern.
func (p Pattern) Matches(event string) bool { return p.f.matchesBody(event) }

// countKeys counts the keys of a policy. "For a nested policy, only parent keys are counted."
// https://github.com/awsdocs/amazon-sns-developer-guide/blob/main/doc_source/subscription-filter-policy-constraints.md
func countKeys(object *node) int {
	count := 0
	for i, name := range object.names {
		if name != "$or" || !isAlternatives(object.items[i]) {
			count++
			continue
		}
		for _, alternative := range object.items[i].items {
			count += countKeys(alternative)
		}
	}
	return count
}

// combinations multiplies the conditions of an alternative's keys, and the keys' depths.
func (f filter) combinations() int {
	sum := 0
	for _, keys := range f {
		product := 1
		for _, key := range keys { // stops early: the product of many keys overflows an int
			product = min(product*len(key.anyOf)*key.depth, maxFilterCombinations+1)
		}
		sum += product
	}
	return sum
}

type policyCompiler struct {
	source string // the policy without whitespace
	nested bool   // it has nested keys
}

// refuse returns an error with AWS's text and the column where AWS's parser stands. The text shows
// at most 500 characters of the policy.
func (c *policyCompiler) refuse(column int, format string, args ...any) error {
	shown := `"` + c.source + `"`
	if runes := []rune(c.source); len(runes) > 500 {
		shown = fmt.Sprintf(`"%s"[truncated %d chars]`, string(runes[:500]), len(runes)-500)
	}
	return policyError(fmt.Sprintf("%s\n at [Source: (String)%s; line: 1, column: %d]",
		fmt.Sprintf(format, args...), shown, column))
}

// object adds the keys of an object to each alternative.
func (c *policyCompiler) object(object *node, path []string, f filter) (filter, error) {
	if len(object.items) == 0 {
		return nil, c.refuse(object.end, "Empty objects are not allowed")
	}
	if f == nil {
		f = filter{nil}
	}
	for i, name := range object.names {
		value, path := object.items[i], append(slices.Clip(path), name)
		var err error
		switch {
		case name == "$or" && isAlternatives(value):
			f, err = c.alternatives(value, path[:len(path)-1], f)
		case value.kind == '{':
			c.nested = true
			f, err = c.object(value, path, f)
		case value.kind == '[':
			var key filterKey
			if key, err = c.key(value, path); err == nil {
				for j := range f {
					f[j] = f[j].with(key)
				}
			}
		default:
			err = c.refuse(value.at, `"%s" must be an object or an array`, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

// alternatives compiles "$or": each of its objects is added to each alternative.
func (c *policyCompiler) alternatives(or *node, path []string, f filter) (filter, error) {
	var all filter
	for _, object := range or.items {
		of, err := c.object(object, path, slices.Clone(f))
		if err != nil {
			return nil, err
		}
		if all = append(all, of...); len(all) > maxFilterCombinations {
			return nil, errTooComplex
		}
	}
	return all, nil
}

// isAlternatives reports whether the value of "$or" has alternatives. Otherwise "$or" is a key.
// https://docs.aws.amazon.com/sns/latest/dg/and-or-logic.html#or-operator
func isAlternatives(value *node) bool {
	return value.kind == '[' && len(value.items) > 1 && !slices.ContainsFunc(value.items, func(item *node) bool {
		return item.kind != '{' || slices.ContainsFunc(item.names, func(name string) bool {
			return slices.Contains(reservedNames, name)
		})
	})
}

var reservedNames = []string{
	"equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=",
}

// key compiles the array of a key's conditions.
func (c *policyCompiler) key(array *node, path []string) (filterKey, error) {
	key := filterKey{name: strings.Join(path, "."), depth: len(path)}
	if len(array.items) == 0 {
		return key, c.refuse(array.end, "Empty arrays are not allowed")
	}
	for _, rule := range array.items {
		next := condition{holds: equal(rule.value())}
		var err error
		switch rule.kind {
		case '[':
			err = c.refuse(rule.at, "Match value must be String, number, true, false, or null")
		case '{':
			next, err = c.expression(rule)
		}
		if err != nil {
			return key, err
		}
		key.rules, key.anyOf = append(key.rules, rule.value()), append(key.anyOf, next)
	}
	return key, nil
}

// expression compiles an object such as {"prefix": "a"}.
func (c *policyCompiler) expression(object *node) (condition, error) {
	if len(object.items) == 0 {
		return condition{}, c.refuse(object.end, "Match expression name not found")
	}
	operator, operand := object.names[0], object.items[0]
	var result condition
	var err error
	tooMany := "Only one key allowed in match expression"
	switch operator {
	case "exists":
		if operand.text != "true" && operand.text != "false" || operand.kind != 'n' {
			return result, c.refuse(operand.at, "exists match pattern must be either true or false.")
		}
		result = exists(operand.text == "true")
	case "prefix", "suffix", "equals-ignore-case", "cidr":
		result.holds, err = c.onText(operator, operand)
	case "numeric":
		tooMany = "Too many elements in numeric expression"
		result.holds, err = c.numeric(operand)
	case "anything-but":
		tooMany = "Too many elements in numeric expression"
		result.holds, err = c.anythingBut(operand)
	default:
		err = c.refuse(operand.at, "Unrecognized match type %s", operator)
	}
	if err == nil && len(object.items) > 1 {
		err = c.refuse(object.items[1].at, "%s", tooMany)
	}
	return result, err
}

func (c *policyCompiler) onText(operator string, operand *node) (predicate, error) {
	if operand.kind != '"' {
		name := operator
		if operator == "cidr" {
			name = "prefix" // AWS says so
		}
		return nil, c.refuse(operand.at, "%s match pattern must be a string", name)
	}
	text := operand.text
	switch operator {
	case "prefix":
		return onText(func(value string) bool { return strings.HasPrefix(value, text) }), nil
	case "suffix":
		return onText(func(value string) bool { return strings.HasSuffix(value, text) }), nil
	case "equals-ignore-case":
		return onText(func(value string) bool { return strings.EqualFold(value, text) }), nil
	default:
		return cidr(text)
	}
}

var ipAddress = regexp.MustCompile(`^([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$`)

func cidr(block string) (predicate, error) {
	address, mask, one := strings.Cut(block, "/")
	if !one || strings.Contains(mask, "/") {
		return nil, policyError("Malformed CIDR, one '/' required")
	}
	bits, err := strconv.Atoi(mask)
	switch {
	case err != nil:
		return nil, policyError("Malformed CIDR, mask bits must be an integer")
	case bits < 0:
		return nil, policyError("Malformed CIDR, mask bits must not be negative")
	case !ipAddress.MatchString(address):
		return nil, policyError("Nonstandard IP address: " + address)
	}
	ip, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return nil, policyError("Invalid IP address: " + address)
	case ip.Is4() && bits > 31:
		return nil, policyError("IPv4 mask bits must be < 32")
	case bits > 127:
		return nil, policyError("IPv6 mask bits must be < 128")
	}
	network := netip.PrefixFrom(ip, bits)
	return onText(func(value string) bool {
		ip, err := netip.ParseAddr(value)
		return err == nil && network.Contains(ip)
	}), nil
}

// anythingBut compiles a string or number, a list of them, or {"prefix": …}.
func (c *policyCompiler) anythingBut(operand *node) (predicate, error) {
	excluded := equal(operand.value())
	switch operand.kind {
	case '"', '0':
	case '[':
		strings, list := 0, operand.value().([]any)
		for _, item := range operand.items {
			switch item.kind {
			case '"':
				strings++
			case '0':
			default: // AWS adds the place twice
				err := c.refuse(item.at, "Inside anything but list, start|null|boolean is not supported.")
				return nil, c.refuse(item.at, "%s", err)
			}
		}
		if len(list) == 0 || strings > 0 && strings < len(list) {
			return nil, c.refuse(operand.end,
				"Inside anything but list, either all values are number or string, mixed type is not supported")
		}
		excluded = func(value any) bool { return slices.Contains(list, value) }
	case '{':
		if len(operand.items) == 0 {
			return nil, c.refuse(operand.end, "Anything-But expression name not found")
		}
		operator, prefix := operand.names[0], operand.items[0]
		if operator != "prefix" {
			return nil, c.refuse(prefix.at, "Unsupported anything-but pattern: %s", operator)
		}
		var err error
		if excluded, err = c.onText(operator, prefix); err != nil {
			return nil, err
		}
		switch {
		case prefix.text == "":
			return nil, c.refuse(prefix.end, "Null prefix not allowed")
		case len(operand.items) > 1:
			return nil, c.refuse(operand.items[1].at, "Only one key allowed in match expression")
		}
	default:
		return nil, c.refuse(operand.at, "Value of anything-but must be an array or single string/number value.")
	}
	return func(value any) bool { return !excluded(value) }, nil
}

// numeric compiles ["=", n], or one or two bounds, the lower one first: [">=", n, "<", m].
func (c *policyCompiler) numeric(operand *node) (predicate, error) {
	if operand.kind != '[' {
		return nil, c.refuse(operand.at, "Value of numeric must be an array.")
	}
	list := operand.items
	// at returns the column after the token at an index; behind the last element that is "]".
	at := func(i int) int {
		if i < len(list) {
			return list[i].at
		}
		return operand.end
	}
	if len(list) == 0 || list[0].kind != '"' {
		text := "]"
		if len(list) > 0 {
			text = list[0].token()
		}
		return nil, c.refuse(at(0), "Invalid member in numeric match: %s", text)
	}
	operator := list[0].text
	first, known := comparisons[operator]
	if !known {
		return nil, c.refuse(at(1), "Unrecognized numeric range operator: %s", operator)
	}
	if len(list) < 2 || list[1].kind != '0' {
		if operator == "=" {
			operator = "equals"
		}
		return nil, c.refuse(at(1), "Value of %s must be numeric", operator)
	}
	bottom := list[1].value().(float64)
	holds := func(n float64) bool { return first(n, bottom) }
	top := bottom
	if len(list) > 2 {
		if operator[0] != '>' {
			return nil, c.refuse(at(2), "Too many elements in numeric expression")
		}
		if list[2].kind != '"' {
			return nil, c.refuse(at(2), "Bad value in numeric range: %s", list[2].token())
		}
		operator = list[2].text
		if operator != "<" && operator != "<=" {
			return nil, c.refuse(list[2].end, "Bad numeric range operator: %s", operator)
		}
		if len(list) < 4 || list[3].kind != '0' {
			return nil, c.refuse(at(3), "Value of %s must be numeric", operator)
		}
		if len(list) > 4 {
			return nil, c.refuse(at(4), "Too many terms in numeric range expression")
		}
		if top = list[3].value().(float64); bottom >= top {
			return nil, c.refuse(operand.end, "Bottom must be less than top")
		}
		second := comparisons[operator]
		holds = func(n float64) bool { return first(n, bottom) && second(n, top) }
	}
	if min(bottom, top) < -maxFilterNumber || max(bottom, top) > maxFilterNumber {
		return nil, c.refuse(operand.end, "Value must be between -1.0E9 and 1.0E9, inclusive")
	}
	return func(value any) bool {
		n, isNumber := value.(float64)
		return isNumber && holds(n)
	}, nil
}

// token returns the value's first token.
func (n *node) token() string {
	if n.text == "" {
		return string(rune(n.kind))
	}
	return n.text
}

var comparisons = map[string]func(n, limit float64) bool{
	"=":  func(n, limit float64) bool { return n == limit },
	"<":  func(n, limit float64) bool { return n < limit },
	"<=": func(n, limit float64) bool { return n <= limit },
	">":  func(n, limit float64) bool { return n > limit },
	">=": func(n, limit float64) bool { return n >= limit },
}
