// Package mutant switches mistakes on and off in one build of the program. The overlay of the test
// calls it from the sources that have mistakes; the sources in the repository do not.
package mutant

import "reflect"

// active is the number of the mistake that is switched on; -1 is none. Nobody changes it while a
// program is recorded.
var active = -1

// On reports whether a mistake is switched on.
func On(n int) bool { return n == active }

// swaps exchange the values of variables, by mistake.
var swaps = map[int][]func(){}

// Swap makes a mistake in the value of a variable of a package.
func Swap[T any](n int, variable *T, wrong T) {
	swaps[n] = append(swaps[n], func() { *variable, wrong = wrong, *variable })
}

// tags are the wrong tags of struct fields, by mistake and field.
var tags = map[int]map[string]reflect.StructTag{}

// SetTag makes a mistake in the tag of a field.
func SetTag(n int, structName, field, tag string) {
	if tags[n] == nil {
		tags[n] = map[string]reflect.StructTag{}
	}
	tags[n][structName+"."+field] = reflect.StructTag(tag)
}

// Field returns a field of a struct with its wrong tag, if the mistake is switched on.
func Field(t reflect.Type, i int) reflect.StructField {
	field := t.Field(i)
	if tag, wrong := tags[active][t.Name()+"."+field.Name]; wrong {
		field.Tag = tag
	}
	return field
}

// Make switches a mistake on, and returns a function that switches it off.
func Make(n int) (undo func()) {
	exchange := func() {
		for _, swap := range swaps[n] {
			swap()
		}
	}
	exchange()
	active = n
	return func() {
		exchange()
		active = -1
	}
}
