package managing

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"restock/internal/merchant"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// maxQuantity is the largest quantity of an order, an adjustment or a delivery: the largest int32.
const maxQuantity = 1<<31 - 1

// A productNumber is a numeric field of a product, with its limits and its column.
type productNumber struct {
	field    string
	min, max int64
	name     string // the beginning of errors about its value
	column   string // an expression on a row of the table product
	with     string // other fields of the body, which its limits depend on
	of       func(merchant.Product) int64
}

var productNumbers = []productNumber{
	{"price", 0, 1 << 53, "the price is", "price", ``, func(p merchant.Product) int64 { return p.Price }},
	{"stock", 0, maxQuantity, "the stock is",
		"(SELECT s.stock FROM product_stock s WHERE s.product_id = product.product_id)", ``,
		func(p merchant.Product) int64 { return int64(p.Stock) }},
	{"bins", 1, shop.MaxBins, "the number of bins is", "bins", ``,
		func(p merchant.Product) int64 { return int64(p.Bins) }},
	{"max_per_sale", 0, maxQuantity, "the limit per sale is", "max_per_sale", ``,
		func(p merchant.Product) int64 { return int64(p.MaxPerSale) }},
	{"reorder_point", 0, 999_999_999, "the reorder point, ", "reorder_point", `,"order_up_to":1000000000`,
		func(p merchant.Product) int64 { return int64(p.ReorderPoint) }},
	{"order_up_to", 1, 1_000_000_000, "the order-up-to level is", "order_up_to", `,"reorder_point":0`,
		func(p merchant.Product) int64 { return int64(p.OrderUpTo) }},
	{"lot_size", 1, 1_000_000_000, "the lot size is", "lot_size", ``,
		func(p merchant.Product) int64 { return int64(p.LotSize) }},
	{"minimum_order", 0, 1_000_000_000, "the minimum order is", "minimum_order", ``,
		func(p merchant.Product) int64 { return int64(p.MinimumOrder) }},
	{"lead_time_seconds", 1, 30 * 24 * 60 * 60, "the lead time is", "lead_time", ``,
		func(p merchant.Product) int64 { return p.LeadTimeSeconds }},
}

// create returns the body of a request that creates a product with a value of the number.
func (n productNumber) create(sku, value string) string {
	fields := map[string]string{"order_up_to": `"order_up_to":20`, "price": `"price":1`}
	delete(fields, n.field)
	if strings.Contains(n.with, "order_up_to") {
		delete(fields, "order_up_to")
	}
	body := fmt.Sprintf(`{"sku":%q,"name":%q,"factory":"FF-500293","%s":%s%s`, sku, sku, n.field, value, n.with)
	for _, field := range fields {
		body += "," + field
	}
	return body + "}"
}

func TestNumbersOfAProductAreExactAtTheirLimits(t *testing.T) {
	o := open(t)
	for _, n := range productNumbers {
		changed := "C-" + n.field
		body := strings.NewReplacer("CK-1", changed, "쌀 케이크", changed).Replace(cake)
		ask[merchant.Product](o, "POST "+products, body, 201)
		for i, value := range []int64{n.min, n.max} {
			sku := fmt.Sprintf("N-%s-%d", n.field, i)
			check := func(how, sku string, got int64) {
				t.Helper()
				kept := int64(o.database.Number(t, `SELECT `+n.column+` FROM product WHERE sku = ?`, sku))
				if got != value || kept != value {
					t.Errorf("%s of %s to %d: got %d, and the database has %d", n.field, how, value, got, kept)
				}
				for _, p := range ask[merchant.Products](o, "GET "+products, "", 200).Products {
					if p.SKU == sku && n.of(p) != value {
						t.Errorf("%s of %s to %d: the list has %d", n.field, how, value, n.of(p))
					}
				}
			}
			text := strconv.FormatInt(value, 10)
			check("a created product", sku, n.of(ask[merchant.Product](o, "POST "+products, n.create(sku, text), 201)))
			if n.field != "stock" { // only an adjustment changes the stock
				body := `{"` + n.field + `":` + text + n.with + `}`
				check("a changed product", changed,
					n.of(ask[merchant.Product](o, "PATCH "+products+"/"+changed, body, 200)))
			}
		}
	}
}

func TestNumbersOfAProductBeyondTheirLimitsAreRefused(t *testing.T) {
	o := open(t)
	refuse := func(request, body, code, says string) {
		t.Helper()
		got := o.do(request, body, nil)
		if got.Status != 400 || got.Field(t, "code") != code || !strings.Contains(got.Body, says) {
			t.Errorf("%s %s: got %d %s, want 400 %s with %q", request, body, got.Status, got.Body, code, says)
		}
	}
	for _, n := range productNumbers {
		// The values are one beyond each limit, the limits of 64 bits, and values beyond 64 bits.
		// 2^64 + 1 would be 1 if a conversion dropped the higher bits.
		for value, code := range map[string]string{
			strconv.FormatInt(n.min-1, 10): "invalid_product", strconv.FormatInt(n.max+1, 10): "invalid_product",
			"9223372036854775807": "", "-9223372036854775808": "", // the limits of 64 bits
			"9223372036854775808": "invalid_request", "-9223372036854775809": "invalid_request",
			"18446744073709551617": "invalid_request",
		} {
			says := n.name
			switch {
			case code == "" && n.field != "lead_time_seconds":
				code = "invalid_product"
			case code != "invalid_product":
				code = "invalid_request"
				says = fmt.Sprintf("the field %s is %s: it must be an integer from -2^", n.field, value)
			}
			if n.field == "reorder_point" && code == "invalid_product" && value != strconv.FormatInt(n.max+1, 10) {
				says = "the reorder point is"
			}
			refuse("POST "+products, n.create("B-1", value), code, says)
			if n.field != "stock" {
				refuse("PATCH "+donut, `{"`+n.field+`":`+value+n.with+`}`, code, says)
			}
		}
	}
	if n := o.database.Number(t, `SELECT COUNT(*) FROM product`); n != 3 {
		t.Errorf("there are %d products, want the catalogue's 3", n)
	}
}

// Adjustments and deliveries add up, so the stock may exceed 32 bits.
func TestNumbersOfStockAndOrdersAreExact(t *testing.T) {
	o := open(t)
	adjust := func(quantity int) merchant.Product {
		t.Helper()
		return ask[merchant.Product](o, "POST "+donut+"/adjustments",
			fmt.Sprintf(`{"quantity":%d,"reason":"counted"}`, quantity), 200)
	}
	stock := 3
	for _, quantity := range []int{maxQuantity, maxQuantity, maxQuantity, -maxQuantity, 1, -1} {
		stock += quantity
		if got := adjust(quantity); got.Stock != stock || got.Position != stock {
			t.Errorf("adjusted by %d: got %d on hand and the position %d, want %d",
				quantity, got.Stock, got.Position, stock)
		}
	}
	ordered := ask[merchant.ProductionOrder](o, "POST "+productionOrders,
		fmt.Sprintf(`{"sku":"CP-502101","quantity":%d}`, maxQuantity), 201)
	if ordered.Quantity != maxQuantity || (*o.published)[0].Quantity != maxQuantity {
		t.Errorf("the order is of %d, its message of %d; want %d",
			ordered.Quantity, (*o.published)[0].Quantity, maxQuantity)
	}
	for _, p := range ask[merchant.Products](o, "GET "+products, "", 200).Products {
		if p.SKU == mysqltest.Donut && (p.OnOrder != maxQuantity || p.Position != stock+maxQuantity) {
			t.Errorf("got %d on order and the position %d; want %d and %d",
				p.OnOrder, p.Position, maxQuantity, stock+maxQuantity)
		}
	}
	for range 2 { // the second delivery is a surplus
		d := shop.Delivery{
			ProductionOrderID: ordered.ID, AttemptID: uuid.New(),
			SKU: mysqltest.Donut, Quantity: maxQuantity, Signed: maxQuantity,
		}
		if _, err := o.shop.Receive(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		stock += maxQuantity
	}
	received := ask[merchant.ProductionOrder](o, "GET "+productionOrders+"/"+ordered.ID.String(), "", 200)
	if received.Quantity != maxQuantity || received.Received != 2*maxQuantity {
		t.Errorf("the order received %d of %d, want %d of %d",
			received.Received, received.Quantity, 2*maxQuantity, maxQuantity)
	}
	sum := 0
	for _, e := range ask[merchant.Ledger](o, "GET "+donut+"/ledger", "", 200).Entries {
		sum += e.Quantity
	}
	if kept := o.database.Stock(t); kept != stock || sum != stock {
		t.Errorf("%d are on hand, and the ledger's sum is %d; want %d", kept, sum, stock)
	}
	o.database.CheckBooks(t)
}

func TestNumbersOfTheLedgerAreExactAtTheirLimits(t *testing.T) {
	o := open(t)
	// The first number that a float64 cannot represent, and the last numbers of the column.
	for _, first := range []int64{1<<53 + 1, 1<<63 - 3} {
		o.database.Exec(t, `UPDATE bin SET entries = ?`, first-1)
		for range 2 {
			ask[merchant.Product](o, "POST "+donut+"/adjustments", `{"quantity":1,"reason":"counted"}`, 200)
		}
		newest := ask[merchant.Ledger](o, "GET "+donut+"/ledger?limit=1", "", 200)
		if len(newest.Entries) != 1 || newest.Entries[0].Number != first+1 ||
			newest.Next != strconv.FormatInt(first+1, 10) {
			t.Fatalf("got %+v, want the entry %d only, and its number as next", newest, first+1)
		}
		next := ask[merchant.Ledger](o, "GET "+donut+"/ledger?limit=1&before="+newest.Next, "", 200)
		if len(next.Entries) != 1 || next.Entries[0].Number != first {
			t.Errorf("got %+v, want the entry %d", next, first)
		}
	}
}

func TestNumbersOfParametersHaveTheirLimits(t *testing.T) {
	o := open(t)
	for _, list := range []string{donut + "/ledger", productionOrders} {
		for _, limit := range []string{"1", "100"} {
			if got := o.do("GET "+list+"?limit="+limit, "", nil); got.Status != 200 {
				t.Errorf("%s, limit %s: got %d %s", list, limit, got.Status, got.Body)
			}
		}
		for _, limit := range []string{"0", "101", "-1", "4294967297", "18446744073709551617"} {
			got := o.do("GET "+list+"?limit="+limit, "", nil)
			if got.Status != 400 || !strings.Contains(got.Body, `the parameter limit is \"`+limit) {
				t.Errorf("%s, limit %s: got %d %s, want 400 with the value", list, limit, got.Status, got.Body)
			}
		}
	}
	for before, entries := range map[string]int{
		"1": 0, "9223372036854775807": 1, "1" + strings.Repeat(".1", shop.MaxBins-1): 0,
	} {
		if got := ask[merchant.Ledger](o, "GET "+donut+"/ledger?before="+before, "", 200); len(got.Entries) != entries {
			t.Errorf("before %s: got %+v, want %d entries", before, got.Entries, entries)
		}
	}
	for _, before := range []string{
		"0", "-1", "9223372036854775808", "18446744073709551617", "1.0", "1.", "1..1", "1.9223372036854775808",
		strings.Repeat("1.", shop.MaxBins) + "1",
	} {
		got := o.do("GET "+donut+"/ledger?before="+before, "", nil)
		if got.Status != 400 || !strings.Contains(got.Body, fmt.Sprintf(`the parameter before is \"%.40s`, before)) {
			t.Errorf("before %s: got %d %s, want 400 with the value", before, got.Status, got.Body)
		}
	}
	for quantity, body := range map[string][2]string{
		"-2147483648": {donut + "/adjustments", `{"quantity":-2147483648,"reason":"x"}`},
		"2147483648":  {donut + "/adjustments", `{"quantity":2147483648,"reason":"x"}`},
		"4294967297":  {donut + "/adjustments", `{"quantity":4294967297,"reason":"x"}`},
		"2147483649":  {productionOrders, `{"sku":"CP-502101","quantity":2147483649}`},
		"4294967299":  {productionOrders, `{"sku":"CP-502101","quantity":4294967299}`},
	} {
		got := o.do("POST "+body[0], body[1], nil)
		if got.Status != 400 || got.Field(t, "code") != "invalid_quantity" ||
			!strings.Contains(got.Body, "the quantity is "+quantity) {
			t.Errorf("%s: got %d %s, want 400 with the quantity", body[1], got.Status, got.Body)
		}
	}
}
