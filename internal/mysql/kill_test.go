package mysql_test

import (
	"database/sql"
	"testing"

	"restock/internal/shop"
	"restock/test/await"
)

// TestASaleThatIsKilledWhileItWaitsForItsKeyIsRolledBack kills a sale that has changed its bin, or
// has locked all bins.
func TestASaleThatIsKilledWhileItWaitsForItsKeyIsRolledBack(t *testing.T) {
	const key = "key"
	for _, c := range []struct {
		name   string
		scarce bool
	}{
		{"a sale from one bin", false},
		{"a sale that locks all bins", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, 1)
			f.SetStock(t, 10)
			if c.scarce {
				f.Exec(t, `UPDATE product SET scarce = TRUE`)
			}
			holder, err := f.Admin.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Rollback()
			// Another sale, of another product, has the key and is not committed.
			if _, err := holder.ExecContext(t.Context(), `
				INSERT INTO movement (product_id, bin, number, quantity, cause, reference, unit_price,
				                      idempotency_key, recorded_at)
				SELECT product_id, 0, 1000, -1, 'sale', product_id, 0, ?, UTC_TIMESTAMP(6)
				  FROM product WHERE sku = 'CP-502102'`, key); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: key})
				done <- err
			}()
			if f.waitsForLock(t, done) == "" {
				t.Fatal("the sale did not wait for its key")
			}
			f.Exec(t, `KILL QUERY ?`, f.Number(t, processesOfUser, f.User))
			if err := <-done; shop.CodeOf(err) != shop.CodeUnavailable {
				t.Errorf("got %v, want %s: nothing is sold", err, shop.CodeUnavailable)
			}
			if err := holder.Rollback(); err != nil {
				t.Fatal(err)
			}
			sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1})
			if err != nil || sale.Stock != 9 {
				t.Errorf("the next checkout on the connection: got %+v, %v; want a sale that leaves 9", sale, err)
			}
			f.CheckBooks(t)
		})
	}
}

// TestASaleThatIsKilledBeforeTheHandlerOfItsKey sells twice with a key. The second call fails with
// the duplicate, as a call that is killed before the handler does. The test removes the handler,
// because a kill seldom comes at this moment.
func TestASaleThatIsKilledBeforeTheHandlerOfItsKey(t *testing.T) {
	f := newFixture(t, 1)
	f.SetStock(t, 10)
	purchase := shop.Purchase{SKU: donut, Quantity: 1, IdempotencyKey: "key"}
	if _, err := f.Buy(t.Context(), purchase); err != nil {
		t.Fatal(err)
	}
	f.EditProcedure(t, "sell", "DECLARE EXIT HANDLER FOR 1062", "DECLARE EXIT HANDLER FOR 1061")
	if _, err := f.Buy(t.Context(), purchase); shop.CodeOf(err) != shop.CodeOutcomeUnknown {
		t.Errorf("got %v, want %s: the buyer repeats it, and gets the sale", err, shop.CodeOutcomeUnknown)
	}
	f.EditProcedure(t, "sell", "DECLARE EXIT HANDLER FOR 1061", "DECLARE EXIT HANDLER FOR 1062")
	if sale, err := f.Buy(t.Context(), purchase); err != nil || !sale.Repeated || sale.Stock != 9 {
		t.Errorf("the repeated sale: got %+v, %v; want the first, which left 9", sale, err)
	}
	f.CheckBooks(t)
}

// TestASaleThatIsKilledBetweenTwoStatementsIsRolledBack kills a sale between the change of its bin
// and the movement. The server then ends the procedure without its handlers. The transaction must
// end with the call: the next call on the connection begins a transaction, which would commit the
// bin without its movement.
func TestASaleThatIsKilledBetweenTwoStatementsIsRolledBack(t *testing.T) {
	f := newFixture(t, 1)
	f.SetStock(t, 10)
	f.EditProcedure(t, "sell", "SET v_sells = ROW_COUNT();",
		"SET v_sells = ROW_COUNT(); WHILE p_quantity = 2 DO SET v_price = v_price; END WHILE;")
	done := make(chan error, 1)
	go func() {
		_, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 2, IdempotencyKey: "key"})
		done <- err
	}()
	await.Until(t, "the sale has changed its bin", func() bool {
		tx, err := f.Admin.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadUncommitted})
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		var stock int
		if err := tx.QueryRowContext(t.Context(), `SELECT stock FROM product_stock WHERE sku = ?`,
			donut).Scan(&stock); err != nil {
			t.Fatal(err)
		}
		return stock == 8
	})
	f.Exec(t, `KILL QUERY ?`, f.Number(t, processesOfUser, f.User))
	if err := <-done; shop.CodeOf(err) != shop.CodeUnavailable {
		t.Errorf("got %v, want %s: nothing is sold", err, shop.CodeUnavailable)
	}
	if sale, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil || sale.Stock != 9 {
		t.Errorf("the next checkout on the connection: got %+v, %v; want a sale that leaves 9", sale, err)
	}
	f.CheckBooks(t)
}
