// Package mutant switches mistakes on and off in one build of a program. The sources in an overlay
// call it; the sources in the repository do not.
package mutant

import (
	"os"
	"reflect"
)

// Variable is the environment variable that names the mistake of a process.
const Variable = "RESTOCK_MUTANT"

// active is the name of the mistake that is switched on; empty is none. Nobody changes it while the
// program runs code with a mistake.
var active = os.Getenv(Variable)

// On reports whether a mistake is switched on.
func On(name string) bool { return name == active }

// swaps exchange the values of variables, by mistake.
var swaps = map[string][]func(){}

// Swap makes a mistake in the value of a variable of a package.
func Swap[T any](name string, variable *T, wrong T) {
	swap := func() { *variable, wrong = wrong, *variable }
	if On(name) {
		swap()
	}
	swaps[name] = append(swaps[name], swap)
}

// tags are the wrong tags of struct fields, by mistake and field.
var tags = map[string]map[string]reflect.StructTag{}

// SetTag makes a mistake in the tag of a field.
func SetTag(name, structName, field, tag string) {
	if tags[name] == nil {
		tags[name] = map[string]reflect.StructTag{}
	}
	tags[name][structName+"."+field] = reflect.StructTag(tag)
}

// Field returns a field of a struct with its wrong tag, if the mistake is switched on.
func Field(t reflect.Type, i int) reflect.StructField {
	field := t.Field(i)
	if tag, wrong := tags[active][t.Name()+"."+field.Name]; wrong {
		field.Tag = tag
	}
	return field
}

// Make switches a mistake on, and returns a function that switches it off. No other one is on.
func Make(name string) (undo func()) {
	exchange := func() {
		for _, swap := range swaps[name] {
			swap()
		}
	}
	exchange()
	active = name
	return func() {
		exchange()
		active = ""
	}
}
