package console

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// How many journeys are kept. A rush of buyers who are sold something, or refused, does not push out those that have led to a production order.
const (
	maxPlainJourneys   = 500
	maxOrderedJourneys = 200
	maxListed          = 100
	maxHeld            = 4096 // events of which it is not known yet which journey they are a part of
)

// journeys joins events into journeys. Events may come in any order: an event that nothing is known of is held until one comes that is about the
// same thing and says whose it is.
type journeys struct {
	mu      sync.Mutex // guards what follows
	byID    map[string]*journey
	owner   map[string]*journey   // by reference
	sharers map[string][]*journey // by reference of what is shared
	plain   []*journey            // by age, the oldest first
	ordered []*journey            // the same, of those with a production order

	held      []*heldEvent // a ring: the oldest is overwritten
	heldNext  int
	heldByRef map[string][]*heldEvent
}

// A heldEvent waits for its journey.
type heldEvent struct {
	event *Event
	done  bool
}

func newJourneys() *journeys {
	return &journeys{
		byID: map[string]*journey{}, owner: map[string]*journey{}, sharers: map[string][]*journey{},
		held: make([]*heldEvent, maxHeld), heldByRef: map[string][]*heldEvent{},
	}
}

// knows reports whether a reference is a part of a journey.
func (s *journeys) knows(ref string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owner[ref] != nil
}

// of is the id of the journey that a reference is a part of; empty where none is known.
func (s *journeys) of(ref string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.owner[ref]; j != nil {
		return j.id
	}
	return ""
}

// add makes an event a part of its journeys, and says in it which that is, where it is one.
func (s *journeys) add(e *Event) {
	t := &e.trace
	if t.journey == "" && len(t.about()) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	joined := s.find(e)
	if len(joined) == 0 {
		if t.request == "" { // an API's request is told of when all that it has waited for is over
			s.hold(e)
		}
		return
	}
	if len(joined) == 1 {
		e.Journey = joined[0].id
	}
	s.join(e, joined)
}

// list returns the journeys, the newest first: those with a production order, and as many of the others as there is room for.
func (s *journeys) list() []JourneySummary {
	s.mu.Lock()
	defer s.mu.Unlock()
	ordered := s.ordered[max(0, len(s.ordered)-maxListed/2):]
	plain := s.plain[max(0, len(s.plain)-(maxListed-len(ordered))):]
	list := make([]JourneySummary, 0, maxListed)
	for _, j := range slices.Concat(ordered, plain) {
		list = append(list, j.summary())
	}
	slices.SortStableFunc(list, func(a, b JourneySummary) int { return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(b.ID, a.ID)) })
	return list
}

// get returns a journey.
func (s *journeys) get(id string) (j Journey, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byID[id]
	if found == nil {
		return j, false
	}
	return found.whole(), true
}

// The rest must be called with the lock held.

// find returns the journeys that an event is a part of: that which it names, or that which its references are a part of, or those that share
// what it is about.
func (s *journeys) find(e *Event) []*journey {
	t := e.trace
	if t.journey != "" {
		if j := cmp.Or(s.byID[t.journey], s.owner[requestRef(t.journey)]); j != nil {
			return []*journey{j}
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
	if len(sharing) == 0 && t.begins {
		return []*journey{s.create(t.request)}
	}
	return slices.SortedFunc(maps.Keys(sharing), func(a, b *journey) int { return cmp.Compare(a.id, b.id) })
}

func (s *journeys) create(id string) *journey {
	j := &journey{id: id}
	s.byID[id] = j
	s.plain = append(s.plain, j)
	s.own(j, requestRef(id))
	if len(s.plain) > maxPlainJourneys {
		s.forget(s.plain[0])
		s.plain = slices.Delete(s.plain, 0, 1)
	}
	return j
}

// join makes an event a part of journeys, and with it those that were held for want of what it says.
func (s *journeys) join(e *Event, joined []*journey) {
	for _, j := range joined {
		hadOrder := j.order
		j.add(e)
		if j.order && !hadOrder {
			s.keepLonger(j)
		}
		for _, ref := range e.trace.shares {
			s.share(j, ref)
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

// own binds a reference to a journey, unless it is bound to one.
func (s *journeys) own(j *journey, ref string) {
	if s.owner[ref] == nil && len(j.refs) < 3*maxSteps {
		s.owner[ref] = j
		j.refs = append(j.refs, ref)
	}
}

// share binds what is shared to a journey, unless it is bound to it, or belongs to one alone.
func (s *journeys) share(j *journey, ref string) {
	if s.owner[ref] == nil && !slices.Contains(s.sharers[ref], j) && len(j.refs) < 3*maxSteps {
		s.sharers[ref] = append(s.sharers[ref], j)
		j.refs = append(j.refs, ref)
	}
}

// keepLonger moves a journey to those with a production order.
func (s *journeys) keepLonger(j *journey) {
	if i := slices.Index(s.plain, j); i >= 0 {
		s.plain = slices.Delete(s.plain, i, i+1)
	}
	s.ordered = append(s.ordered, j)
	if len(s.ordered) > maxOrderedJourneys {
		s.forget(s.ordered[0])
		s.ordered = slices.Delete(s.ordered, 0, 1)
	}
}

// forget removes what leads to a journey.
func (s *journeys) forget(j *journey) {
	delete(s.byID, j.id)
	for _, ref := range j.refs {
		if s.owner[ref] == j {
			delete(s.owner, ref)
		}
		if sharers := slices.DeleteFunc(s.sharers[ref], func(other *journey) bool { return other == j }); len(sharers) > 0 {
			s.sharers[ref] = sharers
		} else {
			delete(s.sharers, ref)
		}
	}
}

// hold keeps an event until its journey is known, or later ones need the place.
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

// drop ends the wait of an event.
func (s *journeys) drop(h *heldEvent) {
	h.done = true
	for _, ref := range h.event.trace.about() {
		if left := slices.DeleteFunc(s.heldByRef[ref], func(other *heldEvent) bool { return other == h }); len(left) > 0 {
			s.heldByRef[ref] = left
		} else {
			delete(s.heldByRef, ref)
		}
	}
}

// release joins the events that waited for a reference to the journeys that it is a part of now.
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
