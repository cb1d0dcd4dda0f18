package linediff

import "testing"

func TestOnlyTheLinesThatDifferAreShown(t *testing.T) {
	for _, c := range []struct{ want, got, diff string }{
		{"a\nb", "a\nb", ""},
		{"a\nb\nc", "a\nB\nc", " a\n-b\n+B\n c\n"},
		{"a\nc", "a\nb\nc", " a\n+b\n c\n"},
		{"a\nb\nc", "a\nc", " a\n-b\n c\n"},
		{"", "a", "-\n+a\n"},
		{"1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n7", "… 2 equal lines\n 3\n 4\n 5\n-6\n+7\n"},
		{"x\na\nb\ny", "x\nb\na\ny", " x\n-a\n b\n+a\n y\n"},
	} {
		if got := Diff(c.want, c.got); got != c.diff {
			t.Errorf("%q and %q: got\n%s\nwant\n%s", c.want, c.got, got, c.diff)
		}
	}
}
