// Package browsertest tests pages in a real browser. What a page does wrong, in the console, on the network, against its policy or towards
// other origins, fails the test that opened it, unless the test expects it.
//
// One browser serves all tests of a test binary, which may run in parallel. It is started by the first test that opens a page, and stopped
// when the binary ends, which takes a TestMain:
//
//	func TestMain(m *testing.M) { browsertest.Main(m) }
//
//	func TestBuying(t *testing.T) {
//		page := browsertest.Open(t, browser.Phone.In("en-US"), url)
//		page.Click("button.buy")
//		page.AwaitText(".result", "Stock left: 2")
//		page.CheckAccessibility()
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"restock/test/browser"
)

// shared is the test binary's browser.
var shared struct {
	mu      sync.Mutex
	running bool // between the beginning and the end of Main
	browser *browser.Browser
	err     error // of the start, which is tried once
}

// Main runs the tests of a test binary, then closes the browser and what else the tests shared. The exit status is the one of the tests,
// or 1 if something does not close.
func Main(m *testing.M, closers ...func() error) {
	shared.mu.Lock()
	shared.running = true
	shared.mu.Unlock()

	code := m.Run()

	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.running = false
	if shared.browser != nil {
		closers = append([]func() error{shared.browser.Close}, closers...)
	}
	for _, closeShared := range closers {
		if err := closeShared(); err != nil {
			fmt.Fprintln(os.Stderr, "after the tests:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Require skips a test where tests run with -short, and on a machine without Chromium: before the
// test starts what it would open pages of.
func Require(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("-short: the tests that need a browser are skipped")
	}
	if _, err := browser.Find(); errors.Is(err, browser.ErrMissing) {
		tb.Skip("the browser's tests are skipped:", err)
	}
}

// start returns the shared browser. The first caller starts it, the others wait.
func start() (*browser.Browser, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.running {
		return nil, errors.New("browsertest.Open needs the package to have `func TestMain(m *testing.M) { browsertest.Main(m) }`, which closes the browser")
	}
	if shared.browser == nil && shared.err == nil {
		shared.browser, shared.err = browser.Start(context.Background())
	}
	return shared.browser, shared.err
}

// A Page is a page under test. What cannot be done on it ends the test.
type Page struct {
	tb       testing.TB
	page     *browser.Page
	expected []string
}

// Open opens a page for the rest of a test. On a machine without Chromium the test is skipped.
func Open(tb testing.TB, v browser.Visitor, address string) *Page {
	tb.Helper()
	Require(tb)
	b, err := start()
	if err != nil {
		tb.Fatal(err)
	}
	p, err := b.Open(context.WithoutCancel(tb.Context()), v, address)
	if err != nil {
		tb.Fatal(err)
	}
	page := &Page{tb: tb, page: p}
	tb.Cleanup(func() {
		if !tb.Failed() { // else it may have ended before what is expected
			page.checkProblems()
		}
		p.Close()
	})
	return page
}

// Expect says that the page will do something wrong whose description contains a text, like "POST /checkout: answered with 409".
// Not to do it is a failure, too.
func (p *Page) Expect(problem string) { p.expected = append(p.expected, problem) }

// AwaitProblem waits until the page does something wrong whose description contains a text, which is expected.
func (p *Page) AwaitProblem(problem string) {
	p.tb.Helper()
	p.Expect(problem)
	p.must(p.page.AwaitProblem(problem))
}

func (p *Page) checkProblems() {
	p.tb.Helper()
	problems := p.page.Problems()
	unexpected := problems
	for _, expected := range p.expected {
		comes := func(problem string) bool { return strings.Contains(problem, expected) }
		if !slices.ContainsFunc(problems, comes) {
			p.tb.Errorf("the page was expected to have the problem %q, and has not", expected)
		}
		unexpected = slices.DeleteFunc(slices.Clone(unexpected), comes)
	}
	for _, problem := range unexpected {
		p.tb.Errorf("the page has a problem: %s", problem)
	}
}

// Click clicks into the middle of the element that a CSS selector finds, once it is visible.
func (p *Page) Click(selector string) {
	p.tb.Helper()
	p.must(p.page.Click(selector, 1))
}

// DoubleClick clicks twice, as fast as the browser takes it.
func (p *Page) DoubleClick(selector string) {
	p.tb.Helper()
	p.must(p.page.Click(selector, 2))
}

// Press presses keys, one after the other: characters, and keys like kb.Tab of chromedp/kb.
func (p *Page) Press(keys string) {
	p.tb.Helper()
	p.must(p.page.Press(keys))
}

// Hold holds a key down until it has repeated itself so many times.
func (p *Page) Hold(key rune, times int) {
	p.tb.Helper()
	p.must(p.page.Hold(key, times))
}

// Focus puts the focus on the element that a CSS selector finds.
func (p *Page) Focus(selector string) {
	p.tb.Helper()
	Evaluate[bool](p, fmt.Sprintf("(document.querySelector(%s).focus(), true)", browser.Quote(selector)))
}

// Focused returns the role and the accessible name of what has the focus, like "button 구매하기".
func (p *Page) Focused() string {
	p.tb.Helper()
	focus, err := p.page.Focus()
	p.must(err)
	return describe(focus)
}

// AwaitFocused waits until the role and the accessible name of what has the focus begin with a text, like "button Buy".
func (p *Page) AwaitFocused(prefix string) {
	p.tb.Helper()
	if _, err := p.page.AwaitFocus(func(f browser.Focus) bool { return strings.HasPrefix(describe(f), prefix) }); err != nil {
		p.tb.Fatalf("want the focus on %q: %v; the page's problems: %q", prefix, err, p.page.Problems())
	}
}

// Text returns the text of the first element that a CSS selector finds, as it is rendered.
func (p *Page) Text(selector string) string {
	p.tb.Helper()
	text, err := p.page.Text(selector)
	p.must(err)
	return text
}

// Count returns how many elements a CSS selector finds.
func (p *Page) Count(selector string) int {
	p.tb.Helper()
	return Evaluate[int](p, fmt.Sprintf("document.querySelectorAll(%s).length", browser.Quote(selector)))
}

// Await waits until a JavaScript expression is truthy, and fails with what the page then shows.
func (p *Page) Await(condition string) {
	p.tb.Helper()
	if err := p.page.Await(condition); err != nil {
		shown, _ := p.page.Text("body")
		p.tb.Fatalf("%v; the page shows\n%s\nand has the problems %q", err, shown, p.page.Problems())
	}
}

// AwaitText waits until an element that a CSS selector finds contains a text.
func (p *Page) AwaitText(selector, text string) {
	p.tb.Helper()
	p.Await(fmt.Sprintf("[...document.querySelectorAll(%s)].some((element) => element.innerText.includes(%s))",
		browser.Quote(selector), browser.Quote(text)))
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.tb.Helper()
	p.must(p.page.Reload())
}

// Offline cuts the page's connection, or gives it back.
func (p *Page) Offline(offline bool) {
	p.tb.Helper()
	p.must(p.page.Offline(offline))
}

// LoseAnswers loses every answer to requests of a path, or no longer: the server has done what it was asked, and the page does not hear of it.
func (p *Page) LoseAnswers(path string, lose bool) {
	p.tb.Helper()
	p.must(p.page.LoseAnswers(path, lose))
}

// Evaluate returns the value of a JavaScript expression, or what the promise that it is comes to.
func Evaluate[T any](p *Page, expression string) T {
	p.tb.Helper()
	v, err := browser.Evaluate[T](p.page, expression)
	p.must(err)
	return v
}

func (p *Page) must(err error) {
	p.tb.Helper()
	if err != nil {
		p.tb.Fatalf("%v; the page's problems: %q", err, p.page.Problems())
	}
}
