package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"restock/local/view/events"
)

const (
	// flowInterval and stateInterval are the least time between two messages of that name.
	flowInterval  = 200 * time.Millisecond
	stateInterval = 500 * time.Millisecond

	// eventsPerSecond bounds the events that a subscriber gets in a second, and in one message. A
	// page cannot show more.
	eventsPerSecond = 200

	// heartbeat is the longest time without a message, so that proxies do not close the connection.
	heartbeat = 15 * time.Second
	// writeTimeout is how long a write to a subscriber may take.
	writeTimeout = 30 * time.Second
)

// A runUpdate is the first message of a connection. Another time than before is another run, whose
// events have numbers of their own.
type runUpdate struct {
	Began time.Time `json:"began"`
}

// A flowUpdate is what has moved since the last update, by edge.
type flowUpdate struct {
	Edges  map[string]int `json:"edges"`
	Failed map[string]int `json:"failed"`
}

// A droppedUpdate is how many events a subscriber did not get.
type droppedUpdate struct {
	Events uint64        `json:"events"` // since the last update
	Total  uint64        `json:"total"`
	Parts  []droppedPart `json:"parts"` // where the events happened; those that the stream has overwritten are unknown
}

// A droppedPart is how many events of a part in a second a subscriber did not get.
type droppedPart struct {
	Second time.Time `json:"second"`
	Node   string    `json:"node,omitempty"` // the id of the node
	Part   string    `json:"part,omitempty"` // the part of the run, if there is no node
	Events int       `json:"events"`
}

// serveStream sends events to a subscriber until it disconnects or the console closes. The format
// is server-sent events:
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (c *Console) serveStream(w http.ResponseWriter, r *http.Request) {
	subscription, err := c.subscribe(r)
	if err != nil {
		Refuse(w, http.StatusBadRequest, err)
		return
	}
	defer subscription.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s := &subscriber{
		console: c, events: subscription, flows: c.observer.totals(), budget: eventsPerSecond, budgetAt: time.Now(),
		out: w, control: http.NewResponseController(w),
	}
	tick := time.NewTicker(flowInterval)
	defer tick.Stop()
	for s.send(time.Now()) == nil {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-c.ctx.Done():
			return
		}
	}
}

// subscribe returns a subscription that begins where the request says: after an event, or with
// later events ("now"). The default is the latest eventsPerSecond events.
func (c *Console) subscribe(r *http.Request) (*events.Subscription[*Event], error) {
	stream, since := c.observer.stream, r.Header.Get("Last-Event-ID")
	latest := stream.Latest()
	if since == "" {
		since = r.URL.Query().Get("since")
	}
	if since == "now" {
		return stream.SubscribeNow(), nil
	}
	run, number, hasRun := strings.Cut(since, "-")
	if !hasRun {
		run, number = c.run(), since
	}
	seq := uint64(0)
	if since != "" {
		var err error
		if seq, err = strconv.ParseUint(number, 10, 64); err != nil {
			return nil, fmt.Errorf("since %q is neither the id nor the number of an event, nor now", since)
		}
	}
	if since == "" || run != c.run() || seq > latest { // an event of an earlier run
		seq = max(latest, eventsPerSecond) - eventsPerSecond
	}
	return stream.Subscribe(seq), nil
}

// run is the part of the events' ids that tells the run from others, which number their events too.
func (c *Console) run() string { return strconv.FormatInt(c.observer.began.UnixMilli(), 10) }

// A subscriber gets messages at the pace of a page.
type subscriber struct {
	console *Console
	events  *events.Subscription[*Event]
	out     http.ResponseWriter
	control *http.ResponseController

	flows       map[string]flow // as last sent
	shown       uint64          // the number of the stack that was last sent
	state       []byte          // the changing part of the state, as last sent
	stateSentAt time.Time
	dropped     uint64    // all events that the subscriber did not get
	budget      float64   // how many events it may get now
	budgetAt    time.Time // when budget was computed
	wroteAt     time.Time
	buffer      bytes.Buffer // the messages to send
}

// send sends the messages that are due. The error says that the connection is gone.
func (s *subscriber) send(now time.Time) error {
	s.buffer.Reset()
	s.budget = min(eventsPerSecond, s.budget+now.Sub(s.budgetAt).Seconds()*eventsPerSecond)
	s.budgetAt = now
	if s.state == nil {
		s.write("run", 0, runUpdate{s.console.observer.began.UTC()})
	}
	s.addEvents()
	s.addFlow()
	if now.Sub(s.stateSentAt) >= stateInterval {
		s.addState()
		s.stateSentAt = now
	}
	if s.buffer.Len() == 0 {
		if now.Sub(s.wroteAt) < heartbeat {
			return nil
		}
		s.buffer.WriteString(": heartbeat\n\n")
	}
	s.wroteAt = now
	_ = s.control.SetWriteDeadline(now.Add(writeTimeout)) // not every ResponseWriter has deadlines
	if _, err := s.out.Write(s.buffer.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}

// addEvents adds the new events that the budget allows. It prefers important events to others, and
// late events to early ones. It counts the rest as dropped.
func (s *subscriber) addEvents() {
	batch, _ := s.events.Read(streamCapacity) // serveStream notices the end of the stream
	chosen, others := choose(batch.Values, int(s.budget))
	s.budget -= float64(len(chosen))
	for _, e := range chosen {
		s.write("event", e.Seq, e)
	}
	passed := uint64(len(others))
	s.events.Drop(passed)
	if missed := batch.Dropped + passed; missed > 0 {
		s.dropped += missed
		s.write("dropped", 0, droppedUpdate{Events: missed, Total: s.dropped, Parts: bySecond(others)})
	}
}

// bySecond counts events by the part where they happened, and by the second.
func bySecond(all []*Event) []droppedPart {
	parts := []droppedPart{}
	index := map[droppedPart]int{}
	for _, e := range all {
		part := droppedPart{Second: e.Time.Truncate(time.Second), Node: e.Node}
		if e.Node == "" {
			part.Part = e.Part
		}
		i, known := index[part]
		if !known {
			i = len(parts)
			index[part] = i
			parts = append(parts, part)
		}
		parts[i].Events++
	}
	return parts
}

// choose returns at most limit events, in their order, and the other events. It prefers important
// events to others, and late events to early ones.
func choose(all []*Event, limit int) (chosen, others []*Event) {
	if len(all) <= limit {
		return all, nil
	}
	picked, left := make([]bool, len(all)), limit
	for _, important := range []bool{true, false} {
		for i := len(all) - 1; i >= 0 && left > 0; i-- {
			if all[i].important() == important {
				picked[i] = true
				left--
			}
		}
	}
	for i, e := range all {
		if picked[i] {
			chosen = append(chosen, e)
		} else {
			others = append(others, e)
		}
	}
	return chosen, others
}

func (s *subscriber) addFlow() {
	totals := s.console.observer.totals()
	update := flowUpdate{Edges: map[string]int{}, Failed: map[string]int{}}
	for edge, total := range totals {
		if moved := total.moved - s.flows[edge].moved; moved > 0 {
			update.Edges[edge] = moved
		}
		if failed := total.failed - s.flows[edge].failed; failed > 0 {
			update.Failed[edge] = failed
		}
	}
	s.flows = totals
	if len(update.Edges)+len(update.Failed) > 0 {
		s.write("flow", 0, update)
	}
}

// addState adds the whole state at first, and when a stack was drawn or has begun to run. Later it
// adds the changing part, if it has changed. A page that requested the state would get it out of
// order.
func (s *subscriber) addState() {
	if shown := s.console.shown.Load(); s.state == nil || shown != s.shown {
		s.shown, s.state = shown, []byte{} // the next update differs from it
		s.write("state", 0, s.console.state())
		return
	}
	state, err := document(s.console.changing())
	if err != nil || bytes.Equal(state, s.state) {
		return
	}
	s.state = state
	s.write("state", 0, json.RawMessage(state))
}

// write adds a message to the buffer. The data are one line, because JSON has no line breaks.
func (s *subscriber) write(name string, id uint64, data any) {
	text, err := document(data)
	if err != nil {
		return // cannot happen: all data are values of JSON
	}
	if id != 0 {
		fmt.Fprintf(&s.buffer, "id: %s-%d\n", s.console.run(), id)
	}
	fmt.Fprintf(&s.buffer, "event: %s\ndata: %s\n\n", name, text)
}
