package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Focus describes the focused element, for screen readers and on the screen. The zero Focus means
// that no element is focused.
type Focus struct {
	Role, Name string // from Chromium's accessibility tree

	// Visible says that the element has an outline and is not covered by another element.
	Visible bool
	// Boxes are the boxes of the element and its ancestors below the root, the outermost first.
	Boxes []Box
}

// A Box is the position of an element on the page, in CSS pixels.
type Box struct {
	Child         int // its index among its siblings, from 0
	Left, Top     float64
	Right, Bottom float64
}

// focusOnScreen is a JavaScript expression: a Focus without Role and Name, or null if no element is
// focused.
const focusOnScreen = `(() => {
	const focused = document.activeElement;
	if (focused === null || focused === document.body) return null;
	const boxes = [];
	for (let element = focused; element.parentElement; element = element.parentElement) {
		const { left, top, right, bottom } = element.getBoundingClientRect();
		const child = [...element.parentElement.children].indexOf(element);
		boxes.unshift({
			child, left: left + scrollX, top: top + scrollY, right: right + scrollX, bottom: bottom + scrollY,
		});
	}
	const box = focused.getBoundingClientRect();
	const inFront = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
	const style = getComputedStyle(focused);
	const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
	return { visible: outlined && focused.contains(inFront), boxes };
})()`

// Focus returns the focused element, or the zero Focus.
func (p *Page) Focus() (Focus, error) {
	found, err := Evaluate[*Focus](p, focusOnScreen)
	if err != nil {
		return Focus{}, fmt.Errorf("reading the focus: %w", err)
	}
	if found == nil {
		return Focus{}, nil
	}
	node, err := run(p, func(ctx context.Context, t *chromedp.Target) (*accessibility.Node, error) {
		active := runtime.EvaluateParams{Expression: "document.activeElement"}
		element, err := cdp.Call(ctx, t, runtime.Evaluate, active)
		if err != nil {
			return nil, err
		}
		relatives := false
		params := accessibility.GetPartialAXTreeParams{ObjectID: element.Result.ObjectID, FetchRelatives: &relatives}
		tree, err := cdp.Call(ctx, t, accessibility.GetPartialAXTree, params)
		if err != nil {
			return nil, err
		}
		return tree.Nodes[0], nil
	})
	if err != nil {
		return Focus{}, fmt.Errorf("reading the accessibility tree: %w", err)
	}
	found.Role, found.Name = text(node.Role), text(node.Name)
	return *found, nil
}

// AwaitFocus waits until is returns true for the focused element, and returns that element. The
// error names the element that is focused instead.
func (p *Page) AwaitFocus(is func(Focus) bool) (Focus, error) {
	var focus Focus
	err := p.poll(func() (bool, error) {
		var err error
		focus, err = p.Focus()
		return is(focus), err
	})
	if err != nil {
		err = fmt.Errorf("waiting for the focus, which is on %q: %w", focus.Role+" "+focus.Name, err)
	}
	return focus, err
}

// text returns a value of the accessibility tree as text, or "" if there is no value.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return asText(v.Value)
}
