package histories

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// A fate is what strikes a process at one of its steps. Each call of the store, the publisher and
// the notifier is two steps: one before it is done, one after, when it is done and the caller does
// not know.
type fate struct {
	mu    sync.Mutex // guards what follows
	steps int        // until it strikes; 0: never
	kills bool       // the process, else the call fails
}

// death is what a process that dies panics with.
type death struct{}

var (
	errNotSent = &shop.Error{Code: shop.CodeUnavailable, Detail: "there is no connection"}
	errLost    = &shop.Error{Code: shop.CodeOutcomeUnknown, Detail: "the connection was cut before the answer came"}
)

func (f *fate) step(failure error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.steps == 0 {
		return nil
	}
	f.steps--
	switch {
	case f.steps > 0:
		return nil
	case f.kills:
		panic(death{})
	default:
		return failure
	}
}

// suffer makes a call that changes something, before or after which fate may strike.
func suffer[T any](f *fate, call func() (T, error)) (T, error) { return strike(f, errLost, call) }

// read makes a call that changes nothing. When its answer is lost, nothing was done either.
func read[T any](f *fate, call func() (T, error)) (T, error) { return strike(f, errNotSent, call) }

func strike[T any](f *fate, lost error, call func() (T, error)) (result T, err error) {
	if err := f.step(errNotSent); err != nil {
		return result, err
	}
	result, err = call()
	if struck := f.step(lost); struck != nil {
		var nothing T
		return nothing, struck
	}
	return result, err
}

// A mortal is a store to whose callers fate may strike.
type mortal struct {
	store shop.Store
	fate  *fate
}

var _ shop.Store = mortal{}

// none is the result of a call that has none.
type none = struct{}

func (m mortal) do(call func() error) error {
	_, err := suffer(m.fate, func() (none, error) { return none{}, call() })
	return err
}

func (m mortal) Products(ctx context.Context) ([]shop.Product, error) {
	return read(m.fate, func() ([]shop.Product, error) { return m.store.Products(ctx) })
}
func (m mortal) Product(ctx context.Context, sku string) (shop.Product, error) {
	return read(m.fate, func() (shop.Product, error) { return m.store.Product(ctx, sku) })
}
func (m mortal) CreateProduct(ctx context.Context, p shop.Product, at time.Time) error {
	return m.do(func() error { return m.store.CreateProduct(ctx, p, at) })
}
func (m mortal) ChangeProduct(ctx context.Context, sku string, c shop.ProductChange) error {
	return m.do(func() error { return m.store.ChangeProduct(ctx, sku, c) })
}
func (m mortal) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	return suffer(m.fate, func() (shop.Decision, error) { return m.store.Checkout(ctx, c) })
}
func (m mortal) Replenish(ctx context.Context, r shop.Replenishment) (shop.Decision, error) {
	return suffer(m.fate, func() (shop.Decision, error) { return m.store.Replenish(ctx, r) })
}
func (m mortal) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	return suffer(m.fate, func() (shop.Receipt, error) { return m.store.Receive(ctx, d) })
}
func (m mortal) Adjust(ctx context.Context, a shop.Adjustment) (shop.Adjusted, error) {
	return suffer(m.fate, func() (shop.Adjusted, error) { return m.store.Adjust(ctx, a) })
}
func (m mortal) ProductionOrders(ctx context.Context, f shop.OrderFilter) ([]shop.ProductionOrder, error) {
	return read(m.fate, func() ([]shop.ProductionOrder, error) { return m.store.ProductionOrders(ctx, f) })
}
func (m mortal) ProductionOrder(ctx context.Context, id uuid.UUID) (shop.ProductionOrder, error) {
	return read(m.fate, func() (shop.ProductionOrder, error) { return m.store.ProductionOrder(ctx, id) })
}
func (m mortal) OpenOrders(ctx context.Context) ([]shop.ProductionOrder, error) {
	return read(m.fate, func() ([]shop.ProductionOrder, error) { return m.store.OpenOrders(ctx) })
}
func (m mortal) Short(ctx context.Context) ([]string, error) {
	return read(m.fate, func() ([]string, error) { return m.store.Short(ctx) })
}
func (m mortal) ClaimPublication(ctx context.Context, o shop.ProductionOrder, at time.Time) (bool, error) {
	return suffer(m.fate, func() (bool, error) { return m.store.ClaimPublication(ctx, o, at) })
}
func (m mortal) MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error {
	return m.do(func() error { return m.store.MarkPublished(ctx, id, at) })
}
func (m mortal) ClaimAsk(ctx context.Context, o shop.ProductionOrder, at time.Time) (bool, error) {
	return suffer(m.fate, func() (bool, error) { return m.store.ClaimAsk(ctx, o, at) })
}
func (m mortal) CloseOrder(ctx context.Context, o shop.ProductionOrder, status shop.OrderStatus, at time.Time) (bool, error) {
	return suffer(m.fate, func() (bool, error) { return m.store.CloseOrder(ctx, o, status, at) })
}
func (m mortal) DueNotices(ctx context.Context, now time.Time) ([]shop.Notice, error) {
	return read(m.fate, func() ([]shop.Notice, error) { return m.store.DueNotices(ctx, now) })
}
func (m mortal) ClaimNotice(ctx context.Context, n shop.Notice, from, until time.Time) (bool, error) {
	return suffer(m.fate, func() (bool, error) { return m.store.ClaimNotice(ctx, n, from, until) })
}
func (m mortal) MarkNotified(ctx context.Context, n shop.Notice, at time.Time) error {
	return m.do(func() error { return m.store.MarkNotified(ctx, n, at) })
}
func (m mortal) Ledger(ctx context.Context, product uuid.UUID, after int64, limit int) ([]shop.LedgerEntry, error) {
	return read(m.fate, func() ([]shop.LedgerEntry, error) { return m.store.Ledger(ctx, product, after, limit) })
}
func (m mortal) Balances(ctx context.Context) ([]shop.Balance, error) {
	return read(m.fate, func() ([]shop.Balance, error) { return m.store.Balances(ctx) })
}
func (m mortal) ForgetKeys(ctx context.Context, before time.Time, limit int) (forgotten int, more bool, err error) {
	err = m.do(func() error {
		forgotten, more, err = m.store.ForgetKeys(ctx, before, limit)
		return err
	})
	return forgotten, more, err
}
