package selling

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/internal/web/webtest"
	"restock/lambdas/journal"
)

func TestNumbersOfASaleAreExactAtTheirLimits(t *testing.T) {
	database, published := mysqltest.New(t, 1), &orders{}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	handler, err := NewAPI(shop.Open(database.Store, published, journal.New(log, "restock/test")), log)
	if err != nil {
		t.Fatal(err)
	}
	// 2^53 is the highest price. The stock of 2^33 exceeds 32 bits, because deliveries add up.
	database.SetStock(t, 1<<33)
	database.Exec(t, `UPDATE product SET price = 9007199254740992 WHERE sku = ?`, mysqltest.Donut)
	for _, path := range []string{"/products", "/product/donut"} {
		got := webtest.Do(t, handler, webtest.Request{Method: "GET", Path: path})
		if !strings.Contains(got.Body, `"price":9007199254740992,"currency":"`+shop.Currency+`","stock":8589934592`) {
			t.Errorf("GET %s: got %s, want the price 2^53 and the stock 2^33", path, got.Body)
		}
	}
	const price = `"unit_price":9007199254740992,"currency":"` + shop.Currency + `"`
	for _, c := range []struct{ quantity, says string }{
		{"2147483647", `"quantity":2147483647,` + price + `,"stock":6442450945`},
		{"1", `"quantity":1,` + price + `,"stock":6442450944`},
		{"0", `"detail":"the quantity is 0, it must be from 1 to 2147483647"`},
		{"2147483648", `"detail":"the quantity is 2147483648, it must be from 1 to 2147483647"`},
		{"4294967297", `"detail":"the quantity is 4294967297, it must be from 1 to 2147483647"`}, // 1 in 32 bits
		{"9223372036854775808",
			`"detail":"the field quantity is 9223372036854775808: it must be an integer from -2^63 to 2^63-1"`},
	} {
		got := webtest.Do(t, handler,
			webtest.Request{Method: "POST", Path: "/checkout", Body: `{"quantity":` + c.quantity + `}`})
		if !strings.Contains(got.Body, c.says) {
			t.Errorf("a checkout of %s: got %d %s, want %s in it", c.quantity, got.Status, got.Body, c.says)
		}
	}
	const want = `"quantity":2147483647,"unit_price":9007199254740992,"stock":6442450945`
	if !strings.Contains(out.String(), want) || !strings.Contains(out.String(), `"UnitsSold":2147483647`) {
		t.Errorf("the log is %s, want %s and the number of units in it", out.String(), want)
	}
	if kept := database.Number(t, `SELECT MIN(unit_price) FROM sale`); kept != 1<<53 {
		t.Errorf("the sale has the price %d, want 2^53", kept)
	}
	database.CheckBooks(t)
}
