package eventsource

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	awsevents "github.com/aws/aws-lambda-go/events"

	"restock/local/aws/awsapi"
	"restock/local/aws/sqs"
)

// newFIFOQueue returns a FIFO queue with messages. The letter before a colon is the group: "a:1".
func newFIFOQueue(t *testing.T, messages ...string) *sqs.Queue {
	t.Helper()
	service := sqs.New(sqs.Config{BaseURL: "http://x", Region: "ap-northeast-2", AccountID: "000000000000"},
		slog.New(slog.DiscardHandler))
	config := sqs.NewQueueConfig("stock.fifo")
	config.FIFO, config.VisibilityTimeout = true, visibilityTimeout
	queue, err := service.CreateQueue(config)
	if err != nil {
		t.Fatal(err)
	}
	for i, body := range messages {
		in := sqs.SendInput{Body: body, GroupID: body[:1], DeduplicationID: strconv.Itoa(i)}
		if _, err := queue.Send(in); err != nil {
			t.Fatal(err)
		}
	}
	return queue
}

// batches returns the bodies of each invocation, sorted, for groups that run at the same time.
func (f *function) batches() (batches []string) {
	for _, call := range f.calls() {
		batches = append(batches, call.bodies)
	}
	slices.Sort(batches)
	return batches
}

func TestFIFOGroupsRunAtTheSameTimeAndEachInItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newFIFOQueue(t, "a:1", "b:1", "a:2", "b:2")
		done := make(chan struct{})
		f := &function{respond: func(awsevents.SQSEvent) (string, error) { <-done; return "", nil }}
		start(t, Config{BatchSize: 1}, q, f)
		synctest.Wait()
		if got := f.batches(); !slices.Equal(got, []string{"a:1", "b:1"}) {
			t.Errorf("invocations that run: got %q, want the first message of each group", got)
		}
		close(done)
		synctest.Wait()
		if got := f.batches(); !slices.Equal(got, []string{"a:1", "a:2", "b:1", "b:2"}) {
			t.Errorf("invocations: got %q, want each message once", got)
		}
		wantCounts(t, q, sqs.Counts{})
	})
}

func TestFIFOFailedMessageHoldsItsGroup(t *testing.T) {
	for _, tt := range []struct {
		name  string
		plain bool // without ReportBatchItemFailures: the function fails as a whole
		left  int
		again string
	}{
		{"a partial failure", false, 2, "a:2,a:3"},
		{"the batch fails", true, 4, "a:1,a:2,a:3,b:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newFIFOQueue(t, "a:1", "a:2", "a:3", "b:1")
				f := &function{respond: func(e awsevents.SQSEvent) (string, error) {
					switch {
					case e.Records[0].Attributes["ApproximateReceiveCount"] != "1":
						return "", nil
					case tt.plain:
						return "", errors.New("panic")
					default:
						return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, e.Records[1].MessageId), nil
					}
				}}
				start(t, Config{ReportBatchItemFailures: !tt.plain}, q, f)
				synctest.Wait()
				wantCounts(t, q, sqs.Counts{InFlight: tt.left})
				time.Sleep(visibilityTimeout)
				synctest.Wait()
				calls := f.calls()
				if last := calls[len(calls)-1].bodies; len(calls) != 2 || last != tt.again {
					t.Errorf("%d invocations, the last with %s; want 2, %s", len(calls), last, tt.again)
				}
				wantCounts(t, q, sqs.Counts{})
			})
		})
	}
}

// A batch that is too large for one event is split. The second event must not pass the first one.
func TestFIFOBatchEndsWithTheFirstFailedEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		megabyte := "a" + strings.Repeat("x", 1<<20-1)
		q := newFIFOQueue(t, megabyte, megabyte, megabyte, megabyte, megabyte, megabyte)
		f := &function{respond: func(awsevents.SQSEvent) (string, error) { return "", errors.New("panic") }}
		start(t, Config{}, q, f)
		synctest.Wait()
		if n := len(f.calls()); n != 1 {
			t.Errorf("got %d invocations, want 1: the failed one", n)
		}
		wantCounts(t, q, sqs.Counts{InFlight: 6})
	})
}

func TestFIFOEventHasTheOrderOfItsMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newFIFOQueue(t, "a:1")
		var got map[string]string
		start(t, Config{}, q, &function{respond: func(e awsevents.SQSEvent) (string, error) {
			got = e.Records[0].Attributes
			return "", nil
		}})
		synctest.Wait()
		if got["MessageGroupId"] != "a" || got["MessageDeduplicationId"] != "0" || len(got["SequenceNumber"]) != 20 {
			t.Errorf("attributes: got %v, want group a, deduplication id 0, and a sequence number of 20 digits", got)
		}
	})
}

// The text of the refusal is AWS's: https://github.com/aws/aws-lambda-dotnet/pull/1758
func TestFIFOMappingHasNoBatchingWindow(t *testing.T) {
	_, err := Start(Config{FunctionName: "stock", BatchSize: 10, BatchingWindow: time.Second}, newFIFOQueue(t),
		&function{respond: succeed}, slog.New(slog.DiscardHandler))
	const want = "Batching window is not supported for FIFO queues"
	if refused, ok := errors.AsType[*awsapi.Error](err); !ok || refused.Message != want {
		t.Errorf("got error %v, want %q", err, want)
	}
}
