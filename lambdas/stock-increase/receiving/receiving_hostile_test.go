package receiving

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/shop"
	"restock/lambdas/journal"
)

func TestATruncatedCallbackBooksNothing(t *testing.T) {
	s, database, order := open(t)
	good := newCallback(t, ours, order, uuid.New(), made100)
	for name, part := range map[string]func(*callback) *string{
		"path":  func(c *callback) *string { return &c.path },
		"query": func(c *callback) *string { return &c.query },
		"body":  func(c *callback) *string { return &c.body },
	} {
		for i := range *part(&good) {
			request := good
			text := part(&request)
			*text = (*text)[:i]
			got := deliver(t.Context(), t, s, ours, request, time.Now())
			// A body that was cut short had a valid signature: it is kept for people to look at.
			if kept := strings.HasPrefix(got, "kept: "); got == "booked" || kept != (name == "body") {
				t.Errorf("the %s cut after %d bytes: got %s", name, i, got)
			}
		}
	}
	if stock := database.Stock(t); stock != 0 {
		t.Errorf("stock is %d after truncated callbacks, want 0", stock)
	}
	if got := deliver(t.Context(), t, s, ours, good, time.Now()); got != "booked" {
		t.Errorf("the whole callback: got %s, want it booked", got)
	}
	database.CheckBooks(t)
}

func TestALateCallbackOfAClosedOrderIsBookedOnce(t *testing.T) {
	s, database, order := open(t)
	// A callback never expires, because the goods exist.
	s.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	if _, err := s.CancelOrder(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r, j := newReceiver(s, ours, &log)
	s.Journal = j
	record := newCallback(t, ours, order, uuid.New(), made100).mustRecord(t, "m")
	for i := range 3 {
		log.Reset()
		failed := invoke(t.Context(), t, r, record)
		want := journal.GoodsReceived
		if i > 0 {
			want = journal.GoodsReceivedAgain
		}
		of := func(l line) bool { return l.Event == want }
		if failed != nil || !slices.ContainsFunc(linesOf(t, log.Bytes()), of) || database.Stock(t) != 100 {
			t.Errorf("callback %d: failed: %q, stock is %d, and the log is\n%s, want a stock of 100, and %s",
				i+1, failed, database.Stock(t), &log, want)
		}
	}
	notices := database.Number(t, `SELECT COUNT(*) FROM notice WHERE kind = ?`, shop.NoticeLateReceipt)
	if notices != 1 {
		t.Errorf("there are %d notices of a late receipt, want 1", notices)
	}
	database.CheckBooks(t)
}

func TestForgedVariantsOfCallbacksAreDropped(t *testing.T) {
	s, database, order := open(t)
	attempt, another := uuid.New(), uuid.New()
	good, other := newCallback(t, ours, order, attempt, made100), newCallback(t, ours, uuid.New(), another, made100)
	query := func(edit func(url.Values)) string {
		values, err := url.ParseQuery(good.query)
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
		{"the signature of another callback", good.path, other.query},
		{"the attempt of another callback",
			strings.Replace(good.path, attempt.String(), another.String(), 1), good.query},
		{"order and attempt swapped", swapped.Replace(good.path), good.query},
		{"another correlation", good.path, query(func(v url.Values) { v.Set("correlation", "x") })},
		{"no correlation", good.path, query(func(v url.Values) { v.Del("correlation") })},
		{"a decoded correlation", good.path, query(func(v url.Values) { v.Set("correlation", attempt.String()) })},
		{"a larger quantity", good.path, query(func(v url.Values) { v.Set("quantity", "1000000") })},
		// The API joins repeated parameters.
		{"a larger quantity before the signed one", good.path, "quantity=1000000&" + good.query},
		{"a larger quantity after the signed one", good.path, good.query + "&quantity=1000000"},
		{"another case", good.path,
			query(func(v url.Values) { v.Set("signature", strings.ToUpper(v.Get("signature"))) })},
		{"another encoding", good.path, query(func(v url.Values) { v.Set("signature", v.Get("signature")+"=") })},
		{"an empty signature first", good.path, "signature=&" + good.query},
		{"no order", strings.Replace(good.path, order.String(), uuid.Nil.String(), 1), good.query},
	} {
		got := deliver(t.Context(), t, s, ours, callback{c.path, c.query, made100}, time.Now())
		if got != "dropped" {
			t.Errorf("%s: got %s, want it dropped", c.name, got)
		}
	}
	if stock := database.Stock(t); stock != 0 {
		t.Errorf("stock is %d after forged callbacks, want 0", stock)
	}
}

func TestABodyWithMoreThanTheSignedQuantityIsNotBooked(t *testing.T) {
	s, database, order := open(t)
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
	} {
		got := deliver(t.Context(), t, s, ours, newCallback(t, ours, order, uuid.New(), body), time.Now())
		if !strings.HasPrefix(got, "kept: production order ") {
			t.Errorf("%.200s: got %s, want it kept", body, got)
		}
	}
	if stock := database.Stock(t); stock != 0 {
		t.Errorf("stock is %d, want 0", stock)
	}
	database.CheckBooks(t)
}
