package awsapi

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestMembersAreCaseSensitive(t *testing.T) {
	type entry struct {
		ID   string `json:"Id"`
		Body string
	}
	type embedded struct{ Name string }
	type input struct {
		embedded
		QueueURL   string `json:"QueueUrl"`
		Entries    []entry
		Attributes map[string]entry
		Rules      *entry
		Any        any
	}
	for _, tt := range []struct{ body, refused string }{
		{`{}`, ""}, {`null`, ""}, {`{"Rules":null,"Entries":null}`, ""},
		{`{"Name":"n","QueueUrl":"u","Entries":[{"Id":"1","Body":"b"},{"Id":"2"}],"Rules":{"Id":"3"}}`, ""},
		{`{"Attributes":{"id":{"Id":"any key"}},"Any":{"id":[{"x":1}]}}`, ""},
		{`{"queueUrl":"u"}`, "queueUrl"}, {`{"QueueURL":"u"}`, "QueueURL"}, {`{"name":"n"}`, "name"},
		{`{"Entries":[{"Id":"1"},{"id":"2"}]}`, "id"}, {`{"Attributes":{"a":{"body":"b"}}}`, "body"},
		{`{"Rules":{"ID":"3"}}`, "ID"}, {`{"Other":1}`, "Other"}, {`{"embedded":{}}`, "embedded"},
	} {
		var in input
		if err := json.Unmarshal([]byte(tt.body), &in); err != nil {
			t.Fatal(err)
		}
		err := checkMembers([]byte(tt.body), &in)
		refusal, _ := errors.AsType[*Error](err)
		if (tt.refused == "") != (err == nil) || refusal != nil && refusal.Code != "SerializationException" {
			t.Errorf("%s: got %v, want the member %q refused", tt.body, err, tt.refused)
		}
	}
}

func TestIsUnicode(t *testing.T) {
	for text, want := range map[string]bool{
		``: true, `"도넛 🍩"`: true, `"\u00e9 \ud83c\udf69"`: true, `"\ud83c\udf69\ud83c\udf69"`: true,
		`"\\ud800"`: true, `"\\\\ud800"`: true, // an escaped backslash
		"\xff": false, "\xed\xa0\x80": false, // a surrogate in UTF-8
		`"\ud800"`: false, `"\udf69"`: false, `"\ud83c"`: false, `"\ud83cx"`: false, `"\ud83c\u0041"`: false,
		`"\ud83c\\udf69"`: false, `"\\\ud83c"`: false, `"\udf69\ud83c"`: false, `"\ud83c\ud83c"`: false,
	} {
		if got := isUnicode([]byte(text)); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
