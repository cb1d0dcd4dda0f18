package browsertest

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"restock/test/browser"
)

// axe is axe-core 4.14.1, as the npm package axe-core has it, under the Mozilla Public License 2.0 (testdata/axe.LICENSE).
// It is data for the tests, and no part of any page. https://github.com/dequelabs/axe-core
//
//go:embed testdata/axe.min.js
var axe string

// A violation is a rule of axe that a page breaks. https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#results-object
type violation struct {
	ID, Impact, Help, HelpURL string
	Nodes                     []struct {
		Target         []string
		HTML           string
		FailureSummary string
	}
}

// CheckAccessibility holds the page as it is now against the rules of WCAG 2.2, level AA, and of good practice, that a machine can check:
// contrast, labels, roles, landmarks, sizes of targets. https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md
func (p *Page) CheckAccessibility() {
	p.tb.Helper()
	// Over the DevTools protocol: the page's policy lets no script in, and is not asked.
	Evaluate[bool](p, "window.axe !== undefined || ("+strings.TrimSuffix(strings.TrimSpace(axe), ";")+", true)")
	violations := Evaluate[[]violation](p, `axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		resultTypes: ["violations"],
		preload: false, // of style sheets and media: none of these rules needs it
	}).then(({ violations }) => violations)`)
	for _, v := range violations {
		p.tb.Errorf("the page is not accessible: %s", v)
	}
}

func (v violation) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s): %s\n  %s", v.ID, v.Impact, v.Help, v.HelpURL)
	for _, node := range v.Nodes {
		fmt.Fprintf(&text, "\n  at %s: %.300s\n    %s", strings.Join(node.Target, " "), node.HTML, strings.ReplaceAll(node.FailureSummary, "\n", "\n    "))
	}
	return text.String()
}

// maxStops is more than a page has places that the Tab key stops at.
const maxStops = 200

// KeyboardOrder presses Tab from the top of the page until it is through, and returns the role and the name of what had the focus, in order.
// A stop that is not seen, has no name, or comes before one that is read earlier fails the test.
func (p *Page) KeyboardOrder() []string {
	p.tb.Helper()
	p.tab(func(browser.Focus) (through bool) { return false }) // to the end, from where the focus was
	var order []string
	var first, last browser.Focus
	p.tab(func(focus browser.Focus) (through bool) {
		switch {
		case len(order) == 0:
			first = focus
		case slices.Equal(path(focus), path(first)):
			return true // Chromium goes around without leaving the page, now and then
		}
		if !focus.Visible {
			p.tb.Errorf("Tab stops at %s, where the focus is not seen", describe(focus))
		}
		if focus.Name == "" {
			p.tb.Errorf("Tab stops at a %s without a name, after %q", focus.Role, order)
		}
		if len(order) > 0 && readBefore(focus.Boxes, last.Boxes) {
			p.tb.Errorf("Tab goes from %s to %s, which is read before it", describe(last), describe(focus))
		}
		order, last = append(order, describe(focus)), focus
		return false
	})
	return order
}

// tab presses Tab until nothing has the focus, when it has left the page and the next Tab is its first, or until it is through.
func (p *Page) tab(stop func(browser.Focus) (through bool)) {
	p.tb.Helper()
	for range maxStops {
		p.must(p.page.Press("\t"))
		focus, err := p.page.Focus()
		p.must(err)
		if focus.Role == "" || stop(focus) {
			return
		}
	}
	p.tb.Fatalf("the page has more than %d stops of the Tab key, or keeps the focus", maxStops)
}

func describe(f browser.Focus) string { return f.Role + " " + f.Name }

// path is where an element is in the document.
func path(f browser.Focus) (children []int) {
	for _, box := range f.Boxes {
		children = append(children, box.Child)
	}
	return children
}

// readBefore says whether an element is read before another: whether, of the two boxes in which they are parted, its box ends above the
// other's beginning, or is on the same line and left of it.
func readBefore(element, other []browser.Box) bool {
	for i := range min(len(element), len(other)) {
		a, b := element[i], other[i]
		if a.Child == b.Child {
			continue // both are in it
		}
		above := a.Bottom <= b.Top
		below := a.Top >= b.Bottom
		return above || !below && a.Right <= b.Left
	}
	return false
}
