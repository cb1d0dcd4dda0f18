package legacy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"restock/internal/factory/legacy"
)

func TestReceiptEchoesTheRequestAndRepeatsTheRequester(t *testing.T) {
	const id = "22a0cc0e-0f22-11ee-9253-0242ac110002"
	for _, c := range []struct{ name, body, want string }{
		{"white space, an unknown field, and characters that encoding/json would escape",
			`{"MessageAttributeProductCnt":100,  "extra":[1,2.50],"MessageAttributeRequester":"stock-bot",
				"CallbackUrl":"https://shop.example/?a=1&b=<2>"}`,
			`{"data":{"data":{"MessageAttributeProductCnt":100,  "extra":[1,2.50],` +
				`"MessageAttributeRequester":"stock-bot",
				"CallbackUrl":"https://shop.example/?a=1&b=<2>"},"id":"` + id + `","reqestor":"stock-bot"}}`},
		{"no requester", `{}`, `{"data":{"data":{},"id":"` + id + `"}}`},
		{"a requester that is no text", `{"MessageAttributeRequester":7}`,
			`{"data":{"data":{"MessageAttributeRequester":7},"id":"` + id + `","reqestor":7}}`},
		{"not JSON", `a "lot"`, `{"data":{"data":"a \"lot\"","id":"` + id + `"}}`},
	} {
		got := legacy.ReadOrder([]byte(c.body)).Receipt([]byte(c.body), id)
		if string(got) != c.want || !json.Valid(got) {
			t.Errorf("%s: got\n%s, want\n%s", c.name, got, c.want)
		}
	}
}

func TestLotTakesFortySeconds(t *testing.T) {
	if got := legacy.LeadTime; got != 40*time.Second {
		t.Errorf("a lot takes %v, want four steps of 10 s", got)
	}
}

func TestCallFollowsNoRedirectAndKeepsTheSignatureSecret(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		body, _ := io.ReadAll(r.Body)
		got := fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("Content-Type"), body)
		if want := `POST /receipt?signature=s application/json {"a": 1}`; got != want {
			t.Errorf("the callback is %s, want %s", got, want)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	caller := legacy.NewCaller(http.Client{})
	status, err := caller.Call(t.Context(), server.URL+"/receipt?signature=s", []byte(`{"a": 1}`))
	if status != http.StatusTemporaryRedirect || err != nil || asked != 1 {
		t.Errorf("got status %d, %v, after %d calls; want that of the one redirect", status, err, asked)
	}
	server.Close()
	for _, callback := range []string{server.URL + "/?signature=secret", "http://[/?signature=secret"} {
		if _, err := caller.Call(t.Context(), callback, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want an error without the signature", callback, err)
		}
	}
}
