package programs_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"restock/lambdas/journal"
	"restock/test/await"
)

// A line of a function's log that is about a production order, as far as it is of interest.
type orderLine struct {
	Kind          journal.Kind `json:"event"`
	Order         string       `json:"production_order"`
	CorrelationID string       `json:"correlation_id"`
}

func TestOneIDGoesFromTheBuyersRequestToTheFactorysCallback(t *testing.T) {
	t.Parallel()
	said := &protocol{}
	c := config(t)
	c.Log = slog.New(slog.NewJSONHandler(said, nil))
	s := start(t, c)
	var id string
	for range 3 { // the third empties the shelf
		response, err := http.Post(s.API+"/checkout", "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if id = response.Header.Get("Apigw-Requestid"); response.StatusCode != 200 || id == "" {
			t.Fatalf("a checkout got %s, and the id %q", response.Status, id)
		}
	}
	await.Until(t, "the lot is delivered", func() bool { return s.number(t, `SELECT stock FROM product WHERE sku = 'CP-502101'`) > 0 })
	// sales-api, sales-api, stock, stock-increase.
	for _, kind := range []journal.Kind{
		journal.OrderOpened, journal.OrderPublished, journal.ProductionRequested, journal.GoodsReceived,
	} {
		await.Until(t, "there is a line of kind "+string(kind), func() bool { return said.orderLine(kind).Order != "" })
		if got := said.orderLine(kind).CorrelationID; got != id {
			t.Errorf("the line of kind %s has the correlation id %q, want the buyer's, %q", kind, got, id)
		}
	}

	// The id is a part of what is signed: nobody writes another one into our logs.
	var request struct{ CallbackUrl string }
	if err := json.Unmarshal(s.Run.Factory.Requests()[0].Body, &request); err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(request.CallbackUrl, "correlation=", "correlation=x", 1)
	response, err := http.Post(forged, "application/json", strings.NewReader(string(s.Run.Factory.Requests()[0].Body)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); forged == request.CallbackUrl || response.StatusCode != http.StatusForbidden {
		t.Errorf("%s got %s %s, want 403", forged, response.Status, body)
	}
}

// orderLine is the first line of a kind that a function wrote; a function's line is the message of
// the run's.
func (p *protocol) orderLine(kind journal.Kind) (found orderLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.text.String()) {
		var record struct {
			Msg string `json:"msg"`
		}
		var said orderLine
		_ = json.Unmarshal([]byte(line), &record)
		_ = json.Unmarshal([]byte(record.Msg), &said) // a message of the run's own is no JSON
		if said.Kind == kind {
			return said
		}
	}
	return found
}
