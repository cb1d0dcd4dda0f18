package managing

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/merchant"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/internal/web/webtest"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// orders records the published orders.
type orders []shop.ProductionOrder

func (o *orders) Publish(_ context.Context, order shop.ProductionOrder) error {
	*o = append(*o, order)
	return nil
}

// An office is a shop with the merchant's API, for a test.
type office struct {
	testing.TB
	handler   http.Handler
	database  *mysqltest.Database
	shop      *shop.Shop
	published *orders
}

func open(tb testing.TB) office {
	tb.Helper()
	database, published := mysqltest.New(tb, 1), &orders{}
	s := shop.Open(database.Store, published, shop.Discard)
	handler, err := NewAPI(s, 40*time.Second, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	return office{tb, handler, database, s, published}
}

// do sends a request, for example "GET /merchant/products?limit=5".
func (o office) do(request, body string, header map[string]string) webtest.Answer {
	o.Helper()
	method, target, _ := strings.Cut(request, " ")
	path, query, _ := strings.Cut(target, "?")
	return webtest.Do(o, o.handler,
		webtest.Request{Method: method, Path: path, Query: query, Body: body, Header: header})
}

// ask sends a request, checks the status of the answer, and decodes its body.
func ask[T any](o office, request, body string, status int) (value T) {
	o.Helper()
	got := o.do(request, body, nil)
	if got.Status != status {
		o.Fatalf("%s %s: got %d %s, want %d", request, body, got.Status, got.Body, status)
	}
	if err := json.Unmarshal([]byte(got.Body), &value); err != nil {
		o.Fatalf("%s: the answer is %s: %v", request, got.Body, err)
	}
	return value
}

const (
	products         = "/merchant/products"
	donut            = products + "/" + mysqltest.Donut
	productionOrders = "/merchant/production-orders"
	unknown          = "0197a000-0000-7000-8000-000000000001"
)

// cake is the body of a request that creates a product. It has the required fields.
const cake = `{"sku":"CK-1","name":"쌀 케이크","price":12500,"factory":"FF-500293","order_up_to":20,"lead_time_seconds":90}`

func TestProductsAreListedWithStockAndPolicy(t *testing.T) {
	o := open(t)
	const want = `"sku":"CP-502101","name":"부산도너츠","names":{"en":"Busan doughnut"},"price":19900,"currency":"` +
		shop.Currency +
		`","stock":3,"on_order":0,"position":3,` +
		`"suggestion":0,"bins":1,"max_per_sale":0,"factory":"FF-500293","reorder_point":0,` +
		`"order_up_to":100,"lot_size":100,"minimum_order":0,"lead_time_seconds":`
	if got := o.do("GET "+products, "", nil); got.Status != 200 || !strings.Contains(got.Body, want) {
		t.Errorf("got %d %s, want 200 and %s", got.Status, got.Body, want)
	}
}

func TestProductIsCreatedOnceWithItsDefaults(t *testing.T) {
	o := open(t)
	got := ask[merchant.Product](o, "POST "+products, cake, 201)
	want := merchant.Product{
		ID: got.ID, SKU: "CK-1", Name: "쌀 케이크", Price: 12500, Currency: shop.Currency, Suggestion: 20, Bins: 1,
		Factory: "FF-500293",
		Policy:  merchant.Policy{OrderUpTo: 20, LotSize: 1, LeadTimeSeconds: 90},
	}
	if !reflect.DeepEqual(got, want) || got.ID == uuid.Nil {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(*o.published) != 0 {
		t.Errorf("published %+v for a product that is not automatic", *o.published)
	}
	if got := o.do("POST "+products, cake, nil); got.Status != 409 || got.Field(t, "code") != "product_exists" {
		t.Errorf("the same product again: got %d %s, want 409 product_exists", got.Status, got.Body)
	}
	full := `{"sku":"CK-2","name":"Cake","price":0,"factory":"FF-500293","stock":7,"max_per_sale":2,` +
		`"reorder_point":8,"order_up_to":20,"lot_size":6,"minimum_order":3,"lead_time_seconds":40,"automatic":true}`
	got = ask[merchant.Product](o, "POST "+products, full, 201)
	if got.Stock != 7 || got.OnOrder != 18 || got.Position != 25 || got.MaxPerSale != 2 || got.Suggestion != 0 ||
		got.ExpectedAt.IsZero() || !got.Automatic || got.MinimumOrder != 3 || got.LotSize != 6 {
		t.Errorf("got %+v, want 7 on hand and 18 on order, because it is short", got)
	}
	if len(*o.published) != 1 || (*o.published)[0].SKU != "CK-2" {
		t.Errorf("published %+v, want the order of CK-2", *o.published)
	}
}

func TestChangeOfAPolicyOrdersAProductThatIsShortNow(t *testing.T) {
	o := open(t)
	got := ask[merchant.Product](o, "PATCH "+donut, `{"price":21000,"name":"도너츠","max_per_sale":5,"bins":16}`, 200)
	if got.Price != 21000 || got.Name != "도너츠" || got.MaxPerSale != 5 || got.Bins != 16 ||
		got.OrderUpTo != 100 || got.OnOrder != 0 {
		t.Errorf("got %+v, want the new price, name and limit, and the rest unchanged", got)
	}
	got = ask[merchant.Product](o, "PATCH "+donut, `{"reorder_point":3,"order_up_to":50,"lot_size":10,`+
		`"minimum_order":60,"lead_time_seconds":30,"automatic":true}`, 200)
	if got.OnOrder != 60 || got.ReorderPoint != 3 || got.LeadTimeSeconds != 30 || len(*o.published) != 1 {
		t.Errorf("got %+v, and %d orders are published; want 60 on order", got, len(*o.published))
	}
}

func TestAdjustmentIsBookedOnceWithItsReason(t *testing.T) {
	o := open(t)
	adjust := func(key, body string) webtest.Answer {
		return o.do("POST "+donut+"/adjustments", body, map[string]string{"Idempotency-Key": key})
	}
	const damaged = `{"quantity":-1,"reason":"떨어뜨림"}`
	for range 2 {
		if got := adjust("count 1", damaged); got.Status != 200 || got.Field(t, "stock") != 2.0 {
			t.Errorf("got %d %s, want 200 and a stock of 2 each time", got.Status, got.Body)
		}
	}
	got := adjust("count 1", `{"quantity":-2,"reason":"떨어뜨림"}`)
	if got.Status != 422 || got.Field(t, "code") != "idempotency_key_reused" {
		t.Errorf("another adjustment with the key: got %d %s, want 422", got.Status, got.Body)
	}
	got = adjust("count 2", `{"quantity":4,"reason":"found"}`)
	if got.Status != 200 || got.Field(t, "stock") != 6.0 {
		t.Errorf("got %d %s, want 200 and a stock of 6", got.Status, got.Body)
	}
	ledger := ask[merchant.Ledger](o, "GET "+donut+"/ledger", "", 200)
	if len(ledger.Entries) != 3 || ledger.SKU != mysqltest.Donut || ledger.Next != "" {
		t.Fatalf("the ledger is %+v, want 3 entries", ledger)
	}
	for i, want := range []merchant.LedgerEntry{
		{Quantity: 4, Cause: "adjustment", Reason: "found"},
		{Quantity: -1, Cause: "adjustment", Reason: "떨어뜨림"},
		{Quantity: 3, Cause: "opening"},
	} {
		got := ledger.Entries[i]
		if got.Quantity != want.Quantity || got.Cause != want.Cause || got.Reason != want.Reason || got.At.IsZero() ||
			(got.Reference == uuid.Nil) != (want.Cause == "opening") {
			t.Errorf("entry %d is %+v, want %+v", i, got, want)
		}
	}
	if newest := ledger.Entries[0]; newest.Bin != 0 || newest.Number != 3 {
		t.Errorf("the newest entry has the number %d in bin %d, want 3 in bin 0", newest.Number, newest.Bin)
	}
	o.database.CheckBooks(t)
}

func TestProductionOrderIsOpenedAndCancelledByHand(t *testing.T) {
	o := open(t)
	opened := ask[merchant.ProductionOrder](o, "POST "+productionOrders, `{"sku":"CP-502101","quantity":30}`, 201)
	if opened.Status != "open" || opened.Quantity != 30 || opened.Received != 0 || opened.Asks != 1 ||
		opened.Factory != "FF-500293" || opened.OpenedAt.IsZero() || opened.Correlation != "JKJaXmPLvHcESHA=" {
		t.Errorf("opened %+v, want an order of 30 with the request's id", opened)
	}
	if len(*o.published) != 1 || (*o.published)[0].ID != opened.ID {
		t.Errorf("published %+v, want the order", *o.published)
	}
	answer := o.do("POST "+productionOrders, `{"sku":"CP-502101","quantity":30}`, nil)
	if answer.Status != 409 || answer.Field(t, "code") != "production_order_open" {
		t.Errorf("a second order: got %d %s, want 409 production_order_open", answer.Status, answer.Body)
	}
	path := productionOrders + "/" + opened.ID.String()
	if got := ask[merchant.ProductionOrder](o, "GET "+path, "", 200); got.ID != opened.ID || got.PublishedAt.IsZero() {
		t.Errorf("got %+v, want %s, published", got, opened.ID)
	}
	cancelled := ask[merchant.ProductionOrder](o, "POST "+path+"/cancellation", "{}", 200)
	if cancelled.Status != "cancelled" || cancelled.ClosedAt.IsZero() {
		t.Errorf("got %+v, want it cancelled", cancelled)
	}
	answer = o.do("POST "+path+"/cancellation", "", nil)
	if answer.Status != 409 || answer.Field(t, "code") != "production_order_not_open" {
		t.Errorf("a second cancellation: got %d %s, want 409 production_order_not_open", answer.Status, answer.Body)
	}
}

func TestOrderWithoutAQuantityHasTheSuggestedOne(t *testing.T) {
	o := open(t)
	ask[merchant.Product](o, "POST "+products, cake, 201)
	if got := ask[merchant.ProductionOrder](o, "POST "+productionOrders, `{"sku":"CK-1"}`, 201); got.Quantity != 20 {
		t.Errorf("got %+v, want the suggested 20", got)
	}
	got := o.do("POST "+productionOrders, `{"sku":"CP-502101"}`, nil)
	if got.Status != 400 || got.Field(t, "code") != "invalid_quantity" {
		t.Errorf("a product that is not short: got %d %s, want 400 invalid_quantity", got.Status, got.Body)
	}
}

func TestListsAreReadPageByPage(t *testing.T) {
	o := open(t)
	for i := range 6 {
		body := fmt.Sprintf(`{"quantity":%d,"reason":"counted"}`, i+1)
		ask[merchant.Product](o, "POST "+donut+"/adjustments", body, 200)
		opened := ask[merchant.ProductionOrder](o, "POST "+productionOrders, `{"sku":"CP-502101","quantity":1}`, 201)
		ask[merchant.ProductionOrder](o, "POST "+productionOrders+"/"+opened.ID.String()+"/cancellation", "", 200)
	}
	ask[merchant.Product](o, "POST "+products, cake, 201)
	ask[merchant.ProductionOrder](o, "POST "+productionOrders, `{"sku":"CK-1"}`, 201)

	var quantities []int
	next, pages := "", 0
	for ; pages == 0 || next != ""; pages++ {
		request := "GET " + donut + "/ledger?limit=3"
		if next != "" {
			request += "&before=" + next
		}
		page := ask[merchant.Ledger](o, request, "", 200)
		for _, e := range page.Entries {
			quantities = append(quantities, e.Quantity)
		}
		next = page.Next
	}
	if got := fmt.Sprint(quantities); got != "[6 5 4 3 2 1 3]" || pages != 3 {
		t.Errorf("the ledger is %s on %d pages, want 6 to 1 and the opening 3 on 3", got, pages)
	}

	for filter, want := range map[string]int{
		"": 7, "&sku=CP-502101": 6, "&status=open": 1,
		"&sku=CP-502101&status=cancelled": 6, "&sku=CP-502101&status=open": 0,
	} {
		seen := map[uuid.UUID]bool{}
		last, next, pages := "", "", 0
		for ; pages == 0 || next != ""; pages++ {
			request := "GET " + productionOrders + "?limit=2" + filter
			if next != "" {
				request += "&before=" + next
			}
			page := ask[merchant.ProductionOrders](o, request, "", 200)
			for _, order := range page.Orders {
				if id := order.ID.String(); last != "" && id >= last {
					t.Errorf("%q: %s follows %s, want the newest first", filter, id, last)
				} else {
					last = id
				}
				seen[order.ID] = true
			}
			next = page.Next
		}
		if wantPages := max((want+1)/2, 1); len(seen) != want || pages != wantPages {
			t.Errorf("%q: %d orders on %d pages, want %d on %d", filter, len(seen), pages, want, wantPages)
		}
	}
}
