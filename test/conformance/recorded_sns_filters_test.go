package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// refusedPolicy is a policy without whitespace, and how Subscribe refuses it.
type refusedPolicy struct {
	policy, text string
	column       int // where the text says that the parser stands; 0 if it does not say it
}

// refusesPolicies returns a recording of policies that are refused.
func refusesPolicies(policies ...refusedPolicy) func(r *Recorded) {
	return func(r *Recorded) {
		s := snsSubscription{r: r, topic: r.snsTopic(nil)}
		_, s.target = r.snsQueue()
		for _, p := range policies {
			text := p.text
			if p.column > 0 {
				text += fmt.Sprintf("\n at [Source: (String)\"%s\"; line: 1, column: %d]", p.policy, p.column)
			}
			s.subscribe(attributeMap{"FilterPolicy": p.policy}).invalid("Attributes Reason: FilterPolicy: " + text)
		}
	}
}

// many returns n values of a policy, as JSON.
func many(n int) string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf(`"value%d"`, i)
	}
	return strings.Join(values, ",")
}

func TestRecordedSNSFilterPolicies(t *testing.T) {
	const tooComplex, tooManyKeys = "Filter policy is too complex", "Filter policy can not have more than 5 keys"
	raw := func(policy, scope string) attributeMap {
		return attributeMap{"RawMessageDelivery": "true", "FilterPolicy": policy, "FilterPolicyScope": scope}
	}
	number := func(name, value string) input {
		return input{"MessageAttributes": input{name: snsAttribute("Number", value)}}
	}
	withNumber := func(name, value string) input {
		return input{"MessageAttributes": input{name: input{"Type": "Number", "Value": value}}}
	}
	// takes publishes bodies, of which the subscription must get the ones to take.
	takes := func(s snsSubscription, take []any, others ...string) {
		s.r.Helper()
		for _, message := range others {
			s.publish(message, nil).ok()
		}
		for _, message := range take {
			s.publish(message.(string), nil).ok()
		}
		s.delivers(take...)
	}
	const body, attributes = "MessageBody", "MessageAttributes"
	checkRecorded(t, "sns/test_sns_filter_policy", []recording{
		{"TestSNSFilterPolicyConditions::test_validate_policy", "2024-05-14", refusesPolicies(
			refusedPolicy{`{"key":[["value"]]}`, "Match value must be String, number, true, false, or null", 10},
			refusedPolicy{`{"key":[{"wrong-operator":true}]}`, "Unrecognized match type wrong-operator", 31},
			refusedPolicy{`{"key":[{"suffix":"value","prefix":"value2"}]}`, "Only one key allowed in match expression",
				37},
		)},
		{"TestSNSFilterPolicyConditions::test_validate_policy_string_operators", "2024-12-03", refusesPolicies(
			refusedPolicy{`{"key":[]}`, "Empty arrays are not allowed", 10},
			refusedPolicy{`{"key":[{"suffix":100}]}`, "suffix match pattern must be a string", 22},
			refusedPolicy{`{"key":[{"suffix":null}]}`, "suffix match pattern must be a string", 23},
			refusedPolicy{`{"key":{"suffix":"value"}}`, `"suffix" must be an object or an array`, 19},
			refusedPolicy{`{"key":[{"suffix":[]}]}`, "suffix match pattern must be a string", 20},
			refusedPolicy{`{"key":[{"suffix":["test","test2"]}]}`, "suffix match pattern must be a string", 20},
			refusedPolicy{`{"key":{"suffix":"value","prefix":"value"}}`, `"suffix" must be an object or an array`, 19},
			refusedPolicy{`{"key":{"not-an-operator":"value"}}`, `"not-an-operator" must be an object or an array`, 28},
			refusedPolicy{`{"key":[{"cidr":["bad-filter"]}]}`, "prefix match pattern must be a string", 18},
			refusedPolicy{`{"key":[{"cidr":"bad-filter"}]}`, "Malformed CIDR, one '/' required", 0},
			refusedPolicy{`{"key":[{"cidr":"bad-filter/64"}]}`, "Nonstandard IP address: bad-filter", 0},
			refusedPolicy{`{"key":[{"cidr":"bad-/64filter"}]}`, "Malformed CIDR, mask bits must be an integer", 0},
			refusedPolicy{`{"key":[{"cidr":"xx.11.xx/8"}]}`, "Nonstandard IP address: xx.11.xx", 0},
			refusedPolicy{`{"key":[{"cidr":"xxxx:db8:1234:1a00::/64"}]}`,
				"Nonstandard IP address: xxxx:db8:1234:1a00::", 0},
		)},
		{"TestSNSFilterPolicyConditions::test_validate_policy_numeric_operator", "2024-05-14", refusesPolicies(
			refusedPolicy{`{"key":[{"numeric":[]}]}`, "Invalid member in numeric match: ]", 22},
			refusedPolicy{`{"key":[{"numeric":["operator"]}]}`, "Unrecognized numeric range operator: operator", 32},
			refusedPolicy{`{"key":[{"numeric":[1,"<="]}]}`, "Invalid member in numeric match: 1", 22},
			refusedPolicy{`{"key":[{"numeric":["=","000"]}]}`, "Value of equals must be numeric", 26},
			refusedPolicy{`{"key":[{"numeric":[">="]}]}`, "Value of >= must be numeric", 26},
			refusedPolicy{`{"key":[{"numeric":["<",100,">",10]}]}`, "Too many elements in numeric expression", 30},
			refusedPolicy{`{"key":[{"numeric":[">=",1,">",2]}]}`, "Bad numeric range operator: >", 31},
			refusedPolicy{`{"key":[{"numeric":[">",3,"<",1]}]}`, "Bottom must be less than top", 33},
			refusedPolicy{`{"key":[{"numeric":[">",20,"<="]}]}`, "Value of <= must be numeric", 33},
			refusedPolicy{`{"key":[{"numeric":[">",20,30]}]}`, "Bad value in numeric range: 30", 30},
			refusedPolicy{`{"key":[{"numeric":[">",20,"test"]}]}`, "Bad numeric range operator: test", 34},
			refusedPolicy{`{"key":[{"numeric":[">","20","<","30"]}]}`, "Value of > must be numeric", 26},
			refusedPolicy{`{"key":[{"numeric":[">",20,"<","30"]}]}`, "Value of < must be numeric", 33},
			refusedPolicy{`{"key":[{"numeric":[">",20,"<",30,"<",50]}]}`,
				"Too many terms in numeric range expression", 36},
		)},
		{"TestSNSFilterPolicyConditions::test_validate_policy_exists_operator", "2024-05-14", refusesPolicies(
			refusedPolicy{`{"key":[{"exists":null}]}`, "exists match pattern must be either true or false.", 23},
			refusedPolicy{`{"key":[{"exists":"no"}]}`, "exists match pattern must be either true or false.", 20},
		)},
		{"TestSNSFilterPolicyConditions::test_validate_policy_nested_anything_but_operator", "2024-05-15",
			func(r *Recorded) {
				refusesPolicies(
					refusedPolicy{`{"key":[{"anything-but":{"wrong-operator":null}}]}`,
						"Unsupported anything-but pattern: wrong-operator", 47},
					refusedPolicy{`{"key":[{"anything-but":{"suffix":"test"}}]}`,
						"Unsupported anything-but pattern: suffix", 36},
					refusedPolicy{`{"key":[{"anything-but":{"exists":false}}]}`,
						"Unsupported anything-but pattern: exists", 40},
					refusedPolicy{`{"key":[{"anything-but":{"prefix":false}}]}`,
						"prefix match pattern must be a string", 40},
				)(r)
				s := r.subscribed(attributeMap{"FilterPolicy": `{"key":[{"anything-but":{"prefix":"test-"}}]}`})
				s.set("FilterPolicy", `{"key":[{"anything-but":["test","test2"]}]}`).answered(nil)
				s.set("FilterPolicy", `{"key":[{"anything-but":"test"}]}`).answered(nil)
			}},
		{"TestSNSFilterPolicyConditions::test_policy_complexity", "2024-05-14", refusesPolicies(
			refusedPolicy{`{"key":[` + many(151) + `]}`, tooComplex, 0},
			refusedPolicy{`{"key1":[` + many(100) + `],"key2":[` + many(51) + `]}`, tooComplex, 0},
			refusedPolicy{`{"1":["a"],"2":["a"],"3":["a"],"4":["a"],"5":["a"],"6":["a"]}`, tooManyKeys, 0},
		)},
		{"TestSNSFilterPolicyConditions::test_policy_complexity_with_or", "2024-05-14", func(r *Recorded) {
			s := snsSubscription{r: r, topic: r.snsTopic(nil)}
			_, s.target = r.snsQueue()
			// (4 × 6) + (4 × 4 × 4) + (4 × 4 × 4) = 152, and
			// (3 × 6) + (3 × 4 × 4) + (3 × 4 × 7) = 150
			const flat = `{"source":[%s],"$or":[{"name":[%s]},{"type":[%s],"$or":[{"id":[1,2,3,4]},{"space":[%s]}]}]}`
			refused := func(policy, scope string) {
				r.Helper()
				s.subscribe(attributeMap{"FilterPolicy": policy, "FilterPolicyScope": scope}).
					invalid("Attributes Reason: FilterPolicy: " + tooComplex)
			}
			refused(fmt.Sprintf(flat, many(4), many(6), many(4), many(4)), attributes)
			// (3 × 4 × 2) + (3 × 4 × 6) + (2 × 4 × 2) + (2 × 4 × 6) = 160; nested keys count twice
			refused(`{"$or":[{"name":[`+many(3)+`]},{"space":[`+many(2)+`]}],"detail":{"scope":[`+many(2)+
				`],"$or":[{"source":["a"]},{"type":[`+many(3)+`]}]}}`, body)
			s.subscribe(attributeMap{
				"FilterPolicy": fmt.Sprintf(flat, many(3), many(6), many(4), many(7)), "FilterPolicyScope": attributes,
			}).answered(input{"SubscriptionArn": anyText})
		}},

		{"TestSNSFilterPolicyCrud::test_set_subscription_filter_policy_scope", "2024-05-14", func(r *Recorded) {
			s := r.subscribed(nil)
			s.hasAttributes(nil)
			s.set("FilterPolicyScope", body).ok()
			s.hasAttributes(nil) // without a policy, the scope is not shown
			s.set("FilterPolicyScope", "RandomValue").invalid("FilterPolicyScope: Invalid value [RandomValue]. " +
				"Please use either MessageBody or MessageAttributes")
			s.set("FilterPolicy", `{"attr": ["match-this"]}`).ok()
			s.hasAttributes(input{"FilterPolicyScope": body, "FilterPolicy": `{"attr": ["match-this"]}`})
		}},
		{"TestSNSFilterPolicyCrud::test_sub_filter_policy_nested_property", "2024-05-14", func(r *Recorded) {
			const nested = `{"object": {"key": [{"prefix": "auto-"}]}}`
			s := r.subscribed(nil)
			s.set("FilterPolicy", nested).
				invalid("Filter policy scope MessageAttributes does not support nested filter policy")
			s.set("FilterPolicyScope", body).ok()
			s.set("FilterPolicy", nested).ok()
			s.hasAttributes(input{"FilterPolicyScope": body, "FilterPolicy": nested})
		}},
		{"TestSNSFilterPolicyCrud::test_sub_filter_policy_nested_property_constraints", "2024-05-14",
			func(r *Recorded) {
				s := r.subscribed(attributeMap{"FilterPolicyScope": body})
				// 3 × 4 × 2 × 3 × 1 × 3 = 216
				s.set("FilterPolicy", `{"a":{"b":{"c":[`+many(4)+`]}},"d":{"e":[`+many(3)+`]},"f":[`+many(3)+`]}`).
					invalid("FilterPolicy: " + tooComplex)
				s.set("FilterPolicy", `{"1":["a"],"2":["a"],"3":["a"],"4":["a"],"5":["a"],"6":["a"]}`).
					invalid("FilterPolicy: " + tooManyKeys)
				s.set("FilterPolicy", `{"key_a": "value_one"}`).invalid(
					`FilterPolicy: "key_a" must be an object or an array` +
						"\n at [Source: (String)\"{\"key_a\":\"value_one\"}\"; line: 1, column: 11]")
			}},

		{"TestSNSFilterPolicyAttributes::test_filter_policy", "2024-05-14", func(r *Recorded) {
			s := r.subscribed(nil)
			set := func(policy string) {
				r.Helper()
				s.set("FilterPolicy", policy).ok()
				s.hasAttributes(input{"FilterPolicyScope": attributes, "FilterPolicy": policy})
			}
			set(`{"attr1": [{"numeric": [">", 0, "<=", 100]}]}`)
			s.delivers()
			s.publish("a", number("attr1", "99")).ok()
			s.delivers(s.envelope("a", withNumber("attr1", "99")))
			s.publish("b", number("attr1", "111")).ok()
			s.delivers()
			set(`{"attr1": [null, {"anything-but": "whatever"}]}`)
			s.publish("c", nil).ok()
			s.delivers()
			s.set("FilterPolicy", "").ok()
			s.publish("d", nil).ok()
			s.delivers(s.envelope("d", nil))
		}},
		{"TestSNSFilterPolicyAttributes::test_exists_filter_policy", "2024-05-14", func(r *Recorded) {
			s := r.subscribed(nil)
			for _, exists := range []bool{true, false} {
				policy := fmt.Sprintf(`{"store": [{"exists": %v}]}`, exists)
				s.set("FilterPolicy", policy).ok()
				s.hasAttributes(input{"FilterPolicyScope": attributes, "FilterPolicy": policy})
				s.delivers()
				one, both := number("def", "99"), number("def", "99")
				both["MessageAttributes"].(input)["store"] = snsAttribute("Number", "99")
				s.publish("one", one).ok()
				s.publish("both", both).ok()
				if exists {
					with := withNumber("def", "99")
					with["MessageAttributes"].(input)["store"] = input{"Type": "Number", "Value": "99"}
					s.delivers(s.envelope("both", with))
				} else {
					s.delivers(s.envelope("one", withNumber("def", "99")))
				}
			}
		}},
		{"TestSNSFilterPolicyAttributes::test_exists_filter_policy_attributes_array", "2024-05-14",
			func(r *Recorded) {
				s := r.subscribed(raw(`{"store": ["value1"]}`, attributes))
				s.hasAttributes(input{
					"RawMessageDelivery": "true", "FilterPolicyScope": attributes,
					"FilterPolicy": `{"store": ["value1"]}`,
				})
				s.delivers()
				for _, c := range []struct {
					kind, value string
					taken       bool
				}{
					{"String", "value1", true},
					{"String.Array", `["value1","value2"]`, true},
					{"String.Array", `["value2","value3"]`, false},
				} {
					sent := input{"store": snsAttribute(c.kind, c.value)}
					s.publish("a", input{"MessageAttributes": sent}).ok()
					if c.taken {
						s.delivers(input{"Body": "a", "MessageAttributes": sent})
					} else {
						s.delivers()
					}
				}
			}},

		{"TestSNSFilterPolicyBody::test_filter_policy_on_message_body[True]", "2024-12-03", bodyFilter(true)},
		{"TestSNSFilterPolicyBody::test_filter_policy_on_message_body[False]", "2024-12-03", bodyFilter(false)},
		{"TestSNSFilterPolicyBody::test_filter_policy_for_batch", "2024-12-03", func(r *Recorded) {
			all := r.subscribed(nil)
			some := r.subscribedTo(all.topic, nil)
			const policy = `{"attr1": [{"numeric": [">", 0, "<=", 100]}]}`
			some.set("FilterPolicy", policy).ok()
			some.hasAttributes(input{"FilterPolicyScope": attributes, "FilterPolicy": policy})
			all.hasAttributes(nil)
			all.delivers()
			some.delivers()
			batch := func(message, value string) {
				entry := number("attr1", value)
				entry["Id"], entry["Message"] = "1", message
				r.call("sns", "PublishBatch",
					input{"TopicArn": all.topic, "PublishBatchRequestEntries": []input{entry}}).ok()
			}
			batch("a", "99")
			all.delivers(all.envelope("a", withNumber("attr1", "99")))
			some.delivers(some.envelope("a", withNumber("attr1", "99")))
			batch("b", "111")
			all.delivers(all.envelope("b", withNumber("attr1", "111")))
			some.delivers()
		}},
		{"TestSNSFilterPolicyBody::test_filter_policy_on_message_body_dot_attribute", "2024-12-03",
			func(r *Recorded) {
				s := r.subscribed(attributeMap{
					"FilterPolicyScope": body, "FilterPolicy": `{"object.nested":["string.value"]}`,
				})
				each := func(messages ...string) {
					for _, message := range messages {
						s.publish(message, nil).ok()
						s.delivers(s.envelope(message, nil))
					}
				}
				s.delivers()
				each(`{"object":{"nested":"string.value"}}`, `{"object.nested":"string.value"}`)
				takes(s, nil, `{"object":{"nested":"test-auto"}}`)
				s.set("FilterPolicy", `{"object.nested.test":["string.value"]}`).ok()
				each(`{"object":{"nested":{"test":"string.value"}}}`, `{"object.nested.test":"string.value"}`,
					`{"object.nested":{"test":"string.value"}}`, `{"object":{"nested.test":"string.value"}}`)
				takes(s, nil, `{"object":{"nested":{"test":"string.notvalue"}}}`)
			}},
		{"TestSNSFilterPolicyBody::test_filter_policy_on_message_body_array_attributes", "2024-12-03",
			func(r *Recorded) {
				first := r.subscribed(raw(`{"headers":{"route-to":["queue1"]}}`, body))
				second := r.subscribedTo(first.topic, raw(`{"headers":{"route-to":["queue2"]}}`, body))
				message := func(queues string) string { return `{"headers":{"route-to":[` + queues + `]}}` }
				both, one, two := message(`"queue1","queue2"`), message(`"queue1"`), message(`"queue2"`)
				takes(first, []any{both, one}, two, message(`"queue3"`))
				second.delivers(both, two)
			}},
		{"TestSNSFilterPolicyBody::test_filter_policy_on_message_body_array_of_object_attributes", "2024-12-03",
			func(r *Recorded) {
				s := r.subscribed(raw(`{"Records":{"s3":{"object":{"key":[{"prefix":"auto-"}]}},`+
					`"eventName":[{"prefix":"ObjectCreated:"}]}}`, body))
				record := func(name, object string) string {
					return `{"eventName":"` + name + `","s3":{"object":` + object + `}}`
				}
				const created, removed = "ObjectCreated:Put", "ObjectRemoved:Delete"
				records := func(records ...string) string { return `{"Records":[` + strings.Join(records, ",") + `]}` }
				takes(s, []any{
					records(record(created, `[[{"key":"auto-insurance","size":17}]]`),
						record(removed, `{"key":"home-insurance"}`)),
					records(record(created, `{"key":"auto-insurance"}`)),
				}, records(record(removed, `{"key":"auto-insurance"}`)),
					records(record(created, `{"key":"home-insurance"}`)))
			}},
		{"TestSNSFilterPolicyBody::test_filter_policy_on_message_body_or_attribute", "2024-12-03",
			func(r *Recorded) {
				s := r.subscribed(raw(`{"$or":[{"name":["CPU","Latency"]},{"space":["EC2","ES"]}],`+
					`"detail":{"scope":["Service"],"$or":[{"source":["watch"]},{"type":["Change"]}]}}`, body))
				takes(s, []any{
					`{"name":"CPU","detail":{"scope":"Service","source":"watch"}}`,
					`{"name":"CPU","detail":{"scope":"Service","type":"Change"}}`,
					`{"name":"Latency","detail":{"scope":"Service","source":"watch"}}`,
					`{"space":"EC2","detail":{"scope":"Service","source":"watch"}}`,
					`{"space":"ES","detail":{"scope":"Service","source":"watch"}}`,
				},
					`{"name":"CPU","detail":{"scope":"watch","type":"Change"}}`,
					`{"name":"CPU","detail":{"scope":"Service","type":"CPU"}}`,
					`{"name":"CPU","detail":{"type":"Change"}}`,
					`{"name":"CPU","detail":{"scope":"Service"}}`,
					`{"name":"CPU","scope":"Service"}`,
					`{"name":"EC2","detail":{"scope":"Service","type":"Change"}}`,
					`{"space":"CPU","detail":{"scope":"Service","type":"Change"}}`)
			}},
		{"TestSNSFilterPolicyBody::test_filter_policy_empty_array_payload", "2024-12-04", func(r *Recorded) {
			s := r.subscribed(raw(`{"detail":{"eventVersion":[""]}}`, body))
			takes(s, []any{`{"version":"0","resources":[],"detail":{"eventVersion":"","responseElements":null}}`})
		}},
		{"TestSNSFilterPolicyBody::test_filter_policy_large_complex_payload", "2025-03-17", func(r *Recorded) {
			s := r.subscribed(raw(
				`{"detail":{"payload.nested.another-level.deep":{"inside-list":[{"prefix":"q-test"}]}}}`, body))
			takes(s, []any{largePayload()})
		}},
		{"TestSNSFilterPolicyBody::test_filter_policy_ip_address_condition", "2024-12-04", func(r *Recorded) {
			s := r.subscribed(raw(`{"detail":{"$or":[{"sourceIPAddress":[{"cidr":"10.0.0.0/24"}]},`+
				`{"sourceIPAddressV6":[{"cidr":"2001:db8:1234:1a00::/64"}]}]}}`, body))
			takes(s, []any{
				`{"detail":{"sourceIPAddress":"10.0.0.255"}}`,
				`{"detail":{"sourceIPAddressV6":"2001:0db8:1234:1a00:0000:0000:0000:0000"}}`,
			}, `{"detail":{"sourceIPAddress":"10.0.0.256"}}`,
				`{"detail":{"sourceIPAddressV6":"2001:0db8:123f:1a01:0000:0000:0000:0000"}}`)
		}},
	})
}

// bodyFilter returns a recording of a filter of bodies, with or without raw delivery.
func bodyFilter(raw bool) func(r *Recorded) {
	return func(r *Recorded) {
		s := r.subscribed(attributeMap{
			"RawMessageDelivery": fmt.Sprint(raw), "FilterPolicyScope": "MessageBody",
			"FilterPolicy": `{"object":{"key":[{"prefix":"auto-"},"hardcodedvalue"],"nested_key":[{"exists":false}]},` +
				`"test":[{"exists":false}]}`,
		})
		s.delivers()
		for _, message := range []string{`{"object":{"key":"auto-test"}}`, `{"object":{"key":"hardcodedvalue"}}`} {
			s.publish(message, nil).ok()
			if raw {
				s.delivers(message)
			} else {
				s.delivers(s.envelope(message, nil))
			}
		}
		for _, message := range []string{
			`{"object":{"key":"test-auto"}}`, `{"object":{"key":"auto-test"},"test":"exists"}`,
			`{"object":{"key":"auto-test","nested_key":"exists"}}`, `{"object":{"test":"auto-test"}}`,
			`{"test":"auto-test"}`, `no JSON`, `"no object"`,
		} {
			s.publish(message, nil).ok()
		}
		s.delivers()
	}
}

// largePayload is a large message with arrays in arrays, and a text that begins with q-test in one.
func largePayload() string {
	var items []any
	for i := range 100 {
		items = append(items, map[string]any{
			"id": i, "tags": []any{[]any{"a", "b"}, map[string]any{"c": strings.Repeat("d", 100)}}, "more": []any{},
		})
	}
	text, _ := json.Marshal(map[string]any{
		"detail-type": "a", "items": items,
		"detail": map[string]any{"list": items, "payload": map[string]any{"nested": map[string]any{
			"another-level": map[string]any{"deep": []any{
				map[string]any{"inside-list": []any{"q-other"}}, map[string]any{"inside-list": []any{"b", "q-test-1"}},
			}},
		}}},
	})
	return string(text)
}
