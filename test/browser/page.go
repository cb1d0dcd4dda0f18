package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// stepTimeout ends the wait for what never comes: a navigation, a click, a condition. It is no measure of how fast a page is: on a busy machine
// a condition may hold after half a minute.
const stepTimeout = 3 * time.Minute

// pollInterval is between two looks at a condition.
const pollInterval = 30 * time.Millisecond

// A Page is a page as a visitor sees it, with a profile of its own: what it stores, no other page sees. It is for one goroutine.
type Page struct {
	ctx      context.Context
	cancel   context.CancelFunc
	problems problems
}

// Open opens a page. It is closed with Close, with the browser, or when the context ends.
func (b *Browser) Open(ctx context.Context, v Visitor, address string) (*Page, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("opening a page: %w", err)
	}
	p := &Page{problems: problems{origin: at.Scheme + "://" + at.Host}}
	p.ctx, p.cancel = chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.listen))
	if err := chromedp.Do(p.ctx); err != nil { // the tab lives as long as the context of this run
		p.cancel()
		return nil, fmt.Errorf("opening a tab: %w", err)
	}
	context.AfterFunc(ctx, p.cancel)
	if err := p.do(chromedp.Func(v.arrive), chromedp.Navigate(address)); err != nil {
		p.cancel()
		return nil, fmt.Errorf("opening %s: %w", address, err)
	}
	return p, nil
}

// Close closes the page.
func (p *Page) Close() { p.cancel() }

// Problems returns what the page did wrong so far: what it wrote to the console as an error or a warning, what it did not catch, what its
// policy blocked, requests that failed or were answered with an error, and requests to anywhere but its own origin.
func (p *Page) Problems() []string { return p.problems.list() }

// do takes steps, each within the time that a step may take.
func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) error {
	for _, step := range steps {
		if _, err := run(p, step); err != nil {
			return err
		}
	}
	return nil
}

func run[T any](p *Page, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeoutCause(p.ctx, stepTimeout, fmt.Errorf("it took longer than %v", stepTimeout))
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return v, err
}

// Evaluate returns the value of a JavaScript expression, or what the promise that it is comes to. The page's Content-Security-Policy
// does not apply to it.
func Evaluate[T any](p *Page, expression string) (T, error) {
	v, err := run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		err = fmt.Errorf("evaluating %.200s: %w", expression, err)
	}
	return v, err
}

// Await waits until a JavaScript expression is truthy.
func (p *Page) Await(condition string) error {
	// Not chromedp.Poll: it makes a function of the text, which the page's policy forbids.
	const poll = `new Promise((resolve, reject) => {
		const look = () => { try { if (%s) resolve(true); else setTimeout(look, %d); } catch (error) { reject(error); } };
		look();
	})`
	if _, err := run(p, chromedp.Evaluate[bool](fmt.Sprintf(poll, condition, pollInterval.Milliseconds()), chromedp.EvalAwaitPromise)); err != nil {
		return fmt.Errorf("waiting until %s: %w", condition, err)
	}
	return nil
}

// poll waits until a condition holds that the page does not know of.
func (p *Page) poll(holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(p.ctx, stepTimeout, fmt.Errorf("it took longer than %v", stepTimeout))
	defer cancel()
	for {
		if is, err := holds(); is || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pollInterval):
		}
	}
}

// AwaitProblem waits until the page has a problem whose description contains a text. Some are told a while after what the page did wrong.
func (p *Page) AwaitProblem(text string) error {
	comes := func(problem string) bool { return strings.Contains(problem, text) }
	if err := p.poll(func() (bool, error) { return slices.ContainsFunc(p.Problems(), comes), nil }); err != nil {
		return fmt.Errorf("waiting for the problem %q: %w", text, err)
	}
	return nil
}

// Text returns the text of the first element that a CSS selector finds, as it is rendered.
func (p *Page) Text(selector string) (string, error) {
	return Evaluate[string](p, "document.querySelector("+Quote(selector)+").innerText")
}

// Click waits until the element that a CSS selector finds is visible, and clicks into its middle, the told number of times in quick succession.
func (p *Page) Click(selector string, times int) error {
	click := chromedp.QueryAfter(chromedp.CSS(selector), func(ctx context.Context, t *chromedp.Target, nodes []*chromedp.Node) (chromedp.Void, error) {
		for n := range times {
			if _, err := chromedp.MouseClickNode(nodes[0], chromedp.ClickCount(n+1))(ctx, t); err != nil {
				return chromedp.Void{}, err
			}
		}
		return chromedp.Void{}, nil
	}, chromedp.NodeVisible)
	if err := p.do(click); err != nil {
		return fmt.Errorf("clicking %s: %w", selector, err)
	}
	return nil
}

// Press presses keys, one after the other: characters, and keys like kb.Tab of chromedp/kb.
func (p *Page) Press(keys string) error {
	if err := p.do(chromedp.KeyEvent(keys)); err != nil {
		return fmt.Errorf("pressing %q: %w", keys, err)
	}
	return nil
}

// Hold holds a key down until it has repeated itself so many times.
func (p *Page) Hold(key rune, times int) error {
	for i := range times + 1 {
		for _, event := range kb.Encode(key) {
			if event.Type == kb.KeyUp && i < times {
				continue // it is held
			}
			repeats := i > 0
			event.AutoRepeat = &repeats
			if err := p.do(command(input.DispatchKeyEvent, *event)); err != nil {
				return fmt.Errorf("holding %q: %w", key, err)
			}
		}
	}
	return nil
}

// Reload loads the page again, and returns when it is loaded.
func (p *Page) Reload() error {
	if err := p.do(chromedp.Reload()); err != nil {
		return fmt.Errorf("reloading the page: %w", err)
	}
	return nil
}

// Offline cuts the page's connection, or gives it back.
func (p *Page) Offline(offline bool) error {
	conditions := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{}}
	if offline {
		conditions.MatchedNetworkConditions = append(conditions.MatchedNetworkConditions,
			&network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	if err := p.do(command(network.EmulateNetworkConditionsByRule, conditions)); err != nil {
		return fmt.Errorf("cutting the connection (%t): %w", offline, err)
	}
	return nil
}

// LoseAnswers loses every answer to requests of a path, or no longer: the server has done what it was asked, and the page does not hear of it.
func (p *Page) LoseAnswers(path string, lose bool) error {
	intercept := command(fetch.Disable, cdp.Empty{})
	if lose {
		intercept = command(fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{
			URLPattern: p.problems.origin + path, RequestStage: fetch.RequestStageResponse,
		}}})
	}
	if err := p.do(intercept); err != nil {
		return fmt.Errorf("losing the answers to %s (%t): %w", path, lose, err)
	}
	return nil
}

// listen hears every event of the page's tab.
func (p *Page) listen(event any) {
	p.problems.listen(event)
	if e, ok := event.(*fetch.EventRequestPaused); ok {
		// Not here: this is where the answer to the command is read. It fails when the page is closed meanwhile, which is as well.
		go chromedp.Call(p.ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonConnectionReset})
	}
}

// Screenshot returns the viewport as a PNG.
func (p *Page) Screenshot() ([]byte, error) {
	shot, err := run(p, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		result, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
		return result.Data, err
	})
	if err != nil {
		return nil, fmt.Errorf("taking a screenshot: %w", err)
	}
	return shot, nil
}

// Quote returns a text as a JavaScript literal.
func Quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string has a form in JSON
	}
	return string(quoted)
}
