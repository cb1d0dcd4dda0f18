package events

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is the error of a subscription whose stream has ended and that has read all there was.
var ErrClosed = errors.New("the stream has ended")

// A Stream keeps the latest values of a kind for whoever reads them. It is a ring: a publisher never waits, and a subscriber who reads more
// slowly than values come loses the oldest of those that it has not read, and is told how many. Its memory is that of its capacity,
// however many subscribe. Its methods may be called from many goroutines.
type Stream[T any] struct {
	mu          sync.Mutex
	ring        []T
	next        uint64        // the sequence number of the next value; the first is 1
	wake        chan struct{} // closed when a value comes; nil while nobody waits for one
	subscribers int
	dropped     uint64 // of all subscribers
	closed      bool
}

// NewStream makes a stream that keeps as many values as its capacity, which is at least 1.
func NewStream[T any](capacity int) *Stream[T] {
	return &Stream[T]{ring: make([]T, capacity), next: 1}
}

// Publish adds a value, and returns its sequence number. A stream that has ended takes none, and returns 0.
func (s *Stream[T]) Publish(value T) (seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0
	}
	seq = s.next
	s.ring[seq%uint64(len(s.ring))] = value
	s.next++
	s.wakeAll()
	return seq
}

// Close ends the stream: subscribers read what there is, and then ErrClosed. It may be called again.
func (s *Stream[T]) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wakeAll()
}

// Stats are a stream's numbers.
type Stats struct {
	Published   uint64 // values, since the beginning
	Dropped     uint64 // values that a subscriber did not get, summed over the subscribers
	Subscribers int    // at this moment
	Capacity    int    // values that are kept
}

// Stats returns the stream's numbers at this moment.
func (s *Stream[T]) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Published: s.next - 1, Dropped: s.dropped, Subscribers: s.subscribers, Capacity: len(s.ring)}
}

// Latest is the sequence number of the latest value; 0 before the first.
func (s *Stream[T]) Latest() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next - 1
}

// Subscribe reads on after a sequence number: 0 is the oldest value that is kept, and so is a number that the stream has not reached, for it is
// another stream's. The subscription must be closed.
func (s *Stream[T]) Subscribe(after uint64) *Subscription[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers++
	if after == 0 || after >= s.next {
		after = s.oldest() - 1
	}
	return &Subscription[T]{stream: s, cursor: after + 1}
}

// SubscribeNow reads what comes from now on.
func (s *Stream[T]) SubscribeNow() *Subscription[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers++
	return &Subscription[T]{stream: s, cursor: s.next}
}

// A Subscription reads a stream at its own pace. It is for one goroutine.
type Subscription[T any] struct {
	stream *Stream[T]
	cursor uint64 // the next sequence number to read
	closed bool
}

// A Batch is what a subscription reads at once: values with consecutive sequence numbers.
type Batch[T any] struct {
	First   uint64 // the sequence number of the first value
	Values  []T
	Dropped uint64 // values before these that were overwritten unread
}

// Next waits for values, and returns all that are there, up to a maximum. The error is that of ctx, or ErrClosed.
func (sub *Subscription[T]) Next(ctx context.Context, maximum int) (Batch[T], error) {
	for {
		batch, wake, err := sub.read(maximum)
		if err != nil || len(batch.Values) > 0 {
			return batch, err
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return Batch[T]{}, ctx.Err()
		}
	}
}

// Read returns the values that are there, up to a maximum, and does not wait. The error is ErrClosed.
func (sub *Subscription[T]) Read(maximum int) (Batch[T], error) {
	batch, _, err := sub.read(maximum)
	return batch, err
}

// read returns what there is, or else what tells that there is more.
func (sub *Subscription[T]) read(maximum int) (batch Batch[T], wake <-chan struct{}, err error) {
	s := sub.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if oldest := s.oldest(); sub.cursor < oldest {
		batch.Dropped = oldest - sub.cursor
		s.dropped += batch.Dropped
		sub.cursor = oldest
	}
	batch.First = sub.cursor
	count := min(s.next-sub.cursor, uint64(maximum))
	if count == 0 {
		if s.closed {
			return batch, nil, ErrClosed
		}
		if s.wake == nil {
			s.wake = make(chan struct{})
		}
		return batch, s.wake, nil
	}
	batch.Values = make([]T, 0, count)
	for range count {
		batch.Values = append(batch.Values, s.ring[sub.cursor%uint64(len(s.ring))])
		sub.cursor++
	}
	return batch, nil, nil
}

// Drop counts values that were read and not used: a subscriber that cannot pass everything on says so.
func (sub *Subscription[T]) Drop(values uint64) {
	sub.stream.mu.Lock()
	defer sub.stream.mu.Unlock()
	sub.stream.dropped += values
}

// Close ends the subscription. It may be called again.
func (sub *Subscription[T]) Close() {
	if sub.closed {
		return
	}
	sub.closed = true
	sub.stream.mu.Lock()
	defer sub.stream.mu.Unlock()
	sub.stream.subscribers--
}

// The rest must be called with the lock held.

// oldest is the sequence number of the oldest value that is kept; of the next one where none is.
func (s *Stream[T]) oldest() uint64 {
	capacity := uint64(len(s.ring))
	if s.next <= capacity {
		return 1
	}
	return s.next - capacity
}

func (s *Stream[T]) wakeAll() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}
