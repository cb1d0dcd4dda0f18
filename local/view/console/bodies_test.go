package console

import (
	"fmt"
	"strings"
	"testing"
)

func TestALongBodyIsCutBetweenCharactersAndKeepsItsSize(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxKeptBody-1) + "도너츠"
	got := newBody(long, maxKeptBody).shown(newHider(nil))
	if got.Text != strings.Repeat("x", maxKeptBody-1) || got.Size != len(long) || !got.Cut {
		t.Errorf("got %d bytes of %d, cut %t", len(got.Text), got.Size, got.Cut)
	}
	if got := newBody("{}", maxKeptBody).shown(newHider(nil)); got != (Body{Text: "{}", Size: 2}) {
		t.Errorf("got %+v, want the whole body", got)
	}
}

func TestInvocationsAreBoundedByNumberAndByBytes(t *testing.T) {
	t.Parallel()
	s := invocations{byFunction: map[string]*kept[*invocation]{}}
	s.add(Invocation{ID: "other", Function: "sweep"})
	for i := range 2 * maxInvocations {
		s.add(Invocation{ID: fmt.Sprint(i), Function: "stock"})
	}
	list := s.of("stock", newHider(nil))
	if len(list) != maxInvocations || list[0].ID != fmt.Sprint(2*maxInvocations-1) {
		t.Errorf("got %d invocations, the first %+v", len(list), list[0])
	}
	if _, found := s.find("other"); !found {
		t.Error("the invocations of one function pushed out those of another")
	}
	large := []byte(strings.Repeat("x", 2*maxKeptBody))
	for range maxInvocations {
		s.add(Invocation{ID: "large", Function: "stock", Event: large, Answer: large})
	}
	if of := s.byFunction["stock"]; of.bytes > maxKeptBodies || len(of.values) != maxKeptBodies/maxKeptBody/2 {
		t.Errorf("got %d bytes of %d invocations, want at most %d", of.bytes, len(of.values), maxKeptBodies)
	}
}
