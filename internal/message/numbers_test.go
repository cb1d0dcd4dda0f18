package message_test

import (
	"strings"
	"testing"

	"restock/internal/message"
	"restock/internal/shop"
)

func TestQuantityOfAMessageHasItsLimits(t *testing.T) {
	parse := func(count string) (message.StockEmpty, error) {
		return message.Parse(envelope(func(e map[string]any) {
			attributes := e["MessageAttributes"].(map[string]any)
			attributes["MessageAttributeProductCnt"] = map[string]any{"Type": "String", "Value": count}
		}))
	}
	for _, quantity := range []int{1, shop.MaxQuantity} {
		o := order
		o.Quantity = quantity
		count := message.New(o).Attributes()[message.AttributeProductCnt]
		if got, err := parse(count); err != nil || got.Quantity != quantity {
			t.Errorf("%d, written as %s: got %d, %v", quantity, count, got.Quantity, err)
		}
	}
	for _, count := range []string{
		"0", "-1", "2147483648", "4294967297", "9223372036854775808", "18446744073709551617",
	} {
		want := message.AttributeProductCnt + ` is "` + count
		if got, err := parse(count); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %d, %v; want an error that names the attribute", count, got.Quantity, err)
		}
	}
}
