package main

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
	// leadTime is that of the seed's doughnut, and as long as this factory takes.
	leadTime = time.Minute
	// maxReceives is maxReceiveCount of stock_queue.
	maxReceives = 5
)

// A house is the shop with its real database, topic, queue and function stock, and a factory that
// is down at first. Its clock is the test's own.
type house struct {
	*mysqltest.Database
	shop       *shop.Shop
	stock      purchasing
	now        time.Time
	visibility time.Duration // for how long the queue hides a message that was received

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

// openHouse opens the house, and a production order in it.
func openHouse(t *testing.T, visibility time.Duration) *house {
	t.Helper()
	h := &house{Database: mysqltest.New(t, 2), now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), visibility: visibility, down: true}
	h.shop = shop.Open(h.Store, sns.Publisher{Client: h, TopicARN: "arn:stock_empty"}, shop.Discard)
	h.shop.Notifier, h.shop.Now = sns.Notifier{Client: h, TopicARN: "arn:people"}, func() time.Time { return h.now }
	h.stock = newPurchasing(nil)
	h.stock.factory, h.stock.now = h, h.shop.Now
	if _, err := h.shop.OpenOrder(t.Context(), mysqltest.Donut, ordered); err != nil {
		t.Fatal(err)
	}
	return h
}

// Publish is the topic's: a stock_empty message goes to the queue, in the envelope of SNS.
func (h *house) Publish(_ context.Context, in *awssns.PublishInput, _ ...func(*awssns.Options)) (*awssns.PublishOutput, error) {
	if *in.TopicArn != "arn:stock_empty" {
		return &awssns.PublishOutput{}, nil
	}
	attributes := map[string]map[string]string{}
	for name, value := range in.MessageAttributes {
		attributes[name] = map[string]string{"Type": *value.DataType, "Value": *value.StringValue}
	}
	envelope, err := json.Marshal(map[string]any{
		"Type": "Notification", "MessageId": uuid.NewString(), "TopicArn": *in.TopicArn, "Subject": *in.Subject, "Message": *in.Message,
		"Timestamp": h.now.Format("2006-01-02T15:04:05.000Z"), "MessageAttributes": attributes,
	})
	h.queue = append(h.queue, queued{body: string(envelope), visibleAt: h.now})
	return &awssns.PublishOutput{}, err
}

// Produce is the factory's.
func (h *house) Produce(_ context.Context, r factory.Request) (string, error) {
	if h.down {
		return "", errors.New("503 Service Unavailable")
	}
	h.lots = append(h.lots, lot{h.now, r})
	h.made = append(h.made, lot{h.now, r})
	return "lot", nil
}

// pass lets time pass, second by second: the queue gives stock its messages, the factory delivers
// what is done, and the sweep runs every minute.
func (h *house) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for until := h.now.Add(d); h.now.Before(until); {
		h.now = h.now.Add(time.Second)
		h.handle(t)
		h.deliver(t)
		if h.now.Second() == 0 {
			if _, err := h.shop.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// handle gives stock the messages that are visible, and moves those that it has received too often
// to the dead letters.
func (h *house) handle(t *testing.T) {
	t.Helper()
	var kept []queued
	for _, m := range h.queue {
		switch {
		case m.visibleAt.After(h.now):
			kept = append(kept, m)
			continue
		case m.receives == maxReceives:
			h.deadLetters = append(h.deadLetters, m)
			continue
		}
		m.receives, m.visibleAt = m.receives+1, h.now.Add(h.visibility)
		response, err := h.stock.handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: m.body}}})
		if err != nil {
			t.Fatal(err)
		}
		if len(response.BatchItemFailures) > 0 {
			kept = append(kept, m)
		}
	}
	h.queue = kept
}

// deliver has the factory deliver the lots that it has worked on for a lead time.
func (h *house) deliver(t *testing.T) {
	t.Helper()
	var making []lot
	for _, l := range h.lots {
		if h.now.Before(l.asked.Add(leadTime)) {
			making = append(making, l)
			continue
		}
		callback, err := url.Parse(string(l.request.CallbackURL))
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(callback.Path, "/")
		_, err = h.shop.Receive(t.Context(), shop.Delivery{
			ProductionOrderID: uuid.MustParse(parts[2]), AttemptID: uuid.MustParse(parts[4]), SKU: l.request.ProductID, Quantity: ordered, Signed: ordered,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	h.lots = making
}

// redrive sends the dead letters back to the queue.
func (h *house) redrive() {
	for _, m := range h.deadLetters {
		h.queue = append(h.queue, queued{body: m.body, visibleAt: h.now})
	}
	h.deadLetters = nil
}

func TestARedriveDoesNotMultiplyAnOrder(t *testing.T) {
	for _, c := range []struct {
		visibility, recovers time.Duration
		letters, live        int // messages in the dead-letter queue, and in the queue, when the factory recovers
		made                 int // lots
	}{
		// The sweep runs every minute, and asks again at 3, 8 and 17 minutes.
		{10 * time.Second, 17 * time.Minute, 3, 1, 1},
		// As it is deployed: six times the function's timeout. The messages of the first two asks
		// expire in the queue.
		{time.Minute, 17 * time.Minute, 1, 1, 1},
		// The letter of the first ask is sent back just before the sweep asks again. If it were
		// made, then twice.
		{10 * time.Second, 3*time.Minute - time.Second, 1, 0, 1},
		{10 * time.Second, 8*time.Minute - time.Second, 2, 0, 1},
		// The letter of the first ask is still valid, and is made.
		{10 * time.Second, 55 * time.Second, 1, 0, 1},
		// The last ask has expired. The order fails at 34 minutes, and nothing may be made for it
		// any more.
		{10 * time.Second, 32*time.Minute + 30*time.Second, 4, 0, 0},
		{10 * time.Second, 40 * time.Minute, 4, 0, 0},
	} {
		t.Run(fmt.Sprintf("a factory that recovers after %v, messages that come back after %v", c.recovers, c.visibility), func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, c.visibility)
			h.pass(t, c.recovers)
			if len(h.deadLetters) != c.letters || len(h.queue) != c.live {
				t.Errorf("%d dead letters and %d messages in the queue, want %d and %d", len(h.deadLetters), len(h.queue), c.letters, c.live)
			}
			h.down = false
			h.redrive()
			h.pass(t, 20*time.Minute)
			if len(h.made) != c.made {
				t.Errorf("the factory made %d lots, want %d", len(h.made), c.made)
			}
			if received := h.Number(t, `SELECT SUM(received) FROM production_order`); received != ordered*c.made {
				t.Errorf("ordered %d, received %d, want %d", ordered, received, ordered*c.made)
			}
			status := shop.OrderReceived
			if c.made == 0 {
				status = shop.OrderFailed
			}
			if n := h.Number(t, `SELECT COUNT(*) FROM production_order WHERE status = ?`, status); n != 1 {
				t.Errorf("%d orders are %s, want the one", n, status)
			}
			if len(h.queue) > 0 || len(h.deadLetters) > 0 {
				t.Errorf("%d messages are in the queue and %d are dead letters, want none", len(h.queue), len(h.deadLetters))
			}
			h.CheckBooks(t)
		})
	}
}
