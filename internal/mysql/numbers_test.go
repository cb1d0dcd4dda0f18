package mysql_test

import (
	"testing"

	"github.com/google/uuid"

	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// Answers to buyers, and the positions of plans, are exact beyond 32 bits.
func TestStockBeyond32BitsIsExact(t *testing.T) {
	const stock = 1<<33 + 1
	f := newFixture(t, 1)
	f.SetStock(t, stock)
	f.Exec(t, `UPDATE product SET price = 9007199254740991 WHERE sku = ?`, donut)
	sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: shop.MaxQuantity, IdempotencyKey: "k"})
	if err != nil || sale.Stock != stock-shop.MaxQuantity || sale.Quantity != shop.MaxQuantity ||
		sale.UnitPrice != 1<<53-1 {
		t.Errorf("got %+v, %v; want the numbers unchanged", sale, err)
	}
	again, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: shop.MaxQuantity, IdempotencyKey: "k"})
	if err != nil || !again.Repeated || again.ID != sale.ID || again.Stock != sale.Stock ||
		again.UnitPrice != sale.UnitPrice {
		t.Errorf("repeated: got %+v, %v; want %+v", again, err, sale)
	}
	order, err := f.OpenOrder(t.Context(), donut, shop.MaxQuantity)
	if err != nil {
		t.Fatal(err)
	}
	left := sale.Stock
	for attempt := 1; attempt <= 2; attempt++ {
		delivery := shop.Delivery{ProductionOrderID: order.ID, AttemptID: uuid.New(), SKU: donut,
			Quantity: shop.MaxQuantity, Signed: shop.MaxQuantity}
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
	const stock = 1<<62 + 1 // a float64 cannot represent it
	f := newFixture(t, 1)
	f.SetStock(t, stock)
	for range 2 { // the second call starts at a checkpoint
		balances, err := f.Balances(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range balances {
			if b.SKU == donut && (b.Stock != stock || b.Ledger != stock || b.Difference() != 0) {
				t.Errorf("got %+v, want %d on both sides", b, stock)
			}
		}
		balance := f.Number(t,
			`SELECT c.balance FROM bin_checkpoint c JOIN product p USING (product_id) WHERE p.sku = ?`, donut)
		if balance != stock {
			t.Errorf("the checkpoint has the balance %d, want %d", balance, stock)
		}
	}
}

// The limits of a policy's numbers guarantee that an order never exceeds MaxQuantity, even rounded
// up to whole lots.
func TestTheLargestOrderOfAPolicyIsStored(t *testing.T) {
	f := newFixture(t, 1)
	n := glazed
	n.Stock, n.Policy.ReorderPoint, n.Policy.OrderUpTo, n.Policy.LotSize = 0, 0, 1_000_000_000, 999_999_999
	p, err := f.CreateProduct(t.Context(), n)
	const want = 2 * 999_999_999 // less than shop.MaxQuantity
	if err != nil || p.OnOrder != want || len(f.published) != 1 || f.published[0].Quantity != want {
		t.Errorf("got %+v, %v, published %+v; want %d on order", p, err, f.published, want)
	}
	_, err = f.ChangeProduct(t.Context(), mysqltest.Twist, shop.ProductChange{LotSize: ptr(1_000_000_001)})
	if shop.CodeOf(err) != shop.CodeInvalidProduct {
		t.Errorf("a larger lot: got %v, want %s", err, shop.CodeInvalidProduct)
	}
}
