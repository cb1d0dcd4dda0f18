package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"restock/internal/web"
	"restock/lambdas/sales-api/storefront"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// openStorefront opens the storefront in English with products in JSON, without a run.
func openStorefront(t *testing.T, products string) *browsertest.Page {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", storefront.Handler())
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, products) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close) // runs after the page is closed
	return browsertest.Open(t, browser.Desktop.In(english().Tag), server.URL)
}

// TestFunctionsOfTheStorefront calls functions of one page. The page has no products: it would need
// texts for them in the languages that a test adds.
func TestFunctionsOfTheStorefront(t *testing.T) {
	t.Parallel()
	page := openStorefront(t, `{"products":[]}`)
	page.AwaitText("#empty", text(english(), "empty"))
	t.Run("an arrival has a date unless it is today", func(t *testing.T) { testArrivals(t, page.In(t)) })
	t.Run("an amount is written as readers write it", func(t *testing.T) { testAmounts(t, page.In(t)) })
	t.Run("Retry-After is a duration or a date", func(t *testing.T) { testRetryAfter(t, page.In(t)) })
	t.Run("a language matches also a longer tag", func(t *testing.T) { testPreferredLanguage(t, page.In(t)) })
}

// testArrivals calls the page's function with a time and a time zone, so no case depends on the
// clock or the place of the machine.
func testArrivals(t *testing.T, page *browsertest.Page) {
	automatic := fmt.Sprintf(`(language = %q, soldOutNote({ automatic: true }))`, english().Tag)
	if got, want := browsertest.Evaluate[string](page, automatic), text(english(), "soldOutNote"); got != want {
		t.Errorf("an automatic product that is not on order yet: got %q, want %q", got, want)
	}

	const now = "2026-11-28T14:30:00Z" // 23:30 of Saturday, 28 November in Seoul
	for _, c := range []struct{ language, zone, expected, key, date, time string }{
		{"ko", "Asia/Seoul", "2026-11-28T14:59:00Z", "expectedNote", "", "오후 11:59"},
		{"en", "Asia/Seoul", "2026-11-28T14:59:00Z", "expectedNote", "", "11:59 PM"},
		{"ko", "Asia/Seoul", "2026-11-28T15:00:00Z", "expectedOnNote", "11월 29일 일요일", "오전 12:00"},
		{"en", "Asia/Seoul", "2026-11-28T15:00:00Z", "expectedOnNote", "Sunday, November 29", "12:00 AM"},
		{"en", "UTC", "2026-11-28T15:00:00Z", "expectedNote", "", "3:00 PM"}, // in UTC it is still the 28th
		{"ko", "Asia/Seoul", "2026-12-01T03:34:00Z", "expectedOnNote", "12월 1일 화요일", "오후 12:34"},
		{"en", "Asia/Seoul", "2026-12-01T03:34:00Z", "expectedOnNote", "Tuesday, December 1", "12:34 PM"},
		// In 30 days, the longest lead time.
		{"en", "America/New_York", "2026-12-28T14:30:00Z", "expectedOnNote", "Monday, December 28", "9:30 AM"},
		{"ko", "Asia/Seoul", now, "lateNote", "", ""},
		{"en", "Asia/Seoul", "2026-11-28T14:29:59.999Z", "lateNote", "", ""},
		{"ko", "Asia/Seoul", "2026-11-25T14:30:00Z", "lateNote", "", ""},
		{"en", "Asia/Seoul", "", "noDeliveryNote", "", ""},
	} {
		of := slices.IndexFunc(languages, func(l web.Language) bool { return l.Tag == c.language })
		if of < 0 {
			continue // a fork may not have it
		}
		want := text(languages[of], c.key, "{date}", c.date, "{time}", c.time)
		// Chromium writes a narrow no-break space before AM and PM.
		expression := fmt.Sprintf(`(language = %q,
			soldOutNote({ expected_at: %q }, new Date(%q), %q).replaceAll("\u202f", " "))`,
			c.language, c.expected, now, c.zone)
		if got := browsertest.Evaluate[string](page, expression); got != want {
			t.Errorf("%s, %s, expected at %s: got %q, want %q", c.language, c.zone, c.expected, got, want)
		}
	}
}

func TestTotalOfTheHighestPriceIsExact(t *testing.T) {
	t.Parallel()
	// The highest odd price. JavaScript's numbers cannot represent three times this price exactly.
	page := openStorefront(t, `{"products":[{"product_id":"1","sku":"CP-1","name":"도너츠",
		"price":9007199254740991,"currency":"KRW","stock":4294967297}]}`)
	card := card("CP-1")
	page.AwaitText(card.part(".price"), "₩9,007,199,254,740,991")
	page.AwaitText(card.stock(), text(english(), "stock", "{n}", "4,294,967,297"))
	page.AwaitText(card.buy(), "₩9,007,199,254,740,991")
	page.Click(card.part(".more"))
	page.Click(card.part(".more"))
	page.AwaitText(card.buy(), "₩27,021,597,764,222,973")
}
