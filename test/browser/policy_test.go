package browser_test

import (
	"testing"

	"restock/test/browser/browsertest"
)

// An attack is JavaScript that a page's Content-Security-Policy must block.
type attack struct {
	script    string
	directive string // the directive of the policy that blocks it
	await     string // a condition to wait for, if the attack runs later
}

// checkPolicy tries what every page's Content-Security-Policy must block, and the other attacks.
// The page itself must comply with its policy: every test that opens the page checks that.
func checkPolicy(t *testing.T, page *browsertest.Page, other ...attack) {
	t.Helper()
	inline := browsertest.Evaluate[[]string](page, `[...document.querySelectorAll("*")].flatMap((element) =>
		element.getAttributeNames().filter((name) => name.startsWith("on") || name === "style")
			.map(() => element.outerHTML.slice(0, 80)))`)
	if len(inline) > 0 {
		t.Errorf("the page has inline handlers or styles: %q", inline)
	}
	for _, a := range append([]attack{
		{script: `const script = document.createElement("script");
			script.textContent = "window.broken = true";
			document.body.append(script)`, directive: "script-src"},
		{script: `document.body.setAttribute("onclick", "window.broken = true");
			document.body.click()`, directive: "script-src"},
		{script: `const style = document.createElement("style");
			style.textContent = "body { display: none }";
			document.body.append(style)`, directive: "style-src"},
		{script: `fetch("http://127.0.0.1:1/").catch(() => {})`, directive: "connect-src"},
		{script: `const frame = document.createElement("iframe");
			frame.src = "/";
			document.body.append(frame)`, directive: "default-src"},
	}, other...) {
		browsertest.Evaluate[bool](page, "(() => { "+a.script+"; return true; })()")
		page.AwaitProblem(a.directive)
		if a.await != "" {
			page.Await(a.await)
		}
	}
	page.Expect("Content Security Policy") // Chromium reports some violations twice
	const broken = "window.broken === true || getComputedStyle(document.body).display === 'none'"
	if browsertest.Evaluate[bool](page, broken) {
		t.Error("the policy has not blocked a script or a style")
	}
}
