package events

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed says that the stream has ended and that the subscription has read all its values.
var ErrClosed = errors.New("the stream has ended")

// A Stream keeps the latest values of one type for its subscribers. It is a ring buffer: a
// publisher never waits. A subscriber that reads too slowly loses the oldest values that it has not
// read, and learns how many. The capacity bounds the memory, whatever the number of subscribers.
// Many goroutines may call the methods at the same time.
type Stream[T any] struct {
	mu          sync.Mutex
	ring        []T
	next        uint64        // the sequence number of the next value; the first is 1
	wake        chan struct{} // closed when a value comes; nil while no subscriber waits
	subscribers int
	dropped     uint64 // the sum over all subscribers
	closed      bool
}

// NewStream returns a stream that keeps up to capacity values. The capacity is at least 1.
func NewStream[T any](capacity int) *Stream[T] {
	return &Stream[T]{ring: make([]T, capacity), next: 1}
}

// Publish adds a value and returns its sequence number. After Close, it drops the value and returns
// 0.
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

// Close ends the stream: subscribers read the values that are left, and then get ErrClosed. Further
// calls have no effect.
func (s *Stream[T]) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wakeAll()
}

// Stats are counts of a stream.
type Stats struct {
	Published   uint64 // values since the stream began
	Dropped     uint64 // values that a subscriber has lost, summed over all subscribers
	Subscribers int    // the current number
	Capacity    int    // values that the stream keeps
}

// Stats returns the current counts.
func (s *Stream[T]) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Published: s.next - 1, Dropped: s.dropped, Subscribers: s.subscribers, Capacity: len(s.ring)}
}

// Latest returns the sequence number of the latest value, or 0 before the first.
func (s *Stream[T]) Latest() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next - 1
}

// Subscribe returns a subscription that continues after a sequence number. 0 stands for the oldest
// value that the stream keeps. So does a number that the stream has not reached: it comes from
// another stream, such as that of an earlier run. The caller closes the subscription.
func (s *Stream[T]) Subscribe(after uint64) *Subscription[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers++
	if after == 0 || after >= s.next {
		after = s.oldest() - 1
	}
	return &Subscription[T]{stream: s, cursor: after + 1}
}

// SubscribeNow returns a subscription to later values only. The caller closes it.
func (s *Stream[T]) SubscribeNow() *Subscription[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers++
	return &Subscription[T]{stream: s, cursor: s.next}
}

// A Subscription reads a stream at its own pace. Only one goroutine may use it.
type Subscription[T any] struct {
	stream *Stream[T]
	cursor uint64 // the next sequence number to read
	closed bool
}

// A Batch is the result of one read: values with consecutive sequence numbers.
type Batch[T any] struct {
	First   uint64 // the sequence number of the first value
	Values  []T
	Dropped uint64 // values before First that were overwritten before this subscription read them
}

// Next waits for values and returns up to maximum of them. The error is ctx's, or ErrClosed.
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

// Read returns up to maximum values without waiting. The only error is ErrClosed.
func (sub *Subscription[T]) Read(maximum int) (Batch[T], error) {
	batch, _, err := sub.read(maximum)
	return batch, err
}

// read returns values or, if there are none, a channel that closes when values come.
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

// Drop counts values that the subscriber has read but could not pass on, so that Stats reports them
// as dropped.
func (sub *Subscription[T]) Drop(values uint64) {
	sub.stream.mu.Lock()
	defer sub.stream.mu.Unlock()
	sub.stream.dropped += values
}

// Close ends the subscription. Further calls have no effect.
func (sub *Subscription[T]) Close() {
	if sub.closed {
		return
	}
	sub.closed = true
	sub.stream.mu.Lock()
	defer sub.stream.mu.Unlock()
	sub.stream.subscribers--
}

// The caller of the following methods holds the lock.

// oldest returns the sequence number of the oldest value that the stream keeps. If it keeps none,
// that is the number of the next value.
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
