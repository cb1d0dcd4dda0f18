package sqs

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// newServiceWith returns a service with a changed configuration, and its log.
func newServiceWith(change func(*Config)) (*Service, *strings.Builder) {
	config := Config{BaseURL: "http://127.0.0.1:4566", Region: "ap-northeast-2", AccountID: "000000000000"}
	change(&config)
	var log strings.Builder
	return New(config, slog.New(slog.NewTextHandler(&log, nil))), &log
}

func TestDuplicatesAreDeliveredAsOftenAsAskedFor(t *testing.T) {
	for _, tt := range []struct {
		rate   float64
		chance []float64 // the random number for each message
		want   []string  // the messages that are delivered twice
	}{
		{0, []float64{0, 0, 0}, nil},
		{0.5, []float64{0.4, 0.6, 0.499}, []string{"0", "2"}},
		{1, []float64{0.999, 0.999, 0.999}, []string{"0", "1", "2"}},
	} {
		s, _ := newServiceWith(func(c *Config) {
			c.DuplicateRate = tt.rate
			c.Random = func() float64 {
				next := tt.chance[0]
				tt.chance = tt.chance[1:]
				return next
			}
		})
		q := newQueue(t, s, "q")
		for _, body := range []string{"0", "1", "2"} {
			send(t, q, body)
		}
		ids := map[string]string{}
		for _, m := range receive(t, q, 0) {
			ids[m.Body] = m.ID
			if err := q.Delete(m.ReceiptHandle); err != nil {
				t.Fatal(err)
			}
		}
		again := receive(t, q, 0)
		var got []string
		for _, m := range again {
			got = append(got, m.Body)
			if m.ID != ids[m.Body] || m.ReceiveCount != 2 {
				t.Errorf("rate %v: second delivery of %s: got id %s, count %d; want %s, 2", tt.rate, m.Body, m.ID,
					m.ReceiveCount, ids[m.Body])
			}
			if err := q.Delete(m.ReceiptHandle); err != nil {
				t.Fatal(err)
			}
		}
		if strings.Join(got, ",") != strings.Join(tt.want, ",") {
			t.Errorf("rate %v: delivered twice: got %q, want %q", tt.rate, got, tt.want)
		}
		wantCounts(t, q, Counts{}) // no third delivery
	}
}

func TestLimitOfMessagesInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		s.maxInFlight = 3
		q := newQueue(t, s, "q", visibility(10*time.Second))
		for range 5 {
			send(t, q, "x")
		}
		held := receive(t, q, 0)
		if len(held) != 3 {
			t.Fatalf("received %d messages, want 3: the limit", len(held))
		}
		_, err := q.Receive(t.Context(), ReceiveOptions{})
		wantCode(t, err, "OverLimit")

		start := time.Now()
		go func() {
			time.Sleep(2 * time.Second)
			if err := q.Delete(held[0].ReceiptHandle); err != nil {
				t.Error(err)
			}
		}()
		if got := receive(t, q, 20*time.Second); len(got) != 1 || time.Since(start) > 3*time.Second {
			t.Errorf("a long poll got %d messages after %v, want 1 soon after one was deleted", len(got),
				time.Since(start))
		}
		if got := receive(t, q, time.Second); len(got) != 0 {
			t.Errorf("a long poll got %d messages beyond the limit, want none and no error", len(got))
		}
	})
}

func TestMessageStaysWhenItsDeadLetterQueueIsGone(t *testing.T) {
	for _, tt := range []struct {
		name    string
		gone    bool // the dead-letter queue was deleted
		inLog   string
		inQueue int
	}{
		{"gone", true, "does not exist any more", 1},
		{"there", false, "moved to the dead-letter queue", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, log := newServiceWith(func(*Config) {})
			dlq := newQueue(t, s, "dlq")
			q := newQueue(t, s, "q", visibility(0), redriveTo(dlq, 1))
			if tt.gone {
				dlq.delete()
			}
			send(t, q, "x")
			receiveOne(t, q, 0)
			got := receive(t, q, 0)
			if len(got) != tt.inQueue || q.Counts().Visible != tt.inQueue ||
				dlq.Counts().Visible != 1-tt.inQueue && !tt.gone {
				t.Errorf("received %d, in the queue %d, in the dead-letter queue %d; want %d, %d, %d", len(got),
					q.Counts().Visible, dlq.Counts().Visible, tt.inQueue, tt.inQueue, 1-tt.inQueue)
			}
			if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), tt.inLog) {
				t.Errorf("log: got %s, want a warning with %q", log.String(), tt.inLog)
			}
		})
	}
}

func TestDeletedQueueTellsWhoeverUsesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		q := newQueue(t, s, "q")
		send(t, q, "x")
		handle := receiveOne(t, q, 0).ReceiptHandle
		waiting := make(chan error)
		go func() {
			_, err := q.Receive(t.Context(), ReceiveOptions{Wait: new(20 * time.Second)})
			waiting <- err
		}()
		synctest.Wait()
		start := time.Now()
		q.delete()
		wantCode(t, <-waiting, "QueueDoesNotExist")
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the receiver was told after %v, want at once", waited)
		}
		_, err := q.Send(SendInput{Body: "x"})
		wantCode(t, err, "QueueDoesNotExist")
		wantCode(t, q.Delete(handle), "QueueDoesNotExist")
		wantCode(t, q.ChangeVisibility(handle, 0), "QueueDoesNotExist")
		wantCode(t, q.Purge(), "QueueDoesNotExist")

		_, err = s.CreateQueue(NewQueueConfig("q"))
		wantCode(t, err, "QueueDeletedRecently")
		time.Sleep(time.Minute)
		wantCounts(t, newQueue(t, s, "q"), Counts{})
	})
}

func TestShorterRetentionHoldsForMessagesThatAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q")
		send(t, q, "x")
		time.Sleep(time.Minute)
		if err := q.configure(map[string]string{"MessageRetentionPeriod": "60"}); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, q, Counts{})
	})
}

func TestVisibilityTimeoutIsThatOfTheMomentOfTheReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q", visibility(time.Hour))
		received := make(chan []Message)
		go func() { received <- receive(t, q, 20*time.Second) }()
		synctest.Wait()
		if err := q.configure(map[string]string{"VisibilityTimeout": "1"}); err != nil {
			t.Fatal(err)
		}
		send(t, q, "x")
		<-received
		time.Sleep(time.Second)
		wantCounts(t, q, Counts{Visible: 1})
	})
}
