package panels

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/message"
)

// letter returns the body of a record in stock_queue: an envelope of SNS.
func letter(t *testing.T, m message.StockEmpty) string {
	t.Helper()
	text, err := m.Body()
	if err != nil {
		t.Fatal(err)
	}
	type value struct{ Type, Value string }
	attributes := map[string]value{}
	for name, v := range m.Attributes() {
		attributes[name] = value{"String", v}
	}
	record, err := json.Marshal(map[string]any{
		"Type": "Notification", "Message": text, "MessageAttributes": attributes,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(record)
}

func TestLettersSayTheirOrdersAndWhichHaveExpired(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	of := func(order string, valid time.Duration) string {
		return letter(t, message.StockEmpty{
			ProductionOrderID: uuid.MustParse(order), SKU: "CP-502101", Quantity: 100, FactoryID: "FF-500293",
			Requester: message.Requester, ValidUntil: now.Add(valid),
		})
	}
	const a, b = "0199a2c4-5f00-7000-8000-000000000001", "0199a2c4-5f00-7000-8000-000000000002"
	old, new, other := of(a, -time.Second), of(a, time.Minute), of(b, time.Minute)
	for _, test := range []struct {
		bodies []string
		want   string
	}{
		{nil, ""},
		{[]string{"{}", "도너츠"}, ""},
		{[]string{new}, ""},
		{[]string{old}, "It expired: stock drops it, and the sweep requests the order again."},
		{[]string{new, new}, "They belong to 1 production order."},
		{[]string{new, "{}"}, "1 of them belongs to 1 production order."},
		{[]string{new, new, "{}"}, "2 of them belong to 1 production order."},
		{[]string{old, new, other, "도너츠"}, "3 of them belong to 2 production orders. 1 expired: stock drops it, and " +
			"the sweep requests the order again."},
		{[]string{old, old}, "They belong to 1 production order. 2 expired: stock drops them, and the sweep " +
			"requests the orders again."},
	} {
		if got := consequences(test.bodies, now); got != test.want {
			t.Errorf("%q: got %q, want %q", test.bodies, got, test.want)
		}
		for _, body := range test.bodies {
			if got := expired(body, now); got != (body == old) {
				t.Errorf("%q: expired is %t", body, got)
			}
		}
	}
}
