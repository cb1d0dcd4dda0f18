package sns

import (
	"cmp"
	"fmt"
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
		{`[{"anything-but":{"prefix":"b"}}]`, new(text("ab")), true},
		{`[{"prefix":""}]`, new(text("a")), true},
		{`["a","b"]`, new(array(`["x","b"]`)), true},
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

		{`{"a.b":["x"]}`, `{"a":{"b":"x"}}`, true},
		{`{"a":{"b":["x"]}}`, `{"a.b":"x"}`, true},
		{`{"a.b":{"b":["x"]}}`, `{"a":{"b":"x"}}`, false},
		{`{"a":{"b":["x"]},"a.b":["y"]}`, `{"a":{"b":"x"}}`, false}, // the later condition replaces the other
		{`{"a":{"b":["x"]},"a.b":["y"]}`, `{"a":{"b":"y"}}`, true},

		{`{"a":{"b":["x"],"c":["y"]}}`, `{"a":[{"b":"x","c":"y"},{"b":"x"}]}`, true},
		{`{"a":{"b":["x"],"c":["y"]}}`, `{"a":[{"b":"x","c":"z"},{"b":"w","c":"y"}]}`, false}, // no element has both
		{`{"a":{"b":["x"]},"c":["y"]}`, `{"a":[{"b":"w"},{"b":"x"}],"c":["z","y"]}`, true},

		{`{"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"a":"x"}`, true},
		{`{"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"b":"y"}`, true},
		{`{"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"a":"y","b":"x"}`, false},
		{`{"c":[1],"$or":[{"a":["x"]},{"b":["y"],"$or":[{"d":[2]},{"e":[3]}]}]}`, `{"c":1,"b":"y","e":3}`, true},
		{`{"c":[1],"$or":[{"a":["x"]},{"b":["y"],"$or":[{"d":[2]},{"e":[3]}]}]}`, `{"c":1,"b":"y","e":2}`, false},
		{`{"$or":[{"a":["x"]},{"b":["y"]}],"c":[1]}`, `{"b":"y"}`, false},
		{`{"$or":["x"]}`, `{"$or":"x"}`, true}, // it has no two objects, so it is a key
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

// The texts are AWS's; test/conformance compares more of them with recorded ones.
func TestFilterPolicyIsRefused(t *testing.T) {
	const value = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	for _, tt := range []struct {
		policy, want string
		column       int    // of the place that the text ends with; 0 for a text without one
		compact      string // the policy without whitespace, if it differs
	}{
		{`["key"]`, "Filter is not an object", 2, ""},
		{`null`, "Filter is not an object", 5, ""},
		{`{}`, "Empty objects are not allowed", 3, ""},
		{`{"a":{}}`, "Empty objects are not allowed", 8, ""},
		{"{ \"도\" :\n [ ] }", "Empty arrays are not allowed", 8, `{"도":[]}`},
		{`{"key":[],"key":[[]]}`, "Match value must be String, number, true, false, or null", 10, `{"key":[[]]}`},
		{`{"key":"a"}`, `"key" must be an object or an array`, 9, ""},
		{`{"key":[{}]}`, "Match expression name not found", 11, ""},
		{`{"key":[{"like":"a"}]}`, "Unrecognized match type like", 18, ""},
		{`{"key":[{"wildcard":"a*"}]}`, "Unrecognized match type wildcard", 22, ""},
		{`{"key":[{"prefix":"a","suffix":"b"}]}`, "Only one key allowed in match expression", 33, ""},
		{`{"key":[{"cidr":"10.0.0.0"}]}`, "Malformed CIDR, one '/' required", 0, ""},
		{`{"key":[{"cidr":"10.0.0.0/-1"}]}`, "Malformed CIDR, mask bits must not be negative", 0, ""},
		{`{"key":[{"cidr":"10.0.0.256/8"}]}`, "Invalid IP address: 10.0.0.256", 0, ""},
		{`{"key":[{"cidr":"10.0.0.0/32"}]}`, "IPv4 mask bits must be < 32", 0, ""},
		{`{"key":[{"cidr":"::/128"}]}`, "IPv6 mask bits must be < 128", 0, ""},
		{`{"key":[{"exists":"true"}]}`, "exists match pattern must be either true or false.", 20, ""},
		{`{"key":[{"anything-but":[]}]}`, "Inside anything but list, either all values are number or string, " +
			"mixed type is not supported", 27, ""},
		{`{"key":[{"anything-but":["a",5]}]}`, "Inside anything but list, either all values are number or string, " +
			"mixed type is not supported", 32, ""},
		{`{"key":[{"anything-but":{}}]}`, "Anything-But expression name not found", 27, ""},
		{`{"key":[{"anything-but":{"prefix":""}}]}`, "Null prefix not allowed", 37, ""},
		{`{"key":[{"numeric":["",5]}]}`, "Unrecognized numeric range operator: ", 25, ""},
		{`{"key":[{"numeric":["=",1e10]}]}`, "Value must be between -1.0E9 and 1.0E9, inclusive", 30, ""},
		{`{"$or":[{"a":["x"]},{"prefix":["y"]}]}`, "Unrecognized match type a", 15, ""},
		{`{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"$or":[{"e":["x"]},{"f":["x"]}]}`,
			"Filter policy can not have more than 5 keys", 0, ""},
		{manyCombinations(), "Filter policy is too complex", 0, ""},

		{`key`, "Unrecognized token 'key': was expecting " + value, -4, ""},
		{`{"a":nope}`, "Unrecognized token 'nope': was expecting " + value, -10, ""},
		{`{'a':1}`, "Unexpected character (''' (code 39)): was expecting double-quote to start field name", -2, ""},
		{`{"a":1,]`, "Unexpected character (']' (code 93)): was expecting double-quote to start field name", -8, ""},
		{`{"a" 1}`, "Unexpected character ('1' (code 49)): " +
			"was expecting a colon to separate field name and value", -6, ""},
		{`{"a":1 2}`, "Unexpected character ('2' (code 50)): was expecting comma to separate Object entries", -8, ""},
		{`{"a":[1 2]}`, "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", -9, ""},
		{`{"a":[`, "Unexpected end-of-input", -7, ""},
		{`{"a":[]} }`, "Unexpected character ('}' (code 125)): expected a valid value " + value, -10, ""},
	} {
		want := "InvalidParameter: Invalid parameter: FilterPolicy: " + tt.want
		switch {
		case tt.column < 0: // the policy is not JSON
			want = strings.Replace(want, tt.want, "failed to parse JSON. "+tt.want, 1) + fmt.Sprintf("\n at [Source: "+
				"REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: %d]", -tt.column)
		case tt.column > 0:
			want += fmt.Sprintf("\n at [Source: (String)\"%s\"; line: 1, column: %d]",
				cmp.Or(tt.compact, tt.policy), tt.column)
		}
		_, err := SubscriptionConfig{QueueARN: "arn:aws:sqs:ap-northeast-2:000000000000:q", FilterPolicy: tt.policy,
			FilterPolicyScope: MessageBody}.newFilter("arn:aws:sns:eu-west-1:000000000000:topic")
		if err == nil || err.Error() != want {
			t.Errorf("%.300s:\n got error %v\nwant %s", tt.policy, err, want)
		}
	}
}
