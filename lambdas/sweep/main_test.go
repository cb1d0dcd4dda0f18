package main

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// A topic is a publisher that may be broken.
type topic struct {
	broken    bool
	published []shop.ProductionOrder
}

func (t *topic) Publish(_ context.Context, o shop.ProductionOrder) error {
	if t.broken {
		return errors.New("SNS is down")
	}
	t.published = append(t.published, o)
	return nil
}

// scheduled is the event of a schedule:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
const scheduled = `{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event",
	"source":"aws.events","account":"123456789012","time":"2026-11-21T12:00:00Z","region":"ap-northeast-2",
	"resources":["arn:aws:events:ap-northeast-2:123456789012:rule/sweep"],"detail":{}}`

func TestSweepPublishesAnUnpublishedOrderOnce(t *testing.T) {
	database, sns := mysqltest.New(t, 1), &topic{broken: true}
	s := shop.Open(database.Store, sns, shop.Discard)
	if _, err := s.Buy(t.Context(), shop.Purchase{SKU: mysqltest.Donut, Quantity: 3}); err != nil {
		t.Fatalf("the sale failed because its message could not be sent: %v", err)
	}
	sweep := func() (r report) {
		t.Helper()
		out, err := lambda.NewHandler(handler(s)).Invoke(t.Context(), []byte(scheduled))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	sns.broken = false
	if got := sweep(); got.Published != 0 {
		t.Errorf("a sweep published %d orders at once, want 0: the sale may still publish", got.Published)
	}
	s.Now = func() time.Time { return time.Now().Add(time.Minute) }
	for i, want := range []int{1, 0} {
		if got := sweep(); got.Published != want || got.Difference != 0 {
			t.Errorf("sweep %d published %d orders, want %d", i+1, got.Published, want)
		}
	}
	if len(sns.published) != 1 || sns.published[0].Quantity != 100 || sns.published[0].Factory != "FF-500293" {
		t.Errorf("published %+v, want one order of 100 for FF-500293", sns.published)
	}
}

func TestFailedSweepFailsTheInvocation(t *testing.T) {
	database, sns := mysqltest.New(t, 1), &topic{broken: true}
	s := shop.Open(database.Store, sns, shop.Discard)
	if _, err := s.Buy(t.Context(), shop.Purchase{SKU: mysqltest.Donut, Quantity: 3}); err != nil {
		t.Fatal(err)
	}
	s.Now = func() time.Time { return time.Now().Add(time.Minute) }
	if out, err := lambda.NewHandler(handler(s)).Invoke(t.Context(), []byte(scheduled)); err == nil {
		t.Errorf("got %s, want an error: the alarm watches the function's error metric", out)
	}
}
