package web

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"restock/internal/shop"
)

func TestReadObjectReadsKnownFieldsAndNamesTheOthers(t *testing.T) {
	type object struct {
		SKU       string `json:"sku" required:"true"`
		Price     int64  `json:"price"`
		Automatic bool   `json:"automatic"`
		Limit     *int   `json:"limit"`
	}
	five := 5
	for _, c := range []struct {
		body string
		want object
		says string // "" for no error
	}{
		{`{"sku":"CP-1"}`, object{SKU: "CP-1"}, ""},
		{` {"automatic":true,"sku":"도너츠","price":-1,"limit":5} `, object{"도너츠", -1, true, &five}, ""},

		{``, object{}, "the field sku is missing: the body is a JSON object with sku, price, automatic, limit"},
		{`{}`, object{}, "the field sku is missing"},
		{`null`, object{}, "not a JSON object"},
		{`[]`, object{}, "not a JSON object"},
		{`"sku"`, object{}, "not a JSON object"},
		{`sku=CP-1`, object{}, "not a JSON object"},
		{`{"sku":"CP-1"`, object{}, "not a JSON object"},
		{`{"sku":`, object{}, "not a JSON object"},
		{`{"sku" "CP-1"}`, object{}, "not a JSON object"},
		{`{"sku":"CP-1"}{"sku":"CP-2"}`, object{}, "there is more after its end"},
		{`{"sku":"CP-1"} x`, object{}, "there is more after its end"},
		{`{"sku":"CP-1","sku":"CP-2"}`, object{}, "the field sku appears twice"},
		{`{"sku":"CP-1","SKU":"CP-2"}`, object{}, `there is no field "SKU": there are sku, price, automatic, limit`},
		{`{"sku":"CP-1","qty":2}`, object{}, `there is no field "qty"`},
		{`{"sku":null}`, object{}, "the field sku is null: it must be text"},
		{`{"sku":"CP-1","limit":null}`, object{}, "the field limit is null: it must be an integer"},
		{`{"sku":5}`, object{}, "the field sku is 5: it must be text"},
		{`{"sku":"CP-1","price":"5"}`, object{}, `the field price is "5": it must be an integer`},
		{`{"sku":"CP-1","price":1.5}`, object{}, "the field price is 1.5: it must be an integer"},
		{`{"sku":"CP-1","price":99999999999999999999}`, object{},
			"the field price is 99999999999999999999: it must be an integer from -2^63 to 2^63-1"},
		{`{"sku":"CP-1","automatic":1}`, object{}, "the field automatic is 1: it must be true or false"},
		{"{\"sku\":\"CP-\xff\"}", object{}, "not UTF-8"},
		{`{"sku":"` + strings.Repeat("x", maxBody) + `"}`, object{}, "longer than 16384 bytes"},
	} {
		var got object
		err := ReadObject(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body)),
			&got)
		if c.says == "" {
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%.80s: got %+v, %v; want %+v", c.body, got, err, c.want)
			}
			continue
		}
		if err == nil || shop.CodeOf(err) != shop.CodeInvalidRequest || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.80s: got %v, want %s with %q", c.body, err, shop.CodeInvalidRequest, c.says)
		}
	}
}

func TestReadObjectWithoutFieldsRefusesEveryField(t *testing.T) {
	for body, says := range map[string]string{
		"": "", "{}": "", `{"sku":"CP-1"}`: `there is no field "sku": there are none`,
	} {
		err := ReadObject(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)),
			&struct{}{})
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%q: got %v, want %q", body, err, says)
		}
	}
}

func TestReadQueryReadsKnownParametersAndNamesTheOthers(t *testing.T) {
	for _, c := range []struct {
		query string
		want  map[string]string
		says  string
	}{
		{"", map[string]string{}, ""},
		{"limit=5&before=a%20b", map[string]string{"limit": "5", "before": "a b"}, ""},
		{"limits=5", nil, `there is no parameter "limits": there are before, limit`},
		{"limit=5&limit=6", nil, "the parameter limit appears twice"},
		{"limit=", nil, "the parameter limit has no value"},
		{"limit", nil, "the parameter limit has no value"},
		{"limit=%zz", nil, "the parameters cannot be read"},
	} {
		got, err := ReadQuery(httptest.NewRequest(http.MethodGet, "/?"+c.query, nil), "before", "limit")
		if c.says == "" {
			if err != nil || !maps.Equal(got, c.want) {
				t.Errorf("%s: got %v, %v; want %v", c.query, got, err, c.want)
			}
		} else if err == nil || shop.CodeOf(err) != shop.CodeInvalidRequest || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %s with %q", c.query, err, shop.CodeInvalidRequest, c.says)
		}
	}
}

func TestAnIDHasOneForm(t *testing.T) {
	const id = "0188d6a8-f000-7000-8000-00000000cb01"
	for text, want := range map[string]bool{
		id: true, strings.ToUpper(id): true,
		"": false, id[1:]: false, strings.ReplaceAll(id, "-", ""): false, "{" + id + "}": false,
		"urn:uuid:" + id: false,
	} {
		got, ok := ParseID(text)
		if ok != want || ok && got.String() != id {
			t.Errorf("%q: got %v, %t; want %s, %t", text, got, ok, id, want)
		}
	}
}
