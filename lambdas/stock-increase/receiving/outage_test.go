package receiving

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/lambdas"
	"restock/lambdas/function"
)

// A declaration has the numbers of deliveries_queue and of its event source.
type declaration struct {
	visibility time.Duration // how long the queue hides a received message
	receives   int           // after which the queue moves a message to the dead letters
	batch      int
	instances  int
}

// declared reads the declaration from the graph of the stage dev. A test of the handlers must not
// import the program.
func declared(t *testing.T) declaration {
	t.Helper()
	text, err := os.ReadFile("../../../infra/rules/testdata/dev.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var resources map[string]struct{ Inputs json.RawMessage }
	var queue struct {
		VisibilityTimeoutSeconds int
		RedrivePolicy            struct{ MaxReceiveCount int }
	}
	var source struct {
		BatchSize     int
		ScalingConfig struct{ MaximumConcurrency int }
	}
	err = cmp.Or(json.Unmarshal(text, &resources),
		json.Unmarshal(resources["aws:sqs/queue:Queue "+lambdas.StockIncrease.Queue].Inputs, &queue),
		json.Unmarshal(resources["aws:lambda/eventSourceMapping:EventSourceMapping "+lambdas.StockIncrease.Name].Inputs,
			&source))
	if err != nil {
		t.Fatal(err)
	}
	d := declaration{
		time.Duration(queue.VisibilityTimeoutSeconds) * time.Second, queue.RedrivePolicy.MaxReceiveCount,
		source.BatchSize, source.ScalingConfig.MaximumConcurrency,
	}
	if d.visibility == 0 || d.receives == 0 || d.batch == 0 || d.instances == 0 {
		t.Fatalf("the queue is declared as %+v", d)
	}
	return d
}

// A queued message is in the queue.
type queued struct {
	events.SQSMessage
	receives  int
	visibleAt time.Time
}

// A queue is deliveries_queue, in a bubble of synctest.
type queue struct {
	declaration
	mu          sync.Mutex // guards the fields below
	messages    map[string]*queued
	deadLetters int
}

func (q *queue) send(record events.SQSMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages[record.MessageId] = &queued{SQSMessage: record, visibleAt: time.Now()}
}

// receive returns a batch of visible messages.
func (q *queue) receive() (batch []events.SQSMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, m := range q.messages {
		switch {
		case len(batch) == q.batch:
			return batch
		case m.visibleAt.After(time.Now()):
		case m.receives == q.declaration.receives:
			delete(q.messages, id)
			q.deadLetters++
		default:
			m.receives, m.visibleAt = m.receives+1, time.Now().Add(q.visibility)
			record := m.SQSMessage
			record.Attributes = map[string]string{
				"ApproximateReceiveCount": strconv.Itoa(m.receives), "SentTimestamp": m.Attributes["SentTimestamp"],
			}
			batch = append(batch, record)
		}
	}
	return batch
}

// done deletes the messages of a batch that did not fail.
func (q *queue) done(batch []events.SQSMessage, failed []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	kept := map[string]bool{}
	for _, id := range failed {
		kept[id] = true
	}
	for _, record := range batch {
		if !kept[record.MessageId] {
			delete(q.messages, record.MessageId)
		}
	}
}

// handle gives a receiver a batch, as an invocation of Lambda. It returns false if no message is
// visible.
func (q *queue) handle(t *testing.T, r Handler) bool {
	batch := q.receive()
	if batch == nil {
		return false
	}
	invocation, end := context.WithTimeout(t.Context(), lambdas.StockIncrease.Timeout)
	defer end()
	ctx, cancel := function.InTime(invocation)
	defer cancel()
	q.done(batch, invoke(ctx, t, r, batch...))
	return true
}

// An outage is a database, and a Secrets Manager, that are away until their times.
type outage struct {
	key
	database, secrets time.Time

	mu     sync.Mutex // guards the fields below
	calls  int
	booked map[uuid.UUID]time.Time // by attempt
}

func (o *outage) Accepted(ctx context.Context) ([]secrets.CallbackKey, error) {
	if time.Now().Before(o.secrets) {
		return nil, errors.New("no connection to Secrets Manager")
	}
	return o.key.Accepted(ctx)
}

func (o *outage) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.calls++; time.Now().Before(o.database) || ctx.Err() != nil {
		code := []shop.Code{shop.CodeUnavailable, shop.CodeOutcomeUnknown}[o.calls%2]
		return shop.Receipt{}, &shop.Error{Code: code, Detail: "the database is not available, or did not answer"}
	}
	if _, repeated := o.booked[d.AttemptID]; repeated {
		return shop.Receipt{Repeated: true}, nil
	}
	o.booked[d.AttemptID] = time.Now()
	return shop.Receipt{Stock: d.Quantity}, nil
}

// The factory calls once and never again. The queue has the declared numbers: an outage must end
// before the queue gives a message up.
func TestAnOutageLosesNoDelivery(t *testing.T) {
	const poll = 10 * time.Second
	for _, c := range []struct {
		database, secrets time.Duration
		deliveries        int
	}{
		{10 * time.Minute, 0, 100}, {0, 10 * time.Minute, 100},
		{6 * time.Hour, 0, 20}, // each of them comes hundreds of times
	} {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{declaration: declared(t), messages: map[string]*queued{}}
			start := time.Now()
			o := &outage{
				key: ours, database: start.Add(c.database), secrets: start.Add(c.secrets),
				booked: map[uuid.UUID]time.Time{},
			}
			r, _ := newReceiver(o, o, io.Discard)
			away := max(c.database, c.secrets)
			// Until then, each message is visible once more, and an invocation has its whole time.
			end := start.Add(away + q.visibility + poll + lambdas.StockIncrease.Timeout)
			var all sync.WaitGroup
			for range q.instances {
				all.Go(func() {
					for time.Now().Before(end) {
						if !q.handle(t, r) {
							time.Sleep(poll)
						}
					}
				})
			}
			for i := range c.deliveries {
				q.send(newCallback(t, ours, uuid.New(), uuid.New(), made100).mustRecord(t, strconv.Itoa(i)))
				time.Sleep(away / time.Duration(c.deliveries))
			}
			all.Wait()
			if len(o.booked) != c.deliveries || q.deadLetters > 0 || len(q.messages) > 0 {
				t.Errorf("away for %v: %d deliveries are booked, %d are dead letters, %d are in the queue; "+
					"want all %d booked",
					away, len(o.booked), q.deadLetters, len(q.messages), c.deliveries)
			}
		})
	}
}
