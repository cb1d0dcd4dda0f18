package replay

import (
	"reflect"
	"testing"
)

func TestADiffAddsAFile(t *testing.T) {
	got, err := Diff([]string{"+++ a/b.go", "+package a", "+", "--- c.go", "-x", "+y"})
	want := []Change{{"a/b.go", "", "package a\n\n"}, {"c.go", "x\n", "y\n"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestAChangeAppliesIfItsLinesOccurOnce(t *testing.T) {
	c := Change{"a.go", "\tx\n\ty\n", "\tz\n"}
	for _, text := range []string{"", "\tx\n", "\tx\n\ty\n\tx\n\ty\n", "\t\tx\n\ty\n"} {
		if got, err := c.Apply(text); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
	if got, err := c.Apply("\tx\n\ty\nrest\n"); err != nil || got != "\tz\nrest\n" {
		t.Errorf("got %q, %v; want the lines replaced", got, err)
	}
}

func TestHasLineMatchesWholeLines(t *testing.T) {
	lines := []string{"  demo: role/stock may not read (a.go)"}
	for want, has := range map[string]bool{
		"demo: role/stock may not read (a.go)": true,
		"demo: … may not read …":               true,
		"…may not read…":                       true,
		"may not read":                         false,
		"demo: … may not write …":              false,
		"demo: role.stock may not read (a.go)": false,
	} {
		if got := HasLine(want, lines); got != has {
			t.Errorf("%q: got %v, want %v", want, got, has)
		}
	}
}
