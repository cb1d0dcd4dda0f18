package console

import (
	"context"
	"maps"
	"sync"

	"restock/local/view/events"
)

const (
	// streamCapacity is how many events are kept for whoever reads them: a slow reader has lost what is older.
	streamCapacity = 8192
	// readAtOnce is how many records the observer takes at a time.
	readAtOnce = 512
)

// An observer makes of the run's records what the console shows. What it keeps is bounded, whatever comes.
type observer struct {
	told        *events.Stream[*Event]
	journeys    *journeys
	deadLetters *failures

	mu       sync.Mutex // guards what follows
	picture  *picture
	business func(kind string, attrs map[string]any) Milestone // nil for a program that says nothing of it
	counters map[string]map[string]int                         // by node, by name
	flows    map[string]flow                                   // by edge: since the beginning
	lines    map[string]*nodeLines                             // by node
}

func newObserver(business func(kind string, attrs map[string]any) Milestone) *observer {
	return &observer{
		business: business,
		told:     events.NewStream[*Event](streamCapacity), journeys: newJourneys(), deadLetters: newFailures(),
		picture: newPicture(Graph{}), counters: map[string]map[string]int{}, flows: map[string]flow{}, lines: map[string]*nodeLines{},
	}
}

// observe reads the run's records until the stream, or ctx, ends.
func (o *observer) observe(ctx context.Context, records *events.Subscription[events.Event]) {
	defer o.told.Close()
	for {
		batch, err := records.Next(ctx, readAtOnce)
		if err != nil {
			return
		}
		for _, r := range batch.Values {
			if e := o.take(r); e != nil {
				o.told.Publish(e)
			}
		}
	}
}

// take makes an event of a record, the next that is told; nil of one that says nothing that another does not. From then on the event does not
// change: many read it.
func (o *observer) take(r events.Event) *Event {
	if r.Kind == events.AccessLogged {
		return nil
	}
	e := unfold(r)
	e.Seq = o.told.Latest() + 1 // nobody else publishes
	o.mu.Lock()
	defer o.mu.Unlock()
	o.classify(e)
	o.moved(e.flow.edge, e.flow.moved, e.flow.failed)
	e.trim()
	o.journeys.add(e)
	o.keep(e)
	return e
}

// show replaces the picture. What was counted stays.
func (o *observer) show(g Graph) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.picture = newPicture(g)
}

// shown is the picture that is shown.
func (o *observer) shown() *picture {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.picture
}

// totals are what has moved since the beginning, by edge.
func (o *observer) totals() map[string]flow {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.flows)
}

// counted are the counters, by node and name.
func (o *observer) counted() map[string]map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	counted := make(map[string]map[string]int, len(o.counters))
	for node, counters := range o.counters {
		counted[node] = maps.Clone(counters)
	}
	return counted
}

// node returns the latest events of a node, and of those the errors, which are kept longer.
func (o *observer) node(id string) (lines NodeLines, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known = o.picture.nodes[id]; !known {
		return lines, false
	}
	lines = NodeLines{Lines: []*Event{}, Errors: []*Event{}}
	if kept := o.lines[id]; kept != nil {
		lines.Lines, lines.Errors = kept.lines.values(), kept.errors.values()
	}
	return lines, true
}

// The rest must be called with the lock held.

func (o *observer) count(node, counter string, n int) {
	if node == "" || n == 0 {
		return
	}
	if o.counters[node] == nil {
		o.counters[node] = map[string]int{}
	}
	o.counters[node][counter] += n
}

func (o *observer) moved(edge string, moved, failed int) {
	if edge == "" {
		return
	}
	total := o.flows[edge]
	o.flows[edge] = flow{edge, total.moved + moved, total.failed + failed}
}

// keep keeps an event among the latest of its node.
func (o *observer) keep(e *Event) {
	if e.Node == "" {
		return
	}
	kept := o.lines[e.Node]
	if kept == nil {
		kept = &nodeLines{}
		o.lines[e.Node] = kept
	}
	kept.lines.add(e)
	if e.important() {
		kept.errors.add(e)
	}
}
