package sns

import (
	"strings"
	"testing"

	"restock/local/aws/sqs"
)

func TestFilterOfAttributes(t *testing.T) {
	text := func(value string) sqs.MessageAttribute {
		return sqs.MessageAttribute{DataType: "String", StringValue: value}
	}
	number := func(value string) sqs.MessageAttribute {
		return sqs.MessageAttribute{DataType: "Number.int", StringValue: value}
	}
	array := func(value string) sqs.MessageAttribute {
		return sqs.MessageAttribute{DataType: "String.Array", StringValue: value}
	}
	binary := sqs.MessageAttribute{DataType: "Binary", BinaryValue: []byte("a")}
	other := text("other")
	for _, tt := range []struct {
		rules string // the conditions of the key
		value *sqs.MessageAttribute
		want  bool
	}{
		{`["a"]`, new(text("a")), true},
		{`["a"]`, new(text("A")), false},
		{`["a"]`, nil, false},
		{`["a"]`, &binary, false},
		{`["100"]`, new(number("100")), false},
		{`[100]`, new(number("1e2")), true},
		{`[100]`, new(text("100")), false},
		{`[true,null]`, new(array(`["x",null]`)), true},
		{`[true,null]`, new(array(`["x",false]`)), false},
		{`["a"]`, new(array(`not JSON`)), false},
		{`[{"prefix":"ab"}]`, new(text("abc")), true},
		{`[{"prefix":"ab"}]`, new(text("bc")), false},
		{`[{"suffix":"bc"}]`, new(text("abc")), true},
		{`[{"suffix":"bc"}]`, new(text("ab")), false},
		{`[{"equals-ignore-case":"ab"}]`, new(text("AB")), true},
		{`[{"cidr":"10.0.0.0/24"}]`, new(text("10.0.0.7")), true},
		{`[{"cidr":"10.0.0.0/24"}]`, new(text("10.0.1.7")), false},
		{`[{"cidr":"10.0.0.0/24"}]`, new(text("nowhere")), false},
		{`[{"anything-but":"a"}]`, new(text("b")), true},
		{`[{"anything-but":"a"}]`, new(text("a")), false},
		{`[{"anything-but":"a"}]`, nil, false},
		{`[{"anything-but":["a","b"]}]`, new(array(`["a","c"]`)), true},
		{`[{"anything-but":["a","b"]}]`, new(array(`["a","b"]`)), false},
		{`[{"anything-but":[1]}]`, new(number("1.0")), false},
		{`[{"anything-but":{"prefix":"a"}}]`, new(text("ab")), false},
		{`[{"anything-but":{"suffix":"a"}}]`, new(text("ab")), true},
		{`[{"numeric":["=",5]}]`, new(number("5")), true},
		{`[{"numeric":["<",5]}]`, new(number("5")), false},
		{`[{"numeric":["<=",5]}]`, new(number("5")), true},
		{`[{"numeric":[">",5]}]`, new(number("5")), false},
		{`[{"numeric":[">=",0,"<",5]}]`, new(number("0")), true},
		{`[{"numeric":[">=",0,"<",5]}]`, new(number("5")), false},
		{`[{"numeric":[">",5]}]`, new(array(`[1,6]`)), true},
		{`[{"exists":true}]`, new(text("a")), true},
		{`[{"exists":true}]`, nil, false},
		{`[{"exists":false}]`, nil, true},
		{`[{"exists":false}]`, new(text("a")), false},
		{`["a",{"prefix":"b"},{"exists":false}]`, new(text("bc")), true},
		{`["a",{"prefix":"b"},{"exists":false}]`, nil, true},
	} {
		f, err := parseFilter(`{"key":`+tt.rules+`}`, MessageAttributes)
		if err != nil {
			t.Errorf("%s: %v", tt.rules, err)
			continue
		}
		attributes := map[string]sqs.MessageAttribute{"other": other}
		if tt.value != nil {
			attributes["key"] = *tt.value
		}
		if got := f.matchesAttributes(attributes); got != tt.want {
			t.Errorf("%s of %+v: got %v, want %v", tt.rules, tt.value, got, tt.want)
		}
	}
}

func TestFilterAcceptsNoMessageWithoutAttributes(t *testing.T) {
	f, err := parseFilter(`{"key":[{"exists":false}]}`, MessageAttributes)
	if err != nil {
		t.Fatal(err)
	}
	if f.matchesAttributes(nil) {
		t.Error("a message without attributes was accepted, want it refused")
	}
}

func TestFilterOfBodies(t *testing.T) {
	for _, tt := range []struct {
		policy, body string
		want         bool
	}{
		{`{"a":["x"]}`, `{"a":"x"}`, true},
		{`{"a":["x"]}`, `{"a":["y","x"]}`, true},
		{`{"a":["x"]}`, `{"b":"x"}`, false},
		{`{"a":["x"]}`, `"x"`, false},
		{`{"a":["x"]}`, `null`, false},
		{`{"a":["x"]}`, `{"a":{"x":"x"}}`, false},
		{`{"a":[true,null]}`, `{"a":null}`, true},
		{`{"a":[1.5]}`, `{"a":1.50}`, true},
		{`{"a":{"b":["x"]}}`, `{"a":{"b":"x"}}`, true},
		{`{"a":{"b":["x"]}}`, `{"a":"b"}`, false},
		{`{"a":{"b":["x"],"c":["y"]}}`, `{"a":{"b":"x","c":"z"}}`, false},
		{`{"a":{"b":["x"]}}`, `{"a":[{"b":"y"},{"b":"x"}]}`, true},
		{`{"a":{"b":[{"exists":false}]}}`, `{"a":{"c":1}}`, true},
		{`{"a":[{"exists":true}]}`, `{"a":null}`, false},
		{`{"a":[{"exists":true}]}`, `{"a":""}`, false},
		{`{"a":[{"anything-but":"x"}]}`, `{"a":[[1]]}`, true},
	} {
		f, err := parseFilter(tt.policy, MessageBody)
		if err != nil {
			t.Errorf("%s: %v", tt.policy, err)
			continue
		}
		if got := f.matchesBody(tt.body); got != tt.want {
			t.Errorf("%s of %s: got %v, want %v", tt.policy, tt.body, got, tt.want)
		}
	}
}

func TestFilterPolicyIsRefused(t *testing.T) {
	for policy, want := range map[string]string{
		`key`:                                   "JSON",
		`["key"]`:                               "JSON",
		`null`:                                  "JSON",
		`{"key":"a"}`:                           "array",
		`{"key":[]}`:                            "empty",
		`{"key":[[]]}`:                          "match value",
		`{"key":[{}]}`:                          "one key",
		`{"$or":[{"a":["x"]},{"b":["y"]}]}`:     "$or is not available",
		`{"key":{"a":["x"]}}`:                   "nested",
		`{"key":[{"like":"a"}]}`:                "unrecognized match type like",
		`{"key":[{"prefix":"a","suffix":"b"}]}`: "one key",
		`{"key":[{"prefix":1}]}`:                "prefix",
		`{"key":[{"suffix":""}]}`:               "suffix",
		`{"key":[{"cidr":"10.0.0.0"}]}`:         "CIDR",
		`{"key":[{"exists":"yes"}]}`:            "exists",
		`{"key":[{"anything-but":null}]}`:       "anything-but",
		`{"key":[{"anything-but":[]}]}`:         "empty",
		`{"key":[{"anything-but":[{}]}]}`:       "strings or numbers",
		`{"key":[{"anything-but":{"cidr":"10.0.0.0/8"}}]}`:              "prefix or suffix",
		`{"key":[{"anything-but":{}}]}`:                                 "anything-but",
		`{"key":[{"numeric":5}]}`:                                       "numeric",
		`{"key":[{"numeric":["=","5"]}]}`:                               "numeric",
		`{"key":[{"numeric":["!=",5]}]}`:                                "numeric",
		`{"key":[{"numeric":["",5]}]}`:                                  "numeric",
		`{"key":[{"numeric":["=",1e10]}]}`:                              "1e9",
		`{"key":[{"numeric":["<",5,">",0]}]}`:                           "lower bound",
		`{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]}`: "6 keys",
		`{"a":["1","2","3","4","5","6"],"b":["1","2","3","4","5","6"],` +
			`"c":["1","2","3","4","5"]}`: "more combinations than 150",
	} {
		_, err := SubscriptionConfig{QueueARN: "arn:aws:sqs:ap-northeast-2:000000000000:q",
			FilterPolicy: policy}.newFilter()
		if err == nil || !strings.HasPrefix(err.Error(), "InvalidParameter: Invalid parameter: FilterPolicy: ") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want an InvalidParameter with %q", policy, err, want)
		}
	}
}
