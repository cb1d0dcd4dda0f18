package console

import (
	"encoding/json"
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
// page shows of them. All words and phrases of the query must be in it. Upper and lower case are
// the same.
func (c *Console) serveSearch(w http.ResponseWriter, r *http.Request) {
	words := wordsOf(r.URL.Query().Get("q"))
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
		value := shownValue(value)
		fmt.Fprintln(&text, strings.ReplaceAll(name, "_", " "), value)
		if strings.Contains(name, "_") { // the open line shows the name as it is
			fmt.Fprintln(&text, name, value)
		}
	}
	return strings.ToLower(text.String())
}

// shownValue returns an attribute's value as the page shows it: a text, or JSON.
func shownValue(value any) string {
	if text, isText := value.(string); isText {
		return text
	}
	text, _ := json.Marshal(value) // the stream has encoded it before
	return strings.Trim(string(text), `"`)
}

// nameOf returns a node's id without its kind.
func nameOf(node string) string { return node[strings.Index(node, ":")+1:] }

// A word of a query is a text without blanks, or a phrase: a text in quotes. It finds texts in
// lower case.
type word = *regexp.Regexp

// quoted matches a phrase or a word of a query. The last phrase may have no end yet.
var quoted = regexp.MustCompile(`"([^"]*)"?|[^\s"]+`)

// digits matches a number.
var digits = regexp.MustCompile(`^\d+$`)

// A number at the beginning or the end of a word must be a whole number of the text, and not a part
// of an id, a duration or another number: 503 is not in 1.503ms.
const (
	beforeNumber = `(?:^|[^0-9a-z_.])`
	afterNumber  = `(?:$|[^0-9a-z_.-]|\.(?:$|[^0-9a-z_]))`
)

// wordsOf returns the words and phrases of a query.
func wordsOf(query string) (words []word) {
	for _, match := range quoted.FindAllStringSubmatch(strings.ToLower(query), -1) {
		fields := strings.Fields(strings.ReplaceAll(match[0], `"`, ""))
		if len(fields) == 0 {
			continue
		}
		pattern := regexp.QuoteMeta(strings.Join(fields, " "))
		if digits.MatchString(fields[0]) {
			pattern = beforeNumber + pattern
		}
		if digits.MatchString(fields[len(fields)-1]) {
			pattern += afterNumber
		}
		words = append(words, regexp.MustCompile(pattern))
	}
	return words
}

// missing returns the words that a text lacks.
func missing(words []word, text string) (lacks []word) {
	for _, w := range words {
		if !w.MatchString(text) {
			lacks = append(lacks, w)
		}
	}
	return lacks
}

// matching returns the journeys whose shown text has all words: newest first. A journey shows its
// name, its id and its steps.
func (s *journeys) matching(words []word) []JourneySummary {
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
