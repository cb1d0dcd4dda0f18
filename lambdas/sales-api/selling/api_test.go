package selling

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/internal/web"
	"restock/internal/web/webtest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// orders records the published orders.
type orders []shop.ProductionOrder

func (o *orders) Publish(_ context.Context, order shop.ProductionOrder) error {
	*o = append(*o, order)
	return nil
}

func open(tb testing.TB) (http.Handler, *mysqltest.Database, *orders) {
	tb.Helper()
	database, published := mysqltest.New(tb, 1), &orders{}
	log := slog.New(slog.DiscardHandler)
	handler, err := NewAPI(shop.Open(database.Store, published, shop.Discard), log)
	if err != nil {
		tb.Fatal(err)
	}
	return handler, database, published
}

// The header of buyers who get the shop's first language.
var first = map[string]string{}

// said returns a message in the shop's first language.
func said(m web.Message, stock int) string { return m.WithStock(web.Languages()[0], stock) }

var english = map[string]string{"Accept-Language": "en-GB,en;q=0.8"}

// saidInEnglish returns a message in English.
func saidInEnglish(m web.Message, stock int) string {
	all := web.Languages()
	return m.WithStock(all[slices.IndexFunc(all, func(l web.Language) bool { return l.Tag == "en" })], stock)
}

func TestRoutesAnswerExistingClients(t *testing.T) {
	handler, _, _ := open(t)
	for _, c := range []struct {
		request webtest.Request
		status  int
		want    string // in the body
	}{
		{webtest.Request{Method: "GET", Path: "/"}, 200, "<!doctype html>"},
		{webtest.Request{Method: "GET", Path: "/openapi.json"}, 200, `"openapi": "3.0.3"`},
		{webtest.Request{Method: "GET", Path: "/product/donut"}, 200,
			`"sku":"CP-502101","name":"부산도너츠","names":{"en":"Busan doughnut"},"price":19900,"currency":"` +
				shop.Currency + `","stock":3,"automatic":true}`},
		{webtest.Request{Method: "GET", Path: "/products/CP-502101"}, 200, `"name":"부산도너츠"`},
		{webtest.Request{Method: "GET", Path: "/products/CP-502103"}, 200, `"automatic":false`},
		{webtest.Request{Method: "GET", Path: "/products"}, 200,
			`{"products":[{"product_id":"0188d6a8-f000-7000-8000-00000000cb01","sku":"CP-502101"`},
		{webtest.Request{Method: "GET", Path: "/products/CP-000000"}, 404,
			`"message":"` + said("unknown_product", 0) + `","code":"unknown_product"`},
		{webtest.Request{Method: "GET", Path: "/products/CP-000000", Header: english}, 404,
			`"message":"` + saidInEnglish("unknown_product", 0)},
		{webtest.Request{Method: "GET", Path: "/nowhere"}, 404, `{"error":"Not Found"}`},
		{webtest.Request{Method: "GET", Path: "//products"}, 404, `{"error":"Not Found"}`},
		{webtest.Request{Method: "GET", Path: "/products/"}, 404, `{"error":"Not Found"}`},
		{webtest.Request{Method: "POST", Path: "/a/../checkout"}, 404, `{"error":"Not Found"}`},
		// An HTTP API decodes /products/100%25 to this path.
		{webtest.Request{Method: "GET", Path: "/products/100%"}, 404, `unknown_product`},
		{webtest.Request{Method: "GET", Path: "/products/a?b#c"}, 404, `there is no product \"a?b#c\"`},
		{webtest.Request{Method: "GET", Path: "/products/CP-502101",
			Header: map[string]string{"Accept-Language": "fr-FR,en;q=0.8"}}, 200, `"sku":"CP-502101"`},
		{webtest.Request{Method: "GET", Path: "/products/x",
			Header: map[string]string{"Accept-Language": "fr-FR,en;q=0.8"}}, 404,
			saidInEnglish("unknown_product", 0)},
		{webtest.Request{Method: "GET", Path: "/checkout"}, 404, `{"error":"Not Found"}`},
		{webtest.Request{Method: "DELETE", Path: "/products"}, 404, `{"error":"Not Found"}`},
	} {
		got := webtest.Do(t, handler, c.request)
		if got.Status != c.status || !strings.Contains(strings.ToLower(got.Body), strings.ToLower(c.want)) {
			t.Errorf("%s %s: got %d %.300s, want %d and %s",
				c.request.Method, c.request.Path, got.Status, got.Body, c.status, c.want)
		}
	}
}

func TestBuyersBuyUntilTheProductIsSoldOut(t *testing.T) {
	handler, database, published := open(t)
	for _, c := range []struct {
		header  map[string]string
		body    string
		status  int
		message string
		stock   float64
	}{
		{first, ``, 200, said(web.Bought, 2), 2},
		{english, `{}`, 200, saidInEnglish(web.Bought, 1), 1},
		{first, `{"sku": "CP-502101", "quantity": 2}`, 409, said(web.NotBought, 1), 1},
		{first, `{"sku": "CP-502101", "quantity": 1}`, 200, said(web.Bought, 0), 0},
		{first, ``, 409, said(web.NotBought, 0), 0},
		{english, ``, 409, saidInEnglish(web.NotBought, 0), 0},
	} {
		got := webtest.Do(t, handler,
			webtest.Request{Method: "POST", Path: "/checkout", Header: c.header, Body: c.body})
		if got.Status != c.status || got.Field(t, "message") != c.message || got.Field(t, "stock") != c.stock {
			t.Errorf("checkout of %q: got %d %s, want %d, %q and stock %v",
				c.body, got.Status, got.Body, c.status, c.message, c.stock)
		}
		if c.status == 409 && got.Field(t, "code") != "out_of_stock" {
			t.Errorf("checkout of %q: code is %v", c.body, got.Field(t, "code"))
		}
	}
	if len(*published) != 1 {
		t.Errorf("published %+v, want one order", *published)
	}
	database.CheckBooks(t)
}

func TestBadCheckoutsAreRefusedAndSellNothing(t *testing.T) {
	handler, database, _ := open(t)
	for _, c := range []struct {
		body   string
		status int
		code   string
	}{
		{`{"sku": "CP-502101", "quantity":`, 400, "invalid_request"},
		{`donut`, 400, "invalid_request"},
		{`[1]`, 400, "invalid_request"},
		{`null`, 400, "invalid_request"},
		{`{"sku": 5}`, 400, "invalid_request"},
		{`{"quantity": "x", "sku": null}`, 400, "invalid_quantity"},
		{`{"quantity": 1, "quantity": 2}`, 400, "invalid_request"},
		{`{"sku": null}`, 400, "invalid_request"},
		{`{"quantity": null}`, 400, "invalid_quantity"},
		{`{"sku": "CP-502101 "}`, 404, "unknown_product"},
		{`{"sku": "CP-502101", "qty": 2}`, 400, "invalid_request"},
		{`{"quantity": 1}{"quantity": 1}`, 400, "invalid_request"},
		{`{"sku": "` + strings.Repeat("x", 20<<10) + `"}`, 400, "invalid_request"},
		{`{"sku": "CP-000000"}`, 404, "unknown_product"},
		{`{"sku": ""}`, 404, "unknown_product"},
		{`{"sku": "도너츠"}`, 404, "unknown_product"},
		{`{"quantity": 0}`, 400, "invalid_quantity"},
		{`{"quantity": -1}`, 400, "invalid_quantity"},
		{`{"quantity": 1.5}`, 400, "invalid_quantity"},
		{`{"quantity": "2"}`, 400, "invalid_quantity"},
		{`{"quantity": 2147483648}`, 400, "invalid_quantity"},
		{`{"quantity": 99999999999999999999}`, 400, "invalid_quantity"},
		{`{"quantity": 2147483647}`, 409, "out_of_stock"},
		{`{"quantity": 4}`, 409, "out_of_stock"},
	} {
		got := webtest.Do(t, handler, webtest.Request{Method: "POST", Path: "/checkout", Body: c.body})
		if got.Status != c.status || got.Field(t, "code") != c.code || got.Field(t, "message") == "" {
			t.Errorf("checkout of %.60s: got %d %s, want %d and code %s",
				c.body, got.Status, got.Body, c.status, c.code)
		}
	}
	if stock := database.Stock(t); stock != 3 {
		t.Errorf("stock is %d, want 3", stock)
	}
	database.CheckBooks(t)
}

func TestIdempotencyKey(t *testing.T) {
	handler, database, _ := open(t)
	buy := func(key, body string) webtest.Answer {
		header := map[string]string{"Idempotency-Key": key}
		return webtest.Do(t, handler, webtest.Request{Method: "POST", Path: "/checkout", Header: header, Body: body})
	}
	first, again := buy("one click", ""), buy("one click", "")
	if first.Status != 200 || again.Body != first.Body {
		t.Errorf("a repeated checkout: got %d %s, want the first answer, %d %s",
			again.Status, again.Body, first.Status, first.Body)
	}
	reused := buy("one click", `{"quantity": 2}`)
	if reused.Status != 422 || reused.Field(t, "code") != "idempotency_key_reused" {
		t.Errorf("another purchase with the key: got %d %s, want 422", reused.Status, reused.Body)
	}
	if other := buy("one click; twice", ""); other.Status != 200 || other.Body == first.Body {
		t.Errorf("a key that begins like the first one: got %d %s, want another sale", other.Status, other.Body)
	}
	for _, key := range []string{"열쇠", "", " ", "Z1,Z1", "one click,one click", "one click, one click"} {
		if got := buy(key, ""); got.Status != 400 || got.Field(t, "code") != "invalid_idempotency_key" {
			t.Errorf("the key %q: got %d %s, want 400 invalid_idempotency_key", key, got.Status, got.Body)
		}
	}
	if stock := database.Stock(t); stock != 1 {
		t.Errorf("stock is %d, want 1", stock)
	}
}

func TestUnreachableDatabaseIsAnswered503(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close() // nothing listens on the port now
	db, err := mysql.Open(mysql.Config{
		Host: "127.0.0.1", Port: port, Name: "restock", MaxConnections: 1,
		Credentials: func(context.Context, int) (string, string, error) { return "user", "password", nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	checkUnavailable(t, mysql.NewStore(db))
}

func TestUnreadableCredentialsAreAnswered503AndStaySecret(t *testing.T) {
	unreadable := func(context.Context, int) (string, string, error) { return "", "", errors.New("internal detail") }
	db, err := mysql.Open(mysql.Config{
		Host: "127.0.0.1", Port: 1, Name: "restock", MaxConnections: 1, Credentials: unreadable,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	checkUnavailable(t, mysql.NewStore(db))
}

func checkUnavailable(t *testing.T, store *mysql.Store) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	handler, err := NewAPI(shop.Open(store, &orders{}, shop.Discard), log)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []webtest.Request{
		{Method: "GET", Path: "/product/donut"}, {Method: "GET", Path: "/products"},
		{Method: "POST", Path: "/checkout"}, {Method: "GET", Path: "/sales/0198c5a0-0000-7000-8000-000000000000"},
	} {
		got := webtest.Do(t, handler, r)
		if got.Status != 503 || got.Field(t, "message") != said("unavailable", 0) ||
			got.Field(t, "code") != "unavailable" ||
			got.Header["Retry-After"] == "" {
			t.Errorf("%s %s: got %d %s %v, want 503 with Retry-After",
				r.Method, r.Path, got.Status, got.Body, got.Header)
		}
		if strings.Contains(got.Body, "internal detail") || strings.Contains(got.Body, "127.0.0.1") {
			t.Errorf("%s %s: the answer shows internal details: %s", r.Method, r.Path, got.Body)
		}
	}
}

func TestABuyerFindsASaleByItsID(t *testing.T) {
	handler, database, published := open(t)
	bought := webtest.Do(t, handler,
		webtest.Request{Method: "POST", Path: "/checkout", Body: `{"sku": "CP-502101", "quantity": 3}`})
	sale, _ := bought.Field(t, "sale_id").(string)
	database.Exec(t, `UPDATE product SET price = price + 1 WHERE sku = ?`, donut)
	got := webtest.Do(t, handler, webtest.Request{Method: "GET", Path: "/sales/" + sale})
	soldAt, _ := got.Field(t, "sold_at").(string)
	at, err := time.Parse(time.RFC3339Nano, soldAt)
	if err != nil || time.Since(at).Abs() > time.Hour || got.Status != 200 || got.Field(t, "sale_id") != sale ||
		got.Field(t, "sku") != donut || got.Field(t, "name") != "부산도너츠" || got.Field(t, "quantity") != 3.0 ||
		got.Field(t, "unit_price") != 19900.0 || got.Field(t, "currency") != shop.Currency {
		t.Errorf("got %d %s, want three doughnuts, sold now at the price of then", got.Status, got.Body)
	}
	order := (*published)[0].ID
	_, err = shop.Open(database.Store, published, shop.Discard).Receive(t.Context(), shop.Delivery{
		ProductionOrderID: order, AttemptID: uuid.Max, SKU: donut, Quantity: 1, Signed: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	// The receipt refers to the order as a sale's movement does to the sale.
	for _, id := range []string{
		"7", "0198c5a0-0000-7000-8000-000000000000", order.String(), sale + "0", "' OR 1=1 --",
	} {
		got := webtest.Do(t, handler, webtest.Request{Method: "GET", Path: "/sales/" + id})
		if got.Status != 404 || got.Field(t, "code") != "unknown_sale" {
			t.Errorf("the sale %q: got %d %s, want 404 unknown_sale", id, got.Status, got.Body)
		}
	}
}

func TestABuyerWaitsForASoldOutProduct(t *testing.T) {
	handler, database, published := open(t)
	path := "/products/" + donut + "/waitlist"
	join := func(path, key string) webtest.Answer {
		return webtest.Do(t, handler, webtest.Request{
			Method: "POST", Path: path, Header: map[string]string{"Idempotency-Key": key},
		})
	}
	for _, c := range []struct {
		path, key string
		status    int
		code      string
	}{
		{path, "k", 409, "in_stock"},
		{path, "k,k", 400, "invalid_idempotency_key"},
		{"/products/CP-0/waitlist", "k", 404, "unknown_product"},
	} {
		if got := join(c.path, c.key); got.Status != c.status || got.Field(t, "code") != c.code {
			t.Errorf("POST %s with the key %q: got %d %s, want %d %s",
				c.path, c.key, got.Status, got.Body, c.status, c.code)
		}
	}
	database.SetStock(t, 0)
	first, second, again := join(path, "1"), join(path, "2"), join(path, "2")
	if first.Status != 200 || first.Field(t, "place") != 1.0 || second.Field(t, "place") != 2.0 ||
		second.Field(t, "state") != "waiting" || again.Body != second.Body {
		t.Errorf("got %s, %s and again %s, want the first and the second place", first.Body, second.Body, again.Body)
	}
	check := func(joined webtest.Answer, state string, place any) {
		t.Helper()
		got := webtest.Do(t, handler,
			webtest.Request{Method: "GET", Path: "/waitlist/" + joined.Field(t, "entry_id").(string)})
		_, answered := got.Field(t, "back_at").(string)
		if got.Status != 200 || got.Field(t, "state") != state || got.Field(t, "place") != place ||
			answered != (state == "back") || got.Header["Cache-Control"] != "no-store" {
			t.Errorf("got %d %s, want the state %s, the place %v, no-store", got.Status, got.Body, state, place)
		}
	}
	check(second, "waiting", 2.0)
	_, err := shop.Open(database.Store, published, shop.Discard).Adjust(t.Context(),
		shop.Adjustment{SKU: donut, Quantity: 1, Reason: "found"})
	if err != nil {
		t.Fatal(err)
	}
	check(first, "back", nil)
	check(second, "waiting", 1.0)
	database.Exec(t, `UPDATE waitlist SET expires_at = UTC_TIMESTAMP(6)`)
	check(second, "expired", nil)
	for _, id := range []string{"7", "0198c5a0-0000-7000-8000-000000000000"} {
		got := webtest.Do(t, handler, webtest.Request{Method: "GET", Path: "/waitlist/" + id})
		if got.Status != 404 || got.Field(t, "code") != "unknown_waitlist_entry" {
			t.Errorf("the place %s: got %d %s, want 404 unknown_waitlist_entry", id, got.Status, got.Body)
		}
	}
	database.CheckBooks(t)
}

// silent is a store whose checkouts have an unknown outcome.
type silent struct{ shop.Store }

func (silent) Checkout(context.Context, shop.Checkout) (shop.Decision, error) {
	return shop.Decision{}, &shop.Error{Code: shop.CodeOutcomeUnknown, Err: errors.New("read tcp 127.0.0.1:3306")}
}

func TestAnUnknownOutcomeAdvisesToRepeatWithTheSameKey(t *testing.T) {
	handler, err := NewAPI(shop.Open(silent{}, &orders{}, shop.Discard), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ language, key, message, detail string }{
		{"", "key", said("outcome_unknown", 0),
			"repeat the request with the same Idempotency-Key"},
		{"en", "key", "it may have been done. If you sent an Idempotency-Key, repeat the request with it",
			"repeat the request with the same Idempotency-Key"},
		{"en", "", "it may have been done.", "a repeated one may do it twice"},
	} {
		header := map[string]string{"Accept-Language": c.language}
		if c.key != "" {
			header["Idempotency-Key"] = c.key
		}
		got := webtest.Do(t, handler, webtest.Request{Method: "POST", Path: "/checkout", Header: header})
		message, _ := got.Field(t, "message").(string)
		detail, _ := got.Field(t, "detail").(string)
		if got.Status != 503 || got.Field(t, "code") != "outcome_unknown" || got.Header["Retry-After"] == "" ||
			!strings.Contains(message, c.message) || !strings.Contains(detail, c.detail) ||
			strings.Contains(got.Body, "3306") {
			t.Errorf("in %s, with the key %q: got %d %s %v, want 503 outcome_unknown with Retry-After, %q and %q",
				c.language, c.key, got.Status, got.Body, got.Header, c.message, c.detail)
		}
	}
}

func TestRefusalsSayWhenStockIsExpected(t *testing.T) {
	handler, _, _ := open(t)
	before := time.Now().Truncate(time.Second)
	buyAll := webtest.Do(t, handler,
		webtest.Request{Method: "POST", Path: "/checkout", Body: `{"sku": "CP-502101", "quantity": 3}`})
	if buyAll.Status != 200 {
		t.Fatalf("got %d %s", buyAll.Status, buyAll.Body)
	}
	for _, request := range []webtest.Request{
		{Method: "POST", Path: "/checkout"}, {Method: "GET", Path: "/product/donut"},
	} {
		got := webtest.Do(t, handler, request)
		text, _ := got.Field(t, "expected_at").(string)
		expected, err := time.Parse(time.RFC3339Nano, text)
		if lead := expected.Sub(before); err != nil || lead < 60*time.Second || lead > 120*time.Second {
			t.Errorf("%s %s: got %s, want an expected_at in a minute", request.Method, request.Path, got.Body)
		}
	}
}

func TestASaleAboveTheProductsLimitIsRefused(t *testing.T) {
	handler, database, _ := open(t)
	got := webtest.Do(t, handler,
		webtest.Request{Method: "POST", Path: "/checkout", Body: `{"sku": "CP-502103", "quantity": 6}`})
	if got.Status != 400 || got.Field(t, "code") != "invalid_quantity" || !strings.Contains(got.Body, "5") {
		t.Errorf("got %d %s, want 400 and the limit of 5", got.Status, got.Body)
	}
	database.CheckBooks(t)
}

// CloudFront gives one buyer's answer to all others. Its cache key holds neither the query nor the
// headers of a request, except Origin, so the answer must depend on none of them.
func TestSharedAnswersAreTheSameForEveryBuyer(t *testing.T) {
	handler, database, _ := open(t)
	for i, path := range []string{"/", "/openapi.json", "/products"} {
		get := func(query string, header map[string]string) webtest.Answer {
			return webtest.Do(t, handler, webtest.Request{Method: "GET", Path: path, Query: query, Header: header})
		}
		first := get("", first)
		if got := first.Header["Cache-Control"]; got != "public, max-age=1, stale-if-error=30" {
			t.Errorf("GET %s: Cache-Control is %q", path, got)
		}
		for _, other := range []webtest.Answer{
			get("", english), get("language=en&page=2", english),
			get("", map[string]string{"Cookie": "a=b", "Authorization": "Bearer x", "Accept": "text/plain"}),
		} {
			if other.Body != first.Body || other.Header["Etag"] != first.Header["Etag"] {
				t.Errorf("GET %s: got %.100q and %.100q, want the same for every buyer", path, first.Body, other.Body)
			}
		}
		same := map[string]string{"If-None-Match": first.Header["Etag"]}
		if got := get("", same); got.Status != 304 || got.Body != "" || got.Header["Etag"] != first.Header["Etag"] {
			t.Errorf("GET %s, the same ETag: got %d %.100q, want 304 without a body", path, got.Status, got.Body)
		}
		database.SetStock(t, 10+i)
		want := map[string]int{"/": 304, "/openapi.json": 304, "/products": 200}[path]
		if got := get("", same); got.Status != want {
			t.Errorf("GET %s after a change of the stock: got %d, want %d", path, got.Status, want)
		}
	}
}

func TestAnswersForOneBuyerAreNotShared(t *testing.T) {
	handler, _, _ := open(t)
	for _, r := range []webtest.Request{
		{Method: "POST", Path: "/checkout"}, {Method: "GET", Path: "/products/CP-502101"},
		{Method: "GET", Path: "/products/CP-0"}, {Method: "GET", Path: "/nowhere"},
		{Method: "GET", Path: "/sales/" + webtest.Do(t, handler,
			webtest.Request{Method: "POST", Path: "/checkout"}).Field(t, "sale_id").(string)},
	} {
		if got := webtest.Do(t, handler, r); got.Header["Cache-Control"] != "no-store" {
			t.Errorf("%s %s: Cache-Control is %q, want no-store", r.Method, r.Path, got.Header["Cache-Control"])
		}
	}
}

func TestAnArchivedProductIsNotListed(t *testing.T) {
	handler, database, _ := open(t)
	database.Exec(t, `UPDATE product SET archived_at = UTC_TIMESTAMP(6) WHERE sku = ?`, donut)
	for path, want := range map[string]string{
		"/products":          `{"products":[{"product_id":"0188d6a8-f000-7000-8000-00000000cb02"`,
		"/products/" + donut: "unknown_product", "/product/donut": "unknown_product",
	} {
		got := webtest.Do(t, handler, webtest.Request{Method: "GET", Path: path})
		if !strings.Contains(got.Body, want) || strings.Contains(got.Body, `"sku":"`+donut) {
			t.Errorf("%s: got %s, want %s, and no archived product", path, got.Body, want)
		}
	}
}
