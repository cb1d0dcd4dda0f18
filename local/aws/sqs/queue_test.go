package sqs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"restock/local/aws/awsapi"
)

func newService() *Service {
	return New(Config{BaseURL: "http://127.0.0.1:4566", Region: "ap-northeast-2", AccountID: "000000000000"},
		slog.New(slog.DiscardHandler))
}

// newQueue returns a queue with SQS's defaults, changed by the functions.
func newQueue(t *testing.T, s *Service, name string, change ...func(*QueueConfig)) *Queue {
	t.Helper()
	config := NewQueueConfig(name)
	for _, f := range change {
		f(&config)
	}
	q, err := s.CreateQueue(config)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func visibility(d time.Duration) func(*QueueConfig) {
	return func(c *QueueConfig) { c.VisibilityTimeout = d }
}

func redriveTo(dlq *Queue, maxReceiveCount int) func(*QueueConfig) {
	return func(c *QueueConfig) {
		c.RedrivePolicy = &RedrivePolicy{DeadLetterTargetARN: dlq.ARN(), MaxReceiveCount: maxReceiveCount}
	}
}

func send(t *testing.T, q *Queue, body string) string {
	t.Helper()
	id, err := q.Send(SendInput{Body: body, SenderID: "tester"})
	if err != nil {
		t.Fatalf("sending %q: %v", body, err)
	}
	return id
}

// receive returns the available messages. It waits up to wait for the first one.
func receive(t *testing.T, q *Queue, wait time.Duration) []Message {
	t.Helper()
	messages, err := q.Receive(t.Context(), ReceiveOptions{MaxMessages: 10, Wait: &wait})
	if err != nil {
		t.Fatalf("receiving from %s: %v", q.Name(), err)
	}
	return messages
}

func receiveOne(t *testing.T, q *Queue, wait time.Duration) Message {
	t.Helper()
	messages := receive(t, q, wait)
	if len(messages) != 1 {
		t.Fatalf("received %d messages from %s, want 1", len(messages), q.Name())
	}
	return messages[0]
}

func wantCounts(t *testing.T, q *Queue, want Counts) {
	t.Helper()
	if got := q.Counts(); got != want {
		t.Errorf("counts of %s: got %+v, want %+v", q.Name(), got, want)
	}
}

func TestReceivedMessageIsHiddenUntilItsVisibilityTimeoutEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q", visibility(30*time.Second))
		id := send(t, q, "hello")
		sent := time.Now()
		time.Sleep(5 * time.Second)
		first := receiveOne(t, q, 0)
		wantCounts(t, q, Counts{InFlight: 1})

		time.Sleep(30*time.Second - time.Nanosecond)
		if early := receive(t, q, 0); len(early) != 0 {
			t.Fatalf("received %d messages just before the timeout, want 0", len(early))
		}
		time.Sleep(time.Nanosecond)
		second := receiveOne(t, q, 0)

		if second.ID != id || second.ReceiveCount != 2 || second.ReceiptHandle == first.ReceiptHandle {
			t.Errorf("second receive: got id %s, count %d, same handle %v; want %s, 2, false", second.ID,
				second.ReceiveCount, second.ReceiptHandle == first.ReceiptHandle, id)
		}
		if !second.SentAt.Equal(sent) || !second.FirstReceivedAt.Equal(sent.Add(5*time.Second)) {
			t.Errorf("second receive: sent %v, first received %v; want %v and 5s later", second.SentAt,
				second.FirstReceivedAt, sent)
		}
	})
}

func TestReceiverWaitsForTheMomentAMessageBecomesVisible(t *testing.T) {
	second := time.Second
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, q *Queue) // runs before the receiver waits or while it waits
		after   time.Duration                // when the receiver returns
		want    int                          // messages
	}{
		{"nothing comes", func(*testing.T, *Queue) {}, 20 * time.Second, 0},
		{"sent while it waits", func(t *testing.T, q *Queue) {
			go func() { time.Sleep(3 * second); send(t, q, "x") }()
		}, 3 * time.Second, 1},
		{"delayed", func(t *testing.T, q *Queue) {
			if _, err := q.Send(SendInput{Body: "x", Delay: new(7 * second)}); err != nil {
				t.Error(err)
			}
		}, 7 * time.Second, 1},
		{"in flight elsewhere", func(t *testing.T, q *Queue) {
			send(t, q, "x")
			receiveOne(t, q, 0)
		}, 10 * time.Second, 1},
		{"given back while it waits", func(t *testing.T, q *Queue) {
			send(t, q, "x")
			m := receiveOne(t, q, 0)
			go func() {
				time.Sleep(2 * second)
				if err := q.ChangeVisibility(m.ReceiptHandle, 0); err != nil {
					t.Error(err)
				}
			}()
		}, 2 * time.Second, 1},
		{"visibility shortened while it waits", func(t *testing.T, q *Queue) {
			send(t, q, "x")
			m := receiveOne(t, q, 0)
			go func() {
				time.Sleep(2 * second)
				if err := q.ChangeVisibility(m.ReceiptHandle, 3*second); err != nil {
					t.Error(err)
				}
			}()
		}, 5 * time.Second, 1},
		{"the second of two shortened", func(t *testing.T, q *Queue) {
			send(t, q, "x")
			receiveOne(t, q, 0)
			send(t, q, "y")
			if err := q.ChangeVisibility(receiveOne(t, q, 0).ReceiptHandle, 4*second); err != nil {
				t.Error(err)
			}
		}, 4 * time.Second, 1},
		{"deleted while it waits", func(t *testing.T, q *Queue) {
			send(t, q, "x")
			m := receiveOne(t, q, 0)
			go func() { time.Sleep(second); _ = q.Delete(m.ReceiptHandle) }()
		}, 20 * time.Second, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(t, newService(), "q", visibility(10*time.Second))
				tt.prepare(t, q)
				start := time.Now()
				got := receive(t, q, 20*time.Second)
				if len(got) != tt.want || time.Since(start) != tt.after {
					t.Errorf("got %d messages after %v, want %d after %v",
						len(got), time.Since(start), tt.want, tt.after)
				}
			})
		})
	}
}

func TestMessageIsRedrivenWhenItWouldBeReceivedOnceTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		dlq := newQueue(t, s, "dlq", func(c *QueueConfig) { c.MessageRetentionPeriod = 10 * time.Minute })
		q := newQueue(t, s, "q", visibility(time.Minute), redriveTo(dlq, 3))
		id := send(t, q, "poison")
		sent := time.Now()
		for range 3 {
			receiveOne(t, q, 20*time.Second)
			time.Sleep(time.Minute)
		}
		wantCounts(t, q, Counts{Visible: 1}) // it moves only when somebody tries to receive it
		wantCounts(t, dlq, Counts{})

		waiting := make(chan []Message)
		go func() { waiting <- receive(t, dlq, 20*time.Second) }()
		synctest.Wait()
		if got := receive(t, q, 0); len(got) != 0 {
			t.Fatalf("fourth receive: got %d messages, want 0", len(got))
		}
		dead := (<-waiting)[0]
		if dead.ID != id || dead.ReceiveCount != 4 || dead.DeadLetterSource != q.ARN() || !dead.SentAt.Equal(sent) {
			t.Errorf("in the dead-letter queue: got id %s, count %d, source %q, sent %v; want %s, 4, %q, %v",
				dead.ID, dead.ReceiveCount, dead.DeadLetterSource, dead.SentAt, id, q.ARN(), sent)
		}
		wantCounts(t, q, Counts{})

		time.Sleep(7*time.Minute - time.Nanosecond) // its retention counts from the first send
		wantCounts(t, dlq, Counts{Visible: 1})
		time.Sleep(time.Nanosecond)
		wantCounts(t, dlq, Counts{})
	})
}

func TestReceiveHandsOutWhatFollowsARedrivenMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		q := newQueue(t, s, "q", visibility(time.Second), redriveTo(newQueue(t, s, "dlq"), 1))
		send(t, q, "poison")
		receiveOne(t, q, 0)
		time.Sleep(time.Second)
		want := send(t, q, "good")
		if got := receiveOne(t, q, 0); got.ID != want {
			t.Errorf("received %s, want %s", got.ID, want)
		}
	})
}

func TestDeadLetterQueueCountsItsOwnReceives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		last := newQueue(t, s, "last")
		dlq := newQueue(t, s, "dlq", visibility(time.Second), redriveTo(last, 2))
		q := newQueue(t, s, "q", visibility(time.Second), redriveTo(dlq, 2))
		send(t, q, "poison")
		for _, source := range []*Queue{q, dlq} {
			for range 2 {
				receiveOne(t, source, 0)
				time.Sleep(time.Second)
			}
			if got := receive(t, source, 0); len(got) != 0 {
				t.Fatalf("third receive from %s: got %d messages, want 0", source.Name(), len(got))
			}
		}
		wantCounts(t, last, Counts{Visible: 1})
	})
}

func TestDelayHidesANewMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q", func(c *QueueConfig) { c.Delay = 10 * time.Second })
		send(t, q, "the queue's delay")
		if _, err := q.Send(SendInput{Body: "its own delay", Delay: new(time.Duration(0))}); err != nil {
			t.Fatal(err)
		}
		wantCounts(t, q, Counts{Visible: 1, Delayed: 1})
		if got := receiveOne(t, q, 0); got.Body != "its own delay" {
			t.Errorf("received %q before the delay ended", got.Body)
		}
		time.Sleep(10 * time.Second)
		if got := receiveOne(t, q, 0); got.Body != "the queue's delay" {
			t.Errorf("received %q after the delay", got.Body)
		}
	})
}

func TestMessageIsGoneAfterItsRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q", func(c *QueueConfig) { c.MessageRetentionPeriod = time.Minute })
		send(t, q, "old")
		time.Sleep(30 * time.Second)
		send(t, q, "new")
		time.Sleep(30 * time.Second)
		if got := receiveOne(t, q, 0); got.Body != "new" {
			t.Errorf("received %q, want the message that is not past its retention", got.Body)
		}
	})
}

func TestDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		q := newQueue(t, s, "q", visibility(time.Second))
		send(t, q, "x")
		stale := receiveOne(t, q, 0).ReceiptHandle
		time.Sleep(time.Second)
		latest := receiveOne(t, q, 0).ReceiptHandle

		if err := q.Delete(stale); err != nil {
			t.Errorf("deleting with a stale handle: %v, want no error", err)
		}
		wantCounts(t, q, Counts{InFlight: 1})
		time.Sleep(time.Second)
		if err := q.Delete(latest); err != nil { // visible again, but not received since
			t.Errorf("deleting after the visibility timeout: %v", err)
		}
		wantCounts(t, q, Counts{})
		if err := q.Delete(latest); err != nil {
			t.Errorf("deleting again: %v, want no error", err)
		}
		for _, handle := range []string{"nonsense", "bm9uc2Vuc2U="} {
			wantCode(t, q.Delete(handle), "ReceiptHandleIsInvalid")
		}
		wantCode(t, newQueue(t, s, "other").Delete(latest), "ReceiptHandleIsInvalid")
		wantCode(t, q.Delete(""), "MissingRequiredParameterException")
	})
}

func TestChangeVisibilityRefusesAFormerHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q", visibility(time.Hour))
		send(t, q, "x")
		m := receiveOne(t, q, 0)
		wantCode(t, q.ChangeVisibility(m.ReceiptHandle, 13*time.Hour), "InvalidParameterValueException")
		time.Sleep(30 * time.Minute)
		// 12.5 h in total
		wantCode(t, q.ChangeVisibility(m.ReceiptHandle, 12*time.Hour), "InvalidParameterValueException")
		time.Sleep(30 * time.Minute)
		if err := q.ChangeVisibility(m.ReceiptHandle, time.Minute); err != nil { // visible again, not received since
			t.Errorf("after the visibility timeout: %v", err)
		}
		wantCounts(t, q, Counts{InFlight: 1})
		time.Sleep(time.Minute)
		former := m
		m = receiveOne(t, q, 0)
		wantCode(t, q.ChangeVisibility(former.ReceiptHandle, time.Minute), "MessageNotInflight")
		if err := q.Delete(m.ReceiptHandle); err != nil {
			t.Fatal(err)
		}
		wantCode(t, q.ChangeVisibility(m.ReceiptHandle, time.Minute), "InvalidParameterValueException")
	})
}

func TestVisibilityTimeoutOfZeroGivesAMessageOnceAReceive(t *testing.T) {
	q := newQueue(t, newService(), "q")
	send(t, q, "x")
	for n := 1; n <= 2; n++ {
		got, err := q.Receive(t.Context(), ReceiveOptions{MaxMessages: 10, VisibilityTimeout: new(time.Duration(0))})
		if err != nil || len(got) != 1 || got[0].ReceiveCount != n {
			t.Fatalf("receive %d: got %v, %v", n, got, err)
		}
	}
}

func TestPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q", visibility(time.Second))
		send(t, q, "in flight")
		receiveOne(t, q, 0)
		send(t, q, "visible")
		if err := q.Purge(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		wantCounts(t, q, Counts{})
		wantCode(t, q.Purge(), "PurgeQueueInProgress")
		time.Sleep(time.Minute)
		if err := q.Purge(); err != nil {
			t.Errorf("purging a minute later: %v", err)
		}
	})
}

func TestReceiverThatIsGoneTakesNothing(t *testing.T) {
	q := newQueue(t, newService(), "q")
	send(t, q, "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := q.Receive(ctx, ReceiveOptions{}); !errors.Is(err, context.Canceled) || len(got) != 0 {
		t.Errorf("got %d messages, error %v; want 0, %v", len(got), err, context.Canceled)
	}
	wantCounts(t, q, Counts{Visible: 1})
}

func TestSendRefuses(t *testing.T) {
	q := newQueue(t, newService(), "q", func(c *QueueConfig) { c.MaximumMessageSize = 1024 })
	text := func(s string) MessageAttribute { return MessageAttribute{DataType: "String", StringValue: s} }
	number := func(s string) SendInput {
		return SendInput{Body: "x", Attributes: map[string]MessageAttribute{"a": {DataType: "Number", StringValue: s}}}
	}
	eleven := map[string]MessageAttribute{}
	for i := range 11 {
		eleven[fmt.Sprint("a", i)] = text("x")
	}
	for _, tt := range []struct {
		name string
		in   SendInput
		want string
	}{
		{"no body", SendInput{}, "MissingRequiredParameterException"},
		{"a body of the limit", SendInput{Body: strings.Repeat("x", 1024)}, ""},
		{"a body over the limit", SendInput{Body: strings.Repeat("x", 1025)}, "InvalidParameterValueException"},
		{"body and attributes over the limit",
			SendInput{Body: strings.Repeat("x", 1015), Attributes: map[string]MessageAttribute{"a": text("xyz")}},
			"InvalidParameterValueException"},
		{"a control character", SendInput{Body: "a\x00b"}, "InvalidMessageContents"},
		{"invalid UTF-8", SendInput{Body: "a\xffb"}, "InvalidMessageContents"},
		{"Korean and emoji", SendInput{Body: "도너츠 🍩\n"}, ""},
		{"a negative delay", SendInput{Body: "x", Delay: new(-time.Second)}, "InvalidParameterValueException"},
		{"a delay over 15 minutes", SendInput{Body: "x", Delay: new(901 * time.Second)},
			"InvalidParameterValueException"},
		{"11 attributes", SendInput{Body: "x", Attributes: eleven}, "InvalidParameterValueException"},
		{"an attribute without a type",
			SendInput{Body: "x", Attributes: map[string]MessageAttribute{"a": {StringValue: "v"}}},
			"InvalidParameterValueException"},
		{"an empty attribute", SendInput{Body: "x", Attributes: map[string]MessageAttribute{"a": text("")}},
			"InvalidParameterValueException"},
		{"a reserved attribute name", SendInput{Body: "x", Attributes: map[string]MessageAttribute{"AWS.a": text("v")}},
			"InvalidParameterValueException"},
		{"an attribute with a control character",
			SendInput{Body: "x", Attributes: map[string]MessageAttribute{"a": text("a\x00b")}},
			"InvalidMessageContents"},
		{"a type with a control character", SendInput{Body: "x",
			Attributes: map[string]MessageAttribute{"a": {DataType: "String.\x00", StringValue: "v"}}},
			"InvalidMessageContents"},
		{"a type of 256 characters", SendInput{Body: "x", Attributes: map[string]MessageAttribute{
			"a": {DataType: "String." + strings.Repeat("x", 249), StringValue: "v"}}}, ""},
		{"a type of 263 characters", SendInput{Body: "x", Attributes: map[string]MessageAttribute{
			"a": {DataType: "String." + strings.Repeat("x", 256), StringValue: "v"}}},
			"InvalidParameterValueException"},
		{"a number of 38 digits", number("-0." + strings.Repeat("9", 38) + "00e2"), ""},
		{"a number of 39 digits", number(strings.Repeat("9", 39)), "InvalidParameterValueException"},
		{"a number of 10^127", number("1e127"), "InvalidParameterValueException"},
		{"an attribute name with two periods",
			SendInput{Body: "x", Attributes: map[string]MessageAttribute{"a..b": text("v")}},
			"InvalidParameterValueException"},
		{"a labelled type", SendInput{Body: "x",
			Attributes: map[string]MessageAttribute{"a": {DataType: "Number.int", StringValue: "1"}}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := q.Send(tt.in)
			wantCode(t, err, tt.want)
		})
	}
}

func TestCreateQueueRefuses(t *testing.T) {
	s := newService()
	newQueue(t, s, "taken")
	for _, tt := range []struct {
		name   string
		change func(*QueueConfig)
		want   string // in the error
	}{
		{"a taken name", func(c *QueueConfig) { c.Name = "taken" }, "exists"},
		{"the name of a FIFO queue", func(c *QueueConfig) { c.Name = "q.fifo" }, "FIFO"},
		{"a name with a space", func(c *QueueConfig) { c.Name = "a b" }, "name"},
		{"a visibility timeout over 12 hours", visibility(13 * time.Hour), "VisibilityTimeout is 13h"},
		{"half a second", visibility(500 * time.Millisecond), "whole seconds"},
		{"no retention", func(c *QueueConfig) { c.MessageRetentionPeriod = 0 }, "MessageRetentionPeriod is 0s"},
		{"a size limit over 1 MiB", func(c *QueueConfig) { c.MaximumMessageSize = 1<<20 + 1 }, "1048577"},
		{"a missing dead-letter queue", func(c *QueueConfig) {
			c.RedrivePolicy = &RedrivePolicy{DeadLetterTargetARN: "arn:aws:sqs:ap-northeast-2:000000000000:nowhere",
				MaxReceiveCount: 1}
		}, "nowhere does not exist"},
		{"a policy that is none", func(c *QueueConfig) { c.Policy = `{"Statement":[{"Effect":"Maybe"}]}` },
			"parameter Policy"},
		{"maxReceiveCount 0", func(c *QueueConfig) { c.RedrivePolicy = &RedrivePolicy{} }, "maxReceiveCount is 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := NewQueueConfig("q")
			tt.change(&config)
			if _, err := s.CreateQueue(config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("CreateQueue(%+v): got error %v, want one with %q", config, err, tt.want)
			}
		})
	}
}

func TestManyReceiversShareTheMessages(t *testing.T) {
	const messages, receivers = 2000, 32
	q := newQueue(t, newService(), "q", visibility(time.Hour))
	ctx, allReceived := context.WithCancel(t.Context())
	defer allReceived()

	var mu sync.Mutex
	received := map[string]int{} // by message id
	var wg sync.WaitGroup
	for range receivers {
		wg.Go(func() {
			for {
				got, err := q.Receive(ctx, ReceiveOptions{MaxMessages: 10, Wait: new(20 * time.Second)})
				if err != nil {
					return
				}
				mu.Lock()
				for _, m := range got {
					received[m.ID]++
				}
				done := len(received) == messages
				mu.Unlock()
				for _, m := range got {
					if err := q.Delete(m.ReceiptHandle); err != nil {
						t.Errorf("deleting %s: %v", m.ID, err)
					}
				}
				if done {
					allReceived()
				}
			}
		})
	}
	for range 4 {
		wg.Go(func() {
			for i := range messages / 4 {
				if _, err := q.Send(SendInput{Body: fmt.Sprint(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for id, n := range received {
		if n != 1 {
			t.Errorf("message %s was received %d times, want 1", id, n)
		}
	}
	wantCounts(t, q, Counts{})
}

// wantCode checks an error's code; "" wants none.
func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	var refused *awsapi.Error
	switch {
	case want == "" && err != nil:
		t.Errorf("got error %v, want none", err)
	case want != "" && (!errors.As(err, &refused) || refused.Code != want):
		t.Errorf("got error %v, want %s", err, want)
	}
}
