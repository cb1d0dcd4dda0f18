package browser_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"restock/cmd/local/factory"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// screen is a developer's screen. It is wide enough for the whole diagram.
var screen = browser.Visitor{Languages: "en", Width: 1440, Height: 1000}

// buy buys one piece of a product and returns the HTTP status.
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

// giveUpFast makes stock_queue move a message to the dead-letter queue after 2 receives, a second
// apart, until the test ends or calls restore. It changes the running queue, because the run
// refuses to start with a visibility timeout that is shorter than the function's timeout.
func (s *shop) giveUpFast(tb testing.TB) (restore func()) {
	tb.Helper()
	queues := sqs.New(sqs.Options{
		Region: s.Region(), BaseEndpoint: aws.String(s.Endpoints().AWS),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	url, err := queues.GetQueueUrl(tb.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("stock_queue")})
	if err != nil {
		tb.Fatal(err)
	}
	const (
		visibility = types.QueueAttributeNameVisibilityTimeout
		redrive    = types.QueueAttributeNameRedrivePolicy
	)
	got, err := queues.GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{visibility, redrive},
	})
	if err != nil {
		tb.Fatal(err)
	}
	set := func(ctx context.Context, timeout, policy string) {
		if _, err := queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
			QueueUrl: url.QueueUrl, Attributes: map[string]string{string(visibility): timeout, string(redrive): policy},
		}); err != nil {
			tb.Error(err)
		}
	}
	timeout, policy := got.Attributes[string(visibility)], got.Attributes[string(redrive)]
	set(tb.Context(), "1", strings.Replace(policy, `"maxReceiveCount":5`, `"maxReceiveCount":2`, 1))
	restore = sync.OnceFunc(func() { set(context.Background(), timeout, policy) })
	tb.Cleanup(restore)
	return restore
}

// openConsole opens the console of the shared run, for a test that does not look at the list of
// events. The list has only errors: drawing the events of all tests would cost more than the test.
func openConsole(tb testing.TB, v browser.Visitor, address string) *browsertest.Page {
	tb.Helper()
	page := browsertest.Open(tb, v, address)
	browsertest.Evaluate[bool](page, `(
		document.querySelector("#events-level").value = 3,
		document.querySelector("#events-level").dispatchEvent(new Event("change")))`)
	return page
}

// node returns the CSS selector of a node of the diagram.
func node(id string) string { return `[data-node="` + id + `"]` }

// TestConsole does not run in parallel with other tests: it breaks the factory, and it counts
// journeys.
func TestConsole(t *testing.T) {
	s := openShop(t)

	t.Run("is accessible", func(t *testing.T) { testAccessible(t, s) })
	t.Run("draws the stack", func(t *testing.T) { testPicture(t, s) })

	t.Run("has a strict policy", func(t *testing.T) {
		page := browsertest.Open(t, screen, s.Endpoints().Console)
		page.AwaitText("#connection", "Live")
		const image = `new Image().src = "data:image/gif;base64,R0lGODlhAQABAAAAACw="`
		checkPolicy(t, page, attack{script: image, directive: "img-src"})
	})

	// The order matters: the dead letter comes last, because it leaves the factory broken for a
	// while.
	t.Run("shows the journey of a purchase to the goods receipt", func(t *testing.T) {
		sku := s.sell(t, product{stock: 1, automatic: true})
		page := openConsole(t, screen, s.Endpoints().Console)
		page.AwaitText("#connection", "Live")
		if status := s.buy(t, sku); status != http.StatusOK {
			t.Fatalf("buying the last piece: got status %d, want 200", status)
		}
		page.AwaitText(".journey .summary", "→ 10 received")
		page.Click(`.journey`)
		for _, step := range []string{
			"POST /checkout 200", "sold", "production order opened", "message published", "message sent",
			"invocation of stock", "production order received", "lot delivered", "goods received",
		} {
			page.AwaitText(".waterfall .step-text", step)
		}
		for _, id := range []string{
			"callers:buyers", "api:shop", "function:sales-api", "topic:stock_empty", "queue:stock_queue",
			"function:stock", "factory:factory", "function:stock-increase",
		} {
			page.Await(element(".node.on-path" + node(id)))
		}
		for _, id := range []string{
			"callers:buyers>api:shop", "api:shop>function:sales-api", "function:sales-api>topic:stock_empty",
			"topic:stock_empty>queue:stock_queue", "queue:stock_queue>function:stock",
			"function:stock>factory:factory", "factory:factory>api:shop",
			"api:shop>queue:deliveries_queue", "queue:deliveries_queue>function:stock-increase",
		} {
			page.Await(element(`.edge.on-path[data-edge="` + id + `"]`))
		}
		page.AwaitText("#stock figure .now", "10 on hand")
		page.AwaitFocused("heading Journey")
		page.Press("\x1b")
		page.AwaitFocused("button 1 × ")
	})

	t.Run("opens a part of the stack from the keyboard", func(t *testing.T) {
		page := openConsole(t, screen, s.Endpoints().Console)
		button := node("function:setup") + " [role=button]"
		page.Await(element(button) + `?.getAttribute("aria-label").includes("invoked")`)
		page.Focus(button)
		if got := page.Focused(); !strings.HasPrefix(got, "button Function setup, ") {
			t.Errorf("got the name %q, want a button with the name of the function", got)
		}
		page.Press("\r")
		page.AwaitFocused("heading Function setup")
		page.AwaitText("#details .lines", "invocation ended")
		page.Press("\x1b")
		page.AwaitFocused("button Function setup, ")
	})

	t.Run("sends buyers to the shop", func(t *testing.T) {
		sku := s.sell(t, product{stock: 5})
		page := openConsole(t, screen, s.Endpoints().Console)
		sendBuyers(page, sku, 10)
		page.AwaitText("#rush-status", "10 buyers came: 5 bought, 5 were refused (sold out), 0 were throttled")
	})

	t.Run("shows the stock", func(t *testing.T) { testStock(t, s) })

	t.Run("shows a dead letter with its cause, and redrives it", func(t *testing.T) {
		restore := s.giveUpFast(t)
		t.Cleanup(func() {
			if err := s.Factory.SetFault(factory.Fault{}); err != nil { // the test may have failed before
				t.Error(err)
			}
		})
		sku := s.sell(t, product{stock: 1, automatic: true})
		// The message must not expire on a busy machine.
		s.execute(t, `UPDATE product SET lead_time = 86400 WHERE sku = ?`, sku)
		page := openConsole(t, screen, s.Endpoints().Console)
		page.AwaitText("#factory-fault", "works")
		page.Click(`[data-fault="fails"]`)
		page.AwaitText("#factory-fault", "answers 503")
		s.buy(t, sku)
		page.AwaitText("#dead .why", "503 Service Unavailable")
		page.AwaitText("#dead .why", "stock, ")
		page.Click("#dead .opened summary")
		page.AwaitText("#dead .opened .body", "production_order_id")
		page.CheckAccessibility("#dead")
		page.Await(element(node("dead-letter-queue:stock_queue_dlq")+" .badge") + ".textContent === '1'")
		page.Click(node("dead-letter-queue:stock_queue_dlq"))
		page.AwaitText("#details .messages .why", "503 Service Unavailable")
		page.AwaitText("#details .messages .why", "stock, ")
		page.AwaitText("#details .messages .facts", "received ")
		browsertest.Evaluate[bool](page, `(document.querySelector("#fault-count").value = 4, true)`)
		page.Click(`[data-fault="short"]`)
		page.AwaitText("#factory-fault", "4")
		restore() // on a busy machine the function may need more than a second
		page.Click("#redrives button")
		page.AwaitText("#redrive-result", "1 message of stock_queue_dlq went back")
		page.Await(`document.querySelector("#dead").children.length === 0`)
		page.AwaitText(".journey .summary", "→ 10 ordered → 4 received")
		page.AwaitText("#lots .step-name", "delivered (4 of 10)")
	})
}

// sendBuyers starts a rush of buyers with the console's form.
func sendBuyers(page *browsertest.Page, sku string, buyers int) {
	page.Await(fmt.Sprintf(`document.querySelector("#rush-sku option[value='%s']")`, sku))
	browsertest.Evaluate[bool](page, fmt.Sprintf(`(
		document.querySelector("#rush-sku").value = %q,
		document.querySelector("#rush-buyers").value = %d,
		document.querySelector("#rush-seconds").value = 1,
		true)`, sku, buyers))
	page.Click("#rush-start")
}

// testAccessible checks the accessibility of the console, with a journey and with a part of the
// stack open. It checks the whole page in each of these states once, because that takes seconds. It
// checks what a state changes on each screen and in each colour scheme.
func testAccessible(t *testing.T, s *shop) {
	s.buy(t, "CP-502102")
	changed := []string{"#picture", "#journeys", "#details"}
	for _, test := range []struct {
		visitor       browser.Visitor
		journey, part []string // what is checked of the states; nil: the whole page
	}{
		{screen, nil, changed},
		{browser.Phone.In("en").InTheDark(), changed, nil},
	} {
		visitor := test.visitor
		name := fmt.Sprintf("%d pixels, dark %t", visitor.Width, visitor.Dark)
		t.Run(name, func(t *testing.T) {
			page := browsertest.Open(t, visitor, s.Endpoints().Console)
			page.AwaitText(".journey .summary", " sold")
			page.Await(`document.querySelector("#events tr") && document.querySelector("#factory:not([hidden])")`)
			page.Click(".journey")
			page.AwaitText(".waterfall .step-text", "sold")
			page.CheckAccessibility(test.journey...)
			browsertest.Evaluate[bool](page, `(location.hash = "#node=function:sales-api", true)`)
			page.AwaitText("#details .lines", "sold")
			page.AwaitText("#details .small-plots", "Longest duration at most ") // it has no value now
			page.CheckAccessibility(test.part...)
			width := browsertest.Evaluate[int64](page, "document.documentElement.scrollWidth")
			if width > visitor.Width {
				t.Errorf("the page is %d pixels wide, want at most the screen's %d", width, visitor.Width)
			}
		})
	}
}

// testPicture checks the picture of the stack, and the Tab stops, which begin there.
func testPicture(t *testing.T, s *shop) {
	page := openConsole(t, screen, s.Endpoints().Console)

	t.Run("has its Tab stops in reading order", func(t *testing.T) { testKeyboard(t, page.In(t)) })

	t.Run("cuts long names so that they differ", func(t *testing.T) {
		page := page.In(t)
		queue := node("queue:deliveries_queue") + " .title"
		dead := node("dead-letter-queue:deliveries_queue_dlq") + " .title"
		page.Await(element(queue))
		const text = `document.querySelector(%q).textContent`
		a := browsertest.Evaluate[string](page, fmt.Sprintf(text, queue))
		b := browsertest.Evaluate[string](page, fmt.Sprintf(text, dead))
		if a == b || !strings.HasSuffix(b, "_dlq") {
			t.Errorf("got %q and %q, want them to differ", a, b)
		}
	})

	t.Run("cuts long labels of edges", func(t *testing.T) {
		page := page.In(t)
		edge := `[data-edge="api:shop>function:sales-api"]` // its label has all routes of the function
		page.Await(element(edge))
		browsertest.Evaluate[bool](page, element(edge)+`.dispatchEvent(new MouseEvent("mouseenter"))`)
		page.Await(element(".label rect"))
		width := browsertest.Evaluate[float64](page, element(".label rect")+`.getBoundingClientRect().width`)
		if most := 334.0; width > most {
			t.Errorf("the label is %v pixels wide, want at most %v", width, most)
		}
	})
}

// testKeyboard checks the order of the console's Tab stops.
func testKeyboard(t *testing.T, page *browsertest.Page) {
	page.AwaitText(".journey .summary", " sold")
	// openConsole hides the list of events, which would scroll during the test.
	page.Await(`document.querySelectorAll("#events tr").length === 0`)
	order := page.KeyboardOrder()
	last := -1
	for _, stop := range []string{
		"link Skip to the journeys", "button Callers buyers", "button HTTP API shop",
		"button Function stock-increase", "button Database", "combobox Show", "spinbutton Buyers",
		"button Start the rush", "button Works", "button Pause",
	} {
		at := slices.IndexFunc(order, func(s string) bool { return strings.HasPrefix(s, stop) })
		if at <= last {
			t.Errorf("Tab stops at %q in place %d, want it after place %d of %q", stop, at, last, order)
		}
		last = at
	}
}

// testStock checks what the panel says about products. Each part looks at a product of its own.
func testStock(t *testing.T, s *shop) {
	page := openConsole(t, screen, s.Endpoints().Console)
	page.AwaitText("#connection", "Live")

	t.Run("says when an order is expected, late and overdue", func(t *testing.T) {
		page := page.In(t)
		sku := s.sell(t, product{})
		browsertest.Evaluate[bool](page, `(location.hash = "q=`+sku+`", true)`) // the panel shows searched products
		s.order(t, sku, time.Hour)
		page.AwaitText("#stock .order", "Expected at ")
		s.execute(t, `UPDATE production_order JOIN product USING (product_id)
			SET asked_at = asked_at - INTERVAL lead_time SECOND WHERE sku = ?`, sku)
		page.AwaitText("#stock .order", "Late: expected at ")
		page.AwaitText("#stock .order", "The message of the request has expired. The sweep asks again after ")
		s.execute(t, `UPDATE production_order JOIN product USING (product_id)
			SET opened_at = opened_at - INTERVAL 3 * lead_time SECOND, asks = 2 WHERE sku = ?`, sku)
		page.AwaitText("#stock .order", "Overdue: expected at ")
		page.AwaitText("#stock .order", "The factory was asked 2 times. The sweep asks again after ")
		page.CheckAccessibility("#stock")
	})

	t.Run("says that buyers wait for each other", func(t *testing.T) {
		page := page.In(t)
		sku := s.sell(t, product{stock: 5})
		s.execute(t, `UPDATE product SET waited_at = UTC_TIMESTAMP(6) WHERE sku = ?`, sku)
		browsertest.Evaluate[bool](page, `(location.hash = "q=`+sku+`", true)`)
		page.AwaitText("#stock .bins", "it has 1 bin. More bins may help: shop set --ready FILE "+sku+" --bins 8")
		page.AwaitText("#stock-shop", "make shop installs it. FILE is the file of this run's flag -ready.")
		page.CheckAccessibility("#stock")
	})

	t.Run("lists the products that have no plot", func(t *testing.T) {
		page := page.In(t)
		for range 7 {
			s.sell(t, product{stock: 5})
		}
		page.Await(`/^[\d,]+ more products?$/.test(document.querySelector("#plots-more summary").textContent)`)
		page.Click("#plots-more summary")
		page.AwaitText("#plots-more li", " on hand")
		// A click searches the product: then it has a plot.
		clicked := browsertest.Evaluate[string](page, `(() => {
			const button = document.querySelector("#plots-more button");
			const name = button.textContent;
			button.click();
			return name;
		})()`)
		page.Await(fmt.Sprintf(`[...document.querySelectorAll("#plots .name")]
			.some((name) => name.textContent === %q)`, clicked))
		page.CheckAccessibility("#stock")
	})

	t.Run("draws at most one point of a second", func(t *testing.T) {
		page := page.In(t)
		sku := s.sell(t, product{stock: 5})
		browsertest.Evaluate[bool](page, `(location.hash = "q=`+sku+`", true)`)
		figure := fmt.Sprintf(`[...document.querySelectorAll("#plots figure")]
			.find((figure) => figure.querySelector(".name").textContent === %q)`, nameOf(sku))
		page.Await(figure)
		browsertest.Evaluate[bool](page, fmt.Sprintf(tenSeconds, sku))
		page.Await(figure + `?.querySelector(".scale").textContent.endsWith("most 199")`)
		const heights = `.querySelector(".series-stock").getAttribute("d").match(/V[\d.]+/g)).size`
		if got := browsertest.Evaluate[int](page, "new Set("+figure+heights); got > 11 {
			t.Errorf("the plot of ten seconds shows %d stocks, want one of each second and the stock of before", got)
		}
	})
}

// tenSeconds is a script: in ten seconds, the page gets a hundred updates, each with another stock
// of a product, from 100 to 199.
const tenSeconds = `import("/store.js").then(({ merge, state }) => {
	const { now } = Date;
	const begin = Math.floor(now() / 1000 - 10) * 1000;
	for (let i = 0; i < 100; i++) {
		Date.now = () => begin + 100 * i;
		const products = state.stock.products.map((p) => (p.sku === %q ? { ...p, stock: 100 + i } : p));
		merge({ panels: { stock: { ...state.stock, series: undefined, products } } });
	}
	Date.now = now;
	return true;
})`
