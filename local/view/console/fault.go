package console

import (
	"errors"
	"net/http"
	"time"

	"restock/cmd/local/factory"
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

// serveFault sets what goes wrong at the factory, and answers with it. To lose the lots in the making is nothing that lasts: alone it leaves the rest
// as it is.
func (c *Console) serveFault(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Fault
		Lose bool `json:"lose"`
	}
	if err := decode(w, r, &asked); err != nil {
		fail(w, err)
		return
	}
	stack := c.current()
	if stack.Factory == nil {
		refuse(w, http.StatusConflict, errors.New("the program that runs has no factory"))
		return
	}
	if !asked.Lose || asked.Fault != (Fault{}) {
		if err := stack.Factory.SetFault(asked.fault()); err != nil {
			fail(w, err)
			return
		}
	}
	if asked.Lose {
		stack.Factory.LoseJobs()
	}
	answer(w, http.StatusOK, faultOf(stack.Factory.Fault()))
}
