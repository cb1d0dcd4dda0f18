package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"restock/internal/ads"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// managers records the messages that managers got, as "manager: subject".
type managers struct {
	messages []string
	broken   error
}

func (m *managers) Notify(_ context.Context, manager, subject, _ string) error {
	if m.broken == nil {
		m.messages = append(m.messages, manager+": "+subject)
	}
	return m.broken
}

// The events that trigger the function.
const (
	message  = `{"Records":[{"messageId":"m1","body":"{\"Type\":\"Notification\"}","eventSource":"aws:sqs"}]}`
	schedule = `{"version":"0","detail-type":"Scheduled Event","source":"aws.events"}`
)

func TestAdvertisementFollowsTheStock(t *testing.T) {
	d, m := mysqltest.New(t, 1), &managers{}
	h := lambda.NewHandler(handler(ads.Switcher{Store: d.Store, Notifier: m, Log: slog.New(slog.DiscardHandler)}))
	invoke := func(event, want string) {
		t.Helper()
		if out, err := h.Invoke(t.Context(), []byte(event)); err != nil || string(out) != want {
			t.Errorf("got %s, %v; want %s", out, err, want)
		}
	}
	status := func() (status string) {
		t.Helper()
		row := d.Admin.QueryRowContext(t.Context(), `
			SELECT a.status FROM advertisement a JOIN product p ON p.ad_id = a.ad_id WHERE p.sku = ?`, mysqltest.Donut)
		if err := row.Scan(&status); err != nil {
			t.Fatal(err)
		}
		return status
	}
	invoke(schedule, `{"switched":0}`)
	store := shop.Open(d.Store, nobody{}, shop.Discard)
	if _, err := store.Buy(t.Context(), shop.Purchase{SKU: mysqltest.Donut, Quantity: 3}); err != nil {
		t.Fatal(err)
	}
	invoke(message, `{"switched":1}`)
	if got := status(); got != "off" {
		t.Errorf("the advertisement of a product that is sold out is %s", got)
	}
	invoke(message, `{"switched":0}`)
	d.SetStock(t, 1)
	invoke(schedule, `{"switched":1}`)
	if got := status(); got != "on" {
		t.Errorf("the advertisement of a product in stock is %s", got)
	}
	if len(m.messages) != 2 || !strings.Contains(m.messages[0], "switched off") ||
		!strings.Contains(m.messages[1], "switched on") {
		t.Errorf("the managers got %q, want one message about off and one about on", m.messages)
	}
}

func TestBatchFailsIfTheManagerCannotBeNotified(t *testing.T) {
	d := mysqltest.New(t, 1)
	d.SetStock(t, 0)
	m := &managers{broken: errors.New("SNS is down")}
	h := lambda.NewHandler(handler(ads.Switcher{Store: d.Store, Notifier: m, Log: slog.New(slog.DiscardHandler)}))
	if out, err := h.Invoke(t.Context(), []byte(message)); err == nil {
		t.Errorf("got %s, want an error: the message must stay in the queue", out)
	}
}

// nobody is a publisher that drops everything.
type nobody struct{}

func (nobody) Publish(context.Context, shop.ProductionOrder) error { return nil }
