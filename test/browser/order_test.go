package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"restock/internal/web"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// fact returns the selector of a line of the page of an order.
func fact(name string) string { return fmt.Sprintf("[data-fact=%s]", name) }

// zone is a JavaScript expression: the visitor's time zone as the page's language names it.
const zone = `new Intl.DateTimeFormat(language, { timeZoneName: "short" }).formatToParts()
	.find(({ type }) => type === "timeZoneName").value`

// buyAndLook buys two pieces of a product, and follows the link to the page of the order.
func (s *shop) buyAndLook(t *testing.T, v browser.Visitor, l web.Language) (page *browsertest.Page, sku string) {
	t.Helper()
	sku = s.sell(t, product{stock: 5})
	page, card := s.visit(t, v, sku)
	page.Click(card.part(".more"))
	page.Click(card.buy())
	page.AwaitText(card.result(), text(l, "seeOrder"))
	page.Click(card.part(".result a"))
	page.AwaitText(fact("name"), nameOf(sku))
	return page, sku
}

func TestABuyerComesBackToAnOrder(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, l := range languages {
		t.Run(l.Tag, func(t *testing.T) {
			t.Parallel()
			page, sku := s.buyAndLook(t, browser.Phone.In(l.Tag), l)
			check := func(page *browsertest.Page) {
				t.Helper()
				page.AwaitText(fact("name"), nameOf(sku))
				page.AwaitText(fact("total"), money(page, 3000))
				page.AwaitText(fact("unitPrice"), money(page, 1500))
				page.AwaitText(fact("orderedAt"), browsertest.Evaluate[string](page, zone))
				if got := page.Text(fact("quantity")); got != "2" {
					t.Errorf("the order is of %s pieces, want 2", got)
				}
				title := browsertest.Evaluate[string](page, "document.title")
				if want := text(l, "order") + " · " + text(l, "shop"); title != want {
					t.Errorf("the title is %q, want %q", title, want)
				}
				if page.Count("#shelf:not([hidden]), footer:not([hidden])") != 0 {
					t.Error("the page of an order also shows the products, or the text about them")
				}
			}
			check(page)
			page.AwaitFocused("heading " + text(l, "order"))
			page.Reload()
			check(page)
			address := browsertest.Evaluate[string](page, "location.href")
			check(browsertest.Open(t, browser.Desktop.In(l.Tag), address)) // another browser

			page.Click(".return")
			page.AwaitText(card(sku).stock(), stockText(l, 3))
			page.AwaitFocused("list ")
			if title := browsertest.Evaluate[string](page, "document.title"); title != text(l, "shop") {
				t.Errorf("the title is %q after the way back, want %q", title, text(l, "shop"))
			}
			browsertest.Evaluate[bool](page, "(history.back(), true)")
			page.Await("document.querySelector('#shelf').hidden") // the facts are there all the time
			check(page)
		})
	}
}

func TestAnUnknownOrderIsNotFound(t *testing.T) {
	t.Parallel()
	const unknown, other = "0198c5a0-0000-7000-8000-000000000000", ".." // the page does not ask for the other
	page := browsertest.Open(t, browser.Phone, openShop(t).only(t, nil)+"/#order="+unknown)
	page.Expect("GET /sales/" + unknown + ": answered with 404")
	for _, sale := range []string{unknown, other} {
		browsertest.Evaluate[string](page, "location.hash = "+browser.Quote("order="+sale))
		// The text of the first order stays until the page follows the address.
		page.Await("order.id === " + browser.Quote(sale))
		page.AwaitText("#order-trouble", text(first, "unknownOrder"))
		if page.Count(".ticket:not([hidden])") != 0 {
			t.Errorf("the page shows facts of the unknown order %s", sale)
		}
		if sale == unknown {
			page.CheckAccessibility()
		}
	}
}

func TestAnOrderCanBeAskedForAgain(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	page, sku := s.buyAndLook(t, browser.Phone, first)
	page.Expect("net::ERR_INTERNET_DISCONNECTED")
	page.Offline(true)
	browsertest.Evaluate[bool](page, "(order.load(), true)")
	page.AwaitText("#order-trouble", text(first, "disconnected"))
	page.CheckAccessibility()
	page.Offline(false)
	page.Focus("#order-retry")
	page.Press("\r")
	page.AwaitText(fact("name"), nameOf(sku))
	page.AwaitFocused("heading " + text(first, "order"))
}

// A buyer who comes back to an order asks for it again, perhaps before the first request fails.
func TestALateFailureDoesNotHideAnOrder(t *testing.T) {
	t.Parallel()
	page, _ := openShop(t).buyAndLook(t, browser.Phone, first)
	browsertest.Evaluate[bool](page, `(
		window.answer = new Promise((_, fail) => (window.fail = fail)),
		window.ask = window.fetch,
		window.fetch = () => ((window.fetch = window.ask), window.answer), // of the next request only
		window.late = order.load(),
		order.load(),
		true)`)
	page.Await("!document.querySelector('.ticket').hidden")
	browsertest.Evaluate[bool](page, `(window.fail(new TypeError("late")), window.late.then(() => true))`)
	if page.Count(".ticket:not([hidden])") != 1 {
		t.Errorf("the page says %q, want the order", page.Text("#order-trouble"))
	}
}

func TestThePageOfAnOrderIsAccessible(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for name, test := range map[string]struct {
		visitor  browser.Visitor
		language web.Language
	}{
		"light, a phone":  {browser.Phone, first},
		"dark, a desktop": {browser.Desktop.In(last.Tag).InTheDark(), last},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.visitor.Width = min(test.visitor.Width, 390)
			page, _ := s.buyAndLook(t, test.visitor, test.language)
			page.CheckAccessibility()
			width := browsertest.Evaluate[int64](page, "document.documentElement.scrollWidth")
			if width > int64(test.visitor.Width) {
				t.Errorf("the page is %d px wide, want at most %d", width, test.visitor.Width)
			}
			stops := page.KeyboardOrder()
			if last := stops[len(stops)-1]; !strings.HasPrefix(last, "link "+text(test.language, "back")) {
				t.Errorf("the last Tab stop is %q, want the way back", last)
			}
		})
	}
}
