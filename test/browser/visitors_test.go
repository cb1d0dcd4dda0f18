package browser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"restock/test/browser"
	"restock/test/browser/browsertest"
)

func TestAWrongClockOfTheVisitorChangesNoText(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]time.Duration{"fast": -5 * time.Hour, "slow": 5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now().Add(wrong).UTC().Truncate(time.Second) // by the shop's clock
			expected := func(in time.Duration) shopAnswer {
				return shopAnswer{status: 200, body: fmt.Sprintf(`{"products":[{"product_id":"1","sku":"CP-1",
					"name":"도너츠","price":1000,"currency":"KRW","stock":0,"automatic":true,"expected_at":%q}]}`,
					now.Add(in).Format(time.RFC3339))}.at(now)
			}
			s := openCrowded(t, browser.Phone, expected(time.Hour))
			s.awaitPause(0)
			s.Await(fmt.Sprintf("new RegExp(%s).test(%s.innerText)",
				browser.Quote(notePattern(first, "expectedNote", "expectedOnNote")), element(crowdedCard.note())))
			s.set(expected(-time.Hour))
			s.resume(0)
			s.AwaitText(crowdedCard.note(), text(first, "lateNote"))
		})
	}
}

// otherTab is a script that opens the page in another tab of the same browser. The tab's name is
// other.
const otherTab = `new Promise((resolve) => {
	window.other = window.open(location.href);
	other.addEventListener("load", () => resolve(true));
})`

// otherPlace is an expression: what the other tab says about the first product's place.
const otherPlace = `other.document.querySelector(".place")?.innerText`

// openInTwoTabs opens a page with a sold-out product in two tabs of a buyer, who gets the twelfth
// place on its waitlist, and has none yet.
func openInTwoTabs(t *testing.T) *crowdedShop {
	t.Helper()
	s := openCrowded(t, browser.Phone, listed(0))
	s.awaitPause(0)
	browsertest.Evaluate[bool](s.Page, otherTab)
	s.setPlace(200, `"state":"waiting","place":12`)
	s.Await(otherPlace + ` === ""`)
	return s
}

func TestABuyerHasOnePlaceInAllTabs(t *testing.T) {
	t.Parallel()
	s := openInTwoTabs(t)
	s.Click(crowdedCard.wait())
	s.AwaitText(crowdedCard.place(), text(first, "inLine", "{n}", "12"))
	s.Await(otherPlace + `.includes("12")`) // the other tab is in the machine's language
	sent := browsertest.Evaluate[int](s.Page, `((fetch) => {
		let sent = 0;
		other.fetch = (...request) => (sent++, fetch.apply(other, request));
		other.document.querySelector(".wait").click();
		other.fetch = fetch;
		return sent;
	})(other.fetch)`)
	if sent != 0 {
		t.Errorf("the other tab sent %d requests for a place, want none", sent)
	}
	browsertest.Evaluate[bool](s.Page, `(cards.get("CP-1").setWaiting(null), true)`) // as a purchase does
	s.Await(otherPlace + ` === ""`)
}

func TestTwoTabsThatAskAtOnceGetTheSamePlace(t *testing.T) {
	t.Parallel()
	s := openInTwoTabs(t)
	browsertest.Evaluate[bool](s.Page, `[window, other].every((tab) => {
		tab.document.querySelector(".wait").click();
		return true;
	})`)
	s.AwaitText(crowdedCard.place(), text(first, "inLine", "{n}", "12"))
	s.Await(otherPlace + `.includes("12")`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.joins) != 2 || s.joins[0] != s.joins[1] {
		t.Errorf("the tabs sent requests with the keys %q, want the same key twice", s.joins)
	}
}

func TestAnAnswerAboutAPlaceCountsAlsoIfAnotherTabWroteMeanwhile(t *testing.T) {
	t.Parallel()
	s := waitInLine(t, listed(0))
	s.setPlace(200, `"state":"waiting","place":3`)
	browsertest.Evaluate[bool](s.Page, `(() => {
		const card = cards.get("CP-1");
		window.asked = card.askForPlace("GET", "/waitlist/7");
		card.recallPlace();
		return true;
	})()`)
	browsertest.Evaluate[bool](s.Page, "asked.then(() => true)")
	if got, want := s.Text(crowdedCard.place()), text(first, "inLine", "{n}", "3"); got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
}

func TestAllTabsSayThatItIsTheBuyersTurn(t *testing.T) {
	t.Parallel()
	s := waitInLine(t, listed(0))
	browsertest.Evaluate[bool](s.Page, otherTab)
	s.Await(otherPlace + `?.includes("12")`)
	s.set(listed(1)) // else the other tab, which polls, could find that it is sold out again
	s.setPlace(200, `"state":"back"`)
	browsertest.Evaluate[bool](s.Page, `(cards.get("CP-1").askedAt = -Infinity, endPause(), true)`)
	s.AwaitText(crowdedCard.place(), text(first, "called"))
	s.Await(`other.document.querySelector(".place").classList.contains("back")`)
}

func TestAnOrderOfABusyShopCanBeAskedForAgain(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Phone, inStock(5))
	s.awaitPause(0)
	s.setSale(throttled)
	s.Expect("GET /sales/7: answered with 429")
	browsertest.Evaluate[string](s.Page, `location.hash = "order=7"`)
	s.AwaitText("#order-trouble", text(first, "orderBusy"))
	s.CheckAccessibility()
	s.setSale(shopAnswer{status: 200, body: `{"sale_id":"7","sku":"CP-1","name":"도너츠","quantity":2,
		"unit_price":1000,"currency":"KRW","sold_at":"2026-11-28T12:00:00Z"}`})
	s.Focus("#order-retry")
	s.Press("\r")
	s.AwaitText(fact("name"), "도너츠")
}

// The API refuses such SKUs. The page does not rely on it.
func TestTextsOfAProductAreNoMarkup(t *testing.T) {
	t.Parallel()
	const hostile = `"'><img src=x onerror=broken=1><script>broken=1</script>{n}{total}$&`
	s := openCrowded(t, browser.Phone, shopAnswer{status: 200, body: fmt.Sprintf(`{"products":[{"product_id":"1",
		"sku":%[1]s,"name":%[1]s,"price":1000,"currency":"KRW","stock":0,"automatic":true}]}`, browser.Quote(hostile))})
	s.awaitPause(0)
	s.set(shopAnswer{status: 200, body: fmt.Sprintf(`{"products":[{"product_id":"1","sku":%[1]s,"name":%[1]s,
		"price":1000,"currency":"KRW","stock":5,"automatic":true}]}`, browser.Quote(hostile))})
	s.resume(0)
	s.awaitPause(1)
	for selector, want := range map[string]string{
		"h2": hostile, ".sku": hostile, "#spoken": strings.ReplaceAll(first.Page["arrived"], "{name}", hostile),
	} {
		got := browsertest.Evaluate[string](s.Page, element(selector)+".textContent")
		if got != want {
			t.Errorf("%s has the text %q, want %q", selector, got, want)
		}
	}
	if s.Count("img, #products script") != 0 || browsertest.Evaluate[bool](s.Page, `"broken" in window`) {
		t.Error("the page took a text for markup")
	}
}
