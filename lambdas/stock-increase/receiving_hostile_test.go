package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
	"restock/internal/web/webtest"
)

func TestATruncatedCallbackBooksNothing(t *testing.T) {
	handler, database, order := open(t)
	good := callback(t, ours, order, uuid.New(), made100)
	for name, part := range map[string]func(*webtest.Request) *string{
		"path":  func(r *webtest.Request) *string { return &r.Path },
		"query": func(r *webtest.Request) *string { return &r.Query },
		"body":  func(r *webtest.Request) *string { return &r.Body },
	} {
		for i := range *part(&good) {
			request := webtest.Request{Method: good.Method, Path: good.Path, Query: good.Query, Body: good.Body}
			text := part(&request)
			*text = (*text)[:i]
			request.Path = cmp.Or(request.Path, "/")
			if got := webtest.Do(t, handler, request); got.Status < 400 || got.Status >= 500 {
				t.Errorf("the %s cut after %d bytes: got %d %s, want it refused", name, i, got.Status, got.Body)
			}
		}
	}
	if stock := database.Stock(t); stock != 0 {
		t.Errorf("stock is %d after truncated callbacks, want 0", stock)
	}
	if got := webtest.Do(t, handler, good); got.Status != http.StatusOK {
		t.Errorf("the whole callback: got %d %s, want 200", got.Status, got.Body)
	}
	database.CheckBooks(t)
}

func TestALateCallbackOfAClosedOrderIsBookedOnce(t *testing.T) {
	_, database, order := open(t)
	s := shop.Open(database.Store, &orders{}, shop.Discard)
	// A callback never expires, because the goods exist.
	s.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	if _, err := s.CancelOrder(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	handler, err := newReceiver(s, ours, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	request := callback(t, ours, order, uuid.New(), made100)
	for i := range 3 {
		got := webtest.Do(t, handler, request)
		repeated := got.Field(t, "repeated") == true
		if got.Status != http.StatusOK || got.Field(t, "stock") != 100.0 || repeated != (i > 0) {
			t.Errorf("callback %d: got %d %s, want a stock of 100, repeated: %t", i+1, got.Status, got.Body, i > 0)
		}
	}
	notices := database.Number(t, `SELECT COUNT(*) FROM notice WHERE kind = ?`, shop.NoticeLateReceipt)
	if notices != 1 {
		t.Errorf("there are %d notices of a late receipt, want 1", notices)
	}
	database.CheckBooks(t)
}

func TestForgedVariantsOfCallbacksAreRefused(t *testing.T) {
	handler, database, order := open(t)
	attempt, another := uuid.New(), uuid.New()
	good, other := callback(t, ours, order, attempt, made100), callback(t, ours, uuid.New(), another, made100)
	query := func(edit func(url.Values)) string {
		values, err := url.ParseQuery(good.Query)
		if err != nil {
			t.Fatal(err)
		}
		edit(values)
		return values.Encode()
	}
	swapped := strings.NewReplacer(order.String(), attempt.String(), attempt.String(), order.String())
	for _, c := range []struct {
		name        string
		path, query string
	}{
		{"the signature of another callback", good.Path, other.Query},
		{"the attempt of another callback",
			strings.Replace(good.Path, attempt.String(), another.String(), 1), good.Query},
		{"order and attempt swapped", swapped.Replace(good.Path), good.Query},
		{"a correlation added", good.Path, query(func(v url.Values) { v.Set("correlation", "x") })},
		{"a larger quantity", good.Path, query(func(v url.Values) { v.Set("quantity", "1000000") })},
		{"a larger quantity before the signed one", good.Path, "quantity=1000000&" + good.Query},
		{"another case", good.Path,
			query(func(v url.Values) { v.Set("signature", strings.ToUpper(v.Get("signature"))) })},
		{"another encoding", good.Path, query(func(v url.Values) { v.Set("signature", v.Get("signature")+"=") })},
		{"an empty signature first", good.Path, "signature=&" + good.Query},
		{"no order", strings.Replace(good.Path, order.String(), uuid.Nil.String(), 1), good.Query},
	} {
		got := webtest.Do(t, handler, webtest.Request{Method: good.Method, Path: c.path, Query: c.query, Body: made100})
		if got.Status != http.StatusForbidden || got.Field(t, "code") != "invalid_signature" {
			t.Errorf("%s: got %d %s, want 403 invalid_signature", c.name, got.Status, got.Body)
		}
	}
	if stock := database.Stock(t); stock != 0 {
		t.Errorf("stock is %d after forged callbacks, want 0", stock)
	}
}

func TestABodyWithMoreThanTheSignedQuantityIsRefused(t *testing.T) {
	handler, database, order := open(t)
	for _, body := range []string{
		// encoding/json takes the last value
		strings.Replace(made100, `"MessageAttributeProductCnt":"100"`,
			`"MessageAttributeProductCnt":"100","MessageAttributeProductCnt":"999"`, 1),
		strings.Replace(made100, `"MessageAttributeProductCnt":"100"`, `"messageattributeproductcnt":"999"`, 1),
		strings.Replace(made100, `"100"`, `"2147483648"`, 1),
		strings.Replace(made100, `"100"`, `"9223372036854775808"`, 1),
		strings.Replace(made100, `"100"`, `1e2`, 1),
		strings.Replace(made100, `"CP-502101"`, `"CP-502101' OR '1'='1"`, 1),
		strings.Replace(made100, `"CP-502101"`, `"CP-502102"`, 1), // another product of the shop
		strings.Replace(made100, `"CP-502101"`, `"cp-502101"`, 1),
		`{"MessageAttributeProductId":` + strings.Repeat("[", 15<<10),
		strings.Repeat(made100, 2),
		fmt.Sprintf(`{"padding":%q,%s`, strings.Repeat("x", 16<<10), made100[1:]),
	} {
		got := webtest.Do(t, handler, callback(t, ours, order, uuid.New(), body))
		if got.Status < 400 || got.Status >= 500 {
			t.Errorf("%.200s: got %d %s, want it refused", body, got.Status, got.Body)
		}
	}
	if stock := database.Stock(t); stock != 0 {
		t.Errorf("stock is %d, want 0", stock)
	}
	database.CheckBooks(t)
}
