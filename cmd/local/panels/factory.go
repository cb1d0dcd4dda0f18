package panels

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"restock/cmd/local/factory"
	"restock/local/view/console"
)

// A Fault is the JSON form of a simulated fault of the factory. The zero Fault is a factory that
// works.
type Fault struct {
	Status     int            `json:"status,omitempty"`     // of the answer, instead of 201
	Answer     factory.Answer `json:"answer,omitempty"`     // "hang", "disconnect" or "garbage"
	Produces   bool           `json:"produces,omitempty"`   // the factory makes the lot although the answer fails
	Deliveries int            `json:"deliveries,omitempty"` // callbacks for each lot
	Count      string         `json:"count,omitempty"`      // the delivered quantity, instead of the ordered one
	DelayMS    int64          `json:"delay_ms,omitempty"`   // the delay of the answer
	Hold       bool           `json:"hold,omitempty"`       // no lot finishes a step while this is set
}

func (f Fault) fault() factory.Fault {
	return factory.Fault{
		Status: f.Status, Answer: f.Answer, Produces: f.Produces, Deliveries: f.Deliveries, Count: f.Count,
		Delay: time.Duration(f.DelayMS) * time.Millisecond, Hold: f.Hold,
	}
}

func faultOf(f factory.Fault) Fault {
	return Fault{
		Status: f.Status, Answer: f.Answer, Produces: f.Produces, Deliveries: f.Deliveries, Count: f.Count,
		DelayMS: f.Delay.Milliseconds(), Hold: f.Hold,
	}
}

// maxFactoryRequests is how many of the factory's requests the panel shows.
const maxFactoryRequests = 20

// A factoryPanel shows the factory's stand-in and sets its faults.
type factoryPanel struct {
	find func() *factory.Factory

	mu      sync.Mutex       // guards what follows
	factory *factory.Factory // nil if the stack does not run yet, or has no factory
	node    string           // its id in the picture
}

func (p *factoryPanel) panel() console.Panel {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /faults", p.serveFault)
	return console.Panel{
		Name: "factory", Side: true, Handler: mux, State: p.state, Counters: p.counters, Faults: p.faults,
		Start: func(_ context.Context, s console.Stack) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.factory, p.node = p.find(), s.Graph.Only(console.KindFactory)
			return nil
		},
	}
}

// current returns the stand-in, or nil, and its node in the picture.
func (p *factoryPanel) current() (f *factory.Factory, node string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.factory, p.node
}

func (p *factoryPanel) state(bool) any {
	f, _ := p.current()
	if f == nil {
		return nil
	}
	return factoryState(f.Fault(), f.Requests())
}

func (p *factoryPanel) faults() map[string]string {
	f, node := p.current()
	if f == nil || f.Fault() == (factory.Fault{}) {
		return nil
	}
	return map[string]string{node: f.Fault().String()}
}

func (p *factoryPanel) counters() map[string]map[string]int {
	f, node := p.current()
	if f == nil {
		return nil
	}
	requests := f.Requests()
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
	return map[string]map[string]int{
		node: {"requests": len(requests), "in_the_making": making, "deliveries": deliveries, "lost": lost},
	}
}

// serveFault sets the factory's fault and answers with it. A request with only "lose" loses all
// lots in production and does not change the fault.
func (p *factoryPanel) serveFault(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Fault
		Lose bool `json:"lose"`
	}
	if err := console.Decode(w, r, &body); err != nil {
		console.Fail(w, err)
		return
	}
	f, _ := p.current()
	if f == nil {
		console.Refuse(w, http.StatusConflict, errors.New("the running program has no factory"))
		return
	}
	if !body.Lose || body.Fault != (Fault{}) {
		if err := f.SetFault(body.fault()); err != nil {
			console.Fail(w, err)
			return
		}
	}
	if body.Lose {
		f.LoseJobs()
	}
	console.Answer(w, http.StatusOK, faultOf(f.Fault()))
}

// A FactoryState is the state of the factory's stand-in.
type FactoryState struct {
	Fault     Fault            `json:"fault"`
	FaultText string           `json:"fault_text"`
	Requests  []FactoryRequest `json:"requests"` // the latest, newest first
}

// A FactoryRequest is a request that the factory got for a production order.
type FactoryRequest struct {
	ID         string            `json:"id"` // of the lot; empty if the factory does not make one
	Time       time.Time         `json:"time"`
	Step       string            `json:"step"`
	Lost       bool              `json:"lost"`
	SKU        string            `json:"sku"`
	Quantity   string            `json:"quantity"`
	Deliveries []FactoryDelivery `json:"deliveries"`
}

// A FactoryDelivery is a callback that the factory has sent.
type FactoryDelivery struct {
	Time   time.Time `json:"time"`
	Count  string    `json:"count"`  // the delivered quantity
	Status int       `json:"status"` // of the answer; 0 if there was none
	Error  string    `json:"error,omitempty"`
}

func factoryState(fault factory.Fault, requests []factory.Request) *FactoryState {
	s := &FactoryState{Fault: faultOf(fault), FaultText: fault.String(), Requests: []FactoryRequest{}}
	for _, r := range slices.Backward(requests[max(0, len(requests)-maxFactoryRequests):]) {
		var order struct {
			SKU      json.RawMessage `json:"MessageAttributeProductId"`
			Quantity json.RawMessage `json:"MessageAttributeProductCnt"`
		}
		_ = json.Unmarshal(r.Body, &order) // the factory accepts any JSON
		shown := FactoryRequest{ID: r.ID, Time: r.Time.UTC(), Step: r.Step, Lost: r.Lost, SKU: plain(order.SKU),
			Quantity: plain(order.Quantity), Deliveries: []FactoryDelivery{}}
		for _, d := range r.Deliveries {
			delivery := FactoryDelivery{Time: d.Time.UTC(), Count: d.Count, Status: d.Status, Error: d.Err}
			shown.Deliveries = append(shown.Deliveries, delivery)
		}
		s.Requests = append(s.Requests, shown)
	}
	return s
}

// plain returns a JSON value as text for people: a string without its quotes.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
