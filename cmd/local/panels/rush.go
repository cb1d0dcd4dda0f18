package panels

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"restock/local/view/console"
	"restock/test/load"
)

// Buyers configures a rush: Buyers requests, spread over Seconds. Each buyer checks out once.
type Buyers struct {
	Buyers   int    `json:"buyers"`   // 1 to MaxBuyers
	Seconds  int    `json:"seconds"`  // 1 to MaxRushSeconds
	SKU      string `json:"sku"`      // empty: the shop's default product
	Quantity int    `json:"quantity"` // of each purchase; 0 means 1
}

// The limits of a rush. rushWorkers is how many buyers wait for an answer at a time, because one
// machine runs them all.
const (
	MaxBuyers      = 100_000
	MaxRushSeconds = 600
	MaxQuantity    = 1000
	rushWorkers    = 64
	maxEarlier     = 10
)

func (b Buyers) validate() error {
	switch {
	case b.Buyers < 1 || b.Buyers > MaxBuyers:
		return fmt.Errorf("buyers is %d: it must be from 1 to %d", b.Buyers, MaxBuyers)
	case b.Seconds < 1 || b.Seconds > MaxRushSeconds:
		return fmt.Errorf("seconds is %d: it must be from 1 to %d", b.Seconds, MaxRushSeconds)
	case b.Quantity < 0 || b.Quantity > MaxQuantity:
		return fmt.Errorf("quantity is %d: it must be from 1 to %d", b.Quantity, MaxQuantity)
	case len(b.SKU) > 64:
		return fmt.Errorf("sku has %d characters: it has at most 64", len(b.SKU))
	default:
		return nil
	}
}

// A RushState is the progress of a rush, or its result.
type RushState struct {
	Running bool      `json:"running"`
	Began   time.Time `json:"began"`
	SKU     string    `json:"sku,omitempty"`
	Buyers  int       `json:"buyers"`
	Seconds int       `json:"seconds"`
	Sent    int       `json:"sent"`
	Sold    int       `json:"sold"`    // 200
	Refused int       `json:"refused"` // 409: not enough stock
	Failed  int       `json:"failed"`  // any other answer, or no answer

	// Throttled is how many requests the API throttled: 429, or 503 because all instances were
	// busy. Failed does not include them, because no function ran for them. ThrottledBy has the
	// reasons, most frequent first.
	Throttled   int      `json:"throttled"`
	ThrottledBy []Reason `json:"throttled_by"`

	P50MS float64 `json:"p50_ms"`
	P99MS float64 `json:"p99_ms"`

	// Earlier are the results of up to maxEarlier rushes before this one, newest first.
	Earlier []RushState `json:"earlier,omitempty"`
}

// A Reason is why the API throttled buyers: the limit that was reached, and the setting that sets
// it.
type Reason struct {
	Reason string `json:"reason"`
	Buyers int    `json:"buyers"`
}

// rush sends buyers to the shop's API, one rush at a time.
type rush struct {
	log    *slog.Logger
	client *http.Client
	done   sync.WaitGroup

	mu      sync.Mutex      // guards what follows
	ctx     context.Context // ends every rush, which outlives its request; nil if the stack does not run yet
	api     string          // the URL of the shop's API
	current *RushState      // the current or the last rush; nil before the first
	stop    context.CancelFunc
	took    []time.Duration   // how long each answer took, in no order
	away    map[string]string // reasons by request id, until the answers have arrived
	reasons map[string]int    // how many buyers were throttled for a reason
	earlier []RushState       // before the current rush, newest first
}

// throttled keeps the reason why the API throttles a request. The API calls it before it answers.
// The end of the rush drops the reasons of other clients' requests.
func (r *rush) throttled(requestID, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil && r.current.Running && len(r.away) < MaxBuyers {
		r.away[requestID] = reason
	}
}

func newRush(log *slog.Logger) *rush {
	transport := &http.Transport{MaxIdleConnsPerHost: rushWorkers, MaxConnsPerHost: rushWorkers}
	// No timeout: the API answers within its own limit of 30 s, and the end of a rush ends all
	// requests.
	return &rush{log: log, client: &http.Client{Transport: transport}}
}

func (r *rush) panel() console.Panel {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", r.serve)
	mux.HandleFunc("DELETE /{$}", r.serveEnd)
	return console.Panel{
		Name: "rush", Side: true, Handler: mux, Start: r.start, Close: r.wait, Throttled: r.throttled,
		State: func(bool) any {
			if state := r.state(); state != nil {
				return state
			}
			return nil
		},
	}
}

// start sets the shop's address. The end of ctx ends every rush.
func (r *rush) start(ctx context.Context, s console.Stack) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ctx, r.api = ctx, s.Endpoints["api"]
	return nil
}

func (r *rush) serve(w http.ResponseWriter, request *http.Request) {
	var buyers Buyers
	if err := console.Decode(w, request, &buyers); err != nil {
		console.Fail(w, err)
		return
	}
	state, err := r.begin(buyers)
	if err != nil {
		console.Fail(w, err)
		return
	}
	console.Answer(w, http.StatusAccepted, state)
}

func (r *rush) serveEnd(w http.ResponseWriter, _ *http.Request) {
	state := r.end()
	if state == nil {
		console.Refuse(w, http.StatusNotFound, errors.New("no rush has run yet"))
		return
	}
	console.Answer(w, http.StatusOK, state)
}

// begin starts a rush. The error is a Refusal if a rush is running or there is no shop; otherwise
// it says which number is wrong.
func (r *rush) begin(b Buyers) (*RushState, error) {
	if err := b.validate(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ctx == nil || r.api == "":
		return nil, refusal(http.StatusConflict, "the shop does not run yet")
	case r.ctx.Err() != nil:
		return nil, refusal(http.StatusServiceUnavailable, "the console is closed")
	case r.current != nil && r.current.Running:
		return nil, refusal(http.StatusConflict, "a rush is running: end it, or wait for its end")
	}
	if r.current != nil {
		last := percentiles(r.snapshot())
		r.earlier = append([]RushState{last}, r.earlier[:min(len(r.earlier), maxEarlier-1)]...)
	}
	ctx, stop := context.WithCancel(r.ctx)
	r.stop, r.took = stop, nil
	r.current = &RushState{
		Running: true, Began: time.Now().UTC(), SKU: b.SKU, Buyers: b.Buyers, Seconds: b.Seconds,
	}
	r.away, r.reasons = map[string]string{}, map[string]int{}
	state := *r.current
	r.done.Go(func() {
		defer stop()
		r.run(ctx, b, load.Shop{URL: r.api, Client: r.client})
	})
	return &state, nil
}

func refusal(status int, text string) error {
	return console.Refusal{Status: status, Err: errors.New(text)}
}

// end ends the current rush, and returns the result of the last one, or nil.
func (r *rush) end() *RushState {
	r.mu.Lock()
	if r.stop != nil {
		r.stop()
	}
	r.mu.Unlock()
	r.wait()
	return r.state()
}

// wait waits until no rush runs.
func (r *rush) wait() {
	r.done.Wait()
	r.client.CloseIdleConnections()
}

// state returns the progress or the result of the last rush, or nil.
func (r *rush) state() *RushState {
	r.mu.Lock()
	if r.current == nil {
		r.mu.Unlock()
		return nil
	}
	state, took := r.snapshot()
	state.Earlier = r.earlier // begin replaces the slice and never changes it
	r.mu.Unlock()
	state = percentiles(state, took)
	return &state
}

// snapshot returns the current rush without the earlier ones, and how long its answers took. The
// caller holds the lock.
func (r *rush) snapshot() (RushState, []time.Duration) {
	state, took := *r.current, slices.Clone(r.took)
	state.ThrottledBy = []Reason{}
	for reason, buyers := range r.reasons {
		state.ThrottledBy = append(state.ThrottledBy, Reason{reason, buyers})
	}
	slices.SortFunc(state.ThrottledBy, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Buyers, a.Buyers), cmp.Compare(a.Reason, b.Reason))
	})
	return state, took
}

// percentiles returns a rush with its percentiles. It sorts all answers: the caller need not hold
// the lock.
func percentiles(state RushState, took []time.Duration) RushState {
	if len(took) > 0 {
		state.P50MS, state.P99MS = milliseconds(load.Percentile(took, 50)), milliseconds(load.Percentile(took, 99))
	}
	return state
}

// run sends each buyer at their time, or later if all workers are busy.
func (r *rush) run(ctx context.Context, b Buyers, shop load.Shop) {
	r.log.Info("rush of buyers", "buyers", b.Buyers, "seconds", b.Seconds, "sku", b.SKU)
	purchase := load.Purchase{SKU: b.SKU, Quantity: b.Quantity}
	began, every := time.Now(), time.Duration(b.Seconds)*time.Second/time.Duration(b.Buyers)
	var buyers errgroup.Group
	buyers.SetLimit(rushWorkers)
	for i := 0; i < b.Buyers && ctx.Err() == nil; i++ {
		select {
		case <-time.After(time.Until(began.Add(time.Duration(i) * every))):
			buyers.Go(func() error { r.buy(ctx, shop, purchase); return nil })
		case <-ctx.Done():
		}
	}
	_ = buyers.Wait() // their answers are counted

	r.mu.Lock()
	r.current.Running = false
	r.away = nil
	r.mu.Unlock()
	s := r.state()
	attrs := []any{
		"sent", s.Sent, "sold", s.Sold, "refused", s.Refused, "throttled", s.Throttled, "failed", s.Failed,
		"p50", time.Duration(s.P50MS * float64(time.Millisecond)),
		"p99", time.Duration(s.P99MS * float64(time.Millisecond)),
	}
	if len(s.ThrottledBy) > 0 {
		attrs = append(attrs, "throttled_by", s.ThrottledBy[0].Reason)
	}
	r.log.Info("rush of buyers ended", attrs...)
}

// buy sends one buyer's request and counts its result.
func (r *rush) buy(ctx context.Context, shop load.Shop, purchase load.Purchase) {
	sent := time.Now()
	answer, err := shop.Buy(ctx, purchase)
	took := time.Since(sent)
	if ctx.Err() != nil {
		return // the end of the rush has cancelled the request
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current.Sent++
	r.took = append(r.took, took)
	reason, away := r.away[answer.RequestID]
	delete(r.away, answer.RequestID)
	switch {
	case away:
		r.current.Throttled++
		r.reasons[reason]++
	case err == nil && answer.Outcome() == load.Sold:
		r.current.Sold++
	case err == nil && answer.Outcome() == load.Refused:
		r.current.Refused++
	default:
		r.current.Failed++
	}
}
