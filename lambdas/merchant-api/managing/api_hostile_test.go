package managing

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"restock/internal/merchant"
)

// injections are texts that would change a SQL statement if the code pasted them into it.
var injections = []string{
	`' OR '1'='1`, `x' -- `, `x'; DROP TABLE product; -- `, `" OR ""="`, `\' OR 1=1 #`, `x\`, `%`, `_`,
	`' UNION SELECT password FROM mysql.user -- `, `${jndi:ldap://x}`, `'||(SELECT 1)||'`, `?`, `:1`,
}

func TestSQLInRequestsIsText(t *testing.T) {
	o := open(t)
	schema := func() string {
		return fmt.Sprint(
			o.database.Number(t, `SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()`),
			o.database.Number(t, `SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE()`))
	}
	before := schema()
	for i, text := range injections {
		text = strings.TrimSpace(text) // a name and a reason have no spaces around them
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		sku := fmt.Sprintf("INJ-%d", i)
		created := ask[merchant.Product](o, "POST "+products,
			strings.NewReplacer(`"CK-1"`, `"`+sku+`"`, `"쌀 케이크"`, string(quoted)).Replace(cake), 201)
		if created.Name != text || created.SKU != sku {
			t.Errorf("the name %q: got %+v", text, created)
		}
		changed := ask[merchant.Product](o, "PATCH "+products+"/"+sku, `{"name":`+string(quoted)+`}`, 200)
		if changed.Name != text {
			t.Errorf("changing the name to %q: got %q", text, changed.Name)
		}

		header := map[string]string{"Idempotency-Key": text}
		for range 2 { // the second adjustment is a repetition
			body := `{"quantity":1,"reason":` + string(quoted) + `}`
			got := o.do("POST "+products+"/"+sku+"/adjustments", body, header)
			if got.Status != 200 || got.Field(t, "stock") != 1.0 {
				t.Errorf("the reason and key %q: got %d %s, want a stock of 1", text, got.Status, got.Body)
			}
		}
		ledger := ask[merchant.Ledger](o, "GET "+products+"/"+sku+"/ledger", "", 200)
		if len(ledger.Entries) != 1 || ledger.Entries[0].Reason != text {
			t.Errorf("the reason %q: the ledger is %+v", text, ledger.Entries)
		}

		// A request that looks for the text must find nothing.
		inQuery, inPath := url.QueryEscape(text), strings.NewReplacer("/", "", "?", "").Replace(text)
		for _, c := range []struct{ request, body string }{
			{"PATCH " + products + "/" + strings.ReplaceAll(text, "/", ""), `{"price":1}`},
			{"GET " + productionOrders + "?sku=" + inQuery, ""},
			{"GET " + productionOrders + "?status=" + inQuery, ""},
			{"GET " + productionOrders + "?before=" + inQuery, ""},
			{"GET " + donut + "/ledger?before=" + inQuery, ""},
			{"GET " + donut + "/ledger?limit=" + inQuery, ""},
			{"POST " + productionOrders, `{"sku":` + string(quoted) + `}`},
			{"POST " + products, strings.Replace(cake, `"CK-1"`, string(quoted), 1)},
			{"POST " + products, strings.Replace(cake, `"FF-500293"`, string(quoted), 1)},
			{"PATCH " + donut, `{"factory":` + string(quoted) + `}`},
			{"GET " + productionOrders + "/" + inPath, ""},
			{"POST " + productionOrders + "/" + inPath + "/cancellation", ""},
		} {
			if got := o.do(c.request, c.body, nil); got.Status < 400 || got.Status >= 500 {
				t.Errorf("%s %s: got %d %s, want it refused", c.request, c.body, got.Status, got.Body)
			}
		}
	}
	if after := schema(); after != before {
		t.Errorf("the schema has %s columns and procedures, want %s", after, before)
	}
	o.database.CheckBooks(t)
}

func TestTwoProductsCannotHaveNamesThatLookTheSame(t *testing.T) {
	o := open(t)
	ask[merchant.Product](o, "POST "+products, strings.Replace(cake, "쌀 케이크", "Café 케이크", 1), 201)
	for name, code := range map[string]string{
		"Cafe\u0301 케이크":  "product_exists", // a letter and a combining accent
		"CAFÉ 케이크":        "product_exists",
		"Cafe 케이크":        "product_exists",
		"Café\u200b 케이크":  "invalid_product", // a zero-width space
		"Café 케이크\u00a0":  "invalid_product",
		"Café\u00a0케이크":   "invalid_product", // a no-break space
		"\u202eCafé 케이크":  "invalid_product", // a right-to-left override
		"Café\u2028케이크":   "invalid_product",
		"Café\x1b[8m 케이크": "invalid_product",
		"Café\ue000":      "invalid_product", // a private-use character
	} {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		body := strings.NewReplacer(`"CK-1"`, `"CK-2"`, `"쌀 케이크"`, string(quoted)).Replace(cake)
		got := o.do("POST "+products, body, nil)
		if got.Field(t, "code") != code {
			t.Errorf("the name %q: got %d %s, want %s", name, got.Status, got.Body, code)
		}
	}
}
