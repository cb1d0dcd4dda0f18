package purchasing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/internal/sns"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

const (
	ordered = 5
	// leadTime is the lead time of the catalogue's doughnut. The factory of the test takes as long.
	leadTime = time.Minute
	// maxReceives is the maxReceiveCount of stock_queue.
	maxReceives = 5
)

// A simulation has the shop with a real database, the topic, the queue, the function stock and a
// factory. The factory is down at first. The test moves the clock.
type simulation struct {
	*mysqltest.Database
	shop       *shop.Shop
	stock      Handler
	now        time.Time
	visibility time.Duration // how long the queue hides a received message

	queue, deadLetters []queued
	down               bool
	lots               []lot
	made               []lot
}

// A queued message is in stock_queue, or in its dead-letter queue.
type queued struct {
	body      string
	receives  int
	visibleAt time.Time
}

// A lot is what the factory makes.
type lot struct {
	asked   time.Time
	request factory.Request
}

// newSimulation starts a simulation and opens a production order.
func newSimulation(t *testing.T, visibility time.Duration) *simulation {
	t.Helper()
	s := &simulation{
		Database: mysqltest.New(t, 2), now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC),
		visibility: visibility, down: true,
	}
	s.shop = shop.Open(s.Store, sns.Publisher{Client: s, TopicARN: "arn:stock_empty"}, shop.Discard)
	s.shop.Notifier, s.shop.Now = sns.Notifier{Client: s, TopicARN: "arn:people"}, func() time.Time { return s.now }
	s.stock = newPurchasing(nil)
	s.stock.Factory, s.stock.Now = s, s.shop.Now
	if _, err := s.shop.OpenOrder(t.Context(), mysqltest.Donut, ordered); err != nil {
		t.Fatal(err)
	}
	return s
}

// Publish is the topic. It puts a stock_empty message into the queue, in the envelope of SNS.
func (s *simulation) Publish(_ context.Context, in *awssns.PublishInput,
	_ ...func(*awssns.Options)) (*awssns.PublishOutput, error) {
	if *in.TopicArn != "arn:stock_empty" {
		return &awssns.PublishOutput{}, nil
	}
	attributes := map[string]map[string]string{}
	for name, value := range in.MessageAttributes {
		attributes[name] = map[string]string{"Type": *value.DataType, "Value": *value.StringValue}
	}
	envelope, err := json.Marshal(map[string]any{
		"Type": "Notification", "MessageId": uuid.NewString(), "TopicArn": *in.TopicArn, "Subject": *in.Subject,
		"Message":   *in.Message,
		"Timestamp": s.now.Format("2006-01-02T15:04:05.000Z"), "MessageAttributes": attributes,
	})
	s.queue = append(s.queue, queued{body: string(envelope), visibleAt: s.now})
	return &awssns.PublishOutput{}, err
}

// Produce is the factory.
func (s *simulation) Produce(_ context.Context, r factory.Request) (string, error) {
	if s.down {
		return "", errors.New("503 Service Unavailable")
	}
	s.lots = append(s.lots, lot{s.now, r})
	s.made = append(s.made, lot{s.now, r})
	return "lot", nil
}

// pass moves the clock second by second: stock receives the messages of the queue, the factory
// delivers finished lots, and the sweep runs every minute.
func (s *simulation) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for until := s.now.Add(d); s.now.Before(until); {
		s.now = s.now.Add(time.Second)
		s.handle(t)
		s.deliver(t)
		if s.now.Second() == 0 {
			if _, err := s.shop.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// handle gives stock the visible messages, and moves messages that stock has received too often to
// the dead letters.
func (s *simulation) handle(t *testing.T) {
	t.Helper()
	var kept []queued
	for _, m := range s.queue {
		switch {
		case m.visibleAt.After(s.now):
			kept = append(kept, m)
			continue
		case m.receives == maxReceives:
			s.deadLetters = append(s.deadLetters, m)
			continue
		}
		m.receives, m.visibleAt = m.receives+1, s.now.Add(s.visibility)
		response, err := s.stock.Handle(t.Context(),
			events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: m.body}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(response.BatchItemFailures) > 0 {
			kept = append(kept, m)
		}
	}
	s.queue = kept
}

// deliver books the lots that the factory has worked on for a lead time.
func (s *simulation) deliver(t *testing.T) {
	t.Helper()
	var making []lot
	for _, l := range s.lots {
		if s.now.Before(l.asked.Add(leadTime)) {
			making = append(making, l)
			continue
		}
		callback, err := url.Parse(string(l.request.CallbackURL))
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(callback.Path, "/")
		_, err = s.shop.Receive(t.Context(), shop.Delivery{
			ProductionOrderID: uuid.MustParse(parts[2]), AttemptID: uuid.MustParse(parts[4]), SKU: l.request.ProductID,
			Quantity: ordered, Signed: ordered,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.lots = making
}

// redrive sends the dead letters back to the queue.
func (s *simulation) redrive() {
	for _, m := range s.deadLetters {
		s.queue = append(s.queue, queued{body: m.body, visibleAt: s.now})
	}
	s.deadLetters = nil
}

func TestARedriveDoesNotMultiplyAnOrder(t *testing.T) {
	for _, c := range []struct {
		visibility, recovers time.Duration
		letters, live        int // messages in the dead-letter queue and in the queue when the factory recovers
		made                 int // lots
	}{
		// The sweep runs every minute, and asks again at 3, 8 and 17 minutes.
		{10 * time.Second, 17 * time.Minute, 3, 1, 1},
		// The deployed visibility timeout is six times the function's timeout. The messages of the
		// first two requests expire in the queue.
		{time.Minute, 17 * time.Minute, 1, 1, 1},
		// The redrive comes just before the sweep asks again. If stock did not drop the first
		// message, the factory would make two lots.
		{10 * time.Second, 3*time.Minute - time.Second, 1, 0, 1},
		{10 * time.Second, 8*time.Minute - time.Second, 2, 0, 1},
		// The message of the first request is still valid, so the factory makes its lot.
		{10 * time.Second, 55 * time.Second, 1, 0, 1},
		// The last request has expired. The order fails at 34 minutes, and the factory must not
		// make a lot for it any more.
		{10 * time.Second, 32*time.Minute + 30*time.Second, 4, 0, 0},
		{10 * time.Second, 40 * time.Minute, 4, 0, 0},
	} {
		name := fmt.Sprintf("the factory recovers after %v, the visibility timeout is %v", c.recovers, c.visibility)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSimulation(t, c.visibility)
			s.pass(t, c.recovers)
			if len(s.deadLetters) != c.letters || len(s.queue) != c.live {
				t.Errorf("%d dead letters and %d messages in the queue, want %d and %d",
					len(s.deadLetters), len(s.queue), c.letters, c.live)
			}
			s.down = false
			s.redrive()
			s.pass(t, 20*time.Minute)
			if len(s.made) != c.made {
				t.Errorf("the factory made %d lots, want %d", len(s.made), c.made)
			}
			if received := s.Number(t, `SELECT SUM(received) FROM production_order`); received != ordered*c.made {
				t.Errorf("ordered %d, received %d, want %d", ordered, received, ordered*c.made)
			}
			status := shop.OrderReceived
			if c.made == 0 {
				status = shop.OrderFailed
			}
			if n := s.Number(t, `SELECT COUNT(*) FROM production_order WHERE status = ?`, status); n != 1 {
				t.Errorf("%d orders are %s, want 1", n, status)
			}
			if len(s.queue) > 0 || len(s.deadLetters) > 0 {
				t.Errorf("%d messages are in the queue and %d are dead letters, want none",
					len(s.queue), len(s.deadLetters))
			}
			s.CheckBooks(t)
		})
	}
}
