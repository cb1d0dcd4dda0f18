package mysql_test

import (
	"testing"
	"time"

	"restock/internal/shop"
)

func TestAWaitIsRecordedOnceIfAllBinsAreBusy(t *testing.T) {
	f := newFixture(t, 1)
	f.SetBins(t, donut, 2)
	at, quiet := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), time.Minute
	record := func(name string, at time.Time, want int) {
		t.Helper()
		bins, err := f.Database.RecordWait(t.Context(), donut, at, quiet)
		if err != nil || bins != want {
			t.Errorf("%s: got %d bins, %v; want %d", name, bins, err, want)
		}
	}
	waitedAt := func() time.Time {
		t.Helper()
		p, err := f.Database.Store.Product(t.Context(), donut)
		if err != nil {
			t.Fatal(err)
		}
		return p.WaitedAt
	}
	holder, err := f.Admin.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback()
	lock := func(bin int) {
		t.Helper()
		_, err := holder.ExecContext(t.Context(), `
			SELECT stock FROM bin
			 WHERE bin = ? AND product_id = (SELECT product_id FROM product WHERE sku = ?) FOR UPDATE`, bin, donut)
		if err != nil {
			t.Fatal(err)
		}
	}
	record("no bin is busy", at, 0)
	lock(0)
	record("a bin is free", at, 0)
	if !waitedAt().IsZero() {
		t.Errorf("a wait is stored although a bin was free: %v", waitedAt())
	}
	lock(1)
	record("all bins are busy", at, 2)
	record("soon afterwards", at.Add(quiet-time.Second), 0)
	record("later", at.Add(quiet), 2)
	if got := waitedAt(); !got.Equal(at.Add(quiet)) {
		t.Errorf("the last wait was at %v, want %v", got, at.Add(quiet))
	}
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	f.SetBins(t, donut, shop.MaxBins)
	if got := waitedAt(); !got.IsZero() {
		t.Errorf("a product with a new number of bins has the wait of %v, want none", got)
	}
}
