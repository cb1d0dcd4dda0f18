package console

import (
	"maps"
	"time"
)

// State is a snapshot of the run.
type State struct {
	Time      time.Time         `json:"time"`
	Program   string            `json:"program"`
	Stage     string            `json:"stage"`
	Began     time.Time         `json:"began"`
	Region    string            `json:"region"`
	Endpoints map[string]string `json:"endpoints"`
	Graph     Graph             `json:"graph,omitzero"` // none before a stack is drawn
	changing
}

// changing is the part of the state that changes while a stack runs.
type changing struct {
	Counters    map[string]map[string]int `json:"counters"`
	Faults      map[string]string         `json:"faults"`  // simulated faults, by node id
	Denials     []Denial                  `json:"denials"` // of the run, the latest first
	DeadLetters []Message                 `json:"dead_letters"`
	LettersMean string                    `json:"letters_mean"` // for the program; empty: nothing special
	Marks       map[string]Mark           `json:"marks"`
	Panels      map[string]any            `json:"panels"` // by panel
	Build       *Build                    `json:"build"`
	Changes     []Change                  `json:"changes"`
	Stream      StreamState               `json:"stream"`
}

// A StreamState has counts of the event stream.
type StreamState struct {
	Events      uint64 `json:"events"`
	Dropped     uint64 `json:"dropped"`    // by the subscribers of the stream, and by the observer
	Lost        uint64 `json:"lost"`       // by the observer: no page and no journey has them
	Incomplete  int    `json:"incomplete"` // journeys that the list leaves out because they lack steps
	Subscribers int    `json:"subscribers"`
	Capacity    int    `json:"capacity"`
}

// stateAge is how long the console caches its state.
const stateAge = 250 * time.Millisecond

// state returns the current state.
func (c *Console) state() State {
	stack, picture := c.current(), c.observer.shown()
	s := State{
		Time: time.Now().UTC(), Program: c.config.Program, Stage: c.config.Stage,
		Began: c.observer.began.UTC(), Region: stack.Region, Endpoints: stack.Endpoints,
		Graph: picture.graph, changing: c.readChanging(),
	}
	s.Panels = c.panelStates(true)
	return s
}

// changing returns the changing part of the state. It is cached, because every subscriber asks for
// it all the time.
func (c *Console) changing() changing {
	c.cacheMu.Lock()
	defer c.cacheMu.Unlock()
	if time.Since(c.cachedAt) >= stateAge {
		c.cached, c.cachedAt = c.readChanging(), time.Now()
	}
	return c.cached
}

// readChanging returns the changing part of the state at this moment.
func (c *Console) readChanging() changing {
	stack, picture := c.current(), c.observer.shown()
	s := changing{
		Counters: c.observer.counted(), Faults: map[string]string{}, Panels: c.panelStates(false),
		Stream: c.streamState(), Denials: c.observer.denied(), Marks: c.observer.marked(),
	}
	s.DeadLetters, s.LettersMean = c.messagesIn(picture.deadLetterQueues(stack.Queues))
	c.mu.Lock()
	s.Build, s.Changes = c.build, append([]Change{}, c.changes...)
	c.mu.Unlock()

	set := func(node, counter string, n int) {
		if node == "" {
			return
		}
		if s.Counters[node] == nil {
			s.Counters[node] = map[string]int{}
		}
		s.Counters[node][counter] = n
	}
	for _, q := range stack.Queues {
		node, counts := picture.queue(q.ARN()), q.Counts()
		set(node, "visible", counts.Visible)
		set(node, "in_flight", counts.InFlight)
		set(node, "delayed", counts.Delayed)
	}
	if stack.Instances != nil {
		for _, n := range picture.graph.Nodes {
			if n.Kind == KindFunction {
				set(n.ID, "instances", stack.Instances(n.Name))
			}
		}
	}
	for _, p := range c.config.Panels {
		if p.Counters != nil {
			for node, counters := range p.Counters() {
				for counter, n := range counters {
					set(node, counter, n)
				}
			}
		}
		if p.Faults != nil {
			maps.Copy(s.Faults, p.Faults())
		}
	}
	return s
}

func (c *Console) streamState() StreamState {
	stream, records := c.observer.stream.Stats(), c.config.Records.Stats()
	return StreamState{
		Events: stream.Published, Dropped: stream.Dropped + records.Dropped, Lost: records.Dropped,
		Incomplete:  c.observer.journeys.incomplete(),
		Subscribers: stream.Subscribers, Capacity: stream.Capacity,
	}
}
