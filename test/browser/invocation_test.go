package browser_test

import (
	"fmt"
	"testing"

	"restock/test/browser/browsertest"
)

// functionDetails is the address of a function's details in the console.
const functionDetails = "/#node=function:"

func TestConsoleInvokesAFunction(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 2, manual: true})
	page := browsertest.Open(t, screen, s.Endpoints().Console+functionDetails+"sales-api")
	page.Await(`document.querySelectorAll("#invoke-example option").length > 3`)
	page.CheckAccessibility()
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
	page.CheckAccessibility()
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
