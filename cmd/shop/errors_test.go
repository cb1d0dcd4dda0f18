package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
		"GET /merchant/production-orders?limit=2&prefix=0197b": {200, `{"production_orders":[]}`},
		"GET /merchant/production-orders?limit=2&prefix=0197": {200,
			`{"production_orders":[` + openOrder + `,` + closedOrder + `]}`},
		"POST /merchant/products/CP-6/adjustments": {503,
			`{"message":"Not confirmed","code":"outcome_unknown",` +
				`"detail":"the stock may have been adjusted, or not: repeat the request with the same ` +
				`Idempotency-Key, and it is done once"}`},
		"GET /merchant/products":                    {200, "<!doctype html>\n<title>Wi-Fi</title>"},
		"GET /merchant/production-orders?limit=50":  {404, `{"error":"Not Found"}`},
		"GET /merchant/production-orders/" + openID: {502, "<html>\n<h1>Bad Gateway</h1>\n</html>"},
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
			[]string{"shop: 3 of CP-502101 are on hand, 4 cannot be taken away\n"}},
		{"what was not done", []string{"--ready", here, "adjust", "CP-5", "-4", "--reason", "x", "--key", "k"}, 3,
			[]string{"the shop is not available now, and nothing was changed: The database cannot be reached"}},
		{"what may have been done", []string{"--ready", here, "adjust", "CP-6", "-4", "--reason", "x", "--key", "k"}, 4,
			[]string{"the stock may have been adjusted, or not: repeat the request with the same Idempotency-Key, " +
				"and it is done once: shop --ready " + here + " adjust CP-6 -4 --reason x --key k\n"}},
		{"a change without an answer", []string{"--ready", ready(t, broken.URL, broken.URL), "adjust", "CP-5", "-4",
			"--reason", "x", "--key", "k"}, 4, []string{"EOF", "it may have been booked", "--key k\n"}},
		{"a change without an answer and a key", []string{"--ready", ready(t, broken.URL, broken.URL), "open", "CP-5"},
			4, []string{"EOF", "it may have been done: look before you repeat it"}},
		{"an undo without an answer", []string{"--ready", ready(t, broken.URL, broken.URL), "undo", "CP-5", "2"},
			4, []string{"EOF", "it may have been done: repeat it, it is done once: shop --ready ", " undo CP-5 2\n"}},
		{"a question without an answer", []string{"--ready", ready(t, broken.URL, broken.URL), "products"}, 3,
			[]string{broken.URL + ": EOF\n"}},
		{"not an API", []string{"--ready", here, "products"}, 1,
			[]string{"the answer is not from the merchant's API: <!doctype html> <title>"}},
		{"an API without these routes", []string{"--ready", here, "orders"}, 1,
			[]string{"404 Not Found", "deploy the stage again"}},
		{"an answer that is no JSON", []string{"--ready", here, "order", openID}, 3,
			[]string{a.url + ": 502 Bad Gateway: <html> <h1>Bad Gateway</h1> </html>"}},
		{"a wrong region", []string{"--ready", here, "--region", "us-east-1", "products"}, 1,
			[]string{`403 Forbidden`, "access key local for region us-east-1"}},
		{"credentials that nobody knows", []string{"--url", a.url, "products"}, 1,
			[]string{"403 Forbidden", "the access key AKIDSTRANGER (of EnvConfigCredentials) for region ap-northeast-2",
				"execute-api:Invoke", "AWS_PROFILE"}},
		{"a run that is not up", []string{"--ready", ready(t, nowhere, nowhere), "products"}, 3,
			[]string{"nothing listens on " + nowhere + ": is the local run up? Start it with make local"}},
		{"a run that is not up, changed", []string{"--ready", ready(t, nowhere, nowhere), "open", "CP-5"}, 3,
			[]string{"nothing listens on " + nowhere + ": is the local run up? Start it with make local"}},
		{"a run that is not up, redriven", []string{"--ready", ready(t, nowhere, nowhere), "redrive"}, 1,
			[]string{"redriving stock_queue_dlq: nothing listens on " + nowhere}},
		{"a stage that is not there", []string{"--url", nowhere, "products"}, 3,
			[]string{"nothing listens on " + nowhere + ": is that the stage's output merchantUrl?"}},
		{"no ready file", []string{"--ready", "/nowhere/ready.json", "products"}, 1,
			[]string{"open /nowhere/ready.json", "go run ./cmd/local -ready"}},
		{"a ready file of something else", []string{"--ready", unreadable, "products"}, 1,
			[]string{"is not a file of the local run"}},
		{"a ready file of a program without an API", []string{"--ready", ready(t, "", here), "products"}, 1,
			[]string{"the program of the local run declares no API"}},

		{"a blank key", []string{"--ready", here, "adjust", "CP-502101", "-4", "--reason", "x", "--key", " "}, 2,
			[]string{`--key " "`, "not blank", "leave --key out"}},
		{"two keys", []string{"--ready", here, "adjust", "CP-502101", "-4", "--reason", "x", "--key", "Z1,Z1"}, 2,
			[]string{`--key "Z1,Z1"`, "no comma"}},
		{"no command", nil, 2, []string{"give a command: products, create,"}},
		{"an unknown command", []string{"rush"}, 2, []string{`there is no command "rush": there are products`}},
		{"a mistyped command", []string{"prodcts"}, 2,
			[]string{`there is no command "prodcts", did you mean products?`}},
		{"an unknown flag", []string{"products", "--nope"}, 2, []string{"there is no flag --nope\n"}},
		{"an unknown flag before", []string{"--nope", "products"}, 2, []string{"there is no flag --nope\n"}},
		{"a flag with one dash", []string{"products", "-local"}, 2,
			[]string{"there is no flag -local: flags begin with two dashes"}},
		{"an argument too many", []string{"redrive", "CP-502101"}, 2,
			[]string{"redrive takes no arguments: shop redrive"}},
		{"two arguments too many", []string{"products", "CP-502101", "CP-502102"}, 2,
			[]string{"products takes at most one argument: shop products [SKU]; shop products -h explains it"}},
		{"an argument too few", []string{"--ready", here, "adjust", "CP-5", "--reason", "x"}, 2,
			[]string{"give either a change of the stock, like -3 or +5, or --to"}},
		{"a count and a change", []string{"--ready", here, "adjust", "CP-5", "-3", "--to", "5", "--reason", "x"}, 2,
			[]string{"give either a change of the stock, like -3 or +5, or --to"}},
		{"a negative count", []string{"adjust", "CP-5", "--to", "-5", "--reason", "x"}, 2,
			[]string{`--to "-5": not a stock`}},
		{"no adjustment's number", []string{"--ready", here, "undo", "CP-5", "x"}, 2,
			[]string{`"x" is not the number of an adjustment: shop --ready ` + here + ` ledger CP-5 lists them`}},
		{"no order's id", []string{"--ready", here, "order", "x"}, 2, []string{`"x" is not the id of an order`}},
		{"dashes in place of digits", []string{"--ready", here, "cancel", "a---"}, 2,
			[]string{`"a---" is not the id of an order`}},
		{"an id in capitals", []string{"--ready", here, "order", "0197B"}, 1,
			[]string{"no order's id begins with 0197b"}},
		{"an unknown id", []string{"--ready", here, "order", "0197b"}, 1, []string{"no order's id begins with 0197b"}},
		{"an ambiguous id", []string{"--ready", here, "cancel", "0197"}, 1,
			[]string{"the ids of several orders begin with 0197, like " + openID}},
		{"no day", []string{"--ready", here, "sales", "monday"}, 2, []string{`"monday" is not a day: it must be like`}},
		{"a report backwards", []string{"--ready", here, "report", "--from", "2026-11-29", "--to", "2026-11-28"}, 2,
			[]string{"--from 2026-11-29 --to 2026-11-28: it must be 1 to 92 days"}},
		{"a long report", []string{"--ready", here, "report", "--from", "2026-01-01"}, 2, []string{"1 to 92 days"}},
		{"no file", []string{"--ready", here, "import", "/nowhere.csv"}, 1, []string{"open /nowhere.csv"}},
		{"no number", []string{"--ready", here, "adjust", "CP-502101", "three", "--reason", "x"}, 2,
			[]string{`"three" is not a change of the stock, like -3 or +5`}},
		{"no change", []string{"--ready", here, "adjust", "CP-502101", "0", "--reason", "x"}, 2,
			[]string{`"0" is not a change`}},
		{"no reason", []string{"--ready", here, "adjust", "CP-502101", "-3"}, 2,
			[]string{"--reason is missing: say why the stock of CP-502101 changes"}},
		{"no name", []string{"--ready", here, "create", "CP-2", "--price", "1"}, 2, []string{"--name is missing"}},
		{"no level", []string{"--ready", here, "create", "CP-2", "--name", "x", "--price", "1", "--factory", "F"}, 2,
			[]string{"--order-up-to is missing"}},
		{"a status that is none", []string{"--ready", here, "orders", "--status", "bogus"}, 2,
			[]string{`no status "bogus": open, received, short, failed, cancelled`}},
		{"a SKU that is none", []string{"--ready", here, "ledger", "CP/502101"}, 2,
			[]string{`"CP/502101" is not a SKU`}},
		{"an empty SKU", []string{"--ready", here, "set", "", "--price", "1"}, 2, []string{`"" is not a SKU`}},
		{"nothing to set", []string{"--ready", here, "set", "CP-502101"}, 2,
			[]string{"set what of CP-502101? shop --ready " + here + " set -h"}},
		{"a price that is none", []string{"set", "CP-502101", "--price", "much"}, 2,
			[]string{`--price "much": not an integer`}},
		{"a time that is none", []string{"set", "CP-502101", "--lead-time", "1500ms"}, 2,
			[]string{`--lead-time "1500ms": not a time in whole seconds`}},
		{"another time that is none", []string{"watch", "--every", "soon"}, 2,
			[]string{`--every "soon": not a time, like`}},
		{"too many readings", []string{"--ready", here, "watch", "--every", "1ms"}, 2,
			[]string{"--every 1ms is too short"}},
		{"a limit that is none", []string{"orders", "--limit", "ten"}, 2, []string{`--limit "ten": not a number`}},
		{"neither yes nor no", []string{"products", "--local=maybe"}, 2,
			[]string{`--local "maybe": neither true nor false`}},
		{"a value that is missing", []string{"set", "CP-502101", "--price"}, 2, []string{"--price lacks its value"}},
		{"an order of nothing", []string{"--ready", here, "open", "CP-502101", "0"}, 2,
			[]string{`"0" is not a quantity`}},
		{"a list of nothing", []string{"--ready", here, "orders", "--limit", "0"}, 2, []string{"--limit 0 is invalid"}},
		{"no shop", []string{"products"}, 2,
			[]string{"say which shop: --local, --ready FILE, --stage NAME, --url URL, or RESTOCK_URL"}},
		{"two shops", []string{"products", "--local", "--url", a.url}, 2, []string{"name different shops"}},
		{"a URL that is none", []string{"products", "--url", "shop.example.com"}, 2,
			[]string{`"shop.example.com" is not the URL of an API`}},
		{"a queue that is not known", []string{"--url", a.url, "redrive"}, 2, []string{"give --queue NAME"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, said, code := typed(t, c.args...)
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

func TestErrorsAreJSONForPrograms(t *testing.T) {
	a := newAPI(t, map[string]answer{
		"POST /merchant/production-orders": {409,
			`{"message":"An order is open","code":"production_order_open","detail":"CP-502101 has an open order"}`},
	})
	out, said, code := typed(t, "--json", "--ready", ready(t, a.url, a.url), "open", "CP-502101")
	const want = "{\n  \"code\": \"production_order_open\",\n  \"message\": \"CP-502101 has an open order\"\n}\n"
	if code != 1 || out != "" || said != want {
		t.Errorf("ended with %d, %q and %q, want %q", code, out, said, want)
	}
}

func TestHelpOfACommandHasItsFlagsAndExamples(t *testing.T) {
	for _, c := range commands() {
		out, said, code := typed(t, c.name, "-h")
		if code != 0 || said != "" || !strings.Contains(out, c.summary) || !strings.Contains(out, "--json") ||
			!strings.Contains(out, "Examples:\n  shop "+c.name) {
			t.Errorf("shop %s -h ended with %d, %s %s; want its summary, its flags and an example",
				c.name, code, said, out)
		}
	}
	if out, _, _ := typed(t, "orders", "-h"); !strings.Contains(out, "(default 50)") {
		t.Errorf("shop orders -h says %s, want the default of --limit", out)
	}
	out, _, _ := typed(t, "-h")
	if !strings.Contains(out, "Exit codes: 0 done; 1 refused") {
		t.Errorf("shop -h says %s, want the exit codes", out)
	}
	for _, c := range commands() { // each after the one before
		_, after, found := strings.Cut(out, "\n  "+c.name+" ")
		if !found {
			t.Errorf("shop -h does not list %s in the order of the commands: %v", c.name, names())
			break
		}
		out = "\n" + after
	}
}

func TestShellsCompleteCommandsAndSKUs(t *testing.T) {
	a := newAPI(t, example)
	where := ready(t, a.url, a.url)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"__complete", "prod"}, "products\tall products with their stock, or one product in full\n"},
		{[]string{"__complete", "--ready", where, "ledger", ""}, "CK-1\t쌀 케이크, 큰 것\nCP-502101\t부산도너츠\n"},
		{[]string{"__complete", "orders", "--stat"}, "--status\t"},
		{[]string{"completion", "bash"}, "bash completion"},
		{[]string{"completion", "zsh"}, "#compdef shop"},
	} {
		if out, said, code := typed(t, c.args...); code != 0 || !strings.Contains(out, c.want) {
			t.Errorf("shop %q ended with %d, %s %s; want %q", c.args, code, out, said, c.want)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"--help"}, {"adjust", "-h"}, {"--local", "set", "CP-502101", "--help"}} {
		if out, said, code := typed(t, args...); code != 0 || said != "" || !strings.Contains(out, "shop ") ||
			!strings.Contains(out, "-local") {
			t.Errorf("shop %v ended with %d, %q and %q; want 0 and help", args, code, out, said)
		}
	}
}

// TestAnAttemptThatMayHaveBookedIsNotForgotten checks that the failure of a later attempt does not
// deny what an earlier one may have done. The key must be that of the request: with another, a
// person would book twice.
func TestAnAttemptThatMayHaveBookedIsNotForgotten(t *testing.T) {
	const path = "POST /merchant/products/CP-5/adjustments"
	for name, last := range map[string]answer{
		"the shop is not available":    {503, `{"message":"The database cannot be reached","code":"unavailable"}`},
		"the credentials have expired": {403, `{"message":"Forbidden"}`},
		"nothing listens":              {},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, map[string]answer{path: last})
			a.busy, a.busyBody = 1, `{"message":"Not confirmed","code":"outcome_unknown"}`
			server := httptest.NewServer(a)
			t.Cleanup(server.Close)
			var out, said bytes.Buffer
			terminal := testTerminal(&out, &said)
			terminal.wait = func(context.Context, time.Duration) error {
				if last.status == 0 {
					server.Close()
				}
				return nil
			}
			code := terminal.run(t.Context(), []string{"--ready", ready(t, server.URL, server.URL),
				"adjust", "CP-5", "-4", "--reason", "x"})
			if code != exitUnknown || strings.Contains(said.String(), "nothing was changed") ||
				!strings.HasSuffix(said.String(), " adjust CP-5 -4 --reason x --key "+a.asked[0].key+"\n") {
				t.Errorf("ended with %d and %q; want %d and the key %s", code, &said, exitUnknown, a.asked[0].key)
			}
		})
	}
}

// TestAnInterruptedChangeTellsItsKey interrupts an adjustment while the shop books it, and before
// the attempt that would ask again.
func TestAnInterruptedChangeTellsItsKey(t *testing.T) {
	for _, answers := range []bool{false, true} {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		key := ""
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // from then on the server notices that the client left
			key = r.Header.Get("Idempotency-Key")
			if !answers {
				interrupt()
				<-r.Context().Done()
				return
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"message":"Not confirmed","code":"outcome_unknown"}`)
		}))
		var out, said bytes.Buffer
		terminal := testTerminal(&out, &said)
		terminal.wait = func(ctx context.Context, _ time.Duration) error { interrupt(); return ctx.Err() }
		code := terminal.run(ctx, []string{"--ready", ready(t, server.URL, server.URL),
			"adjust", "CP-5", "-4", "--reason", "x"})
		server.Close() // it waits for the handler, which wrote the key
		if code != exitUnknown || !strings.HasSuffix(said.String(), " --key "+key+"\n") {
			t.Errorf("answers: %v; ended with %d and %q; want %d and the key %s",
				answers, code, &said, exitUnknown, key)
		}
	}
}

// TestARequestThatWasNotSentChangedNothing checks failures before the first byte of a request.
func TestARequestThatWasNotSentChangedNothing(t *testing.T) {
	a := newAPI(t, nil)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_REGION", testRegion)
	secure := "https" + strings.TrimPrefix(a.url, "http") // its handshake fails
	for says, args := range map[string][]string{
		"there are no AWS credentials": {"--url", a.url},
		secure + ": ":                  {"--ready", ready(t, secure, a.url)},
	} {
		_, said, code := typed(t, append(args, "adjust", "CP-5", "-4", "--reason", "x")...)
		if code != exitUnavailable || !strings.Contains(said, says) || strings.Contains(said, "may have been") {
			t.Errorf("ended with %d and %q; want %d and %q", code, said, exitUnavailable, says)
		}
	}
	if len(a.asked) != 0 {
		t.Errorf("asked %+v, want nothing", a.asked)
	}
}
