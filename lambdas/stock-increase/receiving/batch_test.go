package receiving

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/mysql/mysqltest"
	"restock/internal/secrets"
	"restock/internal/shop"
	"restock/lambdas"
	"restock/lambdas/journal"
)

// A stub is a booker whose database is away, or that panics, for some orders.
type stub struct {
	away, panics uuid.UUID
	booked       map[uuid.UUID]int // deliveries by order
}

func (s *stub) Receive(ctx context.Context, d shop.Delivery) (shop.Receipt, error) {
	switch {
	case d.ProductionOrderID == s.panics:
		panic("a bug")
	case d.ProductionOrderID == s.away || ctx.Err() != nil:
		return shop.Receipt{}, &shop.Error{Code: shop.CodeUnavailable, Detail: "the database is not available"}
	}
	s.booked[d.ProductionOrderID]++
	return shop.Receipt{Stock: d.Quantity}, nil
}

// While a deployment moves the route from the function to its queue, or if it fails in between, the
// API may invoke the function. An event without an error would be answered with 200.
func TestACallbackThatIsNoBatchIsNotAnsweredWithSuccess(t *testing.T) {
	callback, err := json.Marshal(events.APIGatewayV2HTTPRequest{RouteKey: lambdas.RouteGoodsReceipt, Body: made100})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := lambda.NewHandler(Handler{}.Handle).Invoke(t.Context(), callback)
	if err == nil {
		t.Errorf("got %s, want an error: nothing is booked", answer)
	}
}

func TestABatchReportsExactlyTheRecordsThatAreNotDone(t *testing.T) {
	good, other, away, panics := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	records := map[string]events.SQSMessage{
		"good":   newCallback(t, ours, good, uuid.New(), made100).mustRecord(t, "good"),
		"other":  newCallback(t, ours, other, uuid.New(), made100).mustRecord(t, "other"),
		"forged": newCallback(t, keyOf("x"), good, uuid.New(), made100).mustRecord(t, "forged"),
		"broken": newCallback(t, ours, good, uuid.New(), made100[:30]).mustRecord(t, "broken"),
		"panics": newCallback(t, ours, panics, uuid.New(), made100).mustRecord(t, "panics"),
		"away":   newCallback(t, ours, away, uuid.New(), made100).mustRecord(t, "away"),
	}
	for _, c := range []struct{ batch, failed, booked string }{
		{"good", "", "good"},
		{"forged", "", ""},
		{"panics good", "panics", "good"},
		{"good forged broken panics other away", "broken panics away", "good other"},
		// The handler waits for the database until its time is up, so nothing behind is booked.
		{"good away forged broken other", "away broken other", "good"},
		{"forged away forged", "away", ""},
		{"broken broken", "broken broken", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, whole := invocation(t)
			s := &stub{away: away, panics: panics, booked: map[uuid.UUID]int{}}
			var log bytes.Buffer
			r, _ := newReceiver(s, ours, &log)
			var batch []events.SQSMessage
			for id := range strings.FieldsSeq(c.batch) {
				batch = append(batch, records[id])
			}
			failed := strings.Join(invoke(ctx, t, r, batch...), " ")
			booked := map[uuid.UUID]int{}
			for id := range strings.FieldsSeq(c.booked) {
				booked[map[string]uuid.UUID{"good": good, "other": other}[id]] = 1
			}
			if failed != c.failed || !maps.Equal(s.booked, booked) || whole.Err() != nil {
				t.Errorf("%s: failed: %s, booked: %v; want %s and %v before the deadline",
					c.batch, failed, s.booked, c.failed, booked)
			}
			checkLines(t, c.batch, c.failed, log.Bytes())
		})
	}
}

// checkLines checks that the log has a line for each failed record, and one line for all forged
// ones.
func checkLines(t *testing.T, batch, failed string, log []byte) {
	t.Helper()
	var ids []string
	dropped, forgedLines := 0, 0
	for _, l := range linesOf(t, log) {
		if l.Event == journal.DeliveriesForged {
			dropped, forgedLines = dropped+l.Dropped, forgedLines+1
		} else if l.Event == journal.DeliveryFailed && l.ReceiveCount == "1" && l.Error != "" {
			ids = append(ids, l.MessageID)
		} else {
			t.Errorf("%s: the log has the line %+v", batch, l)
		}
	}
	forged := strings.Count(batch, "forged")
	if strings.Join(ids, " ") != failed || dropped != forged || forgedLines != min(forged, 1) {
		t.Errorf("%s: the log has lines of %q, and %d forged in %d lines; want %q, and %d in one line:\n%s",
			batch, ids, dropped, forgedLines, failed, forged, log)
	}
}

// Anyone who knows a signature can book goods. The body repeats the callback's URL, so the
// signature is in it, too.
func TestNoLogLineHasASignature(t *testing.T) {
	s, database, order := open(t)
	_, template, _ := strings.Cut(lambdas.RouteGoodsReceipt, " ")
	signer, err := factory.NewSigner(ours)
	if err != nil {
		t.Fatal(err)
	}
	attempt := uuid.New()
	u := signer.CallbackURL("https://shop.example", template,
		factory.Attempt{ProductionOrderID: order, ID: attempt, Quantity: 100})
	where, query, _ := strings.Cut(string(u), "?")
	_, signature, _ := strings.Cut(query, "signature=")
	body := strings.Replace(made100, "https://…", string(u), 1)
	if !strings.Contains(body, signature) || len(signature) != 43 {
		t.Fatalf("the body is %s, the signature is %q", body, signature)
	}
	url := callback{strings.TrimPrefix(where, "https://shop.example"), query, body}
	unavailable := &shop.Error{Code: shop.CodeUnavailable, Detail: "not now", Err: errors.New("no connection")}
	away := bookerFunc(func(context.Context, shop.Delivery) (shop.Receipt, error) {
		return shop.Receipt{}, unavailable
	})
	for _, c := range []struct {
		name string
		shop booker
		keys acceptedKeys
		body string
		want journal.Kind
	}{
		{"forged", s, keyOf("x"), body, journal.DeliveriesForged},
		{"undecided", s, &broken{key: keyOf("x"), since: secrets.ErrReadRecently}, body, journal.DeliveriesForged},
		{"no key", s, &broken{key: keyOf("x"), since: errors.New("AccessDenied")}, body, journal.DeliveryFailed},
		{"a short key", s, key("short"), body, journal.DeliveryFailed},
		{"cut short", s, ours, body[:len(body)-2], journal.DeliveryFailed},
		{"twice", s, ours, body + body, journal.DeliveryFailed},
		{"a text", s, ours, `"` + string(u) + `"`, journal.DeliveryFailed},
		{"too many", s, ours, strings.Replace(body, `"100"`, `"101"`, 1), journal.DeliveryFailed},
		{"no number", s, ours, strings.Replace(body, `"100"`, `"`+string(u)+`"`, 1), journal.DeliveryFailed},
		{"another product", s, ours, strings.Replace(body, mysqltest.Donut, "CP-000000", 1), journal.DeliveryFailed},
		{"an object", s, ours, strings.Replace(body, `"100"`, `{"`+string(u)+`":1}`, 1), journal.DeliveryFailed},
		{"a panic", &stub{panics: order}, ours, body, journal.DeliveryFailed},
		{"no database", away, ours, body, journal.DeliveryFailed},
		{"booked", s, ours, body, journal.GoodsReceived},
		{"booked again", s, ours, body, journal.GoodsReceivedAgain},
	} {
		var log bytes.Buffer
		r, j := newReceiver(c.shop, c.keys, &log)
		s.Journal = j
		ctx, cancel := context.WithCancel(t.Context())
		if c.name == "no database" {
			cancel() // the time is up: the handler asks once
		}
		request := url
		request.body = c.body
		invoke(ctx, t, r, request.mustRecord(t, "m"))
		cancel()
		of := func(l line) bool { return l.Event == c.want }
		if !slices.ContainsFunc(linesOf(t, log.Bytes()), of) {
			t.Errorf("%s: the log has no line of kind %s:\n%s", c.name, c.want, &log)
		}
		if strings.Contains(log.String(), signature) {
			t.Errorf("%s: the log has the signature:\n%s", c.name, &log)
		}
	}
	if stock := database.Stock(t); stock != 100 {
		t.Errorf("stock is %d, want 100", stock)
	}
}
