package histories

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"

	"restock/internal/shop"
)

// A recorder is a store that records the calls that read or change the stock of a product, and
// their answers. Its method check decides whether the answers are possible.
type recorder struct {
	shop.Store

	mu     sync.Mutex // guards the fields below
	clock  int64      // counts calls and answers
	calls  []porcupine.Operation
	oneBin map[string]bool // by SKU: certainly has one bin now
	change map[string]int  // by SKU: the number of changes of its bins

	picture string // the file for a picture of calls that no order explains
}

func newRecorder(store shop.Store) *recorder {
	return &recorder{Store: store, oneBin: map[string]bool{}, change: map[string]int{}}
}

// A request is a call that reads or changes the stock of a product.
type request struct {
	kind     string
	sku      string
	quantity int       // of an adjustment: may be negative
	attempt  uuid.UUID // of a receipt
}

// The kinds of requests.
const (
	opens    = "opening"
	sells    = "sale"
	receives = "receipt"
	adjusts  = "adjustment"
	reads    = "read"
)

// An outcome is the answer to a request.
type outcome struct {
	unknown bool // no answer came: the call has its effect at any time after its start, or never
	refused bool
	booked  int  // of a receipt: what it added
	exact   bool // whether stock is exactly what is on hand afterwards
	stock   int
}

func (r request) String() string {
	switch r.kind {
	case reads:
		return r.kind
	case receives:
		return fmt.Sprintf("receipt of %d of attempt %s", r.quantity, r.attempt)
	}
	return fmt.Sprintf("%s of %d", r.kind, r.quantity)
}

func (o outcome) String() string {
	text := "done"
	switch {
	case o.unknown:
		return "no answer"
	case o.refused:
		text = "refused"
	case o.booked > 0:
		text = fmt.Sprintf("booked %d", o.booked)
	}
	if o.exact {
		text += fmt.Sprintf(" with %d on hand", o.stock)
	}
	return text
}

// open records that a product exists, with its stock and its bins.
func (r *recorder) open(sku string, stock, bins int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.oneBin[sku] = bins == 1
	r.add(porcupine.Operation{Input: request{kind: opens, sku: sku, quantity: stock}, Output: outcome{},
		Call: r.tick(), Return: r.tick()})
}

// tick returns the next time. The caller holds mu.
func (r *recorder) tick() int64 {
	r.clock++
	return r.clock
}

// add records a call. The caller holds mu.
func (r *recorder) add(call porcupine.Operation) { r.calls = append(r.calls, call) }

// record makes a call and records it. The function outcomeOf returns false if the answer says
// nothing about the stock.
func record[T any](r *recorder, q request, call func() (T, error),
	outcomeOf func(answer T, oneBin bool) (outcome, bool)) (answer T, err error) {
	r.mu.Lock()
	started, oneBin, change := r.tick(), r.oneBin[q.sku], r.change[q.sku]
	r.mu.Unlock()
	answered := false
	defer func() { // also if the process dies in the call
		r.mu.Lock()
		defer r.mu.Unlock()
		recorded := porcupine.Operation{Input: q, Call: started, Output: outcome{unknown: true}, Return: math.MaxInt64}
		var named *shop.Error
		switch {
		case answered && err == nil:
			o, counts := outcomeOf(answer, oneBin && r.change[q.sku] == change)
			if !counts {
				return
			}
			recorded.Output, recorded.Return = o, r.tick()
		case answered && errors.As(err, &named) && named.Code != shop.CodeOutcomeUnknown, q.kind == reads:
			return // the shop says that nothing has changed
		}
		r.add(recorded)
	}()
	answer, err = call()
	answered = true
	return answer, err
}

// Checkout records a sale. If the product has several bins, other buyers take from other bins at
// the same moment, so the stock after a sale is not exact. The stock after a refusal always is.
func (r *recorder) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	return record(r, request{kind: sells, sku: c.SKU, quantity: c.Quantity},
		func() (shop.Decision, error) { return r.Store.Checkout(ctx, c) },
		func(d shop.Decision, oneBin bool) (outcome, bool) {
			refused := d.Outcome == shop.Refused
			counts := refused || d.Outcome == shop.Sold && !d.Sale.Repeated
			return outcome{refused: refused, exact: refused || oneBin, stock: d.Sale.Stock}, counts
		})
}

// Receive records a receipt.
func (r *recorder) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	return record(r, request{kind: receives, sku: d.SKU, quantity: d.Quantity, attempt: d.AttemptID},
		func() (shop.Receipt, error) { return r.Store.Receive(ctx, d) },
		func(a shop.Receipt, _ bool) (outcome, bool) {
			booked := cmp.Or(a.Correction, d.Quantity)
			if a.Repeated {
				booked = 0
			}
			return outcome{booked: booked, exact: true, stock: a.Stock}, true
		})
}

// Adjust records an adjustment.
func (r *recorder) Adjust(ctx context.Context, a shop.Adjustment) (shop.Adjusted, error) {
	return record(r, request{kind: adjusts, sku: a.SKU, quantity: a.Quantity},
		func() (shop.Adjusted, error) { return r.Store.Adjust(ctx, a) },
		func(a shop.Adjusted, _ bool) (outcome, bool) {
			return outcome{refused: a.Refused, exact: true, stock: a.Stock}, !a.Repeated
		})
}

// Product records what is on hand.
func (r *recorder) Product(ctx context.Context, sku string) (shop.Product, error) {
	return record(r, request{kind: reads, sku: sku},
		func() (shop.Product, error) { return r.Store.Product(ctx, sku) },
		func(p shop.Product, _ bool) (outcome, bool) { return outcome{exact: true, stock: p.Stock}, true })
}

// CreateProduct records the product's opening stock. The caller does not use a product whose
// creation failed.
func (r *recorder) CreateProduct(ctx context.Context, p shop.Product, at time.Time) error {
	err := r.Store.CreateProduct(ctx, p, at)
	if err == nil {
		r.open(p.SKU, p.Stock, p.Bins)
	}
	return err
}

// ChangeProduct notes whether a product has one bin.
func (r *recorder) ChangeProduct(ctx context.Context, sku string, c shop.ProductChange, at time.Time) error {
	if c.Bins == nil {
		return r.Store.ChangeProduct(ctx, sku, c, at)
	}
	r.mu.Lock()
	r.oneBin[sku] = false
	r.change[sku]++
	change := r.change[sku]
	r.mu.Unlock()
	err := r.Store.ChangeProduct(ctx, sku, c, at)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.oneBin[sku] = err == nil && *c.Bins == 1 && change == r.change[sku]
	return err
}

// onHand is what the register knows of a product.
type onHand struct {
	stock  int
	booked map[uuid.UUID]int // by attempt; must not be changed, because other states share it
}

func (s onHand) equal(t onHand) bool { return s.stock == t.stock && maps.Equal(s.booked, t.booked) }

// step returns whether a request may have an outcome, and the state afterwards. A request without
// an answer may come last in the order, where its effect changes no answer. That is as if it never
// had one.
func (s onHand) step(q request, o outcome) (possible bool, next onHand) {
	change := q.quantity
	switch q.kind {
	case sells, adjusts:
		if q.kind == sells {
			change = -change
		}
		enough := s.stock+change >= 0
		if !o.unknown && o.refused == enough {
			return false, s
		}
		if !enough {
			change = 0
		}
	case receives:
		change = max(q.quantity-s.booked[q.attempt], 0)
		if !o.unknown && o.booked != change {
			return false, s
		}
		if change > 0 {
			booked := maps.Clone(s.booked)
			if booked == nil {
				booked = map[uuid.UUID]int{}
			}
			booked[q.attempt] = q.quantity
			s.booked = booked
		}
	}
	s.stock += change
	return !o.exact || o.stock == s.stock, s
}

// byProduct divides calls by their products, which are sorted.
func byProduct(calls []porcupine.Operation) (parts [][]porcupine.Operation) {
	of := map[string][]porcupine.Operation{}
	for _, c := range calls {
		sku := c.Input.(request).sku
		of[sku] = append(of[sku], c)
	}
	for _, sku := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, of[sku])
	}
	return parts
}

// register is a product's stock as a linearizable register: each call has its effect at one moment
// between its start and its answer. A sale succeeds exactly if enough is on hand at that moment.
var register = porcupine.Model{
	Partition: byProduct,
	Init:      func() any { return onHand{} },
	Step: func(state, input, output any) (bool, any) {
		return state.(onHand).step(input.(request), output.(outcome))
	},
	Equal:         func(a, b any) bool { return a.(onHand).equal(b.(onHand)) },
	Hash:          func(state any) uint64 { return uint64(state.(onHand).stock) }, // #nosec G115 -- any number will do
	DescribeState: func(state any) string { return fmt.Sprintf("%d on hand", state.(onHand).stock) },
}

// registerTimeout ends a check that takes too long. Histories are short, so that a check takes
// milliseconds.
const registerTimeout = 5 * time.Minute

// check returns an error if no order of the recorded calls explains their answers.
func (r *recorder) check() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := porcupine.CheckOperationsTimeout(register, r.calls, registerTimeout)
	switch result {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("the order of %d calls was not found in %v: the history is too long", len(r.calls),
			registerTimeout)
	}
	_, info := porcupine.CheckOperationsVerbose(register, r.calls, registerTimeout)
	var errs []error
	for i, calls := range byProduct(r.calls) {
		var longest []int
		for _, order := range info.PartialLinearizations()[i] {
			if len(order) > len(longest) {
				longest = order
			}
		}
		if len(longest) < len(calls) {
			errs = append(errs, impossible(calls, longest))
		}
	}
	if err := porcupine.VisualizePath(register, info, r.picture); err != nil {
		errs = append(errs, fmt.Errorf("drawing the calls: %w", err))
	} else {
		errs = append(errs, fmt.Errorf("a picture of the calls is in %s", r.picture))
	}
	return errors.Join(errs...)
}

// impossible describes why calls have no order. The longest order that explains a part of the
// answers is given as indexes.
func impossible(calls []porcupine.Operation, longest []int) error {
	var state onHand
	var before, next []string
	for _, i := range longest {
		_, state = state.step(calls[i].Input.(request), calls[i].Output.(outcome))
		before = append(before, fmt.Sprintf("%v: %v", calls[i].Input, calls[i].Output))
	}
	firstAnswer := int64(math.MaxInt64)
	for i, c := range calls {
		if !slices.Contains(longest, i) {
			firstAnswer = min(firstAnswer, c.Return)
		}
	}
	for i, c := range calls {
		if !slices.Contains(longest, i) && c.Call <= firstAnswer {
			next = append(next, fmt.Sprintf("%v: %v", c.Input, c.Output))
		}
	}
	return fmt.Errorf("no order of the calls explains the answers about %s (a sale must succeed if and only if enough "+
		"is on hand): with %d on hand, none of these can come next: [%s], after [%s]", calls[0].Input.(request).sku,
		state.stock, strings.Join(next, "; "), strings.Join(before, "; "))
}
