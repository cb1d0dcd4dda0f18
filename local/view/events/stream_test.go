package events_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"restock/local/view/events"
)

func TestPublishersDoNotWaitForASubscriberThatReadsNothing(t *testing.T) {
	const capacity, publishers, each = 1000, 8, 6250 // 50,000 in all
	s := events.NewStream[int](capacity)
	slow := s.Subscribe(0)
	defer slow.Close()
	var all sync.WaitGroup
	for range publishers {
		all.Go(func() {
			for i := range each {
				s.Publish(i)
			}
		})
	}
	all.Wait() // if a publisher waited for the subscriber, the test would hang here

	batch, err := slow.Next(t.Context(), 1<<20)
	const lost = publishers*each - capacity
	if err != nil || len(batch.Values) != capacity || batch.Dropped != lost || batch.First != lost+1 {
		t.Errorf("got %d values from %d on, %d dropped (%v); want the latest %d, and %d dropped",
			len(batch.Values), batch.First, batch.Dropped, err, capacity, lost)
	}
	want := events.Stats{Published: publishers * each, Dropped: lost, Subscribers: 1, Capacity: capacity}
	if got := s.Stats(); got != want {
		t.Errorf("stats: got %+v, want %+v", got, want)
	}
}

func TestEveryValueIsReadOrCountedAsDropped(t *testing.T) {
	const total = 50_000
	s := events.NewStream[uint64](256)
	var readers sync.WaitGroup
	for pace := range 4 { // each slower than the one before
		sub := s.Subscribe(0)
		readers.Go(func() {
			defer sub.Close()
			read, dropped, expected := uint64(0), uint64(0), uint64(1)
			for {
				batch, err := sub.Next(t.Context(), 64>>pace)
				if errors.Is(err, events.ErrClosed) {
					break
				}
				expected += batch.Dropped
				dropped += batch.Dropped
				if batch.First != expected {
					t.Errorf("pace %d: a batch begins at %d, want %d", pace, batch.First, expected)
					return
				}
				for i, v := range batch.Values {
					if v != batch.First+uint64(i) {
						t.Errorf("pace %d: number %d is %d", pace, batch.First+uint64(i), v)
						return
					}
				}
				read += uint64(len(batch.Values))
				expected += uint64(len(batch.Values))
				for range pace * 10 {
					runtime.Gosched()
				}
			}
			if read+dropped != total {
				t.Errorf("pace %d: %d read and %d dropped, want %d together", pace, read, dropped, total)
			}
		})
	}
	for i := range uint64(total) {
		s.Publish(i + 1)
	}
	s.Close()
	readers.Wait()
	if got := s.Stats().Subscribers; got != 0 {
		t.Errorf("%d subscribers are left, want none", got)
	}
}

func TestSubscribeContinuesAfterASequenceNumber(t *testing.T) {
	for _, c := range []struct {
		name      string
		published int
		after     uint64
		first     uint64
		dropped   uint64
	}{
		{"all values", 3, 0, 1, 0},
		{"the oldest that the stream keeps", 10, 0, 7, 0},
		{"after a value", 3, 2, 3, 0},
		{"after a value that is overwritten", 10, 2, 7, 4},
		{"after a value of another stream", 3, 99, 1, 0},
	} {
		s := events.NewStream[int](4)
		for i := range c.published {
			s.Publish(i)
		}
		sub := s.Subscribe(c.after)
		batch, err := sub.Read(100)
		if err != nil || batch.First != c.first || batch.Dropped != c.dropped ||
			len(batch.Values) != c.published-int(c.first)+1 {
			t.Errorf("%s: %d published, after %d: "+
				"got %d values from %d on, %d dropped (%v); want from %d on, %d dropped",
				c.name, c.published, c.after, len(batch.Values), batch.First, batch.Dropped, err, c.first, c.dropped)
		}
	}
}

func TestSubscribeNowSkipsEarlierValues(t *testing.T) {
	s := events.NewStream[string](4)
	s.Publish("past")
	sub := s.SubscribeNow()
	s.Publish("present")
	if batch, err := sub.Read(10); err != nil || len(batch.Values) != 1 || batch.Values[0] != "present" {
		t.Errorf("got %v, %v; want the present", batch.Values, err)
	}
}

func TestNextWaitsForAValueOrTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := events.NewStream[int](4)
		sub := s.Subscribe(0)
		go func() {
			time.Sleep(time.Hour)
			s.Publish(1)
		}()
		began := time.Now()
		batch, err := sub.Next(t.Context(), 10)
		if took := time.Since(began); err != nil || len(batch.Values) != 1 || took != time.Hour {
			t.Errorf("got %v, %v after %v; want the value after an hour", batch.Values, err, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := sub.Next(ctx, 10); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the error of the context", err)
		}
		go func() {
			time.Sleep(time.Hour)
			s.Publish(2)
			s.Close()
		}()
		if batch, err := sub.Next(t.Context(), 10); err != nil || len(batch.Values) != 1 {
			t.Errorf("got %v, %v; want the value that was published before the end", batch.Values, err)
		}
		if _, err := sub.Next(t.Context(), 10); !errors.Is(err, events.ErrClosed) {
			t.Errorf("got %v, want %v", err, events.ErrClosed)
		}
		if seq := s.Publish(3); seq != 0 {
			t.Errorf("a closed stream has published a value as number %d", seq)
		}
	})
}
