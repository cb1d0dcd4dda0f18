package mysql_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"restock/internal/mysql/invariants"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

func TestACountSetsTheStock(t *testing.T) {
	f := newFixture(t, 1)
	f.SetStock(t, 100)
	f.SetBins(t, donut, 3)
	count := shop.Adjustment{SKU: donut, To: ptr(97), Reason: "counted", IdempotencyKey: "k"}
	for _, repeated := range []bool{false, true} {
		c, err := f.Adjust(t.Context(), count)
		a := c.Adjusted
		if err != nil || f.Stock(t) != 97 || a.Repeated != repeated || a.Quantity != -3 || a.Left != 97 ||
			a.Number < 1 {
			t.Fatalf("got %+v, %v, stock %d; want 97, repeated %v", a, err, f.Stock(t), repeated)
		}
	}
	count.To = ptr(96)
	if _, err := f.Adjust(t.Context(), count); shop.CodeOf(err) != shop.CodeIdempotencyKeyReused {
		t.Errorf("another count with the same key: got %v, want %s", err, shop.CodeIdempotencyKeyReused)
	}
	entries := f.Number(t, `SELECT COUNT(*) FROM movement`)
	c, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, To: ptr(97), Reason: "counted"})
	if err != nil || c.Adjusted.Number != 0 || c.Adjusted.Left != 97 ||
		f.Number(t, `SELECT COUNT(*) FROM movement`) != entries {
		t.Errorf("a count that agrees: got %+v, %v; want no entry", c.Adjusted, err)
	}
	f.CheckBooks(t)
}

func TestAnAdjustmentIsUndoneOnce(t *testing.T) {
	f := newFixture(t, 1)
	f.SetStock(t, 100)
	c, err := f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: -30, Reason: "damaged"})
	if err != nil {
		t.Fatal(err)
	}
	number := c.Adjusted.Number
	// The keys of purchases and adjustments are forgotten after a day. Those of undos must stay.
	forget := func() {
		for more := true; more; {
			if _, more, err = f.Database.Store.ForgetKeys(t.Context(), time.Now().Add(time.Minute), 10); err != nil {
				t.Fatal(err)
			}
		}
	}
	var undo int64
	for _, repeated := range []bool{false, true, true} {
		c, err := f.Shop.Undo(t.Context(), donut, number)
		if err != nil || f.Stock(t) != 100 || c.Adjusted.Repeated != repeated || c.Adjusted.Quantity != 30 ||
			c.Adjusted.Left != 100 {
			t.Fatalf("got %+v, %v, stock %d; want 100, repeated %v", c.Adjusted, err, f.Stock(t), repeated)
		}
		undo = c.Adjusted.Number
		forget()
	}
	entries, _, err := f.Shop.Ledger(t.Context(), donut, "", 1)
	if want := fmt.Sprintf("undo of entry %d", number); err != nil || entries[0].Reason != want {
		t.Errorf("the ledger is %+v, %v; want the reason %q", entries, err, want)
	}
	if _, err := f.Shop.Undo(t.Context(), donut, undo); err != nil || f.Stock(t) != 70 {
		t.Errorf("the undo of the undo: got %v, stock %d; want 70", err, f.Stock(t))
	}
	if _, err := f.Shop.Undo(t.Context(), donut, 1); shop.CodeOf(err) != shop.CodeUnknownAdjustment {
		t.Errorf("the undo of the opening: got %v, want %s", err, shop.CodeUnknownAdjustment)
	}
	c, err = f.Adjust(t.Context(), shop.Adjustment{SKU: donut, Quantity: 10, Reason: "found"})
	if err != nil {
		t.Fatal(err)
	}
	f.SetStock(t, 9)
	if _, err := f.Shop.Undo(t.Context(), donut, c.Adjusted.Number); shop.CodeOf(err) != shop.CodeOutOfStock ||
		!strings.Contains(err.Error(), "9 of CP-502101 are on hand, 10 cannot be taken away") {
		t.Errorf("the undo of what is sold: got %v, want %s", err, shop.CodeOutOfStock)
	}
	f.CheckBooks(t)

	f.Exec(t, `UPDATE movement SET idempotency_key = NULL WHERE idempotency_key LIKE 'undo%' AND number = ?`, undo)
	f.Exec(t, `UPDATE movement SET idempotency_key = CONCAT('undo\t', UUID()) WHERE number = ? AND bin = 0`, undo)
	if err := invariants.Check(t.Context(), f.Admin, invariants.Always); err == nil ||
		!strings.Contains(err.Error(), "an undo is not the opposite of its adjustment") {
		t.Errorf("the books with an undo of nothing: got %v, want it named", err)
	}
}

// row returns a row of an import for a new product.
func row(line int, sku string, stock int) shop.ImportRow {
	return shop.ImportRow{Line: line, SKU: sku, Stock: &stock, ProductChange: shop.ProductChange{
		Name: ptr("도너츠 " + sku), Price: ptr(int64(1000)), Factory: ptr("FF-500293"), OrderUpTo: ptr(50),
	}}
}

func TestAnImportIsAllOrNothingAndMadeOnce(t *testing.T) {
	f := newFixture(t, 1)
	f.SetBins(t, mysqltest.Twist, 4)
	products := func() int { return f.Number(t, `SELECT COUNT(*) FROM product`) }
	price := func(sku string) int { return f.Number(t, `SELECT price FROM product WHERE sku = ?`, sku) }
	before, wasPrice := products(), price(mysqltest.Twist)
	full := shop.Import{LeadTime: time.Minute, IdempotencyKey: "k", Rows: []shop.ImportRow{
		row(2, "CP-700001", 5), row(3, "CP-700002", 0),
		{Line: 4, SKU: mysqltest.Twist, ProductChange: shop.ProductChange{
			Price: ptr(int64(wasPrice + 1)), Bins: ptr(4),
		}},
		{Line: 5, SKU: donut, ProductChange: shop.ProductChange{Bins: ptr(1)}},
	}}

	wrong := full
	wrong.Rows = append(slices.Clone(full.Rows), shop.ImportRow{Line: 6, SKU: "CP-700003"})
	_, err := f.Shop.Import(t.Context(), wrong)
	if shop.CodeOf(err) != shop.CodeInvalidProduct || !strings.Contains(err.Error(), "line 6: CP-700003 is new") {
		t.Errorf("a wrong line: got %v, want it named", err)
	}
	// The database refuses the second product, which the shop believes to be new.
	taken := row(3, "CP-700002", 0)
	twist := product(t, f, mysqltest.Twist)
	batch := shop.Batch{Change: []shop.BatchChange{{Product: twist, ProductChange: full.Rows[2].ProductChange}}}
	for _, sku := range []string{"CP-700001", mysqltest.Twist} {
		batch.Create = append(batch.Create, shop.Product{
			ID: newID(t), SKU: sku, Name: "같은 이름 " + sku, Stock: 5, Bins: 1,
			Factory: *taken.Factory, Policy: glazed.Policy,
		})
	}
	if err := f.Database.Store.Import(t.Context(), batch, time.Now()); shop.CodeOf(err) != shop.CodeProductExists {
		t.Errorf("a SKU that is taken: got %v, want %s", err, shop.CodeProductExists)
	}
	dry := full
	dry.DryRun = true
	done, err := f.Shop.Import(t.Context(), dry)
	if err != nil || done != (shop.Imported{Created: 2, Changed: 1, Unchanged: 1}) {
		t.Errorf("a dry run: got %+v, %v", done, err)
	}
	if products() != before || price(mysqltest.Twist) != wasPrice {
		t.Fatalf("there are %d products, a price %d; want nothing changed", products(), price(mysqltest.Twist))
	}

	for _, want := range []shop.Imported{{Created: 2, Changed: 1, Unchanged: 1}, {Repeated: true}} {
		if done, err = f.Shop.Import(t.Context(), full); err != nil || done != want {
			t.Errorf("got %+v, %v; want %+v", done, err, want)
		}
	}
	if products() != before+2 || price(mysqltest.Twist) != wasPrice+1 {
		t.Errorf("there are %d products, a price %d; want two new ones and the new price",
			products(), price(mysqltest.Twist))
	}
	moved := full
	moved.Rows = slices.Clone(full.Rows)
	for i := range moved.Rows {
		moved.Rows[i].Line++
	}
	if done, err = f.Shop.Import(t.Context(), moved); err != nil || done != (shop.Imported{Repeated: true}) {
		t.Errorf("the file with a blank line: got %+v, %v; want it repeated", done, err)
	}
	p := product(t, f, "CP-700001")
	if p.Stock != 5 || !p.Policy.Automatic || p.Policy.LeadTime != time.Minute || p.Bins != 1 {
		t.Errorf("got %+v, want the stock and the defaults", p)
	}
	for _, dry := range []bool{false, true} {
		other := shop.Import{LeadTime: time.Minute, IdempotencyKey: "k", DryRun: dry, Rows: []shop.ImportRow{
			row(2, "CP-700009", 5),
		}}
		if _, err := f.Shop.Import(t.Context(), other); shop.CodeOf(err) != shop.CodeIdempotencyKeyReused {
			t.Errorf("another file with the key, dry run %v: got %v, want %s", dry, err, shop.CodeIdempotencyKeyReused)
		}
	}
	// Both imports have found the key unused.
	late := shop.Batch{IdempotencyKey: "k", Content: newID(t), Create: []shop.Product{{
		ID: newID(t), SKU: "CP-700009", Name: "늦은 도너츠", Stock: 5, Bins: 1, Factory: *taken.Factory,
		Policy: glazed.Policy,
	}}}
	err = f.Database.Store.Import(t.Context(), late, time.Now())
	if shop.CodeOf(err) != shop.CodeIdempotencyKeyReused {
		t.Errorf("another file with the key, at the same time: got %v, want %s", err, shop.CodeIdempotencyKeyReused)
	}
	// The version before did not store the content.
	f.Exec(t, `UPDATE movement SET reference = NULL WHERE idempotency_key IS NOT NULL`)
	if done, err = f.Shop.Import(t.Context(), full); err != nil || done != (shop.Imported{Repeated: true}) {
		t.Errorf("an import by the version before: got %+v, %v; want it repeated", done, err)
	}
	// With another key the same file is the same again: its stock is what is on hand.
	full.IdempotencyKey = "another"
	if done, err = f.Shop.Import(t.Context(), full); err != nil || done != (shop.Imported{Unchanged: 4}) {
		t.Errorf("the file again: got %+v, %v; want nothing to change", done, err)
	}
	f.CheckBooks(t)
}

// TestAnImportComparesNamesLikeTheDatabase gives two products of a file names that may be equal,
// and compares the check of the file with the answer of the database.
func TestAnImportComparesNamesLikeTheDatabase(t *testing.T) {
	f := newFixture(t, 1)
	for i, test := range []struct {
		first, second string
		equal         bool
	}{
		{"Café", "CAFE", true},
		{"Straße", "strasse", true},
		{"ｍｏｃｈｉ", "mochi", true},                              // letters as wide as Korean ones
		{"도너츠", "\u1103\u1169\u1102\u1165\u110e\u1173", true}, // the same word, composed and decomposed
		{"🍩 도너츠", "🍪 도너츠", false},
		{"도너츠", "도나츠", false},
		{"mochi", "mo-chi", false},
	} {
		rows := []shop.ImportRow{row(2, fmt.Sprintf("CP-71%02d", i), 0), row(3, fmt.Sprintf("CP-72%02d", i), 0)}
		rows[0].Name, rows[1].Name = ptr(test.first+fmt.Sprint(i)), ptr(test.second+fmt.Sprint(i))
		_, err := f.Shop.Import(t.Context(), shop.Import{DryRun: true, LeadTime: time.Minute, Rows: rows})
		refused := shop.CodeOf(err) == shop.CodeInvalidProduct &&
			strings.Contains(err.Error(), "line 3: "+rows[0].SKU+" has the name")
		if refused != test.equal || err != nil && !refused {
			t.Errorf("a dry run with %q and %q: got %v, want refused %v", *rows[0].Name, *rows[1].Name, err, test.equal)
		}
		create := func(r shop.ImportRow) error {
			_, err := f.Shop.CreateProduct(t.Context(), shop.NewProduct{
				SKU: r.SKU, Name: *r.Name, Bins: 1, Factory: *r.Factory, Policy: glazed.Policy,
			})
			return err
		}
		if err := create(rows[0]); err != nil {
			t.Fatal(err)
		}
		if err := create(rows[1]); (shop.CodeOf(err) == shop.CodeProductExists) != test.equal {
			t.Errorf("the database with %q and %q: got %v, want refused %v",
				*rows[0].Name, *rows[1].Name, err, test.equal)
		}
	}
}

func TestAnImportHasNamesInOtherLanguages(t *testing.T) {
	f := newFixture(t, 1)
	names := func(sku string, want map[string]string) {
		t.Helper()
		if got := product(t, f, sku).Names; !maps.Equal(got, want) {
			t.Errorf("%s has the names %v, want %v", sku, got, want)
		}
	}
	imports := func(rows ...shop.ImportRow) (shop.Imported, error) {
		return f.Shop.Import(t.Context(), shop.Import{LeadTime: time.Minute, Rows: rows})
	}
	created, changed := row(2, "CP-700001", 5), shop.ImportRow{Line: 3, SKU: mysqltest.Twist}
	created.Names = map[string]string{"en": "Old doughnut", "fr": "Beignet"}
	changed.Names = map[string]string{"fr": "Torsade", "zh-Hant": "麻花"}
	was := product(t, f, mysqltest.Twist).Names
	if done, err := imports(created, changed); err != nil || done != (shop.Imported{Created: 1, Changed: 1}) {
		t.Fatalf("got %+v, %v", done, err)
	}
	names("CP-700001", created.Names)
	want := maps.Clone(changed.Names)
	maps.Copy(want, was)
	names(mysqltest.Twist, want)

	again := shop.ImportRow{Line: 2, SKU: "CP-700001", Names: map[string]string{"en": "New doughnut"}}
	if _, err := imports(again, changed); err != nil {
		t.Fatal(err)
	}
	names("CP-700001", map[string]string{"en": "New doughnut", "fr": "Beignet"})
	if done, err := imports(again, changed); err != nil || done != (shop.Imported{Unchanged: 2}) {
		t.Errorf("the same names again: got %+v, %v; want nothing to change", done, err)
	}
	again.Names["en"] = "two\nlines"
	if _, err := imports(again); shop.CodeOf(err) != shop.CodeInvalidProduct ||
		!strings.Contains(err.Error(), "line 2: the name in the language en") {
		t.Errorf("a name of two lines: got %v, want it named", err)
	}
}

// TestAnImportDoesNotUndoSales sells a product while an import waits for the lock of its bins.
func TestAnImportDoesNotUndoSales(t *testing.T) {
	f := newFixture(t, 2)
	f.SetBins(t, mysqltest.Twist, 4)
	twist := product(t, f, mysqltest.Twist)
	sale, err := f.Admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sale.Rollback()
	if _, err := sale.ExecContext(t.Context(),
		`SELECT SUM(stock) FROM bin WHERE product_id = ? FOR UPDATE`, twist.ID[:]); err != nil {
		t.Fatal(err)
	}
	// The file has the products in the wrong order: the import locks the doughnut first.
	done := make(chan error, 1)
	go func() {
		_, err := f.Shop.Import(t.Context(), shop.Import{Rows: []shop.ImportRow{
			{Line: 2, SKU: mysqltest.Twist, ProductChange: shop.ProductChange{Bins: ptr(3)}},
			{Line: 3, SKU: donut, ProductChange: shop.ProductChange{Price: ptr(int64(2000))}},
		}})
		done <- err
	}()
	if f.waitsForLock(t, done) == "" {
		t.Fatal("the import did not wait")
	}
	if n := f.Number(t, `SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_locked > 0`); n != 2 {
		t.Errorf("%d transactions have locks, want the sale and the import, which has locked the doughnut", n)
	}
	if _, err := sale.ExecContext(t.Context(),
		`CALL move(?, 0, -50, 'adjustment', ?, NULL, 'sold', NULL, UTC_TIMESTAMP(6), '')`,
		twist.ID[:], twist.ID[:]); err != nil {
		t.Fatal(err)
	}
	if err := sale.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if p := product(t, f, mysqltest.Twist); p.Stock != twist.Stock-50 || p.Bins != 3 {
		t.Errorf("the product has %d in %d bins, want %d in 3", p.Stock, p.Bins, twist.Stock-50)
	}
	f.CheckBooks(t)
}

func product(t *testing.T, f *fixture, sku string) shop.Product {
	t.Helper()
	p, err := f.Database.Store.Product(t.Context(), sku)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSalesOfARangeAddUp compares the sales of many ranges with a sum over the whole ledger.
func TestSalesOfARangeAddUp(t *testing.T) {
	f := newFixture(t, 4)
	f.Exec(t, `UPDATE product SET max_per_sale = 0, automatic = FALSE`)
	f.SetStock(t, 5000)
	f.SetBins(t, donut, 3)
	random := rand.New(rand.NewPCG(1, 2))
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	at := noon
	f.Now = func() time.Time { return at }
	times := []time.Time{noon.Add(-time.Hour), noon}
	for i := range 150 {
		// Neighbours may be in the wrong order, by less than a function runs.
		at = noon.Add(time.Duration(i)*20*time.Second - time.Duration(random.IntN(50))*time.Second)
		times = append(times, at)
		sku := []string{donut, donut, donut, mysqltest.Twist}[random.IntN(4)]
		if _, err := f.Buy(t.Context(), shop.Purchase{SKU: sku, Quantity: 1 + random.IntN(3)}); err != nil &&
			shop.CodeOf(err) != shop.CodeOutOfStock {
			t.Fatal(err)
		}
		if i == 70 {
			f.Exec(t, `UPDATE product SET price = price + 100`)
		}
	}
	f.CheckBooks(t)
	for range 200 {
		from, to := times[random.IntN(len(times))], times[random.IntN(len(times))]
		if !from.Before(to) {
			continue
		}
		got, err := f.Shop.Sales(t.Context(), from, to)
		if err != nil {
			t.Fatal(err)
		}
		count, units, revenue := 0, 0, int64(0)
		for _, p := range got {
			count, units, revenue = count+p.Sales, units+p.Units, revenue+p.Revenue
		}
		const naive = ` FROM movement WHERE cause = 'sale' AND recorded_at >= ? AND recorded_at < ?`
		wantUnits := f.Number(t, `SELECT COALESCE(SUM(-quantity), 0)`+naive, from, to)
		wantRevenue := f.Number(t, `SELECT COALESCE(SUM(-quantity * unit_price), 0)`+naive, from, to)
		if want := f.Number(t, `SELECT COUNT(*)`+naive, from, to); count != want || units != wantUnits ||
			revenue != int64(wantRevenue) {
			t.Fatalf("from %v to %v: got %d sales, %d units, %d; want %d, %d, %d",
				from, to, count, units, revenue, want, wantUnits, wantRevenue)
		}
	}
	f.Exec(t, `UPDATE movement SET unit_price = 9007199254740992, quantity = -2147483647 WHERE cause = 'sale'`)
	got, err := f.Shop.Sales(t.Context(), noon, noon.Add(24*time.Hour))
	if err != nil || len(got) == 0 || got[0].Revenue != 1<<63-1 {
		t.Errorf("a revenue beyond 64 bits: got %+v, %v; want the largest number", got, err)
	}
}

func TestNoticesArePagedFromTheNewest(t *testing.T) {
	f := newFixture(t, 1)
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	var want []string
	for i := range 7 {
		order, at := newID(t), noon.Add(time.Duration(i/3)*time.Minute) // three notices of one sweep have one time
		f.Exec(t, `
			INSERT INTO production_order (production_order_id, product_id, factory_id, quantity, status,
			                              opened_at, asked_at, closed_at)
			SELECT ?, product_id, factory_id, 5, 'failed', ?, ?, ? FROM product WHERE sku = ?`,
			order[:], at, at, at, donut)
		f.Exec(t, `
			INSERT INTO notice (kind, subject_id, production_order_id, quantity, raised_at, due_at, told_at)
			VALUES ('order_failed', ?, ?, 0, ?, NULL, ?)`, order[:], order[:], at, at.Add(time.Second))
		want = append(want, fmt.Sprint(noon.Add(time.Duration(i/3)*time.Minute), " ", order))
	}
	var got []string
	next := ""
	for range 9 {
		notices, after, err := f.Shop.Notices(t.Context(), next, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range notices {
			got = append(got, fmt.Sprint(n.RaisedAt, " ", n.Order.ID))
			if n.Subject != donut+": production order failed" || !n.ToldAt.Equal(n.RaisedAt.Add(time.Second)) {
				t.Errorf("got %+v, want its text and when it was sent", n)
			}
		}
		if next = after; next == "" {
			break
		}
	}
	slices.Reverse(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOrdersAreFoundByTheBeginningOfTheirIDs(t *testing.T) {
	f := newFixture(t, 1)
	var ids []string
	id := newID(t)
	for last := range 3 {
		id[15] = byte(last)
		f.Exec(t, `
			INSERT INTO production_order (production_order_id, product_id, factory_id, quantity, status,
			                              opened_at, asked_at, closed_at)
			SELECT ?, product_id, factory_id, 5, 'failed', NOW(), NOW(), NOW() FROM product WHERE sku = ?`,
			id[:], donut)
		ids = append(ids, id.String())
	}
	for prefix, want := range map[string]int{ids[0]: 1, ids[1]: 1, ids[2][:35]: 3, ids[2][:8]: 3, "": 3, "ffff": 0} {
		orders, _, err := f.Shop.ProductionOrders(t.Context(), shop.OrderFilter{IDPrefix: prefix})
		if err != nil || len(orders) != want || want == 1 && !strings.HasPrefix(orders[0].ID.String(), prefix) {
			t.Errorf("%q: got %+v, %v; want %d", prefix, orders, err, want)
		}
	}
}

func TestFactoriesAreListed(t *testing.T) {
	f := newFixture(t, 1)
	all, err := f.Shop.Factories(t.Context())
	if err != nil || len(all) != 1 || all[0].Identifier != "FF-500293" || all[0].Products != 3 || all[0].Name == "" {
		t.Errorf("got %+v, %v; want the factory of the catalogue", all, err)
	}
}

func TestReceiptsKeepTheirKeys(t *testing.T) {
	f := newFixture(t, 1)
	f.Exec(t, `
		CALL move((SELECT product_id FROM product WHERE sku = ?), 0, 1, 'receipt', UNHEX(REPEAT('00', 16)), NULL, NULL,
		          'receipt\tattempt', UTC_TIMESTAMP(6), '')`, donut)
	if _, _, err := f.Database.Store.ForgetKeys(t.Context(), time.Now().Add(time.Hour), 100); err != nil {
		t.Fatal(err)
	}
	if n := f.Number(t, `SELECT COUNT(idempotency_key) FROM movement WHERE cause = 'receipt'`); n != 1 {
		t.Errorf("%d receipts have their key after a day, want 1", n)
	}
}
