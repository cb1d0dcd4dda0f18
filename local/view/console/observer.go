package console

import (
	"context"
	"maps"
	"sync"
	"time"

	"restock/local/aws/sqs"
	"restock/local/view/events"
)

const (
	// streamCapacity is how many events the console keeps for its subscribers. A subscriber that
	// falls further behind loses the oldest.
	streamCapacity = 8192
	// readAtOnce is how many records the observer reads at a time.
	readAtOnce = 512
)

// An observer turns the run's records into the data that the console shows. Its memory is bounded.
type observer struct {
	stream      *events.Stream[*Event]
	journeys    *journeys
	deadLetters *failures
	messages    kept[body] // by id; mu guards it

	mu       sync.Mutex // guards what follows
	picture  *picture
	business Business
	counters map[string]map[string]int // by node and name
	flows    map[string]flow           // sums since the run began, by edge
	lines    map[string]*nodeLines     // by node
	series   map[string]*series        // by node
	denials  map[string]*Denial        // by caller and reason
	marks    map[string]*Event         // the latest event with each mark

	throttles map[string]map[string]Throttle // by node and reason
	began     time.Time
}

func newObserver(business Business) *observer {
	return &observer{
		business: business,
		stream:   events.NewStream[*Event](streamCapacity), journeys: newJourneys(), deadLetters: newFailures(),
		messages: kept[body]{most: maxKeptMessages},
		picture:  newPicture(Graph{}), counters: map[string]map[string]int{}, flows: map[string]flow{},
		lines: map[string]*nodeLines{}, series: map[string]*series{}, denials: map[string]*Denial{},
		marks: map[string]*Event{}, throttles: map[string]map[string]Throttle{}, began: time.Now(),
	}
}

// observe reads the run's records until the stream or ctx ends.
func (o *observer) observe(ctx context.Context, records *events.Subscription[events.Event]) {
	defer o.stream.Close()
	for {
		batch, err := records.Next(ctx, readAtOnce)
		if err != nil {
			return
		}
		if batch.Dropped > 0 {
			o.journeys.lost()
		}
		for _, r := range batch.Values {
			if e := o.take(r); e != nil {
				o.stream.Publish(e)
			}
		}
	}
}

// take turns a record into the next event of the stream. It returns nil for a line of the access
// log, because the API's own event says the same. Many goroutines read the event: nobody changes it
// after take.
func (o *observer) take(r events.Event) *Event {
	if r.Kind == events.AccessLogged {
		return nil
	}
	e := unfold(r)
	e.Seq = o.stream.Latest() + 1 // the observer is the only publisher
	o.mu.Lock()
	defer o.mu.Unlock()
	o.classify(e)
	o.moved(e.flow.edge, e.flow.moved, e.flow.failed)
	if e.Denied {
		o.keepDenial(e)
	}
	e.trim()
	o.journeys.add(e)
	o.keep(e)
	if e.trace.mark != "" {
		o.keepMark(e)
	}
	return e
}

// show replaces the picture. Counters stay.
func (o *observer) show(g Graph) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.picture = newPicture(g)
}

// shown returns the picture.
func (o *observer) shown() *picture {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.picture
}

// totals returns the sums of all flows since the run began, by edge.
func (o *observer) totals() map[string]flow {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.flows)
}

// counted returns a copy of the counters, by node and name.
func (o *observer) counted() map[string]map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	counted := make(map[string]map[string]int, len(o.counters))
	for node, counters := range o.counters {
		counted[node] = maps.Clone(counters)
	}
	return counted
}

// node returns the latest events and the latest errors of a node. known is false for a node that
// the picture does not have.
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

// plots returns values of a node over the run.
func (o *observer) plots(id string, now time.Time, names ...string) *Series {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seriesOf(id).shown(now, names...)
}

// sample adds the current state of the queues to their series.
func (o *observer) sample(now time.Time, queues []*sqs.Queue) {
	for _, q := range queues {
		counts, oldest, age := q.Counts(), q.Oldest(), 0.0
		if !oldest.IsZero() {
			age = now.Sub(oldest).Seconds()
		}
		o.mu.Lock()
		s := o.seriesOf(o.picture.queue(q.ARN()))
		s.peak(peakMessages, now, float64(counts.Visible+counts.InFlight+counts.Delayed))
		s.peak(peakOldest, now, age)
		o.mu.Unlock()
	}
}

// The caller of the following methods holds the lock.

func (o *observer) seriesOf(node string) *series {
	if o.series[node] == nil {
		o.series[node] = newSeries(o.began)
	}
	return o.series[node]
}

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

// keep adds an event to the latest of its node.
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
