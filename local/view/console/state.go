package console

import (
	"encoding/json"
	"slices"
	"time"

	"restock/cmd/local/factory"
)

// State is how a run is at a moment.
type State struct {
	Time      time.Time `json:"time"`
	Program   string    `json:"program"`
	Stage     string    `json:"stage"`
	Endpoints Endpoints `json:"endpoints"`
	Graph     Graph     `json:"graph"`
	Series    []Point   `json:"series"`
	changing
}

// changing is what of the state changes while a stack runs. The series grows by the products of a moment, which are in it.
type changing struct {
	Counters    map[string]map[string]int `json:"counters"`
	Products    []Product                 `json:"products"`
	DeadLetters []DeadLetter              `json:"dead_letters"`
	Factory     *FactoryState             `json:"factory"`
	Rush        *RushState                `json:"rush"`
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

// A FactoryState is how the factory's stand-in does.
type FactoryState struct {
	Fault     Fault            `json:"fault"`
	FaultText string           `json:"fault_text"`
	Requests  []FactoryRequest `json:"requests"` // the latest, the newest first
}

// A FactoryRequest is a production order that the factory was sent.
type FactoryRequest struct {
	ID         string            `json:"id"` // of the lot; empty where the factory makes none
	Time       time.Time         `json:"time"`
	Step       string            `json:"step"`
	Lost       bool              `json:"lost"`
	SKU        string            `json:"sku"`
	Quantity   string            `json:"quantity"`
	Deliveries []FactoryDelivery `json:"deliveries"`
}

// A FactoryDelivery is a callback of the factory.
type FactoryDelivery struct {
	Time   time.Time `json:"time"`
	Status int       `json:"status"` // 0 where there was no answer
	Error  string    `json:"error,omitempty"`
}

const (
	// maxFactoryRequests is how many of the factory's requests are shown.
	maxFactoryRequests = 20
	// stateAge is how old a state may be that is told.
	stateAge = 250 * time.Millisecond
)

// state is how the run is now.
func (c *Console) state() State {
	stack, picture := c.current(), c.observer.shown()
	return State{
		Time: time.Now().UTC(), Program: c.config.Program, Stage: c.config.Stage, Endpoints: stack.Endpoints, Graph: picture.graph,
		Series: c.products.points(), changing: c.changing(),
	}
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
		Counters: c.observer.counted(), Products: c.products.latest(), Rush: c.rush.state(), Stream: c.streamState(),
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
	if node := picture.only(KindDatabase); node != "" {
		set(node, "connections", c.products.connections())
	}
	if node := picture.only(KindFactory); node != "" && stack.Factory != nil {
		requests := stack.Factory.Requests()
		s.Factory = factoryState(stack.Factory.Fault(), requests)
		making, deliveries, lost := 0, 0, 0
		for _, r := range requests {
			switch {
			case r.Lost:
				lost++
			case r.ID != "" && len(r.Deliveries) == 0:
				making++
			}
			deliveries += len(r.Deliveries)
		}
		set(node, "requests", len(requests))
		set(node, "in_the_making", making)
		set(node, "deliveries", deliveries)
		set(node, "lost", lost)
	}
	return s
}

func (c *Console) streamState() StreamState {
	told, records := c.observer.told.Stats(), c.config.Records.Stats()
	return StreamState{Events: told.Published, Dropped: told.Dropped + records.Dropped, Subscribers: told.Subscribers, Capacity: told.Capacity}
}

func factoryState(fault factory.Fault, requests []factory.Request) *FactoryState {
	s := &FactoryState{Fault: faultOf(fault), FaultText: fault.String(), Requests: []FactoryRequest{}}
	for _, r := range slices.Backward(requests[max(0, len(requests)-maxFactoryRequests):]) {
		var order struct {
			SKU      json.RawMessage `json:"MessageAttributeProductId"`
			Quantity json.RawMessage `json:"MessageAttributeProductCnt"`
		}
		_ = json.Unmarshal(r.Body, &order) // the factory takes anything
		shown := FactoryRequest{ID: r.ID, Time: r.Time.UTC(), Step: r.Step, Lost: r.Lost, SKU: plain(order.SKU), Quantity: plain(order.Quantity), Deliveries: []FactoryDelivery{}}
		for _, d := range r.Deliveries {
			shown.Deliveries = append(shown.Deliveries, FactoryDelivery{Time: d.Time.UTC(), Status: d.Status, Error: d.Err})
		}
		s.Requests = append(s.Requests, shown)
	}
	return s
}

// plain is a value of JSON as people read it: text without its quotes.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
