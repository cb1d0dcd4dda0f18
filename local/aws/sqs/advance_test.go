package sqs

import (
	"log/slog"
	"testing"
	"time"
)

func TestAdvanceEndsVisibilityTimeoutsAndDelays(t *testing.T) {
	s := New(Config{Region: "eu-west-1", AccountID: "000000000000"}, slog.New(slog.DiscardHandler))
	t.Cleanup(s.Close)
	config := NewQueueConfig("q")
	config.VisibilityTimeout = time.Minute
	q, err := s.CreateQueue(config)
	if err != nil {
		t.Fatal(err)
	}
	delay := 2 * time.Minute
	for _, in := range []SendInput{{Body: "received"}, {Body: "delayed", Delay: &delay}} {
		if _, err := q.Send(in); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := q.Receive(t.Context(), ReceiveOptions{MaxMessages: 10}); err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v, want a message", got, err)
	}
	for i, want := range []Counts{{Visible: 1, Delayed: 1}, {Visible: 2}} {
		if n := q.Advance(time.Minute); n != 1 || q.Counts() != want {
			t.Errorf("after %d minutes: %d became visible, the queue has %+v; want 1 and %+v", i+1, n, q.Counts(), want)
		}
	}
}
