package browser_test

import (
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

	"restock/infra/graph"
	"restock/local/browser"
	"restock/local/browser/browsertest"
	"restock/local/run"
)

// screen is a developer's: the whole stack is drawn from left to right.
var screen = browser.Visitor{Languages: "en", Width: 1440, Height: 1000}

// openConsole returns a shop of the test's own, with a console.
func openConsole(tb testing.TB, edit func(*run.Config)) *shop {
	tb.Helper()
	browsertest.Require(tb)
	c := config()
	c.Console = "127.0.0.1:0"
	if edit != nil {
		edit(&c)
	}
	s, err := startShop(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.close(); err != nil {
			tb.Errorf("closing the shop: %v", err)
		}
	})
	return s
}

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

// impatient makes stock_queue give up after two receives a second apart. It does so once the run has started, for Lambda takes no queue whose
// visibility timeout is shorter than its function's timeout.
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
	const redrive = types.QueueAttributeNameRedrivePolicy
	got, err := queues.GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{redrive}})
	if err != nil {
		tb.Fatal(err)
	}
	policy := strings.Replace(got.Attributes[string(redrive)], `"maxReceiveCount":5`, `"maxReceiveCount":2`, 1)
	_, err = queues.SetQueueAttributes(tb.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url.QueueUrl, Attributes: map[string]string{
		string(types.QueueAttributeNameVisibilityTimeout): "1", string(redrive): policy,
	}})
	if err != nil {
		tb.Fatal(err)
	}
}

// node selects a node of the picture.
func node(id string) string { return `[data-node="` + id + `"]` }

func TestConsole(t *testing.T) {
	t.Parallel()
	s := openConsole(t, nil)

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
		if got := page.Focused(); got != "heading Journey" {
			t.Errorf("after a click on a journey %q has the focus, want its heading", got)
		}
		page.Press("\x1b")
		if got := page.Focused(); !strings.HasPrefix(got, "button POST /checkout 200 → 10 made") {
			t.Errorf("after Escape %q has the focus, want the journey's button", got)
		}
	})

	t.Run("opens a part of the stack from the keyboard", func(t *testing.T) {
		page := browsertest.Open(t, screen, s.Endpoints().Console)
		page.Await(`document.querySelector('` + node("function:setup") + ` [role=button]')?.getAttribute("aria-label").includes("invoked")`)
		page.Focus(node("function:setup") + " [role=button]")
		if got := page.Focused(); !strings.HasPrefix(got, "button Function setup, ") {
			t.Errorf("the part is %q, want a button that says what it is and counts", got)
		}
		page.Press("\r")
		page.AwaitText("#details-title", "Function setup")
		page.AwaitText("#details .lines", "invocation ended")
		page.Press("\x1b")
		if got := page.Focused(); !strings.HasPrefix(got, "button Function setup, ") {
			t.Errorf("after Escape %q has the focus, want the part's button", got)
		}
	})

	t.Run("stays responsive in a rush of 5,000 buyers", func(t *testing.T) {
		sku := s.sell(t, product{stock: 50, manual: true})
		page := browsertest.Open(t, screen, s.Endpoints().Console)
		page.Await(fmt.Sprintf(`document.querySelector("#rush-sku option[value='%s']")`, sku))
		browsertest.Evaluate[bool](page, fmt.Sprintf(`(document.querySelector("#rush-sku").value = %q,
			document.querySelector("#rush-buyers").value = 5000, document.querySelector("#rush-seconds").value = 5, true)`, sku))
		page.Click("#rush-start")
		page.AwaitText("#rush-result", "of 5,000")
		page.Click(node("function:sales-api"))
		page.AwaitText("#details-title", "Function sales-api")
		page.AwaitText("#details .lines", "refused")
		if got := page.Text("#rush-start"); got != "Call them off" {
			t.Errorf("the rush is over (%q) before the page answers to a click", got)
		}
		page.AwaitText("#rush-status", "5,000 buyers came: 50 bought")
		page.AwaitText("#stream", "not shown here: too many at once")
		// However much happens, the document is bounded.
		if lines := page.Count("#events tr"); lines > 300 {
			t.Errorf("the page lists %d events, want at most 300", lines)
		}
		if elements := page.Count("*"); elements > 8000 {
			t.Errorf("the page has %d elements after the rush, want at most 8000", elements)
		}
	})

	t.Run("shows a dead letter with why, and sends it back", func(t *testing.T) {
		s.impatient(t)
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
		page.AwaitText(".journey .summary", "→ 10 made")
	})
}

func TestConsoleShowsADenialWhereItHappened(t *testing.T) {
	t.Parallel()
	s := openConsole(t, func(c *run.Config) {
		c.Unchecked = true
		c.Edit = func(g *graph.Graph) {
			for _, r := range g.OfType("aws:iam/rolePolicy:RolePolicy") {
				if r.Name == "sales-api" {
					r.Outputs["policy"] = strings.ReplaceAll(r.String("policy"), "sns:Publish", "sns:GetTopicAttributes")
				}
			}
		}
	})
	sku := s.sell(t, product{stock: 1})
	page := browsertest.Open(t, screen, s.Endpoints().Console)
	page.AwaitText("#connection", "Live")
	s.buy(t, sku)
	page.AwaitText("#denials", "missing: Allow sns:Publish on arn:aws:sns:ap-northeast-2:000000000000:stock_empty")
	page.AwaitText("#denials", "as a grant beside STOCK_EMPTY_TOPIC")
	page.Await(`document.querySelector('[data-edge="function:sales-api>topic:stock_empty"].denied')`)
	if got := page.Count(".lock"); got != 1 {
		t.Errorf("the picture has %d locks, want one on the edge that is denied", got)
	}
	page.CheckAccessibility()
}

// testAccessible holds the console against the rules of accessibility, with nothing, a journey and a part of the stack open.
func testAccessible(t *testing.T, s *shop) {
	s.buy(t, "CP-502102")
	for _, visitor := range []browser.Visitor{screen, screen.InTheDark(), browser.Phone.In("en")} {
		name := fmt.Sprintf("%d pixels, dark %t", visitor.Width, visitor.Dark)
		t.Run(name, func(t *testing.T) {
			page := browsertest.Open(t, visitor, s.Endpoints().Console)
			page.AwaitText(".journey .summary", "POST /checkout 200")
			page.Await(`document.querySelectorAll("#events tr").length > 0 && document.querySelector("#factory:not([hidden])")`)
			page.CheckAccessibility()
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
		page.Expect(problem)
		browsertest.Evaluate[bool](page, "(() => { "+attack+"; return true; })()")
	}
	page.Expect("Content Security Policy") // some are told twice
	if broken := browsertest.Evaluate[bool](page, "window.broken === true"); broken {
		t.Error("a script that is not the page's own has run")
	}
}
