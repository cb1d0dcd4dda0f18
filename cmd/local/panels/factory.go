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

// A Fault is what goes wrong at the factory, as the page and programs say it. The empty one is a factory that works.
type Fault struct {
	Status     int            `json:"status,omitempty"`     // answered in place of 201
	Answer     factory.Answer `json:"answer,omitempty"`     // "hang", "disconnect" or "garbage"
	Produces   bool           `json:"produces,omitempty"`   // the lot is made although the answer fails
	Deliveries int            `json:"deliveries,omitempty"` // callbacks for a lot
	Count      string         `json:"count,omitempty"`      // delivered in place of what was ordered
	DelayMS    int64          `json:"delay_ms,omitempty"`   // before the answer
	Hold       bool           `json:"hold,omitempty"`       // no job finishes a step while it is set
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

// maxFactoryRequests is how many of the factory's requests are shown.
const maxFactoryRequests = 20

// A factoryPanel shows the factory's stand-in, and makes it fail.
type factoryPanel struct {
	find func() *factory.Factory

	mu      sync.Mutex       // guards what follows
	factory *factory.Factory // nil until the stack runs, and where it has none
	node    string           // in the picture
}

func (p *factoryPanel) panel() console.Panel {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /faults", p.serveFault)
	return console.Panel{
		Name: "factory", Side: true, Handler: mux, State: p.state, Counters: p.counters, Faults: p.faults,
		Start: func(_ context.Context, s console.Stack) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.factory, p.node = p.find(), nodeOf(console.KindFactory, s.Graph)
			return nil
		},
	}
}

// now returns the stand-in and its node in the picture; nil without a stand-in.
func (p *factoryPanel) now() (f *factory.Factory, node string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.factory, p.node
}

func (p *factoryPanel) state(bool) any {
	f, _ := p.now()
	if f == nil {
		return nil
	}
	return factoryState(f.Fault(), f.Requests())
}

func (p *factoryPanel) faults() map[string]string {
	f, node := p.now()
	if f == nil || f.Fault() == (factory.Fault{}) {
		return nil
	}
	return map[string]string{node: f.Fault().String()}
}

func (p *factoryPanel) counters() map[string]map[string]int {
	f, node := p.now()
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

// serveFault sets what goes wrong at the factory, and answers with it. A request that only loses the
// lots in the making leaves the fault as it is.
func (p *factoryPanel) serveFault(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Fault
		Lose bool `json:"lose"`
	}
	if err := console.Decode(w, r, &asked); err != nil {
		console.Fail(w, err)
		return
	}
	f, _ := p.now()
	if f == nil {
		console.Refuse(w, http.StatusConflict, errors.New("the program that runs has no factory"))
		return
	}
	if !asked.Lose || asked.Fault != (Fault{}) {
		if err := f.SetFault(asked.fault()); err != nil {
			console.Fail(w, err)
			return
		}
	}
	if asked.Lose {
		f.LoseJobs()
	}
	console.Answer(w, http.StatusOK, faultOf(f.Fault()))
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
