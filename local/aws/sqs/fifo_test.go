package sqs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fifoQueue makes a FIFO queue that derives deduplication ids from bodies.
func fifoQueue(c *QueueConfig) { c.FIFO, c.ContentBasedDeduplication = true, true }

// sendTo sends messages to the groups that the letters before the colons name: "a:1".
func sendTo(t *testing.T, q *Queue, messages ...string) {
	t.Helper()
	for _, m := range messages {
		group, _, _ := strings.Cut(m, ":")
		if _, err := q.Send(SendInput{Body: m, GroupID: group}); err != nil {
			t.Fatalf("sending %q: %v", m, err)
		}
	}
}

// take receives up to limit messages, without waiting.
func take(t *testing.T, q *Queue, limit int) []Message {
	t.Helper()
	messages, err := q.Receive(t.Context(), ReceiveOptions{MaxMessages: limit})
	if err != nil {
		t.Fatalf("receiving from %s: %v", q.Name(), err)
	}
	return messages
}

func wantBodies(t *testing.T, got []Message, want ...string) {
	t.Helper()
	var bodies []string
	for _, m := range got {
		bodies = append(bodies, m.Body)
	}
	if !slices.Equal(bodies, want) {
		t.Errorf("messages: got %q, want %q", bodies, want)
	}
}

func TestFIFOReceiveTakesAGroupInItsOrderBeforeTheNext(t *testing.T) {
	q := newQueue(t, newService(), "q.fifo", fifoQueue)
	sendTo(t, q, "a:1", "b:1", "a:2", "a:3")
	wantBodies(t, take(t, q, 10), "a:1", "a:2", "a:3", "b:1")
}

func TestFIFOMessageInFlightHoldsItsGroupAndNoOther(t *testing.T) {
	for _, tt := range []struct {
		name   string
		delete []int // of the two received messages
		want   []string
	}{
		{"both in flight", nil, []string{"b:1", "b:2"}},
		{"the first deleted", []int{0}, []string{"b:1", "b:2"}},
		{"the second deleted", []int{1}, []string{"b:1", "b:2"}},
		{"both deleted", []int{0, 1}, []string{"b:1", "b:2", "a:3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := newQueue(t, newService(), "q.fifo", fifoQueue)
			sendTo(t, q, "a:1", "b:1", "a:2", "b:2", "a:3")
			held := take(t, q, 2)
			wantBodies(t, held, "a:1", "a:2")
			for _, i := range tt.delete {
				if err := q.Delete(held[i].ReceiptHandle); err != nil {
					t.Fatal(err)
				}
			}
			got := take(t, q, 10)
			slices.SortStableFunc(got, func(x, y Message) int { // the order of groups is not promised
				return strings.Compare(y.GroupID, x.GroupID)
			})
			wantBodies(t, got, tt.want...)
		})
	}
}

// LocalStack's sqs/test_sqs, validated on 2025-11-19:
// test_fifo_group_visibility_extends_with_change_message_visibility.
func TestFIFOGroupYieldsTheMessagesBeforeTheFirstOneInFlight(t *testing.T) {
	for extended, want := range [][]string{nil, {"a:1"}, {"a:1", "a:2"}} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(t, newService(), "q.fifo", fifoQueue, visibility(time.Second))
			sendTo(t, q, "a:1", "a:2", "a:3")
			held := take(t, q, 10)
			if err := q.ChangeVisibility(held[extended].ReceiptHandle, time.Minute); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			wantBodies(t, take(t, q, 10), want...)
		})
	}
}

func TestFIFOWaitingReceiverGetsTheNextMessageOnceTheOneBeforeIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q.fifo", fifoQueue)
		sendTo(t, q, "a:1", "a:2")
		held := take(t, q, 1)
		begin, received := time.Now(), make(chan []Message)
		go func() { received <- receive(t, q, 20*time.Second) }()
		synctest.Wait()
		time.Sleep(3 * time.Second)
		if err := q.Delete(held[0].ReceiptHandle); err != nil {
			t.Fatal(err)
		}
		wantBodies(t, <-received, "a:2")
		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("received it after %v, want 3s: at once after the deletion", waited)
		}
	})
}

func TestFIFOMessagesThatComeBackKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q.fifo", fifoQueue, visibility(time.Minute))
		sendTo(t, q, "a:1", "a:2")
		first := take(t, q, 1)
		sendTo(t, q, "a:3")
		time.Sleep(time.Minute)
		wantBodies(t, take(t, q, 10), "a:1", "a:2", "a:3")
		wantCode(t, q.Delete(first[0].ReceiptHandle), "InvalidParameterValueException")
		wantCounts(t, q, Counts{InFlight: 3})
	})
}

func TestFIFOHandleExpiresWithTheVisibilityTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q.fifo", fifoQueue, visibility(time.Minute))
		sendTo(t, q, "a:1")
		handle := take(t, q, 1)[0].ReceiptHandle
		time.Sleep(time.Minute)
		err := q.Delete(handle)
		if wantCode(t, err, "InvalidParameterValueException"); !strings.Contains(fmt.Sprint(err), "has expired") {
			t.Errorf("got error %v, want one that the handle has expired", err)
		}
		handle = take(t, q, 1)[0].ReceiptHandle
		for range 2 { // the second time the message is gone, which is no error
			if err := q.Delete(handle); err != nil {
				t.Error(err)
			}
		}
		wantCounts(t, q, Counts{})
	})
}

func TestFIFODuplicateIsDroppedForFiveMinutes(t *testing.T) {
	type message struct{ group, id, body string }
	for _, tt := range []struct {
		name   string
		change func(*QueueConfig)
		second message // after a message with group a, id 1, body x
		after  time.Duration
		want   int // messages in the queue
	}{
		{"the same id", func(*QueueConfig) {}, message{"a", "1", "y"}, 5*time.Minute - 1, 1},
		{"five minutes later", func(*QueueConfig) {}, message{"a", "1", "x"}, 5 * time.Minute, 2},
		{"another id, the same body", func(*QueueConfig) {}, message{"a", "2", "x"}, 0, 2},
		{"another group", func(*QueueConfig) {}, message{"b", "1", "x"}, 0, 1},
		{"another group, with ids for each group", func(c *QueueConfig) { c.DeduplicationScope = scopeMessageGroup },
			message{"b", "1", "x"}, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(t, newService(), "q.fifo", fifoQueue, tt.change)
				first, err := q.Send(SendInput{Body: "x", GroupID: "a", DeduplicationID: "1"})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(tt.after)
				second, err := q.Send(SendInput{
					Body: tt.second.body, GroupID: tt.second.group, DeduplicationID: tt.second.id,
				})
				if err != nil || (first == second) != (tt.want == 1) {
					t.Errorf("sent %s, then %s, %v; want the same id if it is a duplicate", first, second, err)
				}
				wantCounts(t, q, Counts{Visible: tt.want})
			})
		})
	}
}

func TestFIFODeduplicationOutlivesTheMessageButNoPurge(t *testing.T) {
	q := newQueue(t, newService(), "q.fifo", fifoQueue)
	sendTo(t, q, "a:1")
	if err := q.Delete(take(t, q, 1)[0].ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	sendTo(t, q, "a:1")
	wantCounts(t, q, Counts{})
	if err := q.Purge(); err != nil {
		t.Fatal(err)
	}
	sendTo(t, q, "a:1")
	wantCounts(t, q, Counts{Visible: 1})
}

func TestFIFOQueueDelaysEachMessageByItsOwnDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q.fifo", fifoQueue, func(c *QueueConfig) { c.Delay = time.Minute })
		if _, err := q.Send(SendInput{Body: "x", GroupID: "a", Delay: new(time.Duration(0))}); err != nil {
			t.Errorf("a delay of 0: %v", err)
		}
		wantCounts(t, q, Counts{Delayed: 1})
		_, err := q.Send(SendInput{Body: "y", GroupID: "a", Delay: new(2 * time.Second)})
		wantCode(t, err, "InvalidParameterValueException")
		time.Sleep(time.Minute)
		wantBodies(t, take(t, q, 10), "x")
	})
}

func TestFIFODeadLettersKeepTheirGroupAndComeBackInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService()
		dlq := newQueue(t, s, "dlq.fifo", fifoQueue)
		q := newQueue(t, s, "q.fifo", fifoQueue, visibility(0), redriveTo(dlq, 1))
		sendTo(t, q, "a:1", "a:2", "b:1")
		sent := take(t, q, 10)
		wantBodies(t, take(t, q, 10))
		dead := dlq.Peek(10)
		wantBodies(t, dead, "a:1", "a:2", "b:1")
		if dead[0].ID != sent[0].ID || dead[0].DeduplicationID != sent[0].ID || dead[0].GroupID != "a" {
			t.Errorf("dead letter: got %+v, want message %s of group a, with its id as deduplication id", dead[0],
				sent[0].ID)
		}
		if _, err := dlq.Redrive(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wantCounts(t, dlq, Counts{})
		wantBodies(t, take(t, q, 10), "a:1", "a:2", "b:1")
	})
}

func TestQueuesOfTwoTypesTakeNoDeadLettersFromEachOther(t *testing.T) {
	s := newService()
	standard, fifo := newQueue(t, s, "dlq"), newQueue(t, s, "dlq.fifo", fifoQueue)
	for _, tt := range []struct {
		name string
		dlq  *Queue
		fifo bool
	}{{"q.fifo", standard, true}, {"q", fifo, false}} {
		config := NewQueueConfig(tt.name)
		config.FIFO = tt.fifo
		redriveTo(tt.dlq, 1)(&config)
		_, err := s.CreateQueue(config)
		const want = "Dead-letter queue must be same type of queue as the source."
		if wantCode(t, err, "InvalidParameterValueException"); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, want)
		}
	}
	newQueue(t, s, "source.fifo", fifoQueue, redriveTo(fifo, 1))
	_, err := s.startMove(fifo.ARN(), standard.ARN(), 0)
	wantCode(t, err, "InvalidParameterValueException")
}

func TestFIFOQueueDeliversNoInjectedDuplicates(t *testing.T) {
	s, _ := newServiceWith(func(c *Config) { c.DuplicateRate = 1 })
	q := newQueue(t, s, "q.fifo", fifoQueue)
	sendTo(t, q, "a:1")
	wantBodies(t, take(t, q, 10), "a:1")
	wantCounts(t, q, Counts{InFlight: 1})
}

func TestFIFOQueueWithTooManyMessagesInFlightReturnsNoError(t *testing.T) {
	s := newService()
	s.maxInFlight = 1
	q := newQueue(t, s, "q.fifo", fifoQueue)
	sendTo(t, q, "a:1", "b:1")
	wantBodies(t, take(t, q, 10), "a:1")
	wantBodies(t, take(t, q, 10))
}

func TestManyReceiversGetEachGroupInOrder(t *testing.T) {
	const groups, perGroup, receivers = 16, 50, 8
	q := newQueue(t, newService(), "q.fifo", fifoQueue, visibility(time.Hour))
	ctx, allReceived := context.WithCancel(t.Context())
	defer allReceived()

	var mu sync.Mutex
	received, n := map[string][]string{}, 0 // bodies, by group, and their number
	var wg sync.WaitGroup
	for range receivers {
		wg.Go(func() {
			for {
				got, err := q.Receive(ctx, ReceiveOptions{MaxMessages: 7, Wait: new(20 * time.Second)})
				if err != nil {
					return
				}
				mu.Lock()
				for _, m := range got {
					received[m.GroupID] = append(received[m.GroupID], m.Body)
				}
				n += len(got)
				done := n == groups*perGroup
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
	var want []string
	for i := range perGroup {
		want = append(want, fmt.Sprintf("%04d", i))
	}
	for g := range groups {
		wg.Go(func() {
			group := fmt.Sprint("g", g)
			for _, body := range want {
				if _, err := q.Send(SendInput{Body: body, GroupID: group, DeduplicationID: group + body}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for group, got := range received {
		if !slices.Equal(got, want) {
			t.Errorf("group %s: got %q, want %q", group, got, want)
		}
	}
	if len(received) != groups {
		t.Errorf("got %d groups, want %d", len(received), groups)
	}
}

func TestFIFOGroupsBecomeVisibleInTheOrderOfTheirTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newService(), "q.fifo", fifoQueue, visibility(time.Minute))
		sendTo(t, q, "a:1", "b:1")
		held := take(t, q, 10)
		if err := q.ChangeVisibility(held[0].ReceiptHandle, time.Hour); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		wantBodies(t, take(t, q, 10), "b:1")
	})
}
