package mysql_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

func newID(tb testing.TB) uuid.UUID {
	tb.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func ptr[T any](v T) *T { return &v }

var glazed = shop.NewProduct{
	SKU: "CP-600001", Name: "글레이즈드", Price: 1800, Stock: 40, Bins: 1, MaxPerSale: 10,
	Factory: "FF-500293",
	Policy: shop.Policy{
		ReorderPoint: 10, OrderUpTo: 50, LotSize: 12, MinimumOrder: 24, LeadTime: 90 * time.Second, Automatic: true,
	},
}

func TestANewProductIsSoldAndReplenished(t *testing.T) {
	f := newFixture(t, 1)
	p, err := f.CreateProduct(t.Context(), glazed)
	want := shop.Product{ID: p.ID, SKU: glazed.SKU, Name: glazed.Name, Price: 1800, Stock: 40, Bins: 1,
		MaxPerSale: 10, Factory: "FF-500293", Policy: glazed.Policy}
	if err != nil || !reflect.DeepEqual(p, want) || p.ID == uuid.Nil {
		t.Fatalf("got %+v, %v; want %+v", p, err, want)
	}
	for range 3 {
		if _, err := f.Buy(t.Context(), shop.Purchase{SKU: glazed.SKU, Quantity: 10}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.published) != 1 || f.published[0].SKU != glazed.SKU || f.published[0].Quantity != 48 {
		t.Errorf("published %+v, want one order of 48: four lots raise 10 above 50", f.published)
	}
	p, err = f.Database.Store.Product(t.Context(), glazed.SKU)
	if err != nil || p.OnOrder != 48 || p.Position() != 58 || p.Suggestion() != 0 ||
		!p.ExpectedAt.Equal(f.published[0].AskedAt.Add(90*time.Second)) {
		t.Errorf("got %+v, %v; want 48 on order, expected 90 s after the request", p, err)
	}
	f.CheckBooks(t)
}

func TestANewProductThatIsShortIsOrderedAtOnce(t *testing.T) {
	f := newFixture(t, 1)
	n := glazed
	n.Stock = 0
	if p, err := f.CreateProduct(t.Context(), n); err != nil || p.OnOrder != 60 || len(f.published) != 1 {
		t.Errorf("got %+v, %v, published %+v; want 60 on order", p, err, f.published)
	}
	f.CheckBooks(t)
}

func TestProductsThatCannotBeCreated(t *testing.T) {
	f := newFixture(t, 1)
	const invalid = shop.CodeInvalidProduct
	for _, c := range []struct {
		name string
		edit func(*shop.NewProduct)
		want shop.Code
	}{
		{"no SKU", func(n *shop.NewProduct) { n.SKU = "" }, invalid},
		{"a SKU that is not ASCII", func(n *shop.NewProduct) { n.SKU = "도너츠" }, invalid},
		{"a SKU with a space", func(n *shop.NewProduct) { n.SKU = "CP 1" }, invalid},
		{"a SKU that is too long", func(n *shop.NewProduct) { n.SKU = strings.Repeat("x", 65) }, invalid},
		{"no name", func(n *shop.NewProduct) { n.Name = "" }, invalid},
		{"a name of two lines", func(n *shop.NewProduct) { n.Name = "a\nb" }, invalid},
		{"a name that is not UTF-8", func(n *shop.NewProduct) { n.Name = "\xff" }, invalid},
		{"a name that is too long", func(n *shop.NewProduct) { n.Name = strings.Repeat("도", 101) }, invalid},
		{"a negative price", func(n *shop.NewProduct) { n.Price = -1 }, invalid},
		{"a negative stock", func(n *shop.NewProduct) { n.Stock = -1 }, invalid},
		{"no bins", func(n *shop.NewProduct) { n.Bins = 0 }, invalid},
		{"too many bins", func(n *shop.NewProduct) { n.Bins = 65 }, invalid},
		{"a negative limit", func(n *shop.NewProduct) { n.MaxPerSale = -1 }, invalid},
		{"an invalid policy", func(n *shop.NewProduct) { n.Policy.OrderUpTo = n.Policy.ReorderPoint }, invalid},
		{"a SKU that is taken", func(n *shop.NewProduct) { n.SKU = donut }, shop.CodeProductExists},
		{"a name that is taken", func(n *shop.NewProduct) { n.Name = "부산도너츠" }, shop.CodeProductExists},
		{"an unknown factory", func(n *shop.NewProduct) { n.Factory = "FF-0" }, shop.CodeUnknownFactory},
		{"a factory that is not ASCII", func(n *shop.NewProduct) { n.Factory = "공장" }, shop.CodeUnknownFactory},
	} {
		n := glazed
		c.edit(&n)
		if _, err := f.CreateProduct(t.Context(), n); shop.CodeOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if got := f.Number(t, `SELECT COUNT(*) FROM product`); got != 3 {
		t.Errorf("%d products, want the catalogue's 3", got)
	}
	f.CheckBooks(t)
}

func TestNamesAreComparedWithEmojiAndInComposedForm(t *testing.T) {
	f := newFixture(t, 1)
	// 딸기잼, composed and decomposed.
	const composed, decomposed = "\ub538\uae30\uc7bc", "\u1104\u1161\u11af\u1100\u1175\u110c\u1162\u11b7"
	for i, c := range []struct {
		name, kept string
		want       shop.Code
	}{
		{"도넛 🍩", "도넛 🍩", ""},
		{"도넛 🍪", "도넛 🍪", ""},
		{"도넛 🍩", "", shop.CodeProductExists},
		{"요리사 👨\u200d🍳", "요리사 👨\u200d🍳", ""},
		{"요리사 👩\u200d🍳", "요리사 👩\u200d🍳", ""},
		{"요리사 👩🏽\u200d🍳", "요리사 👩🏽\u200d🍳", ""},
		{"도넛 🇰🇷", "도넛 🇰🇷", ""},
		{"도넛 🇯🇵", "도넛 🇯🇵", ""},
		{"도넛\u3000열두 개", "도넛\u3000열두 개", ""},
		{decomposed, composed, ""},
		{composed, "", shop.CodeProductExists},
		{decomposed, "", shop.CodeProductExists},
		{"도넛\u202e", "", shop.CodeInvalidProduct},
	} {
		n := glazed
		n.SKU, n.Name = fmt.Sprintf("CP-7%05d", i), c.name
		p, err := f.CreateProduct(t.Context(), n)
		if err != nil && shop.CodeOf(err) != c.want || err == nil && (c.want != "" || p.Name != c.kept) {
			t.Errorf("creating %+q: got the name %+q, %v; want %+q, or %q", c.name, p.Name, err, c.kept, c.want)
		}
	}
	_, err := f.ChangeProduct(t.Context(), donut, shop.ProductChange{Name: ptr(decomposed)})
	if shop.CodeOf(err) != shop.CodeProductExists {
		t.Errorf("another product's name, decomposed: got %v, want %s", err, shop.CodeProductExists)
	}
	p, err := f.ChangeProduct(t.Context(), donut, shop.ProductChange{Name: ptr("왕" + decomposed)})
	if err != nil || p.Name != "왕"+composed {
		t.Errorf("changing a name: got %+q, %v; want it composed", p.Name, err)
	}
}

func TestReasonsThatDifferInAnEmojiAreDifferent(t *testing.T) {
	f := newFixture(t, 1)
	for _, c := range []struct {
		reason string
		stock  int
		want   shop.Code
	}{
		{"파손 🍩", 2, ""},
		{"\u1111\u1161\u1109\u1169\u11ab 🍩", 2, ""}, // the same reason, decomposed: a repetition
		{"파손 🍪", 2, shop.CodeIdempotencyKeyReused},
	} {
		_, err := f.Adjust(t.Context(),
			shop.Adjustment{SKU: donut, Quantity: -1, Reason: c.reason, IdempotencyKey: "key"})
		if err != nil && shop.CodeOf(err) != c.want || err == nil && c.want != "" || f.Stock(t) != c.stock {
			t.Errorf("%+q: got %v and %d on hand, want %q and %d", c.reason, err, f.Stock(t), c.want, c.stock)
		}
	}
}

func TestChangesOfAProduct(t *testing.T) {
	f := newFixture(t, 1)
	f.Exec(t, `INSERT INTO factory (factory_id, identifier, name, manager_email, api) VALUES `+
		`(UNHEX('0188D6A8F0007000800000000000FF02'), 'FF-2', '둘째 공장', 'a@example.com', '/')`)
	for _, c := range []struct {
		name   string
		change shop.ProductChange
		want   shop.Code
		edit   func(*shop.Product) // makes the expected product from the old one
	}{
		{"nothing", shop.ProductChange{}, shop.CodeInvalidProduct, nil},
		{"the price", shop.ProductChange{Price: ptr(int64(2600))}, "", func(p *shop.Product) { p.Price = 2600 }},
		{"the name", shop.ProductChange{Name: ptr("왕꽈배기")}, "", func(p *shop.Product) { p.Name = "왕꽈배기" }},
		{"the bins", shop.ProductChange{Bins: ptr(64)}, "", func(p *shop.Product) { p.Bins = 64 }},
		{"too many bins", shop.ProductChange{Bins: ptr(65)}, shop.CodeInvalidProduct, nil},
		{"no bins", shop.ProductChange{Bins: ptr(0)}, shop.CodeInvalidProduct, nil},
		{"the limit", shop.ProductChange{MaxPerSale: ptr(0)}, "", func(p *shop.Product) { p.MaxPerSale = 0 }},
		{"the factory", shop.ProductChange{Factory: ptr("FF-2")}, "", func(p *shop.Product) { p.Factory = "FF-2" }},
		{"the policy", shop.ProductChange{
			ReorderPoint: ptr(5), OrderUpTo: ptr(70), LotSize: ptr(3),
			MinimumOrder: ptr(9), LeadTime: ptr(time.Hour), Automatic: ptr(false),
		}, "", func(p *shop.Product) {
			p.Policy = shop.Policy{ReorderPoint: 5, OrderUpTo: 70, LotSize: 3, MinimumOrder: 9, LeadTime: time.Hour}
		}},
		{"a level below the point", shop.ProductChange{OrderUpTo: ptr(4)}, shop.CodeInvalidProduct, nil},
		{"a negative price", shop.ProductChange{Price: ptr(int64(-1))}, shop.CodeInvalidProduct, nil},
		{"an unknown factory", shop.ProductChange{Factory: ptr("FF-0")}, shop.CodeUnknownFactory, nil},
		{"another's name", shop.ProductChange{Name: ptr("부산도너츠")}, shop.CodeProductExists, nil},
	} {
		want, err := f.Database.Store.Product(t.Context(), mysqltest.Twist)
		if err != nil {
			t.Fatal(err)
		}
		if c.edit != nil {
			c.edit(&want)
		}
		got, err := f.ChangeProduct(t.Context(), mysqltest.Twist, c.change)
		if c.want != "" {
			if shop.CodeOf(err) != c.want {
				t.Errorf("%s: got %v, want %s", c.name, err, c.want)
			}
			got, err = f.Database.Store.Product(t.Context(), mysqltest.Twist)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the product is %+v, %v; want %+v", c.name, got, err, want)
		}
	}
	_, err := f.ChangeProduct(t.Context(), "CP-000000", shop.ProductChange{Price: ptr(int64(1))})
	if shop.CodeOf(err) != shop.CodeUnknownProduct {
		t.Errorf("an unknown product: got %v, want %s", err, shop.CodeUnknownProduct)
	}
	// The store refuses the result of two changes at once that are valid alone: the shop validated
	// this one before the change of the policy above.
	err = f.Database.Store.ChangeProduct(t.Context(), mysqltest.Twist, shop.ProductChange{ReorderPoint: ptr(70)},
		time.Now())
	if shop.CodeOf(err) != shop.CodeInvalidProduct {
		t.Errorf("a policy that another change made invalid: got %v, want %s", err, shop.CodeInvalidProduct)
	}
}

func TestAChangedPolicyOrdersAtOnceAndAnOpenOrderKeepsItsFactory(t *testing.T) {
	f := newFixture(t, 1)
	p, err := f.ChangeProduct(t.Context(), mysqltest.Twist, shop.ProductChange{ReorderPoint: ptr(60)})
	if err != nil || p.OnOrder != 40 || len(f.published) != 1 {
		t.Fatalf("got %+v, %v, published %+v; want 40 on order", p, err, f.published)
	}
	f.Exec(t, `INSERT INTO factory (factory_id, identifier, name, manager_email, api) VALUES `+
		`(UNHEX('0188D6A8F0007000800000000000FF02'), 'FF-2', '둘째 공장', 'a@example.com', '/')`)
	if _, err := f.ChangeProduct(t.Context(), mysqltest.Twist, shop.ProductChange{Factory: ptr("FF-2")}); err != nil {
		t.Fatal(err)
	}
	if o, err := f.ProductionOrder(t.Context(), f.published[0].ID); err != nil || o.Factory != "FF-500293" {
		t.Errorf("got %+v, %v; want the factory of the time when the order opened", o, err)
	}
}

func TestAdjustments(t *testing.T) {
	f := newFixture(t, 1)
	for _, c := range []struct {
		name       string
		adjustment shop.Adjustment
		want       shop.Code
		stock      int
	}{
		{"damaged", shop.Adjustment{SKU: donut, Quantity: -1, Reason: "damaged"}, "", 2},
		{"found", shop.Adjustment{SKU: donut, Quantity: 5, Reason: "창고에서 찾음", IdempotencyKey: "k"}, "", 7},
		{"a repetition", shop.Adjustment{SKU: donut, Quantity: 5, Reason: "창고에서 찾음", IdempotencyKey: "k"}, "", 7},
		{"the same key for another adjustment", shop.Adjustment{SKU: donut, Quantity: 6, Reason: "창고에서 찾음",
			IdempotencyKey: "k"},
			shop.CodeIdempotencyKeyReused, 7},
		{"more than is on hand", shop.Adjustment{SKU: donut, Quantity: -8, Reason: "damaged"}, shop.CodeOutOfStock, 7},
		{"nothing", shop.Adjustment{SKU: donut, Reason: "damaged"}, shop.CodeInvalidQuantity, 7},
		{"no reason", shop.Adjustment{SKU: donut, Quantity: -1}, shop.CodeInvalidReason, 7},
		{"a reason of two lines", shop.Adjustment{SKU: donut, Quantity: -1, Reason: "a\nb"}, shop.CodeInvalidReason, 7},
		{"a key that is not ASCII", shop.Adjustment{SKU: donut, Quantity: -1, Reason: "damaged", IdempotencyKey: "열쇠"},
			shop.CodeInvalidIdempotencyKey, 7},
		{"an unknown product", shop.Adjustment{SKU: "CP-000000", Quantity: -1, Reason: "damaged"},
			shop.CodeUnknownProduct, 7},
	} {
		p, err := f.Adjust(t.Context(), c.adjustment)
		if err != nil && shop.CodeOf(err) != c.want || err == nil && (c.want != "" || p.Stock != c.stock) ||
			f.Stock(t) != c.stock {
			t.Errorf("%s: got %+v, %v, stock %d; want %q and stock %d", c.name, p, err, f.Stock(t), c.want, c.stock)
		}
	}
	if len(f.published) != 0 {
		t.Errorf("published %+v, want nothing yet", f.published)
	}
	p, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: -7, Reason: "stolen"})
	if err != nil || p.OnOrder != 100 || len(f.published) != 1 {
		t.Errorf("got %+v, %v, published %+v; want 100 on order", p, err, f.published)
	}
	f.CheckBooks(t)

	entries, next, err := f.Ledger(t.Context(), donut, "", 0)
	if err != nil || next != "" || len(entries) != 4 {
		t.Fatalf("the ledger is %+v, next %q, %v; want three adjustments after the opening", entries, next, err)
	}
	newest, oldest := entries[0], entries[3]
	if newest.Reason != "stolen" || newest.Quantity != -7 || newest.Cause != shop.CauseAdjustment ||
		newest.Reference == uuid.Nil {
		t.Errorf("the newest entry is %+v, want the adjustment of -7 with its reason and its id", newest)
	}
	if oldest.Cause != shop.CauseOpening || oldest.Reference != uuid.Nil {
		t.Errorf("the oldest entry is %+v, want the opening without a reference", oldest)
	}
}

func TestTheLedgerIsPagedFromTheNewest(t *testing.T) {
	f := newFixture(t, 1)
	f.SetStock(t, 100)
	for range 5 {
		if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil {
			t.Fatal(err)
		}
	}
	var start string
	var got []int
	for {
		page, next, err := f.Ledger(t.Context(), donut, start, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			got = append(got, e.Quantity)
		}
		if next == "" {
			break
		}
		start = next
	}
	if want := []int{-1, -1, -1, -1, -1, 97, 3}; !slices.Equal(got, want) {
		t.Errorf("the pages together are %v, want %v", got, want)
	}
	for _, c := range []struct {
		sku   string
		start string
		limit int
		want  shop.Code
	}{
		{donut, "-1", 1, shop.CodeInvalidRequest}, {donut, "", -1, shop.CodeInvalidRequest},
		{donut, "", 101, shop.CodeInvalidRequest}, {"CP-000000", "", 1, shop.CodeUnknownProduct},
		{donut, "1..2", 1, shop.CodeInvalidRequest},
		{donut, strings.Repeat("1.", 64) + "1", 1, shop.CodeInvalidRequest},
	} {
		if _, _, err := f.Ledger(t.Context(), c.sku, c.start, c.limit); shop.CodeOf(err) != c.want {
			t.Errorf("Ledger(%q, %q, %d): got %v, want %s", c.sku, c.start, c.limit, err, c.want)
		}
	}
}

func TestOrdersByHand(t *testing.T) {
	f := newFixture(t, 1)
	if _, err := f.OpenOrder(t.Context(), mysqltest.Mochi, 0); shop.CodeOf(err) != shop.CodeInvalidQuantity {
		t.Errorf("ordering the suggestion of a product that is not short: got %v, want %s", err,
			shop.CodeInvalidQuantity)
	}
	for range 4 {
		if _, err := f.Buy(t.Context(), shop.Purchase{SKU: mysqltest.Mochi, Quantity: 5}); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.published) != 0 {
		t.Errorf("published %+v of a product that is not automatic", f.published)
	}
	if p, err := f.Database.Store.Product(t.Context(), mysqltest.Mochi); err != nil || p.Suggestion() != 50 {
		t.Errorf("got %+v, %v; want 50 suggested", p, err)
	}
	o, err := f.OpenOrder(t.Context(), mysqltest.Mochi, 0)
	if err != nil || o.Quantity != 50 || o.Status != shop.OrderOpen || o.PublishedAt.IsZero() || len(f.published) != 1 {
		t.Errorf("got %+v, %v, published %+v; want an order of 50, published", o, err, f.published)
	}
	if _, err := f.OpenOrder(t.Context(), mysqltest.Mochi, 7); shop.CodeOf(err) != shop.CodeOrderOpen {
		t.Errorf("a second order: got %v, want %s", err, shop.CodeOrderOpen)
	}
	o, err = f.CancelOrder(t.Context(), o.ID)
	if err != nil || o.Status != shop.OrderCancelled || o.ClosedAt.IsZero() {
		t.Errorf("cancelling: got %+v, %v", o, err)
	}
	if _, err := f.CancelOrder(t.Context(), o.ID); shop.CodeOf(err) != shop.CodeOrderNotOpen {
		t.Errorf("cancelling twice: got %v, want %s", err, shop.CodeOrderNotOpen)
	}
	if o, err := f.OpenOrder(t.Context(), mysqltest.Mochi, 7); err != nil || o.Quantity != 7 {
		t.Errorf("after it was cancelled: got %+v, %v; want an order of 7", o, err)
	}
	for sku, quantity := range map[string]int{donut: -1, mysqltest.Twist: shop.MaxQuantity + 1} {
		if _, err := f.OpenOrder(t.Context(), sku, quantity); shop.CodeOf(err) != shop.CodeInvalidQuantity {
			t.Errorf("ordering %d: got %v, want %s", quantity, err, shop.CodeInvalidQuantity)
		}
	}
	if _, err := f.OpenOrder(t.Context(), "CP-000000", 1); shop.CodeOf(err) != shop.CodeUnknownProduct {
		t.Errorf("an unknown product: got %v", err)
	}
	if _, err := f.CancelOrder(t.Context(), uuid.New()); shop.CodeOf(err) != shop.CodeUnknownOrder {
		t.Errorf("an unknown order: got %v", err)
	}
}

func TestProductionOrdersArePagedAndFiltered(t *testing.T) {
	f := newFixture(t, 1)
	var all []uuid.UUID // newest first
	for i, sku := range []string{donut, mysqltest.Twist, donut, mysqltest.Mochi, donut} {
		o, err := f.OpenOrder(t.Context(), sku, 10)
		if err != nil {
			t.Fatal(err)
		}
		if i < 4 && sku == donut {
			if _, err := f.CancelOrder(t.Context(), o.ID); err != nil {
				t.Fatal(err)
			}
		}
		all = append([]uuid.UUID{o.ID}, all...)
	}
	for _, c := range []struct {
		name   string
		filter shop.OrderFilter
		want   []uuid.UUID
		more   bool
	}{
		{"all", shop.OrderFilter{}, all, false},
		{"the first page", shop.OrderFilter{Limit: 2}, all[:2], true},
		{"the second page", shop.OrderFilter{Limit: 2, After: all[1]}, all[2:4], true},
		{"the last page", shop.OrderFilter{Limit: 2, After: all[3]}, all[4:], false},
		{"orders of a product", shop.OrderFilter{SKU: donut}, []uuid.UUID{all[0], all[2], all[4]}, false},
		{"open orders", shop.OrderFilter{Status: shop.OrderOpen}, []uuid.UUID{all[0], all[1], all[3]}, false},
		{"cancelled orders of a product", shop.OrderFilter{SKU: donut, Status: shop.OrderCancelled, Limit: 1},
			[]uuid.UUID{all[2]}, true},
	} {
		orders, more, err := f.ProductionOrders(t.Context(), c.filter)
		if err != nil || len(orders) != len(c.want) || more != c.more {
			t.Errorf("%s: got %+v, more %t, %v; want %v, more %t", c.name, orders, more, err, c.want, c.more)
			continue
		}
		for i, o := range orders {
			if o.ID != c.want[i] {
				t.Errorf("%s: order %d is %s, want %s", c.name, i, o.ID, c.want[i])
			}
		}
	}
	for _, filter := range []shop.OrderFilter{{Status: "lost"}, {Limit: -1}, {Limit: 101}} {
		if _, _, err := f.ProductionOrders(t.Context(), filter); shop.CodeOf(err) != shop.CodeInvalidRequest {
			t.Errorf("%+v: got %v, want %s", filter, err, shop.CodeInvalidRequest)
		}
	}
	_, _, err := f.ProductionOrders(t.Context(), shop.OrderFilter{SKU: "CP-000000"})
	if shop.CodeOf(err) != shop.CodeUnknownProduct {
		t.Errorf("an unknown product: got %v, want %s", err, shop.CodeUnknownProduct)
	}
}

func TestSalesHaveALimitAndRefusalsSayWhenStockIsExpected(t *testing.T) {
	f := newFixture(t, 1)
	beforeTheLimit := shop.Purchase{SKU: mysqltest.Mochi, Quantity: 5, IdempotencyKey: "before"}
	if _, err := f.Buy(t.Context(), beforeTheLimit); err != nil {
		t.Fatal(err)
	}
	_, err := f.Buy(t.Context(), shop.Purchase{SKU: mysqltest.Mochi, Quantity: 6})
	if shop.CodeOf(err) != shop.CodeInvalidQuantity || !strings.Contains(err.Error(), "from 1 to 5") {
		t.Errorf("buying 6 of at most 5: got %v, want %s with the limit", err, shop.CodeInvalidQuantity)
	}
	if _, err := f.ChangeProduct(t.Context(), mysqltest.Mochi, shop.ProductChange{MaxPerSale: ptr(2)}); err != nil {
		t.Fatal(err)
	}
	if sale, err := f.Buy(t.Context(), beforeTheLimit); err != nil || !sale.Repeated {
		t.Errorf("a sale from before the limit, repeated: got %+v, %v; want the first answer", sale, err)
	}

	f.Now = func() time.Time { return noon }
	sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 4})
	if shop.CodeOf(err) != shop.CodeOutOfStock || !sale.ExpectedAt.IsZero() {
		t.Errorf("refused with nothing on order: got %+v, %v; want no time", sale, err)
	}
	f.soldOut(t)
	f.Now = func() time.Time { return noon.Add(20 * time.Second) }
	sale, err = f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
	if shop.CodeOf(err) != shop.CodeOutOfStock || !sale.ExpectedAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("refused, with an open order: got %+v, %v; want the time when it should arrive", sale, err)
	}
}

func TestARefusalThatOpensAnOrderSaysWhenStockIsExpected(t *testing.T) {
	f := newFixture(t, 1)
	f.Now = func() time.Time { return noon }
	f.SetStock(t, 0)
	sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
	if shop.CodeOf(err) != shop.CodeOutOfStock || !sale.ExpectedAt.Equal(noon.Add(time.Minute)) ||
		len(f.published) != 1 {
		t.Errorf("got %+v, %v, published %+v; want an order, and its time", sale, err, f.published)
	}
}
