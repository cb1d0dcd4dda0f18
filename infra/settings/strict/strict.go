// Package strict decodes JSON objects. Unknown keys and wrong values are errors that name the key.
// The package does not import Pulumi, so that its fuzz target is small and built quickly.
package strict

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decode reads a JSON object into a struct that holds the defaults. An error continues a sentence
// that begins with the name of the object.
func Decode(text string, into any) error {
	var value any
	err := json.Unmarshal([]byte(text), &value)
	if number := (*json.UnmarshalTypeError)(nil); errors.As(err, &number) {
		return fmt.Errorf("has the %s, which is too large", number.Value)
	}
	if err != nil {
		return fmt.Errorf("is not an object: %w", err)
	}
	if err := check(value, reflect.TypeOf(into).Elem(), ""); err != nil {
		return err
	}
	// The text may have a key twice, and value holds only the last one. So this decodes the value
	// that was checked, and not the text.
	checked, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(checked, into)
}

// A Worded value is an object, or one word in its place. Its type has to unmarshal both.
type Worded interface{ Word() string }

// maxInteger is the first integer beyond those that every JSON reader reads exactly:
// https://www.rfc-editor.org/rfc/rfc8259#section-6.
const maxInteger = 1 << 53

// check compares a value and its parts with a type. Its errors name the path of the key, the value
// and the allowed values. The errors of encoding/json do not: they name an unknown key without its
// path, and only the type of a wrong value.
func check(value any, t reflect.Type, path string) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	want := "an object"
	if w, ok := reflect.Zero(t).Interface().(Worded); ok {
		if value == w.Word() {
			return nil
		}
		want += fmt.Sprintf(" or %q", w.Word())
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		object, ok := value.(map[string]any)
		if !ok {
			return wrong(path, value, want)
		}
		return checkObject(object, t, path)
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			return wrong(path, value, "a list")
		}
		for i, element := range list {
			if err := check(element, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.String:
		if _, ok := value.(string); !ok {
			return wrong(path, value, "a string")
		}
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			return wrong(path, value, "true or false")
		}
	case reflect.Int:
		if n, ok := value.(float64); !ok || n != math.Trunc(n) || math.Abs(n) >= maxInteger {
			return wrong(path, value, "an integer")
		}
	case reflect.Float64:
		if _, ok := value.(float64); !ok {
			return wrong(path, value, "a number")
		}
	default:
		panic(fmt.Sprintf("strict: %s has the type %v, which check does not know", path, t))
	}
	return nil
}

func checkObject(object map[string]any, t reflect.Type, path string) error {
	known := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if name := t.Field(i).Tag.Get("json"); name != "-" {
				known[name] = t.Field(i).Type
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		at := strings.TrimPrefix(path+"."+readable(key), ".")
		of, ok := known[key]
		if t.Kind() == reflect.Map {
			of, ok = t.Elem(), true
		}
		if !ok {
			return fmt.Errorf("%s is unknown: want one of %s", at, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if err := check(object[key], of, at); err != nil {
			return err
		}
	}
	return nil
}

// readable returns a key, quoted if it is empty or has characters that would break the line.
func readable(key string) string {
	if quoted := strconv.Quote(key); key == "" || quoted != `"`+key+`"` {
		return quoted
	}
	return key
}

func wrong(path string, value any, want string) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s is %s: want %s", cmp.Or(path, "it"), text, want)
}
