// Package browsertest tests pages in a real browser. A test fails if its page has a problem (see
// browser.Page.Problems) that the test does not expect.
//
// All tests of a test binary share one browser, also if they run in parallel. The first test that
// opens a page starts it. Main stops it, so the package needs a TestMain:
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
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"restock/test/browser"
)

// shared is the test binary's browser.
var shared struct {
	mu      sync.Mutex
	running bool // whether Main is running
	browser *browser.Browser
	err     error          // why the browser did not start; nobody tries again
	pages   map[string]int // the number of pages that each test opened
}

// Main runs the tests of a test binary. It then closes the browser, calls the closers, and exits
// with the status of the tests, or at least 1 if closing failed.
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

// Require skips the test if tests run with -short or if this machine has no Chromium. Call it
// before the test starts a server for its pages.
func Require(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("-short skips the tests that need a browser")
	}
	if _, err := browser.Find(); errors.Is(err, browser.ErrMissing) {
		tb.Skip("a test that needs a browser:", err)
	}
}

// start returns the shared browser. The first caller starts it; the others wait.
func start() (*browser.Browser, error) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.running {
		return nil, errors.New("browsertest.Open needs a TestMain that closes the browser: " +
			"func TestMain(m *testing.M) { browsertest.Main(m) }")
	}
	if shared.browser == nil && shared.err == nil {
		shared.browser, shared.err = browser.Start(context.Background())
	}
	return shared.browser, shared.err
}

// A Page is a page under test. An action that fails ends the test.
type Page struct {
	tb       testing.TB
	name     string // the test, and which of its pages this is: "TestBuying-2"
	page     *browser.Page
	expected *[]string // parts of the expected problems
}

// Open opens a page until the end of the test. It skips the test as Require does.
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
	page := &Page{tb: tb, name: pageName(tb), page: p, expected: new([]string)}
	tb.Cleanup(func() {
		if !tb.Failed() { // a failed test may have ended before the expected problems
			page.checkProblems()
		}
		page.takePictures()
		p.Close()
	})
	return page
}

// In returns the page for a subtest: an action that fails ends the subtest, and not the test that
// opened the page. At its end, that test checks the problems of the page.
func (p *Page) In(subtest testing.TB) *Page {
	same := *p
	same.tb = subtest
	return &same
}

// pageName returns a name for the next page of a test, for example "TestBuying-2".
func pageName(tb testing.TB) string {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.pages == nil {
		shared.pages = map[string]int{}
	}
	shared.pages[tb.Name()]++
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(tb.Name(), "/", "-"), shared.pages[tb.Name()])
}

// Expect makes the test expect a problem with the text, for example "POST /checkout: answered with
// 409". The test fails if the page has no such problem.
func (p *Page) Expect(problem string) { *p.expected = append(*p.expected, problem) }

// AwaitProblem expects a problem with the text and waits for it.
func (p *Page) AwaitProblem(problem string) {
	p.tb.Helper()
	p.Expect(problem)
	p.must(p.page.AwaitProblem(problem))
}

func (p *Page) checkProblems() {
	p.tb.Helper()
	problems := p.page.Problems()
	unexpected := problems
	for _, expected := range *p.expected {
		matches := func(problem string) bool { return strings.Contains(problem, expected) }
		if !slices.ContainsFunc(problems, matches) {
			p.tb.Errorf("the page does not have the expected problem %q", expected)
		}
		unexpected = slices.DeleteFunc(slices.Clone(unexpected), matches)
	}
	for _, problem := range unexpected {
		p.tb.Errorf("the page has a problem: %s", problem)
	}
}

// PicturesVariable is the environment variable with the folder for pictures of all pages, as they
// are when their tests end. No pictures are taken if it is empty.
const PicturesVariable = "RESTOCK_PICTURES"

func (p *Page) takePictures() {
	p.tb.Helper()
	dir := os.Getenv(PicturesVariable)
	if dir == "" {
		return
	}
	if err := p.page.Pictures(func(visitor string, picture []byte) error {
		return os.WriteFile(filepath.Join(dir, p.name+"-"+visitor+".png"), picture, 0o644)
	}); err != nil {
		p.tb.Error(err)
	}
}

// Click waits until the element that a CSS selector finds is visible, and clicks it.
func (p *Page) Click(selector string) {
	p.tb.Helper()
	p.must(p.page.Click(selector, 1))
}

// DoubleClick is like Click, with two clicks as fast as the browser accepts them.
func (p *Page) DoubleClick(selector string) {
	p.tb.Helper()
	p.must(p.page.Click(selector, 2))
}

// Press presses keys one after the other. keys contains characters and constants of chromedp/kb,
// for example kb.Tab.
func (p *Page) Press(keys string) {
	p.tb.Helper()
	p.must(p.page.Press(keys))
}

// Hold holds a key down until it has repeated as many times as asked.
func (p *Page) Hold(key rune, times int) {
	p.tb.Helper()
	p.must(p.page.Hold(key, times))
}

// Focus focuses the element that a CSS selector finds.
func (p *Page) Focus(selector string) {
	p.tb.Helper()
	Evaluate[bool](p, fmt.Sprintf("(document.querySelector(%s).focus(), true)", browser.Quote(selector)))
}

// Focused returns the role and the accessible name of the focused element, for example
// "button 구매하기".
func (p *Page) Focused() string {
	p.tb.Helper()
	focus, err := p.page.Focus()
	p.must(err)
	return describe(focus)
}

// AwaitFocused waits until the role and the accessible name of the focused element begin with a
// text, for example "button Buy".
func (p *Page) AwaitFocused(prefix string) {
	p.tb.Helper()
	matches := func(f browser.Focus) bool { return strings.HasPrefix(describe(f), prefix) }
	if _, err := p.page.AwaitFocus(matches); err != nil {
		p.tb.Fatalf("want the focus on %q: %v; the page's problems: %q", prefix, err, p.page.Problems())
	}
}

// Text returns the rendered text of the first element that a CSS selector finds.
func (p *Page) Text(selector string) string {
	p.tb.Helper()
	text, err := p.page.Text(selector)
	p.must(err)
	return text
}

// Count returns the number of elements that a CSS selector finds.
func (p *Page) Count(selector string) int {
	p.tb.Helper()
	return Evaluate[int](p, fmt.Sprintf("document.querySelectorAll(%s).length", browser.Quote(selector)))
}

// Await waits until a JavaScript expression is truthy. Its failure contains the text of the page.
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

// Reload reloads the page.
func (p *Page) Reload() {
	p.tb.Helper()
	p.must(p.page.Reload())
}

// Offline takes the page offline, or online again.
func (p *Page) Offline(offline bool) {
	p.tb.Helper()
	p.must(p.page.Offline(offline))
}

// LoseAnswers drops all responses to requests for a path, or stops dropping them. The server
// handles the request, but the page gets a connection error.
func (p *Page) LoseAnswers(path string, lose bool) {
	p.tb.Helper()
	p.must(p.page.LoseAnswers(path, lose))
}

// Evaluate returns the value of a JavaScript expression. If the value is a promise, Evaluate waits
// for it.
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
