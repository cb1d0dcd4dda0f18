package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// stepTimeout ends a navigation, a click or a wait that would never end. It does not test how fast
// a page is: on a busy machine a condition may hold only after half a minute.
const stepTimeout = 10 * time.Minute

// pollInterval is the time between two checks of a condition.
const pollInterval = 30 * time.Millisecond

var errTimeout = fmt.Errorf("it took longer than %v", stepTimeout)

// A Page is an open page with its own browser profile: it shares no storage with other pages. Only
// one goroutine may use it.
type Page struct {
	ctx      context.Context
	cancel   context.CancelFunc
	visitor  Visitor
	problems problems
}

// Open opens a page as a visitor sees it. The page closes on Close, with the browser, or when the
// context ends.
func (b *Browser) Open(ctx context.Context, v Visitor, address string) (*Page, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("opening a page: %w", err)
	}
	p := &Page{visitor: v, problems: problems{origin: at.Scheme + "://" + at.Host}}
	p.ctx, p.cancel = chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.listen))
	if err := chromedp.Do(p.ctx); err != nil { // the tab stays open as long as this context
		p.cancel()
		return nil, fmt.Errorf("opening a tab: %w", err)
	}
	context.AfterFunc(ctx, p.cancel)
	// chromedp enables the domain CSS, with which Chromium parses each style sheet a second time.
	// Nothing here uses it.
	plain := command(css.Disable, cdp.Empty{})
	if err := p.do(plain, chromedp.Func(v.emulate), chromedp.Navigate(address)); err != nil {
		p.cancel()
		return nil, fmt.Errorf("opening %s: %w", address, err)
	}
	return p, nil
}

// Close closes the page.
func (p *Page) Close() { p.cancel() }

// Problems returns the page's problems so far: errors and warnings in the console, uncaught
// exceptions, violations of its Content-Security-Policy, requests that failed or got an error
// status, and requests to other origins.
func (p *Page) Problems() []string { return p.problems.list() }

// do runs steps, each with stepTimeout.
func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) error {
	for _, step := range steps {
		if _, err := run(p, step); err != nil {
			return err
		}
	}
	return nil
}

// run runs an action with stepTimeout and returns its value.
func run[T any](p *Page, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeoutCause(p.ctx, stepTimeout, errTimeout)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return v, err
}

// Evaluate returns the value of a JavaScript expression. If the value is a promise, Evaluate waits
// for it. The page's Content-Security-Policy does not apply to the expression.
func Evaluate[T any](p *Page, expression string) (T, error) {
	v, err := run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		err = fmt.Errorf("evaluating %.200s: %w", expression, err)
	}
	return v, err
}

// Await waits until a JavaScript expression is truthy.
func (p *Page) Await(condition string) error {
	// chromedp.Poll would create a function from text, which the page's policy forbids.
	const poll = `new Promise((resolve, reject) => {
		const check = () => {
			try { if (%s) resolve(true); else setTimeout(check, %d); } catch (error) { reject(error); }
		};
		check();
	})`
	script := fmt.Sprintf(poll, condition, pollInterval.Milliseconds())
	if _, err := run(p, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise)); err != nil {
		return fmt.Errorf("waiting until %s: %w", condition, err)
	}
	return nil
}

// poll waits until a condition holds that JavaScript in the page cannot check.
func (p *Page) poll(holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(p.ctx, stepTimeout, errTimeout)
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

// AwaitProblem waits until the page has a problem with the text. Chromium reports some problems
// late.
func (p *Page) AwaitProblem(text string) error {
	matches := func(problem string) bool { return strings.Contains(problem, text) }
	if err := p.poll(func() (bool, error) { return slices.ContainsFunc(p.Problems(), matches), nil }); err != nil {
		return fmt.Errorf("waiting for the problem %q: %w", text, err)
	}
	return nil
}

// Text returns the rendered text of the first element that a CSS selector finds.
func (p *Page) Text(selector string) (string, error) {
	return Evaluate[string](p, "document.querySelector("+Quote(selector)+").innerText")
}

// Click waits until the element that a CSS selector finds is visible. It then clicks its centre as
// many times as asked, without a pause. The clicks count as one multiple click.
func (p *Page) Click(selector string, times int) error {
	type nodes = []*chromedp.Node
	click := func(ctx context.Context, t *chromedp.Target, found nodes) (done chromedp.Void, err error) {
		for n := range times {
			if done, err = chromedp.MouseClickNode(found[0], chromedp.ClickCount(n+1))(ctx, t); err != nil {
				break
			}
		}
		return done, err
	}
	if err := p.poll(func() (clicked bool, err error) {
		err = p.do(chromedp.QueryAfter(chromedp.CSS(selector), click, chromedp.NodeVisible))
		var unknown *cdproto.Error
		if errors.As(err, &unknown) || errors.Is(err, chromedp.ErrInvalidDimensions) {
			return false, nil // before the click, the page has replaced or hidden the element
		}
		return err == nil, err
	}); err != nil {
		return fmt.Errorf("clicking %s: %w", selector, err)
	}
	return nil
}

// Press presses keys one after the other. keys contains characters and constants of chromedp/kb,
// for example kb.Tab.
func (p *Page) Press(keys string) error {
	if err := p.do(chromedp.KeyEvent(keys)); err != nil {
		return fmt.Errorf("pressing %q: %w", keys, err)
	}
	return nil
}

// Hold holds a key down until it has repeated as many times as asked.
func (p *Page) Hold(key rune, times int) error {
	for i := range times + 1 {
		for _, event := range kb.Encode(key) {
			if event.Type == kb.KeyUp && i < times {
				continue // the key is held down
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

// Reload reloads the page and waits until it is loaded.
func (p *Page) Reload() error {
	if err := p.do(chromedp.Reload()); err != nil {
		return fmt.Errorf("reloading the page: %w", err)
	}
	return nil
}

// Offline takes the page offline, or online again.
func (p *Page) Offline(offline bool) error {
	conditions := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{}}
	if offline {
		conditions.MatchedNetworkConditions = append(conditions.MatchedNetworkConditions,
			&network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	if err := p.do(command(network.EmulateNetworkConditionsByRule, conditions)); err != nil {
		return fmt.Errorf("setting offline to %t: %w", offline, err)
	}
	return nil
}

// LoseAnswers drops all responses to requests for a path, or stops dropping them. The server
// handles the request, but the page gets a connection error.
func (p *Page) LoseAnswers(path string, lose bool) error {
	intercept := command(fetch.Disable, cdp.Empty{})
	if lose {
		intercept = command(fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{
			URLPattern: p.problems.origin + path, RequestStage: fetch.RequestStageResponse,
		}}})
	}
	if err := p.do(intercept); err != nil {
		return fmt.Errorf("setting the loss of answers to %s to %t: %w", path, lose, err)
	}
	return nil
}

// listen gets every event of the page's tab.
func (p *Page) listen(event any) {
	p.problems.listen(event)
	if e, ok := event.(*fetch.EventRequestPaused); ok {
		fail := fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonConnectionReset}
		// In a goroutine: the answer to the command arrives only after listen has returned. The
		// command may fail because the page is closed.
		go chromedp.Call(p.ctx, fetch.FailRequest, fail)
	}
}

// Screenshot returns the viewport as a PNG.
func (p *Page) Screenshot() ([]byte, error) {
	shot, err := run(p, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		format := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng}
		result, err := cdp.Call(ctx, t, page.CaptureScreenshot, format)
		return result.Data, err
	})
	if err != nil {
		return nil, fmt.Errorf("taking a screenshot: %w", err)
	}
	return shot, nil
}

// Widths are the widths of the screens on which the pages should look well, in CSS pixels.
var Widths = []int64{1440, 1280, 390}

// Pictures calls take with a PNG of the whole page as it is now, for each of the Widths, in light
// and in dark. The name of a picture is, for example, "390-dark". Afterwards, the page is as wide
// and as dark as in the last picture.
func (p *Page) Pictures(take func(name string, picture []byte) error) error {
	for _, width := range Widths {
		for _, scheme := range []string{"light", "dark"} {
			v := p.visitor
			v.Width, v.Dark = width, scheme == "dark"
			if err := p.do(chromedp.Func(v.emulate)); err != nil {
				return fmt.Errorf("showing the page %d pixels wide and %s: %w", width, scheme, err)
			}
			const lossless = 100
			picture, err := run(p, chromedp.FullScreenshot(lossless))
			if err != nil {
				return fmt.Errorf("taking a picture of the page: %w", err)
			}
			if err := take(fmt.Sprintf("%d-%s", width, scheme), picture); err != nil {
				return err
			}
		}
	}
	return nil
}

// Quote returns a text as a JavaScript string literal.
func Quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // cannot happen for a string
	}
	return string(quoted)
}
