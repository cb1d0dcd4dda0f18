package shop

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// grace is how long who has claimed a message, by opening a production order or in a sweep, may take to send it before another
	// sweep takes over. It is longer than any of them can: see publishTimeout.
	grace = 30 * time.Second
	// keyLifetime is how long an idempotency key is kept, at least.
	keyLifetime = 24 * time.Hour
	// keyBatch is how many rows at most one statement changes: it holds their locks.
	keyBatch = 1000
)

// A SweepReport says what a sweep did, and found.
type SweepReport struct {
	Published     int // production orders whose message had not been sent
	AskedAgain    int // overdue production orders
	Failed        int // production orders that were given up with nothing received
	Short         int // production orders that were given up with some received
	Notified      int // notices
	Opened        int // production orders, of products that were short
	Overdue       int // production orders that are open
	Difference    int // between the books and the stock
	KeysForgotten int // idempotency keys
}

// A KeyStore forgets idempotency keys.
type KeyStore interface {
	// ForgetKeys forgets idempotency keys that are older than a time, of at most limit sales and limit adjustments. It
	// returns how many keys it forgot, and whether there may be more.
	ForgetKeys(ctx context.Context, before time.Time, limit int) (forgotten int, more bool, err error)
}

// Sweep mends what was left undone, and looks how things stand: it publishes production orders that nobody did, asks again for what is
// overdue, or gives it up, tells people, orders what is short, checks the ledger, and forgets old idempotency keys. Any number of
// sweeps may run at once. One thing that fails does not keep the others; the error joins all that failed.
func (s *Shop) Sweep(ctx context.Context) (r SweepReport, err error) {
	var errs []error
	for _, step := range []func(context.Context, *SweepReport) error{s.pursue, s.notify, s.replenishAll, s.inspect, s.forgetKeys} {
		errs = append(errs, step(ctx, &r))
	}
	return r, errors.Join(errs...)
}

// pursue sees to it that every open production order comes, or is given up.
func (s *Shop) pursue(ctx context.Context, r *SweepReport) error {
	open, err := s.Store.OpenOrders(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range open {
		errs = append(errs, s.pursueOne(WithCorrelation(ctx, o.Correlation), o, r))
	}
	return errors.Join(errs...)
}

func (s *Shop) pursueOne(ctx context.Context, o ProductionOrder, r *SweepReport) error {
	now := s.now()
	switch {
	case o.PublishedAt.IsZero():
		if now.Before(o.AskedAt.Add(grace)) {
			return nil
		}
		claimed, err := s.Store.ClaimPublication(ctx, o, now)
		if err != nil || !claimed {
			return err
		}
		o.AskedAt = now
		if err := s.publishAgain(ctx, o); err != nil {
			return err
		}
		r.Published++
	case !now.After(o.PatienceEnds()):
	case o.Received == 0 && o.Asks < maxAsks:
		claimed, err := s.Store.ClaimAsk(ctx, o, now)
		if err != nil || !claimed {
			return err
		}
		o.Asks, o.AskedAt = o.Asks+1, now
		s.Journal.AskedAgain(ctx, o)
		if err := s.publishAgain(ctx, o); err != nil {
			return err
		}
		r.AskedAgain++
	default:
		return s.giveUp(ctx, o, now, r)
	}
	return nil
}

// publishAgain publishes what the sweep has claimed. A failure is told in the journal, too: it is a line of the order's journey.
func (s *Shop) publishAgain(ctx context.Context, o ProductionOrder) error {
	err := s.publish(ctx, o)
	if err != nil {
		s.Journal.NotPublished(ctx, o, err)
	}
	return err
}

// giveUp closes an overdue production order.
func (s *Shop) giveUp(ctx context.Context, o ProductionOrder, now time.Time, r *SweepReport) error {
	status, tell, count := OrderFailed, s.Journal.OrderFailed, &r.Failed
	if o.Received > 0 {
		status, tell, count = OrderShort, s.Journal.OrderShort, &r.Short
	}
	closed, err := s.Store.CloseOrder(ctx, o, status, now)
	if err != nil || !closed {
		return err
	}
	o.Status, o.ClosedAt = status, now
	tell(ctx, o)
	*count++
	return nil
}

// notify tells people what they were not told yet.
func (s *Shop) notify(ctx context.Context, r *SweepReport) error {
	now := s.now()
	notices, err := s.Store.DueNotices(ctx, now)
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range notices {
		ctx := WithCorrelation(ctx, n.Order.Correlation)
		claimed, err := s.Store.ClaimNotice(ctx, n, now, now.Add(grace))
		if err != nil || !claimed {
			errs = append(errs, err)
			continue
		}
		n = n.written()
		if err := s.Notifier.Notify(ctx, n); err != nil {
			errs = append(errs, fmt.Errorf("telling people of %s, %s: %w", n.Kind, n.SubjectID, err))
			continue
		}
		s.Journal.Notified(ctx, n)
		r.Notified++
		errs = append(errs, s.Store.MarkNotified(ctx, n, s.now()))
	}
	return errors.Join(errs...)
}

// replenishAll orders what is short, and nobody has ordered.
func (s *Shop) replenishAll(ctx context.Context, r *SweepReport) error {
	short, err := s.Store.Short(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, sku := range short {
		d, err := s.replenish(ctx, Replenishment{SKU: sku}, 0)
		if d.Opened {
			r.Opened++
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Shop) inspect(ctx context.Context, r *SweepReport) error {
	i, err := s.Inspect(ctx)
	r.Overdue, r.Difference = len(i.Overdue), i.Difference()
	return err
}

// forgetKeys forgets the idempotency keys that are old enough.
func (s *Shop) forgetKeys(ctx context.Context, r *SweepReport) error {
	before := s.now().Add(-keyLifetime)
	for {
		forgotten, more, err := s.Store.ForgetKeys(ctx, before, keyBatch)
		r.KeysForgotten += forgotten
		if err != nil || !more {
			return err
		}
	}
}
