package console

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"restock/local/aws/sqs"
)

// hidden replaces what the console does not send.
const hidden = "(hidden)"

// hiddenFields are the fields of JSON whose values the console does not send, in lower case: they
// let a reader act as somebody else, or forge a callback.
var hiddenFields = map[string]bool{
	"authorization": true, "cookie": true, "cookies": true, "set-cookie": true, "password": true,
	"signature": true, "x-amz-security-token": true, "x-amz-signature": true,
}

// signed matches a signature in a query, and the one of a signed request of AWS.
var signed = regexp.MustCompile(`(?i)(signature(?:=|%3d))[\w%+/=-]+`)

// A hider removes signatures, credentials and the values of secrets from texts.
type hider struct{ secrets *strings.Replacer }

// newHider returns a hider for the values of secrets.
func newHider(secrets []string) hider {
	var pairs []string
	for _, value := range secrets {
		pairs = append(pairs, value, hidden)
		if quoted, err := document(value); err == nil && len(quoted) > len(value)+2 { // in a text of JSON
			pairs = append(pairs, string(quoted[1:len(quoted)-1]), hidden)
		}
	}
	return hider{strings.NewReplacer(pairs...)}
}

// in returns a text without what must stay hidden. If the text is JSON, fields keep their order.
func (h hider) in(text string) string {
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		decoder := json.NewDecoder(strings.NewReader(trimmed))
		decoder.UseNumber()
		var out bytes.Buffer
		err := h.copy(&out, decoder, "")
		if _, end := decoder.Token(); err == nil && errors.Is(end, io.EOF) {
			return out.String()
		}
	}
	return h.inText(text)
}

func (h hider) inText(text string) string {
	return signed.ReplaceAllString(sqs.RedactQueries(h.secrets.Replace(text)), "${1}"+hidden)
}

// copy writes the next value of a decoder. field is the name of the field that holds the value.
func (h hider) copy(out *bytes.Buffer, decoder *json.Decoder, field string) error {
	if hiddenFields[strings.ToLower(field)] {
		var skipped json.RawMessage
		write(out, hidden)
		return decoder.Decode(&skipped)
	}
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	switch value := token.(type) {
	case string:
		write(out, h.inString(value))
		return nil
	case json.Delim:
		out.WriteString(value.String())
		for first := true; decoder.More(); first = false {
			if !first {
				out.WriteByte(',')
			}
			name := ""
			if value == '{' {
				key, err := decoder.Token()
				if err != nil {
					return err
				}
				name, _ = key.(string)
				write(out, h.inText(name))
				out.WriteByte(':')
			}
			if err := h.copy(out, decoder, name); err != nil {
				return err
			}
		}
		end, err := decoder.Token()
		if err == nil {
			out.WriteString(end.(json.Delim).String())
		}
		return err
	default: // a number, a boolean or null
		write(out, value)
		return nil
	}
}

// inString returns a string of JSON without what must stay hidden. API Gateway writes some bodies
// in base64, so a string that is base64 of a text with something to hide is hidden as a whole.
func (h hider) inString(text string) string {
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && utf8.Valid(decoded) {
		if plain := string(decoded); h.in(plain) != plain {
			return hidden
		}
	}
	return h.in(text)
}

// write writes a value as JSON.
func write(out *bytes.Buffer, value any) {
	text, err := document(value)
	if err != nil {
		return // cannot happen: all values come from JSON
	}
	out.Write(text)
}
