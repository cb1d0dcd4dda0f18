// Package settings reads a program's settings: one object of its configuration, strictly.
package settings

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

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// key is the one of the project's configuration that holds its settings.
const key = "settings"

// Load reads <project>:settings of Pulumi.<stack>.yaml into a struct that holds the defaults, and checks it for the region that is
// configured beside it. needed says what has no default. Errors name the file and, as far as check does, the key, the value and what is allowed.
func Load(ctx *pulumi.Context, into any, needed string, check func(region string) error) error {
	region, err := config.Try(ctx, "aws:region")
	if err != nil {
		return fmt.Errorf("reading Pulumi.%s.yaml: aws:region is missing", ctx.Stack())
	}
	name := ctx.Project() + ":" + key
	err = decode(config.Get(ctx, name), into, needed)
	if err == nil {
		err = check(region)
	}
	if err != nil {
		return fmt.Errorf("reading Pulumi.%s.yaml: %s: %w", ctx.Stack(), name, err)
	}
	return nil
}

func decode(text string, into any, needed string) error {
	if text == "" {
		return errors.New("is missing: " + needed)
	}
	var value any
	err := json.Unmarshal([]byte(text), &value)
	if number := (*json.UnmarshalTypeError)(nil); errors.As(err, &number) {
		return fmt.Errorf("has the %s, which is beyond all measure", number.Value)
	}
	if err != nil {
		return fmt.Errorf("is not an object: %w", err)
	}
	if err := check(value, reflect.TypeOf(into).Elem(), ""); err != nil {
		return err
	}
	// Read is what was checked. The text may say a key twice, and what its first value says is not checked.
	checked, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(checked, into)
}

// maxWhole is beyond the whole numbers that JSON's readers agree on: https://www.rfc-editor.org/rfc/rfc8259#section-6.
const maxWhole = 1 << 53

// check holds that a value is of a type, down to its last part. Its error names the key, the value and what is allowed, which
// encoding/json's does not: it names an unknown key without where it stands, and of a wrong value only its type.
func check(value any, t reflect.Type, path string) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		object, ok := value.(map[string]any)
		if !ok {
			return wrong(path, value, "an object")
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
			return wrong(path, value, "a text")
		}
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			return wrong(path, value, "true or false")
		}
	case reflect.Int:
		if n, ok := value.(float64); !ok || n != math.Trunc(n) || math.Abs(n) >= maxWhole {
			return wrong(path, value, "a whole number")
		}
	case reflect.Float64:
		if _, ok := value.(float64); !ok {
			return wrong(path, value, "a number")
		}
	default:
		panic(fmt.Sprintf("settings: %s is of type %v, which is not checked", path, t))
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

// readable is a key as it is, or quoted if it would not be one word of a line.
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
