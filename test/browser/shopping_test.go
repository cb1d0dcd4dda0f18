package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	business "restock/internal/shop"
	"restock/internal/web"
	"restock/lambdas/sales-api/storefront"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// listed returns an answer with products in JSON. Product n has the SKU CP-n and the stock
// stocks[n-1].
func listed(stocks ...int) shopAnswer {
	var products []string
	for i, stock := range stocks {
		products = append(products, fmt.Sprintf(`{"product_id":"%[1]d","sku":"CP-%[1]d","name":"도너츠 %[1]d",
			"price":1000,"currency":%[3]q,"stock":%[2]d}`, i+1, stock, business.Currency))
	}
	return shopAnswer{status: 200, body: `{"products":[` + strings.Join(products, ",") + `]}`}
}

func TestPageShowsASkeletonWhileItLoads(t *testing.T) {
	t.Parallel()
	loaded := make(chan struct{})
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", storefront.Handler())
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, _ *http.Request) {
		<-loaded
		listed(1).write(w)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close) // runs after the page is closed
	page := browsertest.Open(t, browser.Phone, server.URL)
	if got := page.Count("[aria-busy=true] .skeleton"); got != 3 {
		t.Errorf("the page shows %d skeletons of products while it loads, want 3", got)
	}
	page.CheckAccessibility()
	close(loaded)
	page.Await(element(card("CP-1").buy()))
	if got := page.Count(".skeleton, [aria-busy=true]"); got != 0 {
		t.Errorf("the page shows %d skeletons beside the products, want none", got)
	}
}

// Moving cards would make a buyer press another product's button.
func TestSoldOutProductsComeLastAndThenStay(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Phone, listed(0, 5, 0, 5))
	s.awaitPause(0)
	check := func(when string) {
		t.Helper()
		const skus = `[...document.querySelectorAll("[data-sku]")].map((card) => card.dataset.sku)`
		got, want := browsertest.Evaluate[[]string](s.Page, skus), []string{"CP-2", "CP-4", "CP-1", "CP-3"}
		if !slices.Equal(got, want) {
			t.Errorf("%s the products are in the order %v, want %v", when, got, want)
		}
	}
	check("at first")
	s.set(listed(5, 0, 0, 5))
	s.resume(0)
	s.awaitPause(1)
	check("after others sold out")
}

func TestSoldOutProductHasAButtonThatSaysSo(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]browser.Visitor{
		"light": browser.Phone, "dark": browser.Desktop.In(last.Tag).InTheDark(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openCrowded(t, v, listed(5))
			s.awaitPause(0)
			card := card("CP-1")
			s.Focus(card.quantity())
			s.set(listed(0))
			s.resume(0)
			want := text(first, "soldOut")
			if name == "dark" {
				want = text(last, "soldOut")
			}
			s.AwaitText(card.buy(), want)
			if s.Count(card.part(".buy[aria-disabled=true]")) != 1 {
				t.Error("the button of a sold-out product is not disabled")
			}
			browsertest.Evaluate[bool](s.Page, countCheckouts)
			s.Press(kb.Enter) // the field keeps the focus
			s.Click(card.buy())
			if got := browsertest.Evaluate[int](s.Page, "window.checkouts"); got != 0 {
				t.Errorf("the page sent %d requests to /checkout, want none", got)
			}
			s.awaitPause(1)
			s.resume(1)
			s.Await(element(card.part(".amount")) + ".hidden") // the focus has left the field
			s.CheckAccessibility()
			s.awaitPause(2)
			s.set(listed(5))
			s.resume(2)
			s.AwaitText(card.buy(), money(s.Page, 1000))
			s.AwaitText(card.part(".amount"), "+")
		})
	}
}

// The purchase may have taken the last pieces. Its buyer can still repeat it.
func TestALostAnswerAboutTheLastPiecesCanBeRepeated(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Phone, listed(2))
	s.awaitPause(0)
	card := card("CP-1")
	s.set(listed(0), shopAnswer{status: 500}, soldAnswer(0))
	s.Expect("POST /checkout: answered with 500")
	s.Click(card.part(".more"))
	s.Click(card.buy())
	s.AwaitText(card.result(), text(first, "unknownOutcome"))
	s.resume(0)
	s.AwaitText(card.stock(), text(first, "soldOut"))
	s.AwaitText(card.buy(), money(s.Page, 2000))
	s.Click(card.buy())
	s.AwaitText(card.result(), text(first, "bought"))
	s.AwaitText(card.buy(), text(first, "soldOut"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) != 2 || s.keys[0] != s.keys[1] {
		t.Errorf("the checkouts had the keys %q, want one key twice", s.keys)
	}
}

// The shop answers a repeated purchase as it answered the first: with the stock of that time.
func TestARepeatedPurchaseDoesNotHideNewStock(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Desktop, listed(1))
	s.awaitPause(0)
	card := card("CP-1")
	s.set(listed(300), shopAnswer{status: 500}, soldAnswer(0))
	s.Expect("POST /checkout: answered with 500")
	s.Click(card.buy())
	s.AwaitText(card.result(), text(first, "unknownOutcome"))
	s.resume(0)
	s.AwaitText(card.stock(), stockText(first, 300))
	s.Click(card.buy())
	s.AwaitText(card.result(), text(first, "bought"))
	if got, want := s.Text(card.stock()), stockText(first, 300); got != want {
		t.Errorf("the page shows the stock %q, want %q", got, want)
	}
}

func TestQuantityEndsAtTheStock(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Desktop, listed(3))
	s.awaitPause(0)
	card := card("CP-1")
	browsertest.Evaluate[bool](s.Page, countCheckouts)
	for range 4 {
		s.Click(card.part(".more"))
	}
	if got := browsertest.Evaluate[string](s.Page, element(card.quantity())+".value"); got != "3" {
		t.Errorf("with 3 in stock, the button for more comes to %s", got)
	}
	if s.Count(card.part(".more[aria-disabled=true]")) != 1 {
		t.Error("the button for more is not disabled at the whole stock")
	}
	s.AwaitText(card.result(), text(first, "onlyLeft", "{most}", "3"))
	s.Click(card.part(".fewer"))
	s.Await(element(card.result()) + ".innerText === ''")
	s.Focus(card.quantity())
	s.Press(kb.End + "0" + kb.Enter) // 20
	s.AwaitText(card.result(), text(first, "onlyLeft", "{most}", "3"))
	if got := browsertest.Evaluate[int](s.Page, "window.checkouts"); got != 0 {
		t.Errorf("the page sent %d requests to /checkout, want none", got)
	}
	s.set(listed(40)) // a quantity that the buyer typed stays, and becomes possible
	s.resume(0)
	s.Await(element(card.result()) + ".innerText === ''")
	s.AwaitText(card.buy(), money(s.Page, 20000))
}

func TestProductsCanBeSearchedIfThereAreMany(t *testing.T) {
	t.Parallel()
	for _, l := range languages {
		t.Run(l.Tag, func(t *testing.T) {
			t.Parallel()
			s := openCrowded(t, browser.Desktop.In(l.Tag), listed(make([]int, 12)...))
			s.awaitPause(0)
			const hidden = "document.getElementById('search').hidden"
			if !browsertest.Evaluate[bool](s.Page, hidden) {
				t.Error("there is a search field for 12 products")
			}
			s.set(listed(make([]int, 13)...))
			s.resume(0)
			s.Await("!" + hidden)
			s.awaitPause(1)
			for _, test := range []struct {
				typed string
				shown int
				said  string
			}{
				{"도너츠 7", 1, text(l, "found", "{n}", "1")},
				{" cp-1 ", 5, text(l, "found", "{n}", "5")}, // CP-1 and CP-10 to CP-13
				{"pizza", 0, text(l, "notFound")},
				{"", 13, ""},
			} {
				browsertest.Evaluate[bool](s.Page, fmt.Sprintf(`(() => {
					query.value = %s;
					return query.dispatchEvent(new Event("input"));
				})()`, browser.Quote(test.typed)))
				if got := s.Count("[data-sku]:not([hidden])"); got != test.shown || s.Text("#found") != test.said {
					t.Errorf("the search for %q shows %d products and says %q, want %d and %q",
						test.typed, got, s.Text("#found"), test.shown, test.said)
				}
			}
			s.Focus("#query")
			s.Press("13")
			s.Await("document.querySelectorAll('[data-sku]:not([hidden])').length === 1")
			s.CheckAccessibility()
		})
	}
}

func TestAVisitorCanRetryAtOnce(t *testing.T) {
	t.Parallel()
	for name, retry := range map[string]func(*crowdedShop){
		"with the button": func(s *crowdedShop) { s.Focus("#retry"); s.Press(kb.Enter) },
		"online again": func(s *crowdedShop) {
			browsertest.Evaluate[bool](s.Page, `dispatchEvent(new Event("online"))`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openCrowded(t, browser.Phone, shopAnswer{status: 500})
			s.Expect("GET /products: answered with 500")
			s.awaitPause(0) // it never ends
			s.AwaitText("#connection", text(first, "disconnected"))
			s.AwaitText("#retry", text(first, "retry"))
			s.CheckAccessibility("#connection", "#retry")
			retry(s)
			s.awaitPause(1)
			s.AwaitText("#connection", text(first, "disconnected"))
			s.set(listed(7))
			retry(s)
			s.AwaitText(card("CP-1").stock(), stockText(first, 7))
			s.Await("document.getElementById('retry').hidden && document.getElementById('connection').innerText === ''")
			if focused := s.Focused(); name == "with the button" && !strings.HasPrefix(focused, "list ") {
				t.Errorf("the focus is on %q after the button has gone, want the list of products", focused)
			}
		})
	}
}

// testAmounts checks how the page writes amounts in a language.
func testAmounts(t *testing.T, page *browsertest.Page) {
	for _, c := range []struct{ language, call, want string }{
		{"ko", `money(19900n, "KRW")`, "19,900원"},
		{"en", `money(19900n, "KRW")`, "₩19,900"},
		{"ko", `money(1990n, "USD")`, "US$19.90"},
		{"en", `money(1990n, "USD")`, "$19.90"},
	} {
		if !slices.ContainsFunc(languages, func(l web.Language) bool { return l.Tag == c.language }) {
			continue // a fork may not have it
		}
		expression := fmt.Sprintf("(language = %q, %s)", c.language, c.call)
		if got := browsertest.Evaluate[string](page, expression); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.language, c.call, got, c.want)
		}
	}
}

func TestAProductHasItsNameInTheLanguageOfTheReader(t *testing.T) {
	t.Parallel()
	page := openStorefront(t, `{"products":[
		{"product_id":"1","sku":"CP-1","name":"꽈배기","names":{"en":"Twist"},"price":1000,"currency":"KRW","stock":1},
		{"product_id":"2","sku":"CP-2","name":"찹쌀","price":1000,"currency":"KRW","stock":1}]}`)
	page.AwaitText(card("CP-1").part("h2[lang=en]"), "Twist")
	page.AwaitText(card("CP-2").part("h2"), "찹쌀") // it has no English name
	const other = `(speak(%q), document.querySelector("[data-sku='CP-1'] h2").textContent)`
	for _, l := range languages {
		if got := browsertest.Evaluate[string](page, fmt.Sprintf(other, l.Tag)); (got == "Twist") != (l.Tag == "en") {
			t.Errorf("a reader of %s sees %q", l.Tag, got)
		}
	}
}

// Texts are short here: only the page's own sizes count, so a shop may have a longer title.
func TestTheFirstRowCanBeBoughtWithoutScrolling(t *testing.T) {
	t.Parallel()
	laptop := browser.Visitor{Languages: first.Tag, Width: 1440, Height: 900}
	s := openCrowded(t, laptop, listed(append(make([]int, 12), 5)...)) // there is a search field
	s.awaitPause(0)
	const below = `(() => {
		for (const text of document.querySelectorAll("[data-text], .product :is(p, h2, button)")) {
			if (text.textContent !== "") text.textContent = "x";
		}
		const buttons = [...document.querySelectorAll(".buy")].map((button) => button.getBoundingClientRect());
		const row = buttons.filter(({ top }) => top < buttons[0].bottom);
		return Math.max(...row.map(({ bottom }) => bottom)) - innerHeight;
	})()`
	if got := browsertest.Evaluate[float64](s.Page, below); got > 0 {
		t.Errorf("the buttons of the first row end %.0f px below the window", got)
	}
}
