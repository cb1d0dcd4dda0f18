package mysql_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"restock/internal/shop"
)

// balances returns the doughnut's balance. It fails the test if another product has a difference.
func (f *fixture) balances(tb testing.TB) []shop.Balance {
	tb.Helper()
	balances, err := f.Database.Store.Balances(tb.Context())
	if err != nil || len(balances) != 3 || balances[1].Difference() != 0 || balances[2].Difference() != 0 {
		tb.Fatalf("got %+v, %v; want three products, and no difference in the last two", balances, err)
	}
	return balances[:1]
}

func TestBalancesFindDifferencesOfStockAndLedger(t *testing.T) {
	f := newFixture(t, 1)
	const of = ` WHERE p.sku = '` + donut + `'`
	const counted = `UPDATE bin b JOIN product p USING (product_id) SET b.entries = b.entries + 1` + of
	entry := func(quantity int, cause string) string {
		return fmt.Sprintf(`
			INSERT INTO movement (product_id, bin, number, quantity, cause, recorded_at)
			SELECT b.product_id, 0, (SELECT MAX(number) + 1 FROM movement m WHERE m.product_id = b.product_id),
			       %d, '%s', UTC_TIMESTAMP(6) FROM bin b JOIN product p USING (product_id)`+of, quantity, cause)
	}
	for _, c := range []struct {
		name    string
		changes []string
		want    shop.Balance
	}{
		{"the first call", nil, shop.Balance{SKU: donut, Stock: 3, Ledger: 3}},
		{"nothing changed", nil, shop.Balance{SKU: donut, Stock: 3, Ledger: 3}},
		{"stock without an entry", []string{`UPDATE bin b JOIN product p USING (product_id) SET b.stock = 5` + of},
			shop.Balance{SKU: donut, Stock: 5, Ledger: 3}},
		{"the same again", nil, shop.Balance{SKU: donut, Stock: 5, Ledger: 3}},
		{"the missing entry", []string{entry(2, "adjustment"), counted}, shop.Balance{SKU: donut, Stock: 5, Ledger: 5}},
		{"an entry without stock", []string{entry(-1, "sale")}, shop.Balance{SKU: donut, Stock: 5, Ledger: 4}},
		{"the entry is removed", []string{`DELETE FROM movement WHERE cause = 'sale'`},
			shop.Balance{SKU: donut, Stock: 5, Ledger: 5}},
	} {
		for _, change := range c.changes {
			f.Exec(t, change)
		}
		if got := f.balances(t); !slices.Equal(got, []shop.Balance{c.want}) {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
	last := f.Number(t, `
		SELECT c.balanced = MAX(m.number) AND c.balance = 5
		  FROM bin_checkpoint c JOIN movement m USING (product_id, bin) JOIN product p USING (product_id)
		 WHERE p.sku = ? GROUP BY c.product_id`, donut)
	if last != 1 {
		t.Error("the checkpoint is not at the last entry: the next call adds up old entries again")
	}
	// The bin counts one movement more than there are.
	for _, change := range []string{
		`UPDATE bin b JOIN product p USING (product_id) SET b.stock = 6` + of, entry(1, "adjustment"), counted, counted,
	} {
		f.Exec(t, change)
	}
	f.balances(t)
	passed := f.Number(t, `
		SELECT c.balanced = MAX(m.number)
		  FROM bin_checkpoint c JOIN movement m USING (product_id, bin) JOIN product p USING (product_id)
		 WHERE p.sku = ? GROUP BY c.product_id`, donut)
	if passed != 0 {
		t.Error("the checkpoint passed a movement that is missing: nobody would notice it")
	}
}

func TestBalancesStoreTheCheckpointsOfAllBins(t *testing.T) {
	f := newFixture(t, 1)
	for _, sku := range []string{donut, "CP-502102", "CP-502103"} {
		f.SetBins(t, sku, shop.MaxBins)
	}
	f.SetStock(t, 1000)
	f.balances(t)
	behind := f.Number(t, `
		SELECT COUNT(*) FROM bin b LEFT JOIN bin_checkpoint c USING (product_id, bin)
		 WHERE b.entries > COALESCE(c.balanced, 0) OR b.stock <> COALESCE(c.balance, 0)`)
	if moved := f.Number(t, `SELECT COUNT(*) FROM bin WHERE entries > 0`); behind != 0 || moved < 2*shop.MaxBins {
		t.Errorf("%d checkpoints are behind, of %d bins with entries; want 0 of at least %d", behind, moved,
			2*shop.MaxBins)
	}
}

func TestBalancesAreRightWhileBuyersBuy(t *testing.T) {
	f := newFixture(t, 8)
	f.SetStock(t, 10_000)
	var buyers sync.WaitGroup
	for range 6 {
		buyers.Go(func() {
			for range 100 {
				if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { buyers.Wait(); close(done) }()
	var inspectors sync.WaitGroup
	for range 2 {
		inspectors.Go(func() {
			for {
				balances, err := f.Database.Store.Balances(t.Context())
				if err != nil || len(balances) != 3 || balances[0].Difference() != 0 {
					t.Errorf("got %+v, %v; want no difference", balances, err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	inspectors.Wait()
	<-done
	if got := f.balances(t); got[0].Ledger != 9_400 || got[0].Stock != 9_400 {
		t.Errorf("got %+v, want 9400", got)
	}
}

func TestBalancesAddUpOnlyNewEntries(t *testing.T) {
	const old = 5000
	f := newFixture(t, 1)
	f.Exec(t, `
		INSERT INTO movement (product_id, bin, number, quantity, cause, recorded_at)
		SELECT p.product_id, 0, 1 + s.seq, IF(s.seq % 2, 1, -1), 'adjustment', UTC_TIMESTAMP(6)
		  FROM product p, seq_1_to_`+fmt.Sprint(old)+` s WHERE p.sku = ?`, donut)
	f.Exec(t, `UPDATE bin SET entries = entries + ? WHERE product_id = (SELECT product_id FROM product WHERE sku = ?)`,
		old, donut)
	f.balances(t) // stores the checkpoints
	read := func() (n int) {
		var name string
		row := f.DB.QueryRowContext(t.Context(), `SHOW SESSION STATUS LIKE 'Handler_read_next'`)
		if err := row.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := read()
	if got := f.balances(t); got[0].Difference() != 0 {
		t.Fatalf("got %+v", got)
	}
	if rows := read() - before; rows > old/10 {
		t.Errorf("the server read %d rows of the index, want almost none: none of %d entries is new", rows, old)
	}
}
