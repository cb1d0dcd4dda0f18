package console

// NodeLines are the latest events of a node, the oldest first, and of those that were errors or denials.
type NodeLines struct {
	Lines  []*Event `json:"lines"`
	Errors []*Event `json:"errors"`
}

// nodeLines keeps the latest events of a node.
type nodeLines struct{ lines, errors latest }

// maxLines is how many events of a kind are kept of a node.
const maxLines = 50

// latest keeps the latest events, as many as maxLines.
type latest struct {
	ring [maxLines]*Event
	next int // how many have come
}

func (l *latest) add(e *Event) {
	l.ring[l.next%maxLines] = e
	l.next++
}

// values are the events, the oldest first.
func (l *latest) values() []*Event {
	kept := make([]*Event, 0, min(l.next, maxLines))
	for i := max(0, l.next-maxLines); i < l.next; i++ {
		kept = append(kept, l.ring[i%maxLines])
	}
	return kept
}
