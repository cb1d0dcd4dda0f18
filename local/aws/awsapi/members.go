package awsapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// checkMembers returns an error for a member of a JSON input that the struct has no field for.
// Names are case-sensitive, as on AWS: encoding/json would take queuename for QueueName. A value of
// a wrong type is no error here.
func checkMembers(body []byte, input any) error {
	return memberChecker{json.NewDecoder(bytes.NewReader(body))}.value(reflect.TypeOf(input))
}

type memberChecker struct{ *json.Decoder }

// value checks the next value, which is decoded into t. A nil t takes every value.
func (c memberChecker) value(t reflect.Type) error {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	token, err := c.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		for c.More() {
			if err := c.value(elementType(t)); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		for c.More() {
			name, err := c.Token()
			if err != nil {
				return err
			}
			of := elementType(t)
			if t != nil && t.Kind() == reflect.Struct {
				if of, err = memberType(t, name.(string)); err != nil {
					return err
				}
			}
			if err := c.value(of); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = c.Token() // the end of the list or the object
	return err
}

// elementType returns the type of a list's or a map's elements, or nil.
func elementType(t reflect.Type) reflect.Type {
	if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
		return t.Elem()
	}
	return nil
}

// memberType returns the type of a struct's member.
func memberType(t reflect.Type, name string) (reflect.Type, error) {
	for _, field := range reflect.VisibleFields(t) {
		written, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if written == "" {
			written = field.Name
		}
		switch {
		case field.Anonymous || !field.IsExported():
		case written == name:
			return field.Type, nil
		case strings.EqualFold(written, name):
			return nil, serializationError(fmt.Sprintf(
				"AWS ignores the member %q: names are case-sensitive, and this one is %q", name, written))
		}
	}
	return nil, serializationError(fmt.Sprintf("the local run does not implement the member %q", name))
}
