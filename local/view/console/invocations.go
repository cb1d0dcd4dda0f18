package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// An Invocation is one invocation of a function that has ended.
type Invocation struct {
	ID            string // the request id
	Function      string // its name
	Began         time.Time
	Took          time.Duration
	Event, Answer []byte // JSON; the answer of a function that failed is its error
	Error         string // empty if the function has succeeded
}

// An Example is an event like those that a function gets.
type Example struct {
	Name  string          `json:"name"` // what the event comes from, such as "GET /products"
	Event json.RawMessage `json:"event"`
}

// Functions are what the console does with the functions of a stack.
type Functions struct {
	// Declared returns what the program declares about a function. known is false for a function
	// that it does not declare.
	Declared func(function string) (d Declaration, known bool)
	// Examples returns events like those that a function gets.
	Examples func(function string) []Example
	// Invoke invokes a function with an event, and returns the request id of the invocation. The
	// error says why there was none. The result of the invocation comes through Console.Invoked.
	Invoke func(ctx context.Context, function string, event []byte) (id string, err error)
	// Save writes the event of an invocation to a file. It returns the file's path and the command
	// that invokes the function with it.
	Save func(function, id string, event []byte) (path, command string, err error)
}

// InvokedBy is the attribute of an invocation's events that says which person's tool invoked the
// function. Such an invocation begins a journey.
const InvokedBy = "invoked_by"

// maxInvocations is how many invocations of each function the console keeps.
const maxInvocations = 50

// An invocation is what the console keeps of an Invocation.
type invocation struct {
	Invocation         // without its event and its answer
	event, answer body // of the Invocation
	failed        int  // messages of its batch that the function reports as failed
}

// failuresIn returns how many messages of a batch an answer reports as failed.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func failuresIn(answer []byte) int {
	var batch struct {
		Failures []json.RawMessage `json:"batchItemFailures"`
	}
	_ = json.Unmarshal(answer, &batch) // other answers have none
	return len(batch.Failures)
}

// invocations keeps the latest invocations of each function.
type invocations struct {
	mu         sync.Mutex // guards what follows
	byFunction map[string]*kept[*invocation]
}

func (s *invocations) add(i Invocation) {
	ended := &invocation{Invocation: i, event: newBody(string(i.Event), maxKeptBody)}
	ended.failed = failuresIn(i.Answer)
	ended.answer = newBody(string(i.Answer), maxKeptBody)
	ended.Event, ended.Answer = nil, nil
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.byFunction[i.Function]
	if of == nil {
		of = &kept[*invocation]{most: maxInvocations}
		s.byFunction[i.Function] = of
	}
	of.add(i.ID, len(ended.event.text)+len(ended.answer.text), ended)
}

func (s *invocations) find(id string) (*invocation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.byFunction {
		if i, found := of.find(id); found {
			return i, true
		}
	}
	return nil, false
}

// An InvocationSummary is a line in the list of a function's invocations.
type InvocationSummary struct {
	ID       string    `json:"id"`
	Function string    `json:"function"`
	Began    time.Time `json:"began"`
	TookMS   float64   `json:"took_ms"`
	Error    string    `json:"error,omitempty"`
	Failed   int       `json:"failed,omitempty"` // messages that the function reports as failed
}

// An InvocationShown is an invocation with its event and its answer.
type InvocationShown struct {
	InvocationSummary
	Event   Body   `json:"event"`
	Answer  Body   `json:"answer"`
	Journey string `json:"journey,omitempty"` // the id of the journey that it belongs to
}

func (i *invocation) summary(h hider) InvocationSummary {
	return InvocationSummary{
		ID: i.ID, Function: i.Function, Began: i.Began.UTC(), TookMS: milliseconds(i.Took), Error: h.in(i.Error),
		Failed: i.failed,
	}
}

// of returns the invocations of a function, newest first.
func (s *invocations) of(function string, h hider) []InvocationSummary {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.byFunction[function]
	if of == nil {
		return nil
	}
	list := make([]InvocationSummary, 0, len(of.values))
	for n := range of.values {
		list = append(list, of.values[len(of.values)-1-n].value.summary(h))
	}
	return list
}

// Invoked keeps an invocation that has ended.
func (c *Console) Invoked(i Invocation) { c.invocations.add(i) }

// hider returns a hider for the current secrets.
func (c *Console) hider() hider {
	if secrets := c.current().Secrets; secrets != nil {
		return newHider(secrets())
	}
	return newHider(nil)
}

// pathInvocation returns the invocation that a request's path names. Otherwise it answers with an
// error.
func (c *Console) pathInvocation(w http.ResponseWriter, r *http.Request) *invocation {
	i, known := c.invocations.find(r.PathValue("id"))
	if !known {
		Refuse(w, http.StatusNotFound, fmt.Errorf("there is no invocation %q; the console keeps the latest %d of "+
			"each function", r.PathValue("id"), maxInvocations))
		return nil
	}
	return i
}

func (c *Console) serveInvocation(w http.ResponseWriter, r *http.Request) {
	i := c.pathInvocation(w, r)
	if i == nil {
		return
	}
	h := c.hider()
	Answer(w, http.StatusOK, InvocationShown{
		InvocationSummary: i.summary(h), Event: i.event.shown(h), Answer: i.answer.shown(h),
		Journey: c.observer.journeys.with(invocationRef(i.ID)),
	})
}

// errCut says that the console cannot use an event again.
var errCut = Refusal{http.StatusConflict, fmt.Errorf(
	"the event is larger than %d KB, and the console has kept only its beginning", maxKeptBody>>10)}

// serveInvoke invokes a function with an event that a person has written, or again with the event
// of an earlier invocation. It answers when the invocation has ended.
func (c *Console) serveInvoke(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Function string          `json:"function"`
		Event    json.RawMessage `json:"event"`
		Again    string          `json:"again"` // the id of the earlier invocation
	}
	if err := decode(w, r, &asked, maxKeptBody); err != nil {
		Fail(w, err)
		return
	}
	if asked.Again != "" {
		earlier, known := c.invocations.find(asked.Again)
		switch {
		case !known:
			Refuse(w, http.StatusNotFound, fmt.Errorf("there is no invocation %q any more", asked.Again))
			return
		case earlier.event.cut:
			Fail(w, errCut)
			return
		}
		asked.Function, asked.Event = earlier.Function, json.RawMessage(earlier.event.text)
	}
	functions := c.current().Functions
	if functions.Invoke == nil {
		Refuse(w, http.StatusServiceUnavailable, errors.New("the run is starting: its functions are not ready"))
		return
	}
	event := []byte(cmp.Or(string(asked.Event), "{}"))
	id, err := functions.Invoke(r.Context(), asked.Function, event)
	if err != nil {
		Refuse(w, http.StatusNotFound, err)
		return
	}
	Answer(w, http.StatusOK, map[string]string{"id": id})
}

// serveSave writes the event of an invocation to a file. The page does not get the event itself,
// because the console never sends what the file needs for a replay: signatures.
func (c *Console) serveSave(w http.ResponseWriter, r *http.Request) {
	if err := Decode(w, r, &struct{}{}); err != nil {
		Fail(w, err)
		return
	}
	i := c.pathInvocation(w, r)
	if i == nil {
		return
	}
	if i.event.cut {
		Fail(w, errCut)
		return
	}
	save := c.current().Functions.Save
	if save == nil {
		Refuse(w, http.StatusServiceUnavailable, errors.New("this run saves no events"))
		return
	}
	path, command, err := save(i.Function, i.ID, []byte(i.event.text))
	if err != nil {
		Refuse(w, http.StatusInternalServerError, err)
		return
	}
	Answer(w, http.StatusOK, map[string]string{"path": path, "command": command})
}
