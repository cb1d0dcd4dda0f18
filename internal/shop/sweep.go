package shop

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// grace is how long a caller may take to send a message that it has claimed. A caller claims a
	// message when it opens a production order, or with a Claim method of the store in a sweep.
	// After grace, another sweep may claim the message. No sender needs that long: see
	// publishTimeout.
	grace = 30 * time.Second
	// keyLifetime is how long the shop remembers an idempotency key, at least.
	keyLifetime = 24 * time.Hour
	// keyBatch is the largest number of rows that one statement changes. The statement holds their
	// locks, so a larger batch would block other requests for longer.
	keyBatch = 1000
)

// A SweepReport counts what a sweep did and found.
type SweepReport struct {
	Published     int // production orders that it published in place of the function that opened them
	AskedAgain    int // overdue production orders for which it asked the factory again
	Failed        int // production orders that it closed with nothing received
	Short         int // production orders that it closed with a part received
	Notified      int // notices that it sent
	Opened        int // production orders that it opened for short products
	Overdue       int // production orders that are open and overdue
	Difference    int // pieces by which ledger and stock differ; 0 if all is well
	KeysForgotten int // idempotency keys that it removed
}

// A KeyStore removes old idempotency keys.
type KeyStore interface {
	// ForgetKeys reads at most limit entries of the ledger and removes their idempotency keys, if
	// they were recorded before a time. It returns how many keys it removed, and whether there may
	// be more.
	ForgetKeys(ctx context.Context, before time.Time, limit int) (forgotten int, more bool, err error)
}

// Sweep completes what other functions left unfinished, and checks the ledger. It publishes
// production orders that were not published, asks the factory again for overdue orders or gives up
// on them, sends notices, orders products that are short, compares stock and ledger, and removes
// old idempotency keys and old places on waitlists.
//
// Any number of sweeps may run at once. A step that fails does not stop the others; the error joins
// all failures.
func (s *Shop) Sweep(ctx context.Context) (r SweepReport, err error) {
	var errs []error
	for _, step := range []func(context.Context, *SweepReport) error{
		s.pursue, s.notify, s.replenishAll, s.inspect, s.forgetKeys, s.forgetWaitlists,
	} {
		errs = append(errs, step(ctx, &r))
	}
	return r, errors.Join(errs...)
}

// pursue publishes each open production order, asks the factory again for it, or closes it, as its
// age requires.
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
	switch o.Next(now) {
	case Publish:
		claimed, err := s.Store.ClaimPublication(ctx, o, now)
		if err != nil || !claimed {
			return err // not claimed: another sweep publishes it
		}
		o.AskedAt = now
		if err := s.publishAgain(ctx, o); err != nil {
			return err
		}
		r.Published++
	case AskAgain:
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
	case GiveUp:
		return s.giveUp(ctx, o, now, r)
	}
	return nil
}

// publishAgain publishes an order that the sweep claimed. It returns a failure and also reports it
// to the journal, because the journal holds the history of each order.
func (s *Shop) publishAgain(ctx context.Context, o ProductionOrder) error {
	err := s.publish(ctx, o)
	if err != nil {
		s.Journal.NotPublished(ctx, o, err)
	}
	return err
}

// giveUp closes an overdue production order.
func (s *Shop) giveUp(ctx context.Context, o ProductionOrder, now time.Time, r *SweepReport) error {
	status, record, count := o.GivenUp(), s.Journal.OrderFailed, &r.Failed
	if status == OrderShort {
		record, count = s.Journal.OrderShort, &r.Short
	}
	closed, err := s.Store.CloseOrder(ctx, o, status, now)
	if err != nil || !closed {
		return err
	}
	o.Status, o.ClosedAt = status, now
	record(ctx, o)
	*count++
	return nil
}

// notify sends the notices that are due.
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
			errs = append(errs, fmt.Errorf("sending the notice %s of %s: %w", n.Kind, n.SubjectID, err))
			continue
		}
		s.Journal.Notified(ctx, n)
		r.Notified++
		errs = append(errs, s.Store.MarkNotified(ctx, n, s.now()))
	}
	return errors.Join(errs...)
}

// replenishAll orders the products that are short and not on order.
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

// forgetKeys removes the idempotency keys that are older than keyLifetime.
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
