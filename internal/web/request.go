package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// The longest bodies that ReadObject and ReadLongObject read, in bytes.
const (
	maxBody     = 16 << 10
	maxLongBody = 128 << 10
)

// A field is a field that a request's body may have.
type field struct {
	name     string
	into     any // a pointer to a string, an integer or a bool, or to a pointer to one of them
	required bool
	code     shop.Code // code of the error about a value of another type
}

// fieldsOf returns the fields of the struct that into points to.
func fieldsOf(into any) (fields []field) {
	v := reflect.ValueOf(into).Elem()
	for f, value := range v.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, field{
			name: name, into: value.Addr().Interface(), required: f.Tag.Get("required") == "true",
			code: cmp.Or(shop.Code(f.Tag.Get("code")), shop.CodeInvalidRequest),
		})
	}
	return fields
}

// ReadObject reads a request's body, a JSON object, into the struct that into points to. An empty
// body is an object without fields. An unknown field, a repeated field, null, a value of the wrong
// type and a missing required field are errors that name the field. They have CodeInvalidRequest.
//
// The struct's fields are strings, integers and bools, or pointers to them. The tag json is the
// name of a field. A field with the tag required:"true" is required. The tag code replaces the code
// of the error about a value of the wrong type.
func ReadObject(w http.ResponseWriter, r *http.Request, into any) error {
	return readBody(w, r, into, maxBody)
}

// ReadLongObject is ReadObject for a body with the text of a file.
func ReadLongObject(w http.ResponseWriter, r *http.Request, into any) error {
	return readBody(w, r, into, maxLongBody)
}

func readBody(w http.ResponseWriter, r *http.Request, into any, limit int64) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return unreadable("the body is longer than %d bytes", limit)
	}
	if err != nil {
		return unreadable("the body cannot be read: %v", err)
	}
	if !utf8.Valid(body) {
		return unreadable("the body is not UTF-8")
	}
	fields, seen := fieldsOf(into), map[string]bool{}
	if len(bytes.TrimSpace(body)) > 0 {
		if err := readObject(body, fields, seen); err != nil {
			return err
		}
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			return unreadable("the field %s is missing: the body is a JSON object with %s", f.name, nameAll(fields))
		}
	}
	return nil
}

func readObject(body []byte, fields []field, seen map[string]bool) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	notAnObject := func(why string) error { return unreadable("the body is not a JSON object: %s", why) }
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return notAnObject("it does not begin with {")
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return notAnObject(err.Error())
		}
		name, _ := token.(string) // the key of an object is always a string
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		switch {
		case at < 0:
			return unreadable("there is no field %.40q: there are %s", name, nameAll(fields))
		case seen[name]:
			return unreadable("the field %s appears twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return notAnObject(err.Error())
		}
		if string(value) == "null" || json.Unmarshal(value, fields[at].into) != nil {
			return &shop.Error{
				Code:   fields[at].code,
				Detail: fmt.Sprintf("the field %s is %.40s: it must be %s", name, value, kindOf(fields[at].into)),
			}
		}
	}
	if _, err := decoder.Token(); err != nil {
		return notAnObject(err.Error())
	}
	if _, err := decoder.Token(); err != io.EOF {
		return notAnObject("there is more after its end")
	}
	return nil
}

// kindOf describes the values that can be read into a pointer.
func kindOf(into any) string {
	t := reflect.TypeOf(into)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	default:
		return fmt.Sprintf("an integer from -2^%d to 2^%[1]d-1", t.Bits()-1)
	}
}

func nameAll(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

// ReadQuery reads a request's parameters. An unknown parameter, a repeated one and one without a
// value are errors with CodeInvalidRequest that name the parameter.
func ReadQuery(r *http.Request, known ...string) (map[string]string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, unreadable("the parameters cannot be read: %v", err)
	}
	query := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(values)) { // if two are wrong, always report the same one
		value := values[name]
		switch {
		case !slices.Contains(known, name):
			return nil, unreadable("there is no parameter %.40q: there are %s", name,
				cmp.Or(strings.Join(known, ", "), "none"))
		case len(value) > 1:
			return nil, unreadable("the parameter %s appears twice", name)
		case value[0] == "":
			return nil, unreadable("the parameter %s has no value", name)
		}
		query[name] = value[0]
	}
	return query, nil
}

func unreadable(format string, args ...any) error {
	return &shop.Error{Code: shop.CodeInvalidRequest, Detail: fmt.Sprintf(format, args...)}
}

// ParseID reads an id in the form in which answers have it. Upper-case digits are the same as
// lower-case ones (RFC 9562, section 4). It refuses the other forms that uuid.Parse accepts:
// openapi.json has no such ids.
func ParseID(text string) (id uuid.UUID, ok bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && len(text) == len(id.String())
}
