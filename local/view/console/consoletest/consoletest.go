// Package consoletest runs consoles in tests.
package consoletest

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"restock/local/view/console"
	"restock/local/view/events"
)

// A Harness is a console on a server, with the log that it shows.
type Harness struct {
	*httptest.Server
	Console *console.Console
	Log     *slog.Logger
	Records *events.Stream[events.Event]
}

// New starts a console that shows a picture, until the test ends. A nil function makes no panels.
func New(tb testing.TB, picture console.Graph, panels func(log *slog.Logger) []console.Panel) *Harness {
	tb.Helper()
	records := events.NewStream[events.Event](1 << 16)
	h := &Harness{Records: records, Log: slog.New(events.NewHandler(records, slog.LevelDebug))}
	config := console.Config{Program: "shop", Stage: "dev", Records: records, Log: h.Log.With("part", "console")}
	if panels != nil {
		config.Panels = panels(h.Log)
	}
	h.Console = console.New(config)
	h.Server = httptest.NewServer(h.Console)
	tb.Cleanup(func() {
		if err := h.Console.Close(); err != nil { // ends the streams: Server.Close waits for them
			tb.Error(err)
		}
		h.Server.Close()
	})
	h.Console.Draw(picture)
	return h
}

// Get sends a GET and decodes the JSON of the answer.
func (h *Harness) Get(tb testing.TB, path string, into any) (status int) {
	tb.Helper()
	return h.Do(tb, http.MethodGet, path, "", into)
}

// Post sends a control and decodes the JSON of the answer.
func (h *Harness) Post(tb testing.TB, path, body string, into any) (status int) {
	tb.Helper()
	return h.Do(tb, http.MethodPost, path, body, into)
}

// Refuse sends a control, and checks that the console refuses it with a status and an error.
func (h *Harness) Refuse(tb testing.TB, path, body string, status int, want string) {
	tb.Helper()
	var refused struct{ Error string }
	got := h.Post(tb, path, body, &refused)
	if got != status || refused.Error == "" || !strings.Contains(refused.Error, want) {
		tb.Errorf("POST %s %s: got %d %q, want %d %q", path, body, got, refused.Error, status, want)
	}
}

// Do sends a request to the console and decodes the JSON of the answer.
func (h *Harness) Do(tb testing.TB, method, path, body string, into any) (status int) {
	tb.Helper()
	return Do(tb, h.URL, method, path, body, into)
}

// Do sends a request to the server at a URL, decodes the JSON of its answer, and returns the
// answer's status. A body that is not empty is JSON.
func Do(tb testing.TB, server, method, path, body string, into any) (status int) {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), method, server+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		tb.Fatalf("%s %s got %s %s: %v", method, path, response.Status, text, err)
	}
	return response.StatusCode
}
