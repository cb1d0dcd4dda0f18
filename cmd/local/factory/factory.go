// Package factory is a stand-in for the legacy Factory API, with the real
// one's contract: it accepts everything, answers at once, works through its
// steps, calls back once with the request it was sent, and never tries again.
// Its jobs live in memory.
//
// The stand-in differs from the real factory in three points. It runs on a
// developer's machine, where a page of any web site can send requests to it:
//
//   - It accepts JSON only. A browser asks before it sends that to another
//     site, and the stand-in does not answer the question. It sends text/plain
//     without asking.
//   - It calls back the origins in Config.CallbackOrigins only, and follows no
//     redirect. Else a page could make it send requests to any host and port.
//   - It remembers the latest MaxRequests requests.
package factory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/local/view/events"
)

// steps are the states that a lot goes through. Between two of them passes
// one Config.Step; with the last one the callback is made.
var steps = [...]string{"시작", "준비", "생산", "포장", "종료"}

const (
	// RealStep is how long a step takes at the real factory.
	RealStep = 10 * time.Second

	// MaxRequests is how many requests are remembered. When there are more,
	// the oldest whose lot is not in the making is forgotten.
	MaxRequests = 2000

	callbackTimeout = 30 * time.Second
	maxBody         = 64 << 10 // bytes; the real requests have a few hundred
	maxAnswer       = 1 << 20  // bytes of the answer to a callback that are read
)

// Config says how a Factory works. Its zero value works like the real one, but
// calls nobody back.
type Config struct {
	// CallbackOrigins are the origins that may be called back, like
	// "http://127.0.0.1:8080". An order with another CallbackUrl is refused.
	CallbackOrigins []string

	Step   time.Duration // how long each of the four steps takes; 0 means RealStep
	Client *http.Client  // makes the callbacks; nil means one that waits 30 s
	Log    *slog.Logger  // nil discards
}

// Request is one request that the factory received, and what became of it.
type Request struct {
	ID         string      // of the job, a UUIDv1; "" when the factory made none of it
	Time       time.Time   // when it was received
	Header     http.Header // as received
	Body       []byte      // as received
	Step       string      // 시작, 준비, 생산, 포장 or 종료; "" without a job
	Lost       bool        // the job was forgotten before it was done
	Deliveries []Delivery  // the callbacks made for it
}

// inTheMaking says whether the request has a job that is not done.
func (req *Request) inTheMaking() bool {
	return req.ID != "" && !req.Lost && req.Step != steps[len(steps)-1]
}

// Delivery is one callback.
type Delivery struct {
	Time   time.Time
	Count  string // what it says is delivered: a whole number, unless the request or a fault says otherwise
	Status int    // the answer's status; 0 when there was none
	Err    string // why there was none; "" when there was
}

// Factory is an http.Handler that serves
//
//	POST /api/manufactures  take a production order
//	GET  /api/manufactures  show what was received so far, for people
type Factory struct {
	step    time.Duration
	origins []string
	client  http.Client
	log     *slog.Logger
	mux     *http.ServeMux

	ctx    context.Context // ends when the factory closes
	cancel context.CancelFunc

	mu       sync.Mutex // guards the fields below
	closed   bool
	jobs     sync.WaitGroup  // grows only while closed is false
	memory   context.Context // ends with ctx, or when the jobs are lost
	forget   context.CancelFunc
	fault    Fault
	changed  chan struct{} // closed, and replaced, when fault is set
	requests []*Request    // in the order received, at most MaxRequests
}

// New returns a factory that works as cfg says and has received nothing.
func New(cfg Config) *Factory {
	f := &Factory{
		step: cfg.Step, origins: cfg.CallbackOrigins, log: cfg.Log, mux: http.NewServeMux(), changed: make(chan struct{}),
	}
	if f.step == 0 {
		f.step = RealStep
	}
	f.client = http.Client{Timeout: callbackTimeout}
	if cfg.Client != nil {
		f.client = *cfg.Client
	}
	// A redirect could lead from an allowed origin to any other.
	f.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.memory, f.forget = context.WithCancel(f.ctx)
	f.mux.HandleFunc("POST /api/manufactures", f.take)
	f.mux.HandleFunc("GET /api/manufactures", f.show)
	return f
}

// ServeHTTP answers one request.
func (f *Factory) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

// Close ends all jobs and returns when they have ended; their callbacks are
// not made. Orders that come later get 503. It may be called again.
func (f *Factory) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.jobs.Wait()
}

// LoseJobs forgets every job that is not done, as a restart of the real
// factory does, and returns how many those were.
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

// Requests returns what the factory remembers of what it received, oldest first.
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

// order is what the factory itself reads of a request. Both stay as they were
// sent, whatever their type: it validates nothing.
type order struct {
	Requester   json.RawMessage `json:"MessageAttributeRequester"`
	Count       json.RawMessage `json:"MessageAttributeProductCnt"`
	CallbackURL string          `json:"CallbackUrl"`
}

func (f *Factory) take(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, fmt.Sprintf("the factory's stand-in takes Content-Type application/json, not %q",
			r.Header.Get("Content-Type")), http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		http.Error(w, fmt.Sprintf("the request is larger than %d bytes", maxBody), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		f.log.Warn("a production order broke off", "error", err)
		return
	}
	var o order
	_ = json.Unmarshal(body, &o) // what cannot be read stays empty, as in the real one
	if err := f.checkCallback(o.CallbackURL); err != nil {
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
		http.Error(w, fmt.Sprintf("the factory's stand-in has %d lots in the making, and takes no more until one is done",
			MaxRequests), http.StatusServiceUnavailable)
		return
	}
	fault := f.fault
	req := &Request{Time: time.Now(), Header: r.Header.Clone(), Body: body}
	f.requests = append(f.requests, req)
	if fault.produces() {
		// NewUUID fails only where neither a clock nor randomness is to be had.
		req.ID = uuid.Must(uuid.NewUUID()).String()
		req.Step = steps[0]
		memory := f.memory
		f.jobs.Go(func() { f.produce(memory, req) })
	}
	id := req.ID
	f.mu.Unlock()

	attrs := []any{events.FactoryOrderReceived.Attr(), "lot", id, "count", string(o.Count)}
	attrs = append(attrs, callbackAttrs(o.CallbackURL)...)
	if fault != (Fault{}) {
		attrs = append(attrs, "fault", fault.String())
	}
	f.log.Info("production order received", attrs...)
	f.answer(w, r, fault, id, o, body)
}

// checkCallback refuses a callback to any origin but the allowed ones. An order
// without a URL is accepted: its callback fails, as the real factory's does.
func (f *Factory) checkCallback(callback string) error {
	if callback == "" {
		return nil
	}
	u, err := url.Parse(callback)
	if err != nil {
		return fmt.Errorf("the CallbackUrl cannot be read: %w", withoutURL(err))
	}
	if origin := u.Scheme + "://" + u.Host; !slices.Contains(f.origins, origin) {
		return fmt.Errorf("the CallbackUrl leads to %q: the factory's stand-in calls back %q only, which is the API of its run",
			origin, f.origins)
	}
	return nil
}

// makeRoom forgets a request if there is no room for another one. It returns
// false if all lots are in the making. It must be called with the lock held.
func (f *Factory) makeRoom() bool {
	if len(f.requests) < MaxRequests {
		return true
	}
	i := slices.IndexFunc(f.requests, func(req *Request) bool { return !req.inTheMaking() })
	if i < 0 {
		return false
	}
	f.requests = slices.Delete(f.requests, i, i+1)
	return true
}

// answer sends the 201 of the contract, or what the fault puts in its place.
func (f *Factory) answer(w http.ResponseWriter, r *http.Request, fault Fault, id string, o order, body []byte) {
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
		_, _ = io.WriteString(w, `{"data":{"data":`) // who asked may be gone
	case AnswerNormal:
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(receipt(body, id, o.Requester))
	}
}

// hold keeps an answer back for as long as a fault says. A client that does not
// wait so long, or the end of the factory, ends it without one.
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

// receipt is the body of the 201. It is put together by hand because
// encoding/json would rewrite the request that it echoes.
func receipt(body []byte, id string, requester json.RawMessage) []byte {
	echo := body
	if !json.Valid(echo) {
		echo, _ = json.Marshal(string(body)) // cannot fail on a string
	}
	b := fmt.Appendf(nil, `{"data":{"data":%s,"id":"%s"`, echo, id)
	if requester != nil {
		b = fmt.Appendf(b, `,"reqestor":%s`, requester)
	}
	return append(b, "}}"...)
}

// produce takes a job through its steps and delivers it, unless memory, which
// holds it, ends before.
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

// finish takes a job to its next step. It waits while the fault holds the work,
// and returns false if memory ends first: then the job is lost.
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

// deliver makes the callback: one, or as many as the fault says, at once.
func (f *Factory) deliver(req *Request) {
	f.mu.Lock()
	fault := f.fault
	f.mu.Unlock()

	var o order
	_ = json.Unmarshal(req.Body, &o) // without a URL the callback fails, and says so
	body := req.Body
	if fault.Count != "" {
		body = withCount(body, o.Count, fault.Count)
	}
	var delivered order
	_ = json.Unmarshal(body, &delivered)
	count := strings.Trim(string(delivered.Count), `"`)
	var callbacks sync.WaitGroup
	for range max(1, fault.Deliveries) {
		callbacks.Go(func() {
			d := Delivery{Time: time.Now(), Count: count}
			status, err := f.call(o.CallbackURL, body)
			d.Status = status
			if err != nil {
				d.Err = err.Error()
			}
			f.mu.Lock()
			req.Deliveries = append(req.Deliveries, d)
			f.mu.Unlock()

			log := f.log.With("lot", req.ID, "duration", time.Since(d.Time)).With(callbackAttrs(o.CallbackURL)...)
			switch {
			case f.ctx.Err() != nil: // closed in the middle of it
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

// callbackAttrs are what may be logged of a callback: where it leads, and which request of a buyer is its cause, where the URL says
// it. The rest of the query proves who made the URL, and whoever reads that could use it.
func callbackAttrs(callback string) []any {
	where, query, _ := strings.Cut(callback, "?")
	attrs := []any{"callback", where}
	values, _ := url.ParseQuery(query) // what cannot be read says nothing
	if correlation := values.Get("correlation"); correlation != "" {
		attrs = append(attrs, "correlation_id", correlation)
	}
	return attrs
}

// withoutURL is the cause of an error that names a callback's whole URL.
func withoutURL(err error) error {
	if named := (*url.Error)(nil); errors.As(err, &named) {
		return named.Err
	}
	return err
}

func (f *Factory) call(callback string, body []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(f.ctx, http.MethodPost, callback, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("making the callback: the URL cannot be used: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := f.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("calling back: %w", withoutURL(err))
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // so that the connection can be used again
	return res.StatusCode, nil
}
