package model

import (
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
)

// TestTheProtocolKeepsItsRules explores small bounds: "make model" explores larger ones. Every step
// must have been possible in one of them: a step that never happens would prove nothing.
func TestTheProtocolKeepsItsRules(t *testing.T) {
	var taken sync.Map
	for _, b := range []Bounds{
		{Bins: 2, Stock: 3, Buyers: []int{2, 1}, Policy: policy, Orders: 1, Lots: 1},
		{Bins: 1, Stock: 2, Buyers: []int{2}, Policy: policy, Orders: 1, Lots: 2, Faults: 1},
		{Bins: 1, Stock: 1, Buyers: []int{2}, Policy: policy, Orders: 1, Lots: 1, Rotations: 2},
		{Bins: 1, Stock: 1, Buyers: []int{1}, Policy: policy, Orders: 1, Lots: 1, Cancels: 1},
		{Bins: 1, Stock: 3, Buyers: []int{1}, Policy: policy, Orders: 1, Adjustments: 2, Adjustment: -1, ByHand: 1,
			HandQuantity: 2},
	} {
		s := model{b, ours()}.system()
		allowed := s.allowed
		s.allowed = func(before state, name string, after state) error {
			taken.Store(name, true)
			return allowed(before, name, after)
		}
		r, err := explore(s, 1_000_000, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Broken != nil {
			t.Errorf("%+v: %v, after:\n%s", b, r.Broken, strings.Join(r.Trace, "\n"))
		}
		t.Logf("%+v: %d states, %d steps, depth %d", b, r.States, r.Steps, r.Depth)
	}
	for _, name := range stepNames {
		if _, ok := taken.Load(name); !ok {
			t.Errorf("no exploration has taken the step %q", name)
		}
	}
}

// A counter is a system with a known number of states: two numbers from 0 to size-1, of which each
// step adds one to one.
type counter struct{ a, b int }

func counting(size int) system[counter] {
	return system[counter]{
		steps: func(c counter) iter.Seq2[string, counter] {
			return func(yield func(string, counter) bool) {
				if c.a < size-1 && !yield("a", counter{c.a + 1, c.b}) {
					return
				}
				if c.b < size-1 {
					yield("b", counter{c.a, c.b + 1})
				}
			}
		},
		allowed: func(counter, string, counter) error { return nil },
		fair:    func(c counter) (string, counter, bool) { return "", c, true },
	}
}

func TestExploreVisitsEveryStateOnce(t *testing.T) {
	r, err := explore(counting(100), 10_000, nil)
	if err != nil || r.States != 10_000 || r.Steps != 2*100*99 || r.Depth != 199 {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := explore(counting(100), 9_999, nil); err == nil {
		t.Error("the limit was exceeded, and there is no error")
	}
}

func TestExploreFindsTheShortestTrace(t *testing.T) {
	s := counting(100)
	rule := errors.New("3 and 2")
	s.allowed = func(_ counter, _ string, after counter) error {
		if after == (counter{3, 2}) {
			return rule
		}
		return nil
	}
	r, err := explore(s, 10_000, nil)
	if trace := strings.Join(r.Trace, ""); err != nil || r.Broken != rule || len(trace) != 5 ||
		strings.Count(trace, "a") != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
}

// TestExploreFindsFairRunsThatDoNotEnd has a fair run that goes in a circle from one state only.
func TestExploreFindsFairRunsThatDoNotEnd(t *testing.T) {
	s := counting(10)
	s.fair = func(c counter) (string, counter, bool) {
		switch {
		case c == (counter{4, 4}):
			return "there", counter{4, 5}, false
		case c == (counter{4, 5}):
			return "back", counter{4, 4}, false
		}
		return "", c, true
	}
	r, err := explore(s, 100, nil)
	if err != nil || r.Broken == nil || len(r.Trace) < 9 || r.Trace[8] != "without a fault: there" {
		t.Errorf("got %+v, %v", r, err)
	}
}
