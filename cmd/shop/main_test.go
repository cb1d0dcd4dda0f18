package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restock/lambdas"
	"restock/local/aws/awsapi"
)

var update = flag.Bool("update", false, "write the golden files")

// An api is a fake of the merchant's API. It accepts only signed requests, and answers each from
// its table.
type api struct {
	*testing.T
	url     string
	answers map[string]answer // by method, path and query
	asked   []asked
	// The first requests get status 503 with a body.
	busy     int
	busyBody string
}

type answer struct {
	status int
	body   string
}

// asked is a request that the API received.
type asked struct {
	request, body, key, language string
}

// keys are the secrets of the callers that the API accepts, by access key.
var keys = map[string]string{"local": "local", "AKIDEXAMPLE": "secret"}

func newAPI(t *testing.T, answers map[string]answer) *api {
	t.Helper()
	a := &api{T: t, answers: answers}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	credentials := func(id string) (awsapi.Credentials, bool) {
		secret, ok := keys[id]
		return awsapi.Credentials{AccessKeyID: id, SecretAccessKey: secret}, ok
	}
	if _, err := awsapi.Authenticate(r, body, awsapi.Scope{Service: "execute-api", Region: testRegion},
		credentials); err != nil {
		a.Log(err)
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"Forbidden"}`)
		return
	}
	request := r.Method + " " + r.URL.RequestURI()
	a.asked = append(a.asked,
		asked{request, string(body), r.Header.Get("Idempotency-Key"), r.Header.Get("Accept-Language")})
	if a.busy > 0 {
		a.busy--
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, a.busyBody)
		return
	}
	told, ok := a.answers[request]
	if !ok {
		a.Errorf("nobody expects %s", request)
	}
	w.WriteHeader(told.status)
	fmt.Fprint(w, told.body)
}

// ready writes a file like that of the local run, with the addresses of the test.
func ready(t *testing.T, api, aws string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{
		"api": api, "aws": aws, "factory": "http://127.0.0.1:1", "dsn": "root@tcp(127.0.0.1:1)/",
		"region": testRegion,
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ready.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// testRegion is the region of the tests' shop.
const testRegion = "ap-northeast-2"

// seoul is the time zone of the terminal in these tests.
var seoul = time.FixedZone("KST", 9*60*60)

// testTerminal returns a terminal in Seoul that does not wait.
func testTerminal(out, errors io.Writer) terminal {
	return terminal{
		program: "shop", in: strings.NewReader(""), out: out, errors: errors, location: seoul,
		now:  func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) },
		wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

// typed runs a command and returns its output, its error output and its exit code.
func typed(t *testing.T, args ...string) (out, errors string, code int) {
	t.Helper()
	t.Setenv(urlVariable, "")
	var stdout, stderr bytes.Buffer
	code = testTerminal(&stdout, &stderr).run(t.Context(), args)
	return stdout.String(), stderr.String(), code
}

const (
	donut = `{"product_id":"0188d6a8-f000-7000-8000-00000000cb01","sku":"CP-502101","name":"부산도너츠",
		"price":19900,"currency":"KRW",
		"stock":0,"on_order":60,"position":60,"expected_at":"2026-11-21T12:00:40Z","suggestion":0,
		"bins":1,"waited_at":"2026-11-21T11:59:30Z","waiting":1204,"max_per_sale":0,"factory":"FF-500293",
		"reorder_point":0,"order_up_to":100,"lot_size":100,"minimum_order":0,"lead_time_seconds":40,"automatic":true}`
	cake = `{"product_id":"0188d6a8-f000-7000-8000-00000000cb02","sku":"CK-1","name":"쌀 케이크, 큰 것",
		"price":1250000,"currency":"KRW",
		"stock":1204,"on_order":0,"position":1204,"suggestion":796,"bins":16,"max_per_sale":3,"factory":"FF-500293",
		"reorder_point":1500,"order_up_to":2000,"lot_size":1,"minimum_order":50,"lead_time_seconds":7200,
		"automatic":false}`
	openOrder = `{"production_order_id":"0197a000-0000-7000-8000-000000000002","sku":"CP-502101",
		"quantity":100,"received":40,"factory":"FF-500293",
		"status":"open","asks":2,"opened_at":"2026-11-21T12:00:00.25Z","asked_at":"2026-11-21T12:02:00Z",
		"published_at":"2026-11-21T12:00:01Z","correlation":"JKJaXmPLvHcESHA="}`
	closedOrder = `{"production_order_id":"0197a000-0000-7000-8000-000000000001","sku":"CK-1",
		"quantity":2000,"received":0,"factory":"FF-500293",
		"status":"cancelled","asks":1,"opened_at":"2026-11-20T23:59:59Z",
		"asked_at":"2026-11-20T23:59:59Z","closed_at":"2026-11-21T00:10:00Z"}`
	openID = "0197a000-0000-7000-8000-000000000002"
)

// example is a shop with at least one of each thing.
var example = map[string]answer{
	"GET /merchant/products": {200,
		`{"products":[` + cake + `,` + donut + `]}`},
	"POST /merchant/products":                          {201, donut},
	"PATCH /merchant/products/CP-502101":               {200, donut},
	"POST /merchant/products/CP-502101/adjustments":    {200, donut},
	"GET /merchant/products/CP-502101/ledger?limit=50": {200, ledgerPage},
	"GET /merchant/production-orders?limit=50": {200,
		`{"production_orders":[` + openOrder + `,` + closedOrder + `]}`},
	"GET /merchant/production-orders?limit=1&sku=CP-502101&status=open": {200,
		`{"production_orders":[` + openOrder + `],"next":"` + openID + `"}`},
	"GET /merchant/production-orders/" + openID:                    {200, openOrder},
	"POST /merchant/production-orders":                             {201, openOrder},
	"POST /merchant/production-orders/" + openID + "/cancellation": {200, closedOrder},
}

const ledgerPage = `{"sku":"CP-502101","entries":[
	{"bin":15,"number":1042,"quantity":-3,"cause":"adjustment","reason":"broken in the van",
	"reference":"0197a000-0000-7000-8000-00000000000a","at":"2026-11-21T03:00:00Z"},
	{"bin":0,"number":7,"quantity":1000,"cause":"receipt","reference":"0197a000-0000-7000-8000-00000000000b",
	"at":"2026-11-21T02:00:00Z"},
	{"bin":0,"number":1,"quantity":3,"cause":"opening","at":"2026-11-20T00:00:00Z"}]}`

func TestAShopWithoutProductsSaysHowToCreateTheFirst(t *testing.T) {
	a := newAPI(t, map[string]answer{"GET /merchant/products": {200, `{"products":[]}`}})
	where := ready(t, a.url, a.url)
	out, said, code := typed(t, "--ready", where, "products")
	if code != 0 || !strings.Contains(out, "shop --ready "+where+" create SKU --name") ||
		!strings.Contains(out, "lambdas/catalogues") {
		t.Errorf("got %q %q, exit code %d; want the command and where the factories are", out, said, code)
	}
}

func TestAnswersAreTablesForPeopleAndJSONForPrograms(t *testing.T) {
	a := newAPI(t, example)
	where := ready(t, a.url, a.url)
	for name, args := range map[string][]string{
		"products":        {"products"},
		"products.json":   {"products", "--json"},
		"products-low":    {"products", "--low"},
		"product":         {"products", "CK-1"},
		"product.json":    {"products", "CK-1", "--json"},
		"set":             {"set", "CP-502101", "--price", "19900"},
		"orders":          {"orders"},
		"orders-filtered": {"orders", "--sku", "CP-502101", "--status", "open", "--limit", "1"},
		"orders.json":     {"orders", "--json", "--sku=CP-502101", "--status=open", "--limit=1"},
		"order":           {"order", openID},
		"order.json":      {"order", openID, "--json"},
		"cancel":          {"cancel", openID},
		"ledger":          {"ledger", "CP-502101"},
		"ledger.json":     {"ledger", "CP-502101", "--json"},
	} {
		t.Run(name, func(t *testing.T) {
			got, said, code := typed(t, append([]string{"--ready", where}, args...)...)
			if code != 0 || said != "" {
				t.Fatalf("shop %v ended with %d and says %q, want 0 and nothing", args, code, said)
			}
			got = strings.ReplaceAll(got, where, "ready.json")
			path := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v: make it with go test ./cmd/shop -update", err)
			}
			if got != string(want) {
				t.Errorf("shop %v says\n%swant\n%s", args, got, want)
			}
		})
	}
}

func TestCommandsAskWhatTheySay(t *testing.T) {
	a := newAPI(t, example)
	where := ready(t, a.url, a.url)
	const products, orders = "/merchant/products", "/merchant/production-orders"
	for _, c := range []struct {
		args string // separated by spaces; a dot stands for a space inside an argument
		want asked
	}{
		{"products", asked{request: "GET " + products}},
		{"adjust CP-502101 -3 --reason damaged --key k",
			asked{request: "POST " + products + "/CP-502101/adjustments", body: `{"quantity":-3,"reason":"damaged"}`,
				key: "k"}},
		{"adjust --reason in.the.van CP-502101 +5 --key k",
			asked{request: "POST " + products + "/CP-502101/adjustments", body: `{"quantity":5,"reason":"in the van"}`,
				key: "k"}},
		{"adjust --json CP-502101 --key=k -3 --reason=damaged",
			asked{request: "POST " + products + "/CP-502101/adjustments", body: `{"quantity":-3,"reason":"damaged"}`,
				key: "k"}},
		{"set CP-502101 --automatic --lead-time 2m --price 0",
			asked{request: "PATCH " + products + "/CP-502101",
				body: `{"automatic":true,"lead_time_seconds":120,"price":0}`}},
		{"set --automatic=false CP-502101 --min-order 5 --lot-size 6 --reorder-point 7 --order-up-to 8 " +
			"--max-per-sale 9 --bins 10 --factory F --name a.b",
			asked{request: "PATCH " + products + "/CP-502101",
				body: `{"automatic":false,"bins":10,"factory":"F","lot_size":6,"max_per_sale":9,"minimum_order":5,` +
					`"name":"a b","order_up_to":8,"reorder_point":7}`}},
		{"create CP-2 --name 도넛 --price 900 --factory F --order-up-to 10 --lead-time 40s --stock 4 --bins 16",
			asked{request: "POST " + products,
				body: `{"automatic":true,"bins":16,"factory":"F","lead_time_seconds":40,"name":"도넛","order_up_to":10,` +
					`"price":900,"sku":"CP-2","stock":4}`}},
		{"create CP-2 --name 도넛 --price 900 --factory F --order-up-to 10 --automatic=false",
			asked{request: "POST " + products,
				body: `{"automatic":false,"factory":"F","name":"도넛","order_up_to":10,"price":900,"sku":"CP-2"}`}},
		{"open CP-502101", asked{request: "POST " + orders, body: `{"sku":"CP-502101"}`}},
		{"open CP-502101 200", asked{request: "POST " + orders, body: `{"quantity":200,"sku":"CP-502101"}`}},
		{"cancel " + openID, asked{request: "POST " + orders + "/" + openID + "/cancellation"}},
	} {
		a.asked = nil
		args := strings.Fields(c.args)
		for i := range args {
			if !strings.HasPrefix(args[i], "-") {
				args[i] = strings.ReplaceAll(args[i], ".", " ")
			}
		}
		c.want.language = "en"
		if _, said, code := typed(t, append([]string{"--ready", where}, args...)...); code != 0 || len(a.asked) != 1 ||
			a.asked[0] != c.want {
			t.Errorf("shop %s ended with %d %s, and asked\n%+v, want\n%+v", c.args, code, said, a.asked, c.want)
		}
	}
}

func TestAdjustmentHasAKeyOfItsOwn(t *testing.T) {
	a := newAPI(t, example)
	where := ready(t, a.url, a.url)
	for range 2 {
		typed(t, "--ready", where, "adjust", "CP-502101", "-3", "--reason", "damaged")
	}
	if len(a.asked) != 2 || len(a.asked[0].key) != 36 || a.asked[0].key == a.asked[1].key {
		t.Errorf("asked %+v, want two adjustments with keys of their own", a.asked)
	}
}

func TestListsGoOnWhereAPageEnds(t *testing.T) {
	page := func(from, to int, next string) answer {
		var entries []string
		for number := from; number > to; number-- {
			entries = append(entries,
				fmt.Sprintf(`{"bin":0,"number":%d,"quantity":-1,"cause":"sale","at":"2026-11-21T03:00:00Z"}`, number))
		}
		return answer{200, `{"sku":"A","entries":[` + strings.Join(entries, ",") + `]` + next + `}`}
	}
	a := newAPI(t, map[string]answer{
		"GET /merchant/products/A/ledger?limit=100":              page(250, 150, `,"next":"151.9"`),
		"GET /merchant/products/A/ledger?before=151.9&limit=20":  page(150, 130, `,"next":"131.9"`),
		"GET /merchant/products/A/ledger?before=151.9&limit=100": page(150, 100, ``),
	})
	where := ready(t, a.url, a.url)
	for limit, want := range map[string]int{"120": 120, "1000": 150} {
		out, said, code := typed(t, "ledger", "A", "--limit", limit, "--ready", where)
		if rows := strings.Count(out, " sale "); code != 0 || rows != want {
			t.Errorf("--limit %s: ended with %d %s and %d entries, want %d", limit, code, said, rows, want)
		}
		if goesOn := strings.Contains(out, " --before 131.9\n"); goesOn != (limit == "120") {
			t.Errorf("--limit %s: says that it goes on: %v", limit, goesOn)
		}
	}
}

func TestReferenceNamesEveryCommandAndRoute(t *testing.T) {
	reference, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		if !strings.Contains(string(reference), "\n| `"+c.name) {
			t.Errorf("docs/reference.md has no row for the command %s", c.name)
		}
	}
	for _, route := range lambdas.MerchantAPI.Routes {
		if row := "`" + strings.Replace(route, "/merchant", "", 1) + "`"; !strings.Contains(string(reference), row) {
			t.Errorf("docs/reference.md does not name %s", row)
		}
	}
}
