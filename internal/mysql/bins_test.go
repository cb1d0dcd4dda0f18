package mysql_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"restock/internal/shop"
)

// bins returns the stock of each bin of the doughnut.
func (f *fixture) bins(t *testing.T) string {
	t.Helper()
	return text(t, f.Database, `
		SELECT GROUP_CONCAT(stock ORDER BY bin SEPARATOR ' ')
		  FROM bin JOIN product USING (product_id) WHERE sku = 'CP-502101'`)
}

func TestStockIsSpreadOverTheBins(t *testing.T) {
	f := newFixture(t, 1)
	f.setPolicy(t, shop.Policy{ReorderPoint: 5, OrderUpTo: 100, LotSize: 10})
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"more stock", func() error { f.SetStock(t, 100); return nil }, "100"},
		{"four bins", func() error { f.SetBins(t, donut, 4); return nil }, "25 25 25 25"},
		{"more than a bin holds is sold", func() error {
			_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 70})
			return err
		}, "8 8 7 7"},
		{"an adjustment of more than a bin holds", func() error {
			_, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: -13, Reason: "damaged"})
			return err
		}, "5 4 4 4"},
		{"fewer bins", func() error { f.SetBins(t, donut, 2); return nil }, "9 8 0 0"},
		{"sold out, which opens an order", func() error {
			_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 17})
			return err
		}, "0 0 0 0"},
		{"a delivery", func() error {
			_, err := f.Receive(t.Context(), shop.Delivery{
				ProductionOrderID: f.published[0].ID, AttemptID: newID(t), SKU: donut, Quantity: 51, Signed: 100,
			})
			return err
		}, "26 25 0 0"},
		{"three bins", func() error { f.SetBins(t, donut, 3); return nil }, "17 17 17 0"},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := f.bins(t); got != c.want {
			t.Errorf("%s: the bins have %s, want %s", c.name, got, c.want)
		}
		sum := 0
		for bin := range strings.FieldsSeq(c.want) {
			n, err := strconv.Atoi(bin)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		if p, err := f.Product(t.Context(), donut); err != nil || p.Stock != sum {
			t.Errorf("%s: the product has %d, %v, want %d", c.name, p.Stock, err, sum)
		}
		f.CheckBooks(t)
	}
}

// TestASaleBelowTheFloorOfItsBinSpreadsTheStock sells from bins that have one piece more than their
// floors.
func TestASaleBelowTheFloorOfItsBinSpreadsTheStock(t *testing.T) {
	for _, bins := range []int{1, 4, 64} {
		f := newFixture(t, 1)
		reorderPoint := 3*bins - 1 // a floor of 3 in each bin
		f.setPolicy(t, shop.Policy{ReorderPoint: reorderPoint, OrderUpTo: 1000, LotSize: 1})
		f.SetBins(t, donut, bins)
		f.SetStock(t, 4*bins)
		for left := 4 * bins; left > reorderPoint; left -= 2 {
			sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 2})
			if err != nil || sale.Stock != left-2 {
				t.Fatalf("%d bins: got %+v, %v; want a sale that leaves %d", bins, sale, err, left-2)
			}
			if ordered := left-2 <= reorderPoint; (len(f.published) == 1) != ordered {
				t.Fatalf("%d bins, %d left: published %+v, want an order: %t", bins, left-2, f.published, ordered)
			}
			f.CheckBooks(t) // no bin is below its floor
		}
	}
}

// TestManyBinsSellAllAndOrderOnce sells out products whose stock is spread thinly.
func TestManyBinsSellAllAndOrderOnce(t *testing.T) {
	const connections = 16
	for _, bins := range []int{1, 2, 7, 16, 64} {
		t.Run(fmt.Sprint(bins), func(t *testing.T) {
			const stock, reorderPoint = 100, 30
			f := newFixture(t, connections)
			f.setPolicy(t, shop.Policy{ReorderPoint: reorderPoint, OrderUpTo: 1000, LotSize: 1})
			f.SetBins(t, donut, bins)
			f.SetStock(t, stock)
			var sold, left atomic.Int64
			left.Store(stock)
			var group errgroup.Group
			for i := range connections {
				group.Go(func() error {
					for quantity := i%3 + 1; ; {
						sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: quantity})
						switch {
						case err == nil:
							sold.Add(int64(quantity))
						case refused(err) != nil:
							return err
						case sale.Stock >= quantity:
							return fmt.Errorf("refused %d although %d are on hand", quantity, sale.Stock)
						case quantity == 1:
							return nil
						default:
							quantity--
						}
					}
				})
			}
			if err := group.Wait(); err != nil {
				t.Error(err)
			}
			if sold.Load() != stock || f.Stock(t) != 0 {
				t.Errorf("%d of %d were sold, %d are left; want all sold", sold.Load(), stock, f.Stock(t))
			}
			// The first sale that reached the reorder point opened the order. It left at most the
			// largest quantity less than that.
			if len(f.published) != 1 || f.published[0].Quantity < 1000-reorderPoint ||
				f.published[0].Quantity > 1000-reorderPoint+2 {
				t.Errorf("%+v are published, want one order from position %d", f.published, reorderPoint)
			}
			f.CheckBooks(t)
		})
	}
}

// TestSalesOfDifferentBinsDoNotWaitForEachOther holds one bin locked.
func TestSalesOfDifferentBinsDoNotWaitForEachOther(t *testing.T) {
	f := newFixture(t, 1) // one connection takes from one bin
	f.SetBins(t, donut, 2)
	f.SetStock(t, 100)
	if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil {
		t.Fatal(err)
	}
	sold := f.Number(t, `SELECT bin FROM movement WHERE cause = 'sale'`)
	holder, err := f.Admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	lock := func(bin int) {
		_, err := holder.ExecContext(t.Context(),
			`UPDATE bin b JOIN product p USING (product_id) SET b.stock = b.stock WHERE b.bin = ? AND p.sku = ?`,
			bin, donut)
		if err != nil {
			t.Fatal(err)
		}
	}
	buy := func() chan error {
		done := make(chan error, 1)
		go func() {
			_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
			done <- err
		}()
		return done
	}
	lock(1 - sold)
	if waits := f.waitsForLock(t, buy()); waits != "" {
		t.Errorf("a sale from bin %d waits for bin %d: %s", sold, 1-sold, waits)
	}
	lock(sold)
	done := buy()
	if f.waitsForLock(t, done) == "" {
		t.Errorf("a sale from bin %d did not wait for it", sold)
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestARefusalFromManyBinsTakesNoLock(t *testing.T) {
	f := newFixture(t, 1)
	f.soldOut(t)
	f.SetBins(t, donut, 8)
	holder, err := f.Admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	if _, err := holder.ExecContext(t.Context(), `UPDATE bin SET stock = stock + 1`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
		done <- refused(err)
	}()
	if waits := f.waitsForLock(t, done); waits != "" {
		t.Errorf("a refusal waits for a lock: %s", waits)
	}
}

// TestTheNumberOfBinsChangesInARush changes it while buyers buy and goods arrive.
func TestTheNumberOfBinsChangesInARush(t *testing.T) {
	const buyers = 8
	f := newFixture(t, buyers+2)
	f.SetStock(t, 200)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var sold atomic.Int64
	var rush sync.WaitGroup
	for range buyers {
		rush.Go(func() {
			for ctx.Err() == nil {
				if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err == nil {
					sold.Add(1)
				} else if refused(err) != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 40 {
		f.SetBins(t, donut, []int{1, 64, 3, 16, 2}[i%5])
		if err := f.deliverAndSell(t); err != nil && refused(err) != nil {
			t.Error(err)
		}
	}
	cancel()
	rush.Wait()
	if sold.Load() == 0 {
		t.Error("nothing was sold")
	}
	f.CheckBooks(t)
}

func TestALedgerInBinsIsPagedInTheOrderOfTime(t *testing.T) {
	f := newFixture(t, 4)
	f.SetBins(t, donut, 4)
	f.SetStock(t, 100)
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var group sync.WaitGroup
	var second atomic.Int64
	for range 4 { // connections of different bins
		group.Go(func() {
			for range 10 {
				_, err := f.Database.Store.Checkout(t.Context(), shop.Checkout{
					Purchase: shop.Purchase{SKU: donut, Quantity: 1}, SaleID: newID(t),
					At: start.Add(time.Duration(second.Add(1)) * time.Second),
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if used := f.Number(t, `SELECT COUNT(DISTINCT bin) FROM movement WHERE cause = 'sale'`); used < 2 {
		t.Fatalf("the sales took %d bins, want several", used)
	}
	seen, page := map[string]bool{}, ""
	last := map[int]int64{}
	for {
		entries, next, err := f.Ledger(t.Context(), donut, page, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			id := fmt.Sprintf("%d.%d", e.Bin, e.Number)
			if before, listed := last[e.Bin]; seen[id] || listed && e.Number >= before {
				t.Errorf("entry %s follows entry %d of its bin", id, before)
			}
			seen[id], last[e.Bin] = true, e.Number
			if e.Cause == "spread" {
				t.Errorf("the ledger lists the movement %+v between bins", e)
			}
		}
		if next == "" {
			break
		}
		page = next
	}
	if want := f.Number(t, `SELECT COUNT(*) FROM movement WHERE cause <> 'spread'
		AND product_id = (SELECT product_id FROM product WHERE sku = ?)`, donut); len(seen) != want {
		t.Errorf("the pages have %d entries, want %d", len(seen), want)
	}
}

// TestBuyersLookFirstIfABinWasEmpty sells the stock of a product that is on order. Its floors are
// 0, so the last sale takes from its bin only.
func TestBuyersLookFirstIfABinWasEmpty(t *testing.T) {
	f := newFixture(t, 1)
	f.soldOut(t)
	scarce := func() bool {
		return f.Number(t, `SELECT scarce FROM product WHERE sku = ?`, donut) == 1
	}
	if !scarce() {
		t.Error("a product that is sold out is not scarce")
	}
	f.SetStock(t, 2)
	if scarce() {
		t.Error("a product with a piece above its floor is scarce")
	}
	for range 2 {
		if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); refused(err) != nil || !scarce() {
		t.Errorf("the first buyer who gets nothing: got %v, scarce %t; want a refusal, and the others look first",
			err, scarce())
	}
	f.CheckBooks(t)
}
