package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"restock/local/view/events"
)

const (
	// flowInterval and stateInterval are the least time between two events of a kind.
	flowInterval  = 200 * time.Millisecond
	stateInterval = 500 * time.Millisecond

	// eventsPerSecond is how many events a subscriber is told, and how many at once; more than a person, or a page, can take in.
	eventsPerSecond = 200

	// heartbeat keeps a connection that has nothing to tell from being taken for dead.
	heartbeat = 15 * time.Second
	// writeTimeout is how long a subscriber may take to read what it is sent.
	writeTimeout = 30 * time.Second
)

// A flowTold is what has moved since the last one, by edge.
type flowTold struct {
	Edges  map[string]int `json:"edges"`
	Failed map[string]int `json:"failed"`
}

// A droppedTold is how many events a subscriber was not told.
type droppedTold struct {
	Events uint64 `json:"events"` // since the last one
	Total  uint64 `json:"total"`
}

// serveStream tells a subscriber what happens, as server-sent events, until it goes away or the console is closed.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (c *Console) serveStream(w http.ResponseWriter, r *http.Request) {
	told, err := c.subscribe(r)
	if err != nil {
		Refuse(w, http.StatusBadRequest, err)
		return
	}
	defer told.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s := &subscriber{
		console: c, told: told, flows: c.observer.totals(), room: eventsPerSecond, asOf: time.Now(),
		out: w, control: http.NewResponseController(w),
	}
	tick := time.NewTicker(flowInterval)
	defer tick.Stop()
	for s.tell(time.Now()) == nil {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-c.ctx.Done():
			return
		}
	}
}

// subscribe reads where a subscriber wants to begin: after the last event that it has seen, or with what comes from now on, or else with
// the latest.
func (c *Console) subscribe(r *http.Request) (*events.Subscription[*Event], error) {
	stream, since := c.observer.told, r.Header.Get("Last-Event-ID")
	latest := stream.Latest()
	if since == "" {
		since = r.URL.Query().Get("since")
	}
	if since == "now" {
		return stream.SubscribeNow(), nil
	}
	seq := uint64(0)
	if since != "" {
		var err error
		if seq, err = strconv.ParseUint(since, 10, 64); err != nil {
			return nil, fmt.Errorf("since %q is neither a sequence number nor now", since)
		}
	}
	if since == "" || seq > latest { // of a run before this one
		seq = max(latest, eventsPerSecond) - eventsPerSecond
	}
	return stream.Subscribe(seq), nil
}

// A subscriber is told what happens, at the pace of a page.
type subscriber struct {
	console *Console
	told    *events.Subscription[*Event]
	out     http.ResponseWriter
	control *http.ResponseController

	flows     map[string]flow // as they were last told
	state     []byte          // the same
	stateTold time.Time
	dropped   uint64  // in all
	room      float64 // how many events may be told now
	asOf      time.Time
	wrote     time.Time
	buffer    bytes.Buffer
}

// tell sends what there is to tell at a moment. The error is that of a connection which is gone.
func (s *subscriber) tell(now time.Time) error {
	s.buffer.Reset()
	s.room = min(eventsPerSecond, s.room+now.Sub(s.asOf).Seconds()*eventsPerSecond)
	s.asOf = now
	s.tellEvents()
	s.tellFlow()
	if now.Sub(s.stateTold) >= stateInterval {
		s.tellState()
		s.stateTold = now
	}
	if s.buffer.Len() == 0 {
		if now.Sub(s.wrote) < heartbeat {
			return nil
		}
		s.buffer.WriteString(": nothing happens\n\n")
	}
	s.wrote = now
	_ = s.control.SetWriteDeadline(now.Add(writeTimeout)) // where there is none to set, the client decides
	if _, err := s.out.Write(s.buffer.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}

// tellEvents tells the events that have come, as many as fit: the important ones before the others, the latest before those before them. What does
// not fit is dropped, and counted.
func (s *subscriber) tellEvents() {
	batch, _ := s.told.Read(streamCapacity) // the end of the stream is that of the console
	chosen := choose(batch.Values, int(s.room))
	s.room -= float64(len(chosen))
	for _, e := range chosen {
		s.write("event", e.Seq, e)
	}
	passed := uint64(len(batch.Values) - len(chosen))
	s.told.Drop(passed)
	if missed := batch.Dropped + passed; missed > 0 {
		s.dropped += missed
		s.write("dropped", 0, droppedTold{Events: missed, Total: s.dropped})
	}
}

// choose picks events, at most as many as the limit, in their order: first the important ones, then the others, of each the latest.
func choose(all []*Event, limit int) []*Event {
	if len(all) <= limit {
		return all
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
	chosen := make([]*Event, 0, limit)
	for i, e := range all {
		if picked[i] {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

func (s *subscriber) tellFlow() {
	totals := s.console.observer.totals()
	told := flowTold{Edges: map[string]int{}, Failed: map[string]int{}}
	for edge, total := range totals {
		if moved := total.moved - s.flows[edge].moved; moved > 0 {
			told.Edges[edge] = moved
		}
		if failed := total.failed - s.flows[edge].failed; failed > 0 {
			told.Failed[edge] = failed
		}
	}
	s.flows = totals
	if len(told.Edges)+len(told.Failed) > 0 {
		s.write("flow", 0, told)
	}
}

func (s *subscriber) tellState() {
	state, err := document(s.console.changing())
	if err != nil || bytes.Equal(state, s.state) {
		return
	}
	s.state = state
	s.write("state", 0, json.RawMessage(state))
}

// write adds an event to what is sent. JSON has no line breaks, so that the data are one line.
func (s *subscriber) write(name string, id uint64, data any) {
	text, err := document(data)
	if err != nil {
		return // all that is told are values of JSON
	}
	if id != 0 {
		fmt.Fprintf(&s.buffer, "id: %d\n", id)
	}
	fmt.Fprintf(&s.buffer, "event: %s\ndata: %s\n\n", name, text)
}
