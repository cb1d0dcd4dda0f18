package strict

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"restock/test/fuzzing"
)

func TestRandomInputs(t *testing.T) { fuzzing.Targets(t) }

// FuzzDecode checks that Decode reads all that a text says, like encoding/json, and that an error
// is one line without Go's names.
func FuzzDecode(f *testing.F) {
	type part struct {
		Name string `json:"name"`
		Size int    `json:"size"`
	}
	type settings struct {
		Zones    []string        `json:"zones"`
		Protect  bool            `json:"protect"`
		Rate     float64         `json:"rate"`
		Part     part            `json:"part"`
		Maybe    *part           `json:"maybe"`
		Numbers  map[string]int  `json:"numbers"`
		Parts    []part          `json:"parts"`
		ByName   map[string]part `json:"byName"`
		Internal int             `json:"-"`
	}
	defaults := func() settings { return settings{Numbers: map[string]int{"sales-api": 5}, Part: part{Size: 20}} }
	for _, text := range []string{
		`{"zones":["a","b"],"protect":true,"rate":1.5,"part":{"name":"x","size":3},"maybe":{"size":1},` +
			`"numbers":{"stock":2},"parts":[{}],"byName":{"a":{"size":1}}}`,
		`{"part":{"sise":1},"part":{}}`, `{"numbers":{"bogus":1},"numbers":{}}`, `{"part":{"size":1e300}}`,
		`{"part":{"size":9007199254740993}}`, `{"part":{"size":1e2}}`,
		`{"rate":1e999}`, `{"maybe":null}`, `{"Zones":[]}`, `{"-":1}`, `{"":1}`, `{} {}`, `[]`, `{"zones":[1]}`,
		`{"a\nb":1}`,
		`{"part":"a\nb"}`, `{"zones":` + strings.Repeat("[", 3000),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := defaults()
		if err := Decode(text, &got); err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b") || strings.Contains(err.Error(), "Go ") {
				t.Errorf("%q: the error is %q, want one line for people", text, err)
			}
			return
		}
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatalf("%q: Decode accepted a text that is not JSON: %v", text, err)
		}
		once, err := json.Marshal(value) // has each key once
		if err != nil {
			t.Fatal(err)
		}
		want := defaults()
		decoder := json.NewDecoder(strings.NewReader(string(once)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v, %v", text, got, want, err)
		}
	})
}
