package conformance

import (
	"strings"
	"testing"
)

// A pattern of EventBridge with an operator that SNS has, too. The recorded texts show that SNS and
// EventBridge evaluate patterns with the same library.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
type pattern struct {
	test, policy string
	body         string // a message
	want         any    // whether it matches; or why the policy is refused
}

func (p pattern) check(r *Recorded) {
	s := snsSubscription{r: r, topic: r.snsTopic(nil)}
	s.queue, s.target = r.snsQueue()
	subscribed := s.subscribe(attributeMap{
		"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": p.policy,
	})
	if reason, isRefused := p.want.(string); isRefused {
		// EventBridge tells the column in the policy as it was sent; SNS removes whitespace before.
		subscribed.refused(400, "InvalidParameter", "")
		text, _, _ := strings.Cut(subscribed.message, "\n")
		r.fact("sns", "Subscribe", errorText, "the text's first line", text,
			"Invalid parameter: Attributes Reason: FilterPolicy: "+reason)
		return
	}
	subscribed.ok()
	s.publish(p.body, nil).ok()
	if p.want == true {
		s.delivers(p.body)
	} else {
		s.delivers()
	}
}

func TestRecordedEventPatterns(t *testing.T) {
	const (
		noString    = " match pattern must be a string"
		noContainer = " must be an object or an array"
		value       = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
		ranges      = `{"a":{"b":[{"numeric":[">",0,"<=",5]}],` +
			`"c":[{"numeric":["<",10]}],"d":[{"numeric":["=",301.8]}]}}`
		either = `{"a":{"$or":[{"b":[{"numeric":[">",0,"<=",5]}]},{"c":[{"numeric":["<",10]}]},` +
			`{"d":[{"numeric":["=",301.8]}]}]}}`
		several = `{"t":[{"prefix":"2022-07-13"}],` +
			`"a":{"s":[{"anything-but":"init"}],"b":[{"numeric":[">",0,"<=",5]}],` +
			`"c":[{"numeric":["<",10]}],"d":[{"anything-but":[100,200,300]}]}}`
		roses  = `{"n":{"i":{"h":{"S":[{"anything-but":["roses"]},{"exists":false}]}}}}`
		mixed  = `{"n":{"f":{"N":[{"numeric":[">",100]},{"anything-but":"101"}]}}}`
		ipv4   = `{"a":{"ip":[{"cidr":"10.0.0.0/24"}]}}`
		ipv6   = `{"a":{"ip":[{"cidr":"2001:db8:1234:1a00::/64"}]}}`
		butOne = `{"a":{"s":[{"anything-but":"init"}]}}`
		butTwo = `{"a":{"s":[{"anything-but":["stopped","overloaded"]}]}}`
		butInt = `{"a":{"x":[{"anything-but":[100,200,300]}]}}`
		butPre = `{"a":{"s":[{"anything-but":{"prefix":"init"}}]}}`
	)
	var recordings []recording
	for _, p := range []pattern{
		{"arrays", `{"a":["x","y","z"]}`, `{"a":["w","x"]}`, true},
		{"arrays_NEG", `{"a":["x","y","z"]}`, `{"a":["w"]}`, false},
		{"arrays_empty_EXC", `{"a":[]}`, "", "Empty arrays are not allowed"},
		{"arrays_empty_null_NEG", `{"a":[null]}`, `{"a":[]}`, false},
		{"boolean", `{"a":[false]}`, `{"a":false}`, true},
		{"boolean_NEG", `{"a":[false]}`, `{"a":true}`, false},
		{"complex_multi_match", several, `{"t":"2022-07-13T13:48:01Z","a":{"s":"run","b":3,"c":9,"d":999}}`, true},
		{"complex_multi_match_NEG", several, `{"t":"2022-07-13T13:48:01Z","a":{"s":"run","b":3,"c":9,"d":300}}`, false},
		{"complex_or", either, `{"a":{"b":0,"c":0,"d":901.8}}`, true},
		{"complex_or_NEG", either, `{"a":{"b":0,"c":10,"d":901.8}}`, false},
		{"content_anything_but_number", `{"a":{"x":[{"anything-but":123}]}}`, `{"a":{"x":789}}`, true},
		{"content_anything_but_number_NEG", `{"a":{"x":[{"anything-but":123}]}}`, `{"a":{"x":123}}`, false},
		{"content_anything_but_number_list", butInt, `{"a":{"x":999}}`, true},
		{"content_anything_but_number_list_NEG", butInt, `{"a":{"x":100}}`, false},
		{"content_anything_but_number_zero", `{"a":{"x":[{"anything-but":0}]}}`, `{"a":{"x":789}}`, true},
		{"content_anything_but_string", butOne, `{"a":{"s":"pending"}}`, true},
		{"content_anything_but_string_NEG", butOne, `{"a":{"s":"init"}}`, false},
		{"content_anything_but_string_missing_NEG", butOne, `{"a":{}}`, false},
		{"content_anything_but_string_null", butOne, `{"a":{"s":null}}`, true},
		{"content_anything_but_string_null_type_EXC", `{"a":{"s":[{"anything-but":null}]}}`, "",
			"Value of anything-but must be an array or single string/number value."},
		{"content_anything_but_string_list", butTwo, `{"a":{"s":"pending"}}`, true},
		{"content_anything_but_string_list_NEG", butTwo, `{"a":{"s":"stopped"}}`, false},
		{"content_anything_but_string_list_missing_NEG", butTwo, `{"a":{}}`, false},
		{"content_anything_but_string_list_null", butTwo, `{"a":{"s":null}}`, true},
		{"content_anything_but_string_list_null_type_EXC", `{"a":{"s":[{"anything-but":["stopped",null]}]}}`, "",
			"Inside anything but list, start|null|boolean is not supported."},
		{"content_anything_prefix", butPre, `{"a":{"s":"post-init"}}`, true},
		{"content_anything_prefix_NEG", butPre, `{"a":{"s":"init-prefix"}}`, false},
		{"content_anything_prefix_int_value", butPre, `{"a":{"s":12}}`, true},
		{"content_anything_prefix_missing_NEG", butPre, `{"a":{}}`, false},
		{"content_anything_prefix_null", butPre, `{"a":{"s":null}}`, true},
		{"content_exists", `{"a":{"s":[{"exists":true}]}}`, `{"a":{"i":"1","s":"pending"}}`, true},
		{"content_exists_NEG", `{"a":{"s":[{"exists":true}]}}`, `{"a":{"c":{"d":100}}}`, false},
		{"content_exists_false", `{"a":{"b":{"c:":{"d":[{"exists":false}]}}}}`, `{"a":{"b":{"c":"x"}}}`, true},
		{"content_exists_false_NEG", `{"a":{"b":{"c":{"d":[{"exists":false}]}}}}`,
			`{"a":{"b":{"c":{"d":"x"}}}}`, false},
		{"content_ignorecase", `{"a":[{"equals-ignore-case":"ec2 notification"}]}`, `{"a":["EC2 Notification"]}`, true},
		{"content_ignorecase_NEG", `{"a":[{"equals-ignore-case":"I do not match"}]}`, `{"a":["EC2"]}`, false},
		{"content_ignorecase_EXC", `{"a":[{"equals-ignore-case":["ec2"]}]}`, "", "equals-ignore-case" + noString},
		{"content_ignorecase_list_EXC", `{"a":[{"equals-ignore-case":{"prefix":"ec2"}}]}`, "",
			"equals-ignore-case" + noString},
		{"content_ignorecase_empty", `{"a":{"v":[{"equals-ignore-case":""}]}}`, `{"a":{"v":""}}`, true},
		{"content_ignorecase_empty_NEG", `{"a":{"v":[{"equals-ignore-case":""}]}}`, `{"a":{"v":"x"}}`, false},
		{"content_ip_address", ipv4, `{"a":{"ip":"10.0.0.255"}}`, true},
		{"content_ip_address_NEG", ipv4, `{"a":{"ip":"10.0.0.256"}}`, false},
		{"content_ip_address_bad_type_NEG", ipv4, `{"a":{"ip":123}}`, false},
		{"content_ip_address_EXC", `{"a":[{"cidr":"bad-filter"}]}`, "", "Malformed CIDR, one '/' required"},
		{"content_ip_address_bad_ip_EXC", `{"a":[{"cidr":"xx.11.xx/8"}]}`, "", "Nonstandard IP address: xx.11.xx"},
		{"content_ip_address_bad_mask_EXC", `{"a":[{"cidr":"bad-/64filter"}]}`, "",
			"Malformed CIDR, mask bits must be an integer"},
		{"content_ip_address_type_EXC", `{"a":[{"cidr":["bad-type"]}]}`, "", "prefix" + noString},
		{"content_ip_address_v6", ipv6, `{"a":{"ip":"2001:0db8:1234:1a00:0000:0000:0000:0000"}}`, true},
		{"content_ip_address_v6_NEG", ipv6, `{"a":{"ip":"2001:0db8:123f:1a01:0000:0000:0000:0000"}}`, false},
		{"content_ip_address_v6_bad_ip_EXC", `{"a":[{"cidr":"xxxx:db8:1234:1a00::/64"}]}`, "",
			"Nonstandard IP address: xxxx:db8:1234:1a00::"},
		{"content_numeric_and", ranges, `{"a":{"b":3,"c":9,"d":301.8}}`, true},
		{"content_numeric_and_NEG", ranges, `{"a":{"b":42,"c":9,"d":301.8}}`, false},
		{"content_numeric_EXC", `{"a":[{"numeric":[">",0,">",0]}]}`, "", "Bad numeric range operator: >"},
		{"content_numeric_number_EXC", `{"a":[{"numeric":10}]}`, "", "Value of numeric must be an array."},
		{"content_numeric_operatorcasing_EXC", `{"a":[{"NUMERIC":["=",5]}]}`, "", "Unrecognized match type NUMERIC"},
		{"content_numeric_syntax_EXC", `{"a":[{"numeric":[">",0,"<"]}]}`, "", "Value of < must be numeric"},
		{"content_prefix", `{"t":[{"prefix":"2022-07-13"}]}`, `{"t":"2022-07-13T13:48:01Z"}`, true},
		{"content_prefix_NEG", `{"t":[{"prefix":"2022-07-99"}]}`, `{"t":"2022-07-13T13:48:01Z"}`, false},
		{"content_prefix_empty", `{"s":[{"prefix":""}]}`, `{"s":"test"}`, true},
		{"content_prefix_int_EXC", `{"t":[{"prefix":123}]}`, "", "prefix" + noString},
		{"content_prefix_list_EXC", `{"t":[{"prefix":["2022"]}]}`, "", "prefix" + noString},
		{"content_suffix", `{"f":[{"suffix":".png"}]}`, `{"f":"image.png"}`, true},
		{"content_suffix_NEG", `{"f":[{"suffix":".PNG"}]}`, `{"f":"image.png"}`, false},
		{"content_suffix_empty", `{"s":[{"suffix":""}]}`, `{"s":"test"}`, true},
		{"content_suffix_int_EXC", `{"f":[{"suffix":123}]}`, "", "suffix" + noString},
		{"content_suffix_list_EXC", `{"f":[{"suffix":[".png"]}]}`, "", "suffix" + noString},
		{"dot_joining_event", `{"a":{"b":{"c":["run"]}}}`, `{"a":{"b.c":"run"}}`, true},
		{"dot_joining_event_NEG", `{"a":{"b":{"c":["run"]}}}`, `{"a":{"b.c":{"c":"run"}}}`, false},
		{"dot_joining_pattern", `{"a":{"b.c":["run"]}}`, `{"a":{"b":{"c":"run"}}}`, true},
		{"dot_joining_pattern_NEG", `{"a":{"b.c":{"c":["run"]}}}`, `{"a":{"b":{"c":"run"}}}`, false},
		{"dynamodb", `{"n":{"i":{"h":{"N":["1234"]}}}}`, `{"n":{"i":{"h":{"S":"ABCD","N":"1234"}}}}`, true},
		{"exists_dynamodb", `{"n":{"k":{"S":[{"exists":true}]}}}`, `{"n":{"i":{"S":"1"},"k":{"S":"2"}}}`, true},
		{"exists_dynamodb_NEG", `{"n":{"k":[{"exists":true}]}}`, `{"n":{"i":{"S":"1"},"k":{"S":"2"}}}`, false},
		{"exists_list_empty_NEG", `{"a":[{"exists":true}]}`, `{"a":[],"b":{"c":"","d":null}}`, false},
		{"int_nolist_EXC", `{"int":42}`, "", `"int"` + noContainer},
		{"key_case_sensitive_NEG", `{"MY_KEY":["v"]}`, `{"my_key":"v"}`, false},
		{"list_within_dict", `{"a":{"b":{"id":[{"exists":true}]}}}`,
			`{"a":{"b":[{"k":"v"},{"id":"exists"},{"l":"w"}]}}`, true},
		{"minimal", `{"id":["1"]}`, `{"id":"1","detail":{}}`, true},
		{"nested_json_NEG", `{"a":{"k":["v"]}}`, `{"a":"{\"k\": \"v\"}"}`, false},
		{"null_value", `{"a":{"r":[null]}}`, `{"a":{"v":"","r":null}}`, true},
		{"null_value_NEG", `{"a":{"r":[null]}}`, `{"a":{"v":"","r":"null"}}`, false},
		{"number_comparison_float", `{"n":[300]}`, `{"n":300.0}`, true},
		{"numeric-int-float", `{"n":[{"numeric":[">",100]}]}`, `{"n":101.0}`, true},
		{"numeric-null_NEG", `{"n":[{"numeric":[">",100]}]}`, `{"n":null}`, false},
		{"numeric-string_NEG", `{"n":[{"numeric":[">",100]}]}`, `{"n":"300"}`, false},
		{"operator_case_sensitive_EXC", `{"k":[{"EXISTS":true}]}`, "", "Unrecognized match type EXISTS"},
		{"operator_multiple_list", `{"k":[{"exists":true},{"prefix":"X"},{"suffix":"X"}]}`, `{"k":"v"}`, true},
		{"or-anything-but", roses, `{"n":{"i":{"h":{"S":"ABCD","N":"1234"}}}}`, true},
		{"or-exists-parent", roses, `{"n":{"i":{"p":{"N":"789"}}}}`, true},
		{"or-exists", roses, `{"n":{"i":{"h":{"N":"789"}}}}`, true},
		{"or-numeric-anything-but", mixed, `{"n":{"time":1733418659.0,"f":{"N":"42"}}}`, true},
		{"or-numeric-anything-but_NEG", mixed, `{"n":{"time":1733418659.0,"f":{"N":"101"}}}`, false},
		{"prefix", `{"n":{"P":{"S":[{"prefix":"COMPANY"}]},"K":{"S":[{"prefix":"PRODUCT"}]}}}`,
			`{"n":{"K":{"S":"PRODUCT#1"},"P":{"S":"COMPANY#1"},"size":174}}`, true},
		{"sample1", `{"source":["order"],"detail-type":["Test"]}`, `{"source":"order","detail-type":"Test"}`, true},
		{"string", `{"s":["A CamelCase 🚀 and whitespace "]}`, `{"s":"A CamelCase 🚀 and whitespace "}`, true},
		{"string_empty", `{"a":{"v":[""]}}`, `{"a":{"v":"","r":null}}`, true},
		{"string_nolist_EXC", `{"string":"my-value"}`, "", `"string"` + noContainer},
	} {
		recordings = append(recordings, recording{
			"TestEventPattern::test_event_pattern[" + p.test + "]", "2025-10-15", p.check,
		})
	}
	for test, reason := range map[string]string{
		`this is valid json but not a dict`: "Unrecognized token 'this': was expecting " + value,
		`{"not": closed mark"`:              "Unrecognized token 'closed': was expecting " + value,
		`{'bad': 'quotation'}`: "Unexpected character (''' (code 39)): " +
			"was expecting double-quote to start field name",
	} {
		recordings = append(recordings, recording{
			"TestEventPattern::test_invalid_json_event_pattern[" + test + "]", "2024-11-29",
			pattern{policy: test, want: "failed to parse JSON. " + reason}.check,
		})
	}
	all := func(patterns ...pattern) func(r *Recorded) {
		return func(r *Recorded) {
			for _, p := range patterns {
				p.check(r)
			}
		}
	}
	command := `{"source":["core"],"detail":{"command":[{"anything-but":["no-message"]}]}}`
	recordings = append(recordings,
		recording{"TestEventPattern::test_event_pattern_source", "2024-07-11", all(
			pattern{"", `{"source":["order"],"detail-type":["Test"]}`, `{"source":"order","detail-type":"Test"}`, true},
			pattern{"", `{"source":["shipment"],"detail-type":["Test"]}`,
				`{"source":"order","detail-type":"Test"}`, false},
		)},
		recording{"TestEventPattern::test_event_with_large_and_complex_payload", "2025-03-17", all(
			pattern{"", `{"detail-type":["a"]}`, largePayload(), true},
			pattern{"", `{"detail":{"payload.nested.another-level.deep":{"inside-list":[{"prefix":"q-test"}]}}}`,
				largePayload(), true},
		)},
		recording{"TestRuleWithPattern::test_put_events_with_rule_pattern_anything_but", "2024-07-11", all(
			pattern{"", command, `{"source":"core","detail":{"command":"display-message","payload":"baz"}}`, true},
			pattern{"", command, `{"source":"core","detail":{"command":null,"payload":"baz"}}`, true},
			pattern{"", command, `{"source":"core","detail":{"command":"no-message","payload":"baz"}}`, false},
		)},
		recording{"TestRuleWithPattern::test_put_events_with_rule_pattern_exists_true", "2024-07-11", all(
			pattern{"", `{"detail":{"key":[{"exists":true}]}}`, `{"detail":{"key":"value","payload":"baz"}}`, true},
			pattern{"", `{"detail":{"key":[{"exists":true}]}}`, `{"detail":{"no-key":"value","payload":"baz"}}`, false},
		)},
		recording{"TestRuleWithPattern::test_put_events_with_rule_pattern_exists_false", "2024-07-11", all(
			pattern{"", `{"detail":{"key":[{"exists":false}]}}`, `{"detail":{"no-key":"value","payload":"baz"}}`, true},
			pattern{"", `{"detail":{"key":[{"exists":false}]}}`, `{"detail":{"key":"value","payload":"baz"}}`, false},
		)},
	)
	checkRecorded(t, "events/test_events_patterns", recordings,
		leftOut{3, "nothing is recorded of them but the date"},
		leftOut{22, "wildcards, which filter policies of SNS do not have"},
		leftOut{15, "`equals-ignore-case` within another operator, which SNS does not have"},
		leftOut{12, "`anything-but` with a suffix, which SNS does not have"},
		leftOut{8, "`anything-but` with several prefixes or with a wrong one, for which SNS has texts of its own"},
		leftOut{2, "policies that are more complex than SNS allows"},
		leftOut{4, "events and patterns that are not objects, which EventBridge alone refuses so"},
	)
}
