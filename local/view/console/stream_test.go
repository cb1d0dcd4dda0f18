package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/local/view/console"
	"restock/local/view/console/consoletest"
	"restock/local/view/events"
	"restock/test/await"
)

// A message is a server-sent event.
type message struct {
	id, name string
	data     json.RawMessage
}

// listen reads the stream of messages until ctx ends.
func listen(ctx context.Context, t *testing.T, h *consoletest.Harness, query, lastEventID string) <-chan message {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("got %s, %s", response.Status, got)
	}
	all := make(chan message, 1<<16)
	go func() {
		defer close(all)
		defer response.Body.Close()
		lines, e := bufio.NewScanner(response.Body), message{}
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = json.RawMessage(value)
			case "":
				if e.name != "" {
					all <- e
				}
				e = message{}
			}
		}
	}()
	return all
}

// until reads messages until found returns true.
func until(t *testing.T, from <-chan message, what string, found func(message) bool) {
	t.Helper()
	timeout := time.After(await.Limit)
	for {
		select {
		case e, more := <-from:
			if !more {
				t.Fatalf("the stream has ended before %s", what)
			}
			if found(e) {
				return
			}
		case <-timeout:
			t.Fatalf("timeout: waited for %s", what)
		}
	}
}

// awaitEvents waits until the console has a number of events.
func awaitEvents(t *testing.T, h *consoletest.Harness, number uint64) {
	t.Helper()
	await.Until(t, fmt.Sprintf("the console has %d events", number), func() bool {
		var state struct{ Stream console.StreamState }
		h.Get(t, "/state", &state)
		return state.Stream.Events == number
	})
}

func decoded[T any](t *testing.T, e message) (v T) {
	t.Helper()
	if err := json.Unmarshal(e.data, &v); err != nil {
		t.Fatalf("%s: %v", e.data, err)
	}
	return v
}

func TestTheStreamSendsEventsFlowsAndState(t *testing.T) {
	h := newHarness(t)
	stream := listen(t.Context(), t, h, "", "")
	h.Log.With("part", "eventsource").Debug("a batch", events.BatchProcessed.Attr(), "function", "stock", "queue", "q",
		"messages", 3, "failed", 1)
	sent, moved := false, false
	until(t, stream, "the event and the flow, in any order", func(e message) bool {
		const flow = `{"edges":{"queue:q>function:stock":3},"failed":{"queue:q>function:stock":1}}`
		switch e.name {
		case "event":
			event := decoded[console.Event](t, e)
			sent = sent || strings.HasSuffix(e.id, fmt.Sprint("-", event.Seq)) && event.Kind == events.BatchProcessed &&
				event.Edge == "queue:q>function:stock"
		case "flow":
			moved = moved || string(e.data) == flow
		}
		return sent && moved
	})
	h.Console.Built(console.Build{State: "failed", What: []string{"stock"}, Error: "undefined: x"})
	until(t, stream, "the state", func(e message) bool {
		return e.name == "state" && strings.Contains(string(e.data), `"error":"undefined: x"`)
	})
}

// A page that reconnects during a restart keeps the picture that it has.
func TestAConsoleHasNoPictureBeforeAStackIsDrawn(t *testing.T) {
	c := console.New(console.Config{Records: events.NewStream[events.Event](8), Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { c.Close() })
	answer := httptest.NewRecorder()
	c.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/state", nil))
	var state map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &state); err != nil || state["began"] == nil {
		t.Fatalf("GET /state: %d %s (%v)", answer.Code, answer.Body, err)
	}
	if picture, has := state["graph"]; has {
		t.Errorf("the state has the picture %v, want none", picture)
	}
}

// A page requests no state beside the stream: the answer could be older than what the stream has
// sent. A page may be open before the stack is drawn, and before it runs.
func TestAStreamHasTheRunAndEveryStack(t *testing.T) {
	h := newHarness(t)
	stream := listen(t.Context(), t, h, "", "")
	var whole console.State
	h.Get(t, "/state", &whole)
	first := await.Receive(t, "the first message", stream)
	if run := decoded[struct{ Began time.Time }](t, first); first.name != "run" || !run.Began.Equal(whole.Began) {
		t.Errorf("the stream begins with %s %s, want the run that began at %v", first.name, first.data, whole.Began)
	}
	has := func(endpoint string, nodes int) func(message) bool {
		return func(e message) bool {
			if e.name != "state" {
				return false
			}
			s := decoded[console.State](t, e)
			return s.Program == "shop" && len(s.Graph.Nodes) == nodes && s.Endpoints["api"] == endpoint
		}
	}
	drawn := picture()
	until(t, stream, "the state of the stack that is drawn", has("", len(drawn.Nodes)))
	drawn.Nodes = drawn.Nodes[1:]
	h.Console.Draw(drawn)
	until(t, stream, "the state of the next stack", has("", len(drawn.Nodes)))
	endpoints := map[string]string{"api": "http://127.0.0.1:8080"}
	if err := h.Console.Run(console.Stack{Graph: drawn, Endpoints: endpoints}); err != nil {
		t.Fatal(err)
	}
	until(t, stream, "the state of the running stack", has(endpoints["api"], len(drawn.Nodes)))
}

func TestAStreamResumesAfterTheLastEvent(t *testing.T) {
	h := newHarness(t)
	for i := range 10 {
		h.Log.Info(fmt.Sprint("event ", i+1))
	}
	awaitEvents(t, h, 10)
	firstOf := func(query, lastEventID string) (run, number string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		until(t, listen(ctx, t, h, query, lastEventID), "an event", func(e message) bool {
			run, number, _ = strings.Cut(e.id, "-")
			return e.name == "event"
		})
		return run, number
	}
	this, _ := firstOf("", "")
	for _, c := range []struct {
		name, query, lastEventID, first string
	}{
		{"from the beginning", "", "", "1"},
		{"by the browser's header", "", this + "-7", "8"},
		{"by the page's parameter", "?since=" + this + "-7", "", "8"},
		{"by a program's parameter", "?since=4", "", "5"},
		{"after an event of another run", "", "1-7", "1"},
		{"after a number of another run", "?since=99999", "", "1"},
	} {
		if _, first := firstOf(c.query, c.lastEventID); first != c.first {
			t.Errorf("%s: the first event is %s, want %s", c.name, first, c.first)
		}
	}
	var refused struct{ Error string }
	status := h.Get(t, "/events?since=yesterday", &refused)
	if status != 400 || !strings.Contains(refused.Error, "yesterday") {
		t.Errorf("got %d %+v, want 400 with an error that names the parameter", status, refused)
	}
}

// In a rush, a subscriber gets sums of what has moved, as many events as a page can show, and the
// number of the others.
func TestAStreamIsBoundedAndCountsDroppedEvents(t *testing.T) {
	const total = 50_000
	h := newHarness(t)
	stream := listen(t.Context(), t, h, "?since=now", "")
	began := time.Now()
	var producers sync.WaitGroup
	api := h.Log.With("part", "api")
	for producer := range 5 {
		producers.Go(func() {
			for i := range total / 5 {
				id := fmt.Sprint(producer, ".", i)
				api.Info("api request", events.APIRequest.Attr(), "status", 200, "request_id", id)
			}
		})
	}
	producers.Wait()

	received, dropped, moved, flows := 0, uint64(0), 0, 0
	until(t, stream, "the last event", func(e message) bool {
		switch e.name {
		case "event":
			received++
		case "flow":
			flows++
			moved += decoded[struct{ Edges map[string]int }](t, e).Edges["callers:buyers>api:shop"]
		case "dropped":
			d := decoded[struct{ Events, Total uint64 }](t, e)
			if dropped += d.Events; d.Total != dropped {
				t.Fatalf("the updates have a total of %d dropped events, and a sum of %d", d.Total, dropped)
			}
		}
		return uint64(received)+dropped+h.Records.Stats().Dropped == total && moved == total
	})
	if most := 200 + 200*int(time.Since(began)/time.Second+10); received > most {
		t.Errorf("received %d events in %v, want at most %d", received, time.Since(began), most)
	}
	if flows > 500 {
		t.Errorf("received %d flow updates, want at most 500", flows)
	}
	var state struct{ Stream console.StreamState }
	await.Until(t, "the state says what was dropped", func() bool {
		h.Get(t, "/state", &state)
		return state.Stream.Dropped == dropped
	})
}

func TestTheStreamPrefersWarningsToOtherEvents(t *testing.T) {
	const total, failures = 4000, 20
	h := newHarness(t)
	for i := range total {
		if i%(total/failures) == 0 {
			h.Log.Warn("failure")
		} else {
			h.Log.Info("ordinary")
		}
	}
	// On a busy machine, a subscriber who is there could get warnings alone, too many at once.
	awaitEvents(t, h, total)
	stream := listen(t.Context(), t, h, "?since=0", "")
	failed, ordinary, dropped := 0, 0, 0
	until(t, stream, "the last event", func(e message) bool {
		switch {
		case e.name == "dropped":
			dropped += decoded[struct{ Events int }](t, e).Events
		case e.name == "event" && decoded[console.Event](t, e).Message == "failure":
			failed++
		case e.name == "event":
			ordinary++
		}
		return failed+ordinary+dropped == total
	})
	if failed != failures || dropped == 0 {
		t.Errorf("received %d of %d failures and %d ordinary events, %d were dropped; want all failures",
			failed, failures, ordinary, dropped)
	}
}

// Logging never waits for a subscriber, not even for one that reads nothing.
func TestASubscriberThatDoesNotReadDoesNotBlockTheLog(t *testing.T) {
	h := newHarness(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() // the test does not read it
	line := strings.Repeat("x", 10_000)
	for range 50_000 {
		h.Log.Info(line)
	}
	stats := h.Records.Stats()
	if stats.Published != 50_000 {
		t.Errorf("%d events were published, want 50000", stats.Published)
	}
}

func TestStreamsEndWithTheConsole(t *testing.T) {
	h := newHarness(t)
	var streams []<-chan message
	for range 5 {
		streams = append(streams, listen(t.Context(), t, h, "", ""))
	}
	h.Console.Close()
	for _, stream := range streams {
		for range stream { // wait for its end
		}
	}
	if got := h.Records.Stats().Subscribers; got != 0 {
		t.Errorf("after Close, the log has %d subscribers, want none", got)
	}
}
