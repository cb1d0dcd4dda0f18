package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"restock/local/view/console"
	"restock/local/view/events"
	"restock/test/await"
)

// A told is a server-sent event.
type told struct {
	id, name string
	data     json.RawMessage
}

// listen reads the stream of events until ctx ends.
func (h *house) listen(ctx context.Context, t *testing.T, query, lastEventID string) <-chan told {
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
	all := make(chan told, 1<<16)
	go func() {
		defer close(all)
		defer response.Body.Close()
		lines, e := bufio.NewScanner(response.Body), told{}
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
				e = told{}
			}
		}
	}()
	return all
}

// until reads until an event is what is looked for.
func until(t *testing.T, from <-chan told, what string, found func(told) bool) {
	t.Helper()
	timeout := time.After(30 * time.Second)
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
			t.Fatalf("there is not %s", what)
		}
	}
}

func decoded[T any](t *testing.T, e told) (v T) {
	t.Helper()
	if err := json.Unmarshal(e.data, &v); err != nil {
		t.Fatalf("%s: %v", e.data, err)
	}
	return v
}

func TestTheStreamTellsWhatHappens(t *testing.T) {
	h := newHouse(t)
	stream := h.listen(t.Context(), t, "", "")
	h.log.With("part", "eventsource").Debug("a batch", events.BatchProcessed.Attr(), "function", "stock", "queue", "q",
		"messages", 3, "failed", 1)
	until(t, stream, "the event", func(e told) bool {
		if e.name != "event" {
			return false
		}
		event := decoded[console.Event](t, e)
		return e.id == fmt.Sprint(event.Seq) && event.Kind == events.BatchProcessed && event.Edge == "queue:q>function:stock"
	})
	until(t, stream, "the flow", func(e told) bool {
		return e.name == "flow" && string(e.data) == `{"edges":{"queue:q>function:stock":3},"failed":{"queue:q>function:stock":1}}`
	})
	h.Console.Built(console.Build{State: "failed", What: []string{"stock"}, Error: "undefined: x"})
	until(t, stream, "the state", func(e told) bool {
		return e.name == "state" && strings.Contains(string(e.data), `"error":"undefined: x"`)
	})
}

func TestAStreamIsResumedAfterTheLastEvent(t *testing.T) {
	h := newHouse(t)
	for i := range 10 {
		h.log.Info(fmt.Sprint("event ", i+1))
	}
	for _, c := range []struct {
		name, query, lastEventID, first string
	}{
		{"from the beginning", "", "", "1"},
		{"by the browser's header", "", "7", "8"},
		{"by a program's parameter", "?since=4", "", "5"},
		{"after an event of another run", "", "99999", "1"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		first := ""
		until(t, h.listen(ctx, t, c.query, c.lastEventID), "an event", func(e told) bool {
			first = e.id
			return e.name == "event"
		})
		cancel()
		if first != c.first {
			t.Errorf("%s: the first event is %s, want %s", c.name, first, c.first)
		}
	}
	var refused struct{ Error string }
	if status := h.get(t, "/events?since=yesterday", &refused); status != 400 || !strings.Contains(refused.Error, "yesterday") {
		t.Errorf("got %d %+v, want 400 that names it", status, refused)
	}
}

// A rush is told of as what has moved. Of its events a subscriber hears as many as a page can show, and how many more there were.
func TestAStreamIsBoundedAndWhatIsDroppedIsCounted(t *testing.T) {
	const total = 50_000
	h := newHouse(t)
	stream := h.listen(t.Context(), t, "?since=now", "")
	var producers sync.WaitGroup
	api := h.log.With("part", "api")
	for producer := range 5 {
		producers.Go(func() {
			for i := range total / 5 {
				api.Info("api request", events.APIRequest.Attr(), "status", 200, "request_id", fmt.Sprint(producer, ".",
					i))
			}
		})
	}
	producers.Wait()

	heard, dropped, moved, flows := 0, uint64(0), 0, 0
	began := time.Now()
	until(t, stream, "all that was told or dropped", func(e told) bool {
		switch e.name {
		case "event":
			heard++
		case "flow":
			flows++
			moved += decoded[struct{ Edges map[string]int }](t, e).Edges["buyers:buyers>api:shop"]
		case "dropped":
			d := decoded[struct{ Events, Total uint64 }](t, e)
			if dropped += d.Events; d.Total != dropped {
				t.Fatalf("%d are said to be dropped in all, and were told one by one: %d", d.Total, dropped)
			}
		}
		return uint64(heard)+dropped+h.records.Stats().Dropped == total && moved == total
	})
	if most := 200 + 200*int(time.Since(began)/time.Second+10); heard > most {
		t.Errorf("%d events were told in %v, want %d at most", heard, time.Since(began), most)
	}
	if flows > 500 {
		t.Errorf("%d flows were told, want a few", flows)
	}
	var state struct{ Stream console.StreamState }
	await.Until(t, "the state says what was dropped", func() bool {
		h.get(t, "/state", &state)
		return state.Stream.Dropped == dropped
	})
}

func TestWhatWentWrongIsToldBeforeWhatIsOrdinary(t *testing.T) {
	const total, failures = 4000, 20
	h := newHouse(t)
	stream := h.listen(t.Context(), t, "?since=now", "")
	for i := range total {
		if i%(total/failures) == 0 {
			h.log.Warn("failure")
		} else {
			h.log.Info("ordinary")
		}
	}
	failed, ordinary, dropped := 0, 0, 0
	until(t, stream, "all that was told or dropped", func(e told) bool {
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
		t.Errorf("%d of %d failures were told, %d ordinary events, and %d dropped; want all failures", failed, failures, ordinary, dropped)
	}
}

// Whoever logs waits for nobody: not for a subscriber that reads nothing at all.
func TestASubscriberThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	h := newHouse(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() // nothing of which is read
	line := strings.Repeat("x", 10_000)
	for range 50_000 {
		h.log.Info(line)
	}
	stats := h.records.Stats()
	if stats.Published != 50_000 {
		t.Errorf("%d were logged", stats.Published)
	}
}

func TestStreamsEndWithTheConsole(t *testing.T) {
	h := newHouse(t)
	var streams []<-chan told
	for range 5 {
		streams = append(streams, h.listen(t.Context(), t, "", ""))
	}
	h.Console.Close()
	for _, stream := range streams {
		for range stream { // until it ends
		}
	}
	if got := h.records.Stats().Subscribers; got != 0 {
		t.Errorf("%d read the run's log after the end", got)
	}
}
