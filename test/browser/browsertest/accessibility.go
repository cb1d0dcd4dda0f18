package browsertest

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"restock/test/browser"
)

// axe is axe-core 4.14.1 from the npm package axe-core, under the Mozilla Public License 2.0
// (testdata/axe.LICENSE). Only tests use it.
// https://github.com/dequelabs/axe-core
//
//go:embed testdata/axe.min.js
var axe string

// A violation is a rule of axe that a page breaks.
// https://github.com/dequelabs/axe-core/blob/develop/doc/API.md#results-object
type violation struct {
	ID, Impact, Help, HelpURL string
	Nodes                     []struct {
		Target         []string
		HTML           string
		FailureSummary string
	}
}

// CheckAccessibility checks the page's current state with axe: the rules of WCAG 2.2, level AA, and
// best practices, for example contrast, labels, roles, landmarks and target sizes. Each violation
// fails the test. With parts, which are CSS selectors, it checks only these, which takes a fraction
// of the time, and leaves out the rules about whole pages.
// https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md
func (p *Page) CheckAccessibility(parts ...string) {
	p.tb.Helper()
	// The DevTools protocol loads axe: the page's policy would block it as a script.
	if !Evaluate[bool](p, "window.axe !== undefined") {
		Evaluate[bool](p, "("+strings.TrimSuffix(strings.TrimSpace(axe), ";")+", true)")
	}
	of := "document"
	if len(parts) > 0 {
		of = "document.querySelectorAll(" + browser.Quote(strings.Join(parts, ", ")) + ")"
	}
	violations := Evaluate[[]violation](p, `axe.run(`+of+`, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		resultTypes: ["violations"],
		preload: false, // no rule needs the style sheets and media
	}).then(({ violations }) => violations)`)
	for _, v := range violations {
		p.tb.Errorf("the page is not accessible: %s", v)
	}
}

func (v violation) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s): %s\n  %s", v.ID, v.Impact, v.Help, v.HelpURL)
	for _, node := range v.Nodes {
		summary := strings.ReplaceAll(node.FailureSummary, "\n", "\n    ")
		fmt.Fprintf(&text, "\n  at %s: %.300s\n    %s", strings.Join(node.Target, " "), node.HTML, summary)
	}
	return text.String()
}

// maxStops exceeds the number of focusable elements of any page.
const maxStops = 200

// KeyboardOrder presses Tab from the top of the page to its end. It returns the role and the name
// of each focused element, in order. The test fails if a focused element is not visible, has no
// name, or stands before the previous one in reading order.
func (p *Page) KeyboardOrder() []string {
	p.tb.Helper()
	p.tab(func(browser.Focus) (done bool) { return false }) // from the focused element to the end
	var order []string
	var first, last browser.Focus
	p.tab(func(focus browser.Focus) (done bool) {
		switch {
		case len(order) == 0:
			first = focus
		case slices.Equal(path(focus), path(first)):
			return true // sometimes Chromium returns to the first element without leaving the page
		}
		if !focus.Visible {
			p.tb.Errorf("Tab stops at %s, where the focus is not visible", describe(focus))
		}
		if focus.Name == "" {
			p.tb.Errorf("Tab stops at a %s without a name, after %q", focus.Role, order)
		}
		if len(order) > 0 && readBefore(focus.Boxes, last.Boxes) {
			p.tb.Errorf("Tab goes from %s to %s, which stands before it", describe(last), describe(focus))
		}
		order, last = append(order, describe(focus)), focus
		return false
	})
	return order
}

// tab presses Tab until stop returns true or the focus leaves the page. The next Tab then focuses
// the first element of the page.
func (p *Page) tab(stop func(browser.Focus) (done bool)) {
	p.tb.Helper()
	for range maxStops {
		p.must(p.page.Press("\t"))
		focus, err := p.page.Focus()
		p.must(err)
		if focus.Role == "" || stop(focus) {
			return
		}
	}
	p.tb.Fatalf("Tab stops more than %d times, or never leaves the page", maxStops)
}

func describe(f browser.Focus) string { return f.Role + " " + f.Name }

// path returns the indexes of an element and its ancestors, which identify it in the document.
func path(f browser.Focus) (children []int) {
	for _, box := range f.Boxes {
		children = append(children, box.Child)
	}
	return children
}

// readBefore reports whether an element stands before another in reading order. It compares the
// boxes below their common ancestor: one box ends above the other, or both are on a line and it is
// on the left.
func readBefore(element, other []browser.Box) bool {
	for i := range min(len(element), len(other)) {
		a, b := element[i], other[i]
		if a.Child == b.Child {
			continue // a common ancestor
		}
		above := a.Bottom <= b.Top
		below := a.Top >= b.Bottom
		return above || !below && a.Right <= b.Left
	}
	return false
}
