package programs_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"restock/lambdas/journal"
	"restock/test/await"
)

// An orderLine is a function's line about a production order.
type orderLine struct {
	Kind          journal.Kind `json:"event"`
	Order         string       `json:"production_order"`
	CorrelationID string       `json:"correlation_id"`
}

func TestOneIDGoesFromTheBuyersRequestToTheFactorysCallback(t *testing.T) {
	t.Parallel()
	logged := &textLog{}
	c := config(t)
	c.Log = slog.New(slog.NewJSONHandler(logged, nil))
	s := start(t, c)
	var id string
	for range 3 { // the third sells the last one
		response, err := http.Post(s.API+"/checkout", "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if id = response.Header.Get("Apigw-Requestid"); response.StatusCode != 200 || id == "" {
			t.Fatalf("a checkout got %s, and the id %q", response.Status, id)
		}
	}
	await.Until(t, "the lot is delivered", func() bool { return s.number(t, donutStock) > 0 })
	// These kinds are lines of sales-api, sales-api, stock and stock-increase.
	for _, kind := range []journal.Kind{
		journal.OrderOpened, journal.OrderPublished, journal.ProductionRequested, journal.GoodsReceived,
	} {
		await.Until(t, "the log has a line of kind "+string(kind), func() bool {
			return logged.orderLine(kind).Order != ""
		})
		if got := logged.orderLine(kind).CorrelationID; got != id {
			t.Errorf("the line of kind %s has the correlation id %q, want the buyer's, %q", kind, got, id)
		}
	}

	// The signature covers the id, so that nobody can write another id into the logs.
	var request struct{ CallbackUrl string }
	if err := json.Unmarshal(s.Run.Factory.Requests()[0].Body, &request); err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(request.CallbackUrl, "correlation=", "correlation=x", 1)
	response, err := http.Post(forged, "application/json", strings.NewReader(string(s.Run.Factory.Requests()[0].Body)))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if forged == request.CallbackUrl || response.StatusCode != http.StatusOK {
		t.Errorf("%s got %s, want 200: the API does not check it", forged, response.Status)
	}
	await.Until(t, "the forged delivery is dropped", func() bool {
		return logged.line(string(journal.DeliveriesForged)) != ""
	})
}

// orderLine returns the first line of a kind that a function wrote. In the run's log, it is the
// message of a record.
func (p *textLog) orderLine(kind journal.Kind) (found orderLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.text.String()) {
		var record struct {
			Msg string `json:"msg"`
		}
		var logged orderLine
		_ = json.Unmarshal([]byte(line), &record)
		_ = json.Unmarshal([]byte(record.Msg), &logged) // other messages of the run are not JSON
		if logged.Kind == kind {
			return logged
		}
	}
	return found
}
