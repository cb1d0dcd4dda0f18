package console

import (
	"maps"
	"slices"
	"time"
)

// maxMarks is how many marks the console keeps.
const maxMarks = 1000

// A Mark is the latest event that the program has marked: see Meaning.Mark.
type Mark struct {
	Time    time.Time `json:"time"`
	Journey string    `json:"journey,omitempty"` // its id, while the console keeps the journey
	Request string    `json:"request,omitempty"` // the request that began the journey, such as "POST /checkout"
}

// keepMark keeps a marked event. The caller holds the lock.
func (o *observer) keepMark(e *Event) {
	if o.marks[e.trace.mark] == nil && len(o.marks) >= maxMarks {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(o.marks)), func(a, b string) int {
			return o.marks[a].Time.Compare(o.marks[b].Time)
		})
		delete(o.marks, oldest)
	}
	o.marks[e.trace.mark] = e
}

// marked returns the marks.
func (o *observer) marked() map[string]Mark {
	o.mu.Lock()
	kept := maps.Clone(o.marks)
	o.mu.Unlock()
	marks := make(map[string]Mark, len(kept))
	for mark, e := range kept {
		journey, request := o.journeys.began(e.Journey)
		marks[mark] = Mark{e.Time, journey, request}
	}
	return marks
}
