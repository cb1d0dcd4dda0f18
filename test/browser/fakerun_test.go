package browser_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"restock/cmd/local/factory"
	"restock/cmd/local/panels"
	"restock/local/view/console"
	"restock/local/view/events"
	"restock/test/browser/browsertest"
)

// A fakeRun is a real console without a run behind it. The console shows the events that the test
// logs, so the test decides their order on any machine.
type fakeRun struct {
	url     string
	console *console.Console
	log     *slog.Logger
}

// startFakeRun starts a console that shows buyers, an API, a function and a topic. The buyers of a
// rush call the handler shop. The products are those of the shared shop.
func startFakeRun(t *testing.T, shop http.Handler) fakeRun {
	t.Helper()
	s := openShop(t)
	records := events.NewStream[events.Event](1 << 16)
	log := slog.New(events.NewHandler(records, slog.LevelDebug))
	all := panels.New(log.With("part", "console"), func() *factory.Factory { return nil })
	c := console.New(console.Config{
		Program: "shop", Stage: "dev", Records: records, Log: log.With("part", "console"),
		Panels: all, Business: panels.Business(all),
	})
	served := httptest.NewServer(c)
	t.Cleanup(func() {
		c.Close() // ends the event streams: the server waits for them
		served.Close()
	})
	api := httptest.NewServer(shop)
	t.Cleanup(api.Close)
	err := c.Run(console.Stack{
		Graph: console.Graph{
			Nodes: []console.Node{
				{ID: "callers:buyers", Kind: console.KindCallers, Label: "buyers", Name: "buyers"},
				{ID: "api:shop", Kind: console.KindAPI, Label: "shop", Name: "shop"},
				{ID: "function:sales-api", Kind: console.KindFunction, Label: "sales-api", Name: "sales-api"},
				{ID: "topic:stock_empty", Kind: console.KindTopic, Label: "stock_empty", Name: "stock_empty",
					Service: "sns"},
			},
			Edges: []console.Edge{
				{ID: "callers:buyers>api:shop", From: "callers:buyers", To: "api:shop"},
				{ID: "api:shop>function:sales-api", From: "api:shop", To: "function:sales-api"},
			},
			Routes: map[string]string{"POST /checkout": "function:sales-api"},
		},
		Endpoints: map[string]string{"api": api.URL}, DSN: s.Endpoints().DSN,
	})
	if err != nil {
		t.Fatal(err)
	}
	return fakeRun{served.URL, c, log}
}

// logBurst logs more events at once than the console sends to a page.
func (m fakeRun) logBurst() {
	log := m.log.With("part", "lambda")
	for range 5000 {
		log.Info(`{"message":"refused"}`, events.FunctionLine.Attr(), "function", "sales-api")
	}
}

func TestConsoleStaysResponsiveInARush(t *testing.T) {
	t.Parallel()
	const buyers, sold, answeredAtOnce = 1500, 50, 1000
	var mu sync.Mutex
	came := 0
	responded := make(chan struct{}) // closed when the page has responded to a click
	m := startFakeRun(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		came++
		who := came
		mu.Unlock()
		if who > answeredAtOnce {
			<-responded // so that the rush cannot end before
		}
		if who > sold {
			w.WriteHeader(http.StatusConflict)
		}
	}))
	var once sync.Once
	release := func() { once.Do(func() { close(responded) }) }
	t.Cleanup(release) // before the servers are closed: they wait for all answers

	sku := openShop(t).sell(t, product{stock: sold})
	page := browsertest.Open(t, screen, m.url)
	number := func(n int) string { // as the console writes it: 1,500
		return browsertest.Evaluate[string](page, fmt.Sprintf(`(%d).toLocaleString("en")`, n))
	}
	sendBuyers(page, sku, buyers)
	page.AwaitText("#rush-result", number(answeredAtOnce)+" of "+number(buyers))
	// The stream drops events if more than 200 come in a second. On a busy machine, one burst may
	// be too slow for that. The page has time to say it before the next one.
	const dropped = `document.querySelector("#stream").innerText.includes("not shown here: too many at once")`
	const saysSo = `new Promise((resolve) => {
		let checks = 0;
		const check = () => {
			const is = ` + dropped + `;
			if (is || ++checks === 100) resolve(is);
			else setTimeout(check, 30);
		};
		check();
	})`
	for said := false; !said; said = browsertest.Evaluate[bool](page, saysSo) {
		m.logBurst()
	}
	// The page counts what it does not show, by part and by second.
	page.AwaitText("#run-parts", "sales-api")
	page.AwaitText("#events", "in this second, not shown: too many at once")
	page.Click(node("function:sales-api"))
	page.AwaitText("#details-title", "Function sales-api")
	page.AwaitText("#details .lines", "refused")
	if got := page.Text("#rush-start"); got != "Stop the rush" {
		t.Errorf("the button says %q during the rush, want Stop the rush", got)
	}
	release()
	page.AwaitText("#rush-status", fmt.Sprintf("%s buyers came: %d bought, %s were refused",
		number(buyers), sold, number(buyers-sold)))
	// The size of the document is limited.
	if lines := page.Count("#events tr"); lines > 300 {
		t.Errorf("the page lists %d events, want at most 300", lines)
	}
	if elements := page.Count("*"); elements > 8000 {
		t.Errorf("the page has %d elements after the rush, want at most 8000", elements)
	}
	// A reload does not forget what was not shown.
	page.Reload()
	page.Await(dropped)
	page.AwaitText("#run-parts", "sales-api")
}

func TestConsoleSaysWhyBuyersAreThrottled(t *testing.T) {
	t.Parallel()
	const busy = "all 21 instances of sales-api are busy (setting concurrency.sales-api)"
	var m fakeRun
	var came atomic.Int64
	m = startFakeRun(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		id := fmt.Sprint("request-", came.Add(1))
		w.Header().Set("Apigw-Requestid", id)
		m.console.Throttled(id, busy) // as the API does before it answers
		m.log.With("part", "api").Warn("api request", events.APIRequest.Attr(), "method", "POST", "path", "/checkout",
			"route", "POST /checkout", "status", http.StatusServiceUnavailable, "request_id", id, "throttled", busy)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	sku := openShop(t).sell(t, product{stock: 1})
	page := browsertest.Open(t, screen, m.url)
	sendBuyers(page, sku, 3)
	page.AwaitText("#rush-status", "3 buyers came: 0 bought, 0 were refused, 3 were throttled, 0 failed.")
	page.AwaitText("#rush-result", "throttled")
	page.AwaitText("#rush-of", sku) // the form has its defaults after a reload
	if !browsertest.Evaluate[bool](page, `document.querySelector("#rush-status").classList.contains("warned")`) {
		t.Error("the result of a rush whose buyers were throttled looks like a success")
	}
	page.AwaitText("#rush-reasons", "3 throttled: "+busy)
	// The part that ran short says so, and not the API. The journeys are one line.
	page.AwaitText(".journey", ", throttled: "+busy)
	page.AwaitText(".journey .facts", "and 2 like it")
	page.AwaitText("#events .brief", "throttled: "+busy)
	page.Await(element(node("function:sales-api")+" .badge") + ".textContent === '3'")
	if page.Count(node("api:shop")+".failing") > 0 {
		t.Error("the API has a badge, although it passed all requests on")
	}
	page.Click(node("function:sales-api"))
	page.AwaitText("#details .small-plots", "Throttled 3")
	page.AwaitText("#details .throttles", "3 throttled: "+busy)
	// The next rush does not hide it.
	sendBuyers(page, sku, 1)
	page.AwaitText("#rush-status", "1 buyer came")
	page.Click("#rush-earlier summary")
	page.AwaitText("#rush-list", "3 buyers came")
	page.AwaitText("#rush-list", "3 throttled: "+busy)
	page.CheckAccessibility("#details", "#rush")
}

// After a restart, another process answers at the page's address. The page may connect before that
// process has a picture, and the runs number their events alike.
func TestConsoleFollowsARestart(t *testing.T) {
	t.Parallel()
	var serving atomic.Pointer[console.Console]
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serving.Load().ServeHTTP(w, r)
	}))
	t.Cleanup(served.Close)
	begin := func(message string) *console.Console {
		records := events.NewStream[events.Event](16)
		log := slog.New(events.NewHandler(records, slog.LevelDebug))
		c := console.New(console.Config{Program: "shop", Stage: "dev", Records: records, Log: log})
		t.Cleanup(func() { c.Close() }) // ends the event streams: the server waits for them
		log.Info(message)
		serving.Store(c)
		return c
	}
	topic := func(name string) console.Graph {
		return console.Graph{Nodes: []console.Node{
			{ID: "topic:" + name, Kind: console.KindTopic, Label: name, Name: name, Service: "sns"},
		}}
	}

	before := begin("of the run before")
	before.Draw(topic("before"))
	page := browsertest.Open(t, screen, served.URL)
	page.AwaitText("#events", "of the run before")
	page.Await(element(node("topic:before")))
	after := begin("of the run after")
	before.Close()
	page.AwaitText("#events", "of the run after")
	if text := page.Text("#events"); strings.Contains(text, "of the run before") {
		t.Errorf("the list of events has events of the run before: %s", text)
	}
	if page.Count(node("topic:before")) == 0 {
		t.Error("the picture is gone before there is another")
	}
	after.Draw(topic("after"))
	page.Await(element(node("topic:after")))
	if page.Count(node("topic:before")) > 0 {
		t.Error("the picture has a topic of the run before")
	}
}

// The page may hear of a rush's end before it gets the answer to the request that started it.
func TestConsoleKeepsTheOutcomeOfARushThatEndsBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	m := startFakeRun(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	sku := openShop(t).sell(t, product{stock: 1})
	page := browsertest.Open(t, screen, m.url)
	browsertest.Evaluate[bool](page, `(
		window.released = new Promise((release) => (window.release = release)),
		window.ask = window.fetch,
		window.fetch = async (path, options) => {
			const answer = await window.ask(path, options);
			if (options?.method !== "POST") return answer;
			const body = await answer.json();
			await window.released;
			return { ok: answer.ok, json: async () => body };
		},
		true)`)
	sendBuyers(page, sku, 1)
	const outcome = "1 buyer came: 1 bought"
	page.AwaitText("#rush-status", outcome)
	// A timer runs after the page has handled the answer.
	browsertest.Evaluate[bool](page, `(window.release(), new Promise((done) => setTimeout(done, 0, true)))`)
	if got := page.Text("#rush-status"); !strings.Contains(got, outcome) {
		t.Errorf("after the answer the page says %q, want %s", got, outcome)
	}
}

// The console reads the products once a second, so it may learn of a product after its sale. No
// event comes then.
func TestConsoleNamesJourneysByTheCurrentProducts(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	m := startFakeRun(t, http.NotFoundHandler())
	page := browsertest.Open(t, screen, m.url)
	page.AwaitText("#connection", "Live")
	sku := s.sell(t, product{stock: 1})
	m.log.With("part", "lambda").Info(fmt.Sprintf(
		`{"event":"sale_made","message":"sold","sku":%q,"quantity":1,"stock":0,"correlation_id":"R"}`, sku),
		events.FunctionLine.Attr(), "function", "sales-api")
	last := journeyOf(nameOf(sku) + " sold, the last piece")
	page.Await(last)
	browsertest.Evaluate[bool](page, "("+last+".click(), true)")
	page.AwaitText(".journey-name", nameOf(sku)+" sold, the last piece")
	s.execute(t, `UPDATE product SET name = ? WHERE sku = ?`, "new "+sku, sku)
	s.count(t, sku, 0)
	for _, name := range []string{"#journeys .summary", ".journey-name"} {
		page.AwaitText(name, "new "+sku+" sold, the last piece; nobody orders it: it is not automatic")
	}
}

func TestConsoleShowsADenialWhereItHappened(t *testing.T) {
	t.Parallel()
	m := startFakeRun(t, http.NotFoundHandler())
	page := browsertest.Open(t, screen, m.url)
	page.AwaitText("#connection", "Live")
	const topic = "arn:aws:sns:ap-northeast-2:000000000000:stock_empty"
	// Package iam logs such an event. The diagram has no edge for it, because it shows only allowed
	// calls.
	m.log.With("part", "iam").Warn("access denied", events.AccessDenied.Attr(), "function", "sales-api",
		"principal", "arn:aws:sts::000000000000:assumed-role/sales-api/sales-api",
		"action", "sns:Publish", "resource", topic, "missing", "Allow sns:Publish on "+topic,
		"declared_in", "lambdas/environment.go, as a grant beside STOCK_EMPTY_TOPIC")
	page.AwaitText("#denials", "missing: Allow sns:Publish on "+topic)
	page.AwaitText("#denials", "as a grant beside STOCK_EMPTY_TOPIC")
	page.Await(`document.querySelector('[data-edge="function:sales-api>topic:stock_empty"].denied')`)
	if got := page.Count(".lock"); got != 1 {
		t.Errorf("the diagram has %d locks, want one, on the denied edge", got)
	}
	page.CheckAccessibility("#denials")
}

// drawAfterHistory makes the page draw exactly after each event of the browser's history. It
// records whether the details were then open without the focus.
const drawAfterHistory = `(() => {
	const frames = [];
	window.requestAnimationFrame = (draw) => frames.push(draw);
	window.openedWithoutFocus = [];
	for (const event of ["popstate", "hashchange"]) {
		addEventListener(event, () => {
			for (const draw of frames.splice(0)) draw(performance.now());
			const open = !document.querySelector("#details").hidden;
			if (open && document.activeElement.id !== "details-title") openedWithoutFocus.push(event);
		});
	}
	return true;
})()`

// A user who sees the details may press Escape at once. Without the focus, the details would not
// close.
func TestConsoleFocusesTheDetailsWhenItOpensThem(t *testing.T) {
	t.Parallel()
	page := browsertest.Open(t, screen, startFakeRun(t, http.NotFoundHandler()).url)
	page.AwaitText("#connection", "Live")
	page.Await("document.querySelector(`" + node("function:sales-api") + " [role=button]`)")
	browsertest.Evaluate[bool](page, drawAfterHistory)
	page.Focus(node("function:sales-api") + " [role=button]")
	page.Press("\r")
	page.AwaitFocused("heading Function sales-api")
	if got := browsertest.Evaluate[[]string](page, "openedWithoutFocus"); len(got) > 0 {
		t.Errorf("the details were open without the focus after %q", got)
	}
}
