package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"restock/local/view/console"
	"restock/local/view/console/consoletest"
	"restock/local/view/events"
	"restock/test/await"
)

// run shows a stack whose functions answer with their events. It returns the events.
func run(t *testing.T, h *consoletest.Harness) (invoked *[]string) {
	t.Helper()
	invoked = &[]string{}
	err := h.Console.Run(console.Stack{
		Graph: picture(), Secrets: func() []string { return []string{"the password"} },
		Functions: console.Functions{
			Examples: func(function string) []console.Example {
				return []console.Example{{Name: "of " + function, Event: json.RawMessage(`{"a":1}`)}}
			},
			Invoke: func(_ context.Context, function string, event []byte) (string, error) {
				if function != "stock" {
					return "", errors.New("there is no function " + function)
				}
				*invoked = append(*invoked, string(event))
				id := "run-" + string(rune('0'+len(*invoked)))
				h.Log.With("part", "lambda").Info("invocation ended", events.InvocationEnded.Attr(),
					"function", function, "request_id", id, slog.String(console.InvokedBy, "the console"))
				h.Console.Invoked(console.Invocation{
					ID: id, Function: function, Began: time.Now(), Took: time.Millisecond, Event: event, Answer: event,
				})
				return id, nil
			},
			Save: func(function, id string, event []byte) (string, string, error) {
				*invoked = append(*invoked, "saved "+string(event))
				return function + "-" + id + ".json", "invoke " + function, nil
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return invoked
}

func TestAPersonInvokesAFunctionAndInvokesItAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	invoked := run(t, h)
	var started struct{ ID, Error string }
	const event = `{"callback":"https://shop/c?signature=abc","p":"the password"}`
	if status := h.Post(t, "/invocations", `{"function":"stock","event":`+event+`}`, &started); status != 200 {
		t.Fatalf("got %d %+v", status, started)
	}
	var shown console.InvocationShown
	await.Until(t, "the invocation has a journey", func() bool {
		h.Get(t, "/invocations/"+started.ID, &shown)
		return shown.Journey != ""
	})
	const want = `{"callback":"https://shop/c?…","p":"(hidden)"}`
	if shown.Function != "stock" || shown.Event.Text != want || shown.Answer.Text != want ||
		shown.Event.Size != len(event) || shown.TookMS != 1 || shown.Error != "" {
		t.Errorf("got %+v, want the event as the answer: %s", shown, want)
	}
	var journey console.Journey
	h.Get(t, "/journeys/"+shown.Journey, &journey)
	if journey.Summary != "invocation of stock" {
		t.Errorf("got the journey %+v, want one of the invocation", journey.JourneySummary)
	}
	var again struct{ ID string }
	if status := h.Post(t, "/invocations", `{"again":"`+started.ID+`"}`, &again); status != 200 || again.ID != "run-2" {
		t.Errorf("invoking it again: got %d %+v", status, again)
	}
	var saved struct{ Path, Command string }
	status := h.Post(t, "/invocations/"+started.ID+"/save", `{}`, &saved)
	if status != 200 || saved.Path != "stock-run-1.json" || saved.Command != "invoke stock" {
		t.Errorf("saving the event: got %d %+v", status, saved)
	}
	// The function and the file get the signature that the page does not.
	if got := strings.Join(*invoked, "\n"); got != event+"\n"+event+"\nsaved "+event {
		t.Errorf("the function and the file got %s", got)
	}
	var lines console.NodeLines
	h.Get(t, "/nodes/function:stock", &lines)
	if len(lines.Invocations) != 2 || lines.Invocations[0].ID != "run-2" ||
		len(lines.Examples) != 1 || lines.Examples[0].Name != "of stock" {
		t.Errorf("got %+v, %+v", lines.Invocations, lines.Examples)
	}
}

func TestAnInvocationSaysHowManyMessagesOfItsBatchFailed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	run(t, h)
	for id, answer := range map[string]string{
		"one": `{"batchItemFailures":[{"itemIdentifier":"M1"}]}`, "none": `{"batchItemFailures":[]}`, "other": `"text"`,
	} {
		h.Console.Invoked(console.Invocation{ID: id, Function: "stock", Answer: []byte(answer)})
	}
	var lines console.NodeLines
	h.Get(t, "/nodes/function:stock", &lines)
	got := map[string]int{}
	for _, i := range lines.Invocations {
		got[i.ID] = i.Failed
	}
	if want := map[string]int{"one": 1, "none": 0, "other": 0}; !maps.Equal(got, want) {
		t.Errorf("the messages that failed are %v, want %v", got, want)
	}
}

func TestInvocationsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var refused struct{ Error string }
	if status := h.Post(t, "/invocations", `{"function":"stock"}`, &refused); status != 503 {
		t.Errorf("before the stack runs: got %d %+v", status, refused)
	}
	run(t, h)
	h.Console.Invoked(console.Invocation{ID: "large", Function: "stock", Event: make([]byte, 1<<20)})
	for _, c := range []struct {
		path, body string
		status     int
		text       string
	}{
		{"/invocations", `{"function":"nobody"}`, 404, "no function nobody"},
		{"/invocations", `{"again":"nothing"}`, 404, `no invocation "nothing"`},
		{"/invocations", `{"again":"large"}`, 409, "larger than 256 KB"},
		{"/invocations", `{"event":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "262144 bytes"},
		{"/invocations", `{"event":}`, 400, "invalid character"},
		{"/invocations/large/save", `{}`, 409, "larger than 256 KB"},
		{"/invocations/nothing/save", `{}`, 404, "latest 50 of each function"},
	} {
		status := h.Post(t, c.path, c.body, &refused)
		if status != c.status || !strings.Contains(refused.Error, c.text) {
			t.Errorf("%s %.40s: got %d %+v, want %d with %q", c.path, c.body, status, refused, c.status, c.text)
		}
	}
}
