package factory_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/message"
	"restock/internal/shop"
)

func TestQuantitiesOfACallbackHaveTheirLimits(t *testing.T) {
	callback := func(count string) []byte {
		return fmt.Appendf(nil, `{"MessageAttributeProductId":"CP-502101","MessageAttributeProductCnt":%s}`, count)
	}
	for _, quantity := range []int{1, shop.MaxQuantity} {
		asked := factory.NewRequest(message.StockEmpty{SKU: "CP-502101", Quantity: quantity}, "https://shop.example").ProductCnt
		for _, count := range []string{asked, `"` + asked + `"`} {
			if _, got, err := factory.ParseCallback(callback(count)); err != nil || got != quantity {
				t.Errorf("%d, written as %s: got %d, %v", quantity, count, got, err)
			}
		}
	}
	for _, count := range []string{"0", "-1", "2147483648", "4294967297", "9223372036854775808", "18446744073709551617"} {
		for _, written := range []string{count, `"` + count + `"`} {
			_, got, err := factory.ParseCallback(callback(written))
			if shop.CodeOf(err) != shop.CodeInvalidQuantity || !strings.Contains(err.Error(), message.AttributeProductCnt+` is "`+count) {
				t.Errorf("%s: got %d, %v; want %s, and that it names the field", written, got, err, shop.CodeInvalidQuantity)
			}
		}
	}
}

// All 64 bits are signed: a quantity that is the same in 32 bits needs another signature.
func TestQuantityOfACallbackURLIsSignedAsItIs(t *testing.T) {
	signer := newSigner(t, "k")
	for _, quantity := range []int{1, shop.MaxQuantity} {
		attempt := factory.Attempt{ProductionOrderID: uuid.New(), ID: uuid.New(), Quantity: quantity}
		u, err := url.Parse(string(signer.CallbackURL("https://shop.example", "/{order}/{attempt}", attempt)))
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		if got, err := signer.Verify(attempt.ProductionOrderID, attempt.ID, query); err != nil || got.Quantity != quantity {
			t.Errorf("got %+v, %v; want the quantity %d", got, err, quantity)
		}
		for _, other := range []string{fmt.Sprint(quantity + 1), fmt.Sprint(quantity - 1), fmt.Sprint(quantity + 1<<32), "18446744073709551617"} {
			query.Set("quantity", other)
			if _, err := signer.Verify(attempt.ProductionOrderID, attempt.ID, query); shop.CodeOf(err) != shop.CodeInvalidSignature {
				t.Errorf("%s in place of %d: got %v, want %s", other, quantity, err, shop.CodeInvalidSignature)
			}
		}
	}
}
