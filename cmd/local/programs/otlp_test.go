package programs_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"restock/local/view/otlp/otlptest"
	"restock/test/await"
)

// A client's traceparent, and its parts.
const (
	clientTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan   = "00f067aa0ba902b7"
	clientHeader = "00-" + clientTrace + "-" + clientSpan + "-01"
)

// spansOf returns the spans of a trace by their ids.
func spansOf(c *otlptest.Collector, trace string) map[string]otlptest.Span {
	spans := map[string]otlptest.Span{}
	for _, s := range c.Spans() {
		if s.Trace == trace {
			spans[s.ID] = s
		}
	}
	return spans
}

// story returns the names of a span and of the spans that have caused it, the first cause first.
func story(spans map[string]otlptest.Span, s otlptest.Span) string {
	names := []string{s.Name}
	for known := true; known; {
		if s, known = spans[s.Parent]; known {
			names = append(names, s.Name)
		}
	}
	slices.Reverse(names)
	return strings.Join(names, " > ")
}

func TestAJourneyIsOneTrace(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	c := config(t)
	c.OTLP = collector.URL
	s := start(t, c)
	for range 3 { // the third sells the last one
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.API+"/checkout", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Traceparent", clientHeader)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("a checkout got %s", response.Status)
		}
	}
	const toFunction = "POST /checkout > sales-api"
	const toQueue = toFunction + " > publish stock_empty > send stock_queue > process stock_queue"
	for _, want := range []string{toFunction, toQueue, toQueue + " > stock"} {
		await.Until(t, "the trace has "+want, func() bool {
			spans := spansOf(collector, clientTrace)
			return slices.ContainsFunc(slices.Collect(maps.Values(spans)), func(s otlptest.Span) bool {
				return story(spans, s) == want
			})
		})
	}
	for _, s := range spansOf(collector, clientTrace) {
		if s.Name == "POST /checkout" && (s.Parent != clientSpan || s.Kind != "SERVER" || s.Service != "api") {
			t.Errorf("got %+v, want a part of the client's span", s)
		}
	}
}
