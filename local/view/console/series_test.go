package console

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestASeriesCoversTheWholeRunWithAFixedNumberOfPoints(t *testing.T) {
	began := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	s := newSeries(began)
	const seconds = 1000
	for i := range seconds {
		at := began.Add(time.Duration(i) * time.Second)
		s.add(sumInvocations, at, 1)
		s.peak(peakMemory, at, float64(i))
	}
	s.add(sumErrors, began.Add(-time.Minute), 1) // a clock may go back
	got := s.shown(began.Add(seconds*time.Second), sumInvocations, peakMemory, sumErrors, sumThrottles)
	sum := 0.0
	for _, n := range got.Values[sumInvocations] {
		sum += n
	}
	if sum != seconds || slices.Max(got.Values[peakMemory]) != seconds-1 || got.Values[sumErrors][0] != 1 {
		t.Errorf("the sum is %v, want %d; the peaks are %v, and the errors %v",
			sum, seconds, got.Values[peakMemory], got.Values[sumErrors])
	}
	for name, values := range got.Values {
		if len(values) > maxPoints || len(values) != int(seconds/got.WidthMS*1000)+1 {
			t.Errorf("%s has %d points of %v ms, want a point for each time, and at most %d",
				name, len(values), got.WidthMS, maxPoints)
		}
	}
	if n := got.Values[sumInvocations][3] * 1000; n != got.WidthMS {
		t.Errorf("one invocation a second is a point of %v with a width of %v ms", n/1000, got.WidthMS)
	}
}

// A page of a rush is complete: it counts the events that it does not get by part and second.
func TestEventsThatAPageDoesNotGetAreCountedByPartAndSecond(t *testing.T) {
	second := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	event := func(node, part string, after time.Duration) *Event {
		return &Event{Time: second.Add(after), Node: node, Part: part}
	}
	all := []*Event{
		event("function:a", "lambda", 0), event("function:a", "sqs", time.Second-1), event("", "build", 1),
		event("function:a", "lambda", time.Second), event("function:b", "lambda", 2), event("function:b", "lambda", 3),
	}
	chosen, others := choose(all, 1)
	if len(chosen) != 1 || chosen[0] != all[5] {
		t.Errorf("got %v, want the last event", chosen)
	}
	want := []droppedPart{
		{second, "function:a", "", 2}, {second, "", "build", 1},
		{second.Add(time.Second), "function:a", "", 1}, {second, "function:b", "", 1},
	}
	if got := bySecond(others); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
