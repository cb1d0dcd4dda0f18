package programs_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"restock/lambdas"
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
	const toStock = toFunction + " > SNS Publish > publish stock_empty > send stock_queue > process stock_queue > stock"
	_, factory, _ := strings.Cut(s.Endpoints.Factory, "//")
	toCallback := toStock + " > POST " + factory + " > POST /api/manufactures > POST callback"
	toReceipt := toCallback + " > " + lambdas.RouteGoodsReceipt +
		" > send deliveries_queue > process deliveries_queue > stock-increase"
	for _, want := range []string{toFunction + " > CALL sell", toReceipt, toReceipt + " > COMMIT"} {
		await.Until(t, "the trace has "+want, func() bool {
			spans := spansOf(collector, clientTrace)
			return slices.ContainsFunc(slices.Collect(maps.Values(spans)), func(s otlptest.Span) bool {
				return story(spans, s) == want
			})
		})
	}
	for _, span := range spansOf(collector, clientTrace) {
		if span.Name == "POST /checkout" &&
			(span.Parent != clientSpan || span.Kind != "SERVER" || span.Service != "api") {
			t.Errorf("got %+v, want a part of the client's span", span)
		}
		if span.Name == "CALL sell" && (span.Kind != "CLIENT" || span.Service != "sales-api" ||
			!strings.HasPrefix(span.Attributes["db.query.text"], "CALL sell(?")) {
			t.Errorf("got %+v, want a statement without values", span)
		}
	}

	var order struct{ CallbackUrl string }
	if err := json.Unmarshal(s.Run.Factory.Requests()[0].Body, &order); err != nil {
		t.Fatal(err)
	}
	callback, err := url.Parse(order.CallbackUrl)
	if err != nil {
		t.Fatal(err)
	}
	database, err := mysql.ParseDSN(s.DSN)
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{
		"the signature": callback.Query().Get("signature"), "the database's password": database.Passwd,
		"the body of a request": "MessageAttributeProductCnt",
	} {
		if secret == "" || bytes.Contains(collector.Received(), []byte(secret)) {
			t.Errorf("the spans have %s, %q", what, secret)
		}
	}
}
