package console

import (
	"cmp"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"restock/local/view/events"
)

// A trace is what an event says about its journey.
type trace struct {
	journey string                     // the journey's id, if the event has it
	request string                     // the id of an API request, which is the id of a journey that it begins
	begins  bool                       // the event begins a journey if it belongs to none
	refs    []string                   // references to objects of one journey
	find    string                     // one more reference that may find the journey, but is not bound to it
	shares  []string                   // references to objects of several journeys, such as an invocation with a batch
	notable bool                       // the console keeps the journey longer
	said    func(before string) string // see Meaning.Text; may be nil
	mark    string                     // see Meaning.Mark
	text    string                     // the text of the step
	took    time.Duration              // the duration of the work that ended with the event
}

// about returns all references of an event.
func (t *trace) about() []string {
	about := slices.Concat(t.refs, t.shares)
	if t.find != "" {
		about = append(about, t.find)
	}
	return about
}

// A journey is everything that a buyer's request has caused.
type journey struct {
	id      string
	events  []*Event // in the order in which they began
	refs    []string // the references that are bound to it
	notable bool
	request string // the first request and the status of its answer; empty if its beginning is not known
	partial bool   // records were lost while it ran
	losses  int    // how often records had been lost at its last event
	cut     int    // events of its middle that it does not keep
	level   slog.Level
	began   time.Time
	ended   time.Time
}

// began returns when the work began that ended with the event.
func (e *Event) began() time.Time { return e.Time.Add(-e.trace.took) }

// maxSaid is how many different texts the name of a journey has. arrow is between them.
const (
	maxSaid = 6
	arrow   = " → "
)

// maxSteps is how many events of a journey the console keeps.
const maxSteps = 200

func (j *journey) add(e *Event) {
	if e.Time.After(j.ended) {
		j.ended = e.Time
	}
	j.level = max(j.level, e.level)
	j.notable = j.notable || e.trace.notable
	if e.trace.request == j.id {
		j.request = e.trace.text
	}
	after := func(other, e *Event) int { return cmp.Or(other.began().Compare(e.began()), -1) }
	i, _ := slices.BinarySearchFunc(j.events, e, after)
	j.events = slices.Insert(j.events, i, e)
	j.began = j.events[0].began()
	if len(j.events) > maxSteps {
		j.cutMiddle()
	}
}

// cutMiddle drops an event of the second half: the oldest one that the name does not have. The
// beginning and the end of the journey stay.
func (j *journey) cutMiddle() {
	const half = maxSteps / 2
	unsaid := func(e *Event) bool { return e.trace.said == nil }
	i := half + max(0, slices.IndexFunc(j.events[half:], unsaid))
	if i == len(j.events)-1 {
		i = half // the last event is the end of the journey
	}
	j.events = slices.Delete(j.events, i, i+1)
	j.cut++
}

// A JourneySummary is a line in the list of journeys.
type JourneySummary struct {
	ID      string    `json:"id"`
	Began   time.Time `json:"began"`
	TookMS  float64   `json:"took_ms"`
	Summary string    `json:"summary"`
	Level   string    `json:"level"` // the highest level of its events
	Steps   int       `json:"steps"`
	Notable bool      `json:"notable,omitempty"` // see Meaning
	Partial bool      `json:"partial,omitempty"` // some of its steps were lost
	Cut     int       `json:"cut,omitempty"`     // steps of its middle that the console does not keep
	Like    int       `json:"like,omitempty"`    // how many older journeys of one step say the same
}

// A Journey is everything that a buyer's request has caused. Its steps are in the order in which
// they began.
type Journey struct {
	JourneySummary
	Steps []Step `json:"steps"`
}

// A Step is an event of a journey.
type Step struct {
	AtMS   float64        `json:"at_ms"` // since the journey began
	TookMS float64        `json:"took_ms,omitempty"`
	Node   string         `json:"node,omitempty"`
	Edge   string         `json:"edge,omitempty"`
	Kind   events.Kind    `json:"kind,omitempty"`
	Text   string         `json:"text"`
	Level  string         `json:"level"`
	Denied bool           `json:"denied,omitempty"`
	Attrs  map[string]any `json:"attrs,omitempty"`
}

func (j *journey) summary() JourneySummary {
	return JourneySummary{ID: j.id, Began: j.began, TookMS: milliseconds(j.ended.Sub(j.began)), Summary: j.name(),
		Level: j.level.String(), Steps: len(j.events), Notable: j.notable, Partial: j.lacksSteps(), Cut: j.cut}
}

// name returns what happened in the journey. If the program says nothing of its events, name
// returns the request, or the first event. A long name lacks its middle.
func (j *journey) name() string {
	var all, texts []string
	for _, e := range j.events {
		if e.trace.said == nil {
			continue
		}
		if alone := e.trace.said(""); !slices.Contains(all, alone) {
			all = append(all, alone)
			texts = append(texts, e.trace.said(strings.Join(texts, arrow)))
		}
	}
	if last := len(texts) - maxSaid/2; len(texts) > maxSaid {
		texts = slices.Replace(texts, maxSaid/2, last, "…")
	}
	return cmp.Or(strings.Join(texts, arrow), j.request, j.events[0].trace.text)
}

// lacksSteps reports whether some of the journey's steps were lost.
func (j *journey) lacksSteps() bool { return j.partial || j.losses > 0 && j.request == "" }

func (j *journey) withSteps() Journey {
	all := Journey{JourneySummary: j.summary(), Steps: make([]Step, 0, len(j.events))}
	for _, e := range j.events {
		at := e.began().Sub(j.began)
		all.Steps = append(all.Steps, Step{
			AtMS: milliseconds(at), TookMS: milliseconds(e.trace.took), Node: e.Node, Edge: e.Edge,
			Kind: e.Kind, Text: e.trace.text, Level: e.Level, Denied: e.Denied, Attrs: e.Attrs,
		})
	}
	return all
}

// milliseconds returns a duration in milliseconds, rounded to two decimals.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(10*time.Microsecond)) / 100
}
