package managing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"restock/internal/mysql"
	"restock/internal/shop"
	"restock/internal/web"
	"restock/internal/web/webtest"
	"restock/lambdas"
)

// with returns the cake with one field changed or added.
func with(field, value string) string {
	for _, part := range strings.Split(strings.Trim(cake, "{}"), ",") {
		if strings.HasPrefix(part, `"`+field+`":`) {
			return strings.Replace(cake, part, `"`+field+`":`+value, 1)
		}
	}
	return strings.TrimSuffix(cake, "}") + `,"` + field + `":` + value + `}`
}

// without returns the cake without a field.
func without(field string) string {
	isField := func(part string) bool { return strings.HasPrefix(part, `"`+field+`":`) }
	parts := slices.DeleteFunc(strings.Split(strings.Trim(cake, "{}"), ","), isField)
	return "{" + strings.Join(parts, ",") + "}"
}

// A badRequest is a request that the API refuses with a status, a code and a detail.
type badRequest struct {
	request, body string
	header        map[string]string
	status        int
	code, says    string
}

func badRequests() []badRequest {
	const (
		create, change         = "POST " + products, "PATCH " + donut
		adjust, ledger         = "POST " + donut + "/adjustments", "GET " + donut + "/ledger"
		list, one              = "GET " + productionOrders, "GET " + productionOrders + "/"
		openOne, cancel        = "POST " + productionOrders, "POST " + productionOrders + "/"
		imports, sold, told    = "POST /merchant/imports", "GET /merchant/sales", "GET /merchant/notices"
		request, product       = "invalid_request", "invalid_product"
		quantity, reason       = "invalid_quantity", "invalid_reason"
		invalidKey, adjustment = "invalid_idempotency_key", `{"quantity":1,"reason":"x"}`
	)
	long := strings.Repeat("x", 1000)
	withKey := func(key string) map[string]string { return map[string]string{"Idempotency-Key": key} }
	all := []badRequest{
		{"GET " + products + "?sku=x", "", nil, 400, request, `no parameter \"sku\"`},

		{create, with("sku", `"도너츠"`), nil, 400, product, "the SKU is"},
		{create, with("sku", `""`), nil, 400, product, "the SKU is"},
		{create, with("sku", `"a b"`), nil, 400, product, "the SKU is"},
		{create, with("sku", `"`+long+`"`), nil, 400, product, "the SKU is"},
		{create, with("sku", `"CP-502101"`), nil, 409, "product_exists", ""},
		{create, with("name", `""`), nil, 400, product, "the name is"},
		{create, with("name", `" 케이크"`), nil, 400, product, "the name is"},
		{create, with("name", `"a\nb"`), nil, 400, product, "the name is"},
		{create, with("name", `"`+long+`"`), nil, 400, product, "the name is"},
		{create, with("name", `"부산도너츠"`), nil, 409, "product_exists", ""},
		{create, with("price", `-1`), nil, 400, product, "the price is -1"},
		{create, with("price", `9007199254740993`), nil, 400, product, "the price is 9007199254740993"},
		{create, with("factory", `"FF-0"`), nil, 422, "unknown_factory", "FF-0"},
		{create, with("factory", `""`), nil, 422, "unknown_factory", ""},
		{create, with("stock", `-1`), nil, 400, product, "the stock is -1"},
		{create, with("bins", `0`), nil, 400, product, "the number of bins is 0"},
		{create, with("bins", `65`), nil, 400, product, "the number of bins is 65"},
		{create, with("max_per_sale", `-1`), nil, 400, product, "the limit per sale is -1"},
		{create, with("reorder_point", `-1`), nil, 400, product, "the reorder point is -1"},
		{create, with("reorder_point", `20`), nil, 400, product, "above the reorder point, 20"},
		{create, with("order_up_to", `0`), nil, 400, product, "the order-up-to level is 0"},
		{create, with("lot_size", `0`), nil, 400, product, "the lot size is 0"},
		{create, with("minimum_order", `-1`), nil, 400, product, "the minimum order is -1"},
		{create, with("minimum_order", `2000000000`), nil, 400, product, "the minimum order is 2000000000"},
		{create, with("lead_time_seconds", `0`), nil, 400, product, "the lead time is 0s"},
		{create, with("lead_time_seconds", `-90`), nil, 400, product, "the lead time is -1m30s"},
		// This many seconds overflow 63 bits of nanoseconds.
		{create, with("lead_time_seconds", `9223372037`), nil, 400, request,
			"the field lead_time_seconds is 9223372037"},
		{create, with("product_id", `"`+unknown+`"`), nil, 400, request, `no field \"product_id\"`},

		{change, `{}`, nil, 400, product, "the request changes nothing"},
		{change, ``, nil, 400, product, "the request changes nothing"},
		{change, `{"sku":"CP-2"}`, nil, 400, request, `no field \"sku\"`},
		{change, `{"stock":5}`, nil, 400, request, `no field \"stock\"`},
		{change, `{"price":-1}`, nil, 400, product, "the price is -1"},
		{change, `{"bins":0}`, nil, 400, product, "the number of bins is 0"},
		{change, `{"bins":65}`, nil, 400, product, "the number of bins is 65"},
		{change, `{"name":""}`, nil, 400, product, "the name is"},
		{change, `{"factory":"FF-0"}`, nil, 422, "unknown_factory", ""},
		{change, `{"reorder_point":100}`, nil, 400, product, "above the reorder point, 100"},
		{change, `{"lot_size":0}`, nil, 400, product, "the lot size is 0"},
		{change, `{"lead_time_seconds":0}`, nil, 400, product, "the lead time is 0s"},
		{change, `{"lead_time_seconds":9223372037}`, nil, 400, request, "the field lead_time_seconds is 9223372037"},
		{"PATCH " + products + "/CP-0", `{"price":1}`, nil, 404, "unknown_product", ""},
		{"PATCH " + products + "/도너츠", `{"price":1}`, nil, 404, "unknown_product", ""},
		{"PATCH " + products + "/" + long, `{"price":1}`, nil, 404, "unknown_product", ""},

		{adjust, `{"quantity":-1}`, nil, 400, request, "the field reason is missing"},
		{adjust, `{"reason":"x"}`, nil, 400, request, "the field quantity is missing"},
		{adjust, `{"quantity":0,"reason":"x"}`, nil, 400, quantity, "the quantity is 0"},
		{adjust, `{"quantity":2147483648,"reason":"x"}`, nil, 400, quantity, "the quantity is 2147483648"},
		{adjust, `{"quantity":-2147483648,"reason":"x"}`, nil, 400, quantity, "the quantity is -2147483648"},
		{adjust, `{"quantity":-4,"reason":"x"}`, nil, 409, "out_of_stock", "3 of CP-502101 are on hand"},
		{adjust, `{"quantity":1,"reason":""}`, nil, 400, reason, "the reason is"},
		{adjust, `{"quantity":1,"reason":" "}`, nil, 400, reason, "the reason is"},
		{adjust, `{"quantity":1,"reason":"a\tb"}`, nil, 400, reason, "the reason is"},
		{adjust, `{"quantity":1,"reason":"` + long + `"}`, nil, 400, reason, "the reason is"},
		{adjust, adjustment, withKey("열쇠"), 400, invalidKey, "printable ASCII"},
		{adjust, adjustment, withKey(long), 400, invalidKey, "1000 bytes"},
		{adjust, adjustment, withKey(""), 400, invalidKey, "the header is blank"},
		{adjust, adjustment, withKey(" "), 400, invalidKey, "the header is blank"},
		{adjust, adjustment, withKey("Z1,Z1"), 400, invalidKey, "more than one key"},
		{"POST " + products + "/CP-0/adjustments", adjustment, nil, 404, "unknown_product", ""},

		{adjust, `{"quantity":1,"to":5,"reason":"x"}`, nil, 400, request, "both fields quantity and to"},
		{adjust, `{"to":-1,"reason":"x"}`, nil, 400, quantity, "the counted stock is -1"},
		{adjust, `{"to":2147483648,"reason":"x"}`, nil, 400, quantity, "the counted stock is 2147483648"},
		{adjust + "/1/undo", "", nil, 404, "unknown_adjustment", "entry 1 in bin 0 of CP-502101 is not an adjustment"},
		{adjust + "/0/undo", "", nil, 400, request, "the number in the path"},
		{adjust + "/x/undo", "", nil, 400, request, "the number in the path"},
		{adjust + "/1/undo", `{"reason":"x"}`, nil, 400, request, `no field \"reason\"`},
		{"POST " + products + "/CP-0/adjustments/1/undo", "", nil, 404, "unknown_product", ""},

		{imports, `{}`, nil, 400, request, "the field csv is missing"},
		{imports, `{"csv":""}`, nil, 400, product, "line 1: it must name the columns"},
		{imports, `{"csv":"sku"}`, nil, 400, product, "there are 0 products"},
		{imports, `{"csv":"sku\n` + strings.Repeat(`x\n`, 201) + `"}`, nil, 400, product, "there are 201 products"},
		{imports, `{"csv":"name\nx"}`, nil, 400, product, "line 1: the column sku is missing"},
		{imports, `{"csv":"sku,sku\nx,x"}`, nil, 400, product, "line 1: the column sku appears twice"},
		{imports, `{"csv":"sku, SKU\nx,x"}`, nil, 400, product, "line 1: the column sku appears twice"},
		{imports, `{"csv":"sku,name\nx,\ufffd"}`, nil, 400, product, "line 2: it has characters that are not UTF-8"},
		{imports, `{"csv":"sku,color\nx,x"}`, nil, 400, product, `line 1: there is no column \"color\"`},
		{imports, `{"csv":"sku,price\nCP-502101,5\nCP-502102"}`, nil, 400, product, "line 3: it has 1 cells"},
		{imports, `{"csv":"sku,price\nCP-502101,\"5"}`, nil, 400, product, "line 2: extraneous or missing"},
		{imports, `{"csv":"sku,price\nCP-502101,1.5"}`, nil, 400, product, `line 2: price is \"1.5\"`},
		{imports, `{"csv":"sku,lead_time\nCP-502101,soon"}`, nil, 400, product, `line 2: lead_time is \"soon\"`},
		{imports, `{"csv":"sku,automatic\nCP-502101,perhaps"}`, nil, 400, product, `line 2: automatic is \"perhaps\"`},
		{imports, `{"csv":"sku,price\n,5"}`, nil, 400, product, "line 2: sku is empty"},
		{imports, `{"csv":"sku,price\nCP-502101,-5"}`, nil, 400, product, "line 2: the price is -5"},
		{imports, `{"csv":"sku,name\nCP-1,x"}`, nil, 400, product, "line 2: CP-1 is new, and its price is missing"},
		{imports, `{"csv":"sku,price\nCP-502101,5\nCP-502101,6"}`, nil, 400, product,
			"line 3: line 2 has CP-502101, too"},
		{imports, `{"csv":"sku,stock\nCP-502101,5"}`, nil, 400, product, "line 2: the stock of CP-502101 is 3, not 5"},
		{imports, `{"csv":"sku,factory\nCP-502101,FF-0"}`, nil, 400, product, `line 2: there is no factory \"FF-0\"`},
		{imports, `{"csv":"sku,name\nCP-502102,부산도너츠"}`, nil, 400, product, "line 2: CP-502101 has the name"},
		{imports, `{"csv":"sku\nCP-502101"}`, withKey("Z1,Z1"), 400, invalidKey, "more than one key"},
		{imports, `{"csv":"sku\nCP-502101"}`, withKey("열쇠"), 400, invalidKey, "printable ASCII"},

		{"GET /merchant/factories?x=1", "", nil, 400, request, `no parameter \"x\"`},
		{sold, "", nil, 400, request, "it must be a time like"},
		{sold + "?from=2026-11-28T00:00:00Z&to=yesterday", "", nil, 400, request, `the parameter to is \"yesterday\"`},
		{sold + "?from=2026-11-28T00:00:00Z&to=2026-11-28T00:00:00Z", "", nil, 400, request,
			"must be more than nothing"},
		{sold + "?from=2026-11-28T00:00:00Z&to=2027-11-30T00:00:00Z", "", nil, 400, request, "366 days at most"},
		{sold + "?from=0000-01-01T00:00:00Z&to=0000-01-02T00:00:00Z", "", nil, 400, request, "between the years"},
		{told + "?before=5", "", nil, 400, request, "the parameter before is"},
		{told + "?before=2026-11-28T00:00:00Z_x_5", "", nil, 400, request, "the parameter before is"},

		{list + "?prefix=xyz", "", nil, 400, request, "not the beginning of an id"},
		{list + "?prefix=-", "", nil, 400, request, "not the beginning of an id"},
		{list + "?prefix=" + unknown + "0", "", nil, 400, request, "not the beginning of an id"},

		{ledger + "?before=0", "", nil, 400, request, "the parameter before is"},
		{ledger + "?before=-1", "", nil, 400, request, "the parameter before is"},
		{ledger + "?before=" + unknown, "", nil, 400, request, "the parameter before is"},
		{ledger + "?before=99999999999999999999", "", nil, 400, request, "the parameter before is"},
		{"GET " + products + "/CP-0/ledger", "", nil, 404, "unknown_product", ""},

		{list + "?status=lost", "", nil, 400, request, "[open received short failed cancelled]"},
		{list + "?status=OPEN", "", nil, 400, request, "the status is"},
		{list + "?before=5", "", nil, 400, request, "the parameter before is"},
		{list + "?sku=CP-0", "", nil, 404, "unknown_product", ""},

		{one + unknown, "", nil, 404, "unknown_production_order", ""},
		{one + "5", "", nil, 400, request, "the order in the path is"},
		{one + "{" + unknown + "}", "", nil, 400, request, "the order in the path is"},
		{one + strings.ReplaceAll(unknown, "-", ""), "", nil, 400, request, "the order in the path is"},

		{openOne, `{}`, nil, 400, request, "the field sku is missing"},
		{openOne, `{"sku":"CP-0"}`, nil, 404, "unknown_product", ""},
		{openOne, `{"sku":"CP-0","quantity":1}`, nil, 404, "unknown_product", ""},
		{openOne, `{"sku":"CP-502101","quantity":0}`, nil, 400, quantity, "the quantity is 0"},
		{openOne, `{"sku":"CP-502101","quantity":-1}`, nil, 400, quantity, "the quantity is -1"},
		{openOne, `{"sku":"CP-502101","quantity":2147483648}`, nil, 400, quantity, "the quantity is 2147483648"},
		{openOne, `{"sku":"CP-502101","quantity":null}`, nil, 400, request, "the field quantity is null"},

		{cancel + unknown + "/cancellation", "", nil, 404, "unknown_production_order", ""},
		{cancel + "5/cancellation", "", nil, 400, request, "the order in the path is"},
		{cancel + unknown + "/cancellation", `{"reason":"x"}`, nil, 400, request, `no field \"reason\"`},
	}
	for _, field := range []string{"sku", "name", "price", "factory", "order_up_to"} {
		all = append(all, badRequest{create, without(field), nil, 400, request, "the field " + field + " is missing"})
	}
	for _, paged := range []string{ledger, list, told} {
		for _, query := range []string{
			"limit=0", "limit=101", "limit=-1", "limit=many", "limit=", "limit=5&limit=5", "after=5",
		} {
			name, _, _ := strings.Cut(query, "=")
			all = append(all, badRequest{paged + "?" + query, "", nil, 400, request, name})
		}
	}
	// Bodies and values of fields that no operation accepts.
	for _, operation := range []string{create, change, adjust, openOne, imports} {
		for _, body := range []string{
			`{`, `[]`, `null`, `price=5`, `{}{}`, `{"x":1}`, `{"name":"` + strings.Repeat(long, 20) + `"}`,
		} {
			all = append(all, badRequest{operation, body, nil, 400, request, "the"})
		}
	}
	for _, kind := range []struct{ fields, values []string }{
		{[]string{"name", "factory"}, []string{"5", "true", "{}", "null"}},
		{[]string{
			"price", "max_per_sale", "reorder_point", "order_up_to", "lot_size", "minimum_order", "lead_time_seconds",
		}, []string{`"5"`, "1.5", "1e30", "true", "[]", "null"}},
		{[]string{"automatic"}, []string{"1", `"true"`, "null"}},
	} {
		for _, field := range kind.fields {
			for _, value := range kind.values {
				says := "the field " + field + " is "
				all = append(all, badRequest{create, with(field, value), nil, 400, request, says},
					badRequest{change, `{"` + field + `":` + value + `}`, nil, 400, request, says})
			}
		}
	}
	return all
}

func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	o := open(t)
	state := func() string {
		return fmt.Sprintf("%s%d orders, %d published, %d ledger entries, %d adjustments",
			o.do("GET "+products, "", nil).Body,
			o.database.Number(t, `SELECT COUNT(*) FROM production_order`), len(*o.published),
			o.database.Number(t, `SELECT COUNT(*) FROM movement`),
			o.database.Number(t, `SELECT COUNT(*) FROM movement WHERE cause = 'adjustment'`))
	}
	before := state()
	for _, c := range badRequests() {
		got := o.do(c.request, c.body, c.header)
		if got.Status != c.status || got.Field(t, "code") != c.code || got.Field(t, "message") == "" ||
			!strings.Contains(got.Body, c.says) {
			t.Errorf("%.100s %.100s: got %d %s, want %d, the code %s and %q",
				c.request, c.body, got.Status, got.Body, c.status, c.code, c.says)
		}
	}
	if after := state(); after != before {
		t.Errorf("the state is\n%s\nwant it unchanged\n%s", after, before)
	}
}

func TestEveryRouteHasABadRequest(t *testing.T) {
	refused := map[string]bool{}
	for _, c := range badRequests() {
		method, target, _ := strings.Cut(c.request, " ")
		path, _, _ := strings.Cut(target, "?")
		for _, route := range lambdas.MerchantAPI.Routes {
			if matches(route, method, path) {
				refused[route] = true
			}
		}
	}
	for _, route := range lambdas.MerchantAPI.Routes {
		if !refused[route] {
			t.Errorf("no bad request tries %s", route)
		}
	}
}

// matches reports whether a route matches a request.
func matches(route, method, path string) bool {
	want, got := strings.Split(route, "/"), strings.Split(method+" "+path, "/")
	return len(want) == len(got) && !slices.ContainsFunc(want, func(segment string) bool {
		at := slices.Index(want, segment)
		return segment != got[at] && !strings.HasPrefix(segment, "{")
	})
}

func TestRefusalIsInTheMerchantsLanguage(t *testing.T) {
	o := open(t)
	for _, l := range web.Languages() {
		want := web.Message(shop.CodeUnknownFactory).Text(l)
		got := o.do("PATCH "+donut, `{"factory":"FF-0"}`, map[string]string{"Accept-Language": l.Tag})
		if got.Field(t, "message") != want {
			t.Errorf("language %s: got %s, want the message %q", l.Tag, got.Body, want)
		}
	}
}

func TestUnreachableDatabaseIsAnswered503(t *testing.T) {
	unreadable := func(context.Context, int) (string, string, error) { return "", "", errors.New("internal detail") }
	db, err := mysql.Open(mysql.Config{
		Host: "127.0.0.1", Port: 1, Name: "restock", MaxConnections: 1, Credentials: unreadable,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := shop.Open(mysql.NewStore(db), &orders{}, shop.Discard)
	handler, err := NewAPI(s, time.Minute, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []webtest.Request{
		{Method: "GET", Path: products},
		{Method: "POST", Path: products, Body: cake},
		{Method: "PATCH", Path: donut, Body: `{"price":1}`},
		{Method: "POST", Path: donut + "/adjustments", Body: `{"quantity":1,"reason":"x"}`},
		{Method: "GET", Path: donut + "/ledger"},
		{Method: "GET", Path: productionOrders},
		{Method: "GET", Path: productionOrders + "/" + unknown},
		{Method: "POST", Path: productionOrders, Body: `{"sku":"CP-502101"}`},
		{Method: "POST", Path: productionOrders + "/" + unknown + "/cancellation"},
	} {
		got := webtest.Do(t, handler, r)
		if got.Status != 503 || got.Field(t, "code") != "unavailable" || got.Header["Retry-After"] == "" ||
			strings.Contains(got.Body, "internal detail") {
			t.Errorf("%s %s: got %d %s %v, want 503 with Retry-After and without internal details",
				r.Method, r.Path, got.Status, got.Body, got.Header)
		}
	}
}
