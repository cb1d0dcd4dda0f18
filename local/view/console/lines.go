package console

// NodeLines are the latest events of a node, and its latest errors and denials, oldest first.
type NodeLines struct {
	Lines  []*Event `json:"lines"`
	Errors []*Event `json:"errors"`

	// Of a function and of a queue.
	Series *Series `json:"series,omitempty"`

	// Of a function and of an API, the latest first.
	Throttles []Throttle `json:"throttles,omitempty"`

	// Of a queue, oldest first.
	Messages []Message `json:"messages,omitempty"`

	// Of a resource that policies name.
	Resource *ResourceFacts `json:"resource,omitempty"`

	// Of a function. The invocations are newest first.
	Facts       *Facts              `json:"facts,omitempty"`
	Invocations []InvocationSummary `json:"invocations,omitempty"`
	Examples    []Example           `json:"examples,omitempty"`
}

// nodeLines keeps the latest events of a node.
type nodeLines struct{ lines, errors latest }

// maxLines is how many events, and how many errors, the console keeps for each node.
const maxLines = 50

// latest is a ring buffer of maxLines events.
type latest struct {
	ring [maxLines]*Event
	next int // how many events were added
}

func (l *latest) add(e *Event) {
	l.ring[l.next%maxLines] = e
	l.next++
}

// values returns the events, oldest first.
func (l *latest) values() []*Event {
	kept := make([]*Event, 0, min(l.next, maxLines))
	for i := max(0, l.next-maxLines); i < l.next; i++ {
		kept = append(kept, l.ring[i%maxLines])
	}
	return kept
}
