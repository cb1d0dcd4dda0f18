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
		m := message.StockEmpty{SKU: "CP-502101", Quantity: quantity}
		asked := factory.NewRequest(m, "https://shop.example").ProductCnt
		for _, count := range []string{asked, `"` + asked + `"`} {
			if _, got, err := factory.ParseCallback(callback(count)); err != nil || got != quantity {
				t.Errorf("%d, written as %s: got %d, %v", quantity, count, got, err)
			}
		}
	}
	for _, count := range []string{
		"0", "-1", "2147483648", "4294967297", "9223372036854775808", "18446744073709551617",
	} {
		want := message.AttributeProductCnt + ` is "` + count
		for _, written := range []string{count, `"` + count + `"`} {
			_, got, err := factory.ParseCallback(callback(written))
			if shop.CodeOf(err) != shop.CodeInvalidQuantity || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %d, %v; want %s with %q", written, got, err, shop.CodeInvalidQuantity, want)
			}
		}
	}
}

// The signature covers all 64 bits of the quantity: 1 and 1 + 2^32 have different signatures.
func TestAllBitsOfTheQuantityAreSigned(t *testing.T) {
	signer := newSigner(t, "k")
	for _, quantity := range []int{1, shop.MaxQuantity} {
		attempt := factory.Attempt{ProductionOrderID: uuid.New(), ID: uuid.New(), Quantity: quantity}
		u, err := url.Parse(string(signer.CallbackURL("https://shop.example", "/{order}/{attempt}", attempt)))
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		got, err := signer.Verify(attempt.ProductionOrderID, attempt.ID, query)
		if err != nil || got.Quantity != quantity {
			t.Errorf("got %+v, %v; want the quantity %d", got, err, quantity)
		}
		for _, other := range []string{
			fmt.Sprint(quantity + 1), fmt.Sprint(quantity - 1), fmt.Sprint(quantity + 1<<32), "18446744073709551617",
		} {
			query.Set("quantity", other)
			_, err := signer.Verify(attempt.ProductionOrderID, attempt.ID, query)
			if shop.CodeOf(err) != shop.CodeInvalidSignature {
				t.Errorf("%s in place of %d: got %v, want %s", other, quantity, err, shop.CodeInvalidSignature)
			}
		}
	}
}
