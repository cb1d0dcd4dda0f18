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

// delivers returns a test that publishes messages with the attributes yes and no to a subscription
// with the policy. It checks that only yes arrives.
func delivers(policy string, yes, no messageAttributes) func(*T) {
	return func(t *T) {
		p, q, _ := newSubscription(t, attributes{"RawMessageDelivery": "true", "FilterPolicy": policy})
		p.publish("no", no)
		p.publish("yes", yes)
		if got := q.receiveOne(); *got.Body != "yes" {
			t.Errorf("%s: delivered %q, want only yes", policy, *got.Body)
		}
	}
}

// deliversBody is like delivers, for a policy that filters by the body.
func deliversBody(policy, yes, no string) func(*T) {
	return func(t *T) {
		p, q, _ := newSubscription(t, attributes{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody",
			"FilterPolicy": policy})
		p.publish(no, nil)
		p.publish(yes, nil)
		if got := q.receiveOne(); *got.Body != yes {
			t.Errorf("%s: delivered %s, want only %s", policy, *got.Body, yes)
		}
	}
}

func TestSNSFilterPolicies(t *testing.T) {
	str := func(value string) messageAttributes { return messageAttributes{"key": snsText(value)} }
	num := func(value string) messageAttributes { return messageAttributes{"key": snsNumber(value)} }
	array := func(value string) messageAttributes { return messageAttributes{"key": snsArray(value)} }
	other := messageAttributes{"other": snsText("a")}
	both := messageAttributes{"key": snsText("a"), "other": snsText("b")}
	check(t, []conformanceCase{
		{"exact", stringFilters, delivers(`{"key":["a","b"]}`, str("b"), str("c"))},
		{"exact, in an array", stringFilters, delivers(`{"key":["a"]}`, array(`["x","a"]`), array(`["x","y"]`))},
		{"exact, case-sensitive", stringFilters, delivers(`{"key":["a"]}`, str("a"), str("A"))},
		{"prefix", stringFilters, delivers(`{"key":[{"prefix":"bas"}]}`, str("baseball"), str("rugby"))},
		{"suffix", stringFilters, delivers(`{"key":[{"suffix":"ball"}]}`, str("baseball"), str("rugby"))},
		{"equals-ignore-case", stringFilters,
			delivers(`{"key":[{"equals-ignore-case":"tennis"}]}`, str("TENNIS"), str("rugby"))},
		{"anything-but", stringFilters,
			delivers(`{"key":[{"anything-but":["rugby","tennis"]}]}`, str("baseball"), str("rugby"))},
		{"anything-but, without the key", stringFilters,
			delivers(`{"key":[{"anything-but":"rugby"}]}`, str("baseball"), nil)},
		{"anything-but, in an array", stringFilters,
			delivers(`{"key":[{"anything-but":["rugby","tennis"]}]}`, array(`["rugby","baseball"]`),
				array(`["rugby"]`))},
		{"anything-but with a prefix", stringFilters,
			delivers(`{"key":[{"anything-but":{"prefix":"order-"}}]}`, str("data-entry"), str("order-number"))},
		{"cidr", stringFilters, delivers(`{"key":[{"cidr":"10.0.0.0/24"}]}`, str("10.0.0.255"), str("10.1.1.0"))},
		{"numbers, exact", numericFilters, delivers(`{"key":[{"numeric":["=",301.5]}]}`, num("3.015e2"), num("301"))},
		{"numbers, in a range", numericFilters,
			delivers(`{"key":[{"numeric":[">",0,"<=",150]}]}`, num("150"), num("0"))},
		{"numbers, not texts of digits", numericFilters,
			delivers(`{"key":[{"numeric":["=",100]}]}`, num("100"), str("100"))},
		{"numbers, anything-but", numericFilters,
			delivers(`{"key":[{"anything-but":[100,500]}]}`, num("101"), num("100"))},
		{"exists", keyFilters, delivers(`{"key":[{"exists":true}]}`, str("a"), other)},
		{"exists, false", keyFilters, delivers(`{"key":[{"exists":false}]}`, other, str("a"))},
		{"all keys must match", andOrFilters,
			delivers(`{"key":["a"],"other":["b"]}`, both, str("a"))},
		{"one condition of a key must match", andOrFilters,
			delivers(`{"key":[{"prefix":"a"},{"numeric":[">",5]}]}`, num("6"), num("5"))},
		{"body", filterScope, deliversBody(`{"key":["a"]}`, `{"key":"a"}`, `{"key":"b"}`)},
		{"body, nested", filterScope, deliversBody(`{"store":{"city":[{"prefix":"Bu"}],"open":[true]}}`,
			`{"store":{"city":"Busan","open":true}}`, `{"store":{"city":"Busan","open":false}}`)},
		{"body, in an array", filterScope,
			deliversBody(`{"items":{"sku":["b"]}}`, `{"items":[{"sku":"a"},{"sku":"b"}]}`, `{"items":[{"sku":"a"}]}`)},
		{"body, numbers", numericFilters,
			deliversBody(`{"price":[{"numeric":[">=",100]}]}`, `{"price":100}`, `{"price":"100"}`)},
		{"body that is not JSON", filterScope, deliversBody(`{"key":["a"]}`, `{"key":"a"}`, `key: a`)},

		{"a policy can be set, changed and removed", filterSetFilter, func(t *T) {
			p, q, arn := newSubscription(t, attributes{"RawMessageDelivery": "true"})
			t.ok(p.set(arn, "FilterPolicy", `{"key":["a"]}`))
			p.publish("1", str("b"))
			t.ok(p.set(arn, "FilterPolicy", `{"key":["b"]}`))
			p.publish("2", str("b"))
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
		{"invalid JSON", filterPolicies, refuses(`key = a`)},
		{"a value without its array", filterPolicies, refuses(`{"key":"a"}`)},
		{"an unknown operator", filterPolicies, refuses(`{"key":[{"like":"a"}]}`)},
		{"an operand of another type", stringFilters, refuses(`{"key":[{"prefix":1}]}`)},
		{"numeric without an operator", numericFilters, refuses(`{"key":[{"numeric":[1]}]}`)},
		{"exists with neither true nor false", keyFilters, refuses(`{"key":[{"exists":"yes"}]}`)},
		{"nested keys for attributes", filterScope, refuses(`{"key":{"nested":["a"]}}`)},
		{"more than 5 keys", filterLimits, refuses(`{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]}`)},
		{"more than 150 combinations", filterLimits,
			refuses(`{"a":["1","2","3","4","5","6"],"b":["1","2","3","4","5","6"],"c":["1","2","3","4","5"]}`)},
		{"an unknown scope", filterScope, func(t *T) {
			p, q := newTopic(t), newQueue(t, nil)
			_, err := p.subscribe(q, attributes{"FilterPolicyScope": "Everything"})
			t.refused(err, "InvalidParameter")
		}},
	})
}
