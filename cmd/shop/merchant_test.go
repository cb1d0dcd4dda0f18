package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"restock/internal/merchant"
	"restock/internal/mysql/mysqltest"
	"restock/internal/shop"
	"restock/internal/web/webtest"
	"restock/lambdas/merchant-api/managing"
)

func TestMain(m *testing.M) { mysqltest.Main(m) }

// A counter is the shop's real handlers and database, and a terminal in front of them.
type counter struct {
	*testing.T
	database *mysqltest.Database
	shop     *shop.Shop
	ready    string
	now      time.Time
}

// silent publishes nothing: no factory delivers.
type silent struct{}

func (silent) Publish(context.Context, shop.ProductionOrder) error { return nil }

func openCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{T: t, database: mysqltest.New(t, 1), now: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)}
	c.shop = shop.Open(c.database.Store, silent{}, shop.Discard)
	c.shop.Now = func() time.Time { return c.now }
	handler, err := managing.NewAPI(c.shop, 40*time.Second, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			t.Error(err)
		}
		header := map[string]string{}
		for name := range r.Header {
			header[name] = r.Header.Get(name)
		}
		got := webtest.Do(t, handler, webtest.Request{
			Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: body.String(), Header: header,
		})
		w.WriteHeader(got.Status)
		fmt.Fprint(w, got.Body)
	}))
	t.Cleanup(server.Close)
	c.ready = ready(t, server.URL, server.URL)
	t.Chdir(t.TempDir())
	return c
}

// types runs a line as a person types it, without quotes, and returns what it prints.
func (c *counter) types(line string, code int) string {
	c.Helper()
	var out, said bytes.Buffer
	terminal := testTerminal(&out, &said)
	terminal.now = func() time.Time { return c.now }
	args := append([]string{"--ready", c.ready}, strings.Fields(strings.TrimPrefix(line, "shop "))...)
	if got := terminal.run(c.Context(), args); got != code {
		c.Fatalf("%s: ended with %d, want %d: %s%s", line, got, code, &out, &said)
	}
	return out.String() + said.String()
}

// says runs a line, and checks that its output has the texts.
func (c *counter) says(line string, code int, texts ...string) string {
	c.Helper()
	out := c.types(line, code)
	for _, text := range texts {
		if !strings.Contains(out, text) {
			c.Errorf("%s: got\n%s\nwant %q in it", line, out, text)
		}
	}
	return out
}

func (c *counter) sells(sku string, quantity int) {
	c.Helper()
	if _, err := c.shop.Buy(c.Context(), shop.Purchase{SKU: sku, Quantity: quantity}); err != nil {
		c.Fatal(err)
	}
}

// TestAMerchantRunsTheShopFromTheCommandLine is a merchant's first day, with nothing but the
// command line and its help.
func TestAMerchantRunsTheShopFromTheCommandLine(t *testing.T) {
	c := openCounter(t)

	// How does an import work, and which factory makes the products?
	help := c.says("shop import -h", 0, "Its first line names its columns", "--dry-run", "nothing is imported")
	columns := ""
	for line := range strings.Lines(help) {
		if strings.Contains(line, "sku,name,price") {
			columns = strings.TrimSpace(line)
		}
	}
	c.says("shop factories", 0, "FF-500293")
	flags := strings.NewReplacer("_", "-", "minimum", "min")
	for _, column := range merchant.Columns()[1:] {
		c.says("shop create -h", 0, "--"+flags.Replace(column)+" ")
	}

	// A file with forty products. One line has a price that is none.
	file := columns + "\n"
	for i := range 40 {
		file += fmt.Sprintf("DN-%02d,도넛 %d호,%d,FF-500293,60,20,,,,,,,%d\n", i, i, 1000+100*i, 30)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile("products.csv", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(file, "1300,", "₩1300,", 1))
	c.says("shop import products.csv", 1, `line 5: price is "₩1300", it must be a whole number`)
	if n := c.database.Number(t, `SELECT COUNT(*) FROM product`); n != 3 {
		t.Errorf("there are %d products after an import with a wrong line, want 3", n)
	}
	write(file)
	c.says("shop import products.csv --dry-run", 0, "It would create 40 products", "Nothing is changed.")
	c.says("shop import products.csv --key monday", 0, "Created 40 products")
	c.says("shop import products.csv --key monday", 0, "This import was made before.")
	write(strings.Replace(file, "도넛 4호,", "도넛 사호,", 1))
	c.says("shop import products.csv --key monday", 1, "an import of another file has this idempotency key")
	write(file)
	if n := c.database.Number(t, `SELECT COUNT(*) FROM product WHERE automatic AND lead_time = 40`); n != 40 {
		t.Errorf("%d products are automatic, with the stage's lead time; want 40", n)
	}

	// Yesterday's sales, in Seoul. One sale is just before midnight.
	c.says("shop report", 0, "Nothing was sold from 2026-11-22 to 2026-11-28.")
	c.sells("DN-00", 2)
	c.now = time.Date(2026, 11, 28, 14, 59, 59, 0, time.UTC)
	c.sells("DN-01", 9)
	c.now = time.Date(2026, 11, 28, 15, 0, 0, 0, time.UTC)
	c.sells("DN-00", 1)
	in := func(amount int64) string { return price(amount, shop.Currency) }
	yesterday := c.says("shop sales yesterday", 0, "Sold from 2026-11-28 00:00:00", ", in "+shop.Currency+":",
		"DN-00", in(2000), "DN-01", in(9900), "total", in(11900))
	if strings.Contains(yesterday, in(3000)) || strings.Contains(yesterday, "DN-02") {
		t.Errorf("yesterday is\n%s\nwant two products, without today's sale", yesterday)
	}
	c.says("shop sales", 0, "DN-00", in(1000))
	c.says("shop sales 2026-11-26", 0, "Nothing was sold on 2026-11-26.")
	text := strings.TrimPrefix(c.types("shop report --csv", 0), merchant.ByteOrderMark)
	report, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	want := [][]string{
		{"day", "sku", "name", "sales", "units", "revenue", "currency"},
		{"2026-11-28", "DN-00", "도넛 0호", "1", "2", "2000", shop.Currency},
		{"2026-11-28", "DN-01", "도넛 1호", "1", "9", "9900", shop.Currency},
		{"2026-11-29", "DN-00", "도넛 0호", "1", "1", "1000", shop.Currency},
	}
	if err != nil || fmt.Sprint(report) != fmt.Sprint(want) {
		t.Errorf("the report is %v, %v; want %v", report, err, want)
	}

	// What is low?
	low := c.says("shop products --low", 0)
	if strings.Contains(low, "DN-") {
		t.Errorf("low is\n%s\nwant no doughnut: 21 are above 20", low)
	}
	c.says("shop adjust DN-01 -1 --reason eaten", 0,
		"DN-01: 21 → 20; to take it back: shop --ready "+c.ready+" undo DN-01 3",
		"the shop opened production order", " of 40.")
	c.says("shop products --low", 0, "DN-01")

	// A count was wrong, and is corrected.
	c.says("shop adjust DN-02 --to 25 --reason counted", 0, "DN-02: 30 → 25")
	c.says("shop undo DN-02 2", 0, "DN-02: 25 → 30")
	c.says("shop undo DN-02 2", 0, "DN-02: 25 → 30 was booked before; nothing is changed now")
	c.says("shop adjust DN-02 --to 30 --reason counted", 0, "the stock is 30 already")
	c.says("shop ledger DN-02", 0, "undo of entry 2", "counted")

	// An order by hand, which is named by the beginning of its id.
	c.says("shop open DN-03 40", 0, "DN-03")
	orders := strings.Fields(c.types("shop orders --sku DN-03", 0))
	id := ""
	for _, word := range orders {
		if len(word) == 36 {
			id = word
		}
	}
	c.says("shop order "+id[:35], 0, id, "open")
	c.says("shop cancel "+id[:35], 0, "cancelled")
	c.says("shop notices", 0, "There are no notices.")

	// An export is edited in a spreadsheet, and imported.
	exported := c.types("shop export", 0)
	write(strings.Replace(exported, ",1400,", ",1450,", 1))
	c.says("shop import products.csv", 0, "Created 0 products, changed 1 product, left 42 as they are.")
	if n := c.database.Number(t, `SELECT price FROM product WHERE sku = 'DN-04'`); n != 1450 {
		t.Errorf("the price is %d, want 1450", n)
	}
	c.says("shop set DN-05 --language FR --name Beignet", 0)
	c.says("shop set DN-06 --language en --name Doughnut", 0)
	exported = c.types("shop export", 0)
	write(regexp.MustCompile(`DN-0(.),도넛`).ReplaceAllString(exported, "DM-0$1,새 도넛"))
	c.says("shop import products.csv", 0, "Created 10 products, changed 0 products")
	again := c.types("shop export", 0)
	write(again)
	c.says("shop import products.csv", 0, "Created 0 products, changed 0 products")
	if got := c.types("shop export", 0); got != again {
		t.Errorf("after an export and its import, the export is\n%s\nwant\n%s", got, again)
	}
	c.says("shop products DM-05", 0, "name, fr", "Beignet")
	c.says("shop products DM-06", 0, "name, en", "Doughnut")
	write("sku,name_english\nDM-05,Doughnut\n")
	c.says("shop import products.csv", 1, `line 1: there is no column "name_english"`, "name_en for names in English")
	c.says("shop ledger DN-99", 1, "there is no product")
	c.says("shop ledgr DN-02", 2, "did you mean ledger?")
	c.database.CheckBooks(t)
}

// TestAMerchantFollowsTheAdviceOfErrors types the commands that refusals advise.
func TestAMerchantFollowsTheAdviceOfErrors(t *testing.T) {
	c := openCounter(t)
	c.says("shop open CP-502101 5", 0, "open")
	for _, a := range []struct{ line, advice, shows string }{
		{"shop set CP-502101 --factory FF-0", "shop --ready {ready} factories", "FF-500293"},
		{"shop undo CP-502101 1", "shop --ready {ready} ledger CP-502101", "opening"},
		{"shop undo DN-99 1", "shop --ready {ready} products lists them", "CP-502101"},
		{"shop order 0197a000-0000-7000-8000-000000000002", "shop --ready {ready} orders", "CP-502101"},
		{"shop open CP-502101", "shop --ready {ready} orders --sku CP-502101 --status open", "CP-502101"},
		{"shop archive CP-502102", "shop --ready {ready} set CP-502102 --automatic=false && " +
			"shop --ready {ready} adjust CP-502102 --to 0 --reason archived", "60 → 0"},
	} {
		advice, shown := strings.ReplaceAll(a.advice, "{ready}", c.ready), ""
		c.says(a.line, 1, ": "+advice+"\n")
		for command := range strings.SplitSeq(strings.TrimSuffix(advice, " lists them"), " && ") {
			shown = c.types(command, 0)
		}
		if !strings.Contains(shown, a.shows) {
			t.Errorf("%s advises %s, which shows\n%s\nwant %q in it", a.line, advice, shown, a.shows)
		}
	}
	c.says("shop archive CP-502102", 0, "archived")
	if out := c.types("shop orders --sku CP-502102", 0); strings.Contains(out, "CP-502102") {
		t.Errorf("the shop ordered a product that the merchant was archiving:\n%s", out)
	}
	c.says("shop archive CP-502102 --undo", 0,
		"The shop does not order it by itself. To change that: shop --ready "+c.ready+" set CP-502102 --automatic\n")
	c.says("shop set CP-502102 --automatic", 0, "automatic      yes")
	if out := c.types("shop archive CP-502102 --undo", 0); strings.Contains(out, "does not order it") {
		t.Errorf("of an automatic product it says\n%s", out)
	}
	c.says("shop undo CP-502101", 2, "undo takes 2 arguments: shop undo SKU NUMBER; shop undo -h explains it")
	c.says("shop sales last week", 2, "sales takes at most one argument: shop sales [DAY]; shop sales -h explains")
	c.database.CheckBooks(t)
}

func TestAMerchantArchivesAProduct(t *testing.T) {
	c := openCounter(t)
	c.says("shop archive CP-502103", 1,
		"30 of CP-502103 are on hand: keep the shop from ordering more, and sell them or book them out")
	c.says("shop products --archived", 0, "No product is archived.")
	c.says("shop adjust CP-502103 --to 0 --reason donated", 0, "30 → 0")
	c.says("shop archive CP-502103", 0, "archived")
	if out := c.says("shop products", 0, "CP-502102"); strings.Contains(out, "CP-502103") {
		t.Errorf("the list has an archived product:\n%s", out)
	}
	if out := c.says("shop export", 0, "CP-502102"); strings.Contains(out, "CP-502103") {
		t.Errorf("the export has an archived product, which no import takes:\n%s", out)
	}
	if out := c.says("shop products --archived", 0, "CP-502103"); strings.Contains(out, "CP-502102") {
		t.Errorf("the list of archived products has another one:\n%s", out)
	}
	c.says("shop set CP-502103 --price 3300", 1, "CP-502103 is archived",
		"shop --ready "+c.ready+" archive --undo CP-502103")
	c.says("shop open CP-502103 10", 1, "CP-502103 is archived")
	c.says("shop archive CP-502103 --undo", 0, price(3200, shop.Currency))
	c.says("shop set CP-502103 --language en --name Mochi", 0, "name, en", "Mochi")
	c.says("shop products --archived", 0, "No product is archived.")
}
