package shop

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

const (
	// MaxWaiting is how many buyers can wait for a product. A delivery answers them while it has
	// the product's bins locked.
	MaxWaiting = 1000
	// waitlistLifetime is how long a buyer waits at most.
	waitlistLifetime = 7 * 24 * time.Hour
)

// A WaitlistState says what has become of a place on a waitlist.
type WaitlistState string

// The states of a place on a waitlist.
const (
	Waiting   WaitlistState = "waiting"
	BackAgain WaitlistState = "back"    // stock came for the buyer
	Expired   WaitlistState = "expired" // the buyer's turn did not come in time
)

// WaitlistStates are all states.
var WaitlistStates = []WaitlistState{Waiting, BackAgain, Expired}

// A WaitlistEntry is a buyer's place on the waitlist of a sold-out product.
type WaitlistEntry struct {
	ID  uuid.UUID
	SKU string
	// IdempotencyKey makes a repeated request the same entry. Without a key, every request is a new
	// entry. A key is free again when the store deletes the entry.
	IdempotencyKey string
	JoinedAt       time.Time
	ExpiresAt      time.Time
	AnsweredAt     time.Time // when stock came for the buyer; zero: not yet
	Place          int       // 1: the next in line. It means nothing after AnsweredAt or ExpiresAt
}

// State returns the state of an entry at a time.
func (e WaitlistEntry) State(at time.Time) WaitlistState {
	switch {
	case !e.AnsweredAt.IsZero():
		return BackAgain
	case at.Before(e.ExpiresAt):
		return Waiting
	}
	return Expired
}

// A WaitlistStore keeps waitlists. When stock comes, the store answers as many waiting entries as
// pieces have come, the oldest first, in the transaction that books the stock.
type WaitlistStore interface {
	// JoinWaitlist stores an entry, unless MaxWaiting buyers wait. It returns the entry, or the one
	// that an earlier request with the key has stored. Errors: CodeUnknownProduct (also if the
	// product is archived), CodeInStock, CodeWaitlistFull, CodeIdempotencyKeyReused.
	JoinWaitlist(context.Context, WaitlistEntry) (WaitlistEntry, error)
	// WaitlistEntry finds an entry, and its place at a time. Errors: CodeUnknownWaitlistEntry.
	WaitlistEntry(ctx context.Context, id uuid.UUID, at time.Time) (WaitlistEntry, error)
	// Waiting counts the entries that wait at a time, by product. It leaves out products without
	// one.
	Waiting(ctx context.Context, at time.Time) (map[uuid.UUID]int, error)
	// ForgetWaitlist deletes at most limit entries of a product that expired before a time. It
	// returns whether there may be more.
	ForgetWaitlist(ctx context.Context, before time.Time, limit int) (more bool, err error)
}

// JoinWaitlist gives the buyer of a sold-out product a place on its waitlist.
//
// The shop knows no buyers, so the id of the entry is all that a reader needs, as with [Shop.Sale].
//
// Errors: CodeInvalidIdempotencyKey, CodeUnknownProduct (also if the product is archived),
// CodeInStock, CodeWaitlistFull, CodeIdempotencyKeyReused, CodeUnavailable, CodeOutcomeUnknown.
func (s *Shop) JoinWaitlist(ctx context.Context, sku, idempotencyKey string) (WaitlistEntry, WaitlistState, error) {
	if err := validateIdempotencyKey(idempotencyKey); err != nil {
		return WaitlistEntry{}, "", err
	}
	id, err := s.NewID()
	if err != nil {
		return WaitlistEntry{}, "", fmt.Errorf("making the id of a waitlist entry: %w", err)
	}
	now := s.now()
	entry, err := s.Store.JoinWaitlist(ctx, WaitlistEntry{
		ID: id, SKU: sku, IdempotencyKey: idempotencyKey, JoinedAt: now, ExpiresAt: now.Add(waitlistLifetime),
	})
	if err != nil {
		return WaitlistEntry{}, "", advised(err, "the place on the waitlist may have been stored", idempotencyKey)
	}
	return entry, entry.State(now), nil
}

// WaitlistEntry finds a place on a waitlist. Errors: CodeUnknownWaitlistEntry.
func (s *Shop) WaitlistEntry(ctx context.Context, id uuid.UUID) (WaitlistEntry, WaitlistState, error) {
	now := s.now()
	entry, err := s.Store.WaitlistEntry(ctx, id, now)
	return entry, entry.State(now), err
}

// Waiting counts the buyers that wait, by product. It leaves out products for which nobody waits.
func (s *Shop) Waiting(ctx context.Context) (map[uuid.UUID]int, error) {
	return s.Store.Waiting(ctx, s.now())
}

// forgetWaitlists deletes the entries that expired longer ago than keyLifetime. Until then their
// buyers can read that they expired.
func (s *Shop) forgetWaitlists(ctx context.Context, _ *SweepReport) error {
	before := s.now().Add(-keyLifetime)
	for {
		more, err := s.Store.ForgetWaitlist(ctx, before, keyBatch)
		if err != nil || !more {
			return err
		}
	}
}
