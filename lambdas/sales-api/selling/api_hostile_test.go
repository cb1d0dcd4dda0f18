package selling

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/internal/web/webtest"
	"restock/lambdas/journal"
)

// injections are texts that would change a SQL statement if the code pasted them into it.
var injections = []string{
	`' OR '1'='1`, `CP-502101' -- `, `CP-502101'; DROP TABLE sale; -- `, `" OR ""="`, `\' OR 1=1 #`, `CP-502101\`, `%`,
	`_P-502101`, `0x43502d353032313031`, `1 UNION SELECT * FROM factory`, "CP-502101\x00", `CP-502101'/*`,
	"\xbf\x27 OR 1=1 -- ", // a quote after half a character of some encodings
}

func TestSQLInRequestsIsText(t *testing.T) {
	handler, database, _ := open(t)
	schema := func() int {
		return database.Number(t, `SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()`)
	}
	before := schema()
	for _, text := range injections {
		path := "/products/" + strings.ReplaceAll(text, "/", "")
		got := webtest.Do(t, handler, webtest.Request{Method: http.MethodGet, Path: path})
		if got.Status != http.StatusNotFound {
			t.Errorf("GET %q: got %d %s, want 404", path, got.Status, got.Body)
		}
		body, err := json.Marshal(map[string]any{"sku": text})
		if err != nil {
			t.Fatal(err)
		}
		got = webtest.Do(t, handler, webtest.Request{Method: http.MethodPost, Path: "/checkout", Body: string(body)})
		if got.Status != http.StatusNotFound || got.Field(t, "code") != "unknown_product" {
			t.Errorf("a checkout of %q: got %d %s, want 404 unknown_product", text, got.Status, got.Body)
		}
	}
	if stock := database.Stock(t); stock != 3 {
		t.Errorf("stock is %d, want 3", stock)
	}

	// A key may be any printable ASCII. Each key is stored unchanged, and a repetition finds its
	// sale.
	database.SetStock(t, 100)
	keys := 0
	for _, key := range injections {
		buy := func() webtest.Answer {
			header := map[string]string{"Idempotency-Key": key}
			return webtest.Do(t, handler, webtest.Request{Method: http.MethodPost, Path: "/checkout", Header: header})
		}
		first, again := buy(), buy()
		if !printable.MatchString(key) {
			if first.Status != http.StatusBadRequest || first.Field(t, "code") != "invalid_idempotency_key" {
				t.Errorf("the key %q: got %d %s, want 400", key, first.Status, first.Body)
			}
			continue
		}
		keys++
		if first.Status != http.StatusOK || again.Body != first.Body {
			t.Errorf("the key %q: got %d %s, and then %s; want one sale", key, first.Status, first.Body, again.Body)
		}
		if kept := database.Number(t, `SELECT COUNT(*) FROM sale WHERE idempotency_key = ?`, key); kept != 1 {
			t.Errorf("the key %q is stored %d times, want once", key, kept)
		}
	}
	if sales := database.Number(t, `SELECT COUNT(*) FROM sale`); sales != keys {
		t.Errorf("there are %d sales, want %d", sales, keys)
	}
	if after := schema(); after != before {
		t.Errorf("the schema has %d columns, want %d", after, before)
	}
	database.CheckBooks(t)
}

func TestTextsThatLookLikeASKUAreRefused(t *testing.T) {
	handler, database, _ := open(t)
	for _, sku := range []string{
		"cp-502101", " CP-502101", "CP-502101 ", "CP-502101\t", "CP-502101\n", "CP-502101\x00", "\ufeffCP-502101",
		"CP-50210１",       // a full-width digit
		"СР-502101",       // Cyrillic
		"CP-502101\u200b", // a zero-width space
		"CP\u2010502101",  // another hyphen
		"C\u0301P-502101", // a combining accent
		"\u202eCP-502101", // a right-to-left override
		"CP-502101/", "./CP-502101", "CP-502101%00", "%43P-502101",
	} {
		body, err := json.Marshal(map[string]any{"sku": sku})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []webtest.Request{
			{Method: http.MethodPost, Path: "/checkout", Body: string(body)},
			{Method: http.MethodGet, Path: "/products/" + sku},
		} {
			if got := webtest.Do(t, handler, r); got.Status != http.StatusNotFound {
				t.Errorf("%s %q of %q: got %d %s, want 404", r.Method, r.Path, sku, got.Status, got.Body)
			}
		}
	}
	if stock := database.Stock(t); stock != 3 {
		t.Errorf("stock is %d, want 3", stock)
	}
}

func TestExpensiveBodiesAreRefused(t *testing.T) {
	handler, database, _ := open(t)
	for name, body := range map[string]string{
		"deep lists":            `{"sku":` + strings.Repeat("[", 16000),
		"deep lists, closed":    `{"sku":` + strings.Repeat("[", 8000) + strings.Repeat("]", 8000) + `}`,
		"deep objects":          strings.Repeat(`{"sku":`, 2000),
		"an unknown deep field": `{"x":` + strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat("}", 2000) + `}`,
		"many fields":           `{` + strings.Repeat(`"x":1,`, 2000) + `"sku":"CP-502101"}`,
		"a long number":         `{"quantity":` + strings.Repeat("9", 16000) + `}`,
		"a long number of 1":    `{"quantity":1` + strings.Repeat("0", 300) + `e-300}`,
		"a field twice":         `{"quantity":1,"quantity":1}`,
		"a field in two cases":  `{"quantity":1,"Quantity":1}`,
		"a megabyte":            `{"sku":"` + strings.Repeat("x", 1<<20) + `"}`,
		"a megabyte of spaces":  strings.Repeat(" ", 1<<20) + `{}`,
		"an encoding":           "\xff\xfe{\x00}\x00",
		"a byte order mark":     "\ufeff{}",
	} {
		got := webtest.Do(t, handler, webtest.Request{Method: http.MethodPost, Path: "/checkout", Body: body})
		if got.Status != http.StatusBadRequest || len(got.Body) > 1000 {
			t.Errorf("%s: got %d %.300s, want 400 with a short body", name, got.Status, got.Body)
		}
	}
	if stock := database.Stock(t); stock != 3 {
		t.Errorf("stock is %d, want 3", stock)
	}
}

// An HTTP API joins repeated headers with a comma and sends names in lower case, so the function
// never gets a header twice.
func TestSmuggledHeadersHaveNoEffect(t *testing.T) {
	handler, database, _ := open(t)
	buy := func(header map[string]string) webtest.Answer {
		return webtest.Do(t, handler, webtest.Request{Method: http.MethodPost, Path: "/checkout", Header: header})
	}
	got := buy(map[string]string{"idempotency-key": "a\r\nidempotency-key: b"})
	if got.Status != http.StatusBadRequest {
		t.Errorf("a key that contains another header: got %d %s, want 400", got.Status, got.Body)
	}
	got = buy(map[string]string{"idempotency-key": "a,b"})
	if got.Status != http.StatusBadRequest || got.Field(t, "code") != "invalid_idempotency_key" {
		t.Errorf("two keys: got %d %s, want 400 invalid_idempotency_key", got.Status, got.Body)
	}
	for name, value := range map[string]string{
		"x-http-method-override": "DELETE", "x-original-url": "/products", "x-rewrite-url": "/products",
		"content-length": "5", "transfer-encoding": "chunked", "x-forwarded-host": "elsewhere",
		"x-lambda-http-content": "x",
	} {
		header := map[string]string{name: value}
		got := webtest.Do(t, handler, webtest.Request{Method: http.MethodGet, Path: "/product/donut", Header: header})
		if got.Status != http.StatusOK || got.Field(t, "sku") != mysqltest.Donut {
			t.Errorf("with %s: %s: got %d %s, want the doughnut", name, value, got.Status, got.Body)
		}
	}
	database.CheckBooks(t)
}

func TestRequestsCannotForgeLinesOfTheLog(t *testing.T) {
	database := mysqltest.New(t, 1)
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	handler, err := NewAPI(shop.Open(database.Store, &orders{}, journal.New(log, "restock/test")), log)
	if err != nil {
		t.Fatal(err)
	}
	if err := database.DB.Close(); err != nil { // every request fails now, so each one is logged
		t.Fatal(err)
	}
	forged := "x\n" + `{"level":"ERROR","msg":"production order failed"}` + "\r\x1b[2J\u2028"
	body, err := json.Marshal(map[string]any{"sku": "CP-502101", "quantity": 1})
	if err != nil {
		t.Fatal(err)
	}
	requests := []webtest.Request{
		{Method: http.MethodGet, Path: "/products/" + forged},
		{Method: http.MethodGet, Path: "/products/CP-502101", Query: url.QueryEscape(forged),
			Header: map[string]string{"user-agent": forged}},
		{Method: http.MethodPost, Path: "/checkout", Body: string(body),
			Header: map[string]string{"accept-language": forged}},
	}
	for _, r := range requests {
		webtest.Do(t, handler, r)
	}
	for line := range bytes.Lines(out.Bytes()) {
		var read struct {
			Message string `json:"msg"`
		}
		err := json.Unmarshal(line, &read)
		if err != nil || read.Message != "request failed" ||
			bytes.ContainsAny(bytes.TrimSuffix(line, []byte("\n")), "\r\n\x1b") {
			t.Errorf("the log has the line %q", line)
		}
	}
	if out.Len() == 0 {
		t.Error("nothing was logged, so the test checked nothing")
	}
}
