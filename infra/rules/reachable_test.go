package rules

import "testing"

func TestPortOfAURL(t *testing.T) {
	for _, c := range []struct {
		url  string
		want int // 0 for an error
	}{
		{"https://factory.example.com", 443},
		{"http://factory.example.com", 80},
		{"http://127.0.0.1:8081", 8081},
		{"factory.example.com", 0},
		{"https://factory example.com", 0},
		{"", 0},
	} {
		if got, err := portOf(c.url); got != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%q: got %d, %v, want %d", c.url, got, err, c.want)
		}
	}
}
