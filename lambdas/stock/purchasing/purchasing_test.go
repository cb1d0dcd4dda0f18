package purchasing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/secrets"
	"restock/lambdas"
	"restock/lambdas/journal"
)

type key []byte

func (k key) Current(context.Context) (secrets.CallbackKey, error) {
	return secrets.CallbackKey{Key: k}, nil
}

// A fake is a producer that calls a function, and records the requests.
type fake struct {
	produce func(factory.Request) error

	mu    sync.Mutex // guards asked
	asked []factory.Request
}

func (f *fake) Produce(_ context.Context, r factory.Request) (string, error) {
	f.mu.Lock()
	f.asked = append(f.asked, r)
	f.mu.Unlock()
	return "lot", f.produce(r)
}

func accept(factory.Request) error { return nil }

// record returns a record in the form in which Lambda delivers it, with the SNS envelope in its
// body. Its message does not expire.
func record(id, order, count string) string {
	return recordUntil(id, order, count, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
}

func recordUntil(id, order, count string, validUntil time.Time) string {
	attribute := func(value string) map[string]string { return map[string]string{"Type": "String", "Value": value} }
	envelope, err := json.Marshal(map[string]any{
		"Type": "Notification", "MessageId": "b9f1", "TopicArn": "arn:aws:sns:ap-northeast-2:123456789012:stock_empty",
		"Subject": "도너츠 재고 부족", "Timestamp": "2023-06-20T03:36:30.278Z",
		"Message": fmt.Sprintf(`{"production_order_id":%q,"valid_until":%q}`,
			order, validUntil.Format(time.RFC3339Nano)),
		"MessageAttributes": map[string]any{
			"MessageAttributeProductId": attribute("CP-502101"), "MessageAttributeProductCnt": attribute(count),
			"MessageAttributeFactoryId": attribute("FF-500293"), "MessageAttributeRequester": attribute("stock-bot"),
		},
	})
	if err != nil {
		panic(err)
	}
	return recordOf(id, string(envelope))
}

func recordOf(id, body string) string {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return `{"messageId":"` + id + `","receiptHandle":"AQEB…","body":` + string(text) +
		`,"attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"1687232190278"},` +
		`"messageAttributes":{},"md5OfBody":"…","eventSource":"aws:sqs",` +
		`"eventSourceARN":"arn:aws:sqs:ap-northeast-2:123456789012:stock_queue","awsRegion":"ap-northeast-2"}`
}

// invoke sends a batch through the same code as in Lambda, and returns the ids of the failed
// records.
func invoke(t *testing.T, p Handler, records ...string) []string {
	t.Helper()
	out, err := lambda.NewHandler(p.Handle).Invoke(t.Context(), []byte(`{"Records":[`+strings.Join(records, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	var response events.SQSEventResponse
	if err := json.Unmarshal(out, &response); err != nil {
		t.Fatalf("the response is %s: %v", out, err)
	}
	var failed []string
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

func newPurchasing(f *fake) Handler {
	return Handler{
		Factory: f, Keys: key(strings.Repeat("k", 32)), APIURL: "https://shop.example",
		NewID: uuid.NewV7, Now: time.Now, Journal: journal.New(slog.New(slog.DiscardHandler), "test"),
	}
}

func TestRecordBecomesARequestWithASignedCallback(t *testing.T) {
	f := &fake{produce: accept}
	order := uuid.New()
	if failed := invoke(t, newPurchasing(f), record("m1", order.String(), "100")); failed != nil {
		t.Fatalf("failed: %v", failed)
	}
	if len(f.asked) != 1 {
		t.Fatalf("the factory was asked %d times, want once", len(f.asked))
	}
	got := f.asked[0]
	u, err := url.Parse(string(got.CallbackURL))
	if err != nil {
		t.Fatal(err)
	}
	got.CallbackURL = ""
	want := factory.Request{
		MessageGroupID: "stock-arrival-group", ProductID: "CP-502101", ProductCnt: "100",
		FactoryID: "FF-500293", Requester: "stock-bot",
	}
	if got != want {
		t.Errorf("the request is %+v, want %+v", got, want)
	}
	parts := strings.Split(u.Path, "/") // /production-orders/{order}/attempts/{attempt}/receipt
	if len(parts) != 6 || parts[2] != order.String() {
		t.Fatalf("the callback's path is %s", u.Path)
	}
	attempt, err := uuid.Parse(parts[4])
	if err != nil {
		t.Fatal(err)
	}
	signer, err := factory.NewSigner([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	verified, err := signer.Verify(order, attempt, u.Query())
	// The message names no request of a buyer, so the attempt is its own correlation.
	if err != nil || verified.Quantity != 100 || verified.Correlation != attempt.String() {
		t.Errorf("the callback is for %+v, %v; want it signed, for 100, with the correlation %s",
			verified, err, attempt)
	}
}

func TestAnExpiredMessageIsDroppedAndCounted(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	order := uuid.NewString()
	var out bytes.Buffer
	f := &fake{produce: accept}
	p := newPurchasing(f)
	p.Now = func() time.Time { return now }
	p.Journal = journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "test")
	failed := invoke(t, p,
		recordUntil("old", order, "5", now.Add(-time.Hour)),
		recordUntil("just expired", order, "6", now),
		recordUntil("still valid", order, "7", now.Add(time.Microsecond)),
		recordUntil("valid", order, "8", now.Add(time.Hour)),
	)
	if failed != nil {
		t.Errorf("failed: %v, want none: SQS deletes an expired message", failed)
	}
	var asked []string
	for _, r := range f.asked {
		asked = append(asked, r.ProductCnt)
	}
	slices.Sort(asked)
	if want := []string{"7", "8"}; !slices.Equal(asked, want) {
		t.Errorf("the factory was asked for %v, want %v: the messages that are valid", asked, want)
	}
	for quantity, id := range map[string]string{"5": "old", "6": "just expired"} {
		want := `"level":"WARN","msg":"request expired","production_order":"` + order +
			`","sku":"CP-502101","quantity":` + quantity + `,"expired_at":`
		if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), `"message_id":"`+id+`"`) {
			t.Errorf("the log is\n%s, want %s", &out, want)
		}
	}
	if n := strings.Count(out.String(), `"ProductionRequestsExpired":1`); n != 2 {
		t.Errorf("%d expired requests are counted, want 2", n)
	}
}

func TestAMessageThatExpiresWhileTheKeyIsReadIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{produce: accept}
		p := newPurchasing(f)
		p.Keys = slowKey{p.Keys, 2 * time.Second}
		failed := invoke(t, p, recordUntil("m1", uuid.NewString(), "100", time.Now().Add(time.Second)))
		if failed != nil || len(f.asked) != 0 {
			t.Errorf("failed: %v, and the factory was asked %d times; want neither", failed, len(f.asked))
		}
	})
}

func TestTheFactoryIsNotAskedShortlyBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), lambdas.Stock.Timeout)
		defer cancel()
		f := &fake{produce: accept}
		p := newPurchasing(f)
		p.Keys = slowKey{p.Keys, 6 * time.Second} // then less is left than FactoryTimeout
		out, err := lambda.NewHandler(p.Handle).Invoke(ctx,
			[]byte(`{"Records":[`+record("m1", uuid.NewString(), "100")+`]}`))
		if err != nil || !strings.Contains(string(out), "m1") {
			t.Errorf("got %s, %v; want m1 reported as failed", out, err)
		}
		if len(f.asked) != 0 {
			t.Error("the factory was asked, and the retry would ask it again")
		}
	})
}

// A slowKey returns the key after a delay.
type slowKey struct {
	signingKey
	delay time.Duration
}

func (k slowKey) Current(ctx context.Context) (secrets.CallbackKey, error) {
	select {
	case <-ctx.Done():
		return secrets.CallbackKey{}, ctx.Err()
	case <-time.After(k.delay):
		return k.signingKey.Current(ctx)
	}
}

func TestEveryAttemptHasItsOwnID(t *testing.T) {
	f := &fake{produce: accept}
	again := record("m1", uuid.NewString(), "100")
	invoke(t, newPurchasing(f), again)
	invoke(t, newPurchasing(f), again)
	if f.asked[0].CallbackURL == f.asked[1].CallbackURL {
		t.Error("two requests to the factory share a callback URL: stock-increase would not book the second lot")
	}
}

func TestOnlyFailedRecordsAreReported(t *testing.T) {
	f := &fake{produce: func(r factory.Request) error {
		switch r.ProductCnt {
		case "500":
			return errors.New("the factory answered 500")
		case "666":
			panic("a bug")
		}
		return nil
	}}
	failed := invoke(t, newPurchasing(f),
		record("good", uuid.NewString(), "100"),
		record("refused", uuid.NewString(), "500"),
		recordOf("not an envelope", `{"sku":"CP-502101"}`),
		recordOf("not JSON", `도너츠`),
		record("no order", "", "100"),
		record("panics", uuid.NewString(), "666"),
		record("good too", uuid.NewString(), "100"),
	)
	if want := []string{"refused", "not an envelope", "not JSON", "no order", "panics"}; !slices.Equal(failed, want) {
		t.Errorf("failed: %v, want %v", failed, want)
	}
	if len(f.asked) != 4 {
		t.Errorf("the factory was asked %d times, want 4: twice well, once refused, once with a panic", len(f.asked))
	}
}

func TestNoLogLineHasASignature(t *testing.T) {
	var out bytes.Buffer
	f := &fake{produce: func(r factory.Request) error {
		if r.ProductCnt == "500" {
			return errors.New("the factory answered 500")
		}
		return nil
	}}
	p := newPurchasing(f)
	p.Journal = journal.New(slog.New(slog.NewJSONHandler(&out, nil)), "test")
	invoke(t, p, record("taken", uuid.NewString(), "100"), record("refused", uuid.NewString(), "500"))
	for _, asked := range f.asked {
		u, err := url.Parse(string(asked.CallbackURL))
		if err != nil {
			t.Fatal(err)
		}
		signature := u.Query().Get("signature")
		if signature == "" || strings.Contains(out.String(), signature) {
			t.Errorf("the signature %q of a request for %s is in the log:\n%s", signature, asked.ProductCnt, &out)
		}
	}
}

func TestASlowRecordDoesNotDelayTheOthers(t *testing.T) {
	// Each request waits for all the others. If the function sent them one after the other, they
	// would wait forever, and synctest would report a deadlock.
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		all.Add(10)
		f := &fake{produce: func(factory.Request) error { all.Done(); all.Wait(); return nil }}
		var records []string
		for i := range 10 {
			records = append(records, record(fmt.Sprint(i), uuid.NewString(), "100"))
		}
		if failed := invoke(t, newPurchasing(f), records...); failed != nil {
			t.Errorf("failed: %v", failed)
		}
	})
}
