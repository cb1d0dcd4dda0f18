package browser_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"restock/internal/buyer"
	business "restock/internal/shop"
	"restock/internal/web"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// A card is the element of a product on the page. Its value is the SKU.
type card string

func (c card) part(selector string) string {
	return fmt.Sprintf("[data-sku=%q] %s", string(c), selector)
}

func (c card) stock() string    { return c.part(".stock") }
func (c card) note() string     { return c.part(".note") }
func (c card) quantity() string { return c.part("input") }
func (c card) buy() string      { return c.part(".buy") }
func (c card) result() string   { return c.part(".result") }

// idle returns a JavaScript condition: no purchase is in progress.
func (c card) idle() string {
	return element(c.buy()) + ".ariaDisabled === 'false'"
}

// control returns the role and the name of one of the card's controls.
func (c card) control(role, name string) string { return role + " " + name + " " + nameOf(string(c)) }

// freeze makes the page keep what it shows, whatever the shop answers to its polls.
func freeze(page *browsertest.Page) { browsertest.Evaluate[bool](page, "(shownAt = Infinity, true)") }

// element returns a JavaScript expression: the first element that a CSS selector finds.
func element(selector string) string {
	return fmt.Sprintf("document.querySelector(%s)", browser.Quote(selector))
}

// visit opens the storefront, as if it sold only these products, and waits until it shows the
// first. The products of other tests, which run at the same time, would move the buttons.
func (s *shop) visit(tb testing.TB, v browser.Visitor, sku string, others ...string) (*browsertest.Page, card) {
	tb.Helper()
	page := browsertest.Open(tb, v, s.only(tb, append(others, sku)))
	page.Await(element(card(sku).buy()))
	return page, card(sku)
}

// only returns the address of the shop, as if it sold only these products.
func (s *shop) only(tb testing.TB, skus []string) string {
	tb.Helper()
	api, err := url.Parse(s.Endpoints().API)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(api)
			if r.Out.Header.Get("Origin") != "" {
				r.Out.Header.Set("Origin", api.String())
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.Path != "/products" || r.StatusCode != http.StatusOK {
				return nil
			}
			var answer buyer.Products
			if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
				return err
			}
			answer.Products = slices.DeleteFunc(answer.Products, func(p buyer.Product) bool {
				return !slices.Contains(skus, p.SKU)
			})
			body, err := json.Marshal(answer)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
			return err
		},
	})
	tb.Cleanup(server.Close)
	return server.URL
}

// money returns an amount of the shop's currency as the page writes it.
func money(page *browsertest.Page, amount int) string {
	return browsertest.Evaluate[string](page, fmt.Sprintf("money(%dn, %q)", amount, business.Currency))
}

// checkSales checks the number of sales of a product and the total quantity that they sold.
func (s *shop) checkSales(tb testing.TB, sku string, sales, sold int) {
	tb.Helper()
	if gotSales, gotSold := s.sales(tb, sku); gotSales != sales || gotSold != sold {
		tb.Errorf("got %d sales of %d pieces in all, want %d of %d", gotSales, gotSold, sales, sold)
	}
}

func TestPurchaseSucceeds(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 5})
	page, card := s.visit(t, browser.Phone, sku)
	page.AwaitText(card.stock(), stockText(first, 5))
	page.Click(card.part(".more"))
	page.AwaitText(card.buy(), money(page, 3000))
	page.Click(card.buy())
	page.AwaitText(card.result(), web.Bought.WithStock(first, 3))
	page.AwaitText(card.stock(), stockText(first, 3))
	s.checkSales(t, sku, 1, 2)
}

func TestRefusalIsShownAsText(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, l := range languages {
		t.Run(l.Tag, func(t *testing.T) {
			t.Parallel()
			sku := s.sell(t, product{stock: 1})
			page, card := s.visit(t, browser.Phone.In(l.Tag), sku)
			page.Expect("POST /checkout: answered with 409")
			freeze(page) // it shows a stock of 1
			s.count(t, sku, 0)
			page.Click(card.buy())
			page.AwaitText(card.result(), web.NotBought.WithStock(l, 0))
			page.Await(fmt.Sprintf("document.querySelector('[data-sku=%q]').classList.contains('sold-out')", sku))
			s.checkSales(t, sku, 0, 0)
		})
	}
}

// noteTexts records each text that four elements show from now on.
const noteTexts = `(() => {
	window.noted = [];
	for (const selector of [%s, %s, %s, %s]) {
		const element = document.querySelector(selector);
		const note = () => noted.push(element.textContent);
		new MutationObserver(note).observe(element, { childList: true, subtree: true, characterData: true });
	}
	return true;
})()`

func TestArrivalIsSeenWithoutAReload(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 1, automatic: true})
	page, card := s.visit(t, browser.Desktop, sku)
	browsertest.Evaluate[bool](page, "window.loadedOnce = true")
	// Some texts are visible only for a moment. On a busy machine, a wait for them could come too
	// late.
	browsertest.Evaluate[bool](page, fmt.Sprintf(noteTexts,
		browser.Quote(card.stock()), browser.Quote(card.note()), browser.Quote("#spoken"),
		browser.Quote(card.result())))
	page.Focus(card.quantity())
	page.Press("\r") // buys
	// Sold out; then the factory has made new ones.
	for _, shown := range []string{
		web.Bought.WithStock(first, 0),
		text(first, "soldOut"), stockText(first, 10), text(first, "arrivedNote"), nameOf(sku),
	} {
		page.Await(fmt.Sprintf("noted.some((text) => text.includes(%s))", browser.Quote(shown)))
	}
	page.AwaitText(card.result(), text(first, "bought")+" "+text(first, "seeOrder")) // no stock of before
	if !browsertest.Evaluate[bool](page, "window.loadedOnce === true") {
		t.Error("the page was reloaded")
	}
	if got := page.Focused(); got != card.control("spinbutton", text(first, "quantity")) {
		t.Errorf("the focus is on %q after the arrival, want it to stay on the quantity", got)
	}
}

// dates and times are patterns of a date and of a time of day, by language.
var (
	dates = map[string]string{"ko": `\d+월 \d+일 .요일`, "en": `[A-Z][a-z]+, [A-Z][a-z]+ \d+`}
	times = map[string]string{"ko": `(오전|오후) \d{1,2}:\d\d`, "en": `\d{1,2}:\d\d\s[AP]M`}
)

// notePattern returns a JavaScript pattern of the texts of the page, one of which it matches.
func notePattern(l web.Language, keys ...string) string {
	const other = `[^{}]*\d[^{}]*` // in a language that this test does not know
	var patterns []string
	for _, key := range keys {
		patterns = append(patterns, strings.NewReplacer(
			`\{date\}`, cmp.Or(dates[l.Tag], other), `\{time\}`, cmp.Or(times[l.Tag], other),
		).Replace(regexp.QuoteMeta(l.Page[key])))
	}
	return "^(" + strings.Join(patterns, "|") + ")$"
}

func TestExpectedArrivalIsShown(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, l := range languages {
		t.Run(l.Tag, func(t *testing.T) {
			t.Parallel()
			inTime := s.sell(t, product{})
			s.order(t, inTime, 0)
			late := s.sell(t, product{})
			s.order(t, late, leadTime+time.Hour)
			unordered := s.sell(t, product{}) // a page that shows it also shows the others, with their orders
			page, _ := s.visit(t, browser.Phone.In(l.Tag), unordered, inTime, late)
			for sku, texts := range map[string][]string{
				inTime:    {"expectedNote", "expectedOnNote"}, // with a date if the batch comes after midnight
				late:      {"lateNote"},
				unordered: {"noDeliveryNote"},
			} {
				page.Await(fmt.Sprintf("new RegExp(%s).test(%s.innerText)",
					browser.Quote(notePattern(l, texts...)), element(card(sku).note())))
			}
		})
	}
}

// countCheckouts counts the page's requests to /checkout from now on.
const countCheckouts = `(() => {
	const { fetch } = window;
	window.checkouts = 0;
	window.fetch = (path, ...more) => {
		if (path === "/checkout") window.checkouts++;
		return fetch(path, ...more);
	};
	return true;
})()`

func TestDoubleClickBuysOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	ways := map[string]func(*browsertest.Page, card){
		"a double click":           func(p *browsertest.Page, c card) { p.DoubleClick(c.buy()) },
		"Enter held on the button": func(p *browsertest.Page, c card) { p.Focus(c.buy()); p.Hold('\r', 20) },
		"Enter held in the field":  func(p *browsertest.Page, c card) { p.Focus(c.quantity()); p.Hold('\r', 20) },
		"a second submit during the first": func(p *browsertest.Page, c card) {
			browsertest.Evaluate[bool](p, fmt.Sprintf(`(() => {
				const form = %s;
				form.requestSubmit();
				form.requestSubmit();
				return true;
			})()`, element(c.part("form"))))
		},
		"a double click that is slower than the shop": func(p *browsertest.Page, c card) {
			p.Click(c.buy())
			p.AwaitText(c.result(), web.Bought.WithStock(first, 49))
			p.Await(c.idle())
			const second = `new MouseEvent("click", { detail: 2, bubbles: true, cancelable: true })`
			browsertest.Evaluate[bool](p, fmt.Sprintf("%s.dispatchEvent(%s) || true", element(c.buy()), second))
		},
	}
	cards := map[string]card{} // each way presses the button of its own product
	var skus []string
	var newest string // a page that shows it also shows the others
	for name := range ways {
		newest = s.sell(t, product{stock: 50})
		cards[name], skus = card(newest), append(skus, newest)
	}
	page, _ := s.visit(t, browser.Desktop, newest, skus...)
	browsertest.Evaluate[bool](page, countCheckouts)
	for name, press := range ways {
		t.Run(name, func(t *testing.T) {
			page, card := page.In(t), cards[name]
			browsertest.Evaluate[int](page, "window.checkouts = 0")
			press(page, card)
			page.AwaitText(card.result(), web.Bought.WithStock(first, 49))
			page.Await(card.idle())
			s.checkSales(t, string(card), 1, 1)
			if got := browsertest.Evaluate[int](page, "window.checkouts"); got != 1 {
				t.Errorf("the page sent %d requests to /checkout, want 1", got)
			}
		})
	}
}

func TestTwoClicksBuyTwice(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 50})
	page, card := s.visit(t, browser.Desktop, sku)
	for _, left := range []int{49, 48} {
		page.Click(card.buy())
		page.AwaitText(card.result(), web.Bought.WithStock(first, left))
		page.Await(card.idle())
	}
	s.checkSales(t, sku, 2, 2)
}

func TestRetryAfterALostAnswerBuysOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for name, reload := range map[string]bool{"on the same page": false, "after a reload": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sku := s.sell(t, product{stock: 50})
			page, card := s.visit(t, browser.Desktop, sku)
			page.Expect("POST /checkout: net::ERR_CONNECTION_RESET")
			page.LoseAnswers("/checkout", true)
			page.Click(card.part(".more"))
			page.Click(card.buy())
			promise := text(first, "unknownOutcome")
			page.AwaitText(card.result(), promise)
			s.checkSales(t, sku, 1, 2)
			page.LoseAnswers("/checkout", false)
			if reload {
				page.Reload()
				page.AwaitText(card.result(), promise)
			}
			page.Click(card.buy())
			page.AwaitText(card.result(), text(first, "bought"))
			page.AwaitText(card.stock(), stockText(first, 48))
			s.checkSales(t, sku, 1, 2)
			if reload {
				page.Reload()
				page.AwaitText(card.stock(), stockText(first, 48))
				if got := page.Text(card.result()); got != "" {
					t.Errorf("the answer is still shown after another reload: %q", got)
				}
			}
		})
	}
}

func TestQuantityIsChosenByKeyboard(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 50, maxPerSale: 5})
	page, card := s.visit(t, browser.Desktop, sku)
	page.Focus(card.part(".fewer"))
	page.Press(kb.Tab)
	if got := page.Focused(); got != card.control("spinbutton", text(first, "quantity")) {
		t.Fatalf("after the button for fewer, Tab focuses %q, want the quantity", got)
	}
	page.Press(kb.ArrowUp + kb.ArrowUp)
	page.AwaitText(card.buy(), money(page, 4500))
	page.Press(kb.Enter)
	page.AwaitText(card.result(), web.Bought.WithStock(first, 47))
	s.checkSales(t, sku, 1, 3)
}

func TestInvalidQuantityIsRefusedByThePage(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 50, maxPerSale: 5})
	page, card := s.visit(t, browser.Desktop, sku)
	field, integer := card.control("spinbutton", text(first, "quantity")), text(first, "badQuantity")
	for typed, want := range map[string]string{
		"6": text(first, "tooMany", "{most}", "5"), "0": integer, "1.5": integer, "": integer,
	} {
		page.Focus(card.quantity())
		browsertest.Evaluate[bool](page, fmt.Sprintf("(%s.select(), true)", element(card.quantity())))
		page.Press(kb.Backspace + typed)
		page.Click(card.buy())
		page.AwaitText(card.result(), want)
		invalid := browsertest.Evaluate[string](page, element(card.quantity())+".ariaInvalid")
		if focused := page.Focused(); invalid != "true" || focused != field {
			t.Errorf("quantity %q: got aria-invalid %q and the focus on %q, want true and the quantity",
				typed, invalid, focused)
		}
		page.Press(kb.Backspace + kb.Backspace + kb.Backspace + "1")
		page.Await(element(card.result()) + ".innerText === ''")
	}
	s.checkSales(t, sku, 0, 0)
}

func TestLanguageIsTheVisitors(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	visits := map[string]web.Language{"tlh": english()} // Klingon: the shop does not have it
	for _, l := range languages {
		visits["tlh,"+l.Tag+",en"] = l
	}
	for preferred, l := range visits {
		t.Run(preferred, func(t *testing.T) {
			t.Parallel()
			page := browsertest.Open(t, browser.Phone.In(preferred), s.only(t, nil))
			got := browsertest.Evaluate[string](page, "document.documentElement.lang + ' ' + document.title")
			if want := l.Tag + " " + l.Page["shop"]; got != want {
				t.Errorf("a visitor who prefers %s sees %q, want %q", preferred, got, want)
			}
		})
	}
}

// testPreferredLanguage checks which language the page chooses for lists of preferred languages.
func testPreferredLanguage(t *testing.T, page *browsertest.Page) {
	const chosen = `(() => {
		LANGUAGES["pt-BR"] = LANGUAGES.fil = {};
		Object.defineProperty(navigator, "languages", { value: %q.split(","), configurable: true });
		return preferredLanguage();
	})()`
	wants := map[string]string{
		"pt-BR": "pt-BR", "pt-BR-x-shop": "pt-BR", "fil-PH": "fil", first.Tag + "-XX": first.Tag,
		"fi": english().Tag, // not fil
	}
	for _, l := range languages {
		wants[l.Tag+"-GB,"+l.Tag], wants[l.Tag+"-KP"] = l.Tag, l.Tag
	}
	for preferred, want := range wants {
		if got := browsertest.Evaluate[string](page, fmt.Sprintf(chosen, preferred)); got != want {
			t.Errorf("a visitor who prefers %s reads %s, want %s", preferred, got, want)
		}
	}
}

func TestChosenLanguageIsRemembered(t *testing.T) {
	t.Parallel()
	if len(languages) == 1 {
		t.Skip("the shop has one language: there is no choice")
	}
	s := openShop(t)
	sku := s.sell(t, product{stock: 5})
	page, card := s.visit(t, browser.Desktop.In(last.Tag), sku)
	page.AwaitText(card.stock(), stockText(last, 5))
	page.Click("[data-language=" + first.Tag + "]")
	page.AwaitText(card.stock(), stockText(first, 5))
	page.Reload()
	page.AwaitText(card.stock(), stockText(first, 5))
	page.Click(card.buy())
	// In the chosen language, not in the browser's.
	page.AwaitText(card.result(), web.Bought.WithStock(first, 4))
	page.Click("[data-language=" + last.Tag + "]")
	page.AwaitText(card.stock(), stockText(last, 4))
	page.AwaitText(card.result(), web.Bought.WithStock(last, 4)+" "+text(last, "seeOrder"))
	if got := page.Text("[aria-pressed=true]"); got != last.Name {
		t.Errorf("the pressed button is %q, want %s", got, last.Name)
	}
}

func TestPageShowsThatItIsOfflineAndRecovers(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 5})
	page, card := s.visit(t, browser.Phone, sku)
	page.Expect("GET /products: net::ERR_INTERNET_DISCONNECTED")
	page.Offline(true)
	page.AwaitText("#connection", text(first, "disconnected"))
	s.count(t, sku, 7)
	page.Offline(false)
	page.AwaitText(card.stock(), stockText(first, 7))
	page.Await("document.getElementById('connection').innerText === ''")
}

func TestFallingStockIsShownButNotAnnounced(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 50})
	page, card := s.visit(t, browser.Desktop, sku)
	browsertest.Evaluate[bool](page, fmt.Sprintf(`(() => {
		window.spoken = [];
		for (const region of %s.querySelectorAll("[role=status], [role=alert], [aria-live]")) {
			new MutationObserver(() => spoken.push(region.textContent))
				.observe(region, { childList: true, subtree: true, characterData: true });
		}
		return true;
	})()`, element("[data-sku="+sku+"]")))
	for _, stock := range []int{20, 3, 0} {
		s.count(t, sku, stock)
		if stock > 0 {
			page.AwaitText(card.stock(), stockText(first, stock))
		} else {
			page.AwaitText(card.stock(), text(first, "soldOut"))
		}
	}
	if spoken := browsertest.Evaluate[[]string](page, "window.spoken"); len(spoken) > 0 {
		t.Errorf("a screen reader would announce %q, want nothing", spoken)
	}
}

func TestPageFitsAPhone(t *testing.T) {
	t.Parallel()
	phone := browser.Phone
	phone.Width = 320 // the narrowest of WCAG: https://www.w3.org/TR/WCAG22/#reflow
	page, _ := openShop(t).visit(t, phone, "CP-502101")
	for i, l := range languages {
		if i > 0 { // the page begins in the first language
			page.Click("[data-language=" + l.Tag + "]")
		}
		page.Await(fmt.Sprintf("document.documentElement.lang === %q", l.Tag))
		if width := browsertest.Evaluate[int](page, "document.documentElement.scrollWidth"); width > 320 {
			t.Errorf("in %s the page is %d px wide, want at most 320", l.Name, width)
		}
	}
}

func TestStorefrontHasAStrictPolicy(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	page, _ := s.visit(t, browser.Desktop, "CP-502101")
	checkPolicy(t, page,
		attack{script: `new Image().src = "/product/donut"`, directive: "img-src"},
		// In a timer: the policy does not apply to code that the DevTools protocol evaluates.
		attack{
			script: `setTimeout(() => {
				try { Function("window.broken = true")() } finally { window.tried = true }
			})`,
			directive: "unsafe-eval", await: "window.tried",
		})
}

func TestStorefrontIsAccessible(t *testing.T) {
	s := openShop(t)
	ordered := s.sell(t, product{})
	s.order(t, ordered, 0)
	// A check takes seconds, so the test checks each language, colour scheme and size once.
	for name, visitor := range map[string]browser.Visitor{
		first.Tag + ", light, a phone": browser.Phone,
		last.Tag + ", dark, a desktop": browser.Desktop.In(last.Tag).InTheDark(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := s.sell(t, product{stock: 1})
			page, refused := s.visit(t, visitor, gone, ordered, "CP-502102", "CP-502103")
			freeze(page)
			s.count(t, gone, 0)
			// The page shows a purchase, a refusal, an invalid quantity and a lost connection at
			// the same time. These are all its messages.
			page.Expect("POST /checkout: answered with 409")
			page.Click(refused.buy())
			page.Await(element(refused.result()) + ".innerText")
			twist := card("CP-502102")
			page.Click(twist.buy())
			page.Await(element(twist.result()) + ".innerText")
			rice := card("CP-502103")
			page.Focus(rice.quantity())
			page.Press("9" + kb.Enter)
			page.Expect("GET /products: net::ERR_INTERNET_DISCONNECTED")
			page.Offline(true)
			page.Await("trouble === 'disconnected'")
			page.CheckAccessibility()
		})
	}
}

func TestTabStopsAreInReadingOrder(t *testing.T) {
	s := openShop(t)
	for name, test := range map[string]struct {
		visitor  browser.Visitor
		language web.Language
	}{
		"a desktop": {browser.Desktop, first},
		"a phone":   {browser.Phone.In(last.Tag), last},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, _ := s.visit(t, test.visitor, "CP-502101", "CP-502102", s.sell(t, product{}))
			var want []string
			if len(languages) > 1 { // there is a choice
				for _, l := range languages {
					want = append(want, "button "+l.Name)
				}
			}
			if browsertest.Evaluate[bool](page, "!document.getElementById('search').hidden") {
				want = append(want, "searchbox "+text(test.language, "search"))
			}
			const cards = `[...document.querySelectorAll("[data-sku]")].map((card) =>
				[card.querySelector(".buy").innerText, card.querySelector(".wait:not([hidden])")?.innerText ?? "",
					" " + card.querySelector("h2").innerText])`
			for _, card := range browsertest.Evaluate[[][3]string](page, cards) {
				buy, wait, name := card[0], card[1], card[2]
				if wait != "" { // the product is sold out
					want = append(want, "button "+buy+name, "button "+wait+name)
					continue
				}
				want = append(want, "button "+text(test.language, "fewer")+name,
					"spinbutton "+text(test.language, "quantity")+name,
					"button "+text(test.language, "more")+name, "button "+buy+name)
			}
			if got := page.KeyboardOrder(); !slices.Equal(got, want) {
				t.Errorf("Tab stops:\n got %s\nwant %s", strings.Join(got, ", "), strings.Join(want, ", "))
			}
		})
	}
}
