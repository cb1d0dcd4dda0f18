package console

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// sellout logs the events of the sale that empties the stock, from the buyer's request to the goods
// receipt, as a run logs them.
func sellout(o *observed, n int) {
	id := func(what string) string { return fmt.Sprintf("%s%d", what, n) }
	line := func(function, message, invocation, more string) {
		text := fmt.Sprintf(`{"level":"INFO","event":%q,"message":%q,"requestId":%q%s}`,
			strings.ReplaceAll(message, " ", "_"), message, invocation, more)
		o.part("lambda").Info(text, events.FunctionLine.Attr(), "function", function, "stream", "stdout")
	}
	correlated := fmt.Sprintf(`,"correlation_id":%q,"production_order":%q,"quantity":100`, id("R"), id("O"))
	body := envelope(id("S"), id("O"), id("R"))

	line("sales-api", "sold", id("L1-"), fmt.Sprintf(`,"correlation_id":%q`, id("R")))
	line("sales-api", "production order opened", id("L1-"), correlated)
	o.info("sns", events.MessagePublished, "topic", "stock_empty", "message", id("S"), "function", "sales-api",
		"trace_id", id("T1-"))
	o.debug("sqs", events.MessageSent, "queue", "stock_queue", "message", id("M"), "sender", "sns.amazonaws.com",
		"body", body)
	o.debug("sns", events.MessageDelivered, "topic", "stock_empty", "queue", "stock_queue", "message", id("S"),
		"queue_message", id("M"))
	line("sales-api", "production order published", id("L1-"), correlated)
	o.info("lambda", events.InvocationEnded, "function", "sales-api", "request_id", id("L1-"), "trace_id", id("T1-"),
		"duration", time.Millisecond, "api_request_id", id("R"))
	o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout", "status", 200,
		"duration", time.Millisecond, "request_id", id("R"))

	callback := "http://127.0.0.1:1/receipts/" + id("O")
	o.info("factory", events.FactoryOrderReceived, "lot", id("F"), "callback", callback, "correlation_id", id("R"))
	line("stock", "factory asked", id("L2-"), correlated)
	o.info("lambda", events.InvocationEnded, "function", "stock", "request_id", id("L2-"), "trace_id", id("T2-"),
		"message_ids", id("M"))
	o.debug("eventsource", events.BatchProcessed, "function", "stock", "queue", "stock_queue", "messages", 1,
		"failed", 0, "message_ids", id("M"))
	o.debug("factory", events.FactoryStepDone, "lot", id("F"), "step", "종료")

	line("stock-increase", "goods received", id("L3-"), correlated)
	o.info("lambda", events.InvocationEnded, "function", "stock-increase", "request_id", id("L3-"),
		"trace_id", id("T3-"), "api_request_id", id("C"))
	o.info("api", events.APIRequest, "method", "POST", "path", "/receipts/"+id("O"), "route", "POST /receipts/{order}",
		"status", 200, "request_id", id("C"))
	o.info("factory", events.LotDelivered, "lot", id("F"), "callback", callback, "correlation_id", id("R"),
		"status", 200)
}

// envelope returns a message of the shop in an SNS notification.
func envelope(id, order, correlation string) string {
	message := fmt.Sprintf(`{"production_order_id":%q,"correlation_id":%q}`, order, correlation)
	return fmt.Sprintf(`{"Type":"Notification","MessageId":%q,"Message":%q}`, id, message)
}

// steps returns the texts of a journey's steps, sorted.
func steps(j Journey) []string {
	var texts []string
	for _, s := range j.Steps {
		texts = append(texts, s.Node+" "+s.Text)
	}
	slices.Sort(texts)
	return texts
}

func TestAJourneyGoesFromTheBuyerToTheGoodsReceipt(t *testing.T) {
	t.Run("messages of the run", func(t *testing.T) { followSellout(t, newObserved()) })
	t.Run("reworded messages", func(t *testing.T) {
		o := newObserved()
		o.reworded = true
		followSellout(t, o)
	})
}

func followSellout(t *testing.T, o *observed) {
	t.Helper()
	sellout(o, 1)
	all := len(o.taken(t))
	j, ok := o.journeys.get("R1")
	if !ok || len(j.Steps) != all || j.Summary != "POST /checkout 200" {
		t.Errorf("got %d of %d events, %q", len(j.Steps), all, j.Summary)
	}
	if list := o.journeys.list(); len(list) != 1 {
		t.Errorf("got the journeys %v, want one", list)
	}
	for _, ref := range []string{
		messageRef("M1"), messageRef("S1"), objectRef("production_order", "O1"), objectRef("lot", "F1"),
		requestRef("C1"),
	} {
		if got := o.journeys.of(ref); got != "R1" {
			t.Errorf("%s belongs to %q, want R1", ref, got)
		}
	}
}

func TestTheFactorysCallbackIsNoRequestOfABuyer(t *testing.T) {
	o := newObserved()
	sellout(o, 1)
	o.taken(t)
	if got := o.totals(); got["factory:factory>api:shop"].moved != 1 || got["callers:buyers>api:shop"].moved != 1 {
		t.Errorf("got %v, want one request of the factory and one of the buyers", got)
	}
}

// The host reads lines from a function's pipe, and answers from its socket: the order of their
// events is random.
func TestAJourneyIsTheSameInAnyOrderOfEvents(t *testing.T) {
	all := newObserved()
	sellout(all, 1)
	sellout(all, 2)
	batch, err := all.records.Read(1000)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, r := range batch.Values {
		all.take(r)
	}
	for _, id := range []string{"R1", "R2"} {
		j, _ := all.journeys.get(id)
		want[id] = steps(j)
	}
	for seed := range uint64(500) {
		shuffled := nearly(batch.Values, rand.New(rand.NewPCG(seed, 0)))
		o := newObserved()
		for _, r := range shuffled {
			o.take(r)
		}
		for id, texts := range want {
			j, _ := o.journeys.get(id)
			if got := steps(j); !slices.Equal(got, texts) {
				t.Fatalf("seed %d: %s has the steps\n%s\nwant\n%s\nin the order of events\n%s",
					seed, id, strings.Join(got, "\n"), strings.Join(texts, "\n"), order(shuffled))
			}
		}
	}
}

// nearly shuffles records: it moves each by at most six places.
func nearly(records []events.Event, random *rand.Rand) []events.Event {
	places := make([]int, len(records))
	indexes := make([]int, len(records))
	for i := range records {
		indexes[i], places[i] = i, i+random.IntN(7)
	}
	slices.SortStableFunc(indexes, func(a, b int) int { return places[a] - places[b] })
	var shuffled []events.Event
	for _, i := range indexes {
		shuffled = append(shuffled, records[i])
	}
	return shuffled
}

func order(records []events.Event) string {
	var text strings.Builder
	for _, r := range records {
		fmt.Fprintln(&text, r.Message, r.Attrs)
	}
	return text.String()
}

// The program's own message has the key "message", and a notification of SNS has "Message".
func TestARawMessageBelongsToTheJourneyOfItsObject(t *testing.T) {
	o := newObserved()
	o.part("lambda").Info(`{"message":"production order opened","production_order":"7","correlation_id":"R"}`,
		events.FunctionLine.Attr(), "function", "sales-api")
	o.debug("sqs", events.MessageSent, "queue", "stock_queue", "message", "M",
		"body", `{"message":"please ship","production_order_id":"7"}`)
	o.taken(t)
	if got := o.journeys.of(messageRef("M")); got != "R" {
		t.Errorf("the message belongs to the journey %q, want R", got)
	}
}

func TestMessagesOfABatchBelongToTheirOwnJourneys(t *testing.T) {
	o := newObserved()
	for i := range 2 {
		body := envelope(fmt.Sprint("S", i), fmt.Sprint("O", i), fmt.Sprint("R", i))
		o.debug("sqs", events.MessageSent, "queue", "stock_queue", "message", fmt.Sprint("M", i),
			"sender", "sns.amazonaws.com", "body", body)
	}
	o.part("lambda").Error(`{"level":"ERROR","message":"record failed","requestId":"L","message_id":"M1",`+
		`"error":"503","correlation_id":"R1"}`, events.FunctionLine.Attr(), "function", "stock")
	o.info("lambda", events.InvocationEnded, "function", "stock", "request_id", "L", "message_ids", "M0 M1")
	o.warn("eventsource", events.MessageFailed, "function", "stock", "queue", "stock_queue", "message", "M1",
		"receives", 1)
	o.debug("eventsource", events.BatchProcessed, "function", "stock", "queue", "stock_queue", "messages", 2,
		"failed", 1, "message_ids", "M0 M1")
	// A page asks for its open journey again when it gets such an event.
	for _, e := range o.taken(t) {
		ofBoth := e.Kind == events.InvocationEnded || e.Kind == events.BatchProcessed
		if e.Shared != ofBoth || (e.Journey == "") != ofBoth {
			t.Errorf("%s: the journey is %q, shared %v, want shared %v", e.Message, e.Journey, e.Shared, ofBoth)
		}
	}
	for id, want := range map[string][]string{
		"R0": {"function:stock batch processed", "function:stock invocation of stock",
			"queue:stock_queue message sent"},
		"R1": {"function:stock batch processed", "function:stock invocation of stock", "function:stock message failed",
			"function:stock record failed", "queue:stock_queue message sent"},
	} {
		j, _ := o.journeys.get(id)
		if got := steps(j); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%q, want\n%q", id, got, want)
		}
	}
}

// A sweep handles the orders of many journeys, and opens orders that belong to none.
func TestAJourneyTakesFromASweepOnlyWhatItsOwnOrderIsIn(t *testing.T) {
	o := newObserved()
	line := func(text string) {
		o.part("lambda").Info(`{"requestId":"L",`+text+`}`, events.FunctionLine.Attr(), "function", "sweep")
	}
	for _, id := range []string{"1", "2"} {
		line(fmt.Sprintf(`"message":"production order overdue","correlation_id":"R%s","production_order":"O%[1]s"`, id))
		o.info("sns", events.MessagePublished, "topic", "stock_empty", "message", "S"+id, "function", "sweep",
			"trace_id", "T")
		o.debug("sqs", events.MessageSent, "queue", "stock_queue", "message", "M"+id, "sender", fromTopics,
			"body", envelope("S"+id, "O"+id, "R"+id))
	}
	line(`"message":"production order opened","production_order":"O3","quantity":94`)
	line(`"message":"inspected"`)
	o.info("lambda", events.InvocationEnded, "function", "sweep", "request_id", "L", "trace_id", "T")
	o.taken(t)
	want := []string{
		"function:sweep production order overdue", "queue:stock_queue message sent",
		"topic:stock_empty message published",
	}
	for _, id := range []string{"R1", "R2"} {
		if j, _ := o.journeys.get(id); !slices.Equal(steps(j), want) {
			t.Errorf("%s has the steps\n%q, want\n%q", id, steps(j), want)
		}
	}
}

// The host may read a function's line later than it hears of what the function did then.
func TestAStepIsWhereItsLineSaysThatItHappened(t *testing.T) {
	o := newObserved()
	earlier := time.Now().Add(-time.Second).UTC().Format(time.RFC3339Nano)
	o.info("sns", events.MessagePublished, "topic", "stock_empty", "message", "S")
	line := `{"timestamp":"` + earlier + `","message":"sold","correlation_id":"R"}`
	o.part("lambda").Info(line, events.FunctionLine.Attr(), "function", "sales-api")
	o.debug("sqs", events.MessageSent, "queue", "stock_queue", "message", "M", "body", envelope("S", "O", "R"))
	o.taken(t)
	j, _ := o.journeys.get("R")
	if len(j.Steps) != 3 || j.Steps[0].Text != "sold" || j.Steps[1].AtMS < 1000 {
		t.Errorf("got the steps %+v, want the sale first, a second before the others", j.Steps)
	}
}

// The messages and lines of this program have no correlation id. Its events still form a journey:
// the trace id that the AWS SDK passes on connects them.
func TestATraceIDConnectsEventsWithoutACorrelationID(t *testing.T) {
	o := newObserved()
	o.debug("sqs", events.MessageSent, "queue", "stock_queue", "message", "M", "sender", "AROA:sales-api",
		"function", "sales-api", "body", "hello", "trace_id", "T")
	o.info("lambda", events.FunctionLine, "function", "sales-api", "request_id", "L")
	o.info("lambda", events.InvocationEnded, "function", "sales-api", "request_id", "L", "trace_id", "T",
		"api_request_id", "R")
	o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout", "status", 202,
		"request_id", "R")
	o.info("lambda", events.FunctionLine, "function", "stock", "request_id", "L2")
	o.info("lambda", events.InvocationEnded, "function", "stock", "request_id", "L2", "message_ids", "M")
	all := len(o.taken(t))
	if j, ok := o.journeys.get("R"); !ok || len(j.Steps) != all {
		t.Errorf("got %d of %d steps: %v", len(j.Steps), all, steps(j))
	}
}

// Both requests have a tracing header of their client. Their functions record what they do: then a
// subsegment is the parent of a call.
func TestRequestsOfOneTraceAreJourneysOfTheirOwn(t *testing.T) {
	for name, logs := range map[string]func(published, subsegment, rest func()){
		"the subsegment comes last":  func(published, subsegment, rest func()) { published(); rest(); subsegment() },
		"the subsegment comes first": func(published, subsegment, rest func()) { subsegment(); published(); rest() },
		"the invocation comes first": func(published, subsegment, rest func()) { rest(); subsegment(); published() },
	} {
		o, client := newObserved(), traceid.New(time.Now())
		all := 0
		for _, id := range []string{"R1", "R2"} {
			invocation := client.Child()
			call := invocation.Child()
			logs(func() {
				o.info("sns", events.MessagePublished, "topic", "stock_empty", "message", "M"+id,
					"function", "sales-api", "trace_id", call.Header(), traceid.Attr(call.Child()))
			}, func() {
				o.debug("xray", events.SubsegmentRecorded, "function", "sales-api", "trace_id", invocation.Header(),
					traceid.Attr(call))
			}, func() {
				o.info("lambda", events.InvocationEnded, "function", "sales-api", "request_id", "L"+id,
					"trace_id", invocation.Header(), traceid.Attr(invocation), "api_request_id", id)
				o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "status", 200,
					"request_id", id)
			})
			all += len(o.taken(t))
		}
		for _, id := range []string{"R1", "R2"} {
			if j, _ := o.journeys.get(id); len(j.Steps) != all/2 || o.journeys.of(messageRef("M"+id)) != id {
				t.Errorf("%s: %s has %d of %d steps: %v", name, id, len(j.Steps), all/2, steps(j))
			}
		}
	}
}

func TestARedrivenMessageStaysInItsJourney(t *testing.T) {
	o := newObserved()
	o.debug("sqs", events.MessageSent, "queue", "stock_queue", "message", "M", "sender", "sns.amazonaws.com",
		"body", `{"correlation_id":"R"}`)
	o.warn("sqs", events.MessageDeadLettered, "queue", "stock_queue", "message", "M",
		"dead_letter_queue", "stock_queue_dlq")
	o.debug("sqs", events.MessageRedriven, "queue", "stock_queue_dlq", "message", "M", "queue_message", "N")
	o.taken(t)
	if got := o.journeys.of(messageRef("N")); got != "R" {
		t.Errorf("the redriven message belongs to %q, want R", got)
	}
}

func TestRequestsOfPollingPagesBeginNoJourney(t *testing.T) {
	o := newObserved()
	o.debug("api", events.APIRequest, "method", "GET", "path", "/products", "route", "GET /products", "status", 200,
		"request_id", "R")
	o.taken(t)
	if list := o.journeys.list(); len(list) != 0 {
		t.Errorf("got %v, want no journey", list)
	}
}

func TestJourneysAreBoundedAndJourneysWithAnOrderStay(t *testing.T) {
	o := newObserved()
	sellout(o, 0)
	for i := range 20_000 {
		o.part("lambda").Info(fmt.Sprintf(`{"message":"refused","requestId":"L%d","correlation_id":"B%d"}`, i, i),
			events.FunctionLine.Attr(), "function", "sales-api")
		o.info("lambda", events.InvocationEnded, "function", "sales-api", "request_id", fmt.Sprint("L", i),
			"trace_id", fmt.Sprint("T", i), "api_request_id", fmt.Sprint("B", i))
		o.info("lambda", events.FunctionLine, "function", "sales-api", "request_id", fmt.Sprint("X", i))
		o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "status", 409,
			"request_id", fmt.Sprint("B", i))
		o.taken(t)
	}
	list := o.journeys.list()
	if len(list) != maxListed || !slices.ContainsFunc(list, func(j JourneySummary) bool { return j.ID == "R0" }) {
		t.Errorf("got %d journeys, want %d, with the one that has a production order", len(list), maxListed)
	}
	if list[0].ID != "B19999" {
		t.Errorf("the first is %s, want the newest", list[0].ID)
	}
	s := o.journeys
	for what, sizes := range map[string][2]int{
		"journeys":                  {len(s.byID), maxPlainJourneys + maxNotableJourneys},
		"references":                {len(s.owner), 20 * maxPlainJourneys},
		"shared references":         {len(s.sharers), 20 * maxPlainJourneys},
		"references of held events": {len(s.heldByRef), 3 * maxHeld},
	} {
		if sizes[0] > sizes[1] {
			t.Errorf("%d %s are kept, want at most %d", sizes[0], what, sizes[1])
		}
	}
	if len(s.owner) == 0 {
		t.Error("no reference has an owner")
	}
}

func TestAJourneyIsNoLongerThanItsMaximum(t *testing.T) {
	o := newObserved()
	for i := range 10 * maxSteps {
		o.debug("sqs", events.MessageSent, "queue", "stock_queue", "message", fmt.Sprint("M", i),
			"body", `{"correlation_id":"R"}`)
		o.taken(t)
	}
	j, _ := o.journeys.get("R")
	if len(j.Steps) != maxSteps || len(o.journeys.owner) > 3*maxSteps {
		t.Errorf("got %d steps, %d references; want %d, and at most %d", len(j.Steps), len(o.journeys.owner), maxSteps,
			3*maxSteps)
	}
}

func TestTheNameOfAJourneySaysWhatHappened(t *testing.T) {
	t.Parallel()
	j := &journey{id: "A"}
	product := "CP-1"
	j.add(&Event{trace: trace{request: "A", text: "POST /checkout 200"}})
	says := func(said func(string) string) { j.add(&Event{trace: trace{said: said, notable: true}}) }
	says(func(string) string { return "2 × " + product + " sold" })
	for _, text := range []string{"100 ordered", "100 ordered", "100 received"} {
		says(func(string) string { return text })
	}
	for _, product = range []string{"CP-1", "bread"} { // the program learns the product's name after the sale
		want := "2 × " + product + " sold → 100 ordered → 100 received"
		if got := j.summary(); got.Summary != want || !got.Notable {
			t.Errorf("got %+v, want the name %q", got, want)
		}
	}
	for i := range 100 {
		says(func(string) string { return strings.Repeat("x", i) })
	}
	says(func(before string) string {
		return fmt.Sprint("received, as named: ", strings.Contains(before, "bread"))
	})
	got := j.summary().Summary
	if arrows := strings.Count(got, "→"); arrows > maxSaid || !strings.HasSuffix(got, " → received, as named: true") {
		t.Errorf("a name has %d arrows, and is %q: want a bounded one with its end", arrows, got)
	}
}

// A rush is larger than what the console keeps. The late events of a forgotten journey would begin
// one that is only its end.
func TestTheEndOfAForgottenJourneyIsNoJourney(t *testing.T) {
	o := newObserved()
	buy := func(id string) {
		o.info("lambda", events.FunctionLine, "function", "sales-api", "correlation_id", id)
		o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "status", 200, "request_id", id)
	}
	for i := range maxPlainJourneys + 10 {
		buy(fmt.Sprint("R", i))
	}
	o.info("lambda", events.FunctionLine, "function", "sales-api", "correlation_id", "R3")
	o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "status", 200, "request_id", "R4")
	o.taken(t)
	for _, id := range []string{"R3", "R4"} {
		if j, ok := o.journeys.get(id); ok {
			t.Errorf("the forgotten journey %s is there again: %+v", id, j)
		}
	}
}

func TestAJourneyThatLacksStepsIsNotListed(t *testing.T) {
	o := newObserved()
	line := func(id string, kind events.Kind) {
		o.part("lambda").Info(`{"message":"a line","event":"`+string(kind)+`"}`, events.FunctionLine.Attr(),
			"function", "sales-api", "correlation_id", id)
	}
	answer := func(id string) {
		o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "status", 200, "request_id", id)
	}
	line("complete", "")
	answer("complete")
	line("running", "")
	line("ordered", "production_order_opened")
	o.taken(t)
	o.journeys.lost()
	answer("running")         // its other steps may be lost
	line("end of a lost", "") // its beginning is lost
	line("later", "")
	answer("later")
	o.taken(t)
	got := map[string]bool{}
	for _, j := range o.journeys.list() {
		got[j.ID] = j.Partial
	}
	if want := map[string]bool{"complete": false, "later": false, "ordered": true}; !maps.Equal(got, want) {
		t.Errorf("the list has %v, want %v: true says that steps are missing", got, want)
	}
	if n := o.journeys.incomplete(); n != 2 {
		t.Errorf("%d journeys are left out, want 2", n)
	}
}

func TestAJourneySaysHowManyStepsAreNotKept(t *testing.T) {
	o := newObserved()
	for i := range maxSteps + 7 {
		text := map[int]string{0: "sold", maxSteps + 6: "goods received"}[i]
		o.info("lambda", events.FunctionLine, "function", "sales-api", "correlation_id", "R", "text", text)
	}
	o.taken(t)
	j, _ := o.journeys.get("R")
	if j.Cut != 7 || len(j.Steps) != maxSteps {
		t.Errorf("got %d steps, and %d are not kept; want %d and 7", len(j.Steps), j.Cut, maxSteps)
	}
	first, last := j.Steps[0].Attrs["text"], j.Steps[len(j.Steps)-1].Attrs["text"]
	if first != "sold" || last != "goods received" {
		t.Errorf("the journey goes from %q to %q, want from the sale to the goods", first, last)
	}
}

func TestThrottledRequestsDoNotHideTheOtherJourneys(t *testing.T) {
	o := newObserved()
	o.info("lambda", events.FunctionLine, "function", "sales-api", "correlation_id", "bought")
	o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "status", 200, "request_id", "bought")
	for i := range 2 * maxListed {
		o.warn("api", events.APIRequest, "method", "POST", "path", "/checkout", "status", 503, "request_id",
			fmt.Sprint("T", i), "throttled", "all instances are busy")
	}
	o.taken(t)
	got := o.journeys.list()
	if len(got) != 2 || got[0].Like != 2*maxListed-1 || got[1].ID != "bought" || got[1].Like != 0 {
		t.Errorf("got %+v, want a line of the throttled requests, and the other journey", got)
	}
}
