package mysql_test

import (
	"os"
	"testing"

	"github.com/pressly/goose/v3"

	"restock/internal/mysql"
	"restock/internal/mysql/migrate"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
)

// firstRelease is the schema's version in the first release. Migration 00006 followed it.
const firstRelease = 5

// TestAMigrationDoesNotInterruptTheShop migrates a database of the first release, while a function
// is connected with the rights of that release.
func TestAMigrationDoesNotInterruptTheShop(t *testing.T) {
	d := mysqltest.Empty(t)
	provider, err := goose.NewProvider(goose.DialectMySQL, d.Admin, os.DirFS("migrate/migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), firstRelease); err != nil {
		t.Fatal(err)
	}
	const password = "of the first release"
	t.Cleanup(func() { d.DropUser(t) })
	d.Exec(t, "CREATE USER '"+d.User+"'@'%' IDENTIFIED BY '"+password+"'")
	d.Exec(t, "GRANT SELECT, INSERT, UPDATE ON `"+d.Name+"`.* TO '"+d.User+"'@'%'")
	d.Exec(t, "GRANT EXECUTE ON PROCEDURE `"+d.Name+"`.checkout TO '"+d.User+"'@'%'")
	d.Exec(t, "GRANT EXECUTE ON PROCEDURE `"+d.Name+"`.replenish TO '"+d.User+"'@'%'")
	f := &fixture{Database: d}
	f.Shop = shop.Open(mysql.NewStore(d.Open(t, d.User, password, 1)), f, shop.Discard)
	buy := func() {
		t.Helper()
		if _, err := f.Buy(t.Context(), shop.Purchase{SKU: donut, Quantity: 1}); err != nil {
			t.Fatal(err)
		}
	}
	buy()
	d.Exec(t, `UPDATE product SET name = '도넛 🍩' WHERE sku = ?`, mysqltest.Twist)
	if _, err := migrate.Up(t.Context(), d.Admin); err != nil {
		t.Fatal(err)
	}
	buy() // with the old rights
	buy()
	d.Exec(t, `UPDATE product SET name = '도넛 🍪' WHERE sku = ?`, mysqltest.Mochi) // another name now
	if len(f.published) != 1 {
		t.Errorf("%d orders are published, want 1: the doughnut is sold out", len(f.published))
	}
	d.CheckBooks(t)
}
