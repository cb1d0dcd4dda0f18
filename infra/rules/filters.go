package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"restock/infra/graph"
)

// checkFilters checks the filter of each subscription. SNS refuses a filter of another form, with
// more than five keys, or with more than 150 combinations of values:
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
// A filter that takes no message of the topic is accepted, and the queue stays empty for ever. The
// rule knows the messages of the declared topics.
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
func checkFilters(i *inspection) {
	for _, r := range i.OfType(graph.TopicSubscription) {
		text := r.String("filterPolicy")
		if text == "" || text == "{}" || r.String("filterPolicyScope") == "MessageBody" {
			continue
		}
		var filter map[string][]any
		err := json.Unmarshal([]byte(text), &filter)
		combinations := 1
		for _, conditions := range filter {
			combinations *= len(conditions)
		}
		if err != nil || len(filter) == 0 || len(filter) > 5 || combinations == 0 || combinations > 150 {
			i.report(r, `write filterPolicy like {"kind":["surplus","order_failed"]}`,
				"its filterPolicy is %s, want a JSON object of one to five keys with lists, and at most 150 "+
					"combinations of their values: SNS refuses it", quoted(text))
			continue
		}
		topic := i.Find(graph.Topic, "arn", r.String("topic"))
		if topic == nil {
			continue // the rules reference and subscription report it
		}
		known := slices.IndexFunc(i.declarations.Topics, func(t Topic) bool { return t.Name == topic.Name })
		if known < 0 {
			continue
		}
		if t := i.declarations.Topics[known]; !slices.ContainsFunc(t.Messages,
			func(message map[string][]string) bool { return mayMatch(filter, message) }) {
			i.report(r, "name attributes and values of one kind of message, or declare what else is published",
				"its filterPolicy %s takes no message of topic %s, whose messages have %s: the queue stays empty",
				text, t.Name, t.describe())
		}
	}
}

// mayMatch reports whether some message with these attributes has a value for each key of a filter.
func mayMatch(filter map[string][]any, message map[string][]string) bool {
	for key, conditions := range filter {
		values, has := message[key]
		if key != "$or" && !slices.ContainsFunc(conditions, func(c any) bool { return mayHold(c, values, has) }) {
			return false
		}
	}
	return true
}

// mayHold reports whether a condition may hold for an attribute, which is a String. It reports true
// for operators that it does not know. Numbers never match a String:
// https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
// https://docs.aws.amazon.com/sns/latest/dg/numeric-value-matching.html
// https://docs.aws.amazon.com/sns/latest/dg/attribute-key-matching.html
func mayHold(condition any, values []string, has bool) bool {
	operator, isOperator := condition.(map[string]any)
	if exists, asked := operator["exists"]; asked {
		return exists == has
	}
	some := func(holds func(value string) bool) bool {
		return has && (values == nil || slices.ContainsFunc(values, holds))
	}
	text, isText := condition.(string)
	prefix, hasPrefix := operator["prefix"].(string)
	switch {
	case isText:
		return some(func(value string) bool { return value == text })
	case hasPrefix:
		return some(func(value string) bool { return strings.HasPrefix(value, prefix) })
	default:
		return has && isOperator && operator["numeric"] == nil
	}
}

// describe lists the attributes of the topic's messages and their values.
func (t Topic) describe() string {
	var kinds []string
	for _, message := range t.Messages {
		var attributes []string
		for _, name := range slices.Sorted(maps.Keys(message)) {
			if values := message[name]; values != nil {
				name = fmt.Sprintf("%s (%s)", name, strings.Join(values, ", "))
			}
			attributes = append(attributes, name)
		}
		kinds = append(kinds, strings.Join(attributes, ", "))
	}
	return strings.Join(kinds, "; or ")
}
