package receiving

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"restock/internal/shop"
	"restock/test/fuzzing"
)

// memory is a store that records deliveries.
type memory struct {
	shop.Store
	delivered []shop.Delivery
}

func (m *memory) Receive(_ context.Context, d shop.Delivery) (shop.Receipt, error) {
	m.delivered = append(m.delivered, d)
	return shop.Receipt{Stock: d.Quantity}, nil
}

func (m *memory) Replenish(context.Context, shop.Replenishment) (shop.Decision, error) {
	return shop.Decision{Outcome: shop.Settled}, nil
}

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzCallback checks that the handler books a signed callback only, for its own attempt and at
// most the signed quantity, and that it keeps signed callbacks only: strangers must not be able to
// fill the dead-letter queue.
func FuzzCallback(f *testing.F) {
	order := uuid.MustParse("0190d6a8-f000-7000-8000-000000000001")
	attempt := uuid.MustParse("0190d6a8-f000-7000-8000-0000000000a1")
	good := newCallback(f, ours, order, attempt, made100)
	for _, path := range []string{
		good.path, strings.Replace(good.path, order.String(), strings.ToUpper(order.String()), 1),
		strings.Replace(good.path, order.String(), "urn:uuid:"+order.String(), 1),
		strings.Replace(good.path, order.String(), attempt.String(), 1),
		good.path + "/", strings.Replace(good.path, "/attempts", "//attempts", 1), "/",
	} {
		f.Add(path, good.query, made100)
	}
	for _, query := range []string{
		"", good.query + "&quantity=999", "quantity=999&" + good.query, strings.Replace(good.query, "100", "1000", 1),
		good.query[:len(good.query)-1], "%zz&" + good.query, good.query + ";quantity=5",
	} {
		f.Add(good.path, query, made100)
	}
	for _, body := range []string{
		"", "null", strings.Replace(made100, `"100"`, `"101"`, 1), strings.Replace(made100, `"100"`, `100`, 1),
		made100[:len(made100)-1], made100 + made100, `{"messageattributeproductid":"x","MessageAttributeProductCnt":5}`,
	} {
		f.Add(good.path, good.query, body)
	}
	f.Fuzz(func(t *testing.T, path, query, body string) {
		store := &memory{}
		s := shop.Open(store, nil, shop.Discard)
		got := deliver(t.Context(), t, s, ours, callback{path, query, body}, time.Now())
		reason, kept := strings.CutPrefix(got, "kept: ")
		if got == "undecided" || strings.Contains(reason, "panic") {
			t.Errorf("%s?%s %s: got %s", path, query, body, got)
		}
		if booked := len(store.delivered) == 1; booked != (got == "booked") {
			t.Errorf("got %s, but the store booked %+v", got, store.delivered)
		}
		if kept {
			signed := deliver(t.Context(), t, s, ours, callback{path, query, made100}, time.Now())
			if signed != "booked" {
				t.Errorf("%s?%s %s: got %s, but the same URL with a good body is %s", path, query, body, got, signed)
			}
		}
		for _, d := range store.delivered {
			if d.ProductionOrderID != order || d.AttemptID != attempt || d.Quantity < 1 || d.Quantity > 100 ||
				d.SKU == "" {
				t.Errorf("%s?%s %s: the store booked %+v, want at most the signed 100 for %s, %s",
					path, query, body, d, order, attempt)
			}
		}
	})
}

// FuzzBatch checks that a record with any attributes and any body harms neither a good record of
// the same batch nor the log.
func FuzzBatch(f *testing.F) {
	order, attempt := uuid.New(), uuid.New()
	good := newCallback(f, ours, order, attempt, made100).mustRecord(f, "good")
	signature := *good.MessageAttributes["signature"].StringValue
	f.Add(order.String(), attempt.String(), "100", "x", signature, made100, "1795262400000")
	f.Add(order.String(), attempt.String(), "100", "\n", signature+"\n", "\x00", "")
	f.Add("", "", "", "", "", "", "-9223372036854775809")
	f.Add("{"+order.String()+"}", attempt.String(), "+100", "\xff", "=", "[", "x")
	f.Fuzz(func(t *testing.T, order, attempt, quantity, correlation, signature, body, sent string) {
		var log bytes.Buffer
		store := &memory{}
		r, _ := newReceiver(shop.Open(store, nil, shop.Discard), ours, &log)
		other := good
		other.MessageId, other.Body, other.Attributes = "other", body, map[string]string{"SentTimestamp": sent}
		other.MessageAttributes = nil
		if order != "" { // else the message has no attributes at all
			other.MessageAttributes = map[string]events.SQSMessageAttribute{}
			for name, text := range map[string]string{
				"order": order, "attempt": attempt, "quantity": quantity, "correlation": correlation,
				"signature": signature,
			} {
				other.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &text}
			}
		}
		for _, id := range invoke(t.Context(), t, r, other, good) {
			if id != "other" {
				t.Errorf("the record %s failed", id)
			}
		}
		if len(store.delivered) == 0 || store.delivered[len(store.delivered)-1].Quantity != 100 {
			t.Errorf("the store booked %+v, want the good record", store.delivered)
		}
		if n := len(linesOf(t, log.Bytes())); n > 1 {
			t.Errorf("the log has %d lines, want one for the other record at most:\n%s", n, &log)
		}
	})
}
