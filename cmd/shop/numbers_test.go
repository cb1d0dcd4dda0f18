package main

import (
	"strings"
	"testing"
)

const highestPrice = "9007199254740992" // 2^53

func TestNumbersOfFlagsReachTheAPIAsTheyAre(t *testing.T) {
	a := newAPI(t, map[string]answer{
		"PATCH /merchant/products/CP-502101":                                         {200, donut},
		"POST /merchant/products/CP-502101/adjustments":                              {200, donut},
		"POST /merchant/production-orders":                                           {201, openOrder},
		"GET /merchant/products/CP-502101/ledger?before=9223372036854775807&limit=1": {200, ledgerPage},
	})
	where := ready(t, a.url, a.url)
	flags := map[string]string{
		"price": "price", "max-per-sale": "max_per_sale", "reorder-point": "reorder_point",
		"order-up-to": "order_up_to", "lot-size": "lot_size", "min-order": "minimum_order", "bins": "bins",
	}
	// The API checks the limits. A flag must pass its number on unchanged.
	for flag, field := range flags {
		for _, n := range []string{"0", "4294967296", highestPrice, "9223372036854775807", "-9223372036854775808"} {
			a.asked = nil
			_, said, code := typed(t, "--ready", where, "set", "CP-502101", "--"+flag, n)
			if want := `{"` + field + `":` + n + `}`; code != 0 || len(a.asked) != 1 || a.asked[0].body != want {
				t.Errorf("--%s %s: ended with %d %s, asked %+v, want %s", flag, n, code, said, a.asked, want)
			}
		}
		for _, n := range []string{"9223372036854775808", "-9223372036854775809"} {
			if _, said, code := typed(t, "--ready", where, "set", "CP-502101", "--"+flag, n); code != exitUsage ||
				!strings.Contains(said, "--"+flag+" \""+n+"\": not an integer from -2^63 to 2^63-1") {
				t.Errorf("--%s %s: ended with %d %s, want it refused by name", flag, n, code, said)
			}
		}
	}
	for _, c := range []struct{ args, body string }{
		{"set CP-502101 --lead-time 720h", `{"lead_time_seconds":2592000}`},
		{"adjust CP-502101 +2147483647 --reason x", `{"quantity":2147483647,"reason":"x"}`},
		{"adjust CP-502101 -2147483647 --reason x", `{"quantity":-2147483647,"reason":"x"}`},
		{"adjust CP-502101 -9223372036854775808 --reason x", `{"quantity":-9223372036854775808,"reason":"x"}`},
		{"open CP-502101 9223372036854775807", `{"quantity":9223372036854775807,"sku":"CP-502101"}`},
	} {
		a.asked = nil
		if _, said, code := typed(t, append([]string{"--ready", where}, strings.Fields(c.args)...)...); code != 0 ||
			len(a.asked) != 1 || a.asked[0].body != c.body {
			t.Errorf("shop %s: ended with %d %s, asked %+v, want %s", c.args, code, said, a.asked, c.body)
		}
	}
	if _, said, code := typed(t, "--ready", where, "ledger", "CP-502101", "--limit", "1", "--before",
		"9223372036854775807"); code != 0 {
		t.Errorf("a ledger before the highest entry: ended with %d %s", code, said)
	}
	for args, says := range map[string]string{
		"set CP-502101 --lead-time 2562048h":               "-lead-time",
		"adjust CP-502101 9223372036854775808 --reason x":  `"9223372036854775808" is not a change of the stock`,
		"adjust CP-502101 37 --reason x":                   `or --to 37 if 37 are on hand`,
		"adjust CP-502101 -9223372036854775809 --reason x": `"-9223372036854775809" is not a change of the stock`,
		"open CP-502101 9223372036854775808":               `"9223372036854775808" is not a quantity`,
		"ledger CP-502101 --limit 9223372036854775808":     "-limit",
		"orders --limit -1":                                "--limit -1",
	} {
		if _, said, code := typed(t,
			append([]string{"--ready", where}, strings.Fields(args)...)...); code != exitUsage ||
			!strings.Contains(said, says) {
			t.Errorf("shop %s: ended with %d %s, want %q", args, code, said, says)
		}
	}
}

func TestNumbersOfAnswersAreShownAsTheyAre(t *testing.T) {
	large := strings.NewReplacer(`"price":19900`, `"price":`+highestPrice, `"stock":0`, `"stock":4294967297`,
		`"on_order":60`, `"on_order":2147483647`, `"order_up_to":100`, `"order_up_to":1000000000`).Replace(donut)
	a := newAPI(t, map[string]answer{"GET /merchant/products": {200, `{"products":[` + large + `]}`}})
	where := ready(t, a.url, a.url)
	out, said, code := typed(t, "--ready", where, "products", "CP-502101")
	for _, want := range []string{"9,007,199,254,740,992 KRW", "4,294,967,297", "2,147,483,647", "1,000,000,000"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("ended with %d %s, and shows %s, want %s in it", code, said, out, want)
		}
	}
	out, _, _ = typed(t, "--ready", where, "--json", "products", "CP-502101")
	if !strings.Contains(out, `"price": `+highestPrice) || !strings.Contains(out, `"stock": 4294967297`) {
		t.Errorf("shows %s, want the numbers as they are", out)
	}
}
