package console

import (
	"fmt"
	"net/http"
	"regexp"
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

// serveSearch searches the events and the journeys that the console keeps, in the text that the
// page shows of them. All words of the query must be in it. Upper and lower case are the same.
func (c *Console) serveSearch(w http.ResponseWriter, r *http.Request) {
	words := strings.Fields(strings.ToLower(r.URL.Query().Get("q")))
	if len(words) == 0 {
		Refuse(w, http.StatusBadRequest, fmt.Errorf("the query has no text to search: add ?q="))
		return
	}
	found := Found{Journeys: c.observer.journeys.matching(words), Events: []*Event{}}
	all := c.observer.stream.Subscribe(0)
	defer all.Close()
	batch, _ := all.Read(streamCapacity) // at the end of the stream there are no events
	for _, e := range slices.Backward(batch.Values) {
		if len(found.Events) < maxFound && len(missing(words, e.shown())) == 0 {
			found.Events = append(found.Events, e)
		}
	}
	Answer(w, http.StatusOK, found)
}

// shown returns the text that the page shows of an event, in lower case: its line, and the
// attributes of the line when it is open.
func (e *Event) shown() string {
	var text strings.Builder
	fmt.Fprintln(&text, e.Message, e.Level, nameOf(e.Node), e.Part, e.Journey, e.trace.text)
	for name, value := range e.Attrs {
		fmt.Fprintln(&text, strings.ReplaceAll(name, "_", " "), value)
		if strings.Contains(name, "_") { // the open line shows the name as it is
			fmt.Fprintln(&text, name)
		}
	}
	return strings.ToLower(text.String())
}

// nameOf returns a node's id without its kind.
func nameOf(node string) string { return node[strings.Index(node, ":")+1:] }

// number matches a word that must be a whole number of the text, not a part of an id or of a
// duration: 503 is not in 1.503ms.
var number = regexp.MustCompile(`^\d+$`)

// missing returns the words that a text lacks.
func missing(words []string, text string) (lacks []string) {
	for _, word := range words {
		found := strings.Contains(text, word)
		if found && number.MatchString(word) {
			found = hasNumber(text, word)
		}
		if !found {
			lacks = append(lacks, word)
		}
	}
	return lacks
}

// hasNumber reports whether a text has a number that is not a part of a word or of another number.
func hasNumber(text, number string) bool {
	const inWord = "0123456789abcdefghijklmnopqrstuvwxyz_"
	for {
		at := strings.Index(text, number)
		if at < 0 {
			return false
		}
		before, after := text[:at], text[at+len(number):]
		begins := !strings.ContainsAny(last(before), inWord+".")
		ends := !strings.ContainsAny(first(after), inWord) && !strings.HasPrefix(after, "-") &&
			(!strings.HasPrefix(after, ".") || !strings.ContainsAny(first(after[1:]), inWord))
		if begins && ends {
			return true
		}
		text = after
	}
}

func first(text string) string { return text[:min(1, len(text))] }
func last(text string) string  { return text[max(0, len(text)-1):] }

// matching returns the journeys whose shown text has all words: newest first. A journey shows its
// name, its id and its steps.
func (s *journeys) matching(words []string) []JourneySummary {
	s.mu.Lock()
	defer s.mu.Unlock()
	return newest(slices.DeleteFunc(slices.Concat(s.notable, s.plain), func(j *journey) bool {
		lacks := missing(words, strings.ToLower(j.id+" "+j.summary().Summary))
		for _, e := range j.events {
			if len(lacks) == 0 {
				break
			}
			lacks = missing(lacks, e.shown())
		}
		return len(lacks) > 0
	}), maxFound)
}
