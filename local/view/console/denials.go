package console

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// maxDenials is how many different denials the console keeps.
const maxDenials = 100

// A Denial is a call that a policy or the network has denied, once or many times.
type Denial struct {
	Node       string    `json:"node,omitempty"` // of the caller
	Edge       string    `json:"edge,omitempty"`
	Action     string    `json:"action,omitempty"`
	Resource   string    `json:"resource,omitempty"`
	Text       string    `json:"text"` // what is missing, or why the call was denied
	DeclaredIn string    `json:"declared_in,omitempty"`
	Times      int       `json:"times"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
}

// keepDenial counts a denied call. The caller holds the lock.
func (o *observer) keepDenial(e *Event) {
	text := cmp.Or(e.text("error"), e.Message)
	if missing := e.text("missing"); missing != "" {
		text = "missing: " + missing
	}
	key := e.Node + " " + text
	d := o.denials[key]
	if d == nil {
		if len(o.denials) >= maxDenials {
			delete(o.denials, o.oldestDenial())
		}
		d = &Denial{First: e.Time}
		o.denials[key] = d
	}
	*d = Denial{
		Node: e.Node, Edge: e.Edge, Action: e.text("action"), Resource: e.text("resource"), Text: text,
		DeclaredIn: e.text("declared_in"), Times: d.Times + 1, First: d.First, Last: e.Time,
	}
}

func (o *observer) oldestDenial() (key string) {
	return slices.MinFunc(slices.Collect(maps.Keys(o.denials)), func(a, b string) int {
		return o.denials[a].Last.Compare(o.denials[b].Last)
	})
}

// denied returns the denials, the latest first.
func (o *observer) denied() []Denial {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := make([]Denial, 0, len(o.denials))
	for _, d := range o.denials {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b Denial) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Text, b.Text)) })
	return list
}
