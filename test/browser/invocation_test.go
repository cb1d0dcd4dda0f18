package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"restock/test/browser/browsertest"
)

// functionDetails is the address of a function's details in the console.
const functionDetails = "/#node=function:"

func TestConsoleInvokesAFunction(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 2})
	page := openConsole(t, screen, s.Endpoints().Console+functionDetails+"sales-api")
	page.Await(`document.querySelectorAll("#invoke-example option").length > 3`)
	page.CheckAccessibility("#details")
	browsertest.Evaluate[bool](page, fmt.Sprintf(`(() => {
		const example = document.querySelector("#invoke-example"), event = document.querySelector("#invoke-event");
		example.selectedIndex = [...example.options].findIndex((option) => option.text === "POST /checkout");
		example.dispatchEvent(new Event("change"));
		const edited = JSON.parse(event.value);
		edited.body = JSON.stringify({ sku: %[1]q });
		edited.headers["idempotency-key"] = %[1]q;
		event.value = JSON.stringify(edited);
		return true;
	})()`, sku))
	page.Click(".invoke button.primary")
	page.AwaitText("#details-title", "Invocation")
	page.AwaitText("#details .status", "sales-api succeeded in ")
	page.AwaitText(`#details [aria-label="Answer"]`, `"statusCode": 200`)
	page.AwaitText(`#details [aria-label="Event"]`, sku)
	page.Await(`[...document.querySelectorAll("#details .link")].some((link) => link.innerText === "Journey")`)
	page.CheckAccessibility("#details")
	invocation := browsertest.Evaluate[string](page, `location.hash`)

	// The same event has the same idempotency key: the replay answers the same, and sells nothing.
	page.Click("#details .buttons button:not(.link)")
	page.Await(fmt.Sprintf(`location.hash !== %q`, invocation))
	page.AwaitText(`#details [aria-label="Answer"]`, `"statusCode": 200`)
	if sales, sold := s.sales(t, sku); sales != 1 || sold != 1 {
		t.Errorf("after the replay there are %d sales of %d pieces, want one of one", sales, sold)
	}

	page.Click(`#details .link`)
	page.AwaitText("#details .invocations", "succeeded")
}

// journeyOf returns a JavaScript expression: the journey in the list whose name contains a text. A
// search may find others: each minute, sweep logs the stock of all products.
func journeyOf(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".journey")].find((journey) => journey.innerText.includes(%q))`,
		text)
}

func TestConsoleOpensTheBodiesOfMessagesAndTheInvocationsOfAJourney(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 1, automatic: true})
	page := browsertest.Open(t, screen, s.Endpoints().Console)
	page.AwaitText("#connection", "Live")
	if status := s.buy(t, sku); status != http.StatusOK {
		t.Fatalf("buying the last piece: got status %d, want 200", status)
	}
	// The search finds the journey of this test's purchase: other tests buy at the same time.
	page.Focus("#search")
	page.Press(sku)
	journey := journeyOf(sku + " sold, the last piece → 10 ordered → 10 received")
	page.Await(journey)
	browsertest.Evaluate[bool](page, "("+journey+".click(), true)")
	page.Await(fmt.Sprintf(`location.hash.endsWith("&q=" + %q)`, sku))
	page.AwaitText("#events", "goods received")
	const step = `[...document.querySelectorAll(".waterfall details")].find((step) => step.innerText.startsWith(%q))`
	open := func(text string) {
		page.Await(fmt.Sprintf(step, text))
		browsertest.Evaluate[bool](page, "("+fmt.Sprintf(step, text)+".open = true)")
	}
	open("message sent")
	page.AwaitText(".waterfall .about .body", "production_order_id")
	page.CheckAccessibility("#details")
	open("invocation of stock")
	const link = `[...document.querySelectorAll(".waterfall .link")]
		.find((link) => link.innerText === "event and answer")`
	page.Await(link)
	browsertest.Evaluate[bool](page, "("+link+".click(), true)")
	page.AwaitText("#details .status", "succeeded in")
	page.AwaitText(`#details [aria-label="Event"]`, "production_order_id")
}

func TestConsoleKeepsTheSearchInItsAddress(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku, other := s.sell(t, product{stock: 1}), s.sell(t, product{stock: 1})
	for _, bought := range []string{other, sku} {
		if status := s.buy(t, bought); status != http.StatusOK {
			t.Fatalf("buying the last piece: got status %d, want 200", status)
		}
	}
	page := openConsole(t, screen, s.Endpoints().Console+"/#q="+strings.ToLower(sku))
	// Until the search has an answer, the list has all journeys.
	page.AwaitText("#search-found", "journey")
	journey := journeyOf(sku + " sold")
	page.Await(journey)
	if browsertest.Evaluate[bool](page, "!!"+journeyOf(other+" sold")) {
		t.Errorf("the list has the journey of %s, want only those with %s", other, sku)
	}
	page.CheckAccessibility("#journeys")
	browsertest.Evaluate[bool](page, "("+journey+".click(), true)")
	page.AwaitFocused("heading Journey")
	page.Press("\x1b")
	if got := browsertest.Evaluate[string](page, `location.hash`); got != "#q="+strings.ToLower(sku) {
		t.Errorf("with closed details the address ends with %q, want the search", got)
	}
	browsertest.Evaluate[bool](page, `(() => {
		const search = document.querySelector("#search");
		search.value = "nothing has this text";
		return search.dispatchEvent(new Event("input"));
	})()`)
	page.AwaitText("#search-found", "0 journeys, 0 events")
	page.AwaitText("#journeys-none", "No journey matches.")
}
