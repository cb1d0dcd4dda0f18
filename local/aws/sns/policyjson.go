package sns

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// AWS's refusals of a policy say where its parser stood: "line: 1, column: 22". The parser has read
// the first token of the next value by then, and of a string only the quotation mark. The columns
// count in the policy without whitespace, because SNS writes a policy anew before it compiles it.
// The recorded texts in test/conformance show both.

// node is a value of a policy's JSON.
type node struct {
	kind byte   // '{', '[', '"', '0' for a number, or 'n' for null, true and false
	text string // the text of a string, or the token of another scalar

	names []string // of an object's members; items has their values
	items []*node

	at  int // the column after the first token, or after the opening quotation mark
	end int // the column after the value
}

// parseJSON parses a text. source is the text without whitespace and repeated members.
func parseJSON(text string) (root *node, source string, err error) {
	var valid any
	if err := json.Unmarshal([]byte(text), &valid); err != nil {
		return nil, "", policyError("failed to parse JSON. " + jsonRefusal(text, err))
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if root, err = readNode(decoder); err != nil {
		return nil, "", err
	}
	var b strings.Builder
	root.write(&b, 1)
	return root, b.String(), nil
}

func readNode(decoder *json.Decoder) (*node, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delimiter, isDelimiter := token.(json.Delim)
	if !isDelimiter {
		return scalarNode(token), nil
	}
	n := &node{kind: byte(delimiter)}
	members := map[string]int{}
	for decoder.More() {
		var name string
		if delimiter == '{' {
			token, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			name = token.(string)
		}
		value, err := readNode(decoder)
		if err != nil {
			return nil, err
		}
		if i, repeated := members[name]; repeated && delimiter == '{' {
			n.items[i] = value
			continue
		}
		members[name] = len(n.items)
		n.names, n.items = append(n.names, name), append(n.items, value)
	}
	_, err = decoder.Token() // the closing delimiter
	return n, err
}

func scalarNode(token json.Token) *node {
	switch t := token.(type) {
	case string:
		return &node{kind: '"', text: t}
	case json.Number:
		return &node{kind: '0', text: t.String()}
	case bool:
		return &node{kind: 'n', text: strconv.FormatBool(t)}
	default:
		return &node{kind: 'n', text: "null"}
	}
}

// write writes the value and returns the column after it. column is where the value begins.
func (n *node) write(b *strings.Builder, column int) int {
	put := func(text string) {
		b.WriteString(text)
		column += len(utf16.Encode([]rune(text)))
	}
	switch n.kind {
	case '{', '[':
		put(string(rune(n.kind)))
		n.at = column
		for i, item := range n.items {
			if i > 0 {
				put(",")
			}
			if n.kind == '{' {
				put(jsonText(n.names[i]) + ":")
			}
			column = item.write(b, column)
		}
		put(string(rune(n.kind + 2))) // '}' or ']'
	case '"':
		n.at = column + 1
		put(jsonText(n.text))
	default:
		put(n.text)
		n.at = column
	}
	n.end = column
	return column
}

// value returns the value as json.Unmarshal does.
func (n *node) value() any {
	switch n.kind {
	case '{':
		object := map[string]any{}
		for i, name := range n.names {
			object[name] = n.items[i].value()
		}
		return object
	case '[':
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.value()
		}
		return list
	case '"':
		return n.text
	default:
		var value any
		_ = json.Unmarshal([]byte(n.text), &value) // parseJSON has checked it
		return value
	}
}

// jsonRefusal describes an error of encoding/json with the text of AWS's parser.
func jsonRefusal(text string, err error) string {
	const source = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); " +
		"line: %d, column: %d]"
	refuse := func(offset int, format string, args ...any) string {
		before := text[:offset]
		return fmt.Sprintf(format, args...) + fmt.Sprintf(source, 1+strings.Count(before, "\n"),
			1+utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]))
	}
	var syntax *json.SyntaxError
	switch {
	case !errors.As(err, &syntax):
		return refuse(len(text), "Numeric value out of range")
	case strings.HasPrefix(syntax.Error(), "unexpected end"):
		return refuse(len(text), "Unexpected end-of-input")
	}
	offset := int(syntax.Offset) - 1
	if strings.Contains(syntax.Error(), "in literal") { // the parser names the complete token
		offset = strings.LastIndexFunc(text[:offset], func(r rune) bool { return !isIdentifier(r) }) + 1
	}
	character, _ := utf8.DecodeRuneInString(text[offset:])
	const value = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	expected := "expected a valid value " + value
	for context, was := range map[string]string{
		"beginning of object key string": "was expecting double-quote to start field name",
		"after object key:value pair":    "was expecting comma to separate Object entries",
		"after array element":            "was expecting comma to separate Array entries",
	} {
		if strings.Contains(syntax.Error(), context) {
			return refuse(offset, "Unexpected character ('%c' (code %d)): %s", character, character, was)
		}
	}
	if strings.HasSuffix(syntax.Error(), "after object key") {
		expected = "was expecting a colon to separate field name and value"
	} else if isIdentifier(character) {
		token := text[offset:]
		if end := strings.IndexFunc(token, func(r rune) bool { return !isIdentifier(r) }); end >= 0 {
			token = token[:end]
		}
		return refuse(offset+len(token), "Unrecognized token '%s': was expecting %s", token, value)
	}
	return refuse(offset, "Unexpected character ('%c' (code %d)): %s", character, character, expected)
}

func isIdentifier(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '$'
}
