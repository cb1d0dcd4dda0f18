package factory_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/message"
	"restock/internal/shop"
)

var request = factory.NewRequest(
	message.StockEmpty{SKU: "CP-502101", Quantity: 100, FactoryID: "FF-500293", Requester: "stock-bot"},
	"https://shop.example/callback?signature=s",
)

func TestProduceSendsTheRequestOfTheContract(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		want := `{"MessageGroupId":"stock-arrival-group","MessageAttributeProductId":"CP-502101",` +
			`"MessageAttributeProductCnt":"100","MessageAttributeFactoryId":"FF-500293",` +
			`"MessageAttributeRequester":"stock-bot","CallbackUrl":"https://shop.example/callback?signature=s"}`
		if got := r.Method + " " + r.URL.Path; got != "POST /api/manufactures" {
			t.Errorf("the request is %s, want POST /api/manufactures", got)
		}
		if got := r.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type is %q", got)
		}
		if string(body) != want {
			t.Errorf("the body is\n%s, want\n%s", body, want)
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"data":{"data":`+string(body)+
			`,"id":"22a0cc0e-0f22-11ee-9253-0242ac110002","reqestor":"stock-bot"}}`)
	}))
	defer server.Close()
	lot, err := factory.NewClient(server.URL+"/", time.Minute, nil).Produce(t.Context(), request)
	if err != nil || lot != "22a0cc0e-0f22-11ee-9253-0242ac110002" {
		t.Errorf("got lot %q, %v", lot, err)
	}
}

func TestProduceFailsIfTheFactoryFails(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); io.WriteString(w, body) }
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"400", answer(400, "bad"), `400 Bad Request, not 201: "bad"`},
		{"500", answer(500, ""), "500 Internal Server Error, not 201"},
		{"200 is not 201", answer(200, `{"data":{"id":"x"}}`), "200 OK, not 201"},
		{"garbage", answer(201, "<html>"), `no data.id in "<html>"`},
		{"no id", answer(201, `{"data":{}}`), "no data.id"},
		{"a closed connection", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"a redirection", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "307"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				c.handler(w, r)
			}))
			defer server.Close()
			_, err := factory.NewClient(server.URL, time.Minute, nil).Produce(t.Context(), request)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if n := asked.Load(); n != 1 {
				t.Errorf("the factory got %d requests, want 1: it makes a lot for each", n)
			}
		})
	}
}

func TestProduceGivesUpOnAFactoryThatHangs(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-release
	}))
	defer server.Close()
	defer close(release)
	_, err := factory.NewClient(server.URL, 20*time.Millisecond, nil).Produce(t.Context(), request)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestParseCallback(t *testing.T) {
	const badQuantity = shop.CodeInvalidQuantity
	with := func(quantity string) string {
		return `{"MessageAttributeProductId":"CP-502101","MessageAttributeProductCnt":` + quantity + `}`
	}
	for _, c := range []struct {
		name, body string
		quantity   int
		code       shop.Code
	}{
		{"a string, as the shop sent it", with(`"100"`), 100, ""},
		{"a number", with(`100`), 100, ""},
		{"unknown fields", with(`"7","Extra":{"a":1}`), 7, ""},
		{"no quantity", `{"MessageAttributeProductId":"CP-502101"}`, 0, badQuantity},
		{"null", with(`null`), 0, badQuantity},
		{"empty", with(`""`), 0, badQuantity},
		{"negative", with(`"-1"`), 0, badQuantity},
		{"zero", with(`0`), 0, badQuantity},
		{"not a number", with(`"ten"`), 0, badQuantity},
		{"fractional", with(`1.5`), 0, badQuantity},
		{"larger than an int", with(`"99999999999999999999"`), 0, badQuantity},
		{"no product", `{"MessageAttributeProductCnt":"100"}`, 0, shop.CodeInvalidRequest},
		{"not JSON", `100`, 0, shop.CodeInvalidRequest},
		{"nothing", ``, 0, shop.CodeInvalidRequest},
	} {
		sku, quantity, err := factory.ParseCallback([]byte(c.body))
		if c.code != "" {
			if shop.CodeOf(err) != c.code {
				t.Errorf("%s: got %v, want code %s", c.name, err, c.code)
			}
			continue
		}
		if err != nil || sku != "CP-502101" || quantity != c.quantity {
			t.Errorf("%s: got %q, %d, %v; want CP-502101, %d", c.name, sku, quantity, err, c.quantity)
		}
	}
}

func newSigner(tb testing.TB, letter string) factory.Signer {
	tb.Helper()
	signer, err := factory.NewSigner([]byte(strings.Repeat(letter, 32)))
	if err != nil {
		tb.Fatal(err)
	}
	return signer
}

func TestNewSignerRefusesAShortKey(t *testing.T) {
	if _, err := factory.NewSigner(make([]byte, 31)); err == nil || !strings.Contains(err.Error(),
		"31 bytes, want 32") {
		t.Errorf("got %v, want an error with both lengths", err)
	}
}

func TestVerifyAcceptsOnlyTheSignedURL(t *testing.T) {
	signer, other := newSigner(t, "k"), newSigner(t, "o")
	attempt := factory.Attempt{ProductionOrderID: uuid.New(), ID: uuid.New(), Quantity: 100}
	const template = "/production-orders/{order}/attempts/{attempt}/receipt"
	parse := func(s factory.Signer) *url.URL {
		t.Helper()
		u, err := url.Parse(string(s.CallbackURL("https://shop.example/", template, attempt)))
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	u := parse(signer)
	want := fmt.Sprintf("/production-orders/%s/attempts/%s/receipt", attempt.ProductionOrderID, attempt.ID)
	if u.Host != "shop.example" || u.Path != want {
		t.Errorf("the URL is %s, want the path %s", u, want)
	}
	attempt.Correlation = attempt.ID.String() // an attempt without a correlation is its own
	if got, err := signer.Verify(attempt.ProductionOrderID, attempt.ID, u.Query()); err != nil || got != attempt {
		t.Errorf("our own URL: got %+v, %v; want %+v", got, err, attempt)
	}
	with := func(name, value string) url.Values { q := u.Query(); q.Set(name, value); return q }
	signature := u.Query().Get("signature")
	for _, c := range []struct {
		name           string
		order, attempt uuid.UUID
		query          url.Values
	}{
		{"unsigned", attempt.ProductionOrderID, attempt.ID, url.Values{"quantity": {"100"}}},
		{"another key", attempt.ProductionOrderID, attempt.ID, parse(other).Query()},
		{"another order", uuid.New(), attempt.ID, u.Query()},
		{"another attempt", attempt.ProductionOrderID, uuid.New(), u.Query()},
		{"order and attempt swapped", attempt.ID, attempt.ProductionOrderID, u.Query()},
		{"another quantity", attempt.ProductionOrderID, attempt.ID, with("quantity", "101")},
		{"another correlation", attempt.ProductionOrderID, attempt.ID, with("correlation", attempt.Correlation)},
		{"no correlation", attempt.ProductionOrderID, attempt.ID, with("correlation", "")},
		{"no quantity", attempt.ProductionOrderID, attempt.ID, url.Values{"signature": {signature}}},
		{"cut short", attempt.ProductionOrderID, attempt.ID, with("signature", signature[:len(signature)-1])},
		{"longer", attempt.ProductionOrderID, attempt.ID, with("signature", signature+"A")},
	} {
		if _, err := signer.Verify(c.order, c.attempt, c.query); shop.CodeOf(err) != shop.CodeInvalidSignature {
			t.Errorf("%s: got %v, want code %s", c.name, err, shop.CodeInvalidSignature)
		}
	}
}
