package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/local/view/console"
	"restock/local/view/events"
	"restock/test/browser"
	"restock/test/browser/browsertest"
)

// An operated run is a console of a topic t, its queue q and the dead-letter queue dlq.
type operated struct {
	fakeRun
	q, dlq *sqs.Queue
}

// startOperated starts a run with two dead letters, first and second, and two schedules.
func startOperated(t *testing.T) (o operated) {
	t.Helper()
	o.fakeRun = startFakeRun(t, http.NotFoundHandler())
	const region, account = "eu-central-1", "000000000000"
	queues := sqs.New(sqs.Config{Region: region, AccountID: account}, o.log.With("part", "sqs"))
	t.Cleanup(queues.Close)
	create := func(c sqs.QueueConfig) *sqs.Queue {
		t.Helper()
		q, err := queues.CreateQueue(c)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	o.dlq = create(sqs.NewQueueConfig("dlq"))
	config := sqs.NewQueueConfig("q")
	config.VisibilityTimeout = 0
	config.RedrivePolicy = &sqs.RedrivePolicy{DeadLetterTargetARN: o.dlq.ARN(), MaxReceiveCount: 1}
	o.q = create(config)
	for _, body := range []string{"first", "second"} {
		if _, err := o.q.Send(sqs.SendInput{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second receive is one too many
		o.receive(t)
	}
	topics := sns.New(sns.Config{Region: region, AccountID: account, Queues: queues}, o.log.With("part", "sns"))
	topic, err := topics.CreateTopic(sns.TopicConfig{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topic.Subscribe(sns.SubscriptionConfig{QueueARN: o.q.ARN(), RawMessageDelivery: true}); err != nil {
		t.Fatal(err)
	}
	drawn := func(kind, name, arn string) console.Node {
		return console.Node{ID: console.NodeID(kind, name), Kind: kind, Label: name, Name: name, ARN: arn}
	}
	err = o.console.Run(console.Stack{
		Graph: console.Graph{
			Nodes: []console.Node{
				drawn(console.KindSchedule, "minute", ""), drawn(console.KindTopic, "t", topic.ARN()),
				drawn(console.KindQueue, "q", o.q.ARN()), drawn(console.KindDeadLetterQueue, "dlq", o.dlq.ARN()),
			},
			Edges: []console.Edge{
				{ID: "topic:t>queue:q", From: "topic:t", To: "queue:q"},
				{ID: "queue:q>dead-letter-queue:dlq", From: "queue:q", To: "dead-letter-queue:dlq"},
			},
		},
		Topics: []*sns.Topic{topic}, Queues: []*sqs.Queue{o.q, o.dlq},
		PassTime: func(context.Context) console.Passed { return console.Passed{Schedules: 2, Messages: 1} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// receive receives all messages of q. They stay visible.
func (o operated) receive(t *testing.T) {
	t.Helper()
	all := sqs.ReceiveOptions{MaxMessages: 10, Wait: new(time.Duration)}
	if _, err := o.q.Receive(t.Context(), all); err != nil {
		t.Fatal(err)
	}
}

func TestConsoleOperatesQueuesTopicsAndSchedules(t *testing.T) {
	t.Parallel()
	o := startOperated(t)
	page := browsertest.Open(t, screen, o.url)
	page.AwaitText("#connection", "Live")
	page.Click("#time button")
	page.AwaitText("#time .result", "2 schedules ran, and 1 message became visible in its queue.")

	page.Click(node("topic:t"))
	page.AwaitText("#details-title", "Topic t")
	page.Click(".send summary")
	page.Click(".send .buttons button:not(.primary)")
	page.AwaitFocused("textbox Attribute")
	page.Press("size")
	browsertest.Evaluate[bool](page, `(() => {
		document.querySelector("#send-body").value = "to the topic";
		document.querySelector(".send [name=type]").value = "Number";
		document.querySelector(".send [name=value]").value = "3";
		return true;
	})()`)
	page.CheckAccessibility("#details")
	page.Click(".send button.primary")
	page.AwaitText(".send .result", "Sent: message ")
	sent := o.q.Peek(9)
	if len(sent) != 1 || sent[0].Body != "to the topic" || sent[0].Attributes["size"].StringValue != "3" ||
		sent[0].Attributes["size"].DataType != "Number" {
		t.Errorf("the topic's queue has %+v, want the message with its attribute", sent)
	}
	page.AwaitText(".journey .summary", "message published by a person")

	page.Click(node("dead-letter-queue:dlq"))
	page.AwaitText("#details-title", "Dead-letter queue dlq")
	page.Await(`document.querySelectorAll("#details .messages > li").length === 2`)
	page.Click("#details .messages > li .opened summary")
	page.AwaitText("#details .messages .body", "first")
	page.AwaitText("#details .messages .why", "The reason is not known")
	page.CheckAccessibility("#details")
	redrive := `#details .messages > li [aria-label^="Redrive"]`
	page.Click(redrive)
	page.AwaitText("#details .result", "went back to its source queue.")
	page.Await(`document.querySelectorAll("#details .messages > li").length === 1`)
	page.Click("#details .messages .danger")
	page.AwaitFocused("button Delete this message")
	page.Press("\r")
	page.AwaitText("#details .result", "was deleted from dlq.")
	page.Await(`document.querySelectorAll("#details .messages > li").length === 0`)
	if left := o.dlq.Peek(9); len(left) > 0 {
		t.Errorf("the dead-letter queue has %+v", left)
	}

	page.Click(node("queue:q"))
	page.AwaitText("#details-title", "Queue q")
	page.AwaitText("#details .small-plots", "Age of the oldest message")
	page.Await(`document.querySelectorAll("#details .messages > li").length === 2`)
	page.Click("#details .node-panel > div .danger")
	page.AwaitFocused("button Delete all messages")
	page.Press("\r")
	page.AwaitText("#details .node-panel > div .result", "2 messages deleted.")
}

// TestConsoleShowsWhatAFunctionMayDo takes the way of a person who does not know the page.
func TestConsoleShowsWhatAFunctionMayDo(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, visitor := range []browser.Visitor{screen, browser.Phone.In("en").InTheDark()} {
		page := openConsole(t, visitor, s.Endpoints().Console)
		page.AwaitText("#connection", "Live")
		page.Await(element(node("function:stock")))
		page.Click(node("function:stock"))
		page.AwaitText("#details-title", "Function stock")
		if visitor.Touch { // the details are far below the picture
			page.Await(`((top) => top >= 0 && top < innerHeight / 2)(
				document.querySelector("#details").getBoundingClientRect().top)`)
		}
		for _, text := range []string{"sqs:ReceiveMessage", "on stock_queue", "secretsmanager:GetSecretValue"} {
			page.AwaitText("#details .may", text)
		}
		page.Await(`document.querySelectorAll("#details .small-plots figure").length === 5`)
		page.Await(`document.querySelectorAll("#details .small-plots svg[aria-label]").length === 5`)
		browsertest.Evaluate[bool](page, `(() => {
			for (const part of document.querySelectorAll("#details section > details")) part.open = true;
			return true;
		})()`)
		page.AwaitText("#details section", "CALLBACK_KEY_SECRET")
		page.AwaitText("#details section", "lambdas/stock")
		page.AwaitText("#details section", "infra/stack/function.go:")
		page.CheckAccessibility("#details")
		if got := browsertest.Evaluate[int64](page, "document.documentElement.scrollWidth"); got > visitor.Width {
			t.Errorf("the page is %d pixels wide, want at most the screen's %d", got, visitor.Width)
		}
		browsertest.Evaluate[bool](page, `(location.hash = "node=function:sales-api", true)`)
		page.AwaitText("#details .may", "if Null lambda:SourceFunctionArn false")
	}
}

// TestConsoleSaysWhichRequestSoldTheLastPiece takes the way of a person who does not know the page.
func TestConsoleSaysWhichRequestSoldTheLastPiece(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sku := s.sell(t, product{stock: 2})
	page := openConsole(t, screen, s.Endpoints().Console)
	page.AwaitText("#connection", "Live")
	figure := fmt.Sprintf(`[...document.querySelectorAll("#stock figure")]
		.find((f) => f.querySelector(".name")?.innerText === %q)`, nameOf(sku))
	browsertest.Evaluate[bool](page, `(location.hash = "q=" + `+browser.Quote(sku)+`, true)`)
	for range 2 {
		if status := s.buy(t, sku); status != http.StatusOK {
			t.Fatalf("buying: got status %d, want 200", status)
		}
	}
	last := journeyOf(nameOf(sku) + " sold, the last piece; nobody orders it: it is not automatic")
	page.Await(last)
	browsertest.Evaluate[bool](page, "("+last+".click(), true)")
	page.AwaitText(".waterfall .step-text", "POST /checkout 200")
	page.AwaitText(".waterfall", "stock 0")

	// The panel of the product says it too, and has a link to the same journey.
	browsertest.Evaluate[bool](page, `(location.hash = "q=" + `+browser.Quote(sku)+`, true)`)
	page.Await(figure + `?.querySelector(".manual").innerText ===
		"Not ordered automatically. To order it: shop open --ready FILE ` + sku + `"`)
	page.Await(figure + `?.querySelector(".sold").innerText.includes(" by POST /checkout 200")`)
	page.Await(`document.querySelector("#details").hidden`)
	browsertest.Evaluate[bool](page, "("+figure+`.querySelector(".sold button").click(), true)`)
	page.AwaitText(".journey-name", "sold, the last piece")
	page.AwaitText(".waterfall .step-text", "POST /checkout 200")

	// A click on the product's name searches its SKU.
	browsertest.Evaluate[bool](page, `(location.hash = "q=" + `+browser.Quote(strings.ToLower(sku))+`, true)`)
	page.Await(figure)
	browsertest.Evaluate[bool](page, "("+figure+`.querySelector(".name").click(), true)`)
	page.Await(`document.querySelector("#search").value === ` + browser.Quote(sku))
	page.Await(last)
	page.CheckAccessibility("#stock", "#journeys")
}

// TestConsoleSearchesWords searches words that are in different places of a line.
func TestConsoleSearchesWords(t *testing.T) {
	t.Parallel()
	m := startFakeRun(t, http.NotFoundHandler())
	log := m.log.With("part", "lambda")
	log.Info(`{"message":"sold","sku":"CP-1","a":1,"b":2,"c":3,"d":4,"stock":0,"correlation_id":"R"}`,
		events.FunctionLine.Attr(), "function", "sales-api")
	log.Info(`{"message":"sold","sku":"CP-2","stock":7,"took":"1.503ms"}`, events.FunctionLine.Attr(), "function",
		"sales-api")
	page := browsertest.Open(t, screen, m.url)
	page.AwaitText("#events", "CP-2")
	for search, events := range map[string]int{"sold cp-1": 1, `"stock 0"`: 1, "503": 0} {
		browsertest.Evaluate[bool](page, fmt.Sprintf(`(location.hash = "q=" + encodeURIComponent(%q), true)`, search))
		page.AwaitText("#events-shown", fmt.Sprintf("of %d found", events))
		page.Await(fmt.Sprintf(`document.querySelectorAll("#events tr").length === %d`, events))
		if search == `"stock 0"` { // the line shows why it was found
			page.AwaitText("#events .brief", "stock 0")
		}
	}
}

func TestConsoleHasTheAddressesToCopy(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	page := openConsole(t, screen, s.Endpoints().Console)
	page.AwaitText("#endpoints a", "Shop")
	browsertest.Evaluate[bool](page, `(() => {
		navigator.clipboard.writeText = async (text) => { window.copied = text; };
		// The button says "Copied" until the test ends, however slow the test is.
		const later = window.setTimeout;
		window.setTimeout = (f, ms, ...rest) => ms === 2000 ? 0 : later(f, ms, ...rest);
		return true;
	})()`)
	page.Click("#endpoints .copy")
	page.AwaitText("#copied", "Copied: the address of Shop")
	page.AwaitText("#endpoints .copy", "Copied")
	page.Await(fmt.Sprintf("copied === %q", s.Endpoints().API))
	page.Click("#cli summary")
	page.AwaitText("#cli-exports", "AWS_ENDPOINT_URL="+s.Endpoints().AWS)
	page.AwaitText("#cli-exports", "AWS_DEFAULT_REGION="+s.Region())
	page.CheckAccessibility("#endpoints", "#cli")
	page.Click("#cli .copy")
	page.Await(`copied === document.querySelector("#cli-exports").textContent`)
}
