package receiving

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/mysql/mysqltest"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/lambdas"
	"restock/lambdas/function"
	"restock/lambdas/journal"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

type key []byte

func (k key) Accepted(context.Context) ([]secrets.CallbackKey, error) {
	return []secrets.CallbackKey{{Key: k}}, nil
}

func (k key) Since(ctx context.Context, _ time.Time) ([]secrets.CallbackKey, error) {
	return k.Accepted(ctx)
}

// keyOf returns a key that repeats a letter.
func keyOf(letter string) key { return key(strings.Repeat(letter, 32)) }

var ours = keyOf("k")

// A callback is the factory's request to the API.
type callback struct{ path, query, body string }

const made100 = `{"MessageGroupId":"stock-arrival-group","MessageAttributeProductId":"CP-502101",` +
	`"MessageAttributeProductCnt":"100","MessageAttributeFactoryId":"FF-500293",` +
	`"MessageAttributeRequester":"stock-bot","CallbackUrl":"https://…"}`

// newCallback returns the callback of an attempt that asked for 100.
func newCallback(tb testing.TB, k key, order, attempt uuid.UUID, body string) callback {
	tb.Helper()
	_, template, _ := strings.Cut(lambdas.RouteGoodsReceipt, " ")
	signer, err := factory.NewSigner(k)
	if err != nil {
		tb.Fatal(err)
	}
	u, err := url.Parse(string(signer.CallbackURL("https://shop.example", template,
		factory.Attempt{ProductionOrderID: order, ID: attempt, Quantity: 100})))
	if err != nil {
		tb.Fatal(err)
	}
	return callback{u.Path, u.RawQuery, body}
}

// record returns the message that the API makes of a callback, in the form in which Lambda delivers
// it. It returns false if the path does not match the route: then the request is no callback.
func (c callback) record(id string, sent time.Time) (record events.SQSMessage, routed bool) {
	_, template, _ := strings.Cut(lambdas.RouteGoodsReceipt, " ")
	want, got := strings.Split(template, "/"), strings.Split(c.path, "/")
	if len(got) != len(want) {
		return record, false
	}
	variables := map[string]string{}
	for i, part := range want {
		name, variable := strings.CutPrefix(part, "{")
		if variable && got[i] != "" {
			variables[strings.TrimSuffix(name, "}")] = got[i]
		} else if got[i] != part {
			return record, false
		}
	}
	query, _ := url.ParseQuery(c.query)
	record = events.SQSMessage{
		MessageId: id, Body: c.body, EventSource: "aws:sqs", MessageAttributes: map[string]events.SQSMessageAttribute{},
		Attributes: map[string]string{
			"ApproximateReceiveCount": "1", "SentTimestamp": strconv.FormatInt(sent.UnixMilli(), 10),
		},
	}
	for _, part := range lambdas.StockIncrease.Buffered {
		source, name, _ := strings.Cut(part, ".")
		text := variables[name]
		if source == "querystring" {
			// "Duplicate query strings are combined with commas":
			// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
			text = strings.Join(query[name], ",")
		}
		record.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &text}
	}
	return record, true
}

// mustRecord is record for a callback whose path matches the route.
func (c callback) mustRecord(tb testing.TB, id string) events.SQSMessage {
	tb.Helper()
	record, routed := c.record(id, time.Now())
	if !routed {
		tb.Fatalf("the path %s matches no route", c.path)
	}
	return record
}

// invoke sends a batch through the same code as in Lambda, and returns the ids of the failed
// records.
func invoke(ctx context.Context, tb testing.TB, r Handler, records ...events.SQSMessage) (failed []string) {
	tb.Helper()
	event, err := json.Marshal(events.SQSEvent{Records: records})
	if err != nil {
		tb.Fatal(err)
	}
	out, err := lambda.NewHandler(r.Handle).Invoke(ctx, event)
	if err != nil {
		tb.Fatal(err)
	}
	var response events.SQSEventResponse
	if err := json.Unmarshal(out, &response); err != nil {
		tb.Fatalf("the response is %s: %v", out, err)
	}
	for _, f := range response.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

// A line is a line of the journal.
type line struct {
	Event        journal.Kind
	Dropped      int `json:"DeliveriesForged"`
	Undecided    int
	MessageID    string `json:"message_id"`
	ReceiveCount string `json:"receive_count"`
	Error        string
}

// linesOf reads the lines of a log.
func linesOf(tb testing.TB, log []byte) (all []line) {
	tb.Helper()
	for text := range bytes.Lines(log) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			tb.Fatalf("%s: %v", text, err)
		}
		all = append(all, l)
	}
	return all
}

// newReceiver returns a receiver, and the journal that it writes to.
func newReceiver(s booker, keys acceptedKeys, log io.Writer) (Handler, journal.Journal) {
	j := journal.New(slog.New(slog.NewJSONHandler(log, nil)), "test")
	return Handler{Shop: s, Keys: keys, Journal: j}, j
}

// deliver sends one callback to a receiver. It returns what became of it: "booked", "dropped",
// "undecided", "kept: " with the reason, or "not routed".
func deliver(ctx context.Context, tb testing.TB, s booker, keys acceptedKeys, c callback, sent time.Time) string {
	tb.Helper()
	var log bytes.Buffer
	r, _ := newReceiver(s, keys, &log)
	record, routed := c.record("m", sent)
	if !routed {
		return "not routed"
	}
	failed := invoke(ctx, tb, r, record)
	lines := linesOf(tb, log.Bytes())
	switch {
	case len(lines) == 0 && failed == nil:
		return "booked"
	case len(lines) != 1:
		tb.Fatalf("%s?%s: failed: %q, and the log is\n%s", c.path, c.query, failed, &log)
	}
	forged := lines[0].Event == journal.DeliveriesForged
	switch l := lines[0]; {
	case forged && l.Dropped == 1 && l.Undecided == 0 && failed == nil:
		return "dropped"
	case forged && l.Dropped == 0 && l.Undecided == 1 && slices.Equal(failed, []string{"m"}):
		return "undecided"
	case l.Event == journal.DeliveryFailed && l.MessageID == "m" && l.ReceiveCount == "1" &&
		slices.Equal(failed, []string{"m"}):
		return "kept: " + l.Error
	}
	tb.Fatalf("%s?%s: failed: %q, and the log is\n%s", c.path, c.query, failed, &log)
	return ""
}

// orders records the published orders.
type orders []shop.ProductionOrder

func (o *orders) Publish(_ context.Context, order shop.ProductionOrder) error {
	*o = append(*o, order)
	return nil
}

// open returns a shop that is sold out, its database and its open production order.
func open(tb testing.TB) (*shop.Shop, *mysqltest.Database, uuid.UUID) {
	tb.Helper()
	database, published := mysqltest.New(tb, 10), &orders{}
	s := shop.Open(database.Store, published, shop.Discard)
	if _, err := s.Buy(tb.Context(), shop.Purchase{SKU: mysqltest.Donut, Quantity: 3}); err != nil {
		tb.Fatal(err)
	}
	return s, database, (*published)[0].ID
}

func TestTenEqualCallbacksAtOnceAreBookedOnce(t *testing.T) {
	s, database, order := open(t)
	var log bytes.Buffer // the handler of slog serializes the writers
	r, j := newReceiver(s, ours, &log)
	s.Journal = j
	c := newCallback(t, ours, order, uuid.New(), made100)
	var all sync.WaitGroup
	for i := range 10 {
		record := c.mustRecord(t, strconv.Itoa(i))
		all.Go(func() {
			if failed := invoke(t.Context(), t, r, record); failed != nil {
				t.Errorf("failed: %q", failed)
			}
		})
	}
	all.Wait()
	events := map[journal.Kind]int{}
	for _, l := range linesOf(t, log.Bytes()) {
		events[l.Event]++
	}
	if events[journal.GoodsReceived] != 1 || events[journal.GoodsReceivedAgain] != 9 {
		t.Errorf("the events are %v, want the goods received once, and nine times again", events)
	}
	if stock := database.Stock(t); stock != 100 {
		t.Errorf("stock is %d, want 100", stock)
	}
	database.CheckBooks(t)
}

func TestShortDeliveryIsBooked(t *testing.T) {
	s, database, order := open(t)
	c := newCallback(t, ours, order, uuid.New(), strings.Replace(made100, `"100"`, `"40"`, 1))
	if got := deliver(t.Context(), t, s, ours, c, time.Now()); got != "booked" || database.Stock(t) != 40 {
		t.Errorf("got %s and a stock of %d, want it booked, and 40", got, database.Stock(t))
	}
	if open := database.Number(t, `SELECT COUNT(*) FROM production_order WHERE status = 'open'`); open != 1 {
		t.Errorf("%d orders are open, want 1: 60 are still to come", open)
	}
	database.CheckBooks(t)
}

// A flaky store fails a number of times before it succeeds.
type flaky struct {
	shop.Store
	failures int
	asked    int
}

func (f *flaky) Receive(context.Context, shop.Delivery) (shop.Receipt, error) {
	f.asked++
	if f.asked <= f.failures {
		code := []shop.Code{shop.CodeUnavailable, shop.CodeOutcomeUnknown}[f.asked%2]
		return shop.Receipt{}, &shop.Error{Code: code, Detail: "the database is not available now, or did not answer"}
	}
	return shop.Receipt{Stock: 100}, nil
}

func (f *flaky) Replenish(context.Context, shop.Replenishment) (shop.Decision, error) {
	return shop.Decision{Outcome: shop.Settled}, nil
}

// invocation returns the context that the handler gets in an invocation, and the invocation's own.
func invocation(t *testing.T) (ctx, whole context.Context) {
	t.Helper()
	whole, end := context.WithTimeout(t.Context(), lambdas.StockIncrease.Timeout)
	t.Cleanup(end)
	ctx, cancel := function.InTime(whole)
	t.Cleanup(cancel)
	return ctx, whole
}

func TestTheHandlerRetriesWhileTheDatabaseIsUnavailable(t *testing.T) {
	// A database that fails over is back long before SQS would deliver the message again.
	for _, c := range []struct {
		failures int
		want     string
	}{{3, "booked"}, {1000, "kept: production order "}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, whole := invocation(t)
			store := &flaky{failures: c.failures}
			got := deliver(ctx, t, shop.Open(store, nil, shop.Discard), ours,
				newCallback(t, ours, uuid.New(), uuid.New(), made100), time.Now())
			if !strings.HasPrefix(got, c.want) || store.asked < 4 || whole.Err() != nil {
				t.Errorf("unavailable %d times: got %s after %d tries, want %s before the deadline",
					c.failures, got, store.asked, c.want)
			}
		})
	}
}

// A broken key cannot be read or is too short.
type broken struct {
	key   key
	err   error // of each read
	since error // of each later read
	reads int
}

func (b *broken) Accepted(context.Context) ([]secrets.CallbackKey, error) {
	b.reads++
	return []secrets.CallbackKey{{Key: b.key}}, b.err
}

func (b *broken) Since(ctx context.Context, _ time.Time) ([]secrets.CallbackKey, error) {
	keys, err := b.Accepted(ctx)
	return keys, cmp.Or(err, b.since)
}

func TestACallbackThatCannotBeCheckedStaysInTheQueue(t *testing.T) {
	denied := errors.New("AccessDenied")
	for _, c := range []struct {
		name  string
		keys  broken
		query string
		want  string
		reads int
	}{
		{"unsigned, while the key cannot be read", broken{err: denied}, "", "dropped", 0},
		{"a key that is too short", broken{key: key("short")}, "quantity=100&signature=x",
			"kept: the callback key has 5 bytes, want 32 or more", 2},
		// The handler reads the key again every 500 ms, in 6.5 s.
		{"a key that cannot be read", broken{err: denied}, "quantity=100&signature=x",
			"kept: the signature cannot be checked now: AccessDenied", 13},
		// A forger must not keep the instance busy, so the second read is not repeated.
		{"a key that cannot be read again", broken{key: ours, since: denied}, "quantity=100&signature=x",
			"kept: the signature cannot be checked now: AccessDenied", 2},
		{"a key that was read just before", broken{key: ours, since: secrets.ErrReadRecently},
			"quantity=100&signature=x", "undecided", 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, _ := invocation(t)
			request := newCallback(t, ours, uuid.New(), uuid.New(), made100)
			request.query = c.query
			got := deliver(ctx, t, shop.Open(&flaky{}, nil, shop.Discard), &c.keys, request, time.Now())
			// At the deadline, one more read may start.
			if more := c.keys.reads - c.reads; got != c.want || more != 0 && (c.reads < 13 || more != 1) {
				t.Errorf("%s: got %s after %d reads of the key, want %s after %d",
					c.name, got, c.keys.reads, c.want, c.reads)
			}
		})
	}
}

func TestQuantityMayBeANumber(t *testing.T) {
	s, database, order := open(t)
	c := newCallback(t, ours, order, uuid.New(), strings.Replace(made100, `"100"`, `100`, 1))
	if got := deliver(t.Context(), t, s, ours, c, time.Now()); got != "booked" || database.Stock(t) != 100 {
		t.Errorf("got %s and a stock of %d, want it booked, and 100", got, database.Stock(t))
	}
}

// A bookerFunc is a booker.
type bookerFunc func(context.Context, shop.Delivery) (shop.Receipt, error)

func (f bookerFunc) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	return f(ctx, d)
}

// Python computed the signatures of the URLs of an earlier version, which wrote the correlation as
// it is. key, order and attempt have the bytes below, and quantity has 8:
//
//	base64.urlsafe_b64encode(hmac.digest(key, order + attempt + quantity + correlation, "sha256"))
func TestCallbacksOfAnEarlierVersionAreBooked(t *testing.T) {
	const path = "/production-orders/0190d6a8-f000-7000-8000-000000000001/attempts/" +
		"0190d6a8-f000-7000-8000-0000000000a1/receipt"
	counting := make(key, 32) // 00 01 … 1f
	for i := range counting {
		counting[i] = byte(i)
	}
	for _, c := range []struct{ query, correlation string }{
		{"correlation=JKJaXmPLvHcESHA%3D&quantity=100&signature=7OHFVAi76YuYY0IpKGvVDPa7pSMN4U0eef1-H8eigvo",
			"JKJaXmPLvHcESHA="},
		{"quantity=7&signature=K5E0_QUCMgMtVDoNB3b2z6Fo3RfyuLcuLVV34mJtszQ", ""},
		// the form of this version
		{"correlation=SktKYVhtUEx2SGNFU0hBPQ&quantity=100&signature=z1058EZvpLCa_yNXIy4yXF-HJdlW24kcO5bD209ZLiQ",
			"JKJaXmPLvHcESHA="},
	} {
		correlation := "not booked"
		book := func(ctx context.Context, _ shop.Delivery) (shop.Receipt, error) {
			correlation = shop.Correlation(ctx)
			return shop.Receipt{}, nil
		}
		got := deliver(t.Context(), t, bookerFunc(book), counting, callback{path, c.query, made100}, time.Now())
		if got != "booked" || correlation != c.correlation {
			t.Errorf("?%s: got %s with the correlation %q, want it booked with %q",
				c.query, got, correlation, c.correlation)
		}
	}
}

func TestInvalidCallbacksAreDroppedOrKept(t *testing.T) {
	s, database, order := open(t)
	attempt := uuid.New()
	good := newCallback(t, ours, order, attempt, made100)
	inPath := func(old, replacement string) callback {
		c := good
		c.path = strings.Replace(c.path, old, replacement, 1)
		return c
	}
	withQuery := func(query string) callback { c := good; c.query = query; return c }
	inBody := func(old, replacement string) callback {
		return newCallback(t, ours, order, attempt, strings.Replace(made100, old, replacement, 1))
	}
	const dropped = "dropped"
	kept := fmt.Sprintf("kept: production order %s, attempt %s: ", order, attempt)
	unknown := uuid.New()
	for _, c := range []struct {
		name    string
		request callback
		want    string
	}{
		{"unsigned", withQuery(""), dropped},
		{"signed by another key", newCallback(t, keyOf("o"), order, attempt, made100), dropped},
		{"another attempt", inPath(attempt.String(), uuid.NewString()), dropped},
		{"a larger signed quantity", withQuery(strings.Replace(good.query, "quantity=100", "quantity=999", 1)),
			dropped},
		{"not an order", inPath(order.String(), "1"), dropped},
		{"not an attempt", inPath(attempt.String(), "1"), dropped},
		{"no order", inPath(order.String(), ""), "not routed"},
		{"more than the signed quantity", inBody(`"100"`, `"101"`),
			kept + "the callback reports 101, but the attempt asked for 100"},
		{"an unknown order", newCallback(t, ours, unknown, attempt, made100),
			"kept: production order " + unknown.String() + ", attempt " + attempt.String() + ": "},
		{"another product", inBody("CP-502101", "CP-000000"), kept},
		{"no body", newCallback(t, ours, order, attempt, ""), kept + "the callback's body is not the JSON"},
		{"not JSON", newCallback(t, ours, order, attempt, "done"), kept + "the callback's body is not the JSON"},
		{"a long body", newCallback(t, ours, order, attempt, strings.Repeat(" ", 20<<10)),
			kept + "the callback's body is not the JSON"},
		{"no product", newCallback(t, ours, order, attempt, `{"MessageAttributeProductCnt":"100"}`),
			kept + "the callback has no MessageAttributeProductId"},
		{"no quantity", newCallback(t, ours, order, attempt, `{"MessageAttributeProductId":"CP-502101"}`),
			kept + `MessageAttributeProductCnt is ""`},
		{"a negative quantity", inBody(`"100"`, `"-100"`), kept + `MessageAttributeProductCnt is "-100"`},
		{"a quantity that is not a number", inBody(`"100"`, `"all"`), kept + `MessageAttributeProductCnt is "all"`},
	} {
		got := deliver(t.Context(), t, s, ours, c.request, time.Now())
		if exact := !strings.HasPrefix(c.want, "kept"); !strings.HasPrefix(got, c.want) || exact && got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if stock := database.Stock(t); stock != 0 {
		t.Errorf("stock is %d after callbacks that are not booked, want 0", stock)
	}
	database.CheckBooks(t)
}
