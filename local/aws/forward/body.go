package forward

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"restock/local/aws/awsapi"
)

// decode decodes the members of the JSON body that the struct in has.
func (q Request) decode(in any) error {
	if len(q.Body) == 0 {
		return nil
	}
	if err := json.Unmarshal(q.Body, in); err != nil {
		return awsapi.Errorf("SerializationException", "The body is not the JSON of an input.")
	}
	return unambiguous(json.NewDecoder(bytes.NewReader(q.Body)), reflect.TypeOf(in).Elem())
}

// unambiguous refuses a value in which a server may find other members than encoding/json. For
// encoding/json, the last of two equal names wins, and "tablename" is TableName too. in is the type
// of the value, or nil for a value that the model does not read. The value is valid JSON.
func unambiguous(d *json.Decoder, in reflect.Type) error {
	for in != nil && in.Kind() == reflect.Pointer {
		in = in.Elem()
	}
	token, err := d.Token()
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	switch token {
	case json.Delim('['):
		if in != nil && in.Kind() == reflect.Slice {
			in = in.Elem()
		} else {
			in = nil
		}
		for d.More() {
			if err := unambiguous(d, in); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		seen := map[string]bool{}
		for d.More() {
			token, err := d.Token()
			name, _ := token.(string)
			if err != nil || seen[name] {
				return fmt.Errorf("its body has the member %q twice", name)
			}
			seen[name] = true
			member, err := memberOf(in, name)
			if err != nil {
				return err
			}
			if err := unambiguous(d, member); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = d.Token() // the end of the list or of the object
	return err
}

// memberOf returns the type of a struct's member, or nil if the model does not read it.
func memberOf(in reflect.Type, name string) (reflect.Type, error) {
	if in == nil || in.Kind() != reflect.Struct {
		return nil, nil
	}
	for _, field := range reflect.VisibleFields(in) {
		known := cmp.Or(field.Tag.Get("json"), field.Name)
		if field.Anonymous || !strings.EqualFold(name, known) {
			continue
		}
		if name != known {
			return nil, fmt.Errorf("its body has the member %q, which may mean %q", name, known)
		}
		return field.Type, nil
	}
	return nil, nil
}
