package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Focus is the element that has the focus, as a screen reader hears of it and as it is seen.
type Focus struct {
	Role, Name string // as Chromium's accessibility tree has them

	// Visible says that the focus is seen: by an outline, and not behind something else.
	Visible bool
	// Boxes are the element's and those of all that it is in but the page's, the outermost first.
	Boxes []Box
}

// A Box is where an element is on the page, in CSS pixels.
type Box struct {
	Child         int // its place among its siblings, from 0
	Left, Top     float64
	Right, Bottom float64
}

// seen tells how the element is seen that has the focus; null if none has it.
const seen = `(() => {
	const focused = document.activeElement;
	if (focused === null || focused === document.body) return null;
	const boxes = [];
	for (let element = focused; element.parentElement; element = element.parentElement) {
		const { left, top, right, bottom } = element.getBoundingClientRect();
		const child = [...element.parentElement.children].indexOf(element);
		boxes.unshift({ child, left: left + scrollX, top: top + scrollY, right: right + scrollX, bottom: bottom + scrollY });
	}
	const box = focused.getBoundingClientRect();
	const inFront = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
	const style = getComputedStyle(focused);
	const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
	return { visible: outlined && focused.contains(inFront), boxes };
})()`

// Focus returns what has the focus; the zero Focus if nothing has it.
func (p *Page) Focus() (Focus, error) {
	found, err := Evaluate[*Focus](p, seen)
	if err != nil {
		return Focus{}, fmt.Errorf("looking at the focus: %w", err)
	}
	if found == nil {
		return Focus{}, nil
	}
	node, err := run(p, func(ctx context.Context, t *chromedp.Target) (*accessibility.Node, error) {
		element, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.activeElement"})
		if err != nil {
			return nil, err
		}
		relatives := false
		tree, err := cdp.Call(ctx, t, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: element.Result.ObjectID, FetchRelatives: &relatives})
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

// AwaitFocus waits until what has the focus is as wanted, and returns it. The error tells what has it instead.
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

// text is a value of the accessibility tree that is text; "" if it is none.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return asText(v.Value)
}
