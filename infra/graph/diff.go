package graph

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Change is the difference of one resource between two recordings of a program.
type Change struct {
	Kind       ChangeKind
	Type       Type
	Name       string // the logical name
	Properties []PropertyChange
}

// A ChangeKind is the sign of a change in the output of pulumi preview.
type ChangeKind string

// The kinds of changes. Only a change of the kind Changed has Properties.
const (
	Created ChangeKind = "+"
	Changed ChangeKind = "~"
	Gone    ChangeKind = "-"
)

// A PropertyChange is a declared property with a new value. A value is nil if it is not declared.
type PropertyChange struct {
	Path     string // like visibilityTimeoutSeconds or policy.Statement[1].Action[0]
	Old, New any
}

// Diff compares the inputs of two graphs, and not their outputs. It finds the older declaration of
// a resource by its URN or an alias.
func Diff(old, new *Graph) []Change {
	var changes []Change
	kept := map[*Resource]bool{}
	for _, r := range new.Resources {
		before := old.ByURN(r.URN)
		for _, alias := range r.Aliases {
			before = cmp.Or(before, old.ByURN(alias))
		}
		kept[before] = true
		if before == nil {
			changes = append(changes, change(Created, r))
			continue
		}
		c := change(Changed, r)
		c.Properties = compareMaps("", before.Inputs, r.Inputs)
		if before.Protect != r.Protect {
			c.Properties = append(c.Properties, PropertyChange{"protect", before.Protect, r.Protect})
		}
		if len(c.Properties) > 0 {
			changes = append(changes, c)
		}
	}
	for _, r := range old.Resources {
		if !kept[r] {
			changes = append(changes, change(Gone, r))
		}
	}
	return changes
}

func change(kind ChangeKind, r *Resource) Change {
	return Change{Kind: kind, Type: r.Type, Name: r.Name}
}

// Lines describes a change in one line, or in one line for each property.
func (c Change) Lines() []string {
	head := fmt.Sprintf("%s %s %s", c.Kind, c.Type, c.Name)
	if len(c.Properties) == 0 {
		return []string{head}
	}
	var lines []string
	for _, p := range c.Properties {
		lines = append(lines, fmt.Sprintf("%s: %s %s → %s", head, p.Path, shown(p.Old), shown(p.New)))
	}
	return lines
}

// Lines describes all changes.
func Lines(changes []Change) []string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, c.Lines()...)
	}
	return lines
}

// maxShown is the largest number of characters of a value in a line. A dashboard, for example, has
// thousands.
const maxShown = 160

func shown(value any) string {
	if value == nil {
		return "(none)"
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	characters := []rune(strings.TrimSuffix(text.String(), "\n"))
	if len(characters) > maxShown {
		return string(characters[:maxShown-1]) + "…"
	}
	return string(characters)
}

// compare compares the parts of objects and lists. It also compares the parts of JSON documents,
// such as policies, that are declared as text.
func compare(path string, old, new any) []PropertyChange {
	if reflect.DeepEqual(old, new) {
		return nil
	}
	a, b := document(old), document(new)
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			return compareMaps(path+".", a, b)
		}
	case []any:
		if b, ok := b.([]any); ok {
			return compareLists(path, a, b)
		}
	}
	if reflect.DeepEqual(a, b) {
		return nil // the same document with other spaces or another order of keys
	}
	return []PropertyChange{{path, old, new}}
}

func compareMaps(prefix string, old, new map[string]any) (changes []PropertyChange) {
	keys := slices.Collect(maps.Keys(old))
	for key := range new {
		if _, both := old[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		changes = append(changes, compare(prefix+key, old[key], new[key])...)
	}
	return changes
}

// compareLists skips the common beginning and end of two lists, so that a new element in the middle
// is one change.
func compareLists(path string, old, new []any) (changes []PropertyChange) {
	begin := 0
	for begin < min(len(old), len(new)) && reflect.DeepEqual(old[begin], new[begin]) {
		begin++
	}
	end := 0
	for end < min(len(old), len(new))-begin && reflect.DeepEqual(old[len(old)-1-end], new[len(new)-1-end]) {
		end++
	}
	old, new = old[begin:len(old)-end], new[begin:len(new)-end]
	for i := range max(len(old), len(new)) {
		at := fmt.Sprintf("%s[%d]", path, begin+i)
		switch {
		case i >= len(old):
			changes = append(changes, PropertyChange{at, nil, new[i]})
		case i >= len(new):
			changes = append(changes, PropertyChange{at, old[i], nil})
		default:
			changes = append(changes, compare(at, old[i], new[i])...)
		}
	}
	return changes
}

// document returns the object or list in a JSON text. It returns any other value unchanged.
func document(value any) any {
	text, isText := value.(string)
	if !isText || !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return value
	}
	var d any
	if json.Unmarshal([]byte(text), &d) != nil {
		return value
	}
	return d
}
