package histories

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
)

// A fault happens to a process at one of its steps. Each call of the store, the publisher and the
// notifier has two steps: before the call, and after the call but before the caller gets the
// answer.
type fault struct {
	steps int  // the number of the step at which the fault happens; 0 means never
	kills bool // the fault kills the process; otherwise the call fails
}

// A faultInjector counts the steps of a process and makes its fault happen.
type faultInjector struct {
	mu sync.Mutex // guards fault: processes may run in parallel
	fault
}

// killed is the value of the panic with which a process dies.
type killed struct{}

var (
	errNotSent = &shop.Error{Code: shop.CodeUnavailable, Detail: "there is no connection"}
	errLost    = &shop.Error{Code: shop.CodeOutcomeUnknown, Detail: "the connection was cut before the answer came"}
)

// set sets the fault of the next steps.
func (f *faultInjector) set(next fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = next
}

// step counts a step. At the step of the fault it returns the failure, or kills the process.
func (f *faultInjector) step(failure error) error {
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
		panic(killed{})
	default:
		return failure
	}
}

// write makes a call that changes data. If its answer is lost, the outcome is unknown.
func write[T any](f *faultInjector, call func() (T, error)) (T, error) {
	return inject(f, errLost, call)
}

// read makes a call that changes nothing. If its answer is lost, the caller still knows that
// nothing has changed.
func read[T any](f *faultInjector, call func() (T, error)) (T, error) {
	return inject(f, errNotSent, call)
}

func inject[T any](f *faultInjector, lost error, call func() (T, error)) (result T, err error) {
	if err := f.step(errNotSent); err != nil {
		return result, err
	}
	result, err = call()
	if failure := f.step(lost); failure != nil {
		return *new(T), failure
	}
	return result, err
}

// A faultyStore is a store whose calls may fail, or kill the process that makes them.
type faultyStore struct {
	store  shop.Store
	faults *faultInjector
}

var _ shop.Store = faultyStore{}

// none is the result of a call that returns only an error.
type none = struct{}

func (s faultyStore) do(call func() error) error {
	_, err := write(s.faults, func() (none, error) { return none{}, call() })
	return err
}

func (s faultyStore) Products(ctx context.Context) ([]shop.Product, error) {
	return read(s.faults, func() ([]shop.Product, error) { return s.store.Products(ctx) })
}
func (s faultyStore) Product(ctx context.Context, sku string) (shop.Product, error) {
	return read(s.faults, func() (shop.Product, error) { return s.store.Product(ctx, sku) })
}
func (s faultyStore) CreateProduct(ctx context.Context, p shop.Product, at time.Time) error {
	return s.do(func() error { return s.store.CreateProduct(ctx, p, at) })
}
func (s faultyStore) ChangeProduct(ctx context.Context, sku string, c shop.ProductChange, at time.Time) error {
	return s.do(func() error { return s.store.ChangeProduct(ctx, sku, c, at) })
}
func (s faultyStore) Checkout(ctx context.Context, c shop.Checkout) (shop.Decision, error) {
	return write(s.faults, func() (shop.Decision, error) { return s.store.Checkout(ctx, c) })
}
func (s faultyStore) Sale(ctx context.Context, id uuid.UUID) (shop.PastSale, error) {
	return read(s.faults, func() (shop.PastSale, error) { return s.store.Sale(ctx, id) })
}
func (s faultyStore) JoinWaitlist(ctx context.Context, e shop.WaitlistEntry) (shop.WaitlistEntry, error) {
	return write(s.faults, func() (shop.WaitlistEntry, error) { return s.store.JoinWaitlist(ctx, e) })
}
func (s faultyStore) WaitlistEntry(ctx context.Context, id uuid.UUID, at time.Time) (shop.WaitlistEntry, error) {
	return read(s.faults, func() (shop.WaitlistEntry, error) { return s.store.WaitlistEntry(ctx, id, at) })
}
func (s faultyStore) Waiting(ctx context.Context, at time.Time) (map[uuid.UUID]int, error) {
	return read(s.faults, func() (map[uuid.UUID]int, error) { return s.store.Waiting(ctx, at) })
}
func (s faultyStore) ForgetWaitlist(ctx context.Context, before time.Time, limit int) (bool, error) {
	return write(s.faults, func() (bool, error) { return s.store.ForgetWaitlist(ctx, before, limit) })
}
func (s faultyStore) Replenish(ctx context.Context, r shop.Replenishment) (shop.Decision, error) {
	return write(s.faults, func() (shop.Decision, error) { return s.store.Replenish(ctx, r) })
}
func (s faultyStore) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	return write(s.faults, func() (shop.Receipt, error) { return s.store.Receive(ctx, d) })
}
func (s faultyStore) Adjust(ctx context.Context, a shop.Adjustment) (shop.Adjusted, error) {
	return write(s.faults, func() (shop.Adjusted, error) { return s.store.Adjust(ctx, a) })
}
func (s faultyStore) Undo(ctx context.Context, a shop.Adjustment, number int64) (shop.Adjusted, error) {
	return write(s.faults, func() (shop.Adjusted, error) { return s.store.Undo(ctx, a, number) })
}
func (s faultyStore) Import(ctx context.Context, b shop.Batch, at time.Time) error {
	return s.do(func() error { return s.store.Import(ctx, b, at) })
}
func (s faultyStore) IsImported(ctx context.Context, key string, content uuid.UUID) (bool, error) {
	return read(s.faults, func() (bool, error) { return s.store.IsImported(ctx, key, content) })
}
func (s faultyStore) NameKeys(ctx context.Context, names []string) (map[string]string, error) {
	return read(s.faults, func() (map[string]string, error) { return s.store.NameKeys(ctx, names) })
}
func (s faultyStore) Factories(ctx context.Context) ([]shop.Factory, error) {
	return read(s.faults, func() ([]shop.Factory, error) { return s.store.Factories(ctx) })
}
func (s faultyStore) Sales(ctx context.Context, from, to time.Time) ([]shop.ProductSales, error) {
	return read(s.faults, func() ([]shop.ProductSales, error) { return s.store.Sales(ctx, from, to) })
}
func (s faultyStore) Notices(ctx context.Context, after shop.Notice, limit int) ([]shop.Notice, error) {
	return read(s.faults, func() ([]shop.Notice, error) { return s.store.Notices(ctx, after, limit) })
}
func (s faultyStore) ProductionOrders(ctx context.Context, f shop.OrderFilter) ([]shop.ProductionOrder, error) {
	return read(s.faults, func() ([]shop.ProductionOrder, error) { return s.store.ProductionOrders(ctx, f) })
}
func (s faultyStore) ProductionOrder(ctx context.Context, id uuid.UUID) (shop.ProductionOrder, error) {
	return read(s.faults, func() (shop.ProductionOrder, error) { return s.store.ProductionOrder(ctx, id) })
}
func (s faultyStore) OpenOrders(ctx context.Context) ([]shop.ProductionOrder, error) {
	return read(s.faults, func() ([]shop.ProductionOrder, error) { return s.store.OpenOrders(ctx) })
}
func (s faultyStore) Short(ctx context.Context) ([]string, error) {
	return read(s.faults, func() ([]string, error) { return s.store.Short(ctx) })
}
func (s faultyStore) ClaimPublication(ctx context.Context, o shop.ProductionOrder, at time.Time) (bool, error) {
	return write(s.faults, func() (bool, error) { return s.store.ClaimPublication(ctx, o, at) })
}
func (s faultyStore) MarkPublished(ctx context.Context, id uuid.UUID, at time.Time) error {
	return s.do(func() error { return s.store.MarkPublished(ctx, id, at) })
}
func (s faultyStore) ClaimAsk(ctx context.Context, o shop.ProductionOrder, at time.Time) (bool, error) {
	return write(s.faults, func() (bool, error) { return s.store.ClaimAsk(ctx, o, at) })
}
func (s faultyStore) CloseOrder(ctx context.Context, o shop.ProductionOrder, status shop.OrderStatus,
	at time.Time) (bool, error) {
	return write(s.faults, func() (bool, error) { return s.store.CloseOrder(ctx, o, status, at) })
}
func (s faultyStore) DueNotices(ctx context.Context, now time.Time) ([]shop.Notice, error) {
	return read(s.faults, func() ([]shop.Notice, error) { return s.store.DueNotices(ctx, now) })
}
func (s faultyStore) ClaimNotice(ctx context.Context, n shop.Notice, from, until time.Time) (bool, error) {
	return write(s.faults, func() (bool, error) { return s.store.ClaimNotice(ctx, n, from, until) })
}
func (s faultyStore) MarkNotified(ctx context.Context, n shop.Notice, at time.Time) error {
	return s.do(func() error { return s.store.MarkNotified(ctx, n, at) })
}
func (s faultyStore) Ledger(ctx context.Context, product uuid.UUID, before []int64,
	limit int) ([]shop.LedgerEntry, error) {
	return read(s.faults, func() ([]shop.LedgerEntry, error) { return s.store.Ledger(ctx, product, before, limit) })
}
func (s faultyStore) Balances(ctx context.Context) ([]shop.Balance, error) {
	return read(s.faults, func() ([]shop.Balance, error) { return s.store.Balances(ctx) })
}
func (s faultyStore) ForgetKeys(ctx context.Context, before time.Time, limit int) (forgotten int, more bool,
	err error) {
	err = s.do(func() error {
		forgotten, more, err = s.store.ForgetKeys(ctx, before, limit)
		return err
	})
	return forgotten, more, err
}
