package console

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// Limits of what the console keeps. A burst of requests does not push out the notable journeys:
// they have a limit of their own.
const (
	maxPlainJourneys   = 500
	maxNotableJourneys = 200
	maxListed          = 100
	maxHeld            = 4096 // events whose journey is not known yet
	// maxGone is how many ids of forgotten journeys the console keeps: their late events must not
	// begin a journey that would be only its end.
	maxGone = 20_000
)

// journeys joins events into journeys. Events may come in any order: journeys holds an event
// without a known journey until another event connects their references to a journey.
type journeys struct {
	mu      sync.Mutex // guards what follows
	byID    map[string]*journey
	owner   map[string]*journey   // by reference
	sharers map[string][]*journey // by reference to a shared object
	plain   []*journey            // that are not notable, oldest first
	notable []*journey            // oldest first
	losses  int                   // how often records were lost

	gone      map[string]bool // the ids of forgotten journeys
	goneOrder []string        // the same, oldest first

	held      []*heldEvent // a ring buffer: a new event overwrites the oldest
	heldNext  int
	heldByRef map[string][]*heldEvent
}

// A heldEvent waits until its journey is known.
type heldEvent struct {
	event *Event
	done  bool
}

func newJourneys() *journeys {
	return &journeys{
		byID: map[string]*journey{}, owner: map[string]*journey{}, sharers: map[string][]*journey{},
		gone: map[string]bool{},
		held: make([]*heldEvent, maxHeld), heldByRef: map[string][]*heldEvent{},
	}
}

// knows reports whether a reference belongs to a journey.
func (s *journeys) knows(ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owner[ref] != nil
}

// of returns the id of the journey that a reference belongs to, or "".
func (s *journeys) of(ref string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.owner[ref]; j != nil {
		return j.id
	}
	return ""
}

// with returns the id of the only journey that a reference to a shared object belongs to, or "".
func (s *journeys) with(ref string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sharing := s.sharers[ref]; len(sharing) == 1 {
		return sharing[0].id
	}
	return ""
}

// began returns the id of a journey, and the request that began it. Both are empty for a journey
// that is not kept.
func (s *journeys) began(id string) (journey, request string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.byID[id]; j != nil {
		return j.id, j.request
	}
	return "", ""
}

// lost says that records were lost. A journey that has not ended may lack steps from now on, and a
// journey without a beginning may be the end of one.
func (s *journeys) lost() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losses++
	for _, j := range s.byID {
		j.partial = j.partial || j.request == ""
	}
}

// incomplete returns how many journeys the list leaves out because some of their steps were lost.
func (s *journeys) incomplete() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.plain {
		if j.lacksSteps() {
			n++
		}
	}
	return n
}

// add adds an event to its journeys. It sets Event.Journey or Event.Shared.
func (s *journeys) add(e *Event) {
	t := &e.trace
	if t.journey == "" && len(t.about()) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	joined := s.find(e)
	if len(joined) == 0 {
		if t.request == "" && !s.gone[t.journey] { // the API logs a request last: no later event finds its journey
			s.hold(e)
		}
		return
	}
	if len(joined) == 1 {
		e.Journey = joined[0].id
	}
	e.Shared = len(joined) > 1
	s.join(e, joined)
}

// list returns up to maxListed journeys, newest first: up to half of them notable. It leaves out
// plain journeys of which steps were lost. Journeys of one step with the same text are one line, so
// that requests that the API throttles do not hide the others.
func (s *journeys) list() []JourneySummary {
	s.mu.Lock()
	defer s.mu.Unlock()
	notable := s.notable[max(0, len(s.notable)-maxListed/2):]
	var plain []*journey
	like := map[string]int{} // journeys of one step, by text
	for _, j := range slices.Backward(s.plain) {
		if j.lacksSteps() {
			continue
		}
		if len(j.events) == 1 {
			name := j.name()
			if like[name]++; like[name] > 1 {
				continue
			}
		}
		if len(notable)+len(plain) < maxListed {
			plain = append(plain, j)
		}
	}
	list := newest(slices.Concat(notable, plain), maxListed)
	for i, j := range list {
		if j.Steps == 1 && like[j.Summary] > 1 {
			list[i].Like = like[j.Summary] - 1
		}
	}
	return list
}

// newest returns the summaries of at most limit journeys, newest first.
func newest(all []*journey, limit int) []JourneySummary {
	list := make([]JourneySummary, 0, len(all))
	for _, j := range all {
		list = append(list, j.summary())
	}
	slices.SortStableFunc(list, func(a, b JourneySummary) int {
		return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID))
	})
	return list[:min(len(list), limit)]
}

// get returns a journey.
func (s *journeys) get(id string) (j Journey, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byID[id]
	if found == nil {
		return j, false
	}
	return found.withSteps(), true
}

// The caller of the following methods holds the lock.

// find returns the journeys of an event: the one that it names, the one that owns one of its
// references, or those that share one of them.
func (s *journeys) find(e *Event) []*journey {
	t := e.trace
	if t.journey != "" {
		if j := cmp.Or(s.byID[t.journey], s.owner[requestRef(t.journey)]); j != nil {
			return []*journey{j}
		}
		if s.gone[t.journey] {
			return nil
		}
		return []*journey{s.create(t.journey)}
	}
	for _, ref := range t.refs {
		if j := s.owner[ref]; j != nil {
			return []*journey{j}
		}
	}
	if j := s.owner[t.find]; j != nil {
		return []*journey{j}
	}
	sharing := map[*journey]bool{}
	for _, ref := range t.shares {
		if j := s.owner[ref]; j != nil {
			sharing[j] = true
		}
		for _, j := range s.sharers[ref] {
			sharing[j] = true
		}
	}
	if len(sharing) == 0 && t.begins && !s.gone[t.request] {
		return []*journey{s.create(t.request)}
	}
	return slices.SortedFunc(maps.Keys(sharing), func(a, b *journey) int { return cmp.Compare(a.id, b.id) })
}

func (s *journeys) create(id string) *journey {
	j := &journey{id: id, losses: s.losses}
	s.byID[id] = j
	s.plain = append(s.plain, j)
	s.own(j, requestRef(id))
	if len(s.plain) > maxPlainJourneys {
		s.forget(s.plain[0])
		s.plain = slices.Delete(s.plain, 0, 1)
	}
	return j
}

// join adds an event to journeys, and then the held events that it connects to them. An event that
// names its journey, or an object of it, says nothing of what it shares with other journeys: a
// scheduled invocation handles the orders of many, and belongs to none.
func (s *journeys) join(e *Event, joined []*journey) {
	owned := func(ref string) bool { return s.owner[ref] != nil }
	named := e.trace.journey != "" || slices.ContainsFunc(e.trace.refs, owned)
	for _, j := range joined {
		wasNotable := j.notable
		j.partial = j.partial || j.losses != s.losses
		j.losses = s.losses
		j.add(e)
		if j.notable && !wasNotable {
			s.keepLonger(j)
		}
		if !named {
			for _, ref := range e.trace.shares {
				s.share(j, ref)
			}
		}
	}
	if len(joined) == 1 {
		for _, ref := range e.trace.refs {
			s.own(joined[0], ref)
		}
	}
	for _, ref := range e.trace.about() {
		s.release(ref)
	}
	if e.trace.journey != "" {
		s.release(requestRef(e.trace.journey))
	}
}

// own binds a reference to a journey, unless another journey owns it.
func (s *journeys) own(j *journey, ref string) {
	if s.owner[ref] == nil && len(j.refs) < 3*maxSteps {
		s.owner[ref] = j
		j.refs = append(j.refs, ref)
	}
}

// share adds a journey to those that share a reference, unless one journey owns the reference.
func (s *journeys) share(j *journey, ref string) {
	if s.owner[ref] == nil && !slices.Contains(s.sharers[ref], j) && len(j.refs) < 3*maxSteps {
		s.sharers[ref] = append(s.sharers[ref], j)
		j.refs = append(j.refs, ref)
	}
}

// keepLonger moves a journey to the notable ones.
func (s *journeys) keepLonger(j *journey) {
	if i := slices.Index(s.plain, j); i >= 0 {
		s.plain = slices.Delete(s.plain, i, i+1)
	}
	s.notable = append(s.notable, j)
	if len(s.notable) > maxNotableJourneys {
		s.forget(s.notable[0])
		s.notable = slices.Delete(s.notable, 0, 1)
	}
}

// forget removes a journey and its references.
func (s *journeys) forget(j *journey) {
	delete(s.byID, j.id)
	s.gone[j.id] = true
	if s.goneOrder = append(s.goneOrder, j.id); len(s.goneOrder) > maxGone {
		delete(s.gone, s.goneOrder[0])
		s.goneOrder = s.goneOrder[1:] // to move the rest would cost more than the event
	}
	for _, ref := range j.refs {
		if s.owner[ref] == j {
			delete(s.owner, ref)
		}
		remove(s.sharers, ref, j)
	}
}

// hold keeps an event until its journey is known, or until newer events overwrite it.
func (s *journeys) hold(e *Event) {
	if oldest := s.held[s.heldNext]; oldest != nil {
		s.drop(oldest)
	}
	h := &heldEvent{event: e}
	s.held[s.heldNext] = h
	s.heldNext = (s.heldNext + 1) % maxHeld
	for _, ref := range e.trace.about() {
		s.heldByRef[ref] = append(s.heldByRef[ref], h)
	}
}

// drop removes a held event from the references that it waits for.
func (s *journeys) drop(h *heldEvent) {
	h.done = true
	for _, ref := range h.event.trace.about() {
		remove(s.heldByRef, ref, h)
	}
}

// remove removes a value from the list of a reference, and the list if it is empty then.
func remove[T comparable](lists map[string][]T, ref string, value T) {
	lists[ref] = slices.DeleteFunc(lists[ref], func(other T) bool { return other == value })
	if len(lists[ref]) == 0 {
		delete(lists, ref)
	}
}

// release adds the events that waited for a reference to their journeys.
func (s *journeys) release(ref string) {
	for _, h := range slices.Clone(s.heldByRef[ref]) {
		if h.done {
			continue
		}
		if joined := s.find(h.event); len(joined) > 0 {
			s.drop(h)
			s.join(h.event, joined)
		}
	}
}
