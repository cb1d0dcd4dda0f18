package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"restock/internal/merchant"
)

// words returns the words of a command line after the program's name, as a shell reads them.
func words(t *testing.T, line string) []string {
	t.Helper()
	// #nosec G204 -- the tests' own command lines
	out, err := exec.Command("sh", "-c", `shop() { printf '%s\n' "$@"; }; `+line).CombinedOutput()
	if err != nil || !strings.HasPrefix(line, "shop ") {
		t.Fatalf("a shell cannot read %q as a command line of shop: %v: %s", line, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// TestAdviceWorksAsItIsTyped types each command line that an answer advises. The shop's ready file
// is in a folder whose name a shell would split.
func TestAdviceWorksAsItIsTyped(t *testing.T) {
	const product, orders = "/merchant/products/CP-502101", "/merchant/production-orders"
	const entry = `{"bin":0,"number":7,"quantity":-1,"cause":"sale","at":"2026-11-21T03:00:00Z"}`
	const notice = `{"sku":"CP-502101","subject":"overdue","raised_at":"2026-11-21T03:00:00Z"}`
	a := newAPI(t, map[string]answer{
		"GET /merchant/products": {200, `{"products":[` + donut + `]}`},
		"PATCH " + product:       {200, donut},
		"PATCH /merchant/products/CP-2": {409,
			`{"code":"product_archived","detail":"CP-2 is archived: put it on sale again first",` +
				`"commands":["shop archive --undo CP-502101"]}`},
		"PATCH /merchant/products/CP-3": {409, `{"code":"product_in_use","detail":"an order is open",` +
			`"commands":["shop set CP-502101 --automatic=false","shop cancel ` + openID + `"]}`},
		"POST " + orders + "/" + openID + "/cancellation": {200, openOrder},
		"POST " + product + "/adjustments": {200,
			strings.Replace(donut, "{", `{"adjustment":{"number":17,"before":3,"after":2},`, 1)},
		"POST " + product + "/adjustments/17/undo": {200, donut},

		"GET " + product + "/ledger?limit=1":            {200, `{"entries":[` + entry + `],"next":"7.1"}`},
		"GET " + product + "/ledger?before=7.1&limit=1": {200, `{"entries":[` + entry + `],"next":"6.1"}`},
		"GET " + product + "/ledger?before=6.1&limit=1": {200, `{"entries":[` + entry + `]}`},
		"GET " + product + "/ledger?limit=50":           {200, ledgerPage},
		"GET " + orders + "?limit=50":                   {200, `{"production_orders":[]}`},
		"GET " + orders + "?limit=2&prefix=0197":        {200, `{"production_orders":[]}`},
		"GET /merchant/notices?limit=1":                 {200, `{"notices":[` + notice + `],"next":"2026_x"}`},
		"GET /merchant/notices?before=2026_x&limit=1":   {200, `{"notices":[]}`},
		"GET " + orders + "?limit=1&sku=K&status=open": {200,
			`{"production_orders":[` + openOrder + `],"next":"9"}`},
		"GET " + orders + "?before=9&limit=1&sku=K&status=open": {200, `{"production_orders":[]}`},
	})
	folder := filepath.Join(t.TempDir(), "the shop's files")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	where := filepath.Join(folder, "ready.json")
	if err := os.Rename(ready(t, a.url, a.url), where); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		typed  string
		advice string // its group is the command line
		asks   string
	}{
		{"products", `More bins may help: (.*)`, "PATCH " + product},
		{"adjust CP-502101 -1 --reason x", `to take it back: (.*)`, "POST " + product + "/adjustments/17/undo"},
		{"ledger CP-502101 --limit 1", `There are more: (.*)`, "GET " + product + "/ledger?before=7.1&limit=1"},
		{"ledger CP-502101 --before 7.1 --limit=1", `There are more: (.*)`,
			"GET " + product + "/ledger?before=6.1&limit=1"},
		{"orders --limit 1 --status open --sku K", `There are more: (.*)`,
			"GET " + orders + "?before=9&limit=1&sku=K&status=open"},
		{"notices --limit 1", `There are more: (.*)`, "GET /merchant/notices?before=2026_x&limit=1"},
		{"products NONE", `: (shop .*) lists them`, "GET /merchant/products"},
		{"watch NONE", `: (shop .*) lists them`, "GET /merchant/products"},
		{"order x", `: (shop .*) lists them`, "GET " + orders + "?limit=50"},
		{"order 0197", `: (shop .*) lists them`, "GET " + orders + "?limit=50"},
		{"undo CP-502101 x", `: (shop .*) lists them`, "GET " + product + "/ledger?limit=50"},
		{"set CP-2 --price 1", `archived: put it on sale again first: (.*)`, "PATCH " + product},
		{"archive CP-3", `is open: (.*) && shop`, "PATCH " + product},
		{"archive CP-3", ` && (.*)`, "POST " + orders + "/" + openID + "/cancellation"},
		{"set CP-2", `\? (shop .*) lists the flags`, ""},
		{"create CP-2", `: (shop .*) explains the flags`, ""},
	} {
		out, said, _ := typed(t, append([]string{"--ready", where}, strings.Fields(c.typed)...)...)
		found := regexp.MustCompile(c.advice).FindStringSubmatch(out + said)
		if found == nil {
			t.Errorf("shop %s says\n%s%swant advice like %s", c.typed, out, said, c.advice)
			continue
		}
		a.asked = nil
		_, said, code := typed(t, words(t, found[1])...)
		asked := ""
		if len(a.asked) > 0 {
			asked = a.asked[0].request
		}
		if code != 0 || asked != c.asks {
			t.Errorf("shop %s advises %s: it ended with %d, %s, asked %q; want %q",
				c.typed, found[1], code, said, asked, c.asks)
		}
	}
}

// TestAChangeWithoutAnAnswerIsRepeatedAsAdvised types the command line that a failure advises.
func TestAChangeWithoutAnAnswerIsRepeatedAsAdvised(t *testing.T) {
	const adjustments = "POST /merchant/products/CP-5/adjustments"
	for _, args := range [][]string{
		{"adjust", "CP-5", "-4", "--reason", "it's broken"},
		{"adjust", "--reason=lost; who knows", "--", "CP-5", "-4"},
		{"adjust", "CP-5", "--to", "4", "--reason", "-4 counted", "--key", "a b"},
		{"import", "the shop's.csv"},
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("the shop's.csv", []byte("sku\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		a := newAPI(t, map[string]answer{
			adjustments:              {503, `{"code":"outcome_unknown"}`},
			"POST /merchant/imports": {503, `{"code":"outcome_unknown"}`},
		})
		_, said, code := typed(t, append([]string{"--ready", ready(t, a.url, a.url)}, args...)...)
		_, line, found := strings.Cut(strings.TrimSpace(said), "booked once: ")
		if code != exitUnknown || !found {
			t.Fatalf("shop %q ended with %d and %s; want %d and a command line", args, code, said, exitUnknown)
		}
		first := a.asked[0]
		a.asked = nil
		typed(t, words(t, line)...)
		if len(a.asked) == 0 || a.asked[0] != first {
			t.Errorf("shop %q advises %s: it asks %+v, want %+v", args, line, a.asked, first)
		}
	}
}

func TestAdviceNamesTheProgramAsItWasStarted(t *testing.T) {
	for path, want := range map[string]string{
		"shop":                                  "shop",
		"./bin/shop":                            "./bin/shop",
		"/my tools/shop":                        "'/my tools/shop'",
		"/tmp/go-build3023476123/b001/exe/shop": "go run ./cmd/shop",
		"/home/me/.cache/go-build/ab/abc0-d/shop": "go run ./cmd/shop",
	} {
		if got := program(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestHelpOfImportExplainsEveryColumn(t *testing.T) {
	help, _, _ := typed(t, "import", "-h")
	rest := help
	for _, column := range merchant.Columns() { // each after the one before
		_, after, found := strings.Cut(rest, "\n    "+column+" ")
		if !found {
			t.Fatalf("shop import -h does not explain the column %s in the order of the columns:\n%s", column, help)
		}
		rest = after
	}
	for _, text := range []string{"minor units", "like 40s or 2h", "--min-order", "A row whose stock differs"} {
		if !strings.Contains(help, text) {
			t.Errorf("shop import -h lacks %q:\n%s", text, help)
		}
	}
}

func TestHelpSaysInWhichTimeZoneADayIs(t *testing.T) {
	for _, name := range []string{"sales", "report"} {
		if help, _, _ := typed(t, name, "-h"); !strings.Contains(help, "in the time zone of this machine") {
			t.Errorf("shop %s -h does not say in which time zone a day is:\n%s", name, help)
		}
	}
}

func TestAnOrderThatIsLateIsOverdue(t *testing.T) {
	late := strings.Replace(donut, "12:00:40Z", "11:59:59Z", 1)
	a := newAPI(t, map[string]answer{"GET /merchant/products": {http.StatusOK, `{"products":[` + late + `]}`}})
	where := ready(t, a.url, a.url)
	for _, args := range [][]string{{"products"}, {"products", "CP-502101"}} {
		out, _, _ := typed(t, append(args, "--ready", where)...)
		if want := "  overdue since 2026-11-21 20:59:59 +09:00"; !strings.Contains(out, want) {
			t.Errorf("shop %v says\n%s\nwant %q", args, out, want)
		}
	}
}

// TestNoticesHaveTheirTimesInOneZone reads notices whose texts have times in UTC, as in an email.
func TestNoticesHaveTheirTimesInOneZone(t *testing.T) {
	const at = "2026-11-21T12:00:00Z"
	for sent, want := range map[string]string{
		``: "not sent yet", `"sent_at":"2026-11-21T12:00:00.4Z",`: "sent",
		`"sent_at":"2026-11-21T12:00:07Z",`: "sent at 2026-11-21 21:00:07 +09:00",
	} {
		a := newAPI(t, map[string]answer{"GET /merchant/notices?limit=50": {http.StatusOK, fmt.Sprintf(
			`{"notices":[{"raised_at":%q,%s"subject":"CP-1: late","text":"Opened at %[1]s.","advice":"Wait."}]}`,
			at, sent)}})
		out, said, code := typed(t, "notices", "--ready", ready(t, a.url, a.url))
		want = "2026-11-21 21:00:00 +09:00  CP-1: late (" + want + ")\n" +
			"  Opened at 2026-11-21 21:00:00 +09:00.\n  Wait.\n"
		if code != 0 || out != want {
			t.Errorf("ended with %d, %s and\n%s\nwant\n%s", code, said, out, want)
		}
	}
}
