package browser_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"restock/cmd/local/factory"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// screen is a developer's: the whole stack is drawn from left to right.
var screen = browser.Visitor{Languages: "en", Width: 1440, Height: 1000}

// buy buys one, and returns the status of the answer.
func (s *shop) buy(tb testing.TB, sku string) int {
	tb.Helper()
	body := strings.NewReader(fmt.Sprintf(`{"sku": %q}`, sku))
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, s.Endpoints().API+"/checkout", body)
	if err != nil {
		tb.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// impatient makes stock_queue give up after two receives a second apart, until the test ends. It does so once the run has started, for Lambda
// takes no queue whose visibility timeout is shorter than its function's timeout.
func (s *shop) impatient(tb testing.TB) {
	tb.Helper()
	queues := sqs.New(sqs.Options{
		Region: s.Region(), BaseEndpoint: aws.String(s.Endpoints().AWS),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	url, err := queues.GetQueueUrl(tb.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("stock_queue")})
	if err != nil {
		tb.Fatal(err)
	}
	const visibility, redrive = string(types.QueueAttributeNameVisibilityTimeout), string(types.QueueAttributeNameRedrivePolicy)
	got, err := queues.GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeName(visibility), types.QueueAttributeName(redrive)},
	})
	if err != nil {
		tb.Fatal(err)
	}
	set := func(ctx context.Context, attributes map[string]string) {
		if _, err := queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url.QueueUrl, Attributes: attributes}); err != nil {
			tb.Error(err)
		}
	}
	set(tb.Context(), map[string]string{
		visibility: "1", redrive: strings.Replace(got.Attributes[redrive], `"maxReceiveCount":5`, `"maxReceiveCount":2`, 1),
	})
	tb.Cleanup(func() {
		set(context.Background(), map[string]string{visibility: got.Attributes[visibility], redrive: got.Attributes[redrive]})
	})
}

// node selects a node of the picture.
func node(id string) string { return `[data-node="` + id + `"]` }

// TestConsole does not run beside others: it breaks the factory, and looks at all journeys.
func TestConsole(t *testing.T) {
	s := openShop(t)

	t.Run("is accessible", func(t *testing.T) { testAccessible(t, s) })
	t.Run("goes with the Tab key as it is read", func(t *testing.T) { testKeyboard(t, s) })

	t.Run("is held by its policy", func(t *testing.T) { testPolicy(t, s) })

	// The order of these is that of a story: the dead letter is the last, for it leaves the factory broken for a while.
	t.Run("shows the journey of a purchase to the goods receipt", func(t *testing.T) {
		sku := s.sell(t, product{stock: 1})
		page := browsertest.Open(t, screen, s.Endpoints().Console)
		page.AwaitText("#connection", "Live")
		if status := s.buy(t, sku); status != http.StatusOK {
			t.Fatalf("the last one is bought with %d, want 200", status)
		}
		page.AwaitText(".journey .summary", "→ 10 made")
		page.Click(`.journey`)
		for _, step := range []string{
			"POST /checkout 200", "sold", "production order opened", "message published", "message sent", "invocation of stock",
			"production order received", "lot delivered", "goods received",
		} {
			page.AwaitText(".waterfall .step-text", step)
		}
		for _, id := range []string{
			"buyers:buyers", "api:shop", "function:sales-api", "topic:stock_empty", "queue:stock_queue", "function:stock", "factory:factory", "function:stock-increase",
		} {
			if page.Count(".node.on-path"+node(id)) != 1 {
				t.Errorf("the journey's path does not show %s", id)
			}
		}
		for _, id := range []string{
			"buyers:buyers>api:shop", "api:shop>function:sales-api", "function:sales-api>topic:stock_empty", "topic:stock_empty>queue:stock_queue",
			"queue:stock_queue>function:stock", "function:stock>factory:factory", "factory:factory>api:shop", "api:shop>function:stock-increase",
		} {
			if page.Count(`.edge.on-path[data-edge="`+id+`"]`) != 1 {
				t.Errorf("the journey's path does not lead along %s", id)
			}
		}
		page.AwaitText("#stock figure .now", "10 on hand")
		page.AwaitFocused("heading Journey")
		page.Press("\x1b")
		page.AwaitFocused("button POST /checkout 200 → 10 made")
	})

	t.Run("opens a part of the stack from the keyboard", func(t *testing.T) {
		page := browsertest.Open(t, screen, s.Endpoints().Console)
		page.Await(`document.querySelector('` + node("function:setup") + ` [role=button]')?.getAttribute("aria-label").includes("invoked")`)
		page.Focus(node("function:setup") + " [role=button]")
		if got := page.Focused(); !strings.HasPrefix(got, "button Function setup, ") {
			t.Errorf("the part is %q, want a button that says what it is and counts", got)
		}
		page.Press("\r")
		page.AwaitFocused("heading Function setup")
		page.AwaitText("#details .lines", "invocation ended")
		page.Press("\x1b")
		page.AwaitFocused("button Function setup, ")
	})

	t.Run("sends buyers to the shop", func(t *testing.T) {
		sku := s.sell(t, product{stock: 5, manual: true})
		page := browsertest.Open(t, screen, s.Endpoints().Console)
		sendBuyers(page, sku, 10)
		page.AwaitText("#rush-status", "10 buyers came: 5 bought, 5 were refused")
	})

	t.Run("shows a dead letter with why, and sends it back", func(t *testing.T) {
		s.impatient(t)
		t.Cleanup(func() {
			if err := s.Factory.SetFault(factory.Fault{}); err != nil { // of a test that ended before
				t.Error(err)
			}
		})
		sku := s.sell(t, product{stock: 1})
		s.execute(t, `UPDATE product SET lead_time = 86400 WHERE sku = ?`, sku) // its message must not expire on a busy machine
		page := browsertest.Open(t, screen, s.Endpoints().Console)
		page.AwaitText("#factory-fault", "works as it should")
		page.Click(`[data-fault="fails"]`)
		page.AwaitText("#factory-fault", "answers 503")
		s.buy(t, sku)
		page.AwaitText("#dead .why", "503 Service Unavailable")
		page.AwaitText("#dead .why", "stock, ")
		page.Await(fmt.Sprintf("document.querySelector(%s).textContent === '1'", browser.Quote(node("dead-letter-queue:stock_queue_dlq")+" .badge")))
		page.Click(`[data-fault="works"]`)
		page.AwaitText("#factory-fault", "works as it should")
		page.Click("#redrives button")
		page.AwaitText("#redrive-result", "1 message of stock_queue_dlq went back")
		page.Await(`document.querySelector("#dead").children.length === 0`)
		page.Await(`[...document.querySelectorAll(".journey .summary")].filter((made) => made.innerText.includes("→ 10 made")).length === 2`) // with the one above
	})
}

// sendBuyers fills in the form of the rush and sends it.
func sendBuyers(page *browsertest.Page, sku string, buyers int) {
	page.Await(fmt.Sprintf(`document.querySelector("#rush-sku option[value='%s']")`, sku))
	browsertest.Evaluate[bool](page, fmt.Sprintf(`(document.querySelector("#rush-sku").value = %q,
		document.querySelector("#rush-buyers").value = %d, document.querySelector("#rush-seconds").value = 1, true)`, sku, buyers))
	page.Click("#rush-start")
}

// testAccessible holds the console against the rules of accessibility, with a journey and with a part of the stack open. Without, the page shows
// less, and nothing else. A check takes seconds: light and dark, wide and narrow are checked once each.
func testAccessible(t *testing.T, s *shop) {
	s.buy(t, "CP-502102")
	for _, visitor := range []browser.Visitor{screen, browser.Phone.In("en").InTheDark()} {
		name := fmt.Sprintf("%d pixels, dark %t", visitor.Width, visitor.Dark)
		t.Run(name, func(t *testing.T) {
			page := browsertest.Open(t, visitor, s.Endpoints().Console)
			page.AwaitText(".journey .summary", "POST /checkout 200")
			page.Await(`document.querySelectorAll("#events tr").length > 0 && document.querySelector("#factory:not([hidden])")`)
			page.Click(".journey")
			page.AwaitText(".waterfall .step-text", "sold")
			page.CheckAccessibility()
			browsertest.Evaluate[bool](page, `(location.hash = "#node=function:sales-api", true)`)
			page.AwaitText("#details .lines", "sold")
			page.CheckAccessibility()
			if wide := browsertest.Evaluate[int](page, "document.documentElement.scrollWidth"); wide > int(visitor.Width) {
				t.Errorf("the page is %d pixels wide on a screen of %d", wide, visitor.Width)
			}
		})
	}
}

// testKeyboard goes through the console with the Tab key.
func testKeyboard(t *testing.T, s *shop) {
	page := browsertest.Open(t, screen, s.Endpoints().Console)
	page.AwaitText(".journey .summary", "POST /checkout 200")
	// The list of events scrolls, and would have moved on meanwhile.
	browsertest.Evaluate[bool](page, `(document.querySelector("#events-level").value = 3, document.querySelector("#events-level").dispatchEvent(new Event("change")))`)
	page.Await(`document.querySelectorAll("#events tr").length === 0`)
	order := page.KeyboardOrder()
	last := -1
	for _, stop := range []string{"link Skip to the journeys", "button Buyers buyers", "button HTTP API shop", "button Function stock-increase", "button Database", "combobox Show", "spinbutton Buyers", "button Send them in", "button Works", "button Pause"} {
		at := slices.IndexFunc(order, func(s string) bool { return strings.HasPrefix(s, stop) })
		if at <= last {
			t.Errorf("Tab stops at %q in place %d, want it after place %d of %q", stop, at, last, order)
		}
		last = at
	}
}

// testPolicy tries what the console's Content-Security-Policy is there to prevent. That the page loads nothing from elsewhere, and does nothing
// that its policy forbids, is held by every test that opens it.
func testPolicy(t *testing.T, s *shop) {
	page := browsertest.Open(t, screen, s.Endpoints().Console)
	page.AwaitText("#connection", "Live")
	inline := browsertest.Evaluate[[]string](page, `[...document.querySelectorAll("*")].flatMap((element) =>
		element.getAttributeNames().filter((name) => name.startsWith("on") || name === "style").map(() => element.outerHTML.slice(0, 80)))`)
	if len(inline) > 0 {
		t.Errorf("the page has inline handlers or styles: %q", inline)
	}
	for attack, problem := range map[string]string{
		`const script = document.createElement("script"); script.textContent = "window.broken = true"; document.body.append(script)`: "script-src",
		`document.body.setAttribute("onclick", "window.broken = true"); document.body.click()`:                                       "script-src",
		`const style = document.createElement("style"); style.textContent = "body { display: none }"; document.body.append(style)`:   "style-src",
		`new Image().src = "data:image/gif;base64,R0lGODlhAQABAAAAACw="`:                                                             "img-src",
		`fetch("http://127.0.0.1:1/").catch(() => {})`:                                                                               "connect-src",
		`const frame = document.createElement("iframe"); frame.src = "/"; document.body.append(frame)`:                               "default-src",
	} {
		browsertest.Evaluate[bool](page, "(() => { "+attack+"; return true; })()")
		page.AwaitProblem(problem)
	}
	page.Expect("Content Security Policy") // some are told twice
	if broken := browsertest.Evaluate[bool](page, "window.broken === true"); broken {
		t.Error("a script that is not the page's own has run")
	}
}
