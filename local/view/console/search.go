package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxFound is how many events and how many journeys a search returns.
const maxFound = 300

// A Found is the result of a search, newest first.
type Found struct {
	Journeys []JourneySummary `json:"journeys"`
	Events   []*Event         `json:"events"`
}

// serveSearch searches the events and the journeys that the console keeps: their ids, texts and
// attributes. Upper and lower case are the same.
func (c *Console) serveSearch(w http.ResponseWriter, r *http.Request) {
	text := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("q")))
	if text == "" {
		Refuse(w, http.StatusBadRequest, fmt.Errorf("the query has no text to search: add ?q="))
		return
	}
	found := Found{Journeys: c.observer.journeys.matching(text), Events: []*Event{}}
	all := c.observer.stream.Subscribe(0)
	defer all.Close()
	batch, _ := all.Read(streamCapacity) // at the end of the stream there are no events
	for _, e := range slices.Backward(batch.Values) {
		if len(found.Events) < maxFound && e.has(text) {
			found.Events = append(found.Events, e)
		}
	}
	Answer(w, http.StatusOK, found)
}

// has reports whether an event has a text, which is in lower case.
func (e *Event) has(text string) bool {
	for _, part := range []string{e.Message, e.Journey, e.Node, string(e.Kind), e.trace.text} {
		if strings.Contains(strings.ToLower(part), text) {
			return true
		}
	}
	for _, value := range e.Attrs {
		if strings.Contains(strings.ToLower(fmt.Sprint(value)), text) {
			return true
		}
	}
	return false
}

// matching returns the journeys that have a text, which is in lower case: newest first.
func (s *journeys) matching(text string) []JourneySummary {
	s.mu.Lock()
	defer s.mu.Unlock()
	return newest(slices.DeleteFunc(slices.Concat(s.ordered, s.plain), func(j *journey) bool {
		return !strings.Contains(strings.ToLower(j.id+" "+j.summary().Summary), text) &&
			!slices.ContainsFunc(j.events, func(e *Event) bool { return e.has(text) })
	}), maxFound)
}
