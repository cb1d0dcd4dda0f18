package conformance

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

const (
	filterPolicies  = snsGuide + "sns-subscription-filter-policies.html"
	stringFilters   = snsGuide + "string-value-matching.html"
	numericFilters  = snsGuide + "numeric-value-matching.html"
	keyFilters      = snsGuide + "attribute-key-matching.html"
	andOrFilters    = snsGuide + "and-or-logic.html"
	filterScope     = snsGuide + "sns-message-filtering-scope.html"
	filterLimits    = snsGuide + "subscription-filter-policy-constraints.html"
	filterSetFilter = snsGuide + "message-filtering-apply.html"
)

type messageAttributes = map[string]types.MessageAttributeValue

func snsNumber(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: &value}
}

func snsArray(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String.Array"), StringValue: &value}
}

// delivers publishes two messages to a subscription with the policy, and checks that the first alone arrives.
func delivers(policy string, yes, no messageAttributes) func(*T) {
	return func(t *T) {
		p, q, _ := newSubscription(t, attributes{"RawMessageDelivery": "true", "FilterPolicy": policy})
		p.publish("no", no)
		p.publish("yes", yes)
		if got := q.receiveOne(); *got.Body != "yes" {
			t.Errorf("%s: delivered %q, want yes alone", policy, *got.Body)
		}
	}
}

// deliversBody is delivers for a policy that is about bodies.
func deliversBody(policy, yes, no string) func(*T) {
	return func(t *T) {
		p, q, _ := newSubscription(t, attributes{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": policy})
		p.publish(no, nil)
		p.publish(yes, nil)
		if got := q.receiveOne(); *got.Body != yes {
			t.Errorf("%s: delivered %s, want %s alone", policy, *got.Body, yes)
		}
	}
}

func TestSNSFilterPolicies(t *testing.T) {
	one := func(value types.MessageAttributeValue) messageAttributes { return messageAttributes{"key": value} }
	check(t, []conformanceCase{
		{"exact", stringFilters, delivers(`{"key":["a","b"]}`, one(snsText("b")), one(snsText("c")))},
		{"exact, in an array", stringFilters, delivers(`{"key":["a"]}`, one(snsArray(`["x","a"]`)), one(snsArray(`["x","y"]`)))},
		{"exact, by case", stringFilters, delivers(`{"key":["a"]}`, one(snsText("a")), one(snsText("A")))},
		{"prefix", stringFilters, delivers(`{"key":[{"prefix":"bas"}]}`, one(snsText("baseball")), one(snsText("rugby")))},
		{"suffix", stringFilters, delivers(`{"key":[{"suffix":"ball"}]}`, one(snsText("baseball")), one(snsText("rugby")))},
		{"equals-ignore-case", stringFilters, delivers(`{"key":[{"equals-ignore-case":"tennis"}]}`, one(snsText("TENNIS")), one(snsText("rugby")))},
		{"anything-but", stringFilters, delivers(`{"key":[{"anything-but":["rugby","tennis"]}]}`, one(snsText("baseball")), one(snsText("rugby")))},
		{"anything-but, without the key", stringFilters, delivers(`{"key":[{"anything-but":"rugby"}]}`, one(snsText("baseball")), nil)},
		{"anything-but, in an array", stringFilters, delivers(`{"key":[{"anything-but":["rugby","tennis"]}]}`, one(snsArray(`["rugby","baseball"]`)), one(snsArray(`["rugby"]`)))},
		{"anything-but with a prefix", stringFilters, delivers(`{"key":[{"anything-but":{"prefix":"order-"}}]}`, one(snsText("data-entry")), one(snsText("order-number")))},
		{"cidr", stringFilters, delivers(`{"key":[{"cidr":"10.0.0.0/24"}]}`, one(snsText("10.0.0.255")), one(snsText("10.1.1.0")))},
		{"numbers, exact", numericFilters, delivers(`{"key":[{"numeric":["=",301.5]}]}`, one(snsNumber("3.015e2")), one(snsNumber("301")))},
		{"numbers, in a range", numericFilters, delivers(`{"key":[{"numeric":[">",0,"<=",150]}]}`, one(snsNumber("150")), one(snsNumber("0")))},
		{"numbers, not their text", numericFilters, delivers(`{"key":[{"numeric":["=",100]}]}`, one(snsNumber("100")), one(snsText("100")))},
		{"numbers, anything-but", numericFilters, delivers(`{"key":[{"anything-but":[100,500]}]}`, one(snsNumber("101")), one(snsNumber("100")))},
		{"exists", keyFilters, delivers(`{"key":[{"exists":true}]}`, one(snsText("a")), messageAttributes{"other": snsText("a")})},
		{"exists not", keyFilters, delivers(`{"key":[{"exists":false}]}`, messageAttributes{"other": snsText("a")}, one(snsText("a")))},
		{"every key", andOrFilters, delivers(`{"key":["a"],"other":["b"]}`, messageAttributes{"key": snsText("a"), "other": snsText("b")}, one(snsText("a")))},
		{"one of a key's conditions", andOrFilters, delivers(`{"key":[{"prefix":"a"},{"numeric":[">",5]}]}`, one(snsNumber("6")), one(snsNumber("5")))},
		{"body", filterScope, deliversBody(`{"key":["a"]}`, `{"key":"a"}`, `{"key":"b"}`)},
		{"body, nested", filterScope, deliversBody(`{"store":{"city":[{"prefix":"Bu"}],"open":[true]}}`, `{"store":{"city":"Busan","open":true}}`, `{"store":{"city":"Busan","open":false}}`)},
		{"body, in an array", filterScope, deliversBody(`{"items":{"sku":["b"]}}`, `{"items":[{"sku":"a"},{"sku":"b"}]}`, `{"items":[{"sku":"a"}]}`)},
		{"body, numbers", numericFilters, deliversBody(`{"price":[{"numeric":[">=",100]}]}`, `{"price":100}`, `{"price":"100"}`)},
		{"body that is not JSON", filterScope, deliversBody(`{"key":["a"]}`, `{"key":"a"}`, `key: a`)},

		{"a policy can be set, changed and removed", filterSetFilter, func(t *T) {
			p, q, arn := newSubscription(t, attributes{"RawMessageDelivery": "true"})
			t.ok(p.set(arn, "FilterPolicy", `{"key":["a"]}`))
			p.publish("1", one(snsText("b")))
			t.ok(p.set(arn, "FilterPolicy", `{"key":["b"]}`))
			p.publish("2", one(snsText("b")))
			if got := q.receiveOne(); *got.Body != "2" {
				t.Errorf("delivered %q, want 2", *got.Body)
			}
			t.ok(p.set(arn, "FilterPolicy", `{}`))
			p.publish("3", nil)
			if got := q.receiveOne(); *got.Body != "3" {
				t.Errorf("delivered %q, want 3", *got.Body)
			}
		}},
	})
}

func TestSNSFilterPoliciesAreRefused(t *testing.T) {
	refuses := func(policy string) func(*T) {
		return func(t *T) {
			p, q := newTopic(t), newQueue(t, nil)
			_, err := p.subscribe(q, attributes{"FilterPolicy": policy})
			t.refused(err, "InvalidParameter")
		}
	}
	check(t, []conformanceCase{
		{"no JSON", filterPolicies, refuses(`key = a`)},
		{"a value without its array", filterPolicies, refuses(`{"key":"a"}`)},
		{"an unknown operator", filterPolicies, refuses(`{"key":[{"like":"a"}]}`)},
		{"an operand of another type", stringFilters, refuses(`{"key":[{"prefix":1}]}`)},
		{"numbers without an operator", numericFilters, refuses(`{"key":[{"numeric":[1]}]}`)},
		{"exists that is neither true nor false", keyFilters, refuses(`{"key":[{"exists":"yes"}]}`)},
		{"nested keys for attributes", filterScope, refuses(`{"key":{"nested":["a"]}}`)},
		{"more than 5 keys", filterLimits, refuses(`{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]}`)},
		{"more than 150 combinations", filterLimits, refuses(`{"a":["1","2","3","4","5","6"],"b":["1","2","3","4","5","6"],"c":["1","2","3","4","5"]}`)},
		{"an unknown scope", filterScope, func(t *T) {
			p, q := newTopic(t), newQueue(t, nil)
			_, err := p.subscribe(q, attributes{"FilterPolicyScope": "Everything"})
			t.refused(err, "InvalidParameter")
		}},
	})
}
