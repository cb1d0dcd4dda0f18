package mysql_test

import (
	"testing"

	"github.com/google/uuid"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// What a buyer is told, and what a plan is made for, is exact where it needs more than 32 bits.
func TestStockBeyond32BitsIsExact(t *testing.T) {
	const stock = 1<<33 + 1
	f := newFixture(t, 1)
	f.SetStock(t, stock)
	f.Exec(t, `UPDATE product SET price = 9007199254740991 WHERE sku = ?`, donut)
	sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: shop.MaxQuantity, IdempotencyKey: "k"})
	if err != nil || sale.Stock != stock-shop.MaxQuantity || sale.Quantity != shop.MaxQuantity || sale.UnitPrice != 1<<53-1 {
		t.Errorf("got %+v, %v; want all numbers as they are", sale, err)
	}
	again, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: shop.MaxQuantity, IdempotencyKey: "k"})
	if err != nil || !again.Repeated || again.ID != sale.ID || again.Stock != sale.Stock || again.UnitPrice != sale.UnitPrice {
		t.Errorf("repeated: got %+v, %v; want %+v", again, err, sale)
	}
	order, err := f.OpenOrder(t.Context(), donut, shop.MaxQuantity)
	if err != nil {
		t.Fatal(err)
	}
	left := sale.Stock
	for attempt := 1; attempt <= 2; attempt++ {
		delivery := shop.Delivery{ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut, Quantity: shop.MaxQuantity, Signed: shop.MaxQuantity}
		receipt, err := f.Receive(t.Context(), delivery)
		left += shop.MaxQuantity
		if err != nil || receipt.Stock != left || attempt == 2 && receipt.Surplus != shop.MaxQuantity {
			t.Errorf("delivery %d: got %+v, %v; want a stock of %d", attempt, receipt, err, left)
		}
	}
	got, err := f.Shop.ProductionOrder(t.Context(), order.ID)
	if err != nil || got.Quantity != shop.MaxQuantity || got.Received != 2*shop.MaxQuantity {
		t.Errorf("got %+v, %v; want twice the order received", got, err)
	}
	f.CheckBooks(t)
}

func TestSumsOfTheLedgerAreExact(t *testing.T) {
	const stock = 1<<62 + 1 // no float holds it
	f := newFixture(t, 1)
	f.SetStock(t, stock)
	for range 2 { // the second time a checkpoint is read
		balances, err := f.Balances(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range balances {
			if b.SKU == donut && (b.Stock != stock || b.Ledger != stock || b.Difference() != 0) {
				t.Errorf("got %+v, want %d on both sides", b, stock)
			}
		}
		if kept := f.Number(t, `SELECT c.balance FROM ledger_checkpoint c JOIN product p USING (product_id) WHERE p.sku = ?`, donut); kept != stock {
			t.Errorf("the checkpoint keeps %d, want %d", kept, stock)
		}
	}
}

// The numbers of a policy are bounded so that an order, rounded up to whole lots, fits what an
// order may count.
func TestTheLargestOrderOfAPolicyFits(t *testing.T) {
	f := newFixture(t, 1)
	n := glazed
	n.Stock, n.Policy.ReorderPoint, n.Policy.OrderUpTo, n.Policy.LotSize = 0, 0, 1_000_000_000, 999_999_999
	p, err := f.CreateProduct(t.Context(), n)
	if want := 2 * 999_999_999; err != nil || p.OnOrder != want || f.published[0].Quantity != want || want > shop.MaxQuantity {
		t.Errorf("got %+v, %v, published %+v; want %d on order", p, err, f.published, want)
	}
	if _, err := f.ChangeProduct(t.Context(), mysqltest.Twist, shop.ProductChange{LotSize: ptr(1_000_000_001)}); shop.CodeOf(err) != shop.CodeInvalidProduct {
		t.Errorf("a larger lot: got %v, want %s", err, shop.CodeInvalidProduct)
	}
}
