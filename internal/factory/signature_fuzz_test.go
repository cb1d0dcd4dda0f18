package factory_test

import (
	"bytes"
	"cmp"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/shop"
	"restock/test/fuzzing"
)

const template = "/production-orders/{order}/attempts/{attempt}/receipt"

// callbackOf returns the parts of the callback URL of an attempt.
func callbackOf(tb testing.TB, signer factory.Signer, a factory.Attempt) (order, attempt uuid.UUID, query string) {
	tb.Helper()
	u, err := url.Parse(string(signer.CallbackURL("https://shop.example/", template, a)))
	if err != nil {
		tb.Fatal(err)
	}
	parts := strings.Split(u.Path, "/")
	if len(parts) != 6 {
		tb.Fatalf("the path is %s", u.Path)
	}
	return uuid.MustParse(parts[2]), uuid.MustParse(parts[4]), u.RawQuery
}

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzVerify checks that Verify accepts signed callbacks only. The fuzzer knows two signed
// callbacks and not the key, so Verify must return one of these two attempts, unchanged, or refuse.
func FuzzVerify(f *testing.F) {
	signer := newSigner(f, "k")
	id := func(end string) uuid.UUID { return uuid.MustParse("0190d6a8-f000-7000-8000-0000000000" + end) }
	signed := []factory.Attempt{
		{ProductionOrderID: id("01"), ID: id("a1"), Quantity: 100, Correlation: "JKJaXmPLvHcESHA="},
		{ProductionOrderID: id("02"), ID: id("a2"), Quantity: 7, Correlation: id("a2").String()},
	}
	for i, a := range signed {
		order, attempt, query := callbackOf(f, signer, a)
		other := signed[1-i]
		quantity := "quantity=" + url.QueryEscape(strings.Split(strings.SplitAfter(query, "quantity=")[1], "&")[0])
		for _, forged := range []string{
			query, query + "&quantity=999", "quantity=999&" + query,
			strings.Replace(query, quantity, "quantity=999", 1),
			strings.Replace(query, quantity, "quantity=%2B7", 1), strings.Replace(query, quantity, "", 1),
			query + "&correlation=x", "correlation=x&" + query, strings.Replace(query, "correlation=", "c=", 1),
			strings.ToLower(query), query[:len(query)-1], query + "%3D", query + "=",
			strings.Replace(query, "signature=", "signature=&signature=", 1), "",
		} {
			f.Add(order[:], attempt[:], forged)
		}
		f.Add(other.ProductionOrderID[:], attempt[:], query)
		f.Add(order[:], other.ID[:], query)
		f.Add(attempt[:], order[:], query)
	}
	f.Fuzz(func(t *testing.T, orderID, attemptID []byte, rawQuery string) {
		order, err1 := uuid.FromBytes(orderID)
		attempt, err2 := uuid.FromBytes(attemptID)
		if err1 != nil || err2 != nil {
			return // the router accepts paths with UUIDs only
		}
		query, _ := url.ParseQuery(rawQuery) // the parameters that can be read, as from URL.Query
		got, err := signer.Verify(order, attempt, query)
		if err != nil {
			if shop.CodeOf(err) != shop.CodeInvalidSignature || got != (factory.Attempt{}) {
				t.Errorf("%s %s ?%q: got %+v, %v", order, attempt, rawQuery, got, err)
			}
			return
		}
		if got != signed[0] && got != signed[1] {
			t.Errorf("%s %s ?%q: Verify accepted %+v, which was never signed", order, attempt, rawQuery, got)
		}
	})
}

// FuzzCallbackURL checks that a callback URL needs no escapes, that Verify returns the signed
// attempt, and that it refuses the callback if one of its parts is changed or another key signed
// it.
func FuzzCallbackURL(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte("fedcba9876543210"), 100, "JKJaXmPLvHcESHA=", "x", uint8(3),
		[]byte(strings.Repeat("o", 32)))
	f.Add([]byte("0123456789abcdef"), []byte("fedcba9876543210"), -1, "", "&quantity=5", uint8(0),
		[]byte(strings.Repeat("k", 31)+"l"))
	f.Add([]byte("0123456789abcdef"), []byte("0123456789abcdef"), 0, "\x00\xff%", "\x00", uint8(200), []byte{})
	signer := newSigner(f, "k")
	f.Fuzz(func(t *testing.T, orderID, attemptID []byte, quantity int, correlation, more string, at uint8,
		otherKey []byte) {
		if len(orderID) != 16 || len(attemptID) != 16 {
			return
		}
		a := factory.Attempt{
			ProductionOrderID: uuid.UUID(orderID), ID: uuid.UUID(attemptID), Quantity: quantity,
			Correlation: correlation,
		}
		order, attempt, rawQuery := callbackOf(t, signer, a)
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(rawQuery, "%+") {
			t.Errorf("%+v: the query is %q, want no escapes", a, rawQuery)
		}
		a.Correlation = cmp.Or(a.Correlation, a.ID.String())
		if got, err := signer.Verify(order, attempt, query); err != nil || got != a {
			t.Fatalf("%+v verified as %+v, %v", a, got, err)
		}

		changed := func(name, value string) url.Values {
			v, _ := url.ParseQuery(rawQuery)
			v.Set(name, value)
			return v
		}
		signature := []byte(query.Get("signature"))
		signature[int(at)%len(signature)] ^= 1
		for what, refused := range map[string]func() error{
			"another order":   func() error { _, err := signer.Verify(flip(order, at), attempt, query); return err },
			"another attempt": func() error { _, err := signer.Verify(order, flip(attempt, at), query); return err },
			"another quantity": func() error {
				_, err := signer.Verify(order, attempt, changed("quantity", "1"+query.Get("quantity")))
				return err
			},
			"another correlation": func() error {
				_, err := signer.Verify(order, attempt, changed("correlation", query.Get("correlation")+more+"x"))
				return err
			},
			"another signature": func() error {
				_, err := signer.Verify(order, attempt, changed("signature", string(signature)))
				return err
			},
			"a longer signature": func() error {
				_, err := signer.Verify(order, attempt, changed("signature", query.Get("signature")+"A"))
				return err
			},
		} {
			if err := refused(); shop.CodeOf(err) != shop.CodeInvalidSignature {
				t.Errorf("%+v with %s: got %v, want it refused", a, what, err)
			}
		}
		other, err := factory.NewSigner(otherKey)
		if short := len(otherKey) < 32; (err != nil) != short {
			t.Errorf("a key of %d bytes: %v", len(otherKey), err)
		}
		if err == nil && !bytes.Equal(otherKey, []byte(strings.Repeat("k", 32))) {
			if _, err := other.Verify(order, attempt, query); shop.CodeOf(err) != shop.CodeInvalidSignature {
				t.Errorf("%+v by another key: got %v, want it refused", a, err)
			}
		}
	})
}

// flip returns an id with one bit changed.
func flip(id uuid.UUID, at uint8) uuid.UUID {
	id[at%16] ^= 1 << (at / 16 % 8)
	return id
}

// FuzzParseCallback checks that ParseCallback returns a product and a valid quantity, or an error
// that blames the caller.
func FuzzParseCallback(f *testing.F) {
	for _, body := range []string{
		`{"MessageAttributeProductId":"CP-502101","MessageAttributeProductCnt":"100"}`,
		`{"MessageAttributeProductId":"CP-502101","MessageAttributeProductCnt":100}`,
		`{"MessageAttributeProductId":"CP-502101","MessageAttributeProductCnt":"+1"}`,
		`{"MessageAttributeProductId":"a","MessageAttributeProductCnt":"\"7\""}`,
		`{"MessageAttributeProductId":"a","MessageAttributeProductCnt":1e2}`,
		`{"MessageAttributeProductId":"a","MessageAttributeProductCnt":2147483648}`,
		`{"MessageAttributeProductId":"a","MessageAttributeProductCnt":null}`, `null`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sku, quantity, err := factory.ParseCallback(body)
		if err != nil {
			if code := shop.CodeOf(err); code != shop.CodeInvalidRequest && code != shop.CodeInvalidQuantity ||
				sku != "" || quantity != 0 {
				t.Errorf("%q: got %q, %d, %v", body, sku, quantity, err)
			}
			return
		}
		if sku == "" || quantity < 1 || quantity > shop.MaxQuantity {
			t.Errorf("%q: got %d of %q", body, quantity, sku)
		}
	})
}
