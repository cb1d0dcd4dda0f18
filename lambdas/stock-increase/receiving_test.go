package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/mysql/mysqltest"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/internal/web/webtest"
	"restock/lambdas"
	"restock/lambdas/function"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

type key []byte

func (k key) Accepted(context.Context) ([]secrets.CallbackKey, error) {
	return []secrets.CallbackKey{{Key: k}}, nil
}

func (k key) Reread(context.Context) ([]secrets.CallbackKey, error) { return nil, nil }

var ours = key(strings.Repeat("k", 32))

// orders records the published orders.
type orders []shop.ProductionOrder

func (o *orders) Publish(_ context.Context, order shop.ProductionOrder) error {
	*o = append(*o, order)
	return nil
}

// open opens the handler of a shop that is sold out, and returns the id of the open production
// order.
func open(tb testing.TB) (http.Handler, *mysqltest.Database, uuid.UUID) {
	tb.Helper()
	database, published := mysqltest.New(tb, 10), &orders{}
	log := slog.New(slog.DiscardHandler)
	s := shop.Open(database.Store, published, shop.Discard)
	if _, err := s.Buy(tb.Context(), shop.Purchase{SKU: mysqltest.Donut, Quantity: 3}); err != nil {
		tb.Fatal(err)
	}
	handler, err := newReceiver(s, ours, log)
	if err != nil {
		tb.Fatal(err)
	}
	return handler, database, (*published)[0].ID
}

// callback returns the factory's callback of an attempt that asked for 100.
func callback(tb testing.TB, k key, order, attempt uuid.UUID, body string) webtest.Request {
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
	return webtest.Request{
		Method: "POST", Path: u.Path, Query: u.RawQuery, Body: body,
		Header: map[string]string{"Content-Type": "application/json"},
	}
}

const made100 = `{"MessageGroupId":"stock-arrival-group","MessageAttributeProductId":"CP-502101",` +
	`"MessageAttributeProductCnt":"100","MessageAttributeFactoryId":"FF-500293",` +
	`"MessageAttributeRequester":"stock-bot","CallbackUrl":"https://…"}`

func TestTenEqualCallbacksAtOnceAreBookedOnce(t *testing.T) {
	handler, database, order := open(t)
	request := callback(t, ours, order, uuid.New(), made100)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			got := webtest.Do(t, handler, request)
			if got.Status != 200 || got.Field(t, "message") != "입고 완료! 남은 재고: 100" || got.Field(t, "stock") != 100.0 {
				t.Errorf("got %d %s, want 200 and a stock of 100", got.Status, got.Body)
			}
		})
	}
	all.Wait()
	if stock := database.Stock(t); stock != 100 {
		t.Errorf("stock is %d, want 100", stock)
	}
	database.CheckBooks(t)
}

func TestShortDeliveryIsBooked(t *testing.T) {
	handler, database, order := open(t)
	body := strings.Replace(made100, `"100"`, `"40"`, 1)
	got := webtest.Do(t, handler, callback(t, ours, order, uuid.New(), body))
	if got.Status != 200 || got.Field(t, "stock") != 40.0 {
		t.Errorf("got %d %s, want 200 and a stock of 40", got.Status, got.Body)
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

func TestTheHandlerRetriesWhileTheDatabaseIsUnavailable(t *testing.T) {
	// The factory calls once, and ignores the answer.
	for _, c := range []struct{ failures, status int }{{3, 200}, {1000, 503}} {
		synctest.Test(t, func(t *testing.T) {
			invocation, end := context.WithTimeout(t.Context(), lambdas.StockIncrease.Timeout)
			defer end()
			ctx, cancel := function.InTime(invocation)
			defer cancel()
			store := &flaky{failures: c.failures}
			handler, err := newReceiver(shop.Open(store, nil, shop.Discard), ours, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			got := webtest.DoContext(ctx, t, handler, callback(t, ours, uuid.New(), uuid.New(), made100))
			if got.Status != c.status || invocation.Err() != nil {
				t.Errorf("unavailable %d times: got %d %s after %d tries, want %d before the deadline",
					c.failures, got.Status, got.Body, store.asked, c.status)
			}
		})
	}
}

// A broken key cannot be read or is too short.
type broken struct {
	key   key
	err   error
	reads *int
}

func (b broken) Accepted(context.Context) ([]secrets.CallbackKey, error) {
	*b.reads++
	return []secrets.CallbackKey{{Key: b.key}}, b.err
}

func (b broken) Reread(ctx context.Context) ([]secrets.CallbackKey, error) { return b.Accepted(ctx) }

func TestUnsignedCallbacksNeedNoKeyAndAShortKeyIsAServerError(t *testing.T) {
	for _, c := range []struct {
		name   string
		key    broken
		query  string
		status int
		reads  int
	}{
		{"unsigned, while the key cannot be read", broken{err: errors.New("AccessDenied")}, "", 403, 0},
		{"a key that is too short", broken{key: key("short")}, "quantity=100&signature=x", 500, 2},
	} {
		reads := 0
		c.key.reads = &reads
		handler, err := newReceiver(shop.Open(&flaky{}, nil, shop.Discard), c.key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		request := callback(t, ours, uuid.New(), uuid.New(), made100)
		request.Query = c.query
		if got := webtest.Do(t, handler, request); got.Status != c.status || reads != c.reads {
			t.Errorf("%s: got %d %s after %d reads of the key, want %d after %d",
				c.name, got.Status, got.Body, reads, c.status, c.reads)
		}
	}
}

func TestQuantityMayBeANumber(t *testing.T) {
	handler, database, order := open(t)
	body := strings.Replace(made100, `"100"`, `100`, 1)
	if got := webtest.Do(t, handler, callback(t, ours, order, uuid.New(), body)); got.Status != 200 {
		t.Errorf("got %d %s, want 200", got.Status, got.Body)
	}
	if stock := database.Stock(t); stock != 100 {
		t.Errorf("stock is %d, want 100", stock)
	}
}

func TestInvalidCallbacksAreRefused(t *testing.T) {
	handler, database, order := open(t)
	attempt := uuid.New()
	good := callback(t, ours, order, attempt, made100)
	inPath := func(old, replacement string) webtest.Request {
		r := good
		r.Path = strings.Replace(r.Path, old, replacement, 1)
		return r
	}
	withQuery := func(query string) webtest.Request { r := good; r.Query = query; return r }
	inBody := func(old, replacement string) webtest.Request {
		return callback(t, ours, order, attempt, strings.Replace(made100, old, replacement, 1))
	}
	for _, c := range []struct {
		name    string
		request webtest.Request
		status  int
		code    string
	}{
		{"unsigned", withQuery(""), 403, "invalid_signature"},
		{"signed by another key", callback(t, keyOf("o"), order, attempt, made100), 403, "invalid_signature"},
		{"another attempt", inPath(attempt.String(), uuid.NewString()), 403, "invalid_signature"},
		{"a larger signed quantity", withQuery(strings.Replace(good.Query, "quantity=100", "quantity=999", 1)),
			403, "invalid_signature"},
		{"more than the signed quantity", inBody(`"100"`, `"101"`), 400, "invalid_quantity"},
		{"not an order", inPath(order.String(), "1"), 403, "invalid_signature"},
		{"not an attempt", inPath(attempt.String(), "1"), 403, "invalid_signature"},
		{"an unknown order", callback(t, ours, uuid.New(), attempt, made100), 404, "unknown_production_order"},
		{"another product", inBody("CP-502101", "CP-000000"), 422, "product_mismatch"},
		{"no body", callback(t, ours, order, attempt, ""), 400, "invalid_request"},
		{"not JSON", callback(t, ours, order, attempt, "done"), 400, "invalid_request"},
		{"a body that is too long", callback(t, ours, order, attempt, strings.Repeat(" ", 20<<10)),
			400, "invalid_request"},
		{"no quantity", callback(t, ours, order, attempt, `{"MessageAttributeProductId":"CP-502101"}`),
			400, "invalid_quantity"},
		{"a negative quantity", inBody(`"100"`, `"-100"`), 400, "invalid_quantity"},
		{"a quantity that is not a number", inBody(`"100"`, `"all"`), 400, "invalid_quantity"},
	} {
		got := webtest.Do(t, handler, c.request)
		if got.Status != c.status || got.Field(t, "code") != c.code {
			t.Errorf("%s: got %d %s, want %d and code %s", c.name, got.Status, got.Body, c.status, c.code)
		}
	}
	if stock := database.Stock(t); stock != 0 {
		t.Errorf("stock is %d after refused callbacks, want 0", stock)
	}
	database.CheckBooks(t)
}
