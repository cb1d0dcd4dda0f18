package message_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/message"
	"restock/internal/shop"
)

var order = shop.ProductionOrder{ID: uuid.MustParse("0199a2c4-5f00-7000-8000-000000000001"), SKU: "CP-502101",
	Quantity: 100, Factory: "FF-500293", Correlation: "JKJaXmPLvHcESHA=",
	Asks: 2, AskedAt: time.Date(2026, 11, 28, 12, 0, 0, 123456000, time.UTC), LeadTime: time.Minute}

// envelope returns a record's body as it was captured from a queue. Before that, edit may change
// it.
func envelope(edit func(e map[string]any)) string {
	attribute := func(value string) map[string]any { return map[string]any{"Type": "String", "Value": value} }
	e := map[string]any{
		"Type": "Notification", "MessageId": "b9f1a3a0-3c3f-5e2c-8f0a-ff1c7d0e2b11",
		"TopicArn": "arn:aws:sns:ap-northeast-2:123456789012:stock_empty", "Subject": "도너츠 재고 부족",
		"Message":          `{"production_order_id":"0199a2c4-5f00-7000-8000-000000000001"}`,
		"Timestamp":        "2023-06-20T03:36:30.278Z",
		"SignatureVersion": "1", "Signature": "…", "SigningCertURL": "https://sns.ap-northeast-2.amazonaws.com/…",
		"MessageAttributes": map[string]any{
			"MessageAttributeProductId":  attribute("CP-502101"),
			"MessageAttributeProductCnt": attribute("100"),
			"MessageAttributeFactoryId":  attribute("FF-500293"),
			"MessageAttributeRequester":  attribute("stock-bot"),
		},
	}
	if edit != nil {
		edit(e)
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestParseReadsWhatNewWrites(t *testing.T) {
	written := message.New(order)
	body, err := written.Body()
	if err != nil {
		t.Fatal(err)
	}
	got, err := message.Parse(envelope(func(e map[string]any) {
		e["Message"] = body
		attributes := map[string]any{}
		for name, value := range written.Attributes() {
			attributes[name] = map[string]any{"Type": "String", "Value": value}
		}
		e["MessageAttributes"] = attributes
	}))
	if err != nil || got != written {
		t.Errorf("got %+v, %v; want %+v", got, err, written)
	}
}

func TestBodySaysWhenTheMessageExpires(t *testing.T) {
	local := order
	local.AskedAt = order.AskedAt.In(time.FixedZone("KST", 9*60*60))
	got, err := message.New(local).Body()
	const want = `{"production_order_id":"0199a2c4-5f00-7000-8000-000000000001","correlation_id":"JKJaXmPLvHcESHA=",` +
		`"valid_until":"2026-11-28T12:03:00.123456Z"}`
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s: the second ask is valid for three lead times", got, err, want)
	}
}

func TestWhenAMessageExpires(t *testing.T) {
	with := func(text string) func(map[string]any) {
		return func(e map[string]any) {
			e["Message"] = `{"production_order_id":"0199a2c4-5f00-7000-8000-000000000001"` + text + `}`
		}
	}
	for _, c := range []struct {
		name   string
		record string
		want   time.Time
	}{
		{"with valid_until", envelope(with(`,"valid_until":"2026-11-28T12:03:00.123456Z"`)),
			time.Date(2026, 11, 28, 12, 3, 0, 123456000, time.UTC)},
		{"in another zone", envelope(with(`,"valid_until":"2026-11-28T21:03:00+09:00"`)),
			time.Date(2026, 11, 28, 12, 3, 0, 0, time.UTC)},
		{"of an earlier version, a minute after its publication", envelope(with("")),
			time.Date(2023, 6, 20, 3, 37, 30, 278e6, time.UTC)},
		{"null", envelope(with(`,"valid_until":null`)), time.Date(2023, 6, 20, 3, 37, 30, 278e6, time.UTC)},
	} {
		m, err := message.Parse(c.record)
		if err != nil || m.ValidUntil != c.want {
			t.Errorf("%s: it expires at %v, %v; want %v", c.name, m.ValidUntil, err, c.want)
		}
		for at, expired := range map[time.Time]bool{
			c.want.Add(-time.Microsecond): false, c.want: true, c.want.Add(time.Hour): true,
		} {
			if m.Expired(at) != expired {
				t.Errorf("%s: expired at %v: %v, want %v", c.name, at, !expired, expired)
			}
		}
	}
}

func TestAttributesHaveTheNamesOfTheContract(t *testing.T) {
	want := map[string]string{
		"MessageAttributeProductId": "CP-502101", "MessageAttributeProductCnt": "100",
		"MessageAttributeFactoryId": "FF-500293", "MessageAttributeRequester": "stock-bot",
	}
	if got := message.New(order).Attributes(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParseErrorsNameTheMistake(t *testing.T) {
	attributes := func(e map[string]any) map[string]any { return e["MessageAttributes"].(map[string]any) }
	for _, c := range []struct{ name, record, want string }{
		{"not JSON", "도너츠", "reading the SNS envelope"},
		{"nothing", "", "reading the SNS envelope"},
		{"not an envelope", `{"sku":"CP-502101"}`, `its Type is ""`},
		{"a confirmation", envelope(func(e map[string]any) { e["Type"] = "SubscriptionConfirmation" }),
			"SubscriptionConfirmation"},
		{"no attributes", envelope(func(e map[string]any) { delete(e, "MessageAttributes") }),
			"no String attribute MessageAttributeProductId, MessageAttributeFactoryId, MessageAttributeRequester, " +
				"MessageAttributeProductCnt"},
		{"no count", envelope(func(e map[string]any) { delete(attributes(e), "MessageAttributeProductCnt") }),
			"no String attribute MessageAttributeProductCnt"},
		{"a count of another type", envelope(func(e map[string]any) {
			attributes(e)["MessageAttributeProductCnt"] = map[string]any{"Type": "Number", "Value": "100"}
		}), "no String attribute MessageAttributeProductCnt"},
		{"a count that is not a number", envelope(func(e map[string]any) {
			attributes(e)["MessageAttributeProductCnt"] = map[string]any{"Type": "String", "Value": "many"}
		}), `"many"`},
		{"a count of 0", envelope(func(e map[string]any) {
			attributes(e)["MessageAttributeProductCnt"] = map[string]any{"Type": "String", "Value": "0"}
		}), `"0"`},
		{"a negative count", envelope(func(e map[string]any) {
			attributes(e)["MessageAttributeProductCnt"] = map[string]any{"Type": "String", "Value": "-5"}
		}), `"-5"`},
		{"a message that is not JSON", envelope(func(e map[string]any) { e["Message"] = "도너츠 재고가 없습니다" }),
			"reading stock_empty: Message"},
		{"a message without an order", envelope(func(e map[string]any) { e["Message"] = "{}" }),
			"has no production_order_id"},
		{"a time that is not a time", envelope(func(e map[string]any) {
			e["Message"] = `{"production_order_id":"0199a2c4-5f00-7000-8000-000000000001","valid_until":"tomorrow"}`
		}), "reading stock_empty: Message"},
		{"a time beyond the year 9999", envelope(func(e map[string]any) {
			e["Message"] = `{"production_order_id":"0199a2c4-5f00-7000-8000-000000000001",` +
				`"valid_until":"9999-12-31T23:59:59-01:00"}`
		}), "valid_until is in the year 10000"},
		{"no valid_until and no Timestamp", envelope(func(e map[string]any) { delete(e, "Timestamp") }),
			"no valid_until, and the envelope's Timestamp is not a time"},
		{"an order that is not a UUID",
			envelope(func(e map[string]any) { e["Message"] = `{"production_order_id":"1"}` }),
			"reading stock_empty: Message"},
	} {
		if got, err := message.Parse(c.record); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %+v, %v; want an error that says %q", c.name, got, err, c.want)
		}
	}
}
