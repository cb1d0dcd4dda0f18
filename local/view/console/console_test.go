package console_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"restock/local/aws/sqs"
	"restock/local/view/console"
	"restock/local/view/console/consoletest"
	"restock/local/view/events"
	"restock/test/await"
)

func newHarness(t *testing.T) *consoletest.Harness {
	t.Helper()
	return consoletest.New(t, picture(), nil)
}

// picture has a queue with its dead-letter queue, a function, an API and its buyers.
func picture() console.Graph {
	g := console.Graph{Nodes: []console.Node{
		{ID: "callers:buyers", Kind: console.KindCallers, Name: "buyers"},
		{ID: "api:shop", Kind: console.KindAPI, Name: "shop"},
		{ID: "function:stock", Kind: console.KindFunction, Name: "stock"},
		{ID: "queue:q", Kind: console.KindQueue, Name: "q", ARN: "arn:aws:sqs:eu:0:q"},
		{ID: "dead-letter-queue:dlq", Kind: console.KindDeadLetterQueue, Name: "dlq", ARN: "arn:aws:sqs:eu:0:dlq"},
		{ID: "factory:factory", Kind: console.KindFactory, Name: "factory"},
	}}
	for _, e := range [][2]string{
		{"callers:buyers", "api:shop"}, {"queue:q", "function:stock"}, {"queue:q", "dead-letter-queue:dlq"},
	} {
		g.Edges = append(g.Edges, console.Edge{ID: console.EdgeID(e[0], e[1]), From: e[0], To: e[1]})
	}
	return g
}

func TestJourneysAndNodesAreFoundByEscapedIDs(t *testing.T) {
	h := newHarness(t)
	h.Log.With("part", "lambda").Info(`{"message":"sold","correlation_id":"/HH+tFTd="}`, events.FunctionLine.Attr(),
		"function", "stock")
	var list []console.JourneySummary
	await.Until(t, "there is a journey", func() bool {
		h.Get(t, "/journeys", &list)
		return len(list) == 1
	})
	var journey console.Journey
	status := h.Get(t, "/journeys/%2FHH%2BtFTd%3D", &journey)
	if status != 200 || journey.ID != "/HH+tFTd=" || len(journey.Steps) != 1 {
		t.Errorf("got %d %+v", status, journey)
	}
	var lines console.NodeLines
	if status = h.Get(t, "/nodes/function:stock", &lines); status != 200 || len(lines.Lines) != 1 {
		t.Errorf("got %d %+v", status, lines)
	}
	for _, path := range []string{"/journeys/nowhere", "/nodes/function:nobody", "/nothing.js", "/..%2fgo.mod"} {
		var refused struct{ Error string }
		if status := h.Get(t, path, &refused); status != 404 || refused.Error == "" {
			t.Errorf("%s: got %d %+v, want 404 with an error", path, status, refused)
		}
	}
}

// queues returns a queue and its dead-letter queue.
func queues(t *testing.T) (q, dlq *sqs.Queue) {
	t.Helper()
	return queuesOf(t, sqs.New(sqs.Config{Region: "eu", AccountID: "0"}, slog.New(slog.DiscardHandler)))
}

func queuesOf(t *testing.T, service *sqs.Service) (q, dlq *sqs.Queue) {
	t.Helper()
	t.Cleanup(service.Close)
	config := sqs.NewQueueConfig("dlq")
	dlq, err := service.CreateQueue(config)
	if err != nil {
		t.Fatal(err)
	}
	config = sqs.NewQueueConfig("q")
	config.VisibilityTimeout = 0
	config.RedrivePolicy = &sqs.RedrivePolicy{DeadLetterTargetARN: dlq.ARN(), MaxReceiveCount: 1}
	if q, err = service.CreateQueue(config); err != nil {
		t.Fatal(err)
	}
	return q, dlq
}

func TestADeadLetterHasItsErrorAndCanBeRedriven(t *testing.T) {
	h := newHarness(t)
	q, dlq := queues(t)
	if err := h.Console.Run(console.Stack{Graph: picture(), Queues: []*sqs.Queue{q, dlq}}); err != nil {
		t.Fatal(err)
	}
	body := `{"Type":"Notification","Subject":"도너츠 재고 부족","Message":"{}"}`
	id, err := q.Send(sqs.SendInput{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	noWait := time.Duration(0)
	for range 2 { // the second receive moves the message to the dead-letter queue
		if _, err := q.Receive(t.Context(), sqs.ReceiveOptions{Wait: &noWait}); err != nil {
			t.Fatal(err)
		}
	}
	line := `{"level":"ERROR","message":"record failed","message_id":%q,"error":"the factory answered 503",` +
		`"correlation_id":"R"}`
	h.Log.With("part", "lambda").Error(fmt.Sprintf(line, id), events.FunctionLine.Attr(), "function", "stock")
	h.Log.With("part", "eventsource").Warn("message failed: it comes back after the visibility timeout",
		events.MessageFailed.Attr(), "function", "stock", "queue", "q", "message", id)

	var state struct {
		DeadLetters []console.Message `json:"dead_letters"`
		Counters    map[string]map[string]int
	}
	await.Until(t, "the state says why the message failed", func() bool {
		h.Get(t, "/state", &state)
		return len(state.DeadLetters) == 1 && state.DeadLetters[0].Why != nil && state.DeadLetters[0].Journey == "R"
	})
	got := state.DeadLetters[0]
	if got.ID != id || got.Queue != "dlq" || got.Subject != "도너츠 재고 부족" || got.Body.Text != body ||
		got.Why.Function != "stock" || got.Why.Error != "the factory answered 503" {
		t.Errorf("got %+v, why %+v", got, got.Why)
	}
	if n := state.Counters["dead-letter-queue:dlq"]["visible"]; n != 1 {
		t.Errorf("the dead-letter queue has %d messages, want 1", n)
	}

	var moved struct{ Moved int }
	if status := h.Post(t, "/redrive", `{"queue":"dlq"}`, &moved); status != 200 || moved.Moved != 1 {
		t.Errorf("redrive: got %d %+v", status, moved)
	}
	await.Until(t, "the message is back in its queue", func() bool {
		return q.Counts().Visible == 1 && dlq.Counts().Visible == 0
	})
	for _, c := range []struct {
		queue, want string
		status      int
	}{
		{"q", "must be configured as a Dead Letter Queue", 409},
		{"nowhere", "no queue", 404},
	} {
		var refused struct{ Error string }
		status := h.Post(t, "/redrive", fmt.Sprintf(`{"queue":%q}`, c.queue), &refused)
		if status != c.status || !strings.Contains(refused.Error, c.want) {
			t.Errorf("redrive %s: got %d %+v, want %d: %q", c.queue, status, refused, c.status, c.want)
		}
	}
}

func TestThePanelsSayWhatDeadLettersMean(t *testing.T) {
	h := consoletest.New(t, picture(), func(*slog.Logger) []console.Panel {
		return []console.Panel{{Name: "silent"}, {
			Name:     "loud",
			Messages: func(bodies []string) string { return "They are " + strings.Join(bodies, "+") + "." },
			Obsolete: func(body string) bool { return body == "b" },
		}}
	})
	q, dlq := queues(t)
	if err := h.Console.Run(console.Stack{Graph: picture(), Queues: []*sqs.Queue{q, dlq}}); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"a", "b"} {
		if _, err := q.Send(sqs.SendInput{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	noWait := time.Duration(0)
	for range 2 { // the second receive moves the messages to the dead-letter queue
		if _, err := q.Receive(t.Context(), sqs.ReceiveOptions{MaxMessages: 10, Wait: &noWait}); err != nil {
			t.Fatal(err)
		}
	}
	var state struct {
		DeadLetters []console.Message `json:"dead_letters"`
		LettersMean string            `json:"letters_mean"`
	}
	await.Until(t, "both are dead letters", func() bool {
		h.Get(t, "/state", &state)
		return len(state.DeadLetters) == 2
	})
	if state.DeadLetters[0].Obsolete || !state.DeadLetters[1].Obsolete {
		t.Errorf("got %+v, want that only the second is obsolete", state.DeadLetters)
	}
	if state.DeadLetters[0].About != "They are a." || state.LettersMean != "They are a+b." {
		t.Errorf("got %q of the first letter, %q of both", state.DeadLetters[0].About, state.LettersMean)
	}
	var done struct {
		Moved int
		About string
	}
	if status := h.Post(t, "/redrive", `{"queue":"dlq"}`, &done); status != 200 || done.Moved != 2 ||
		done.About != "They are a+b." {
		t.Errorf("redrive: got %d %+v, want 2 messages and what they mean", status, done)
	}
}
