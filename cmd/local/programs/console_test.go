package programs_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"restock/cmd/local/panels"
	"restock/cmd/local/programs"
	"restock/lambdas/journal"
	"restock/local/view/console"
	"restock/local/view/console/consoletest"
	"restock/local/view/events"
	"restock/test/await"
)

// fetch decodes a document of the console.
func (s *stack) fetch(t *testing.T, path string, into any) {
	t.Helper()
	response, err := http.Get(s.Console + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s got %s (%v)", path, response.Status, err)
	}
}

// journey returns the newest journey with a text in its summary, or nil.
func (s *stack) journey(t *testing.T, summary string) *console.Journey {
	t.Helper()
	var list []console.JourneySummary
	s.fetch(t, "/journeys", &list)
	i := slices.IndexFunc(list, func(j console.JourneySummary) bool { return strings.Contains(j.Summary, summary) })
	if i < 0 {
		return nil
	}
	var j console.Journey
	s.fetch(t, "/journeys/"+url.PathEscape(list[i].ID), &j)
	return &j
}

func TestTheConsoleShowsAPurchaseFromTheBuyerToTheGoodsReceipt(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Console = "127.0.0.1:0"
	s := start(t, c)
	if got := s.buy(t, 3, 1); got[200] != 3 { // the third sells the last one
		t.Fatalf("got %v, want 3 sales", got)
	}
	t.Run("the journey", s.showsThePurchase)
	t.Run("a saved event can be replayed", s.replaysASavedEvent)
}

func (s *stack) showsThePurchase(t *testing.T) {
	var j *console.Journey
	await.Until(t, "the console shows the journey to the goods receipt", func() bool {
		j = s.journey(t, "→ 100 received")
		return j != nil && strings.HasSuffix(j.Summary, " sold, the last piece → 100 ordered → 100 received")
	})
	// Events after the goods receipt are logged a little later.
	for _, want := range []console.Step{
		{Node: "api:shop", Edge: "callers:buyers>api:shop", Kind: events.APIRequest},
		{Node: "function:sales-api", Edge: "api:shop>function:sales-api", Kind: events.InvocationEnded},
		{Node: "function:sales-api", Kind: events.Kind(journal.SaleMade)},
		{Node: "function:sales-api", Kind: events.Kind(journal.OrderOpened)},
		{Node: "topic:stock_empty", Edge: "function:sales-api>topic:stock_empty", Kind: events.MessagePublished},
		{Node: "topic:stock_empty", Edge: "topic:stock_empty>queue:stock_queue", Kind: events.MessageDelivered},
		{Node: "function:stock", Edge: "queue:stock_queue>function:stock", Kind: events.BatchProcessed},
		{Node: "factory:factory", Edge: "function:stock>factory:factory", Kind: events.FactoryOrderReceived},
		{Node: "function:stock", Kind: events.Kind(journal.ProductionRequested)},
		{Node: "factory:factory", Edge: "factory:factory>api:shop", Kind: events.LotDelivered},
		{Node: "queue:deliveries_queue", Edge: "api:shop>queue:deliveries_queue", Kind: events.MessageSent},
		{Node: "function:stock-increase", Kind: events.Kind(journal.GoodsReceived)},
	} {
		await.Until(t, "the journey has the step "+string(want.Kind), func() bool {
			j = s.journey(t, "received")
			return slices.ContainsFunc(j.Steps, func(got console.Step) bool {
				return got.Node == want.Node && got.Edge == want.Edge && got.Kind == want.Kind
			})
		})
	}

	var state struct {
		console.State
		Panels struct{ Stock panels.StockState } `json:"panels"` // hides the field of console.State
	}
	await.Until(t, "the console shows the stock", func() bool {
		s.fetch(t, "/state", &state)
		return slices.ContainsFunc(state.Panels.Stock.Products, func(p panels.Product) bool {
			return p.SKU == "CP-502101" && p.Stock == 100 && p.OnOrder == 0 && p.Status == "available"
		}) && len(state.Panels.Stock.Series) > 0
	})
	invoked := state.Counters["function:sales-api"]["invocations"]
	deleted := state.Counters["queue:stock_queue"]["deleted"]
	if invoked != 3 || deleted != 1 || state.Stream.Dropped != 0 {
		t.Errorf("got %v, %+v", state.Counters, state.Stream)
	}
	ids := map[string]bool{}
	for _, n := range state.Graph.Nodes {
		ids[n.ID] = true
	}
	for _, id := range []string{
		"callers:buyers", "api:shop", "function:setup", "topic:stock_empty", "queue:stock_queue",
		"dead-letter-queue:stock_queue_dlq", "database:database", "secrets:secrets", "schedule:sweep",
		"factory:factory",
	} {
		if !ids[id] {
			t.Errorf("the picture has no node %s", id)
		}
	}
}

// A file with an event has the signature that the console hides, so the replay is accepted.
func (s *stack) replaysASavedEvent(t *testing.T) {
	var lines console.NodeLines
	await.Until(t, "the lot is received", func() bool {
		s.fetch(t, "/nodes/function:stock-increase", &lines)
		return len(lines.Invocations) > 0
	})
	var shown console.InvocationShown
	id := lines.Invocations[0].ID
	s.fetch(t, "/invocations/"+id, &shown)
	if !strings.Contains(shown.Event.Text, `"signature":"(hidden)"`) {
		t.Errorf("the console shows the event %s, want one with a hidden signature", shown.Event.Text)
	}
	var saved struct{ Path, Command string }
	consoletest.Do(t, s.Console, http.MethodPost, "/invocations/"+id+"/save", "{}", &saved)
	path := filepath.Join(projectDir, saved.Path)
	t.Cleanup(func() { _ = os.Remove(path) })
	info, err := os.Stat(path)
	command := "go run ./cmd/local invoke -event " + saved.Path + " -aws "
	if err != nil || info.Mode().Perm() != 0o600 || !strings.HasPrefix(saved.Command, command) {
		t.Fatalf("got %+v, %v, %v; want a file that only the user can read", saved, info, err)
	}
	event, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var again struct{ ID string }
	body := `{"function":"stock-increase","event":` + string(event) + `}`
	if status := consoletest.Do(t, s.Console, http.MethodPost, "/invocations", body, &again); status != http.StatusOK {
		t.Fatalf("the replay got %d %+v", status, again)
	}
	s.fetch(t, "/invocations/"+again.ID, &shown)
	if shown.Error != "" || shown.Answer.Text != `{"batchItemFailures":null}` {
		t.Errorf("the replay answered %+v", shown)
	}
	await.Until(t, "the replay is the same callback again", func() bool {
		s.fetch(t, "/nodes/function:stock-increase", &lines)
		return slices.ContainsFunc(lines.Lines, func(e *console.Event) bool {
			return e.Kind == events.Kind(journal.GoodsReceivedAgain)
		})
	})
	if stock := s.number(t, donutStock); stock != 100 {
		t.Errorf("after the replay the stock is %d, want 100", stock)
	}
}

// The tutorial's functions log no correlation ids. The trace id connects the events of their
// messages.
func TestTheConsoleShowsAProgramWithoutCorrelationIDs(t *testing.T) {
	t.Parallel()
	c := privateConfig(t)
	c.Program = programs.Tutorial()
	c.Console = "127.0.0.1:0"
	r, err := programs.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("closing the run: %v", err)
		}
	})
	s := &stack{Run: r, Endpoints: r.Endpoints()} // the tutorial has no database
	response, err := http.Post(s.API+"/messages", "application/json", strings.NewReader(`{"input": 1}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	await.Until(t, "the message's journey leads to the consumer", func() bool {
		j := s.journey(t, "POST /messages")
		isConsumer := func(step console.Step) bool { return step.Node == "function:consumer" }
		return j != nil && slices.ContainsFunc(j.Steps, isConsumer)
	})
	var state console.State
	s.fetch(t, "/state", &state)
	if len(state.Panels) != 0 || state.Program != "tutorial" {
		t.Errorf("got the panels %v of %s, want none", state.Panels, state.Program)
	}
}
