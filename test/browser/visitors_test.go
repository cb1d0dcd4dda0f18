package browser_test

import (
	"fmt"
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

func TestABuyerHasOnePlaceInAllTabs(t *testing.T) {
	t.Parallel()
	s := openCrowded(t, browser.Phone, listed(0))
	s.awaitPause(0)
	browsertest.Evaluate[bool](s.Page, otherTab)
	s.setPlace(200, `"state":"waiting","place":12`)
	const place = `other.document.querySelector(".place")?.innerText`
	s.Await(place + ` === ""`)
	s.Click(crowdedCard.wait())
	s.AwaitText(crowdedCard.place(), text(first, "inLine", "{n}", "12"))
	s.Await(place + `.includes("12")`) // the other tab is in the machine's language
	browsertest.Evaluate[bool](s.Page, `(other.document.querySelector(".wait").click(), true)`)
	browsertest.Evaluate[bool](s.Page, `(cards.get("CP-1").setWaiting(null), true)`) // as a purchase does
	s.Await(place + ` === ""`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.joins) != 1 {
		t.Errorf("both tabs sent %d requests for a place, want one", len(s.joins))
	}
}
