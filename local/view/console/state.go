package console

import (
	"maps"
	"time"
)

// State is how a run is at a moment.
type State struct {
	Time      time.Time         `json:"time"`
	Program   string            `json:"program"`
	Stage     string            `json:"stage"`
	Endpoints map[string]string `json:"endpoints"`
	Graph     Graph             `json:"graph"`
	changing
}

// changing is what of the state changes while a stack runs.
type changing struct {
	Counters    map[string]map[string]int `json:"counters"`
	Faults      map[string]string         `json:"faults"` // what is wrong with nodes, by their ids
	DeadLetters []DeadLetter              `json:"dead_letters"`
	Panels      map[string]any            `json:"panels"` // by their names
	Build       *Build                    `json:"build"`
	Changes     []Change                  `json:"changes"`
	Stream      StreamState               `json:"stream"`
}

// A StreamState is how the stream of events does.
type StreamState struct {
	Events      uint64 `json:"events"`
	Dropped     uint64 `json:"dropped"` // summed over the subscribers, and before them
	Subscribers int    `json:"subscribers"`
	Capacity    int    `json:"capacity"`
}

const (
	// stateAge is how old a state may be that is told.
	stateAge = 250 * time.Millisecond
)

// state is how the run is now.
func (c *Console) state() State {
	stack, picture := c.current(), c.observer.shown()
	s := State{
		Time: time.Now().UTC(), Program: c.config.Program, Stage: c.config.Stage, Endpoints: stack.Endpoints, Graph: picture.graph,
		changing: c.changing(),
	}
	s.Panels = c.panelStates(true)
	return s
}

// changing is what changes, as it was a moment ago at most: many may ask.
func (c *Console) changing() changing {
	c.looking.Lock()
	defer c.looking.Unlock()
	if time.Since(c.looked) >= stateAge {
		c.cached, c.looked = c.look(), time.Now()
	}
	return c.cached
}

// look is what changes, at this moment.
func (c *Console) look() changing {
	stack, picture := c.current(), c.observer.shown()
	s := changing{
		Counters: c.observer.counted(), Faults: map[string]string{}, Panels: c.panelStates(false), Stream: c.streamState(),
		DeadLetters: deadLettersIn(picture.deadLetterQueues(stack.Queues), c.observer.deadLetters, c.observer.journeys),
	}
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
	told, records := c.observer.told.Stats(), c.config.Records.Stats()
	return StreamState{Events: told.Published, Dropped: told.Dropped + records.Dropped, Subscribers: told.Subscribers, Capacity: told.Capacity}
}
