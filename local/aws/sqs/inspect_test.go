package sqs

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPeekSeesAllAndChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q", visibility(time.Minute))
		send(t, q, "first")
		receiveOne(t, q, 0) // it is in flight
		send(t, q, "second")
		send(t, q, "third")
		before := q.Counts()
		for range 10 {
			messages := q.Peek(2)
			if len(messages) != 2 || messages[0].ReceiptHandle != "" {
				t.Fatalf("got %+v, want two, without receipt handles", messages)
			}
		}
		bodies := map[string]int{}
		for _, m := range q.Peek(100) {
			bodies[m.Body] = m.ReceiveCount
		}
		if len(bodies) != 3 || bodies["first"] != 1 || bodies["second"] != 0 {
			t.Errorf("got %v, want three, the first received once and the others never", bodies)
		}
		if after := q.Counts(); after != before {
			t.Errorf("counts: got %+v, want %+v as before", after, before)
		}
	})
}

func TestRedriveSendsDeadLettersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, dlq := newDeadLetters(t, newService(), 3)
		if n, err := dlq.Redrive(); err != nil || n != 3 {
			t.Errorf("got %d, %v; want 3", n, err)
		}
		synctest.Wait()
		if got := q.Counts().Visible; got != 3 || dlq.Counts().Visible != 0 {
			t.Errorf("%d are back, %d are left; want all of 3 back", got, dlq.Counts().Visible)
		}
		if _, err := q.Redrive(); err == nil {
			t.Error("a queue that is no dead-letter queue is redriven")
		}
	})
}

func TestLogHasNoQueries(t *testing.T) {
	var log strings.Builder
	s := New(Config{BaseURL: "http://127.0.0.1:4566", Region: "ap-northeast-2", AccountID: "000000000000"},
		slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	send(t, newQueue(t, s, "q"), `{"CallbackUrl":"https://shop.test/receipt?quantity=1&signature=secret"}`)
	if got := log.String(); !strings.Contains(got, "shop.test/receipt?…") || strings.Contains(got, "secret") {
		t.Errorf("the log is %s, want the URL of the message without its query", got)
	}
}
