package programs_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"

	"restock/cmd/local/factory"
	"restock/lambdas"
	"restock/test/await"
	"restock/test/fixture"
)

// queued returns the number of messages in a queue, with those that a function handles.
func (s *stack) queued(tb testing.TB, name string) (n int) {
	tb.Helper()
	out, err := s.sqs().GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: s.queueURL(name), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		tb.Fatal(err)
	}
	for _, kind := range []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	} {
		k, err := strconv.Atoi(out.Attributes[string(kind)])
		if err != nil {
			tb.Fatal(err)
		}
		n += k
	}
	return n
}

// A flood sends requests on connections of its own, until stop is closed or each connection has
// sent limit requests. It counts the answers by status.
type flood struct {
	mu       sync.Mutex
	statuses map[int]int
	all      sync.WaitGroup
}

func (f *flood) start(ctx context.Context, stop <-chan struct{}, connections, limit int, request func() *http.Request) {
	f.statuses = map[int]int{}
	var open sync.WaitGroup // returns when each connection has had an answer
	open.Add(connections)
	for range connections {
		f.all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := range limit {
				select {
				case <-stop:
					return
				default:
				}
				status := 0
				if response, err := client.Do(request().WithContext(ctx)); err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
					status = response.StatusCode
				}
				f.mu.Lock()
				f.statuses[status]++
				f.mu.Unlock()
				if i == 0 {
					open.Done()
				}
			}
		})
	}
	open.Wait()
}

// answers returns the number of answers with a status so far.
func (f *flood) answers(status int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.statuses[status]
}

// end waits for the flood's end, and returns the number of answers by status.
func (f *flood) end() map[int]int {
	f.all.Wait()
	return f.statuses
}

// The factory calls back once. Before the queue, callbacks shared 8 instances with forged ones, and
// one throttle with all other requests.
func TestFloodsLoseNoDelivery(t *testing.T) {
	t.Parallel()
	const lots = 25
	c := config(t)
	c.Log = slog.New(slog.DiscardHandler) // a line for each forgery
	// Watchers on any machine send more, so that they are throttled.
	c.Settings = map[string]any{"throttling": map[string]any{
		string(lambdas.Browsing): map[string]any{"ratePerSecond": 1, "burst": 1},
	}}
	s := start(t, c)
	products := make([]fixture.Product, lots)
	for i := range products {
		products[i] = fixture.Product{
			SKU: fmt.Sprintf("FLOOD-%d", i), Stock: 1, OrderUpTo: 20, LotSize: 20, Automatic: true, LeadTime: time.Hour,
		}
	}
	if err := fixture.Put(t.Context(), s.db, products...); err != nil {
		t.Fatal(err)
	}
	if err := s.Run.Factory.SetFault(factory.Fault{Hold: true}); err != nil {
		t.Fatal(err)
	}
	for _, p := range products {
		if status, body, err := s.checkoutOf(t.Context(), p.SKU); err != nil || status != http.StatusOK {
			t.Fatalf("buying %s: got %d %s, %v; want 200", p.SKU, status, body, err)
		}
	}
	await.Until(t, "the factory makes all lots", func() bool { return len(s.Run.Factory.Requests()) == lots })

	request := func(method, path, body string) *http.Request {
		r, err := http.NewRequest(method, s.API+path, strings.NewReader(body))
		if err != nil {
			panic(err) // the test's own texts
		}
		return r
	}
	stop := make(chan struct{})
	var forgeries, watchers flood
	watchers.start(t.Context(), stop, 10, 1<<30, func() *http.Request { return request("GET", "/products", "") })
	await.Until(t, "the watchers are throttled", func() bool {
		return watchers.answers(http.StatusTooManyRequests) > 0
	})
	// Fewer than the throttling of deliveries lets pass at once, so none is throttled, on any
	// machine.
	forgeries.start(t.Context(), stop, 200, 5, func() *http.Request {
		path := fmt.Sprintf("/production-orders/%s/attempts/%s/receipt?quantity=20&correlation=eA&signature=%s",
			uuid.New(), uuid.New(), strings.Repeat("A", 43))
		r := request("POST", path, string(s.Run.Factory.Requests()[0].Body))
		r.Header.Set("Content-Type", "application/json")
		return r
	})
	if err := s.Run.Factory.SetFault(factory.Fault{}); err != nil {
		t.Fatal(err)
	}
	answered := func() (n int) {
		for _, r := range s.Run.Factory.Requests() {
			if len(r.Deliveries) > 0 {
				n++
			}
		}
		return n
	}
	await.Until(t, "the factory has delivered all lots", func() bool { return answered() == lots })
	close(stop)
	t.Logf("answers to forgeries: %v, to watchers: %v", forgeries.end(), watchers.end())
	for _, r := range s.Run.Factory.Requests() {
		if d := r.Deliveries[0]; d.Status != http.StatusOK {
			t.Errorf("a delivery got %d %s, want 200", d.Status, d.Err)
		}
	}
	const booked = `SELECT COUNT(DISTINCT attempt_id) FROM goods_receipt`
	await.Until(t, "all deliveries are booked", func() bool { return s.number(t, booked) >= lots })
	if n := s.number(t, booked); n != lots {
		t.Errorf("%d deliveries are booked, want %d", n, lots)
	}
	if n := s.queued(t, lambdas.DeadLetterQueue(lambdas.DeliveriesQueue)); n != 0 {
		t.Errorf("%d deliveries are dead letters, want none", n)
	}
}
