package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	awsevents "github.com/aws/aws-lambda-go/events"

	"restock/local/aws/lambda"
	"restock/local/aws/sqs"
)

const visibilityTimeout = time.Minute

// newQueue returns a queue and its dead-letter queue. A message moves there after two receives.
func newQueue(t *testing.T) (queue, dlq *sqs.Queue) {
	t.Helper()
	service := sqs.New(sqs.Config{BaseURL: "http://x", Region: "ap-northeast-2", AccountID: "000000000000"},
		slog.New(slog.DiscardHandler))
	dlq, err := service.CreateQueue(sqs.NewQueueConfig("stock_dlq"))
	if err != nil {
		t.Fatal(err)
	}
	config := sqs.NewQueueConfig("stock_queue")
	config.VisibilityTimeout = visibilityTimeout
	config.RedrivePolicy = &sqs.RedrivePolicy{DeadLetterTargetARN: dlq.ARN(), MaxReceiveCount: 2}
	if queue, err = service.CreateQueue(config); err != nil {
		t.Fatal(err)
	}
	return queue, dlq
}

func send(t *testing.T, q *sqs.Queue, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		if _, err := q.Send(sqs.SendInput{Body: body, SenderID: "tester"}); err != nil {
			t.Fatal(err)
		}
	}
}

// invocation is one call of a function.
type invocation struct {
	at     time.Time
	bodies string // in order, separated by commas
}

// function is a Function that records its invocations and answers with respond.
type function struct {
	respond func(awsevents.SQSEvent) (string, error)

	mu          sync.Mutex
	invocations []invocation
	running     int
	mostRunning int
}

func (f *function) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var event awsevents.SQSEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	var bodies []string
	for _, r := range event.Records {
		bodies = append(bodies, r.Body)
	}
	f.mu.Lock()
	f.invocations = append(f.invocations, invocation{time.Now(), strings.Join(bodies, ",")})
	f.running++
	f.mostRunning = max(f.mostRunning, f.running)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.running--
		f.mu.Unlock()
	}()
	response, err := f.respond(event)
	return []byte(response), err
}

func (f *function) calls() []invocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.invocations
}

func succeed(awsevents.SQSEvent) (string, error) { return "null", nil }

func start(t *testing.T, config Config, q Queue, f Function) *Mapping {
	t.Helper()
	config.FunctionName = "stock"
	if config.BatchSize == 0 {
		config.BatchSize = DefaultBatchSize
	}
	m, err := Start(config, q, f, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, m) })
	return m
}

func wantCounts(t *testing.T, q *sqs.Queue, want sqs.Counts) {
	t.Helper()
	if got := q.Counts(); got != want {
		t.Errorf("counts of %s: got %+v, want %+v", q.Name(), got, want)
	}
}

func TestEventHasLambdasForm(t *testing.T) {
	sent := time.UnixMilli(1687232190278)
	got, err := writeEvents("arn:aws:sqs:ap-northeast-2:000000000000:stock_queue", []sqs.Message{{
		ID: "id", ReceiptHandle: "handle", Body: "hello", SenderID: "AKID", ReceiveCount: 2, SentAt: sent,
		FirstReceivedAt: sent.Add(time.Second), GroupID: "tenant",
		TraceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793",
		Attributes: map[string]sqs.MessageAttribute{
			"text":  {DataType: "String", StringValue: "v"},
			"bytes": {DataType: "Binary", BinaryValue: []byte{0, 1}},
		},
	}}, lambda.MaxRequest, false)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %d events, error %v; want 1", len(got), err)
	}
	const want = `{"Records":[{"messageId":"id","receiptHandle":"handle","body":"hello",` +
		`"md5OfBody":"5d41402abc4b2a76b9719d911017c592",` +
		`"attributes":{"AWSTraceHeader":"Root=1-5759e988-bd862e3fe1be46a994272793",` +
		`"ApproximateFirstReceiveTimestamp":"1687232191278","ApproximateReceiveCount":"2","MessageGroupId":"tenant",` +
		`"SenderId":"AKID","SentTimestamp":"1687232190278"},` +
		`"messageAttributes":{` +
		`"bytes":{"binaryValue":"AAE=","stringListValues":[],"binaryListValues":[],"dataType":"Binary"},` +
		`"text":{"stringValue":"v","stringListValues":[],"binaryListValues":[],"dataType":"String"}},` +
		`"eventSourceARN":"arn:aws:sqs:ap-northeast-2:000000000000:stock_queue","eventSource":"aws:sqs","awsRegion":` +
		`"ap-northeast-2","md5OfMessageAttributes":"9493984d55d76692fdf9952868e31fd9"}]}`
	if string(got[0].payload) != want {
		t.Errorf("event:\n got %s\nwant %s", got[0].payload, want)
	}
}

// The cases of https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html for a
// batch of a, b and c.
func TestResponseDecidesWhatIsDeleted(t *testing.T) {
	const all = 3
	for _, tt := range []struct {
		name     string
		response string // $a, $b and $c stand for the message ids
		err      error
		plain    bool // without ReportBatchItemFailures
		left     int  // messages that stay in the queue
	}{
		{"no response", ``, nil, false, 0},
		{"null", `null`, nil, false, 0},
		{"an empty object", ` {} `, nil, false, 0},
		{"an empty list", `{"batchItemFailures":[]}`, nil, false, 0},
		{"a null list", `{"batchItemFailures":null}`, nil, false, 0},
		{"one failed", `{"batchItemFailures":[{"itemIdentifier":"$b"}]}`, nil, false, 1},
		{"one failed, named twice", `{"batchItemFailures":[{"itemIdentifier":"$b"},{"itemIdentifier":"$b"}]}`, nil,
			false, 1},
		{"all failed", `{"batchItemFailures":[{"itemIdentifier":"$a"},{"itemIdentifier":"$b"},{"itemIdentifier":` +
			`"$c"}]}`, nil, false, all},
		{"another key beside the list", `{"failed":1,"batchItemFailures":[{"itemIdentifier":"$b"}]}`, nil, false, 1},
		{"an unknown id", `{"batchItemFailures":[{"itemIdentifier":"$b"},{"itemIdentifier":"unknown"}]}`, nil, false,
			all},
		{"an empty id", `{"batchItemFailures":[{"itemIdentifier":""}]}`, nil, false, all},
		{"a null id", `{"batchItemFailures":[{"itemIdentifier":null}]}`, nil, false, all},
		{"an id that is a number", `{"batchItemFailures":[{"itemIdentifier":1}]}`, nil, false, all},
		{"a wrong key for the id", `{"batchItemFailures":[{"ItemIdentifier":"$b"}]}`, nil, false, all},
		{"no key for the id", `{"batchItemFailures":[{}]}`, nil, false, all},
		{"a list that is an object", `{"batchItemFailures":{"itemIdentifier":"$b"}}`, nil, false, all},
		{"a null item", `{"batchItemFailures":[null]}`, nil, false, all},
		{"ids without objects", `{"batchItemFailures":["$b"]}`, nil, false, all},
		{"no JSON", `ok`, nil, false, all},
		{"a JSON string", `"ok"`, nil, false, all},
		{"a function error", ``, errors.New("panic"), false, all},
		{"success without the setting", `{"batchItemFailures":[{"itemIdentifier":"$b"}]}`, nil, true, 0},
		{"no JSON without the setting", `ok`, nil, true, 0},
		{"a function error without the setting", ``, errors.New("panic"), true, all},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, _ := newQueue(t)
				send(t, q, "a", "b", "c")
				start(t, Config{ReportBatchItemFailures: !tt.plain}, q,
					&function{respond: func(e awsevents.SQSEvent) (string, error) {
						ids := strings.NewReplacer("$a", e.Records[0].MessageId, "$b", e.Records[1].MessageId, "$c",
							e.Records[2].MessageId)
						return ids.Replace(tt.response), tt.err
					}})
				synctest.Wait()
				wantCounts(t, q, sqs.Counts{InFlight: tt.left})
			})
		})
	}
}

func TestFailedMessageComesBackAfterTheVisibilityTimeoutAndEndsInTheDeadLetterQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, dlq := newQueue(t)
		f := &function{respond: func(e awsevents.SQSEvent) (string, error) {
			for _, r := range e.Records {
				if r.Body == "bad" {
					return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, r.MessageId), nil
				}
			}
			return "", nil
		}}
		start(t, Config{ReportBatchItemFailures: true}, q, f)
		begin := time.Now()
		send(t, q, "good", "bad")
		time.Sleep(2*visibilityTimeout + time.Second)
		synctest.Wait()

		wantCounts(t, q, sqs.Counts{})
		wantCounts(t, dlq, sqs.Counts{Visible: 1})
		last := f.calls()[len(f.calls())-1]
		if last.bodies != "bad" || last.at.Sub(begin) != visibilityTimeout {
			t.Errorf("last invocation: got %s after %v, want bad after %v", last.bodies, last.at.Sub(begin),
				visibilityTimeout)
		}
	})
}

func TestBatchingWindowGathersABatch(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		want   []string // the expected batches
		after  time.Duration
	}{
		{"no window", Config{BatchSize: 10}, []string{"0", "1", "2"}, 0},
		{"the window ends", Config{BatchSize: 10, BatchingWindow: 30 * time.Second}, []string{"0,1,2"},
			30 * time.Second},
		{"the batch is full", Config{BatchSize: 2, BatchingWindow: 30 * time.Second}, []string{"0,1", "2"},
			time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, _ := newQueue(t)
				f := &function{respond: succeed}
				start(t, tt.config, q, f)
				begin := time.Now()
				for i := range 3 {
					send(t, q, fmt.Sprint(i))
					synctest.Wait()
					time.Sleep(time.Second)
				}
				time.Sleep(visibilityTimeout)
				var batches []string
				for _, call := range f.calls() {
					batches = append(batches, call.bodies)
				}
				if fmt.Sprint(batches) != fmt.Sprint(tt.want) {
					t.Fatalf("batches: got %q, want %q", batches, tt.want)
				}
				if got := f.calls()[0].at.Sub(begin); got != tt.after {
					t.Errorf("first batch: got it after %v, want %v", got, tt.after)
				}
			})
		})
	}
}

func TestBatchMayBeLargerThanAReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		for i := range 25 {
			send(t, q, fmt.Sprint(i))
		}
		f := &function{respond: succeed}
		start(t, Config{BatchSize: 25, BatchingWindow: time.Second}, q, f)
		synctest.Wait()
		if calls := f.calls(); len(calls) != 1 || strings.Count(calls[0].bodies, ",") != 24 {
			t.Errorf("invocations: got %+v, want one with 25 messages", calls)
		}
	})
}

func TestMaximumConcurrencyBoundsTheBatchesInFlight(t *testing.T) {
	for _, tt := range []struct{ maximum, want int }{{2, 2}, {0, DefaultConcurrency}} {
		synctest.Test(t, func(t *testing.T) {
			q, _ := newQueue(t)
			for i := range 12 {
				send(t, q, fmt.Sprint(i))
			}
			f := &function{respond: func(awsevents.SQSEvent) (string, error) {
				time.Sleep(10 * time.Second)
				return "",
					nil
			}}
			start(t, Config{BatchSize: 1, MaximumConcurrency: tt.maximum}, q, f)
			synctest.Wait()
			// A mapping without a free slot must not receive: other receivers may process the
			// message.
			wantCounts(t, q, sqs.Counts{InFlight: tt.want, Visible: 12 - tt.want})
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			wantCounts(t, q, sqs.Counts{})
			if f.mostRunning != tt.want {
				t.Errorf("maximum %d: got %d batches in flight at most, want %d", tt.maximum, f.mostRunning, tt.want)
			}
		})
	}
}

func TestBrokenFunctionSlowsPollingDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		for i := range 100 {
			send(t, q, fmt.Sprint(i))
		}
		mended := time.Now().Add(30 * time.Second)
		f := &function{respond: func(awsevents.SQSEvent) (string, error) {
			if time.Now().Before(mended) {
				return "", errors.New("panic")
			}
			return "", nil
		}}
		start(t, Config{BatchSize: 1, MaximumConcurrency: 2}, q, f)
		time.Sleep(30*time.Second - time.Nanosecond)
		if n := len(f.calls()); n < 3 || n > 12 {
			t.Errorf("invocations of a broken function in 30s: got %d, want some, and not more than 12", n)
		}
		time.Sleep(maxPause + time.Second)
		synctest.Wait()
		if c := q.Counts(); c.Visible != 0 {
			t.Errorf("visible messages once the function works: got %d, want 0", c.Visible)
		}
	})
}

type throttled struct{}

func (throttled) Error() string   { return "Rate Exceeded." }
func (throttled) Throttled() bool { return true }

func TestThrottledBatchIsTriedAgainWithinItsVisibilityTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		send(t, q, "x")
		free := time.Now().Add(20 * time.Second)
		f := &function{respond: func(e awsevents.SQSEvent) (string, error) {
			if time.Now().Before(free) {
				return "", fmt.Errorf("function stock: %w", throttled{})
			}
			if got := e.Records[0].Attributes["ApproximateReceiveCount"]; got != "1" {
				t.Errorf("receive count: got %s, want 1: being throttled is no receive", got)
			}
			return "", nil
		}}
		start(t, Config{}, q, f)
		time.Sleep(visibilityTimeout)
		wantCounts(t, q, sqs.Counts{})
	})
}

func TestBatchThatStaysThrottledIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, dlq := newQueue(t)
		send(t, q, "x")
		begin := time.Now()
		var lastOfFirstBatch time.Duration
		start(t, Config{}, q, &function{respond: func(e awsevents.SQSEvent) (string, error) {
			if e.Records[0].Attributes["ApproximateReceiveCount"] == "1" {
				lastOfFirstBatch = time.Since(begin)
			}
			return "", throttled{}
		}})
		time.Sleep(3 * visibilityTimeout)
		synctest.Wait()
		if lastOfFirstBatch >= visibilityTimeout {
			t.Errorf("the first batch was invoked %v after its receive, when its message was others' to take",
				lastOfFirstBatch)
		}
		wantCounts(t, q, sqs.Counts{})
		wantCounts(t, dlq, sqs.Counts{Visible: 1})
	})
}

func TestBatchIsSplitWhereItsEventWouldBeTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		megabyte := strings.Repeat("x", 1<<20)
		for range 10 {
			send(t, q, megabyte)
		}
		var sizes []int
		start(t, Config{}, q, invokeFunc(func(_ context.Context, payload []byte) ([]byte, error) {
			var event awsevents.SQSEvent
			if err := json.Unmarshal(payload, &event); err != nil {
				t.Errorf("the event is not JSON: %v", err)
			}
			if len(payload) > lambda.MaxRequest {
				t.Errorf("the event is %d bytes, want at most %d", len(payload), lambda.MaxRequest)
			}
			sizes = append(sizes, len(event.Records))
			return nil, nil
		}))
		synctest.Wait()
		if want := []int{5, 5}; !slices.Equal(sizes, want) {
			t.Errorf("messages an invocation: got %v, want %v", sizes, want)
		}
		wantCounts(t, q, sqs.Counts{})
	})
}

func TestDisabledMappingPollsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		send(t, q, "x")
		start(t, Config{Disabled: true}, q, &function{respond: succeed})
		time.Sleep(time.Minute)
		wantCounts(t, q, sqs.Counts{Visible: 1})
	})
}

func TestMappingThatMayNotReceivePollsNothingUntilItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		send(t, q, "x")
		var log strings.Builder
		allowed := time.Now().Add(time.Minute)
		var asked atomic.Int32
		m, err := Start(Config{FunctionName: "stock", BatchSize: 1, AuthorizeReceive: func() error {
			asked.Add(1)
			if time.Now().Before(allowed) {
				return errors.New("the role may not sqs:ReceiveMessage")
			}
			return nil
		}}, q, &function{respond: succeed}, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		wantCounts(t, q, sqs.Counts{Visible: 1})
		if n := asked.Load(); n < 2 || n > 20 {
			t.Errorf("asked %d times in a minute, want some, and not more than 20", n)
		}
		time.Sleep(maxPause + time.Nanosecond)
		synctest.Wait()
		wantCounts(t, q, sqs.Counts{})
		shutdown(t, m)
		if n := strings.Count(log.String(), "level=WARN"); n != 1 ||
			!strings.Contains(log.String(), "sqs:ReceiveMessage") {
			t.Errorf("log: got %d warnings, want one that says what the role may not:\n%s", n, log.String())
		}
	})
}

func TestCloseWaitsForInvocationsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		var cut error
		m := start(t, Config{}, q, invokeFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			time.Sleep(10 * time.Second)
			cut = ctx.Err()
			return nil, nil
		}))
		send(t, q, "x")
		synctest.Wait()
		begin := time.Now()
		shutdown(t, m)
		if time.Since(begin) != 10*time.Second || cut != nil {
			t.Errorf("closed after %v, invocation's context %v; want after 10s, and not ended", time.Since(begin), cut)
		}
		wantCounts(t, q, sqs.Counts{})
		send(t, q, "y")
		time.Sleep(time.Minute)
		wantCounts(t, q, sqs.Counts{Visible: 1}) // no poller is left
	})
}

func TestShutdownWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		var ended time.Time
		m := start(t, Config{}, q, invokeFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done() // only the timeout ends this invocation
			ended = time.Now()
			return nil, context.Cause(ctx)
		}))
		send(t, q, "x")
		synctest.Wait()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := m.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "stock") {
			t.Errorf("got %v, want the end of the context, and the function's name", err)
		}
		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("waited %v, want 3s", waited)
		}
		synctest.Wait()
		if ended.Sub(begin) != 3*time.Second {
			t.Errorf("the invocation was given up after %v, want 3s", ended.Sub(begin))
		}
		wantCounts(t, q, sqs.Counts{InFlight: 1}) // it becomes visible after its visibility timeout
	})
}

func TestCloseProcessesWhatTheBatchingWindowHasGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _ := newQueue(t)
		f := &function{respond: succeed}
		m := start(t, Config{BatchingWindow: time.Minute}, q, f)
		send(t, q, "x")
		synctest.Wait()
		begin := time.Now()
		shutdown(t, m)
		if len(f.calls()) != 1 || time.Since(begin) != 0 {
			t.Errorf("closed after %v with invocations %+v, want at once, with one", time.Since(begin), f.calls())
		}
		wantCounts(t, q, sqs.Counts{})
	})
}

type invokeFunc func(context.Context, []byte) ([]byte, error)

func (f invokeFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

func TestManyMessagesAreEachProcessedOnce(t *testing.T) {
	const messages = 500
	q, _ := newQueue(t)
	var mu sync.Mutex
	processed := map[string]int{}
	all := make(chan struct{})
	f := &function{respond: func(e awsevents.SQSEvent) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range e.Records {
			processed[r.Body]++
		}
		if len(processed) == messages {
			close(all)
		}
		return "", nil
	}}
	m := start(t, Config{BatchSize: 7, MaximumConcurrency: 16, ReportBatchItemFailures: true}, q, f)
	for i := range messages {
		send(t, q, fmt.Sprint(i))
	}
	<-all
	shutdown(t, m)
	for body, n := range processed {
		if n != 1 {
			t.Errorf("message %s was processed %d times, want 1", body, n)
		}
	}
	wantCounts(t, q, sqs.Counts{})
}

func TestStartRefuses(t *testing.T) {
	q, _ := newQueue(t)
	for _, config := range []Config{
		{BatchSize: 0},
		{BatchSize: 10_001, BatchingWindow: time.Second},
		{BatchSize: 11},
		{BatchSize: 10, BatchingWindow: 6 * time.Minute},
		{BatchSize: 10, MaximumConcurrency: 1},
		{BatchSize: 10, MaximumConcurrency: 1001},
		{BatchSize: 10, FunctionTimeout: visibilityTimeout + time.Second},
	} {
		if m, err := Start(config, q, &function{respond: succeed}, slog.New(slog.DiscardHandler)); err == nil {
			shutdown(t, m)
			t.Errorf("Start(%+v): got no error", config)
		}
	}
}

// shutdown stops a mapping whose batches end by themselves.
func shutdown(t *testing.T, m *Mapping) {
	t.Helper()
	if err := m.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}
