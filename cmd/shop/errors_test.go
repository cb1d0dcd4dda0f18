package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nobody returns an address on which nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestErrorsAreOneLineThatSaysWhatToDo(t *testing.T) {
	a := newAPI(t, map[string]answer{
		"POST /merchant/products/CP-502101/adjustments": {409,
			`{"message":"Out of stock","code":"out_of_stock","detail":"3 of CP-502101 are on hand, 4 cannot be taken ` +
				`away"}`},
		"POST /merchant/products/CP-5/adjustments": {503,
			`{"message":"The database cannot be reached","code":"unavailable"}`},
		"GET /merchant/products":                   {200, "<!doctype html>\n<title>Wi-Fi</title>"},
		"GET /merchant/production-orders?limit=50": {404, `{"error":"Not Found"}`},
		"GET /merchant/production-orders/x":        {502, "<html>\n<h1>Bad Gateway</h1>\n</html>"},
	})
	here, nowhere := ready(t, a.url, a.url), nobody(t)
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(broken.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDSTRANGER")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	t.Setenv("AWS_REGION", "ap-northeast-2")
	unreadable := filepath.Join(t.TempDir(), "ready.json")
	if err := os.WriteFile(unreadable, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"an error with a code", []string{"--ready", here, "adjust", "CP-502101", "-4", "--reason", "x"}, 1,
			[]string{"shop: POST " + a.url +
				"/merchant/products/CP-502101/adjustments: 409 out_of_stock: Out of stock: 3 of CP-502101 " +
				"are on hand, 4 cannot be taken away\n"}},
		{"what may have been done", []string{"--ready", here, "adjust", "CP-5", "-4", "--reason", "x", "--key", "k"}, 1,
			[]string{"503 unavailable: The database cannot be reached", "it may have been booked", "--key k "}},
		{"a change without an answer", []string{"--ready", ready(t, broken.URL, broken.URL), "adjust", "CP-5", "-4",
			"--reason", "x", "--key", "k"}, 1, []string{"EOF", "it may have been booked", "--key k "}},
		{"not an API", []string{"--ready", here, "products"}, 1,
			[]string{"the answer is not from the merchant's API: <!doctype html> <title>"}},
		{"an API without these routes", []string{"--ready", here, "orders"}, 1,
			[]string{"404 Not Found", "deploy the stage again"}},
		{"an answer that is no JSON", []string{"--ready", here, "order", "x"}, 1,
			[]string{"502 Bad Gateway: <html> <h1>Bad Gateway</h1> </html>"}},
		{"a wrong region", []string{"--ready", here, "--region", "us-east-1", "products"}, 1,
			[]string{`403 Forbidden`, "access key local for region us-east-1"}},
		{"credentials that nobody knows", []string{"--url", a.url, "products"}, 1,
			[]string{"403 Forbidden", "the access key AKIDSTRANGER (of EnvConfigCredentials) for region ap-northeast-2",
				"execute-api:Invoke", "AWS_PROFILE"}},
		{"a run that is not up", []string{"--ready", ready(t, nowhere, nowhere), "products"}, 1,
			[]string{"GET " + nowhere +
				"/merchant/products: nothing listens there: is the local run up? Start it with make local"}},
		{"a run that is not up, redriven", []string{"--ready", ready(t, nowhere, nowhere), "redrive"}, 1,
			[]string{"redriving stock_queue_dlq: nothing listens on " + nowhere}},
		{"a stage that is not there", []string{"--url", nowhere, "products"}, 1,
			[]string{"nothing listens there: is that the stage's output merchantUrl?"}},
		{"no ready file", []string{"--ready", "/nowhere/ready.json", "products"}, 1,
			[]string{"open /nowhere/ready.json", "go run ./cmd/local -ready"}},
		{"a ready file of something else", []string{"--ready", unreadable, "products"}, 1,
			[]string{"is not a file of the local run"}},

		{"a blank key", []string{"--ready", here, "adjust", "CP-502101", "-4", "--reason", "x", "--key", " "}, 2,
			[]string{"-key", "not blank", "leave --key out"}},
		{"two keys", []string{"--ready", here, "adjust", "CP-502101", "-4", "--reason", "x", "--key", "Z1,Z1"}, 2,
			[]string{"-key", "no comma"}},
		{"no command", nil, 2, []string{"give a command: products, create,"}},
		{"an unknown command", []string{"rush"}, 2, []string{`there is no command "rush": there are products`}},
		{"an unknown flag", []string{"products", "--nope"}, 2, []string{"flag provided but not defined: -nope"}},
		{"an unknown flag before", []string{"--nope", "products"}, 2, []string{"flag provided but not defined: -nope"}},
		{"an argument too many", []string{"redrive", "CP-502101"}, 2,
			[]string{"redrive takes no arguments: shop redrive"}},
		{"two arguments too many", []string{"products", "CP-502101", "CP-502102"}, 2,
			[]string{"products takes 0 to 1 arguments: shop products [SKU]"}},
		{"an argument too few", []string{"--local", "adjust", "-3", "--reason", "x"}, 2,
			[]string{"adjust takes 2 arguments: shop adjust SKU ±N"}},
		{"no number", []string{"--local", "adjust", "CP-502101", "three", "--reason", "x"}, 2,
			[]string{`"three" is not a change of the stock, like -3 or +5`}},
		{"no change", []string{"--local", "adjust", "CP-502101", "0", "--reason", "x"}, 2,
			[]string{`"0" is not a change`}},
		{"no reason", []string{"--local", "adjust", "CP-502101", "-3"}, 2,
			[]string{"say why the stock of CP-502101 changes: --reason"}},
		{"nothing to set", []string{"--local", "set", "CP-502101"}, 2, []string{"set what of CP-502101? shop set -h"}},
		{"a price that is none", []string{"set", "CP-502101", "--price", "much"}, 2,
			[]string{`invalid value "much" for flag -price: not an integer`}},
		{"a time that is none", []string{"set", "CP-502101", "--lead-time", "1500ms"}, 2,
			[]string{"not a time in whole seconds"}},
		{"a value that is missing", []string{"set", "CP-502101", "--price"}, 2,
			[]string{"flag needs an argument: -price"}},
		{"an order of nothing", []string{"--local", "open", "CP-502101", "0"}, 2, []string{`"0" is not a quantity`}},
		{"a list of nothing", []string{"--local", "orders", "--limit", "0"}, 2, []string{"--limit 0 is invalid"}},
		{"no shop", []string{"products"}, 2,
			[]string{"say which shop: --local, --stage NAME, --url URL, or RESTOCK_URL"}},
		{"two shops", []string{"products", "--local", "--url", a.url}, 2, []string{"name different shops"}},
		{"a URL that is none", []string{"products", "--url", "shop.example.com"}, 2,
			[]string{`"shop.example.com" is not the URL of an API`}},
		{"a queue that is not known", []string{"--url", a.url, "redrive"}, 2, []string{"give --queue NAME"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, said, code := shop(t, c.args...)
			if code != c.code || out != "" || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "shop: ") {
				t.Errorf("ended with %d, %q and %q; want %d and one line", code, out, said, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("says %q, want it to say %q", said, want)
				}
			}
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"--help"}, {"adjust", "-h"}, {"--local", "set", "CP-502101", "--help"}} {
		if out, said, code := shop(t, args...); code != 0 || said != "" || !strings.Contains(out, "shop ") ||
			!strings.Contains(out, "-local") {
			t.Errorf("shop %v ended with %d, %q and %q; want 0 and help", args, code, out, said)
		}
	}
}
