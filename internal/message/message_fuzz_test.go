package message_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"restock/internal/message"
	"restock/internal/shop"
	"restock/test/fuzzing"
)

// wrapped returns a message in the envelope in which SNS delivers it.
func wrapped(tb testing.TB, m message.StockEmpty) string {
	tb.Helper()
	body, err := m.Body()
	if err != nil {
		tb.Fatal(err)
	}
	type attribute struct{ Type, Value string }
	attributes := map[string]attribute{}
	for name, value := range m.Attributes() {
		attributes[name] = attribute{"String", value}
	}
	envelope, err := json.Marshal(map[string]any{
		"Type": "Notification", "Message": body, "MessageAttributes": attributes,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return string(envelope)
}

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzParse checks that a message that Parse accepts has all its values, and that Parse reads the
// same message again after it was written.
func FuzzParse(f *testing.F) {
	const good = `{"Type":"Notification","MessageId":"b9f1",` +
		`"TopicArn":"arn:aws:sns:ap-northeast-2:123456789012:stock_empty","Subject":"도너츠 재고 부족",` +
		`"Message":"{\"production_order_id\":\"0190d6a8-f000-7000-8000-000000000001\",` +
		`\"correlation_id\":\"JKJaXmPLvHcESHA=\"}","Timestamp":"2023-06-20T03:36:30.278Z",` +
		`"MessageAttributes":{"MessageAttributeProductId":{"Type":"String","Value":"CP-502101"},` +
		`"MessageAttributeProductCnt":{"Type":"String","Value":"100"},` +
		`"MessageAttributeFactoryId":{"Type":"String","Value":"FF-500293"},` +
		`"MessageAttributeRequester":{"Type":"String","Value":"stock-bot"}}}`
	f.Add(good)
	f.Add(strings.Replace(good, `CESHA=\"`, `CESHA=\",\"valid_until\":\"2026-11-28T12:03:00.123456+09:00\"`, 1))
	f.Add(strings.Replace(good, `CESHA=\"`, `CESHA=\",\"valid_until\":\"9999-12-31T23:59:59-01:00\"`, 1))
	f.Add(strings.Replace(good, `"100"`, `"+100"`, 1))
	f.Add(strings.Replace(good, `"100"`, `"2147483648"`, 1))
	f.Add(strings.Replace(good, `"CP-502101"`, `"a\nb\u001b[31m"`, 1))
	f.Add(strings.Replace(good, `"Message":"{`,
		`"Message":"{\"production_order_id\":\"00000000-0000-0000-0000-000000000000\",`, 1))
	f.Add(strings.Replace(good, `"Type":"Notification"`, `"Type":"SubscriptionConfirmation","type":"Notification"`, 1))
	f.Add(`{"Type":"Notification","Message":null,"MessageAttributes":null}`)
	f.Fuzz(func(t *testing.T, record string) {
		m, err := message.Parse(record)
		if err != nil {
			if m != (message.StockEmpty{}) {
				t.Errorf("%q: got %+v and the error %v, want no message with an error", record, m, err)
			}
			return
		}
		if m.SKU == "" || m.FactoryID == "" || m.Requester == "" || m.Quantity < 1 || m.Quantity > shop.MaxQuantity ||
			m.ProductionOrderID == uuid.Nil {
			t.Errorf("%q: got %+v, which lacks a value", record, m)
		}
		if again, err := message.Parse(wrapped(t, m)); err != nil || again != m {
			t.Errorf("%q: got %+v; written and read again it is %+v, %v", record, m, again, err)
		}
	})
}
