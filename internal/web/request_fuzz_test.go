package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"restock/internal/shop"
)

// FuzzReadObject checks that ReadObject reads the same values as encoding/json, and that its errors
// have CodeInvalidRequest.
func FuzzReadObject(f *testing.F) {
	for _, body := range []string{
		`{"sku":"CP-502101","price":-1,"automatic":true,"limit":5}`, ` {"sku":"도너츠"} `, `{"sku":"a","sku":"b"}`,
		`{"sku":"a","SKU":"b"}`, `{"sku":"a","\u0073ku":"b"}`,
		`{"sku":"\ud800","price":1e2}`, `{"sku":"x"}{}`, `{"sku":null}`, `[]`, ``,
		`{"limit":` + strings.Repeat("[", 9000), "{\"sku\":\"\xff\"}",
	} {
		f.Add(body)
	}
	type object struct {
		SKU       string `json:"sku" required:"true"`
		Price     int64  `json:"price"`
		Automatic bool   `json:"automatic"`
		Limit     *int   `json:"limit"`
	}
	f.Fuzz(func(t *testing.T, body string) {
		var got, want object
		err := ReadObject(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)),
			&got)
		if err != nil {
			if shop.CodeOf(err) != shop.CodeInvalidRequest {
				t.Errorf("%q: got %v, want %s", body, err, shop.CodeInvalidRequest)
			}
			return
		}
		decoder := json.NewDecoder(strings.NewReader(body))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&want); err != nil || len(body) > maxBody {
			t.Fatalf("%q: ReadObject read it, but encoding/json says %v", body, err)
		}
		gotText, wantText := mustMarshal(t, got), mustMarshal(t, want)
		if gotText != wantText {
			t.Errorf("%q: got %s, want %s", body, gotText, wantText)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &fields); err != nil || fields["sku"] == nil {
			t.Errorf("%q: ReadObject read it, but it has no sku: %v", body, err)
		}
	})
}

func mustMarshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzReadQuery checks that parameters that ReadQuery has read can be encoded and read again, and
// that its errors have CodeInvalidRequest.
func FuzzReadQuery(f *testing.F) {
	for _, query := range []string{
		"limit=5&before=a%20b", "limit=5&limit=6", "limit=%zz", "limit", "limits=5",
		"limit=5;before=1", "l%69mit=5&limit=6", "limit=+&before=%2B", "&&",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		read := func(query string) (map[string]string, error) {
			return ReadQuery(&http.Request{URL: &url.URL{RawQuery: query}}, "before", "limit")
		}
		got, err := read(query)
		if err != nil {
			if shop.CodeOf(err) != shop.CodeInvalidRequest {
				t.Errorf("%q: got %v, want %s", query, err, shop.CodeInvalidRequest)
			}
			return
		}
		written := url.Values{}
		for name, value := range got {
			if value == "" || strings.Count(query, "=") < len(got) {
				t.Errorf("%q: got %q", query, got)
			}
			written.Set(name, value)
		}
		if again, err := read(written.Encode()); err != nil || mustMarshal(t, again) != mustMarshal(t, got) {
			t.Errorf("%q: got %q; encoded and read again it is %q, %v", query, got, again, err)
		}
	})
}
