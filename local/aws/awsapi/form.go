package awsapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

// decodeForm decodes a form of the query protocol into the struct that input points to. The form
// names members like the protocol's XML, with dots. So a field's xml tag works for both: with the
// tag "MessageAttributes>entry", a slice takes MessageAttributes.entry.1, .2 and so on, and a
// struct's fields follow after another dot. A FlatMap with the tag "Attribute" takes
// Attribute.1.Name, Attribute.1.Value and so on. Fields are strings, booleans, integers, byte
// slices (base64), structs, pointers to these, and slices and maps of these. The fields of an
// embedded struct belong to the outer struct. decodeForm rejects a parameter without a field,
// because the stand-in does not implement it.
func decodeForm(form url.Values, input any) error {
	d := newFormDecoder(form)
	if err := d.structure("", reflect.ValueOf(input).Elem()); err != nil {
		return err
	}
	for name := range form {
		if !d.used[name] {
			return formError(fmt.Sprintf("The local run does not implement the parameter %s.", name))
		}
	}
	return nil
}

// peekForm decodes only the parameters that have a field in input.
func peekForm(form url.Values, input any) error {
	d := newFormDecoder(form)
	return d.structure("", reflect.ValueOf(input).Elem())
}

type formDecoder struct {
	form url.Values
	used map[string]bool
}

func newFormDecoder(form url.Values) formDecoder {
	return formDecoder{form: form, used: map[string]bool{"Action": true, "Version": true}}
}

func (d *formDecoder) structure(prefix string, v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("xml"), ",")
		switch {
		case field.Anonymous:
			if err := d.structure(prefix, v.Field(i)); err != nil {
				return err
			}
			continue
		case name == "":
			name = field.Name
		}
		if err := d.value(prefix+strings.ReplaceAll(name, ">", "."), v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func (d *formDecoder) value(name string, v reflect.Value) error {
	switch {
	case v.Kind() == reflect.Pointer && d.has(name):
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(name, v.Elem())
	case v.Kind() == reflect.Struct:
		return d.structure(name+".", v)
	case v.Kind() == reflect.Map:
		return d.entries(name, v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		return d.list(name, v)
	case d.form.Has(name):
		d.used[name] = true
		return d.scalar(name, d.form.Get(name), v)
	default:
		return nil
	}
}

func (d *formDecoder) list(name string, v reflect.Value) error {
	// An empty list is written as "MessageAttributes=", without the entries' part.
	if outer := strings.TrimSuffix(strings.TrimSuffix(name, ".member"), ".entry"); d.form.Get(outer) == "" {
		d.used[outer] = true
	}
	for n := 1; d.has(fmt.Sprintf("%s.%d", name, n)); n++ {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(fmt.Sprintf("%s.%d", name, n), item); err != nil {
			return err
		}
		v.Set(reflect.Append(v, item))
	}
	return nil
}

func (d *formDecoder) entries(name string, v reflect.Value) error {
	for n := 1; d.has(fmt.Sprintf("%s.%d", name, n)); n++ {
		entry := fmt.Sprintf("%s.%d.", name, n)
		value := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(entry+"Value", value); err != nil {
			return err
		}
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		key := entry + "Name"
		if d.form.Has(entry + "Key") { // in a tag
			key = entry + "Key"
		}
		d.used[key] = true
		v.SetMapIndex(reflect.ValueOf(d.form.Get(key)), value)
	}
	return nil
}

// has reports whether the form contains the name or one of its members.
func (d *formDecoder) has(name string) bool {
	if d.form.Has(name) {
		return true
	}
	for key := range d.form {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

func (d *formDecoder) scalar(name, text string, v reflect.Value) error {
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case reflect.Int:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
	case reflect.Slice:
		var b []byte
		b, err = base64.StdEncoding.DecodeString(text)
		v.SetBytes(b)
	default:
		panic(fmt.Sprintf("awsapi: parameter %s: the query protocol has no type for %s", name, v.Type()))
	}
	if err != nil {
		return formError(fmt.Sprintf("The parameter %s is not a valid %s.", name, v.Type()))
	}
	return nil
}

func formError(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidParameter", Message: message}
}
