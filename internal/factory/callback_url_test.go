package factory_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"restock/internal/factory"
	"restock/internal/message"
)

// signed returns a request with a callback URL, and the URL's signature.
func signed(t *testing.T) (r factory.Request, signature string) {
	t.Helper()
	attempt := factory.Attempt{
		ProductionOrderID: uuid.New(), ID: uuid.New(), Quantity: 100, Correlation: "JKJaXmPLvHcESHA=",
	}
	u := newSigner(t, "k").CallbackURL("https://shop.example", "/{order}/{attempt}", attempt)
	parsed, err := url.Parse(string(u))
	if err != nil {
		t.Fatal(err)
	}
	return factory.NewRequest(message.StockEmpty{SKU: "CP-502101", Quantity: 100}, u), parsed.Query().Get("signature")
}

func TestNoWayToPrintShowsASignatureOrTheKey(t *testing.T) {
	request, signature := signed(t)
	var out bytes.Buffer
	for _, value := range []any{
		request.CallbackURL, &request.CallbackURL, request, &request, []any{request}, newSigner(t, "k"),
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		fmt.Fprintln(&out, fmt.Errorf("failed: %v", value))
		slog.New(slog.NewTextHandler(&out, nil)).Info("line", "value", value)
	}
	// []any{request} is not in this list: encoding/json writes the whole URL, as the client sends
	// it.
	for _, value := range []any{request.CallbackURL, request, &request, newSigner(t, "k")} {
		slog.New(slog.NewJSONHandler(&out, nil)).With("with", value).Info("line", "value", value)
	}
	for _, secret := range []string{
		signature, fmt.Sprintf("%x", signature), fmt.Sprintf("%X", signature),
		strings.Repeat("107 ", 31), strings.Repeat("6b", 32), strings.Repeat("k", 32),
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the output contains %q:\n%s", secret, out.String())
		}
	}
	if where := fmt.Sprint(request.CallbackURL); !strings.HasPrefix(where, "https://shop.example/") {
		t.Errorf("got %q, want the host of the callback", where)
	}
	if text, err := json.Marshal(request); err != nil || !strings.Contains(string(text), signature) {
		t.Errorf("the request is sent as %s, %v; want the whole URL", text, err)
	}
}

// The factory repeats the request in its answers.
func TestErrorsDoNotQuoteTheSignatureFromTheFactorysAnswer(t *testing.T) {
	request, signature := signed(t)
	for _, status := range []int{http.StatusCreated, http.StatusBadRequest} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "cannot call "+signature+" back")
		}))
		_, err := factory.NewClient(server.URL, time.Minute, nil).Produce(t.Context(), request)
		server.Close()
		if err == nil || strings.Contains(err.Error(), signature) || !strings.Contains(err.Error(), "cannot call") {
			t.Errorf("status %d: got %v, want the answer without the signature", status, err)
		}
	}
}
