// Package factory is a stand-in for the legacy Factory API, with the same contract. It accepts
// every order, answers at once, works through its steps, and calls back once with the request that
// it received. It never retries. It keeps its jobs in memory.
//
// The stand-in differs from the real factory in four points. Three are there because it runs on a
// developer's machine, where a page of any web site can send requests to it:
//
//   - It accepts JSON only. Before a browser sends JSON to another site, it asks the site for
//     permission, which the stand-in does not grant. A browser sends text/plain without asking.
//   - It calls back only the origins in Config.CallbackOrigins, and follows no redirect. Otherwise
//     a page could make it send requests to any host and port.
//   - It remembers the latest MaxRequests requests.
//
// The fourth one makes a journey one trace: if a request has the header Traceparent, the callback
// has one too.
package factory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/internal/factory/legacy"
	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// steps are the states of a lot. Each takes one Config.Step. After the last one, the factory makes
// the callback.
var steps = legacy.Steps()

// MaxRequests limits the remembered requests. Beyond it, the factory forgets the oldest request
// whose lot is not in the making.
const MaxRequests = 2000

const callbackTimeout = 30 * time.Second

// Config configures a Factory. The zero value works like the real factory, but makes no callbacks.
type Config struct {
	// CallbackOrigins are the allowed origins of callbacks, such as "http://127.0.0.1:8080". An
	// order with another CallbackUrl is refused.
	CallbackOrigins []string

	Step   time.Duration // duration of each of the four steps; 0 means that of the real factory
	Client *http.Client  // for the callbacks; nil means one with a timeout of 30 s
	Log    *slog.Logger  // nil discards the records
}

// Request is one request to the factory, and its outcome.
type Request struct {
	ID         string      // of the job, a UUIDv1; "" if the factory created no job
	Time       time.Time   // of its arrival
	Header     http.Header // as received
	Body       []byte      // as received
	Step       string      // 시작, 준비, 생산, 포장 or 종료; "" without a job
	Lost       bool        // the job was lost before it was done
	Deliveries []Delivery  // the job's callbacks

	span traceid.Span
}

// inTheMaking reports whether the request has an unfinished job.
func (req *Request) inTheMaking() bool {
	return req.ID != "" && !req.Lost && req.Step != steps[len(steps)-1]
}

// Delivery is one callback.
type Delivery struct {
	Time   time.Time
	Count  string // the delivered quantity: an integer, unless the request or a fault has another text
	Status int    // of the answer; 0 if there was none
	Err    string // why there was no answer, or ""
}

// Factory is an http.Handler that serves
//
//	POST /api/manufactures  accept a production order
//	GET  /api/manufactures  show the requests so far, for people
type Factory struct {
	step    time.Duration
	origins []string
	caller  legacy.Caller
	log     *slog.Logger
	mux     *http.ServeMux

	ctx    context.Context // ends when the factory closes; jobs outlive the requests that start them
	cancel context.CancelFunc

	mu       sync.Mutex // guards the fields below
	closed   bool
	jobs     sync.WaitGroup  // Add requires that closed is false
	memory   context.Context // ends with ctx, or when the jobs are lost
	forget   context.CancelFunc
	fault    Fault
	changed  chan struct{} // closed and replaced when fault is set
	requests []*Request    // in the order of arrival, at most MaxRequests
	lost     time.Time     // when the latest request arrived that is forgotten
}

// New returns a factory with cfg and without requests.
func New(cfg Config) *Factory {
	f := &Factory{
		step: cfg.Step, origins: cfg.CallbackOrigins, log: cfg.Log, mux: http.NewServeMux(),
		changed: make(chan struct{}),
	}
	if f.step == 0 {
		f.step = legacy.StepTime
	}
	client := http.Client{Timeout: callbackTimeout}
	if cfg.Client != nil {
		client = *cfg.Client
	}
	client.Transport = traced{cmp.Or(client.Transport, http.DefaultTransport)}
	f.caller = legacy.NewCaller(client)
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.memory, f.forget = context.WithCancel(f.ctx)
	f.mux.HandleFunc("POST "+legacy.Path, f.take)
	f.mux.HandleFunc("GET "+legacy.Path, f.show)
	return f
}

// ServeHTTP answers one request.
func (f *Factory) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

// Close ends all jobs and waits for them. It makes no more callbacks. Later orders get 503. Close
// may be called again.
func (f *Factory) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.jobs.Wait()
}

// LoseJobs forgets every unfinished job, like a restart of the real factory, and returns their
// number.
func (f *Factory) LoseJobs() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget()
	f.memory, f.forget = context.WithCancel(f.ctx)
	lost := 0
	for _, req := range f.requests {
		if req.inTheMaking() {
			req.Lost = true
			lost++
		}
	}
	if lost > 0 {
		f.log.Warn("the factory lost its jobs", "jobs", lost)
	}
	return lost
}

// RemembersSince returns a time after which the factory remembers all requests.
func (f *Factory) RemembersSince() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost
}

// Requests returns the remembered requests, the oldest first.
func (f *Factory) Requests() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	received := make([]Request, len(f.requests))
	for i, req := range f.requests {
		received[i] = *req
		received[i].Deliveries = slices.Clone(req.Deliveries)
	}
	return received
}

func (f *Factory) take(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, fmt.Sprintf("the factory's stand-in takes Content-Type application/json, not %q",
			r.Header.Get("Content-Type")), http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, legacy.MaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		http.Error(w, fmt.Sprintf("the request is larger than %d bytes", legacy.MaxBody),
			http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		f.log.Warn("a production order broke off", "error", err)
		return
	}
	o := legacy.ReadOrder(body)
	if err := f.checkCallback(o); err != nil {
		f.log.Warn("production order refused", "error", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}

	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		http.Error(w, "the factory is closed", http.StatusServiceUnavailable)
		return
	}
	if !f.makeRoom() {
		f.mu.Unlock()
		http.Error(w, fmt.Sprintf(
			"the factory's stand-in has %d lots in the making, and takes no more until one is done",
			MaxRequests), http.StatusServiceUnavailable)
		return
	}
	fault := f.fault
	req := &Request{Time: time.Now(), Header: r.Header.Clone(), Body: body}
	if cause, ok := traceid.ParseTraceparent(r.Header.Get(traceid.Traceparent)); ok {
		req.span = cause.Child()
	}
	f.requests = append(f.requests, req)
	if fault.produces() {
		// NewUUID fails only without a clock and without randomness.
		req.ID = uuid.Must(uuid.NewUUID()).String()
		req.Step = steps[0]
		memory := f.memory
		f.jobs.Go(func() { f.produce(memory, req) })
	}
	id := req.ID
	f.mu.Unlock()

	attrs := []any{events.FactoryOrderReceived.Attr(), "lot", id, "count", string(o.Count)}
	attrs = append(attrs, callbackAttrs(o, req.span)...)
	if fault != (Fault{}) {
		attrs = append(attrs, "fault", fault.String())
	}
	f.log.Info("production order received", attrs...)
	f.answer(w, r, fault, id, o, body)
}

// checkCallback refuses callbacks to origins that are not allowed. It accepts an order without a
// URL, whose callback then fails, as at the real factory.
func (f *Factory) checkCallback(o legacy.Order) error {
	if o.CallbackURL == "" {
		return nil
	}
	origin, err := o.CallbackOrigin()
	if err != nil {
		return err
	}
	if !slices.Contains(f.origins, origin) {
		return fmt.Errorf("the CallbackUrl leads to %q: the factory's stand-in calls back %q only, which is the API "+
			"of its run",
			origin, f.origins)
	}
	return nil
}

// makeRoom forgets a request if there is no room for another one. It returns false if all lots are
// in the making. It requires the lock.
func (f *Factory) makeRoom() bool {
	if len(f.requests) < MaxRequests {
		return true
	}
	i := slices.IndexFunc(f.requests, func(req *Request) bool { return !req.inTheMaking() })
	if i < 0 {
		return false
	}
	if t := f.requests[i].Time; t.After(f.lost) {
		f.lost = t
	}
	f.requests = slices.Delete(f.requests, i, i+1)
	return true
}

// answer sends the contract's 201, or the answer of the fault.
func (f *Factory) answer(w http.ResponseWriter, r *http.Request, fault Fault, id string, o legacy.Order, body []byte) {
	f.hold(r, fault.Delay)
	if fault.Status != 0 {
		http.Error(w, http.StatusText(fault.Status), fault.Status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch fault.Answer {
	case AnswerNever:
		select {
		case <-r.Context().Done():
		case <-f.ctx.Done():
		}
		panic(http.ErrAbortHandler) // closes the connection without an answer
	case AnswerDisconnect:
		panic(http.ErrAbortHandler)
	case AnswerGarbage:
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"data":{"data":`) // an error means that the client hung up
	case AnswerNormal:
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(o.Receipt(body, id))
	}
}

// hold delays an answer for the time of a fault. If the client hangs up or the factory closes
// earlier, there is no answer.
func (f *Factory) hold(r *http.Request, delay time.Duration) {
	if delay == 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	case <-f.ctx.Done():
		panic(http.ErrAbortHandler)
	}
}

// produce takes a job through its steps and delivers the lot, unless the context memory ends
// before.
func (f *Factory) produce(memory context.Context, req *Request) {
	for _, step := range steps[1:] {
		timer := time.NewTimer(f.step)
		select {
		case <-memory.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if !f.finish(memory, req, step) {
			return
		}
		f.log.Debug("production step", events.FactoryStepDone.Attr(), "lot", req.ID, "step", step)
	}
	f.deliver(req)
}

// finish takes a job to its next step. It waits while a fault holds the work. It returns false if
// memory ends first: then the job is lost.
func (f *Factory) finish(memory context.Context, req *Request, step string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.fault.Hold && memory.Err() == nil {
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-memory.Done():
		}
		f.mu.Lock()
	}
	if memory.Err() != nil {
		return false
	}
	req.Step = step
	return true
}

// deliver makes the callback, or as many concurrent callbacks as the fault demands.
func (f *Factory) deliver(req *Request) {
	f.mu.Lock()
	fault := f.fault
	f.mu.Unlock()

	o := legacy.ReadOrder(req.Body) // without a URL, the callback fails with an error
	body := req.Body
	if fault.Count != "" {
		body = withCount(body, o.Count, fault.Count)
	}
	count := strings.Trim(string(legacy.ReadOrder(body).Count), `"`)
	var callbacks sync.WaitGroup
	for range max(1, fault.Deliveries) {
		callbacks.Go(func() {
			d := Delivery{Time: time.Now(), Count: count}
			span := traceid.Span{}
			if req.span != span {
				span = req.span.Child()
			}
			status, err := f.caller.Call(traceid.With(f.ctx, span), o.CallbackURL, body)
			d.Status = status
			if err != nil {
				d.Err = err.Error()
			}
			f.mu.Lock()
			req.Deliveries = append(req.Deliveries, d)
			f.mu.Unlock()

			log := f.log.With("lot", req.ID, "duration", time.Since(d.Time)).With(callbackAttrs(o, span)...)
			switch {
			case f.ctx.Err() != nil: // the factory closed meanwhile
			case err != nil:
				log.Warn("delivery failed, and is not tried again", events.CallbackFailed.Attr(), "error", err)
			case status >= 300:
				log.Warn("delivery refused, and is not tried again", events.CallbackRefused.Attr(), "status", status)
			default:
				log.Info("lot delivered", events.LotDelivered.Attr(), "status", status)
			}
		})
	}
	callbacks.Wait()
}

// traced adds the header Traceparent to the requests of a span.
type traced struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t traced) RoundTrip(r *http.Request) (*http.Response, error) {
	if span, _ := traceid.From(r.Context()); span.ID != "" {
		r = r.Clone(r.Context())
		r.Header.Set(traceid.Traceparent, span.Traceparent())
	}
	return t.RoundTripper.RoundTrip(r)
}

// callbackAttrs returns the log attributes of a callback, and of the request for it.
func callbackAttrs(o legacy.Order, span traceid.Span) []any {
	attrs := []any{"callback", o.Callback()}
	if span.ID != "" {
		attrs = append(attrs, traceid.Attr(span))
	}
	if correlation := o.Correlation(); correlation != "" {
		attrs = append(attrs, "correlation_id", correlation)
	}
	return attrs
}
